"""One entry: its tasks, what happens next, its errors and its data."""

from collections.abc import Collection
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Footer, Static

from engine.exceptions import EngineError, InputError, StoreError
from engine.lookup import find_entry
from engine.records import error_ids, read_plan, read_row
from engine.store import Changes
from wfe_tui.actions import bindings
from wfe_tui.routes import Route
from wfe_tui.screens.acting import ActingScreen
from wfe_tui.widgets.detail import EntryDetail
from wfe_tui.widgets.top_line import TopLine


class EntryScreen(ActingScreen):
    """An entry, as the store has it now.

    Args:
        key: of the entry.
        processor: `module:Class`; None where the key alone names it.
    """

    CSS_PATH = "entries.tcss"
    AUTO_FOCUS = "EntryDetail"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("entry")]

    def __init__(self, key: str, processor: str | None) -> None:
        super().__init__()
        self.route = Route("entries", key)
        self._key = key
        self._processor = processor
        self._entry: int | None = None

    def compose(self) -> ComposeResult:
        yield TopLine(self.route, self.store.path, read_only=self.store.read_only)
        yield EntryDetail()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show the entry."""
        self._show()
        self.set_interval(1, self._show)  # a due moment comes, an owner dies: the store does not tell

    def store_changed(self, changes: Changes) -> None:
        if changes.concern("entries"):
            self._show()

    def _show(self) -> None:
        detail = self.query_one(EntryDetail)
        try:
            document = find_entry(self.store, self._key, self._processor)
        except StoreError:
            return  # the feed tells
        except InputError as error:
            self._entry = None
            detail.clear(str(error))
            return
        self._entry = document.doc_id
        now = self.wfe.clock()
        detail.show(document, read_row(document, now, self.store.is_alive), read_plan(document, now))

    def chosen(self) -> Collection[int]:
        """The id of this entry, if it is there."""
        return [] if self._entry is None else [self._entry]

    def action_show_trace(self) -> None:
        """Open the stack trace of the entry's newest error."""
        try:
            document = find_entry(self.store, self._key, self._processor)
        except EngineError as error:
            self.wfe.say(str(error), severity="error")
            return
        if errors := error_ids(document):
            self.wfe.open(Route("errors", errors[0]))
        else:
            self.wfe.say("this entry has no error", severity="warning")

    def action_copy(self) -> None:
        """Copy what is shown."""
        self.wfe.copy(str(self.query_one("EntryDetail Static", Static).content), "the entry")
