"""One action: who did what, when and why, and what became of each of its entries."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static
from tinydb.table import Document

from engine.clock import age, local_time
from engine.groups import error_group
from engine.lookup.entries import find_entries
from engine.lookup.history import ActionRow, VerdictRow, read_action
from engine.lookup.rows import read_row
from engine.operations import line_of
from engine.store import Changes
from engine.text import counted, literal
from engine.verdicts import Verdict, verdicts_of
from engine.worker.canary import Canary, Stage
from wfe_tui import sources
from wfe_tui.actions import bindings
from wfe_tui.loader import Loader
from wfe_tui.others import OthersAction
from wfe_tui.routes import Route
from wfe_tui.screens.listing import ListScreen
from wfe_tui.screens.undoing import ActionActing
from wfe_tui.widgets.columns import Cells, Column, cells
from wfe_tui.widgets.cut import LONGEST_KEY, cut
from wfe_tui.widgets.filter_bar import FilterBar
from wfe_tui.widgets.states import group_content, state_content
from wfe_tui.widgets.table import StoreTable
from wfe_tui.widgets.verdicts import action_state_content, outcome_content, verdict_content
from wfe_tui.window import Window

SHOWN = 500
"""Of so many entries to which it was not done it is said why."""

COLUMNS = (
    Column("key", "Entry", 12, grow=1),
    Column("verdict", "Verdict", 12),
    Column("attempts", "Att", 3, justify="right", priority=4),
    Column("task", "Task", 10, priority=3),
    Column("stands", "Stands", 13),
    Column("reason", "Reason", 20, grow=3),
    Column("error_id", "Error", 8, priority=1),
    Column("settled", "Settled", 7, justify="right", priority=2),
)


def reason(row: VerdictRow) -> str:
    """Why it has its verdict; of one that was not refused, why it stands where it stands."""
    if row.verdict is Verdict.REFUSED:
        return row.why or ""
    if not row.has_begun:
        return "its turn has not come"
    return row.stands.reason if row.stands else ""


CELLS: Cells[VerdictRow] = {
    "key": lambda row, now: Content(literal(row.key)),
    "verdict": lambda row, now: verdict_content(row.verdict),
    "attempts": lambda row, now: Content(str(row.attempts or "")),
    "task": lambda row, now: Content(literal(row.task or "")),
    "stands": lambda row, now: state_content(row.stands.state) if row.stands else Content("gone"),
    "reason": lambda row, now: Content(literal(cut(reason(row), 300))),
    "error_id": lambda row, now: Content.styled(literal((row.error_id or "")[:8]), "$text-muted"),
    "settled": lambda row, now: Content(age(row.settled, now) if row.settled else ""),
}
"""What stands in a row's cell, at a moment."""

STAGES = {
    Stage.FIRST: "the first are tried",
    Stage.REST: "the others follow",
    Stage.STOPPED: "stopped: R resumes, X abandons",
    Stage.ABANDONED: "abandoned",
    Stage.DONE: "all were executed",
}


@dataclass(frozen=True)
class Found:
    """An action as the store has it now; of the entries without a verdict, or the groups of errors, what it answered,
    and how they stand."""

    row: ActionRow
    answers: Mapping[str, str | None]
    stands: Mapping[str, Content]


class ActionScreen(ActionActing, ListScreen):
    """An action, and the verdicts on its entries.

    Args:
        route: its path.
        number: of the action.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("action")]
    keys = area = "action"
    columns = COLUMNS
    window: Window[VerdictRow]

    def __init__(self, route: Route, number: int) -> None:
        super().__init__(route)
        self._number = number
        self._found: Found | None = None

    def body(self) -> Iterator[Widget]:
        self.window = Window(self.store, sources.verdicts(self.store, self._number, self.wfe.clock))
        self.cell = cells(CELLS, self.wfe.clock)
        self._action = Loader(self, self._read, self._show_action, rest=0.5)
        yield Static(id="summary", markup=False)
        yield self.make_table()
        with VerticalScroll(id="others", can_focus=False):
            yield Static(markup=False)
        yield FilterBar()

    def on_mount(self) -> None:
        """Show the action."""
        super().on_mount()
        self._action.load()

    def store_changed(self, changes: Changes) -> None:
        super().store_changed(changes)
        if any(map(changes.concern, ("actions", "verdicts", "groups"))):
            self._action.load()

    def time_passed(self) -> None:
        """Its entries go on, and the worker that has taken it may die."""
        super().time_passed()
        if self._found is None or self._found.row.is_waited_for:
            self._action.load()

    # --- what is shown

    def _read(self) -> Found | None:
        document = self.store.actions.get(doc_id=self._number)
        if document is None:
            return None
        row = read_action(document, self.store.is_alive, verdicts_of(self.store, self._number))
        results: Mapping[str, str | None] = document["results"]
        if row.groups:
            return Found(row, {name: results.get(name) for name in row.groups[:SHOWN]}, self._groups(row.groups))
        if row.verdicts:
            others = [key for key, answer in results.items() if answer is not None][:SHOWN]
        else:
            others = document["keys"][:SHOWN]
        return Found(row, {key: results.get(key, "") for key in others}, self._entries(others, row.processor))

    def _entries(self, keys: Sequence[str], processor: str) -> dict[str, Content]:
        """How entries stand."""
        moment = self.wfe.clock()
        found = {
            key: read_row(each, moment, self.store.is_alive)
            for key, each in find_entries(self.store, keys, processor).items()
            if isinstance(each, Document)
        }
        return {
            key: state_content(row.state) + Content(f"  {literal(cut(row.reason, 200))}") for key, row in found.items()
        }

    def _groups(self, fingerprints: Sequence[str]) -> dict[str, Content]:
        """How groups of errors stand."""
        found = {name: error_group(self.store, name, self.wfe.clock()) for name in fingerprints[:SHOWN]}
        return {
            name: group_content(group.state) + Content(literal(f"  {group.type}: {cut(group.message, 200)}"))
            for name, group in found.items()
            if group is not None
        }

    def _show_action(self, found: Found | None) -> None:
        self._found = found
        summary = self.query_one("#summary", Static)
        if found is None:
            summary.update(f"action {self._number} is not in this store any more")
            return
        summary.update(summary_content(found.row, self._line))
        has_verdicts = bool(found.row.verdicts)
        self.table.display = has_verdicts
        others = self.query_one("#others")
        others.set_class(not has_verdicts, "-all")
        others.display = bool(found.answers)
        others.query_one(Static).update(_others(found))

    @property
    def _line(self) -> str:
        return line_of("actions show", [str(self._number)], self.store.path, None, None)

    # --- looking

    @on(StoreTable.RowChosen)
    @work
    async def _open(self, message: StoreTable.RowChosen) -> None:
        rows = await asyncio.to_thread(self.window.read, [message.id])
        for row in rows.values():
            self.wfe.go(Route("entries", row.key, processor=row.processor))

    def action_show_trace(self) -> None:
        """Open the stack trace of the error of the entry at the cursor."""
        row: VerdictRow | None = self.row_at_cursor()
        if row and row.error_id:
            self.wfe.go(Route("errors", row.error_id))
        else:
            self.wfe.say("this entry has no error by this action", severity="warning")

    def action_next_verdict(self) -> None:
        """Show the entries of one verdict alone, then those of the next, then all."""
        there: Sequence[str] = [*self._found.row.verdicts] if self._found else []
        shown = self.filter_bar.value
        at = there.index(shown) + 1 if shown in there else 0
        self.set_filter(there[at] if at < len(there) else "")

    def concern(self, action: OthersAction, *, is_seen: bool) -> str:
        return f"action {self._number}" if is_seen and self._number in (action.of, action.undoes) else ""

    def action_copy(self) -> None:
        """Copy what is said of the action, and of the entry at the cursor."""
        if self._found is None:
            return
        lines = [summary_content(self._found.row, self._line).plain]
        if row := self.row_at_cursor():
            lines.append("  ".join(self.cell(row, column).plain for column in self.columns))
        elif self._found.answers:
            lines.append(_others(self._found).plain)
        self.wfe.copy("\n\n".join(lines), "the action")

    def action_number(self) -> int | None:
        return self._number


def summary_content(action: ActionRow, line: str) -> Content:
    """What is to be said of an action as a whole; `line` is what shows it in a shell."""
    on_ = f"  on {counted(action.keys, 'entry', 'entries')}  " if action.keys else "  "
    on_ = f"  on {counted(len(action.groups), 'cause')}  " if action.groups else on_
    parts = [f"{local_time(action.when)} by {literal(action.who)}"]
    parts.append(f"why: {literal(action.why)}" if action.why else "no reason was given")
    origin = [literal(action.processor)]
    if action.run:
        origin.append(f"run {action.run}")
    if action.plan:
        origin.append(f"plan {action.plan}")
    lines = [
        Content.assemble((literal(action.verb), "bold"), on_, action_state_content(action)),
        outcome_content(action),
        Content(" · ").join(map(Content, parts)),
        Content.styled(" · ".join(origin), "$text-muted"),
    ]
    if action.canary:
        lines.append(_canary(action.canary))
    if action.undone_by:
        lines.append(Content(f"taken back by action {action.undone_by}"))
    lines.append(Content.styled(f"$ {literal(line)}", "$text-accent"))
    return Content("\n").join(each for each in lines if each)


def _canary(canary: Canary) -> Content:
    numbers = f"canary: {canary.first} first, then {canary.in_flight} at once, same error {canary.stop_after}×"
    is_stopped = canary.stage is Stage.STOPPED
    return Content.assemble(numbers, " · ", (STAGES[canary.stage], "bold $text-error" if is_stopped else ""))


def _others(found: Found) -> Content:
    if not found.answers:
        return Content("")
    count = found.row.refused if found.row.verdicts else found.row.keys + len(found.row.groups)
    title = "Refused at once" if found.row.verdicts else "What became of each, and how it stands now"
    lines = [Content.styled(title, "bold $text-muted")]
    for key, answer in found.answers.items():
        if answer is None:
            fate = Content.styled("✓ accepted", "$text-success")
        elif answer:
            fate = Content.styled(f"✗ refused: {literal(answer)}", "$text-error")
        else:
            fate = Content.styled("? it was broken off before", "$text-warning")
        stands = found.stands.get(key, Content("gone"))
        lines.append(Content.assemble((literal(cut(key, LONGEST_KEY)), "bold"), "  ", fate, "  → ", stands))
    if count > len(found.answers):
        lines.append(Content.styled(f"… and {count - len(found.answers)} more", "$text-muted"))
    return Content("\n").join(lines)
