"""The processors that are paused, each in a line: by whom, since when, and why. Nothing where none is."""

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content
from textual.widgets import Static

from engine.pausing import Pause
from engine.text import literal
from wfe_tui.widgets.cut import LONGEST_KEY, cut


class PauseLines(Static):
    """Shows these pauses; see `engine.pausing`."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self.display = False

    def show(self, pauses: Sequence[Pause], now: datetime) -> None:
        """Show who has paused what, as of `now`."""
        self.display = bool(pauses)
        self.update(Content("\n").join(_line(pause, now) for pause in pauses))


def _line(pause: Pause, now: datetime) -> Content:
    name = cut(literal(pause.processor.rpartition(":")[2]), LONGEST_KEY)
    return Content.assemble((f"‖ {name}", "bold"), f" {literal(pause.words(now))}")
