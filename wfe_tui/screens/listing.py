"""What the screens with a list share: the window over a table, its filter, order and columns, which are remembered."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.getters import query_one

from engine.exceptions import EngineError
from engine.filter import FilterError
from engine.store import Changes
from engine.text import counted
from wfe_tui.exporting import Cells, export
from wfe_tui.loader import Loader
from wfe_tui.memory import OfStore, Shown
from wfe_tui.routes import Route
from wfe_tui.screens.base import StoreScreen
from wfe_tui.screens.columns import ColumnsScreen
from wfe_tui.screens.export import ExportScreen, file_name
from wfe_tui.widgets.columns import Cell, Column, arranged
from wfe_tui.widgets.filter_bar import FilterBar
from wfe_tui.widgets.table import StoreTable
from wfe_tui.window import Abandoned, Answer, View, Window


class ListScreen(StoreScreen):
    """A screen with a list of rows of one table of the store.

    A subclass makes `window` and `columns`, and yields `self.make_table()` and a `FilterBar` in its body.
    """

    AUTO_FOCUS = "StoreTable"
    area: ClassVar[str]
    """The name under which it is remembered how the list was shown."""

    columns: ClassVar[Sequence[Column]]
    cell: Cell
    window: Window[Any]
    can_mark: ClassVar[bool] = False

    table = query_one(StoreTable)
    filter_bar = query_one(FilterBar)

    def make_table(self, cell: Cell | None = None) -> StoreTable:
        """The list, as it was shown last; the path's filter comes before the one remembered.

        Args:
            cell: what is drawn, where that is more than `self.cell`, which is what is exported.
        """
        shown = self.wfe.memory.of(self.store.path).lists.get(self.area) or Shown()
        order = shown.order if shown.order in self.window.source.orders else self.default_order
        self._arrangement = shown.columns
        self._loader = Loader(self, self._query, self._show, refused=self._refuse)
        self._is_new = True
        view = View(self.route.filter or shown.filter, order, shown.reverse and order == shown.order)
        self.window.ask(view)
        return StoreTable(self.window, arranged(self.columns, shown.columns), cell or self.cell, can_mark=self.can_mark)

    @property
    def default_order(self) -> str:
        """The order that the list has as long as the user has chosen none."""
        return next(iter(self.window.source.orders))

    @property
    def is_loading(self) -> bool:
        """Whether an answer of the store is awaited."""
        return self._loader.is_loading

    def on_mount(self) -> None:
        """Show what there is."""
        self.filter_bar.source = self.completions()
        self.filter_bar.value = self.window.view.filter
        self.filter_bar.display = bool(self.window.view.filter)
        self.load()

    def completions(self) -> Any:
        """What completes the words of the filter; None where nothing does."""
        return None

    def open(self, route: Route) -> None:
        self.renamed(route)
        if route.filter != self.window.view.filter:
            self.set_filter(route.filter)

    def load(self) -> None:
        """Ask the store which rows there are."""
        self._loader.load()

    def _query(self) -> Answer[Any] | None:
        try:
            if self._is_new:
                self._is_new = False
                answer = self.window.load(head=True)
                if answer.is_whole:
                    return answer
                self.app.call_from_thread(self._show, answer)
            return self.window.load()
        except Abandoned:  # the next question is waiting already
            return None

    def _show(self, answer: Answer[Any] | None) -> None:
        if answer is not None and self.window.accept(answer):
            self.filter_bar.complain(None)
            self.table.window_changed()
            self.loaded(answer)

    def loaded(self, answer: Answer[Any]) -> None:
        """An answer is shown."""

    def _refuse(self, error: EngineError) -> None:
        if isinstance(error, FilterError):
            self.filter_bar.complain(error)  # the last good answer stays

    def store_changed(self, changes: Changes) -> None:
        change = self.window.changed(changes)
        if change.is_stale:
            self.load()
        elif change.has_grown:
            self.table.window_changed()
        self.table.rows_changed(changes.changed.get(self.window.source.table.name, []))

    def time_passed(self) -> None:
        self.window.forget()
        self.table.redraw()

    # --- filter

    def action_filter(self) -> None:
        """Open the filter."""
        self.filter_bar.display = True
        self.filter_bar.focus()

    @on(FilterBar.Changed)
    def _filter(self, message: FilterBar.Changed) -> None:
        self._ask(replace(self.window.view, filter=message.value))

    @on(FilterBar.Submitted)
    def _filter_done(self) -> None:
        self.filter_bar.display = bool(self.filter_bar.value)
        self.table.focus()

    def set_filter(self, text: str) -> None:
        """Show what matches this."""
        self.filter_bar.value = text
        self._filter_done()

    def action_clear_filter(self) -> None:
        """Show all rows again; where all are shown, leave for the list that this one belongs to."""
        if self.filter_bar.value or self.filter_bar.is_typed_in:
            self.set_filter("")
        else:
            self.run_worker(self.wfe.action_up())

    # --- order

    @on(StoreTable.HeaderSelected)
    def _order_by(self, message: StoreTable.HeaderSelected) -> None:
        view = self.window.view
        if message.column.name in self.window.source.orders:
            again = view.order == message.column.name
            self._ask(replace(view, order=message.column.name, reverse=again and not view.reverse))

    def action_next_order(self) -> None:
        """Sort by the next column."""
        names, view = list(self.window.source.orders), self.window.view
        self._ask(replace(view, order=names[(names.index(view.order) + 1) % len(names)], reverse=False))

    def action_reverse_order(self) -> None:
        """Turn the order round."""
        self._ask(replace(self.window.view, reverse=not self.window.view.reverse))

    def _ask(self, view: View) -> None:
        if view == self.window.view:
            return
        if view.order != self.window.view.order and not self.table.shows(view.order):
            self.wfe.say(f"sorted by {view.order}")  # no header is there to show it
        self._is_new = True
        self.window.ask(view)
        self.renamed(replace(self.route, filter=view.filter))
        self._loader.load(now=True)
        self._remember()

    # --- columns, and what is remembered

    def action_columns(self) -> None:
        """Choose the columns."""
        self.app.push_screen(ColumnsScreen(self.columns, self._arrangement), self._arrange)

    def _arrange(self, chosen: list[tuple[str, int | None]] | None) -> None:
        if chosen is not None:
            self._arrangement = chosen or None
            self.table.show_columns(arranged(self.columns, self._arrangement))
            self._remember()

    def _remember(self) -> None:
        view, columns = self.window.view, self._arrangement
        shown = Shown(filter=view.filter, order=view.order, reverse=view.reverse, columns=columns)

        def keep(known: OfStore) -> None:
            known.lists[self.area] = shown

        self.wfe.remember(keep)

    # --- export

    def action_export(self) -> None:
        """Write what is shown into a file."""
        cells = Cells(self.window, self.table.columns, self.cell)
        title = f"Export {counted(len(cells), 'row')}, {counted(len(cells.columns), 'column')}"
        question = "Into which file? .csv, or .jsonl for one JSON object a line."

        def write(path: Path, progress: Callable[[str], object]) -> str:
            written = export(cells, path, lambda done, of: progress(f"{done} of {of} rows"))
            return counted(written, "row")

        self.app.push_screen(ExportScreen(title, question, file_name(self.area, "csv", self.wfe.clock()), write))

    def row_at_cursor(self) -> Any:
        """The row that the cursor is on; None if there is none, or it is not read yet."""
        cursor = self.window.cursor
        return None if cursor is None else self.window.row(cursor)
