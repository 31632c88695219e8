"""One entry: its plan in words, its tasks on a timeline, its attempts, its data, what operators did to it, its log."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from engine.exceptions import InputError
from engine.lookup.acts import Act, acts_on
from engine.lookup.entries import find_entry
from engine.lookup.logs import ExecutionLog, execution_logs
from engine.lookup.rows import EntryRow, error_ids, read_row
from engine.lookup.typical import typical_durations
from engine.records import read_plan
from engine.state import Plan
from engine.store import Changes
from wfe_tui.actions import bindings
from wfe_tui.loader import Loader
from wfe_tui.others import OthersAction
from wfe_tui.routes import Route
from wfe_tui.screens.acting import ActingScreen, Scope
from wfe_tui.widgets.data_tree import DataTree
from wfe_tui.widgets.entry_columns import theirs_line
from wfe_tui.widgets.entry_parts import acts_content, attempts_content, head_content, log_content
from wfe_tui.widgets.timeline import Timeline


@dataclass(frozen=True)
class Found:
    """An entry as the store has it now, and what belongs to it; `missing` says why there is none."""

    missing: str = ""
    document: Mapping[str, Any] | None = None
    row: EntryRow | None = None
    planned: Plan | None = None
    typical: Mapping[str, float] = field(default_factory=dict)
    acts: Sequence[Act] = ()
    log: Sequence[ExecutionLog] = ()


class EntryScreen(ActingScreen):
    """An entry, as the store has it now."""

    AUTO_FOCUS = "#entry"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("entry")]
    keys = "entry"

    def body(self) -> Iterator[Widget]:
        self._loader = Loader(self, self._read, self._show, rest=0.2)
        self._found = Found()
        with VerticalScroll(id="entry"):
            yield Static(id="head", markup=False)
            yield Timeline()
            with Horizontal(id="parts"):
                yield Static(id="attempts", markup=False)
                yield DataTree("data")
            yield Static(id="acts", markup=False)
            yield Static(id="log", markup=False)

    def on_mount(self) -> None:
        """Show the entry."""
        self._loader.load()

    def store_changed(self, changes: Changes) -> None:
        if any(changes.concern(table) for table in ("entries", "verdicts", "logs")):
            self._loader.load()

    def time_passed(self) -> None:
        self._loader.load()

    def _read(self) -> Found:
        try:
            document = find_entry(self.store, self.route.name, self.route.processor)
        except InputError as error:
            return Found(str(error))
        moment = self.wfe.clock()
        processor = document["processor"]
        usual = typical_durations(self.store, processor)
        typical = {task: median for task, found in usual.items() if (median := found.quantile(0.5)) is not None}
        return Found(
            "",
            document,
            read_row(document, moment, self.store.is_alive),
            read_plan(document, moment),
            typical,
            acts_on(self.store, document),
            execution_logs(self.store, processor, document["key"]),
        )

    def _show(self, found: Found) -> None:
        self._found = found
        self.query_one("#parts").display = self.query_one(Timeline).display = found.row is not None
        head = self.query_one("#head", Static)
        if found.row is None or found.document is None or found.planned is None:
            head.update(head_content(None, None, found.missing))
            return
        now = self.wfe.clock()
        theirs = self.wfe.others.on(found.row.id)
        first = [theirs_line(theirs, now)] if theirs else []
        head.update(Content("\n").join([*first, head_content(found.row, found.planned)]))
        self.query_one(Timeline).show(found.document, found.row, found.planned, found.typical, now)
        self.query_one("#attempts", Static).update(attempts_content(found.document))
        self.query_one(DataTree).show(found.document["data"], found.document.get("later", ()))
        self.query_one("#acts", Static).update(acts_content(found.acts))
        self.query_one("#log", Static).update(log_content(found.log))

    def concern(self, action: OthersAction, *, is_seen: bool) -> str:
        row = self._found.row
        if row is None or not is_seen:
            return ""
        if row.id in action:
            return row.key
        return action.whole if action.processor == row.processor else ""

    def others_changed(self) -> None:
        self._loader.load()

    # --- looking

    def action_show_trace(self) -> None:
        """Open the stack trace of the entry's newest error."""
        errors = error_ids(self._found.document) if self._found.document else []
        if errors:
            self.wfe.go(Route("errors", errors[0]))
        else:
            self.wfe.say("this entry has no error", severity="warning")

    def action_compare(self) -> None:
        """Go to what differs between its attempts, or from one that went well."""
        if row := self._found.row:
            self.wfe.go(Route("compare", row.key, processor=row.processor))

    def action_copy(self) -> None:
        """Copy the entry as JSON."""
        if self._found.document is not None:
            self.wfe.copy(orjson.dumps(self._found.document, option=orjson.OPT_INDENT_2).decode(), "the entry")

    # --- acting

    def scope(self) -> Scope:
        row = self._found.row
        return Scope("this entry", lambda: [] if row is None else [row.id], [] if row is None else [row])

    async def processor(self) -> str | None:
        return self._found.row.processor if self._found.row else None
