"""Home: the live list of entries, what is done to them, and the run that is going on."""

from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Footer, Static

from engine import pausing
from engine.exceptions import StoreError
from engine.lookup import count_states
from engine.planning import State
from engine.records import EntryRow, read_plan, read_row
from engine.store import Changes
from engine.text import literal
from wfe_tui.actions import bindings
from wfe_tui.routes import ENTRIES, Route
from wfe_tui.screens.acting import ActingScreen
from wfe_tui.screens.output import OutputScreen
from wfe_tui.widgets.counters import Counters, StateCount
from wfe_tui.widgets.detail import EntryDetail
from wfe_tui.widgets.entry_columns import COLUMNS, DECIDE, entry_cell, reason
from wfe_tui.widgets.filter_bar import FilterBar
from wfe_tui.widgets.pause_lines import PauseLines
from wfe_tui.widgets.run_line import RunLine
from wfe_tui.widgets.table import EntryTable
from wfe_tui.widgets.top_line import TopLine
from wfe_tui.window import ORDERS, Answer, View, Window


class EntriesScreen(ActingScreen):
    """The entries of the store, as filter and order say."""

    CSS_PATH = "entries.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (130, "-wide")]
    AUTO_FOCUS = "EntryTable"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("entries")]

    route = ENTRIES
    table = query_one(EntryTable)
    filter_bar = query_one(FilterBar)

    @dataclass
    class Loaded(Message):
        """An answer to the view that was asked for, and the counts of the same entries; None if there was none."""

        answer: Answer | None
        counts: Counter[State]

    def compose(self) -> ComposeResult:
        self.window = Window(self.store, self.wfe.clock)
        self._loading = self._stale = False
        yield TopLine(self.route, self.store.path, read_only=self.store.read_only)
        yield Counters()
        yield RunLine()
        yield PauseLines()
        with Horizontal():
            yield EntryTable(self.window, COLUMNS, entry_cell(self.wfe.clock))
            yield EntryDetail()
        yield Static(id="said", markup=False)
        yield FilterBar()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show what there is, and let ages grow."""
        self.filter_bar.display = False
        self._load()
        self._show_run()
        self._show_pauses()
        self.set_interval(1, self._tick)
        self.set_interval(5, self._load)  # a due moment comes, an owner dies: the store does not tell

    # What is shown

    def store_changed(self, changes: Changes) -> None:
        if self.window.changed(changes) or changes.concern("entries"):
            self._load()
        self.table.rows_changed(changes.changed.get("entries", []))
        if changes.concern("runs"):
            self._show_run()
        if changes.concern(pausing.TABLE):
            self._show_pauses()
        self._show_detail()

    def _tick(self) -> None:
        self.window.forget()
        self.table.refresh()
        self._show_run()
        self._show_detail()

    def _load(self) -> None:
        """Query the window's view; what changes meanwhile is queried once afterwards."""
        self._stale = self._loading
        if not self._loading:
            self._loading = True
            self._query()

    @work(thread=True, group="query")
    def _query(self) -> None:
        try:
            answer = self.window.load()
            counts = count_states(self.store, self.wfe.clock(), self.window.condition(answer.view))
        except StoreError:  # the feed tells
            self.post_message(self.Loaded(None, Counter()))
        else:
            self.post_message(self.Loaded(answer, counts))

    def on_entries_screen_loaded(self, message: Loaded) -> None:
        """Show an answer; a late one shows nothing."""
        self._loading = False
        if message.answer is not None and self.window.accept(message.answer):
            self.table.window_changed()
            self.query_one(Counters).show(message.counts)
        if self._stale:
            self._load()

    def _show_run(self) -> None:
        with suppress(StoreError):  # the feed tells
            newest = self.store.runs.ids(order_by="started", reverse=True, limit=1)
            run = self.store.runs.get(doc_ids=list(newest))[0] if newest else None
            number = newest[0] if newest else 0
            self.query_one(RunLine).show(run, number, self.wfe.clock(), self.store.is_alive)

    def _show_pauses(self) -> None:
        with suppress(StoreError):  # the feed tells
            self.query_one(PauseLines).show(pausing.pauses(self.store), self.wfe.clock())

    @on(EntryTable.RowHighlighted)
    def _show_detail(self) -> None:
        detail, row = self.query_one(EntryDetail), self._row_at_cursor()
        said = reason(row, self.wfe.clock()) if row else ""
        keys = f": {DECIDE}" if row and row.state is State.IN_DOUBT else ""
        self.query_one("#said", Static).update(Content(literal(said + keys)))
        if not detail.display:
            return
        with suppress(StoreError):  # the feed tells
            documents = self.store.entries.get(doc_ids=[row.id]) if row else []
            if not documents:
                detail.clear()
                return
            now = self.wfe.clock()
            detail.show(documents[0], read_row(documents[0], now, self.store.is_alive), read_plan(documents[0], now))

    def on_resize(self) -> None:
        """The detail stands beside the list where there is room."""
        self.call_after_refresh(self._show_detail)

    # Looking

    @on(EntryTable.RowChosen)
    def _open(self) -> None:
        if row := self._row_at_cursor():
            self.wfe.open(Route("entries", row.key), processor=row.processor)

    def action_show_trace(self) -> None:
        """Open the stack trace of the entry at the cursor."""
        row = self._row_at_cursor()
        if row and row.error_id:
            self.wfe.open(Route("errors", row.error_id))
        else:
            self.wfe.say("this entry has no error", severity="warning")

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

    @on(StateCount.Chosen)
    def _filter_by_count(self, message: StateCount.Chosen) -> None:
        self._filter_by_state(message.state)

    def action_only_failed(self) -> None:
        """Show failed entries alone, or all again."""
        only = state_filter(State.FAILED)
        self._filter_by_state(None if self.filter_bar.value == only else State.FAILED)

    def _filter_by_state(self, state: State | None) -> None:
        self.filter_bar.value = state_filter(state) if state else ""
        self._filter_done()

    def action_clear_filter(self) -> None:
        """Show all entries again."""
        self.filter_bar.value = ""
        self._filter_done()

    @on(EntryTable.HeaderSelected)
    def _order_by(self, message: EntryTable.HeaderSelected) -> None:
        view = self.window.view
        again = view.order == message.column.name
        self._ask(replace(view, order=message.column.name, reverse=again and not view.reverse))

    def action_next_order(self) -> None:
        """Sort by the next column."""
        names, view = list(ORDERS), self.window.view
        self._ask(replace(view, order=names[(names.index(view.order) + 1) % len(names)], reverse=False))

    def action_reverse_order(self) -> None:
        """Turn the order round."""
        self._ask(replace(self.window.view, reverse=not self.window.view.reverse))

    def _ask(self, view: View) -> None:
        if view.order != self.window.view.order and not self.table.shows(view.order):
            self.wfe.say(f"sorted by {view.order}")  # no header is there to show it
        self.window.ask(view)
        self._load()

    def action_mark_all(self) -> None:
        """Mark what the filter shows."""
        self.table.mark_all()

    def action_mark_none(self) -> None:
        """Take all marks away."""
        self.table.mark_none()

    @on(EntryTable.MarksChanged)
    def _show_marks(self) -> None:
        self.query_one(Counters).show_marks(len(self.window.marks))

    def action_copy(self) -> None:
        """Copy the entry at the cursor as a line."""
        if row := self._row_at_cursor():
            parts = (row.key, row.state, row.task, reason(row, self.wfe.clock()), row.error_id)
            self.wfe.copy("  ".join(part for part in parts if part), "the entry")

    def action_show_output(self) -> None:
        """Show what the processes started from here have printed."""
        self.app.push_screen(OutputScreen(self.wfe.processes))

    # Acting

    def action_new_run(self) -> None:
        """Start a run of the processor of the entry at the cursor, or of the one the console was started with."""
        row = self._row_at_cursor()
        processor = row.processor if row else self.wfe.settings.processor
        if processor is None:
            self.wfe.say("there is no entry whose processor could be run", severity="warning")
        else:
            self.wfe.start_child(processor, actions=False)

    def action_toggle_pause(self) -> None:
        """Pause or resume the processor of the entry at the cursor."""
        if row := self._row_at_cursor():
            self.toggle_pause(row.processor)
        else:
            self.wfe.say("there is no entry whose processor could be paused", severity="warning")

    def chosen(self) -> Collection[int]:
        """The ids of the marked entries, else of the one at the cursor."""
        row = self._row_at_cursor()
        return sorted(self.window.marks) or ([row.id] if row else [])

    def acted(self, accepted: frozenset[int]) -> None:
        """What succeeded loses its mark."""
        self.window.marks -= accepted
        self.table.refresh()
        self._show_marks()

    def _row_at_cursor(self) -> EntryRow | None:
        cursor = self.window.cursor
        return None if cursor is None else self.window.row(cursor)


def state_filter(state: State) -> str:
    """The filter that shows the entries of one state."""
    return f"state:{state.name.lower()}"
