"""The runs of the engine, the newest first: how each ended, how far it is, how fast."""

import asyncio
from collections.abc import Iterator
from typing import ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from engine import operations
from engine.clock import age, local_time, short
from engine.exceptions import EngineError
from engine.lookup.history import RunRow
from engine.text import literal
from wfe_tui import sources
from wfe_tui.actions import bindings
from wfe_tui.feed import Pulse
from wfe_tui.others import OthersAction
from wfe_tui.routes import Route
from wfe_tui.screens.acting import ActingScreen, Scope
from wfe_tui.screens.confirm import ConfirmScreen
from wfe_tui.screens.listing import ListScreen
from wfe_tui.widgets.columns import Cells, Column, cells
from wfe_tui.widgets.filter_bar import FilterBar
from wfe_tui.widgets.pause_lines import PauseLines
from wfe_tui.widgets.run_line import ENDINGS
from wfe_tui.widgets.states import bar
from wfe_tui.widgets.table import StoreTable
from wfe_tui.window import Window

COLUMNS = (
    Column("number", "Run", 6, justify="right"),
    Column("processor", "Processor", 16, grow=1),
    Column("ending", "Ended", 11),
    Column("progress", "Progress", 16),
    Column("failed", "Failed", 6, justify="right"),
    Column("rate", "Rate", 8, justify="right", priority=2),
    Column("took", "Took", 6, justify="right", priority=1),
    Column("started", "Started", 19, priority=3),
    Column("age", "Age", 5, justify="right", priority=4),
)


def ending_content(run: RunRow) -> Content:
    """How a run ended, or that it goes on."""
    if run.silent_for is not None:
        return Content.styled("▶ silent", "bold $text-error")
    if run.is_going_on:
        return Content.styled("▶ running", "$text-accent")
    sign = "✓" if run.ending == "completed" else "◼" if run.ending == "stopped" else "✗"
    return Content.styled(f"{sign} {literal(run.ending or '')}", ENDINGS.get(run.ending or "", "$text-error"))


def progress_content(run: RunRow) -> Content:
    """How far a run is."""
    of = f"/{run.total}" if run.total is not None else ""
    picture = bar(run.considered, run.total, 6, "$text-accent") + Content(" ") if run.total else Content("")
    return picture + Content(f"{run.considered}{of}")


CELLS: Cells[RunRow] = {
    "number": lambda run, now: Content(str(run.id)),
    "processor": lambda run, now: Content(literal(run.processor)),
    "ending": lambda run, now: ending_content(run),
    "progress": lambda run, now: progress_content(run),
    "failed": lambda run, now: Content.styled(str(run.failed or ""), "bold $text-error"),
    "rate": lambda run, now: Content(f"{run.rate:.0f}/s" if run.rate >= 10 else f"{run.rate:.1f}/s"),
    "took": lambda run, now: Content(short(((run.ended or now) - run.started).total_seconds())),
    "started": lambda run, now: Content(local_time(run.started)),
    "age": lambda run, now: Content(age(run.started, now)),
}
"""What stands in a row's cell, at a moment."""


class RunActing(ActingScreen):
    """A screen on which a run can be stopped."""

    async def run_number(self) -> int | None:
        """The number of the run that is pointed at."""
        raise NotImplementedError

    def concern(self, action: OthersAction, *, is_seen: bool) -> str:
        return action.whole if is_seen else ""

    @work(group="act")
    async def action_stop_run(self) -> None:
        """Let the run end what is under way, and begin nothing more."""
        await self._end("stop", "End what is under way, and begin nothing more?")

    @work(group="act")
    async def action_drain_run(self) -> None:
        """Let the run go through with the entries it has begun, and take no other."""
        await self._end("drain", "Go through with the entries that are begun, and take no other?")

    async def _end(self, verb: str, question: str) -> None:
        number = await self.run_number()
        if number is None:
            self.wfe.say("there is no run here", severity="warning")
            return
        if self.wfe.refuses(verb):
            return
        screen = ConfirmScreen.of_processor(verb, str(number), f"Run {number}: {question}", self.wfe.protected_name)
        answer = await self.app.push_screen_wait(screen)
        if answer is None:
            return
        act = operations.stop if verb == "stop" else operations.drain
        try:
            await asyncio.to_thread(lambda: act(number, store=self.store, why=answer.why, clock=self.wfe.clock))
        except (EngineError, operations.Refusal) as error:
            self.wfe.say(f"{verb}: run {number}: {error}", severity="error")
            return
        self.wfe.shell = operations.line_of(verb, [str(number)], self.store.path, None, answer.why)
        self.wfe.say(f"{verb}: run {number}\n$ {self.wfe.shell}")

    def scope(self) -> Scope:
        return Scope("no entry", list)


class RunsScreen(RunActing, ListScreen):
    """All runs."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("runs")]
    keys = area = "runs"
    columns = COLUMNS
    window: Window[RunRow]

    def body(self) -> Iterator[Widget]:
        self.window = Window(self.store, sources.runs(self.store, self.wfe.clock))
        self.cell = cells(CELLS, self.wfe.clock)
        yield PauseLines()
        yield self.make_table()
        yield FilterBar()

    def show_pulse(self, pulse: Pulse) -> None:
        """How the engine is."""
        super().show_pulse(pulse)
        self.query_one(PauseLines).show(pulse.pauses, self.wfe.clock())

    @on(StoreTable.RowChosen)
    def _open(self, message: StoreTable.RowChosen) -> None:
        self.wfe.go(Route("runs", str(message.id)))

    def action_copy(self) -> None:
        """Copy the run at the cursor as a line."""
        if row := self.row_at_cursor():
            self.wfe.copy("  ".join(self.cell(row, column).plain for column in self.columns), "the run")

    async def processor(self) -> str | None:
        row: RunRow | None = self.row_at_cursor()
        return row.processor if row else None

    async def run_number(self) -> int | None:
        return self.window.cursor_id
