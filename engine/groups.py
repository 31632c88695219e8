"""Errors by their cause: the groups that a fingerprint names; see `engine.errors.fingerprint`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from tinydb import where
from tinydb.queries import QueryInstance

from engine.clock import from_text, to_text
from engine.planning import State
from engine.store import Store

BARS = 24
"""Into how many intervals the time that is looked at is cut."""

TASKS_FROM = 20
"""From how many of its newest occurrences the tasks of a group are told."""


@dataclass(frozen=True)
class ErrorGroup:
    """One cause. `first` and `last` (UTC) are when it was seen; `count` how often, `entries` on how many of them it was
    ever, `failing` how many stand failed by it now. `trend` counts it in equal intervals that end at this moment."""

    fingerprint: str
    type: str
    message: str
    count: int
    entries: int
    failing: int
    tasks: tuple[str, ...]
    processors: tuple[str, ...]
    first: datetime
    last: datetime
    trend: Sequence[int]


def error_groups(store: Store, moment: datetime, span: timedelta = timedelta(days=1)) -> list[ErrorGroup]:
    """The groups of a store's errors, those first of which most entries stand failed now.

    Args:
        store: where they are.
        moment: at which the trend ends (aware).
        span: how far it goes back.
    """
    counts = store.errors.counts("fingerprint")
    failing = failing_by_group(store)
    groups = [
        _group(store, fingerprint, count, failing.get(fingerprint, 0), moment, span)
        for fingerprint, count in counts.items()
    ]
    return sorted(groups, key=lambda group: (group.failing, group.last), reverse=True)


def failing_by_group(store: Store) -> dict[str, int]:
    """How many entries stand failed now, by the fingerprint of their error."""
    has_failed: QueryInstance = where("state") == State.FAILED
    by_error = store.entries.counts("error_id", has_failed & (where("error_id") != None))  # noqa: E711 - a query
    if not by_error:
        return {}
    return store.errors.counts("fingerprint", where("error_id").one_of(list(by_error)))


def failed_by(store: Store, fingerprints: Iterable[str]) -> list[int]:
    """The numbers of the entries that stand failed by errors of these groups."""
    found: list[int] = []
    for fingerprint in fingerprints:
        errors = list(store.errors.counts("error_id", where("fingerprint") == fingerprint))
        found += store.entries.ids((where("state") == State.FAILED) & where("error_id").one_of(errors))
    return found


def _group(store: Store, fingerprint: str, count: int, failing: int, moment: datetime, span: timedelta) -> ErrorGroup:
    own: QueryInstance = where("fingerprint") == fingerprint
    newest = store.errors.get(doc_ids=store.errors.ids(own, order_by="time", reverse=True, limit=TASKS_FROM))
    oldest = store.errors.get(doc_ids=store.errors.ids(own, order_by="time", limit=1))
    return ErrorGroup(
        fingerprint,
        newest[0]["type"],
        newest[0]["message"],
        count,
        len(store.errors.counts("key", own)),
        failing,
        tuple(dict.fromkeys(record["task"] for record in newest if record["task"])),
        tuple(dict.fromkeys(record["processor"] for record in newest)),
        from_text(oldest[0]["time"]),
        from_text(newest[0]["time"]),
        _trend(store, own, moment, span) if count > 1 else _lone(from_text(newest[0]["time"]), moment, span),
    )


def _trend(store: Store, own: QueryInstance, moment: datetime, span: timedelta) -> list[int]:
    edges = [to_text(moment - span + span * part / BARS) for part in range(BARS + 1)]
    return [
        store.errors.count(own & (where("time") >= begin) & (where("time") < end)) for begin, end in pairwise(edges)
    ]


def _lone(time: datetime, moment: datetime, span: timedelta) -> list[int]:
    bars = [0] * BARS
    place = BARS - 1 - int((moment - time) / span * BARS)
    if 0 <= place < BARS:
        bars[place] = 1
    return bars
