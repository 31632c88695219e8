"""A follower asks what changed after a number, and pays for that alone."""

from tinydb import where

from engine.store import Changes, Store


def test_changes_name_what_was_added_changed_and_removed_by_table(store: Store) -> None:
    store.entries.insert_multiple([{"n": 1}, {"n": 2}, {"n": 3}])
    since = store.seq()
    assert store.changes(since) == Changes(since, {}, {})
    store.entries.update({"n": 0}, doc_ids=[3])
    store.errors.insert({})
    store.entries.remove(doc_ids=[1])
    store.entries.insert({"n": 4})
    assert store.changes(since) == Changes(since + 4, {"entries": [3, 4], "errors": [1]}, {"entries": [1]})
    assert store.changes(since + 3) == Changes(since + 4, {"entries": [4]}, {})


def test_a_document_changed_often_is_named_once_at_its_last_place(store: Store) -> None:
    store.entries.insert_multiple([{}, {}])
    for n in range(3):
        store.entries.update({"n": n}, doc_ids=[1])
    assert store.changes(0).changed == {"entries": [2, 1]}


def test_a_removed_id_that_is_used_again_is_a_change_and_no_removal(store: Store) -> None:
    store.entries.insert({"n": 1})
    since = store.seq()
    store.entries.remove(doc_ids=[1])
    store.entries.insert({"n": 2})
    assert store.changes(since) == Changes(since + 2, {"entries": [1]}, {})
    store.entries.remove(doc_ids=[1])
    assert store.changes(since) == Changes(since + 3, {}, {"entries": [1]})


def test_dropping_and_truncating_show_as_removals(store: Store) -> None:
    store.entries.insert_multiple([{}, {}])
    store.errors.insert({})
    store.runs.insert({})
    since = store.seq()
    store.entries.truncate()
    store.db.drop_table("errors")
    store.db.drop_tables()
    assert store.changes(since).removed == {"entries": [1, 2], "errors": [1], "runs": [1]}


def test_numbers_rise_through_removals_and_reopening(store: Store) -> None:
    store.entries.insert({"n": 1})
    store.entries.remove(where("n") == 1)
    assert store.seq() == 2
    with Store(store.path) as again:
        assert again.seq() == 2
        again.entries.insert({})
    assert store.seq() == 3
