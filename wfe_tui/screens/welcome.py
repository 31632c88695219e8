"""Opened on nothing: there is no store yet. Says what to do, offers the demo, and waits for a store to appear."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from engine.text import short_path
from wfe_tui.actions import bindings
from wfe_tui.routes import ENTRIES
from wfe_tui.widgets.top_line import TopLine

if TYPE_CHECKING:
    from wfe_tui.app import WfeApp


class WelcomeScreen(Screen[None]):
    """Shown until the store's file is there."""

    CSS_PATH = "entries.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("welcome")]

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def compose(self) -> ComposeResult:
        yield TopLine(ENTRIES, self._path)
        with Vertical(id="welcome"):
            yield Static(_content(self._path), markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Look for the store now and then."""
        self.set_interval(0.5, self._look)

    def _look(self) -> None:
        if self._path.exists():
            cast("WfeApp", self.app).open_store(self._path)

    def action_demo(self) -> None:
        """Open the demo instead."""
        cast("WfeApp", self.app).open_demo()


def _content(path: Path) -> Content:
    return Content.assemble(
        ("There is no store yet\n\n", "bold"),
        f"{short_path(path)}\n\n",
        "A run makes one, and this screen then shows it:\n\n",
        (f"    wfe run MODULE:PROCESSOR --store {short_path(path)}\n\n", "$text-accent"),
        "Or name another store with --store.\n\n",
        ("d", "bold $text-primary"),
        " opens the demo: an audit of the Python packages on this machine, a few of them broken.",
    )
