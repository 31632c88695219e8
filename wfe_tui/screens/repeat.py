"""Asks when, and how often at most, a task is to be repeated."""

import re
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from engine.clock import Clock
from engine.exceptions import InputError
from engine.operations import SetRepeat
from engine.repeating import parse_repeat
from engine.text import literal
from wfe_tui.surviving import Dialog

EXAMPLES = """\
on · off · after 2h · at 2026-12-24 08:00 · after 3 runs
and, if it is to end: · reruns 5"""


class RepeatScreen(Dialog[SetRepeat | None]):
    """One line, in the words of the list's own column.

    Args:
        clock: what a time of day without a date is of.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close", show=False)]

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "Repeat when"
            box.border_subtitle = "enter sets it · esc closes"
            yield Static(EXAMPLES, markup=False)
            yield Input(placeholder="after 2h reruns 5", compact=True)
            yield Static(id="said", markup=False)

    @on(Input.Submitted)
    def _submitted(self, message: Input.Submitted) -> None:
        try:
            verb = read_repeat(message.value, self._clock())
        except InputError as error:
            self.query_one("#said", Static).update(literal(str(error)))
        else:
            self.dismiss(verb)


def read_repeat(text: str, now: datetime) -> SetRepeat:
    """What is asked for by `after 2h reruns 5`.

    Raises:
        InputError: it cannot be understood.
    """
    found = re.fullmatch(r"\s*(.*?)\s*(?:\breruns\s+(\d{1,6}))?\s*", text, re.DOTALL)
    assert found is not None, "it matches everything"
    return SetRepeat(parse_repeat(found.group(1), now), int(found.group(2)) if found.group(2) else None)
