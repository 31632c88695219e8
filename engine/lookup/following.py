"""Follows what is written to a store, document by document, from any place on: for other tools, and for people.

One that goes on where it stopped loses nothing and is told nothing twice. What time alone brings about is not written,
and so not told: that a repeat becomes ripe. That a process has died is told as a change of the entries it worked on.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tinydb.queries import QueryInstance
from tinydb.table import Document

from engine.clock import Clock, utc_now
from engine.exceptions import InputError
from engine.lookup.entries import dead_owners
from engine.lookup.history import read_action, read_occurrence, read_run, verdict_fields
from engine.lookup.rows import read_row
from engine.store import Place, Store
from engine.verdicts import verdicts_of


class Kind(StrEnum):
    """What is followed."""

    ENTRY = "entry"
    ERROR = "error"
    RUN = "run"
    ACTION = "action"
    VERDICT = "verdict"


INTERVAL = 0.1
"""Seconds between two looks at the store; one at which nothing was written costs one small query."""

PAGE = 500
"""Documents that are read at once."""

_TABLES = {
    Kind.ENTRY: "entries", Kind.ERROR: "errors", Kind.RUN: "runs", Kind.ACTION: "actions", Kind.VERDICT: "verdicts",
}  # fmt: skip
_KINDS = {table: kind for kind, table in _TABLES.items()}
_PLACE = re.compile(rf"(\d{{1,18}})(?::({'|'.join(_KINDS)}):(\d{{1,18}}))?")


@dataclass(frozen=True)
class Event:
    """One document of a kind, as it was written; `fields` is None if it was removed."""

    place: Place
    kind: Kind
    fields: Mapping[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        """The fields that `wfe watch --json` promises."""
        head = {"seq": self.place.seq, "cursor": cursor(self.place), "kind": self.kind, "id": self.place.id}
        return {**head, "removed": self.fields is None, **(self.fields or {})}


Condition = Callable[[datetime], QueryInstance | None]
"""What entries have to answer to be told of at a moment (aware); None is all of them."""


class Follower:
    """Follows a store.

    Args:
        store: what is followed.
        after: the place to begin behind; `place` is the one it has come to. `Place(1)` is the beginning of all.
        kinds: which kinds.
        condition: which entries.
        clock: what states are shown for.
    """

    def __init__(
        self,
        store: Store,
        after: Place,
        kinds: Collection[Kind] = tuple(Kind),
        condition: Condition = lambda moment: None,
        clock: Clock = utc_now,
    ) -> None:
        self.place = after
        self._store = store
        # Who begins with nothing has no use for what was removed before.
        self._whole = store.seq() + 1 if after == Place(1) else 0
        self._tables = [_TABLES[kind] for kind in dict.fromkeys(kinds)]
        self._condition = condition
        self._clock = clock

    def look(self) -> Iterator[Event]:
        """What was written since the last look, up to now.

        Raises:
            InputError: so much was removed since the place that not all of it is known, or it is of another store.
            StoreError: the store cannot be read, or is another by now.
        """
        self._store.recover()
        seq = self._store.seq()
        is_more = seq + 1 != self.place.seq
        while is_more:
            # Asked before it is read: who is dead by then has left nothing that is not brought in.
            dead = dead_owners(self._store)
            writes = self._store.writes(self.place, self._tables, PAGE)
            if not writes.forgotten < max(self.place.seq, self._whole) <= writes.seq + 1:
                raise InputError(
                    f"not all that was written to {self._store.path} since {cursor(self.place)} is known any more: "
                    f"load it anew, as by `wfe ls --json`, and go on with --since {writes.seq}"
                )
            moment = self._clock()
            condition = self._condition(moment)
            for self.place, document in writes.found:
                kind = _KINDS[self.place.table]
                if document is None:
                    yield Event(self.place, kind, None)
                elif kind is not Kind.ENTRY or condition is None or condition(document):
                    yield Event(self.place, kind, self._fields(kind, document, moment, dead))
            is_more = len(writes.found) == PAGE
        self.place = max(self.place, Place(seq + 1))

    def _fields(self, kind: Kind, document: Document, moment: datetime, dead: Collection[str]) -> Mapping[str, Any]:
        match kind:
            case Kind.ENTRY:
                return read_row(document, moment, lambda owner: owner not in dead).to_json()
            case Kind.ERROR:
                return read_occurrence(document).to_json()
            case Kind.RUN:
                return read_run(document, moment, lambda owner: owner not in dead).to_json()
            case Kind.ACTION:
                return read_action(document, self._store.is_alive, verdicts_of(self._store, document.doc_id)).to_json()
            case Kind.VERDICT:
                return verdict_fields(document)


def cursor(place: Place) -> str:
    """A place as text, as `--since` takes it: `1042` behind that transaction, `1042:entries:17` behind a document."""
    return f"{place.seq}:{place.table}:{place.id}" if place.table else str(place.seq - 1)


def read_cursor(text: str) -> Place:
    """The place that `cursor` wrote.

    Raises:
        InputError: it is none.
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        raise InputError(f"{text!r} is no place to go on from: give the seq or the cursor of a line of `wfe watch`")
    seq, table, number = found.groups()
    return Place(int(seq), table, int(number)) if table else Place(int(seq) + 1)
