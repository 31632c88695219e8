"""When groups of errors were seen, and which entries stand failed by them: questions that indexes answer."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

from tinydb import where
from tinydb.queries import QueryInstance

from engine.clock import from_text, to_text
from engine.state import State
from engine.store import Store


def of_group(fingerprint: str) -> QueryInstance:
    """The condition that an error is of this group."""
    own: QueryInstance = where("fingerprint") == fingerprint
    return own


def restarts_of(fingerprint: str) -> QueryInstance:
    """The condition that a verdict is on an entry that stood failed by this group, and was to be executed again."""
    condition: QueryInstance = of_group(fingerprint) & (where("executes") == True)  # noqa: E712 - a query, not a test
    return condition


def first_and_last(store: Store, fingerprint: str) -> tuple[datetime, datetime] | None:
    """When a group was seen first, and last (UTC); None if it never was."""
    first, last = store.errors.bounds("time", of_group(fingerprint))
    return None if first is None else (from_text(first), from_text(last))


def seen_since(store: Store, fingerprint: str, moment: datetime) -> int:
    """How often a group was seen after a moment (aware)."""
    return store.errors.count(of_group(fingerprint) & (where("time") > to_text(moment)))


def failing_by_group(store: Store) -> Counter[str]:
    """How many entries stand failed now, by the fingerprint of their error."""
    return groups_of(store, store.entries.counts("error_id", _FAILED & _HAS_ERROR))


def groups_of(store: Store, errors: Collection[str]) -> Counter[str]:
    """How many of these error ids are of each group; those of which nothing is known any more are left out."""
    if not errors:
        return Counter()
    return Counter(store.errors.counts("fingerprint", where("error_id").one_of(list(errors))))


def failed_by(store: Store, fingerprints: Iterable[str]) -> list[int]:
    """The numbers of the entries that stand failed by errors of these groups."""
    found: list[int] = []
    for fingerprint in fingerprints:
        errors = list(store.errors.counts("error_id", of_group(fingerprint)))
        found += store.entries.ids(_FAILED & where("error_id").one_of(errors))
    return found


_FAILED: QueryInstance = where("state") == State.FAILED
_HAS_ERROR: QueryInstance = where("error_id") != None  # noqa: E711 - a query, not a test
