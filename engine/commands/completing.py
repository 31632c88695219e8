"""What the shell may complete: keys, ids, numbers and filters, from the store that the command line means.

It is asked for at each press of a key, so it reads a bounded number of documents, by an index. It writes nothing, makes
no store, and is silent where there is none, or a broken one: a shell that complains while one types helps nobody.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress

import typer

from engine.exceptions import EngineError
from engine.store import Store, store_path

MOST = 20
"""How many are offered."""

Find = Callable[[Store, str], Iterable[object]]
"""What is in a store that may be meant by the beginning of a word."""


def _of_the_store(find: Find) -> Callable[[typer.Context, str], list[str]]:
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        with suppress(EngineError), Store(store_path(ctx.params.get("store")), read_only=True) as store:
            return [text for text in map(str, find(store, incomplete)) if text.startswith(incomplete)]
        return []

    return complete


def _keys(store: Store, typed: str) -> Iterable[str]:
    from engine.filter.completion import known_keys

    return known_keys(typed, store)


def _filter(store: Store, typed: str) -> Iterable[str]:
    from engine.filter.completion import complete
    from engine.filter.fields import FIELDS

    if not typed:
        return (f"{name}:" for name in FIELDS if not name.endswith("."))
    return (typed[: found.start] + found.text for found in complete(typed, store))


def _keys_or_filter(store: Store, typed: str) -> Iterable[str]:
    yield from _keys(store, typed)
    if typed:
        yield from _filter(store, typed)


def _errors(store: Store, typed: str) -> Iterable[str]:
    from tinydb import where

    if typed:
        near = (where("error_id") >= typed) & (where("error_id") < typed + "~")
        ids = store.errors.ids(near, order_by="error_id", limit=MOST)
    else:
        ids = store.errors.ids(order_by="time", reverse=True, limit=MOST)
    return (record["error_id"] for record in store.errors.get(doc_ids=ids))


def _fingerprints(store: Store, typed: str) -> Iterable[str]:
    from engine.filter.completion import newest_fingerprints

    return newest_fingerprints(store)


def _processors(store: Store, typed: str) -> Iterable[object]:
    return store.entries.counts("processor")


def _runs(store: Store, typed: str) -> Iterable[int]:
    return store.runs.ids(order_by="started", reverse=True, limit=MOST)


def _actions(store: Store, typed: str) -> Iterable[int]:
    return store.actions.ids(order_by="when", reverse=True, limit=MOST)


keys = _of_the_store(_keys)
filters = _of_the_store(_filter)
keys_or_filters = _of_the_store(_keys_or_filter)
error_ids = _of_the_store(_errors)
fingerprints = _of_the_store(_fingerprints)
processors = _of_the_store(_processors)
runs = _of_the_store(_runs)
actions = _of_the_store(_actions)
