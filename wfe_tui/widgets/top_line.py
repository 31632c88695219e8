"""The first line of every screen: where one is, and in which store."""

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from engine.text import literal, short_path
from wfe_tui.routes import Route


class TopLine(Horizontal):
    """`wfe` and the screen's path on the left, the store's file on the right."""

    def __init__(self, route: Route, store: Path) -> None:
        super().__init__()
        self._route = route
        self._store = store

    def compose(self) -> ComposeResult:
        route = Content.assemble((" wfe ", "bold reverse"), f" {literal(str(self._route))}")
        yield Static(route, id="where", markup=False)
        yield Static(Content(short_path(self._store)), id="store", markup=False)
