"""What the screens over a store share: the frame around what they show, and being told of changes."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer

from engine.store import Changes, Store
from wfe_tui.actions import chords
from wfe_tui.feed import Pulse
from wfe_tui.others import OthersAction
from wfe_tui.routes import Route
from wfe_tui.surviving import Surviving
from wfe_tui.widgets.top_line import Banner, TopLine

if TYPE_CHECKING:
    from wfe_tui.app import WfeApp


class StoreScreen(Surviving, Screen[None]):
    """A screen that shows something of the store; `route` is its path.

    Only the screen in front is told of changes; when it comes to the front again, it is told that anything may have
    changed.
    """

    CSS_PATH = "screens.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-roomy"), (130, "-wide")]
    keys: ClassVar[str]
    """Its name in `wfe_tui.actions.ACTIONS`."""

    route: Route

    def __init__(self, route: Route) -> None:
        super().__init__()
        self.route = route
        self._pressed = ""

    @property
    def wfe(self) -> "WfeApp":
        """The app, by its own type."""
        return cast("WfeApp", self.app)

    @property
    def store(self) -> Store:
        """The store that the console is opened on."""
        return self.wfe.store

    def compose(self) -> ComposeResult:
        yield TopLine(self.route, self.store.path, badges=self.wfe.badges, pulse=self.wfe.pulse)
        yield Banner()
        yield from self.body()
        yield Footer(show_command_palette=False)

    @abstractmethod
    def body(self) -> Iterator[Widget]:
        """What stands between the first line and the footer."""

    def open(self, route: Route) -> None:
        """Show another place that is this screen's, too: the same list with another filter."""

    @abstractmethod
    def store_changed(self, changes: Changes) -> None:
        """The store was written to: show what is new."""

    @abstractmethod
    def time_passed(self) -> None:
        """Called each second: a due moment comes, an owner dies, an age grows, and the store does not tell."""

    def concern(self, action: OthersAction, *, is_seen: bool) -> str:
        """What an action of somebody else has to do with what is done here, in words; empty if nothing.

        Args:
            action: what was done.
            is_seen: this is the screen in front; else only what was chosen on it matters.
        """
        return ""

    def others_changed(self) -> None:
        """What others did, and is news, is not what it was."""

    def show_pulse(self, pulse: Pulse) -> None:
        """How the engine is has changed."""
        self.query_one(TopLine).show_pulse(pulse)

    def show_signal(self, trouble: str | None) -> None:
        """Say that what is seen may be old, or that it is not any more."""
        try:
            self.query_one(Banner).show(trouble)
        except NoMatches:
            return  # not composed yet

    def renamed(self, route: Route) -> None:
        """The path has changed with what is shown."""
        self.route = route
        self.query_one(TopLine).show(route)

    async def on_key(self, event: events.Key) -> None:
        """Keys that are pressed one after the other."""
        if event.character is None:
            return
        named = chords(self.keys, self.wfe.config.keys)
        before, self._pressed = self._pressed, ""
        if action := named.get(before + event.character):
            event.stop()
            event.prevent_default()
            await self.run_action(action.id)
        elif any(key.startswith(event.character) for key in named):
            self._pressed = event.character
            event.stop()
            event.prevent_default()
