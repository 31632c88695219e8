"""What keys do: one table, which feeds the bindings, the footer, the palette and the help.

Lower case looks; upper case acts on entries.
"""

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Action:
    """One thing that an operator can do.

    Args:
        id: the name of the screen's or app's `action_` method.
        key: as Textual names it.
        name: one or two words, for footer and palette.
        help: one sentence.
        screen: where it is bound: a screen's name, or "everywhere".
        footer: whether it stands in the footer.
    """

    id: str
    key: str
    name: str
    help: str
    screen: str
    footer: bool = True


ACTIONS = (
    Action(
        "toggle_repeat",
        "T",
        "Repeat",
        "Repeat on or off: the next run executes the failed task again, or not.",
        "entries",
    ),
    Action("restart", "R", "Restart", "Execute again now, from the failed task; what is done is kept.", "entries"),
    Action("restart_from_start", "S", "From start", "Execute again now, all tasks from the start.", "entries"),
    Action("new_run", "N", "New run", "Start a run of this entry's processor: every entry that is ready.", "entries"),
    Action("show_trace", "e", "Trace", "The stack trace of the entry's error.", "entries"),
    Action(
        "filter",
        "slash",
        "Filter",
        "Show only entries that match: words, or state:failed task:Ship error:5b2c.",
        "entries",
    ),
    Action("only_failed", "f", "Failed", "Show failed entries alone; again shows all.", "entries", footer=False),
    Action("clear_filter", "escape", "Show all", "Take the filter away.", "entries", footer=False),
    Action(
        "next_order", "s", "Sort", "Sort by the next column; a click on a header sorts by it.", "entries", footer=False
    ),
    Action("reverse_order", "r", "Reverse", "Turn the order round.", "entries", footer=False),
    Action(
        "mark_all",
        "a",
        "Mark all",
        "Mark every entry that the filter shows, on the screen or not.",
        "entries",
        footer=False,
    ),
    Action("mark_none", "u", "Unmark", "Take all marks away.", "entries", footer=False),
    Action("copy", "c", "Copy", "Copy the entry's key, reason and error id.", "entries", footer=False),
    Action(
        "show_output",
        "o",
        "Output",
        "What the engine processes started from here have printed.",
        "entries",
        footer=False,
    ),
    Action("show_trace", "e", "Trace", "The stack trace of the entry's error.", "entry"),
    Action("copy", "c", "Copy", "Copy what is shown.", "entry"),
    Action("toggle_libraries", "l", "Libraries", "Open or fold the frames of libraries.", "trace"),
    Action("copy", "c", "Copy", "Copy the stack trace.", "trace"),
    Action("copy_id", "i", "Copy id", "Copy the error id.", "trace"),
    Action("new_run", "N", "New run", "Make the store, with a run of the processor named at the start.", "welcome"),
    Action("demo", "d", "Demo", "Open the demo: an audit of the Python packages of this machine.", "welcome"),
    Action("back", "escape", "Back", "Back to where you came from.", "everywhere", footer=False),
    Action("help", "question_mark", "Help", "The keys, and what they do.", "everywhere"),
    Action("quit", "q", "Quit", "Leave; engine processes go on.", "everywhere"),
)
"""Every action but moving about in a table, which is the table's own."""


def bindings(screen: str) -> list[Binding]:
    """The bindings of a screen, or of "everywhere"."""
    return [
        Binding(action.key, action.id, action.name, show=action.footer, tooltip=action.help, id=binding_id(action))
        for action in ACTIONS
        if action.screen == screen
    ]


def binding_id(action: Action) -> str:
    """The name of an action's binding."""
    return f"{action.screen}.{action.id}"


def key_name(key: str) -> str:
    """A key as it is printed on it."""
    return {"slash": "/", "question_mark": "?", "escape": "esc"}.get(key, key)
