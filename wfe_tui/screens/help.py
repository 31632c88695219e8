"""The keys, and what they do."""

from collections.abc import Mapping
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from engine.state import State
from wfe_tui.actions import ACTIONS, TITLES, binding_id, key_name
from wfe_tui.surviving import Dialog
from wfe_tui.widgets.states import state_content

TEXT_WIDTH = 54
"""Cells of a sentence beside its key: the whole fits on a terminal of 80 columns."""

SELECTING = "The mouse selects text, ctrl+c copies it; with shift the terminal itself selects."
MEANINGS = {
    State.READY: "the next run executes it",
    State.WAITING: "until its due date, or its repeat is ripe",
    State.RUNNING: "a process works on it",
    State.INTERRUPTED: "a task stopped it, expectedly: repair and restart it, or set repeat",
    State.FAILED: "an unexpected exception: e shows the trace",
    State.IN_DOUBT: "its process died inside a task: R executes that task again, D takes it as done",
    State.HELD: "an operator holds it: L releases it",
    State.FINISHED: "all tasks are done",
    State.CANCELLED: "an operator cancelled it: only a restart takes it up again",
}


class HelpScreen(Dialog[None]):
    """All actions, from the one table of them, those of the screen below first, and what the states mean.

    Args:
        keys: the user's own keys, by the names of bindings.
        first: the screen whose actions come first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "Close", show=False),
        Binding("j,down", "scroll(1)", "Down", show=False),
        Binding("k,up", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self, keys: Mapping[str, str], first: str) -> None:
        super().__init__()
        self._own = keys
        self._first = first

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box") as box:
            box.border_title = "Keys"
            box.border_subtitle = "esc closes"
            yield Static(_content(self._own, self._first), markup=False)

    def action_scroll(self, by: int) -> None:
        """Read on."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


def _content(own: Mapping[str, str], first: str) -> Content:
    lines: list[Content] = []
    for screen in sorted(TITLES, key=lambda screen: screen != first):
        lines.append(Content.styled(TITLES[screen], "bold $text-primary"))
        lines += [_line(key_name(own.get(binding_id(screen, a), a.key)), a.name, a.help) for a in ACTIONS[screen]]
        lines.append(Content(""))
    lines.append(Content.styled("States", "bold $text-primary"))
    for state, meaning in MEANINGS.items():
        name = state_content(state)
        head, *more = wrap(meaning, TEXT_WIDTH - 5)
        lines.append(Content("  ") + name + Content(" " * (14 - name.cell_length) + head))
        lines += [Content(" " * 16 + text) for text in more]
    lines += [Content(""), Content.styled(SELECTING, "$text-muted")]
    return Content("\n").join(lines)


def _line(keys: str, name: str, text: str) -> Content:
    head, *more = wrap(f"{name}: {text}" if name[0].islower() else text, TEXT_WIDTH)
    return Content("\n").join(
        [Content.assemble("  ", (f"{keys:<11}", "bold"), head), *(Content(" " * 13 + m) for m in more)]
    )
