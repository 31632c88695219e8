"""Home: the live list of entries, what is done to them, and the run that is going on."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from engine.exceptions import EngineError
from engine.filter.completion import complete
from engine.filter.syntax import as_typed
from engine.lookup.entries import count_states, state_ids
from engine.lookup.rows import EntryRow, read_row
from engine.records import read_plan
from engine.state import FAILURES, Plan, State
from engine.store import Changes
from engine.text import literal
from wfe_tui import sources
from wfe_tui.actions import bindings
from wfe_tui.feed import Pulse
from wfe_tui.loader import Loader
from wfe_tui.memory import OfStore, Shown
from wfe_tui.others import OthersAction, touched
from wfe_tui.routes import Route
from wfe_tui.screens.acting import ActingScreen, Scope
from wfe_tui.screens.listing import ListScreen
from wfe_tui.screens.views import ViewsScreen
from wfe_tui.widgets.columns import THEIRS, Column, cells
from wfe_tui.widgets.counters import Counters, StateCount
from wfe_tui.widgets.cut import cut
from wfe_tui.widgets.detail import EntryDetail
from wfe_tui.widgets.entry_columns import CELLS, COLUMNS, DECIDE, reason, theirs_content, theirs_line
from wfe_tui.widgets.filter_bar import FilterBar
from wfe_tui.widgets.pause_lines import PauseLines
from wfe_tui.widgets.run_line import RunLine
from wfe_tui.widgets.table import StoreTable
from wfe_tui.window import Answer, View, Window

REST = 0.06
"""Seconds for which the cursor has to rest on an entry before that is shown in full: keys come first."""

COUNTS_EVERY = 0.25
"""Seconds between two countings while entries change."""

MOST_TOLD = 3
"""Of so many actions of others, the newest ones, it is told before an act that they were done to what is marked."""


MOST_NAMED = 50
"""So many marked entries are named one by one in a filter."""


@dataclass(frozen=True)
class _Detail:
    """The entry at the cursor in full."""

    document: Any
    row: EntryRow
    planned: Plan


class EntriesScreen(ActingScreen, ListScreen):
    """The entries of the store, as filter and order say."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("entries")]
    keys = area = "entries"
    columns = COLUMNS
    can_mark = True
    window: Window[EntryRow]

    def body(self) -> Iterator[Widget]:
        self.window = Window(self.store, sources.entries(self.store, self.wfe.clock))
        self.window.theirs = self.wfe.others
        self.cell = cells(CELLS, self.wfe.clock)
        self._counts = Loader(self, self._count, self._show_counts, rest=COUNTS_EVERY)
        self._details = Loader(self, self._read_detail, self._show_detail)
        self._rest: Timer | None = None
        self._is_live = True
        self._waiting: set[int] = set()
        self._held_back: list[Changes] = []
        self._scope_of_counts: Answer[EntryRow] | None = None
        yield Counters()
        yield RunLine()
        yield PauseLines()
        with Horizontal():
            yield self.make_table(self._drawn)
            yield EntryDetail()
        yield Static(id="said", markup=False)
        yield FilterBar()

    def on_mount(self) -> None:
        super().on_mount()
        self.show_pulse(self.wfe.pulse)

    def completions(self) -> Any:
        return lambda text: complete(text, self.store)

    # --- what is shown

    def show_pulse(self, pulse: Pulse) -> None:
        """How the engine is."""
        super().show_pulse(pulse)
        self.query_one(RunLine).show(pulse.run, self.wfe.clock())
        self.query_one(PauseLines).show(pulse.pauses, self.wfe.clock())

    def store_changed(self, changes: Changes) -> None:
        if not self._is_live:
            self._waiting.update(changes.changed.get("entries", []), changes.removed.get("entries", []))
            self._held_back.append(changes)
            self._show_liveness()
            return
        super().store_changed(changes)
        if changes.concern("entries"):
            self._counts.load()
        if not changes.is_complete or self.window.cursor_id in changes.changed.get("entries", []):
            self._details.load()

    def time_passed(self) -> None:
        if not self._is_live:
            return
        super().time_passed()
        self._counts.load()
        self._details.load()
        if "state:" in self.window.view.filter or "age:" in self.window.view.filter:
            self.load()  # a due moment comes, an owner dies: the store does not tell

    def loaded(self, answer: Answer[EntryRow]) -> None:
        if answer.is_whole:
            self._scope_of_counts = answer
            self._counts.load(now=True)
        self._details.load()

    def _count(self) -> Counter[State]:
        answer, moment = self._scope_of_counts, self.wfe.clock()
        if answer is None or answer.condition is None:
            return count_states(self.store, moment)
        if self.store.entries.is_indexed(answer.condition):
            return count_states(self.store, moment, self.window.source.condition(answer.view.filter))
        return count_states(self.store, moment, ids=answer.ids)

    def _show_counts(self, counts: Counter[State]) -> None:
        self.query_one(Counters).show(counts)

    @on(StoreTable.RowHighlighted)
    def _highlighted(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST, self._details.load)

    def _read_detail(self) -> _Detail | None:
        number = self.window.cursor_id
        found = self.store.entries.get(doc_ids=[number]) if number is not None else []
        if not found:
            return None
        moment = self.wfe.clock()
        return _Detail(found[0], read_row(found[0], moment, self.store.is_alive), read_plan(found[0], moment))

    def _show_detail(self, found: _Detail | None) -> None:
        if self.has_class("-wide"):
            detail = self.query_one(EntryDetail)
            if found is None:
                detail.clear()
            else:
                detail.show(found.document, found.row, found.planned, self._theirs(found.row))
            return
        lines = self._theirs(found.row) if found else []
        if found and found.row.reason:
            advice = f" · {DECIDE}" if found.row.state is State.IN_DOUBT else ""
            lines.append(Content(literal(cut(reason(found.row, self.wfe.clock()), 2_000)) + advice))
        said = self.query_one("#said", Static)
        said.display = bool(lines)
        said.update(Content("\n").join(lines))

    def _theirs(self, row: EntryRow) -> list[Content]:
        action = self.wfe.others.on(row.id)
        return [theirs_line(action, self.wfe.clock())] if action else []

    def _drawn(self, row: EntryRow, column: Column) -> Content | Text:
        """What stands in a cell; before the reason, who else has just changed the entry."""
        content = self.cell(row, column)
        action = self.wfe.others.on(row.id) if column.name == "reason" else None
        if action is None:
            return content
        return Content.assemble(theirs_content(action), *((" · ", content.plain) if content.plain else ()))

    def on_resize(self) -> None:
        """The detail stands beside the list where there is room."""
        self.call_after_refresh(self._details.load)

    # --- what others do

    def concern(self, action: OthersAction, *, is_seen: bool) -> str:
        marks = self.window.marks
        if marked := len(touched(action, marks)):
            return f"{marked} of your {len(marks)} marked entries; the filter action:{action.number} shows them"
        return action.whole if is_seen else ""

    def others_changed(self) -> None:
        self.table.redraw()
        self._details.load()

    # --- live, or standing still

    def action_toggle_live(self) -> None:
        """Let the rows stand still, or follow the store again."""
        self._is_live = not self._is_live
        if self._is_live:
            held, self._held_back = self._held_back, []
            self._waiting.clear()
            for changes in held:
                super().store_changed(changes)
            self._counts.load(now=True)
            self._details.load()
        self._show_liveness()

    def _show_liveness(self) -> None:
        waiting = f" +{len(self._waiting)}" if self._waiting else ""
        self.query_one(Counters).show_liveness("" if self._is_live else f"‖ standing still{waiting}, p follows")

    # --- looking

    @on(StoreTable.RowChosen)
    @work
    async def _open(self, message: StoreTable.RowChosen) -> None:
        rows = await asyncio.to_thread(self.window.read, [message.id])
        if not rows:
            self.wfe.say("this entry is no longer in the store", severity="warning")
        for row in rows.values():
            self.wfe.go(Route("entries", row.key, processor=row.processor))

    def action_show_trace(self) -> None:
        """Open the stack trace of the entry at the cursor."""
        row: EntryRow | None = self.row_at_cursor()
        if row and row.error_id:
            self.wfe.go(Route("errors", row.error_id))
        else:
            self.wfe.say("this entry has no error", severity="warning")

    @work
    async def action_compare(self) -> None:
        """Go to what differs between two marked entries, or the attempts of the one at the cursor."""
        marks, cursor = list(self.window.marks), self.window.cursor_id
        chosen = marks if len(marks) == 2 else [cursor] if cursor is not None else []
        rows = list((await asyncio.to_thread(self.window.read, chosen)).values())
        if not rows:
            self.wfe.say("there is no entry to compare", severity="warning")
        elif len(rows) == 2 and rows[0].processor != rows[1].processor:
            self.wfe.say("the two marked entries are of two processors: mark two of one", severity="warning")
        else:
            filter_ = f"with:{rows[1].key}" if len(rows) == 2 else ""
            self.wfe.go(Route("compare", rows[0].key, filter_, rows[0].processor))

    @work
    async def action_share(self) -> None:
        """Go to what those have in common that fail and that are marked, or else that the filter shows."""
        marks = sorted(self.window.marks)
        if not marks or len(marks) == len(self.window):
            self.wfe.go(Route("share", filter=self.window.view.filter))
        elif len(marks) > MOST_NAMED:
            self.wfe.say(
                f"so many cannot be named one by one: mark at most {MOST_NAMED}, or filter", severity="warning"
            )
        else:
            rows = await asyncio.to_thread(self.window.read, marks)
            named = " | ".join(f"key={as_typed(row.key)}" for row in rows.values())
            self.wfe.go(Route("share", filter=named))

    @on(StateCount.Chosen)
    def _filter_by_count(self, message: StateCount.Chosen) -> None:
        self.set_filter(state_filter(message.state) if message.state else "")

    def action_only_failed(self) -> None:
        """Show failed entries alone, or all again."""
        only = state_filter(State.FAILED)
        self.set_filter("" if self.filter_bar.value == only else only)

    def action_next_failure(self) -> None:
        """Go to the next entry that needs an operator."""
        self._go_to_failure(1)

    def action_previous_failure(self) -> None:
        """Go to the one before."""
        self._go_to_failure(-1)

    @work(exclusive=True, group="failure")
    async def _go_to_failure(self, step: int) -> None:
        cursor, ids = self.window.cursor, self.window.ids

        def find() -> int | None:
            failing = frozenset(state_ids(self.store, self.wfe.clock(), FAILURES))
            if cursor is None or not failing:
                return None
            onward = range(cursor + 1, len(ids)) if step > 0 else range(cursor - 1, -1, -1)
            return next((index for index in onward if ids[index] in failing), None)

        try:
            index = await asyncio.to_thread(find)
        except EngineError as error:
            self.wfe.say(str(error), severity="error")
            return
        if index is None:
            self.wfe.say(
                "there is no failure further on" if step > 0 else "there is no failure before", severity="warning"
            )
        else:
            self.table.move_to(index)

    # --- views with a name

    def action_views(self) -> None:
        """Save what is shown under a name, or show what was saved."""
        view, known = self.window.view, self.wfe.memory.of(self.store.path)
        now = Shown(filter=view.filter, order=view.order, reverse=view.reverse, columns=self._arrangement)
        self.app.push_screen(ViewsScreen(known.views, now), self._use_views)

    def _use_views(self, answer: tuple[dict[str, Shown], Shown | None] | None) -> None:
        if answer is None:
            return
        views, chosen = answer

        def keep(known: OfStore) -> None:
            known.views = views

        self.wfe.remember(keep)
        if chosen is not None:
            self._arrange(chosen.columns or [])
            order = chosen.order if chosen.order in self.window.source.orders else self.default_order
            self._ask(View(self.window.view.filter, order, chosen.reverse))
            self.set_filter(chosen.filter)

    # --- marks and copies

    @on(StoreTable.MarksChanged)
    def _show_marks(self) -> None:
        self.query_one(Counters).show_marks(len(self.window.marks))

    def action_copy(self) -> None:
        """Copy the entry at the cursor as a line."""
        if row := self.row_at_cursor():
            parts = (row.key, row.state, row.task, reason(row, self.wfe.clock()), row.error_id)
            self.wfe.copy("  ".join(part for part in parts if part), "the entry")

    # --- acting

    def scope(self) -> Scope:
        marks, number = list(self.window.marks), self.window.cursor_id
        if not marks:
            seen = [] if number is None else self.window.known([number])
            return Scope("the entry at the cursor", lambda: [] if number is None else [number], seen)
        shown = self.window.view.filter
        every = f"all that match {shown}" if shown else "all entries"
        is_every = len(marks) == len(self.window) and self.window.marks.issuperset(self.window.ids)
        changed = [
            f"{THEIRS} {number} of these were changed: {action.words(self.wfe.clock())}"
            for action, number in self.wfe.others.among(self.window.marks).items()
        ]
        words = " · ".join([every if is_every else "marked", *changed[-MOST_TOLD:]])
        return Scope(words, lambda: sorted(marks), self.window.known(marks))

    def waits(self, ids: frozenset[int], does: bool) -> None:
        self.window.busy = self.window.busy | ids if does else self.window.busy - ids
        self.table.refresh()

    def acted(self, accepted: frozenset[int]) -> None:
        """What succeeded loses its mark."""
        self.window.marks -= accepted
        self.table.refresh()
        self._show_marks()

    async def processor(self) -> str | None:
        row: EntryRow | None = self.row_at_cursor()
        return row.processor if row else None


def state_filter(state: State) -> str:
    """The filter that shows the entries of one state."""
    return f"state:{state.name.lower()}"
