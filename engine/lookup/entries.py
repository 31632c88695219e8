"""Finds stored entries and errors for people and lists; what is not there is said in one sentence."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import islice
from random import Random

from tinydb import where
from tinydb.queries import QueryInstance
from tinydb.table import Document

from engine.clock import to_text
from engine.exceptions import InputError
from engine.lookup.rows import EntryRow, current, read_row
from engine.state import State
from engine.store import DocumentTable, Store

PAGE = 500
"""So many documents are read at once."""


def documents(table: DocumentTable, ids: Iterable[int], page: int = PAGE) -> Iterator[Document]:
    """The documents of a table with these ids, in this order, read a page at a time; what is gone is left out."""
    waiting = iter(ids)
    while at_once := list(islice(waiting, page)):
        yield from table.get(doc_ids=at_once)


def rows(store: Store, moment: datetime, ids: Iterable[int] | None = None) -> Iterator[EntryRow]:
    """Stored entries as a list shows them at `moment` (aware), `PAGE` at a time.

    Args:
        store: where they are.
        moment: what has become due by then is ready.
        ids: their numbers; None is all of them, by key.
    """
    for document in documents(store.entries, store.entries.ids(order_by="key") if ids is None else ids):
        yield read_row(document, moment, store.is_alive)


def count_states(
    store: Store, moment: datetime, condition: QueryInstance | None = None, ids: Collection[int] | None = None
) -> Counter[State]:
    """How many entries stand in each state at `moment` (aware).

    Args:
        store: where they are.
        moment: what has become due by then is ready.
        condition: which entries are counted; None is all.
        ids: which of them, where these are known: a condition that no index answers is not asked again.
    """
    if ids is not None:
        condition, among = None, frozenset(ids)

    def only(kind: QueryInstance) -> list[int]:
        found = store.entries.ids(kind if condition is None else kind & condition)
        return [number for number in found if ids is None or number in among]

    counted = store.entries.counts("state", condition, doc_ids=ids)
    counts = Counter({State(name): number for name, number in counted.items()})
    is_ripe = (where("state") == State.WAITING) & (where("due") <= to_text(moment))
    ripe = len(only(is_ripe)) if ids is not None else store.entries.count(is_ripe & condition if condition else is_ripe)
    counts.update({State.READY: ripe, State.WAITING: -ripe})
    for owner in store.entries.counts("owner", where("state") == State.RUNNING):
        if not (owner and store.is_alive(owner)):
            left = only((where("state") == State.RUNNING) & (where("owner") == owner))
            counts[State.RUNNING] -= len(left)
            counts.update(row.state for row in rows(store, moment, left))
    return +counts


def count_tasks(store: Store, moment: datetime, state: State, processor: str) -> Counter[str]:
    """At which tasks how many entries of a processor stand that stand in `state` at `moment` (aware).

    No index has their tasks, so each of them is read; of more than `COUNTED` a part, chosen by chance, tells of all.
    """
    own, dead = where("processor") == processor, dead_owners(store)
    ids = store.entries.ids(_stored_as(state, dead, moment) & own)
    chosen = Random(0).sample(ids, SAMPLED) if len(ids) > COUNTED else ids
    counts = store.entries.counts("task", doc_ids=chosen) if chosen else {}
    found = Counter({task: round(number * len(ids) / len(chosen)) for task, number in counts.items() if task})
    left = rows(store, moment, store.entries.ids(_left_by(dead) & own)) if dead else ()
    found.update(row.task for row in left if row.state is state and row.task)
    return found


COUNTED, SAMPLED = 20_000, 5_000
"""Up to so many entries are counted by their tasks; of more, so many are."""


def stands_in(state: State, store: Store, moment: datetime) -> QueryInstance:
    """The condition that an entry stands in `state` at `moment` (aware), as `count_states` counts and `rows` shows.

    The stored state is of the latest write; since then a repeat may have become ripe, or an owner died.
    """
    dead = dead_owners(store)
    condition = _stored_as(state, dead, moment)
    if dead and state is not State.RUNNING:
        is_left = QueryInstance(
            lambda document: current(document, moment, store.is_alive)["state"] == state,
            ("left in", state, to_text(moment)),
        )
        condition = condition | (_left_by(dead) & is_left)
    return condition


def state_ids(store: Store, moment: datetime, states: Iterable[State]) -> list[int]:
    """The numbers of the entries that stand in one of these states at `moment` (aware)."""
    wanted, dead = list(states), dead_owners(store)
    found = [number for state in wanted for number in store.entries.ids(_stored_as(state, dead, moment))]
    # Read by themselves: with them in the condition, no index would answer the rest of it.
    left = rows(store, moment, store.entries.ids(_left_by(dead))) if dead else ()
    return found + [row.id for row in left if row.state in wanted and row.state is not State.RUNNING]


def dead_owners(store: Store) -> list[str]:
    """Whose process has died while it worked on entries."""
    owners = store.entries.counts("owner", where("state") == State.RUNNING)
    return [owner for owner in owners if not (owner and store.is_alive(owner))]


def _left_by(dead: list[str]) -> QueryInstance:
    left: QueryInstance = (where("state") == State.RUNNING) & where("owner").one_of(dead)
    return left


def _stored_as(state: State, dead: list[str], moment: datetime) -> QueryInstance:
    """The condition that an entry was written in a state in which it still is, or was to be by `moment`."""
    stored: QueryInstance = where("state") == state
    waits: QueryInstance = where("state") == State.WAITING
    due: QueryInstance = where("due") <= to_text(moment)
    if state is State.READY:
        return stored | (waits & due)
    if state is State.WAITING:
        later: QueryInstance = (where("due") == None) | (where("due") > to_text(moment))  # noqa: E711 - a query, not a test
        return stored & later
    if state is State.RUNNING and dead:
        living: QueryInstance = ~where("owner").one_of(dead)
        return stored & living
    return stored


def find_entry(store: Store, key: str, processor: str | None = None) -> Document:
    """The stored entry of this key.

    Raises:
        InputError: there is none, or two processors have one.
    """
    found = find_entries(store, [key], processor)[key]
    if isinstance(found, InputError):
        raise found
    return found


def find_entries(store: Store, keys: Iterable[str], processor: str | None = None) -> dict[str, Document | InputError]:
    """The stored entries of these keys, in this order; in place of one that cannot be told, why."""
    by_key: dict[str, list[Document]] = {key: [] for key in keys}
    # By the keys alone: the index of processors would have all entries of one looked through.
    for document in store.entries.search(where("key").one_of(list(by_key))):
        if processor in (None, document["processor"]):
            by_key[document["key"]].append(document)
    return {key: _only(found) or _untold(key, found, store) for key, found in by_key.items()}


def _only(found: list[Document]) -> Document | None:
    return found[0] if len(found) == 1 else None


def _untold(key: str, found: list[Document], store: Store) -> InputError:
    if not found:
        return InputError(f"there is no entry {key!r} in {store.path}: `wfe ls` lists the keys")
    names = " and ".join(sorted(document["processor"] for document in found))
    return InputError(f"{names} have an entry {key!r}: name one of them with --processor")


def keys_of(store: Store, ids: Iterable[int]) -> dict[str, dict[str, int]]:
    """The keys of entries and their numbers, by processor; those that are gone are left out."""
    found: dict[str, dict[str, int]] = {}
    for document in documents(store.entries, ids):
        found.setdefault(document["processor"], {})[document["key"]] = document.doc_id
    return found


def find_processor(store: Store, name: str) -> str:
    """The processor (`module:Class`) that has entries or runs in the store; its class name will do if no other has it.

    Raises:
        InputError: there is none, or several have this class name.
    """
    known = sorted({*store.entries.counts("processor"), *store.runs.counts("processor")})
    found = [name] if name in known else [other for other in known if other.rpartition(":")[2] == name]
    if not found:
        near = ", ".join(known) or "none"
        raise InputError(f"no processor {name!r} has run on {store.path}; those that have: {near}")
    if len(found) > 1:
        raise InputError(f"{' and '.join(found)} are called {name!r}: name one of them in full")
    return found[0]


def find_fingerprint(store: Store, beginning: str) -> str:
    """The fingerprint of the group of errors that begins like this.

    Raises:
        InputError: there is none, or several begin like this.
    """
    near = (where("fingerprint") >= beginning) & (where("fingerprint") < beginning + "~")
    found = list(store.errors.counts("fingerprint", near))
    if len(found) > 1:
        raise InputError(f"{len(found)} fingerprints begin with {beginning!r}: give more of it")
    if not found:
        raise InputError(f"there is no error with the fingerprint {beginning!r} in {store.path}")
    return str(found[0])


def find_error(store: Store, error_id: str) -> Document:
    """The record of an error id, or of the one id that begins like this; of a fingerprint, the newest of its errors.

    Raises:
        InputError: there is none, or several begin like this.
    """
    if ":" in error_id:
        own = where("fingerprint") == find_fingerprint(store, error_id)
        return store.errors.get(doc_ids=store.errors.ids(own, order_by="time", reverse=True, limit=1))[0]
    if len(error_id) < 4:
        raise InputError(f"the error id {error_id!r} is too short: give at least its first four characters")
    found = store.errors.search((where("error_id") >= error_id) & (where("error_id") < error_id + "~"))
    if not found:
        raise InputError(f"there is no error {error_id!r} in {store.path}: `wfe show KEY` shows those of an entry")
    if len(found) > 1:
        raise InputError(f"{len(found)} error ids begin with {error_id!r}: give more of it")
    return found[0]
