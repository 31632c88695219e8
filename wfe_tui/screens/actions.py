"""What operators did, the newest first."""

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget

from engine.clock import age, local_time
from engine.history import ActionRow
from engine.text import literal
from wfe_tui import sources
from wfe_tui.actions import bindings
from wfe_tui.routes import Route
from wfe_tui.screens.listing import ListScreen
from wfe_tui.widgets.columns import Cells, Column, cells
from wfe_tui.widgets.cut import cut
from wfe_tui.widgets.filter_bar import FilterBar
from wfe_tui.widgets.table import StoreTable
from wfe_tui.window import Window

COLUMNS = (
    Column("number", "No", 5, justify="right"),
    Column("when", "When", 19, priority=2),
    Column("verb", "What", 14),
    Column("on", "On", 7, justify="right"),
    Column("refused", "Refused", 7, justify="right"),
    Column("state", "State", 10),
    Column("who", "Who", 14, grow=1),
    Column("why", "Why", 12, grow=1, priority=1),
    Column("processor", "Processor", 14, priority=4),
    Column("run", "Run", 5, justify="right", priority=5),
    Column("age", "Age", 5, justify="right", priority=3),
)

STATES = {
    "open": ("◷ open", "$text-warning"),
    "taken": ("▶ taken", "$text-accent"),
    "done": ("✓ done", "$text-success"),
    "stopped": ("■ stopped", "$text-error"),
    "abandoned": ("✗ abandoned", "$text-muted"),
    "undone": ("↶ undone", "$text-muted"),
    "broken off": ("✗ broken off", "$text-error"),
}


CELLS: Cells[ActionRow] = {
    "number": lambda action, now: Content(str(action.id)),
    "when": lambda action, now: Content(local_time(action.when)),
    "verb": lambda action, now: Content.styled(literal(action.verb), "bold"),
    "on": lambda action, now: Content(str(action.accepted) if action.keys else ""),
    "refused": lambda action, now: Content.styled(str(action.refused or ""), "$text-error"),
    "state": lambda action, now: Content.styled(*STATES[action.state]),
    "who": lambda action, now: Content(literal(action.who)),
    "why": lambda action, now: Content(literal(cut(action.why or "", 300))),
    "processor": lambda action, now: Content(literal(action.processor.rpartition(":")[2])),
    "run": lambda action, now: Content(str(action.run or "")),
    "age": lambda action, now: Content(age(action.when, now)),
}
"""What stands in a row's cell, at a moment."""


class ActionsScreen(ListScreen):
    """All actions."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("actions")]
    keys = area = "actions"
    columns = COLUMNS
    window: Window[ActionRow]

    def body(self) -> Iterator[Widget]:
        self.window = Window(self.store, sources.actions(self.store))
        self.cell = cells(CELLS, self.wfe.clock)
        yield self.make_table()
        yield FilterBar()

    @on(StoreTable.RowChosen)
    def _open(self, message: StoreTable.RowChosen) -> None:
        self.wfe.go(Route("actions", str(message.id)))

    def action_copy(self) -> None:
        """Copy the action at the cursor as a line."""
        if row := self.row_at_cursor():
            self.wfe.copy("  ".join(self.cell(row, column).plain for column in self.columns), "the action")
