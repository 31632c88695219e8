"""Which processors are paused: the table `pauses` of a store, one document for each. A paused one starts no task."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tinydb import where
from tinydb.table import Table

from engine.clock import from_text, local_minute, to_text
from engine.store import Store

TABLE = "pauses"


@dataclass(frozen=True)
class Pause:
    """That an operator lets no task of a processor be started.

    Args:
        processor: `module:Class`.
        who: `user@host`.
        when: since when (UTC).
        why: a reason, in the operator's words.
    """

    processor: str
    who: str
    when: datetime
    why: str | None

    def words(self, now: datetime) -> str:
        """`paused by anna@host since 02:15: carrier down`, as people are told at `now` (aware); not literal."""
        return f"paused by {self.who} since {local_minute(self.when, now)}" + (f": {self.why}" if self.why else "")


def pause_of(store: Store, processor: str) -> Pause | None:
    """The pause of a processor, None if it is not paused. Cheap: ask it several times a second."""
    found = _table(store).search(where("processor") == processor)
    return read_pause(found[0]) if found else None


def pauses(store: Store) -> list[Pause]:
    """All pauses, the oldest first."""
    return sorted((read_pause(document) for document in _table(store)), key=lambda pause: pause.when)


def write_pause(store: Store, pause: Pause) -> None:
    """Pause a processor that is not paused."""
    _table(store).insert(
        {"processor": pause.processor, "who": pause.who, "when": to_text(pause.when), "why": pause.why}
    )


def remove_pause(store: Store, processor: str) -> None:
    """End a pause."""
    _table(store).remove(where("processor") == processor)


def _table(store: Store) -> Table:
    return store.db.table(TABLE)


def read_pause(document: Mapping[str, Any]) -> Pause:
    """A pause as the store holds it."""
    return Pause(document["processor"], document["who"], from_text(document["when"]), document["why"])
