"""The keys, and what they do."""

from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.planning import State
from wfe_tui.actions import ACTIONS, key_name
from wfe_tui.widgets.states import state_content

TEXT_WIDTH = 55
"""Cells of a sentence beside its key: the whole fits on a terminal of 80 columns."""

TITLES = {
    "entries": "On the list",
    "entry": "On an entry",
    "trace": "On a stack trace",
    "welcome": "Where there is no store yet",
    "everywhere": "Everywhere",
}
MOVING = (
    ("↑ ↓ j k", "Move; pgup and pgdn by a page, g and G to the ends, ← and → sideways."),
    ("enter", "Open the entry: its tasks, what happens next, its data."),
    ("space", "Mark the entry; T, R, S and D act on the marked ones, or on the one at the cursor."),
)
MEANINGS = {
    State.READY: "the next run executes it",
    State.WAITING: "until its due date, or its repeat is ripe",
    State.RUNNING: "a process works on it",
    State.INTERRUPTED: "a task stopped it, expectedly: repair and restart it, or set repeat",
    State.FAILED: "an unexpected exception: e shows the trace",
    State.IN_DOUBT: "its process died inside a task: R executes that task again, D takes it as done",
    State.FINISHED: "all tasks are done",
}


class HelpScreen(ModalScreen[None]):
    """All actions, from the one table of them, and what the states mean."""

    CSS_PATH = "entries.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", "Close", show=False)]

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box") as box:
            box.border_title = "Keys"
            box.border_subtitle = "esc closes"
            yield Static(_content(), markup=False)


def _content() -> Content:
    lines: list[Content] = []
    for screen, title in TITLES.items():
        lines.append(Content.styled(title, "bold $text-primary"))
        if screen == "entries":
            lines += [_line(keys, text) for keys, text in MOVING]
        lines += [_line(key_name(action.key), action.help) for action in ACTIONS[screen]]
        lines.append(Content(""))
    lines.append(Content.styled("States", "bold $text-primary"))
    for state, meaning in MEANINGS.items():
        name = state_content(state)
        first, *more = wrap(meaning, TEXT_WIDTH - 5)
        lines.append(Content("  ") + name + Content(" " * (14 - name.cell_length) + first))
        lines += [Content(" " * 16 + text) for text in more]
    lines += [Content(""), Content.styled("Text is selected with the mouse; ctrl+c copies it.", "$text-muted")]
    return Content("\n").join(lines)


def _line(keys: str, text: str) -> Content:
    first, *more = wrap(text, TEXT_WIDTH)
    return Content("\n").join(
        [Content.assemble("  ", (f"{keys:<9}", "bold"), first), *(Content(" " * 11 + m) for m in more)]
    )
