"""Opened on nothing: there is no store yet. Says what to do, offers the demo, and waits for a store to appear."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from engine.text import literal, shell_path, short_path
from wfe_tui.actions import bindings
from wfe_tui.routes import ENTRIES
from wfe_tui.widgets.top_line import TopLine

if TYPE_CHECKING:
    from wfe_tui.app import WfeApp


class WelcomeScreen(Screen[None]):
    """Shown until the store's file is there."""

    CSS_PATH = "screens.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("welcome")]

    def __init__(self, path: Path, processor: str | None) -> None:
        super().__init__()
        self._path = path
        self._processor = processor

    def compose(self) -> ComposeResult:
        yield TopLine(ENTRIES, self._path)
        with Vertical(id="welcome"):
            yield Static(_content(self._path, self._processor), markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Look for the store now and then."""
        self.set_interval(0.5, self._look)

    def _look(self) -> None:
        if self.app.screen is self and self._path.exists():  # not below help: what is on top would stay there
            cast("WfeApp", self.app).open_store(self._path)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to run only if it was named."""
        return action != "new_run" or self._processor is not None

    def action_new_run(self) -> None:
        """Make the store, with a run of the processor that was named."""
        app = cast("WfeApp", self.app)
        if self._processor and app.open_store(self._path):
            app.engines.start(self._processor, actions=False)

    def action_demo(self) -> None:
        """Open the demo instead."""
        cast("WfeApp", self.app).open_demo()


def _content(path: Path, processor: str | None) -> Content:
    named = literal(processor or "MODULE:PROCESSOR")
    start = Content.assemble(("N", "bold $text-primary"), " starts this run here.\n\n") if processor else Content("")
    return Content.assemble(
        ("There is no store yet\n\n", "bold"),
        f"{short_path(path)}\n\n",
        "A run makes one, and this screen then shows it:\n\n",
        (f"    wfe run {named} --store {literal(shell_path(path))}\n\n", "$text-accent"),
        start,
        "Or name another store with --store.\n\n",
        ("d", "bold $text-primary"),
        " opens the demo: an audit of the Python packages on this machine, a few of them broken.",
    )
