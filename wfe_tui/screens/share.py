"""What the failing ones share: the traits that they have more often than those that went well, each with both rates."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from engine.filter.completion import complete
from engine.sharing import FAILED, Shared, Trait, what_they_share
from engine.store import Changes
from engine.text import literal, percent
from wfe_tui.actions import bindings
from wfe_tui.listing import Listing
from wfe_tui.routes import Route
from wfe_tui.screens.listing import ListScreen
from wfe_tui.widgets.columns import Cells, Column, cells
from wfe_tui.widgets.filter_bar import FilterBar
from wfe_tui.widgets.plots import BESIDE, beside
from wfe_tui.widgets.table import StoreTable

COLUMNS = (
    Column("attribute", "What", 14, grow=2),
    Column("value", "Value", 12, grow=2),
    Column("bar", "", BESIDE, priority=2),
    Column("failing", "Failing", 17),
    Column("others", "Others", 17),
    Column("difference", "More by", 8, justify="right", priority=1),
    Column("least", "At least", 10, justify="right"),
)


CELLS: Cells[Trait] = {
    "attribute": lambda trait, now: Content.styled(literal(trait.attribute), _style(trait, "bold")),
    "value": lambda trait, now: Content.styled(literal(trait.value), _style(trait)),
    "bar": lambda trait, now: beside(
        trait.failing_rate, trait.others_rate, _style(trait, "$text-error"), _style(trait, "$text-success")
    ),
    "failing": lambda trait, now: Content.styled(
        f"{percent(trait.failing_rate):>4} {trait.failing_words}", _style(trait)
    ),
    "others": lambda trait, now: Content.styled(f"{percent(trait.others_rate):>4} {trait.others_words}", _style(trait)),
    "difference": lambda trait, now: Content.styled(f"{trait.difference:+.0%}", _style(trait)),
    "least": lambda trait, now: Content.styled(trait.least_words, _style(trait, "bold")),
}
"""What stands in a row's cell, at a moment."""


def _style(trait: Trait, style: str = "") -> str:
    return "$text-muted" if trait.may_be_chance else style


ORDERS: Mapping[str, Callable[[Trait], Any]] = {
    "least": lambda trait: (trait.may_be_chance, -trait.least, -trait.difference),
    "attribute": lambda trait: (trait.attribute, trait.value),
    "value": lambda trait: (trait.value, trait.attribute),
    "failing": lambda trait: (-trait.failing_rate, -trait.failing),
    "others": lambda trait: (-trait.others_rate, -trait.others),
    "difference": lambda trait: -trait.difference,
}


class ShareScreen(ListScreen):
    """What those have in common that fail and that a filter lets through."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("share")]
    keys = area = "share"
    columns: ClassVar[Sequence[Column]] = COLUMNS
    window: Any

    def __init__(self, route: Route) -> None:
        super().__init__(_meant(route))
        self._found: Shared | None = None
        """The last answer, which is not shown yet."""
        self._shared: Shared | None = None

    def body(self) -> Iterator[Widget]:
        self.window = Listing[Trait](self._compare, key=lambda trait: trait.filter, orders=ORDERS, words=None)
        self.cell = cells(CELLS, self.wfe.clock)
        yield Static("reading the failing ones and those beside them …", id="summary", markup=False)
        yield self.make_table()
        yield FilterBar()

    def completions(self) -> Any:
        return lambda text: complete(text, self.store)

    def open(self, route: Route) -> None:
        super().open(_meant(route))

    def _compare(self) -> Sequence[Trait]:
        self._found = what_they_share(self.store, self.wfe.clock(), self.window.view.filter)
        return self._found.traits

    def loaded(self, answer: Any) -> None:
        self._shared = self._found
        if self._shared is not None:
            self.query_one("#summary", Static).update("\n".join(self._shared.sentences()))

    def store_changed(self, changes: Changes) -> None:
        if changes.concern("entries"):
            self.load()

    def action_clear_filter(self) -> None:
        """End the typing; else go back to where this was asked."""
        if self.filter_bar.is_typed_in:
            self.table.focus()
        else:
            self.run_worker(self.wfe.action_up())

    @on(StoreTable.RowChosen)
    def action_show_entries(self) -> None:
        """Go to the failing entries that have the trait at the cursor."""
        trait: Trait | None = self.row_at_cursor()
        if trait is not None and self._shared is not None:
            self.wfe.go(Route("entries", filter=self._shared.filter_of(trait)))

    def action_copy(self) -> None:
        """Copy the trait at the cursor as a line."""
        if trait := self.row_at_cursor():
            rates = (
                f"{percent(trait.failing_rate)} of those that fail ({trait.failing_words})",
                f"{percent(trait.others_rate)} of the others ({trait.others_words})",
            )
            self.wfe.copy(f"{trait.filter}  {', '.join(rates)}, at least {trait.least_words}", "the row")


def _meant(route: Route) -> Route:
    return route if route.filter else replace(route, filter=FAILED)
