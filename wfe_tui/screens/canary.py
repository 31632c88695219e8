"""Asks how many entries a restart tries first, how many follow at once, and when it stops by itself."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from engine.exceptions import InputError
from engine.text import counted, literal
from engine.worker.canary import Canary
from wfe_tui.screens.confirm import Confirmed, ConfirmScreen

MEANING = (
    "The first are executed; when they have their verdicts the others follow, so many at once. "
    "It stops by itself when the same error comes back more often than allowed."
)
NUMBERS = {"first": "first", "in_flight": "then at once", "stop_after": "same error allowed"}


class CanaryScreen(ConfirmScreen):
    """The question before a restart that tries a few entries first; see `ConfirmScreen` for the arguments."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f", "numbers", "Numbers", show=False)]

    _canary = Canary()

    @property
    def question(self) -> str:
        """What is asked."""
        return f"Restart {counted(self.count, 'entry', 'entries')}, a few of them first?"

    @property
    def hint(self) -> str:
        """The keys, in a line."""
        return "y yes · n no · f numbers · w why · c copy the shell line"

    def choices(self) -> Iterator[Widget]:
        """The numbers, and what they mean."""
        yield Static(Content.styled(MEANING, "$text-muted"), id="meaning", markup=False)
        with Horizontal(id="numbers"):
            for name, title in NUMBERS.items():
                yield Static(title, markup=False)
                number = str(getattr(self._canary, name))
                yield Input(number, compact=True, id=name, restrict=r"[0-9]{0,6}", select_on_focus=True)
        wrong = Static(id="wrong", markup=False)
        wrong.display = False
        yield wrong

    def words(self) -> Sequence[str]:
        """What is typed behind `wfe` for it."""
        return [*super().words(), *self._canary.words]

    def answered(self) -> Confirmed | None:
        """A yes with these numbers."""
        canary = self._typed()
        return Confirmed(self.why, canary=canary) if canary else None

    def changed(self) -> None:
        """Other numbers are typed."""
        self._canary = self._typed() or self._canary
        super().changed()

    def _typed(self) -> Canary | None:
        """The numbers that stand there; None if they are none, which is said."""
        wrong = self.query_one("#wrong", Static)
        wrong.display = False
        try:
            typed = {name: self.query_one(f"#{name}", Input).value for name in NUMBERS}
            if missing := [NUMBERS[name] for name, value in typed.items() if not value]:
                raise InputError(f"write a number: {', '.join(missing)}")
            first, in_flight, stop_after = map(int, typed.values())
            canary = Canary(first, in_flight, stop_after)
        except InputError as error:
            wrong.update(literal(str(error)))
            wrong.display = True
            return None
        return canary

    def action_numbers(self) -> None:
        """Change the numbers."""
        self.query_one("#first", Input).focus()
