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
        footer: whether it stands in the footer.
    """

    id: str
    key: str
    name: str
    help: str
    footer: bool = True


_ACTS = (
    Action("toggle_repeat", "T", "Repeat", "Repeat on or off: the next run executes the failed task again, or not."),
    Action("restart", "R", "Restart", "Execute again now, from the failed task; what is done is kept."),
    Action("restart_from_start", "S", "From start", "Execute again now, all tasks from the start."),
    Action("decide_done", "D", "Done", "In doubt: take the task as done, and go on.", footer=False),
)
_TRACE = Action("show_trace", "e", "Trace", "The stack trace of the entry's error.")

ACTIONS = {
    "entries": (
        *_ACTS,
        Action("new_run", "N", "New run", "Start a run of this entry's processor: every entry that is ready."),
        Action("toggle_pause", "P", "Pause", "Pause this entry's processor, or resume it.", footer=False),
        _TRACE,
        Action("filter", "slash", "Filter", "Show what matches: words, or state:failed task:Ship error:5b2c."),
        Action("only_failed", "f", "Failed", "Show failed entries alone; again shows all.", footer=False),
        Action("clear_filter", "escape", "Show all", "Take the filter away.", footer=False),
        Action("next_order", "s", "Sort", "Sort by the next column; a click on a header sorts by it.", footer=False),
        Action("reverse_order", "r", "Reverse", "Turn the order round.", footer=False),
        Action("mark_all", "a", "Mark all", "Mark all that the filter shows, on the screen or not.", footer=False),
        Action("mark_none", "u", "Unmark", "Take all marks away.", footer=False),
        Action("copy", "c", "Copy", "Copy the entry's key, reason and error id.", footer=False),
        Action("show_output", "o", "Output", "What engine processes started from here have printed.", footer=False),
    ),
    "entry": (*_ACTS, _TRACE, Action("copy", "c", "Copy", "Copy what is shown.")),
    "trace": (
        Action("toggle_libraries", "l", "Libraries", "Open or fold the frames of libraries."),
        Action("copy", "c", "Copy", "Copy the stack trace."),
        Action("copy_id", "i", "Copy id", "Copy the error id."),
    ),
    "welcome": (
        Action("new_run", "N", "New run", "Make the store, with a run of the processor named at the start."),
        Action("demo", "d", "Demo", "Open the demo: an audit of the Python packages of this machine."),
    ),
    "everywhere": (
        Action("back", "escape", "Back", "Back to where you came from.", footer=False),
        Action("help", "question_mark", "Help", "The keys, and what they do."),
        Action("quit", "q", "Quit", "Leave; engine processes go on."),
    ),
}
"""By screen, every action but moving about in a table, which is the table's own."""


def bindings(screen: str) -> list[Binding]:
    """The bindings of a screen, or of "everywhere"."""
    return [
        Binding(a.key, a.id, a.name, show=a.footer, tooltip=a.help, id=binding_id(screen, a)) for a in ACTIONS[screen]
    ]


def binding_id(screen: str, action: Action) -> str:
    """The name of an action's binding."""
    return f"{screen}.{action.id}"


def key_name(key: str) -> str:
    """A key as it is printed on it."""
    return {"slash": "/", "question_mark": "?", "escape": "esc"}.get(key, key)
