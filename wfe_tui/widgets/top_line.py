"""The first line of every screen: where one is, and in which store."""

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from engine.text import literal, short_path
from wfe_tui.routes import Route


class TopLine(Horizontal):
    """`wfe` and the screen's path on the left; on the right the store's file, and whether it can only be read."""

    def __init__(self, route: Route, store: Path, *, read_only: bool = False) -> None:
        super().__init__()
        self._route = route
        self._store = store
        self._read_only = read_only

    def compose(self) -> ComposeResult:
        route = Content.assemble((" wfe ", "bold reverse"), f" {literal(str(self._route))}")
        yield Static(route, id="where", markup=False)
        mark = ("read only ", "$text-warning") if self._read_only else ""
        yield Static(Content.assemble(mark, short_path(self._store)), id="store", markup=False)
