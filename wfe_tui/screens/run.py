"""One run: how it ended, how far it is, how long its tasks take, its results over time, its output."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from engine.journal.durations import Histogram, read_durations
from engine.lookup.history import RunRow, read_run
from engine.store import Changes
from wfe_tui.actions import bindings
from wfe_tui.loader import Loader
from wfe_tui.others import OthersAction
from wfe_tui.routes import Route
from wfe_tui.screens.runs import RunActing
from wfe_tui.widgets.run_parts import DurationsPlot, PacePlot, durations_content, statistics_content, summary_content


@dataclass(frozen=True)
class Found:
    """A run as the store has it now."""

    document: Mapping[str, Any]
    row: RunRow
    durations: Mapping[str, Histogram]


class RunScreen(RunActing):
    """A run, as the store has it now.

    Args:
        route: its path.
        number: of the run.
    """

    AUTO_FOCUS = "#run"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("run")]
    keys = "run"

    def __init__(self, route: Route, number: int) -> None:
        super().__init__(route)
        self._number = number
        self._found: Found | None = None

    def body(self) -> Iterator[Widget]:
        self._loader = Loader(self, self._read, self._show, rest=0.5)
        with VerticalScroll(id="run"):
            yield Static(id="summary", markup=False)
            with Horizontal(id="plots"):
                yield PacePlot()
                yield DurationsPlot()
            yield Static(id="durations", markup=False)
            yield Static(id="statistics", markup=False)

    def on_mount(self) -> None:
        """Show the run."""
        self._loader.load()

    def store_changed(self, changes: Changes) -> None:
        if changes.concern("runs"):
            self._loader.load()

    def time_passed(self) -> None:
        if self._found is None or self._found.row.is_going_on:
            self._loader.load()

    def _read(self) -> Found | None:
        document = self.store.runs.get(doc_id=self._number)
        if document is None:
            return None
        return Found(document, read_run(document, self.wfe.clock(), self.store.is_alive), read_durations(document))

    def _show(self, found: Found | None) -> None:
        self._found = found
        summary = self.query_one("#summary", Static)
        if found is None:
            summary.update(f"run {self._number} is not in this store any more")
            return
        summary.update(summary_content(found.row, self.wfe.clock()))
        self.query_one(PacePlot).show(found.document.get("pace") or [])
        self.query_one(DurationsPlot).show(found.durations)
        self.query_one("#durations", Static).update(durations_content(found.durations))
        self.query_one("#statistics", Static).update(statistics_content(found.document.get("statistics") or {}))

    def concern(self, action: OthersAction, *, is_seen: bool) -> str:
        is_its = self._found is not None and self._found.row.processor == action.processor
        return super().concern(action, is_seen=is_seen) if is_its else ""

    def action_copy(self) -> None:
        """Copy the figures."""
        if self._found is not None:
            parts = (summary_content(self._found.row, self.wfe.clock()), durations_content(self._found.durations))
            self.wfe.copy("\n\n".join(part.plain for part in parts), "the figures")

    async def processor(self) -> str | None:
        return self._found.row.processor if self._found else None

    async def run_number(self) -> int | None:
        return self._number
