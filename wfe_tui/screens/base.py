"""What the screens over a store share: the store, and being told of its changes."""

from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from engine.store import Changes, Store
from wfe_tui.routes import Route

if TYPE_CHECKING:
    from wfe_tui.app import WfeApp


class StoreScreen(Screen[None]):
    """A screen that shows something of the store; `route` is its path."""

    route: Route

    @property
    def wfe(self) -> "WfeApp":
        """The app, by its own type."""
        return cast("WfeApp", self.app)

    @property
    def store(self) -> Store:
        """The store that the console is opened on."""
        return self.wfe.store

    def store_changed(self, changes: Changes) -> None:
        """The store was written to: show what is new."""
