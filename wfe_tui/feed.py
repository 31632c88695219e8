"""One thread that follows the store and tells the app what changed. It reads; it never draws."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

from textual.message import Message

from engine.exceptions import StoreError
from engine.store import Changes, Store

INTERVAL = 0.1
"""Seconds between two looks at the store."""


@dataclass
class StoreChanged(Message):
    """Other processes, or this one, wrote to the store."""

    changes: Changes


@dataclass
class StoreLost(Message):
    """The store cannot be read any more."""

    reason: str


@dataclass
class StoreFound(Message):
    """The store can be read again."""


class Feed(Thread):
    """Follows a store until `stop`; while it cannot be read, that is told once, and then tried again.

    Args:
        store: what is followed, from now on.
        tell: takes each message; must not block, as `App.post_message` does not.
    """

    def __init__(self, store: Store, tell: Callable[[Message], object]) -> None:
        super().__init__(name="wfe-feed", daemon=True)
        self._store = store
        self._tell = tell
        self._stopped = Event()
        self._since = store.seq()

    def run(self) -> None:
        is_lost = False
        while not self._stopped.wait(INTERVAL):
            try:
                self._store.recover()  # what a process that was killed had recorded last is to be seen
                changes = self._store.changes(self._since) if self._store.seq() != self._since else None
            except StoreError as error:
                if not is_lost:
                    self._tell(StoreLost(str(error)))
                is_lost = True
                continue
            if is_lost:
                self._tell(StoreFound())
            is_lost = False
            if changes is not None:
                self._since = changes.seq
                self._tell(StoreChanged(changes))

    def stop(self) -> None:
        """End, and wait for it: at most one interval."""
        self._stopped.set()
        self.join()
