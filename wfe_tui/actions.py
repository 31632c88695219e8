"""What keys do: one table, which feeds the bindings, the footer, the palette, the help and README.

Lower case looks; upper case acts on entries, on a processor or on a run. (`G` is vim's, and looks.) A key of two
characters, as `]f`, is pressed one after the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from textual.binding import Binding

from engine.exceptions import InputError


@dataclass(frozen=True)
class Action:
    """One thing that an operator can do.

    Args:
        id: the name of the screen's, table's or app's `action_` method.
        key: as Textual names it, several joined by commas; two keys one after the other as they are printed on them.
        name: one to three words, for footer and palette. What acts is called as its verb is everywhere else.
        help: one sentence.
        footer: whether it stands in the footer.
    """

    id: str
    key: str
    name: str
    help: str
    footer: bool = False

    @property
    def is_chord(self) -> bool:
        """Its keys are pressed one after the other."""
        return len(self.key) == 2


_ACTS = (
    Action("restart", "R", "restart", "Execute again now, from the failed task; what is done is kept.", footer=True),
    Action("toggle_repeat", "T", "repeat", "Repeat on or off: the next run executes the failed task again, or not.",
           footer=True),
    Action("repeat_when", "W", "repeat when", "Repeat after a time, at a date, after runs; so many times at most."),
    Action("restart_from_start", "S", "restart from the start", "Execute again now, all tasks from the start."),
    Action("skip", "K", "skip", "Take the task as done without executing it, and go on with the next one."),
    Action("hold", "H", "hold", "Let no run execute it until it is released."),
    Action("release", "L", "release", "Let it go: end the hold."),
    Action("cancel", "X", "cancel", "Let no run execute it any more; only a restart takes it up again."),
    Action("decide_done", "D", "decide done", "In doubt: the task took effect, go on. R executes it again instead."),
)  # fmt: skip
_CANARY = Action(
    "canary", "C", "canary", "Restart a few first, then the others; it stops by itself when the same error comes back."
)
_UNDO = Action("undo", "u", "undo", "Take your newest act back, unless an engine has come to it.")
_ON_ACTIONS = (
    Action("undo", "u", "undo", "Take it back, for each entry that no engine has come to.", footer=True),
    Action("resume_canary", "R", "resume", "A canary restart that has stopped: go on with the rest.", footer=True),
    Action("abandon_canary", "X", "abandon", "A canary restart: leave what was not executed as it was before."),
)
_ACTS_ON_GROUPS = tuple(replace(act, footer=act.id == "restart") for act in _ACTS)  # so that the footer fits
_ON_GROUPS = (
    Action("resolve", "V", "resolve", "Say that the cause is gone: seen again, it has regressed.", footer=True),
    Action("snooze", "Z", "snooze", "Put it off, until a time or until it was seen so many times more."),
    Action("note", "M", "note", "Note something of it, for whoever looks at it next."),
)
_RUNNING = (
    Action("new_run", "N", "run", "Start a run of this processor: every entry that is ready."),
    Action("toggle_pause", "P", "pause", "Pause this processor, or resume it."),
    Action("show_output", "o", "output", "What engine processes started from here have printed."),
)
_LIST = (
    Action("filter", "slash", "Filter", "Show what matches, while you type.", footer=True),
    Action("clear_filter", "escape", "Show all", "Take the filter away."),
    Action("next_order", "s", "Sort", "Sort by the next column; a click on a header sorts by it."),
    Action("reverse_order", "r", "Reverse", "Turn the order round."),
    Action("columns", "c", "Columns", "Choose the columns, their order and their width."),
    Action("export", "w", "Export", "Write exactly what is shown into a file: CSV or JSON lines."),
    Action("copy", "y", "Copy", "Copy the row."),
)
_SHARE = Action("share", "h", "In common", "What those that fail have in common, beside those that went well.")
_TRACE = Action("show_trace", "e", "Trace", "The stack trace of the entry's error.", footer=True)
_COMPARE = Action("compare", "equals_sign", "Compare", "What differs between two attempts, or from one that went well.")

ACTIONS: Mapping[str, tuple[Action, ...]] = {
    "table": (
        Action("cursor_down", "down,j", "Down", "The next row."),
        Action("cursor_up", "up,k", "Up", "The row before."),
        Action("page_down", "pagedown,ctrl+d", "Page down", "A page down."),
        Action("page_up", "pageup,ctrl+u", "Page up", "A page up."),
        Action("first", "home,g", "First", "The first row."),
        Action("last", "end,G", "Last", "The last row."),
        Action("scroll_left", "left", "Left", "Scroll to the left."),
        Action("scroll_right", "right", "Right", "Scroll to the right."),
        Action("choose", "enter", "Open", "Open what the cursor is on."),
        Action("mark", "space", "Mark", "Mark the row: upper-case keys act on all that are marked."),
        Action("mark_all", "a", "Mark all", "Mark all that the filter shows, on the screen or not."),
        Action("mark_none", "minus", "Unmark", "Take all marks away."),
    ),
    "entries": (
        *_ACTS,
        _CANARY,
        _UNDO,
        *_RUNNING,
        _TRACE,
        _COMPARE,
        *_LIST,
        Action("only_failed", "f", "Failed", "Show failed entries alone; again shows all.", footer=True),
        Action("next_failure", "]f", "Next failure", "Go to the next entry that failed."),
        Action("previous_failure", "[f", "Previous failure", "Go to the one before."),
        _SHARE,
        Action("views", "v", "Views", "Save what is shown under a name, or show what was saved."),
        Action("toggle_live", "p", "Live", "Let the rows stand still, or follow the store again."),
    ),
    "entry": (*_ACTS, _UNDO, *_RUNNING, _TRACE, _COMPARE, Action("copy", "y", "Copy", "Copy the entry as JSON.")),
    "errors": (
        *_ACTS_ON_GROUPS,
        *_ON_GROUPS,
        _CANARY,
        _UNDO,
        *_LIST,
        Action("show_entries", "l", "Entries", "The entries that failed of this now.", footer=True),
        replace(_SHARE, footer=True),
    ),
    "occurrences": (
        *_ACTS_ON_GROUPS,
        *_ON_GROUPS,
        _CANARY,
        _UNDO,
        *_LIST,
        Action("show_entries", "l", "Entries", "The entries that failed of this now.", footer=True),
        replace(_SHARE, footer=True),
    ),
    "share": (
        Action("show_entries", "l", "Entries", "The failing entries that have this.", footer=True),
        Action("filter", "slash", "Filter", "Say which failing entries are meant.", footer=True),
        Action("clear_filter", "escape", "Back", "To where this was asked.", footer=True),
        *_LIST[2:],
    ),
    "trace": (
        Action("toggle_frame", "enter,space", "Open, fold", "Open or fold the frame."),
        Action("toggle_libraries", "l", "Libraries", "Open or fold the frames of libraries.", footer=True),
        Action("next_frame", "down,j", "Next frame", "The next frame."),
        Action("previous_frame", "up,k", "Previous frame", "The frame before."),
        Action("edit", "e", "Editor", "Open the frame's line in $EDITOR.", footer=True),
        Action("search", "slash", "Search", "Search in the trace.", footer=True),
        Action("next_found", "n", "Next found", "The next place that was found."),
        Action("copy", "y", "Copy", "Copy the stack trace.", footer=True),
        Action("copy_frame", "f", "Copy frame", "Copy the frame."),
        Action("copy_id", "i", "Copy id", "Copy the error id."),
        Action("copy_report", "m", "Copy report", "Copy a report in Markdown."),
        Action("next_occurrence", "right_square_bracket", "Next", "The next occurrence of this error."),
        Action("previous_occurrence", "left_square_bracket", "Previous", "The occurrence before."),
        Action("older_attempt", "minus", "Attempt before", "What the attempt before this one ended with."),
        Action("newer_attempt", "plus", "Attempt after", "What the attempt after this one ended with."),
        _COMPARE,
        Action("show_entry", "v", "View entry", "The entry that it happened to."),
    ),
    "compare": (
        Action("toggle_everything", "a", "All", "Show all, or again what differs alone.", footer=True),
        Action("toggle_sibling", "s", "Sibling", "With the last good sibling, or again two attempts.", footer=True),
        Action("move_left(-1)", "left_square_bracket", "Left before", "On the left the attempt before.", footer=True),
        Action("move_left(1)", "right_square_bracket", "Left after", "On the left the attempt after.", footer=True),
        Action("move_right(-1)", "left_curly_bracket", "Right before", "On the right the attempt before."),
        Action("move_right(1)", "right_curly_bracket", "Right after", "On the right the attempt after."),
        Action("copy", "y", "Copy", "Copy what is shown, as Markdown.", footer=True),
        Action("line_down", "down,j", "Down", "Scroll down."),
        Action("line_up", "up,k", "Up", "Scroll up."),
        Action("page_down", "pagedown,ctrl+d", "Page down", "A page down."),
        Action("page_up", "pageup,ctrl+u", "Page up", "A page up."),
        Action("first", "home,g", "First", "To the beginning."),
        Action("last", "end,G", "Last", "To the end."),
    ),
    "runs": (
        *_RUNNING,
        *_LIST,
        Action("stop_run", "X", "stop", "Let the run end what is under way, and begin nothing more."),
        Action("drain_run", "D", "drain", "Let the run go through with the entries it has begun, and take no other."),
    ),
    "run": (
        *_RUNNING,
        Action("stop_run", "X", "stop", "Let the run end what is under way, and begin nothing more.", footer=True),
        Action("drain_run", "D", "drain", "Let the run go through with the entries it has begun, and take no other."),
        Action("copy", "y", "Copy", "Copy the figures."),
    ),
    "actions": (
        *_ON_ACTIONS,
        Action("only_open", "f", "Open", "Show those alone that wait for verdicts; again shows all.", footer=True),
        *_LIST,
    ),
    "action": (
        *_ON_ACTIONS,
        Action("show_trace", "e", "Trace", "The stack trace of the entry's error.", footer=True),
        Action("next_verdict", "f", "Verdict", "Show the entries of one verdict alone; again: the next.", footer=True),
        *_LIST,
    ),
    "report": (
        Action("write", "w", "Write", "Write it into a file, as Markdown or as a page.", footer=True),
        Action("copy", "y", "Copy", "Copy it as Markdown.", footer=True),
    ),
    "welcome": (
        Action("new_run", "N", "run", "Make the store, with a run of the processor named at the start.", footer=True),
        Action("demo", "d", "Demo", "Open the demo: an audit of the Python packages of this machine.", footer=True),
    ),
    "everywhere": (
        Action("go_to('entries')", "1", "Entries", "The list of entries."),
        Action("go_to('errors')", "2", "Errors", "The errors, by their cause."),
        Action("go_to('runs')", "3", "Runs", "The runs of the engine."),
        Action("go_to('actions')", "4", "Actions", "What operators did."),
        Action("go_to('report')", "b", "Since", "What has happened since you last looked."),
        Action("travel", "t", "Time travel", "See everything as it was at a moment that has passed; or come back."),
        Action("go", "colon", "Go to", "Go to a place by its path."),
        Action("back", "less_than_sign,backspace", "Back", "To the place before."),
        Action("forward", "greater_than_sign", "Forward", "To the place that was left."),
        Action("up", "escape", "Up", "Out of here, to the list it belongs to."),
        Action("copy_shell", "ctrl+y", "Copy the shell line", "Copy the `wfe` line of the last act."),
        Action("help", "question_mark", "Help", "The keys, and what they do.", footer=True),
        Action("suspend_process", "ctrl+z", "Suspend", "Into the background of the shell; `fg` comes back."),
        Action("quit", "q", "Quit", "Leave; engine processes go on.", footer=True),
    ),
}
"""By screen. "table" is every list's; "everywhere" is what no screen has otherwise."""

TITLES = {
    "entries": "On the list of entries",
    "entry": "On an entry",
    "errors": "On the list of errors",
    "occurrences": "On the occurrences of an error",
    "share": "On what failing entries have in common",
    "trace": "On a stack trace",
    "compare": "On a comparison",
    "runs": "On the list of runs",
    "run": "On a run",
    "actions": "On the list of actions",
    "action": "On an action",
    "report": "On what has happened since",
    "table": "In every list",
    "welcome": "Where there is no store yet",
    "everywhere": "Everywhere",
}


def bindings(screen: str) -> list[Binding]:
    """The bindings of a screen, of "table" or of "everywhere"; keys that are pressed one after the other have none."""
    return [
        Binding(a.key, a.id, a.name, show=a.footer, tooltip=a.help, id=binding_id(screen, a))
        for a in ACTIONS[screen]
        if not a.is_chord
    ]


def chords(screen: str, keys: Mapping[str, str]) -> dict[str, Action]:
    """The actions of a screen whose keys are pressed one after the other, by these.

    Args:
        screen: a name in `ACTIONS`.
        keys: the user's own, by the names of bindings.
    """
    named = {keys.get(binding_id(screen, action), action.key): action for action in ACTIONS[screen] if action.is_chord}
    return {key: action for key, action in named.items() if len(key) == 2}


def binding_id(screen: str, action: Action) -> str:
    """The name of an action's binding, by which the user can give it another key: `entries.restart`."""
    return f"{screen}.{action.id.replace('(', '_').strip(')').replace(chr(39), '')}"


def check_keys(keys: Iterable[str]) -> None:
    """Raise InputError unless these are names of bindings."""
    known = [binding_id(screen, action) for screen, actions in ACTIONS.items() for action in actions]
    for key in keys:
        if key not in known:
            own = [name for name in known if name.split(".")[0] == key.split(".")[0]]
            raise InputError(f"there is no action {key!r} to give a key to; there are {', '.join(own or ACTIONS)}")


_PRINTED = {
    "slash": "/", "question_mark": "?", "escape": "esc", "colon": ":", "less_than_sign": "<", "greater_than_sign": ">",
    "right_square_bracket": "]", "left_square_bracket": "[", "right_curly_bracket": "}", "left_curly_bracket": "{",
    "equals_sign": "=", "minus": "-", "plus": "+", "pagedown": "pgdn",
    "pageup": "pgup", "backspace": "⌫", "up": "↑", "down": "↓", "left": "←", "right": "→",
}  # fmt: skip


def key_name(key: str) -> str:
    """Keys as they are printed on them."""
    return " ".join(_PRINTED.get(each, each) for each in key.split(","))


def key_table() -> str:
    """The actions as README has them: a table in Markdown for each screen."""
    parts = []
    for screen, title in TITLES.items():
        rows = [f"| `{key_name(a.key).replace('|', chr(92) + '|')}` | {a.name} | {a.help} |" for a in ACTIONS[screen]]
        parts.append("\n".join([f"**{title}**", "", "| key | | |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(parts)
