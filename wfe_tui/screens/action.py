"""One action: who did what, when and why, and what became of each entry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static
from tinydb.table import Document

from engine.clock import local_time
from engine.history import ActionRow, read_action
from engine.lookup import find_entries
from engine.records import EntryRow, read_row
from engine.store import Changes
from engine.text import literal
from engine.verdicts import verdicts_of
from wfe_tui.actions import bindings
from wfe_tui.loader import Loader
from wfe_tui.others import OthersAction
from wfe_tui.routes import Route
from wfe_tui.screens.actions import STATES
from wfe_tui.screens.base import StoreScreen
from wfe_tui.widgets.cut import LONGEST_KEY, cut
from wfe_tui.widgets.states import state_content

SHOWN = 500
"""Of so many entries it is shown how they stand."""


@dataclass(frozen=True)
class Found:
    """An action as the store has it now, and how its entries stand."""

    row: ActionRow
    results: Mapping[str, str | None]
    keys: list[str]
    entries: Mapping[str, EntryRow]


class ActionScreen(StoreScreen):
    """An action, as the store has it now.

    Args:
        route: its path.
        number: of the action.
    """

    AUTO_FOCUS = "#action"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("action")]
    keys = "action"

    def __init__(self, route: Route, number: int) -> None:
        super().__init__(route)
        self._number = number
        self._found: Found | None = None

    def body(self) -> Iterator[Widget]:
        self._loader = Loader(self, self._read, self._show, rest=0.5)
        with VerticalScroll(id="action"):
            yield Static(id="summary", markup=False)
            yield Static(id="results", markup=False)

    def on_mount(self) -> None:
        """Show the action."""
        self._loader.load()

    def store_changed(self, changes: Changes) -> None:
        if changes.concern("actions") or changes.concern("entries"):
            self._loader.load()

    def time_passed(self) -> None:
        """What it says does not change by itself."""

    def _read(self) -> Found | None:
        document = self.store.actions.get(doc_id=self._number)
        if document is None:
            return None
        keys, moment = document["keys"], self.wfe.clock()
        found = find_entries(self.store, keys[:SHOWN], document["processor"])
        entries = {
            key: read_row(each, moment, self.store.is_alive)
            for key, each in found.items()
            if isinstance(each, Document)
        }
        return Found(
            read_action(document, self.store.is_alive, verdicts_of(self.store, document.doc_id)),
            document["results"],
            keys,
            entries,
        )

    def _show(self, found: Found | None) -> None:
        self._found = found
        if found is None:
            self.query_one("#summary", Static).update(f"action {self._number} is not in this store any more")
            return
        self.query_one("#summary", Static).update(_summary(found.row))
        self.query_one("#results", Static).update(_results(found))

    def concern(self, action: OthersAction, *, is_seen: bool) -> str:
        return f"action {self._number}" if is_seen and self._number in (action.of, action.undoes) else ""

    def action_copy(self) -> None:
        """Copy what is shown."""
        if self._found is not None:
            text = _summary(self._found.row).plain + "\n\n" + _results(self._found).plain
            self.wfe.copy(text, "the action")


def _summary(action: ActionRow) -> Content:
    of = f"  on {action.accepted}, refused {action.refused}" if action.keys else ""
    lines = [
        Content.assemble((literal(action.verb), "bold"), of, "  ", STATES[action.state]),
        Content(f"{local_time(action.when)} by {literal(action.who)}"),
        Content(f"why: {literal(action.why)}" if action.why else "no reason was given"),
        Content.styled(literal(action.processor), "$text-muted"),
    ]
    if action.run:
        lines.append(Content(f"carried out by run {action.run}"))
    return Content("\n").join(lines)


def _results(found: Found) -> Content:
    if not found.keys:
        return Content("")
    lines = [Content.styled("What became of each entry, and how it stands now", "bold $text-muted")]
    for key in found.keys[:SHOWN]:
        answer = found.results.get(key, "")
        if answer is None:
            fate = Content.styled("✓ accepted", "$text-success")
        elif answer:
            fate = Content.styled(f"✗ refused: {literal(answer)}", "$text-error")
        else:
            fate = Content.styled("? it was broken off before", "$text-warning")
        row = found.entries.get(key)
        stands = state_content(row.state) + Content(f"  {literal(cut(row.reason, 200))}") if row else Content("gone")
        lines.append(Content.assemble((literal(cut(key, LONGEST_KEY)), "bold"), "  ", fate, "  → ", stands))
    if len(found.keys) > SHOWN:
        lines.append(Content.styled(f"… and {len(found.keys) - SHOWN} more", "$text-muted"))
    return Content("\n").join(lines)
