"""When an operator looks at a store, so that he can be told what has happened since he last did."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from wfe_tui.memory import Memory, OfStore

AWAY = timedelta(minutes=10)
"""A longer break ends a look; after a shorter one it goes on, whether the console was closed or not."""

KEPT_EVERY = timedelta(minutes=1)
"""So often it is written down until when was looked."""


@dataclass(frozen=True)
class Look:
    """A look at a store: when the console was used last in it, and when in the look before; None if there was none."""

    last: datetime
    before: datetime | None = None

    def used(self, moment: datetime) -> "Look":
        """The console is used at a moment (aware): this look goes on, or another begins."""
        return Look(moment, self.last if moment - self.last > AWAY else self.before)


class Looking:
    """The look that an operator has at a store, remembered so that a console that is killed forgets little of it.

    Args:
        memory: where it is remembered.
        store: the store's file.
        moment: when the console was opened on it (aware).
    """

    def __init__(self, memory: Memory, store: Path, moment: datetime) -> None:
        self._memory = memory
        self._store = store
        known = memory.of(store)
        self.look = Look(known.looked, known.looked_before).used(moment) if known.looked else Look(moment)
        self.was_away = known.looked is not None and self.look.before == known.looked
        """Another look begins by opening it."""
        self._kept = self.look

    def used(self, moment: datetime) -> None:
        """The console is used at a moment (aware)."""
        self.look = self.look.used(moment)

    @property
    def is_to_keep(self) -> bool:
        """Whether it is time to keep it."""
        return self.look.last - self._kept.last >= KEPT_EVERY

    def keep(self) -> None:
        """Remember it. Another console may have been used later: then that one knows it."""
        look = self._kept = self.look

        def keep(known: OfStore) -> None:
            if known.looked is None or known.looked < look.last:
                known.looked, known.looked_before = look.last, look.before

        self._memory.keep(self._store, keep)
