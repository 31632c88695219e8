"""One thread that follows the store and tells the app what changed. It never draws, and writes nothing but the verdicts
on entries whose process has died, which nobody else may come to write."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread

from textual.message import Message

from engine.clock import Clock, utc_now
from engine.exceptions import StoreError
from engine.groups import Dealt, dealt_with
from engine.lookup.history import RunRow, read_run
from engine.operations.recording import signature
from engine.pausing import TABLE, Pause, pauses
from engine.store import Changes, Store
from engine.verdicts import open_actions, settle_abandoned

INTERVAL = 0.1
"""Seconds between two looks at the store."""

PULSE = 1.0
"""Seconds between two looks at the runs and the open acts while nothing changes: a process may have died, or fallen
silent."""

DEALT_EVERY, DEALT_SHARE = 10.0, 20
"""Seconds after which it is asked again whether all failures are dealt with, while nothing changes; and how many times
as long as the answer took nobody asks again, whatever changes."""

NEWEST_RUNS = 20
"""Of so many runs it is looked whether they give signs of life."""


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


@dataclass(frozen=True)
class Pulse:
    """How the engine is: the newest run, the pauses, the runs that go on and give no sign of life, and whether all
    failures are dealt with, as far as that is known. `consoles` says who else has the store open at a console; so many
    acts of operators are open, and so many verdicts awaited for them."""

    run: RunRow | None = None
    pauses: tuple[Pause, ...] = ()
    silent: tuple[RunRow, ...] = ()
    consoles: tuple[str, ...] = ()
    open_actions: int = 0
    awaited: int = 0
    dealt: Dealt | None = None


@dataclass
class PulseFelt(Message):
    """The engine is as this says; a burst of them is handled as one."""

    pulse: Pulse

    def can_replace(self, message: Message) -> bool:
        """Only the newest matters."""
        return isinstance(message, PulseFelt)


class Feed(Thread):
    """Follows a store until `stop`; while it cannot be read, that is told once, and then tried again.

    Args:
        store: what is followed, from now on.
        tell: takes each message; must not block, as `App.post_message` does not.
        clock: what signs of life are judged by.
        is_behind: whether who is told has not come to the last messages yet; then it looks again later.
    """

    def __init__(
        self,
        store: Store,
        tell: Callable[[Message], object],
        clock: Clock = utc_now,
        is_behind: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(name="wfe-feed", daemon=True)
        self._store = store
        self._tell = tell
        self._clock = clock
        self._is_behind = is_behind
        self._stopped = Event()
        self._since = store.seq()
        self._felt = 0.0
        self._pulse: Pulse | None = None
        self._dealt: Dealt | None = None
        self._dealt_at = self._may_deal_at = -DEALT_EVERY
        self._is_dealt_old = True

    def run(self) -> None:
        with suppress(StoreError):  # who may not write there is not seen by others
            self._store.introduce(signature())
        is_lost = False
        while True:
            try:
                if not self._is_behind():
                    self._look()
            except StoreError as error:
                if not is_lost:
                    self._tell(StoreLost(str(error)))
                is_lost = True
            else:
                if is_lost:
                    self._tell(StoreFound())
                is_lost = False
            if self._stopped.wait(INTERVAL):
                return

    def _look(self) -> None:
        self._store.recover()  # what a process that was killed had recorded last is to be seen
        changes = self._store.changes(self._since) if self._store.seq() != self._since else None
        if changes is not None:
            self._since = changes.seq
            self._tell(StoreChanged(changes))
            self._is_dealt_old = self._is_dealt_old or any(map(changes.concern, ("entries", "verdicts", "groups")))
        concerned = changes is not None and (changes.concern("runs") or changes.concern(TABLE))
        if concerned or time.monotonic() - self._felt >= PULSE:
            self._felt = time.monotonic()
            self._feel()

    def _feel(self) -> None:
        moment, table = self._clock(), self._store.runs
        if not self._store.read_only:
            settle_abandoned(self._store, moment)
        newest = table.get(doc_ids=table.ids(order_by="started", reverse=True, limit=NEWEST_RUNS))
        runs = [read_run(document, moment, self._store.is_alive) for document in newest]
        silent = tuple(run for run in runs if run.silent_for is not None)
        consoles = tuple(self._store.introduced())
        waiting = open_actions(self._store)
        pulse = Pulse(
            runs[0] if runs else None,
            tuple(pauses(self._store)),
            silent,
            consoles,
            open_actions=len(waiting),
            awaited=sum(waiting.values()),
            dealt=self._whether_dealt(moment),
        )
        if pulse != self._pulse or silent:
            self._pulse = pulse
            self._tell(PulseFelt(pulse))

    def _whether_dealt(self, moment: datetime) -> Dealt | None:
        now = time.monotonic()
        is_old = self._is_dealt_old or now - self._dealt_at >= DEALT_EVERY
        if is_old and now >= self._may_deal_at:
            self._is_dealt_old, self._dealt_at = False, now
            self._dealt = dealt_with(self._store, moment)
            self._may_deal_at = time.monotonic() + DEALT_SHARE * (time.monotonic() - now)
        return self._dealt

    def stop(self) -> None:
        """End, and wait for it: at most one interval."""
        self._stopped.set()
        self.join()
