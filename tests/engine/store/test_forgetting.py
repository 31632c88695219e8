"""Removals are remembered for those who follow, up to a bound; who comes later is told to load everything anew."""

from pathlib import Path

import pytest

from engine.store import Store, changes


@pytest.fixture
def store_that_forgets(path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(changes, "REMEMBERED", 10)
    return Store(path)


def test_who_follows_closely_misses_nothing(store_that_forgets: Store) -> None:
    with store_that_forgets as store:
        ids = store.entries.insert_multiple({"key": f"{n}"} for n in range(200))
        since, removed = store.seq(), []
        for doc_id in ids:
            store.entries.remove(doc_ids=[doc_id])
            new = store.changes(since)
            assert new.is_complete
            removed += new.removed["entries"]
            since = new.seq
        assert removed == ids


def test_who_comes_too_late_is_told(store_that_forgets: Store) -> None:
    with store_that_forgets as store:
        store.entries.insert_multiple({"key": f"{n}"} for n in range(100))
        start = store.seq()
        for doc_id in range(1, 100):
            store.entries.remove(doc_ids=[doc_id])
        late = store.changes(start)
        assert not late.is_complete
        assert late.seq == store.seq()
        assert late.concern("entries")
        assert late.concern("whatever")
        assert store.changes(late.seq).is_complete
        assert store.changes(late.seq - 10).is_complete


def test_a_transaction_is_remembered_whole_or_not_at_all(store_that_forgets: Store) -> None:
    with store_that_forgets as store:
        store.entries.insert_multiple({"key": f"{n}"} for n in range(100))
        before = store.seq()
        store.entries.remove(doc_ids=range(1, 60))
        assert not store.changes(before).is_complete
        assert store.changes(before + 1).is_complete


def test_what_is_remembered_is_bounded(store_that_forgets: Store) -> None:
    with store_that_forgets as store:
        for n in range(100):
            store.entries.remove(doc_ids=[store.entries.insert({"key": f"{n}"})])
        ((count,),) = store.db.storage.rows("SELECT count(*) FROM gone")
        assert count <= 21


def test_a_follower_of_another_file_under_the_same_name_is_told(path: Path) -> None:
    with Store(path) as store:
        store.entries.insert({})
        assert not store.changes(since=100).is_complete
