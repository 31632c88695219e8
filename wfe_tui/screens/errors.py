"""The errors by their cause: how many entries stand failed by each, how often and when it was seen."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from engine.clock import age
from engine.groups import ErrorGroup, error_groups, failed_by, urgency
from engine.store import Changes
from engine.text import counted, literal, spark
from wfe_tui.actions import bindings
from wfe_tui.listing import Listing
from wfe_tui.others import OthersAction
from wfe_tui.routes import Route
from wfe_tui.screens.acting import ActingScreen, Scope
from wfe_tui.screens.groups import GroupsScreen
from wfe_tui.screens.listing import ListScreen
from wfe_tui.widgets.columns import Cells, Column, cells
from wfe_tui.widgets.cut import cut
from wfe_tui.widgets.filter_bar import FilterBar
from wfe_tui.widgets.known import known_content
from wfe_tui.widgets.states import group_content
from wfe_tui.widgets.table import StoreTable

COLUMNS = (
    Column("state", "State", 11),
    Column("failing", "Failing", 8, justify="right"),
    Column("seen", "Seen", 6, justify="right", priority=2),
    Column("entries", "Entries", 7, justify="right", priority=4),
    Column("error", "Error", 24, grow=1),
    Column("tasks", "Tasks", 12, priority=3),
    Column("recovered", "Recovered", 9, justify="right", priority=6),
    Column("trend", "24 h", 24, priority=7),
    Column("first", "First", 5, justify="right", priority=5),
    Column("last", "Last", 5, justify="right", priority=1),
    Column("fingerprint", "Fingerprint", 15, priority=8),
)


CELLS: Cells[ErrorGroup] = {
    "state": lambda group, now: group_content(group.state),
    "failing": lambda group, now: Content.styled(str(group.failing or ""), "bold $text-error"),
    "seen": lambda group, now: Content(str(group.count)),
    "entries": lambda group, now: Content(str(group.entries)),
    "error": lambda group, now: Content.assemble(
        (literal(group.type.rpartition(".")[2]), "bold"), f": {literal(cut(group.message, 300))}"
    ),
    "tasks": lambda group, now: Content(literal(", ".join(group.tasks))),
    "recovered": lambda group, now: Content(
        f"{group.advice.recovered}/{group.advice.answered}" if group.advice.answered else ""
    ),
    "trend": lambda group, now: Content.styled(spark(group.trend), "$text-warning"),
    "first": lambda group, now: Content(age(group.first, now)),
    "last": lambda group, now: Content(age(group.last, now)),
    "fingerprint": lambda group, now: Content.styled(group.fingerprint, "$text-muted"),
}
"""What stands in a row's cell, at a moment."""


class ErrorsScreen(ActingScreen, GroupsScreen, ListScreen):
    """Groups by fingerprint; upper-case keys act on them, or on the entries that stand failed by them."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("errors")]
    keys = area = "errors"
    columns: ClassVar[Sequence[Column]] = COLUMNS
    can_mark = True
    window: Any

    def body(self) -> Iterator[Widget]:
        self.window = Listing[ErrorGroup](
            lambda: error_groups(self.store, self.wfe.clock()),
            key=lambda group: group.fingerprint,
            orders={
                "state": urgency,
                "failing": lambda group: (-group.failing, -group.last.timestamp()),
                "seen": lambda group: -group.count,
                "entries": lambda group: -group.entries,
                "error": lambda group: group.type,
                "first": lambda group: -group.first.timestamp(),
                "last": lambda group: -group.last.timestamp(),
                "fingerprint": lambda group: group.fingerprint,
            },
            words=lambda group: group.text,
        )
        self.cell = cells(CELLS, self.wfe.clock)
        yield Static(id="summary", markup=False)
        yield self.make_table()
        yield Static(id="said", markup=False)
        yield FilterBar()

    def loaded(self, answer: Any) -> None:
        groups = self.window.rows
        failing = sum(group.failing for group in groups)
        said = f"{counted(len(groups), 'cause')}, {counted(failing, 'entry', 'entries')} failing now"
        self.query_one("#summary", Static).update(said if groups else "no error was recorded in this store")
        self._show_said()

    @on(StoreTable.RowHighlighted)
    def _show_said(self) -> None:
        """What is known of the group at the cursor, in full."""
        said, group = self.query_one("#said", Static), self.group_at_cursor()
        said.display = group is not None
        if group is not None:
            said.update(known_content(group, self.wfe.clock()))

    def store_changed(self, changes: Changes) -> None:
        if any(map(changes.concern, ("errors", "entries", "groups", "verdicts"))):
            self.load()

    def time_passed(self) -> None:
        now = self.wfe.clock()
        if any(group.is_to_wake(now) for group in self.window.rows):
            self.load()  # the store does not tell
        self.table.redraw()

    @on(StoreTable.RowChosen)
    def _open(self, message: StoreTable.RowChosen) -> None:
        self.wfe.go(Route("errors", str(message.id)))

    def action_show_entries(self) -> None:
        """Go to the entries that failed of this now."""
        if self.window.cursor_id is not None:
            self.wfe.go(Route("entries", filter=f"error:{self.window.cursor_id}"))

    def action_share(self) -> None:
        """Go to what the entries that failed of these now have in common."""
        if chosen := self._chosen():
            self.wfe.go(Route("share", filter=" | ".join(f"error:{fingerprint}" for fingerprint in chosen)))

    def action_copy(self) -> None:
        """Copy the fingerprint."""
        if self.window.cursor_id is not None:
            self.wfe.copy(str(self.window.cursor_id), "the fingerprint")

    def concern(self, action: OthersAction, *, is_seen: bool) -> str:
        return action.about(self._chosen()) if is_seen else ""

    def group_at_cursor(self) -> ErrorGroup | None:
        group: ErrorGroup | None = self.row_at_cursor()
        return group

    def chosen_groups(self) -> Sequence[ErrorGroup]:
        return list(self.window.read(self._chosen()).values())

    def scope(self) -> Scope:
        chosen = self._chosen()
        return Scope(f"failing now of {', '.join(chosen)}", lambda: failed_by(self.store, chosen))

    def _chosen(self) -> list[str]:
        return sorted(self.window.marks) or [each for each in [self.window.cursor_id] if each is not None]

    def acted(self, accepted: frozenset[int]) -> None:
        """Groups keep their marks: others of their entries may fail."""
