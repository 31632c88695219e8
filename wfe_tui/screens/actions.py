"""What operators did, the newest first, and what became of it."""

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from engine.clock import age, local_minute
from engine.lookup.history import ActionRow
from engine.text import literal
from wfe_tui import sources
from wfe_tui.actions import bindings
from wfe_tui.routes import Route
from wfe_tui.screens.listing import ListScreen
from wfe_tui.screens.undoing import ActionActing
from wfe_tui.widgets.columns import Cells, Column, cells
from wfe_tui.widgets.cut import cut
from wfe_tui.widgets.filter_bar import FilterBar
from wfe_tui.widgets.table import StoreTable
from wfe_tui.widgets.verdicts import action_state_content, outcome_content
from wfe_tui.window import Window

COLUMNS = (
    Column("number", "No", 4, justify="right"),
    Column("when", "When", 16, priority=2),
    Column("verb", "What", 14),
    Column("on", "On", 6, justify="right", priority=3),
    Column("outcome", "Outcome", 24, grow=9),
    Column("state", "State", 12),
    Column("who", "Who", 10, grow=2),
    Column("why", "Why", 12, grow=2, priority=1),
    Column("processor", "Processor", 12, priority=4),
    Column("run", "Run", 5, justify="right", is_extra=True),
    Column("age", "Age", 5, justify="right", is_extra=True),
)


CELLS: Cells[ActionRow] = {
    "number": lambda action, now: Content(str(action.id)),
    "when": lambda action, now: Content(local_minute(action.when, now)),
    "verb": lambda action, now: Content.styled(literal(action.verb), "bold"),
    "on": lambda action, now: Content(str(action.keys or len(action.groups) or "")),
    "outcome": lambda action, now: outcome_content(action),
    "state": lambda action, now: action_state_content(action),
    "who": lambda action, now: Content(literal(action.who)),
    "why": lambda action, now: Content(literal(cut(action.why or "", 300))),
    "processor": lambda action, now: Content(literal(action.processor.rpartition(":")[2])),
    "run": lambda action, now: Content(str(action.run or "")),
    "age": lambda action, now: Content(age(action.when, now)),
}
"""What stands in a row's cell, at a moment."""


class ActionsScreen(ActionActing, ListScreen):
    """All actions; upper-case keys are for those that try a few entries first."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("actions")]
    keys = area = "actions"
    columns = COLUMNS
    window: Window[ActionRow]

    def body(self) -> Iterator[Widget]:
        self.window = Window(self.store, sources.actions(self.store))
        self.cell = cells(CELLS, self.wfe.clock)
        yield self.make_table()
        yield FilterBar()

    def time_passed(self) -> None:
        """Verdicts come, and the table of actions does not tell."""
        super().time_passed()
        if self.window.view.filter.strip() == sources.OPEN:
            self.load()

    def action_only_open(self) -> None:
        """Show the open ones alone, or all again."""
        self.set_filter("" if self.filter_bar.value == sources.OPEN else sources.OPEN)

    @on(StoreTable.RowChosen)
    def _open(self, message: StoreTable.RowChosen) -> None:
        self.wfe.go(Route("actions", str(message.id)))

    def action_copy(self) -> None:
        """Copy the action at the cursor as a line."""
        if row := self.row_at_cursor():
            self.wfe.copy("  ".join(self.cell(row, column).plain for column in self.columns), "the action")

    def action_number(self) -> int | None:
        return self.window.cursor_id
