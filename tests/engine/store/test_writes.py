"""A follower of what was written is handed the documents in order, and goes on from any of them."""

from pathlib import Path
from typing import Any

import pytest
from tinydb import where
from tinydb.table import Document

from engine.store import Place, Store, Writes
from engine.store.changes import REMEMBERED, Write

BEGINNING = Place(1)
TABLES = ("entries", "errors", "my own")


def followed(store: Store, after: Place, limit: int = 500) -> list[tuple[str, Any]]:
    """All that was written behind a place, as `table id` and the document's number."""
    found = []
    while page := store.writes(after, TABLES, limit).found:
        assert len(page) <= limit
        for place, document in page:
            assert place > after
            after = place
            assert document is None or document.doc_id == place.id
            found.append((f"{place.table} {place.id}", None if document is None else document["n"]))
    return found


def test_documents_come_in_the_order_in_which_they_were_written(store: Store) -> None:
    store.entries.insert_multiple([{"n": 1}, {"n": 2}, {"n": 3}])
    store.db.table("my own").insert({"n": 4})
    store.runs.insert({"n": 0})
    store.errors.insert({"n": 5})
    store.entries.update({"n": 6}, doc_ids=[2])
    store.entries.remove(doc_ids=[1])
    assert followed(store, BEGINNING) == [
        ("entries 3", 3), ("my own 1", 4), ("errors 1", 5), ("entries 2", 6), ("entries 1", None),
    ]  # fmt: skip


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_one_that_stops_anywhere_loses_nothing_and_gets_nothing_twice(store: Store, limit: int) -> None:
    with store.transaction():
        for n in range(5):
            store.errors.insert({"n": n})
            store.entries.insert({"n": n})
            store.db.table("my own").insert({"n": n})
    store.entries.remove(where("n") == 1)
    whole = followed(store, BEGINNING)
    assert len(set(whole)) == len(whole) == 15
    assert followed(store, BEGINNING, limit) == whole
    for at, write in enumerate(store.writes(BEGINNING, TABLES).found):
        assert followed(store, write.place, limit) == whole[at + 1 :]


def test_what_is_written_again_meanwhile_comes_later_as_it_is_then(store: Store) -> None:
    with store.transaction():
        for n in range(4):
            store.entries.insert({"n": n})
    (first, second) = store.writes(BEGINNING, TABLES, 2).found
    store.entries.update({"n": 10}, doc_ids=[1])
    store.entries.update({"n": 40}, doc_ids=[4])
    assert followed(store, second.place) == [("entries 3", 2), ("entries 1", 10), ("entries 4", 40)]
    assert first.document == {"n": 0}


def test_a_removed_id_that_is_used_again_is_no_removal(store: Store) -> None:
    store.entries.insert({"n": 1})
    with store.transaction():
        store.entries.remove(doc_ids=[1])
        store.entries.insert({"n": 2})
    assert followed(store, BEGINNING) == [("entries 1", 2)]


def test_what_is_touched_comes_again_as_it_was(store: Store) -> None:
    store.entries.insert_multiple([{"n": 1}, {"n": 2}])
    seq = store.seq()
    store.entries.touch([])
    assert store.seq() == seq
    store.entries.touch([1])
    assert store.seq() == seq + 1
    assert followed(store, Place(seq + 1)) == [("entries 1", 1)]


def test_it_is_said_of_which_transactions_removals_are_forgotten(store: Store) -> None:
    store.entries.insert({"n": 1})
    seq = store.seq()
    assert store.writes(BEGINNING, TABLES) == (Writes([Write(Place(1, "entries", 1), Document({"n": 1}, 1))], seq, 0))
    store.entries.insert_multiple({"n": n} for n in range(2 * REMEMBERED + 2))
    store.entries.truncate()
    assert store.writes(Place(store.seq() + 1), TABLES) == Writes([], seq + 2, seq + 2)


def test_who_may_only_read_may_follow(store: Store, tmp_path: Path) -> None:
    store.entries.insert({"n": 1})
    with Store(store.path, read_only=True) as reader:
        assert followed(reader, BEGINNING) == [("entries 1", 1)]
        store.entries.insert({"n": 2})
        assert followed(reader, Place(2)) == [("entries 2", 2)]
