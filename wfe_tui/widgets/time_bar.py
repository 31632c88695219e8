"""A slider over the time that the store knows of, with the errors that happened in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from engine.clock import local_minute
from engine.text import spark

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class TimeBar(Widget, can_focus=True):
    """Points at a moment between two.

    Args:
        begin, end: the first and the last moment (aware).
        moment: where it points at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"move({minutes})", show=False) for key, minutes in (
            ("left", -1), ("right", 1), ("shift+left,ctrl+left", -10), ("shift+right,ctrl+right", 10),
            ("down", -60), ("up", 60), ("pagedown", -1440), ("pageup", 1440),
        )),
        Binding("home", "first", show=False),
        Binding("end", "last", show=False),
    ]  # fmt: skip

    @dataclass
    class Moved(Message):
        """It points at another moment."""

        moment: datetime

    def __init__(self, begin: datetime, end: datetime, moment: datetime) -> None:
        super().__init__()
        self.begin = begin
        self.end = max(begin, end)
        self.moment = min(max(moment, begin), self.end)
        self.errors: Sequence[int] = ()
        """How many happened in each of equal parts of the time."""

    @property
    def parts(self) -> int:
        """How many cells it has."""
        return max(self.size.width, 1)

    @property
    def place(self) -> int:
        """The cell that it points at."""
        whole = (self.end - self.begin).total_seconds()
        passed = (self.moment - self.begin).total_seconds()
        return min(int(passed / whole * self.parts), self.parts - 1) if whole else self.parts - 1

    def show_errors(self, errors: Sequence[int]) -> None:
        """Show how many errors there were in each of equal parts of the time."""
        self.errors = errors
        self.refresh()

    def render(self) -> Content:
        """Errors above, the slider, and the ends of the time below."""
        place, width = self.place, self.parts
        first, last = local_minute(self.begin, self.end), "now"
        bar = Content.assemble(
            ("━" * place, "$primary"), ("█", "bold $text-primary" if self.has_focus else "$text-muted"),
            ("─" * (width - place - 1), "$text-muted"),
        )  # fmt: skip
        ends = f"{first}{last:>{max(width - len(first), 1)}}"
        return Content("\n").join(
            [Content.styled(spark(self.errors), "$text-error"), bar, Content.styled(ends, "$text-muted")]
        )

    def action_move(self, minutes: int) -> None:
        """Point so many minutes later, or earlier, at a whole minute."""
        moved = self.moment + minutes * MINUTE
        if minutes < 0 and self.moment.second + self.moment.microsecond:
            moved += MINUTE if minutes == -1 else timedelta()  # to the beginning of its own minute first
        self._point(moved.replace(second=0, microsecond=0))

    def action_first(self) -> None:
        """Point at the first moment."""
        self._point(self.begin)

    def action_last(self) -> None:
        """Point at now."""
        self._point(self.end)

    def on_click(self, event: events.Click) -> None:
        """Point at what was clicked."""
        moment = self.begin + (self.end - self.begin) * (event.x / max(self.parts - 1, 1))
        self._point(self.end if event.x >= self.parts - 1 else moment.replace(second=0, microsecond=0))

    def _point(self, moment: datetime) -> None:
        self.moment = min(max(moment, self.begin), self.end)
        self.refresh()
        self.post_message(self.Moved(self.moment))
