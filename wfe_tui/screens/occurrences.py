"""The occurrences of one error, the newest first."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from engine.clock import age, local_time
from engine.groups import ErrorGroup, error_group, failed_by
from engine.lookup.history import OccurrenceRow
from engine.store import Changes
from engine.text import counted, literal
from wfe_tui import sources
from wfe_tui.actions import bindings
from wfe_tui.loader import Loader
from wfe_tui.others import OthersAction
from wfe_tui.routes import Route
from wfe_tui.screens.acting import ActingScreen, Scope
from wfe_tui.screens.groups import GroupsScreen
from wfe_tui.screens.listing import ListScreen
from wfe_tui.widgets.columns import Cells, Column, cells
from wfe_tui.widgets.cut import cut
from wfe_tui.widgets.filter_bar import FilterBar
from wfe_tui.widgets.known import known_content
from wfe_tui.widgets.table import StoreTable
from wfe_tui.window import Answer, Window

COLUMNS = (
    Column("when", "When", 19),
    Column("key", "Entry", 16, grow=1),
    Column("task", "Task", 12, priority=2),
    Column("attempt", "Att", 3, justify="right", priority=3),
    Column("message", "Message", 24, grow=1),
    Column("host", "Host", 12, priority=4),
    Column("error_id", "Error", 8, priority=5),
    Column("age", "Age", 5, justify="right", priority=1),
)


CELLS: Cells[OccurrenceRow] = {
    "when": lambda row, now: Content(local_time(row.time)),
    "key": lambda row, now: Content(literal(row.key or "")),
    "task": lambda row, now: Content(literal(row.task or "")),
    "attempt": lambda row, now: Content(str(row.attempt or "")),
    "message": lambda row, now: Content(literal(cut(row.message, 300))),
    "host": lambda row, now: Content(literal(row.host)),
    "error_id": lambda row, now: Content.styled(literal(row.error_id[:8]), "$text-muted"),
    "age": lambda row, now: Content(age(row.time, now)),
}
"""What stands in a row's cell, at a moment."""


class OccurrencesScreen(ActingScreen, GroupsScreen, ListScreen):
    """One group of errors; upper-case keys act on it, or on the entries that stand failed by it now."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("occurrences")]
    keys = area = "occurrences"
    columns = COLUMNS
    window: Window[OccurrenceRow]

    def body(self) -> Iterator[Widget]:
        self.window = Window(self.store, sources.occurrences(self.store, self.route.name))
        self.cell = cells(CELLS, self.wfe.clock)
        self._group: ErrorGroup | None = None
        self._groups = Loader(self, self._read_group, self._show_group)
        yield Static(id="summary", markup=False)
        yield Static(id="known", markup=False)
        yield self.make_table()
        yield FilterBar()

    def loaded(self, answer: Answer[OccurrenceRow]) -> None:
        row = next(iter(answer.rows.values()), None)
        if row is None:
            self.query_one("#summary", Static).update("no occurrence of it is in this store")
            return
        said = Content.assemble(
            (literal(row.type), "bold $text-error"), ": ", literal(cut(row.message, 300)),
            (f"  seen {counted(len(answer.ids), 'time')}", "$text-muted"),
        )  # fmt: skip
        self.query_one("#summary", Static).update(said)
        self._groups.load()

    def store_changed(self, changes: Changes) -> None:
        super().store_changed(changes)
        if any(map(changes.concern, ("entries", "groups", "verdicts"))):
            self._groups.load()

    def _read_group(self) -> ErrorGroup | None:
        return error_group(self.store, self.route.name, self.wfe.clock())

    def _show_group(self, group: ErrorGroup | None) -> None:
        self._group = group
        known = self.query_one("#known", Static)
        known.display = group is not None
        if group is not None:
            known.update(known_content(group, self.wfe.clock(), whole=True))

    def group_at_cursor(self) -> ErrorGroup | None:
        return self._group

    def chosen_groups(self) -> Sequence[ErrorGroup]:
        return [self._group] if self._group else []

    @on(StoreTable.RowChosen)
    @work
    async def _open(self, message: StoreTable.RowChosen) -> None:
        rows = await asyncio.to_thread(self.window.read, [message.id])
        for row in rows.values():
            self.wfe.go(Route("errors", row.error_id))

    def action_show_entries(self) -> None:
        """Go to the entries that failed of this now."""
        self.wfe.go(Route("entries", filter=f"error:{self.route.name}"))

    def action_share(self) -> None:
        """Go to what the entries that failed of this now have in common."""
        self.wfe.go(Route("share", filter=f"error:{self.route.name}"))

    def action_copy(self) -> None:
        """Copy the occurrence at the cursor as a line."""
        if row := self.row_at_cursor():
            self.wfe.copy(f"{row.error_id}  {row.key}  {row.task}  {row.type}: {row.message}", "the occurrence")

    def concern(self, action: OthersAction, *, is_seen: bool) -> str:
        return action.about([self.route.name]) if is_seen else ""

    def scope(self) -> Scope:
        name = self.route.name
        return Scope(f"failing now of {name}", lambda: failed_by(self.store, [name]))
