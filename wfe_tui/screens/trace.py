"""The stack trace of one error id."""

from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Footer, Static
from tinydb.table import Document

from engine.clock import local_time
from engine.text import literal
from wfe_tui.actions import bindings
from wfe_tui.routes import Route
from wfe_tui.screens.base import StoreScreen
from wfe_tui.widgets.cut import LONGEST_KEY, cut
from wfe_tui.widgets.top_line import TopLine
from wfe_tui.widgets.trace import trace_content


class TraceScreen(StoreScreen):
    """What is kept of an unexpected exception; see `engine.errors.error_record`."""

    CSS_PATH = "entries.tcss"
    AUTO_FOCUS = "#trace"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("trace")]

    body = query_one("#trace Static", Static)

    def __init__(self, record: Document) -> None:
        super().__init__()
        self.route = Route("errors", record["error_id"])
        self._record = record
        self._libraries = False

    def compose(self) -> ComposeResult:
        record = self._record
        at = local_time(datetime.fromisoformat(record["time"]))
        where = "  ".join(cut(literal(part), LONGEST_KEY) for part in (record["key"], record["task"]) if part)
        yield TopLine(self.route, self.store.path, read_only=self.store.read_only)
        yield Static(
            Content.assemble(
                (where, "bold"),
                (f"  {at}  {literal(record['host'])} pid {record['pid']}  {record['fingerprint']}", "$text-muted"),
            ),
            id="place",
            markup=False,
        )
        with VerticalScroll(id="trace"):
            yield Static(markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show the trace."""
        self._show()

    def _show(self) -> None:
        self.body.update(trace_content(self._record, libraries=self._libraries))

    def action_toggle_libraries(self) -> None:
        """Open or fold the frames of libraries."""
        self._libraries = not self._libraries
        self._show()

    def action_copy(self) -> None:
        """Copy the trace as Python prints it, with its error id."""
        self.wfe.copy(f"error {self._record['error_id']}\n{self._record['text']}", "the stack trace")

    def action_copy_id(self) -> None:
        """Copy the error id."""
        self.wfe.copy(self._record["error_id"], "the error id")
