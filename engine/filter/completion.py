"""What may follow where somebody types a filter: names of fields, and values that are found in the store."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from tinydb import where
from tinydb.table import Document

from engine.filter.fields import FIELDS, MOMENTS, REPEATS, RUNS
from engine.filter.syntax import as_typed
from engine.state import State
from engine.store import Store

MOST = 20
"""How many completions are offered."""

LOOKED_AT = 200
"""Of how many of the newest documents the values are offered, where no index knows them all."""


@dataclass(frozen=True)
class Completion:
    """What may be put in the place of the word at the cursor, which begins at `start`."""

    start: int
    text: str


def complete(text: str, store: Store) -> list[Completion]:
    """What may come next, the cursor being at the end of `text`; nothing where that is anybody's guess.

    It reads the store: call it from a thread that may wait.
    """
    word = _LAST.search(text)
    assert word is not None, "it may be empty"
    typed = word.group("value")
    if word.group("field") is None:
        start = word.start("value")
        if not typed:
            return []
        names = (f"{name}:" if not name.endswith(".") else name for name in FIELDS)
        return [Completion(start, name) for name in names if name.startswith(typed.lower()) and name != typed]
    field, start = word.group("field"), word.start("value")
    if field.lower() == "data":
        found: Iterable[str] = (f"{name}:" for name in _data_names(store))
    else:
        found = _values(field.lower(), typed, store)
    near = dict.fromkeys(value for value in found if value.casefold().startswith(typed.casefold()) and value != typed)
    return [Completion(start, value if field.lower() in MOMENTS else as_typed(value)) for value in list(near)[:MOST]]


_LAST = re.compile(r"(?:(?P<field>data(?=\.)|[A-Za-z_][\w.-]*?)(?:[:=.]))?(?P<value>[^\s()|:=\"]*)$")


def _values(field: str, typed: str, store: Store) -> Iterable[str]:
    if field.startswith("data."):
        return _data_values(field, store)
    known: dict[str, Callable[[], Iterable[str]]] = {
        "state": lambda: (state.name.lower() for state in State),
        "repeat": lambda: REPEATS,
        "processor": lambda: map(str, store.entries.counts("processor")),
        "task": lambda: _tasks(store),
        "key": lambda: known_keys(typed, store),
        "error": lambda: _errors(store),
        "action": lambda: map(str, store.actions.ids(order_by="when", reverse=True, limit=MOST)),
        "age": lambda: (">10m", ">1h", ">1d", "<10m"),
        "due": lambda: ("<1h", "<1d"),
        "hour": lambda: map(str, range(24)),
        **{name: partial(_of_runs, store, of) for name, of in RUNS.items()},
    }
    return known[field]() if field in known else ()


def _tasks(store: Store) -> Iterator[str]:
    for processor in store.entries.counts("processor"):
        [*first] = store.entries.ids(where("processor") == processor, limit=1)
        for document in store.entries.get(doc_ids=first):
            yield from document["tasks"]


def known_keys(typed: str, store: Store) -> Iterator[str]:
    """The first keys of entries that begin like this, by an index."""
    near = (where("key") >= typed) & (where("key") < typed + chr(0x10FFFF))
    for document in store.entries.get(doc_ids=store.entries.ids(near, order_by="key", limit=MOST)):
        yield document["key"]


def _errors(store: Store) -> Iterator[str]:
    yield from dict.fromkeys(record["type"].rpartition(".")[2] for record in _newest_errors(store))
    yield from newest_fingerprints(store)


def newest_fingerprints(store: Store) -> Iterable[str]:
    """The fingerprints of the newest errors, the newest first."""
    return dict.fromkeys(record["fingerprint"] for record in _newest_errors(store))


def _newest_errors(store: Store) -> list[Document]:
    return store.errors.get(doc_ids=store.errors.ids(order_by="time", reverse=True, limit=LOOKED_AT))


def _of_runs(store: Store, field: str) -> Iterator[str]:
    newest = store.runs.get(doc_ids=store.runs.ids(order_by="started", reverse=True, limit=LOOKED_AT))
    yield from (str(run[field]) for run in newest if run.get(field) is not None)


def _data_names(store: Store) -> Iterator[str]:
    for document in _newest_entries(store):
        yield from (name for name in document["data"] if name.isidentifier())


def _data_values(field: str, store: Store) -> Iterator[str]:
    path = field.split(".")[1:]
    for document in _newest_entries(store):
        value = document["data"]
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str | int | float):
            yield str(value)


def _newest_entries(store: Store) -> list[Document]:
    return store.entries.get(doc_ids=store.entries.ids(order_by="updated", reverse=True, limit=LOOKED_AT))
