"""The tables behave as TinyDB's, and touch only the documents that an operation names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tinydb import Query, TinyDB, where
from tinydb.operations import delete, increment
from tinydb.queries import QueryInstance
from tinydb.table import Document

from engine.exceptions import EngineError, NotStorable
from engine.store import Store

ORDERS = [
    {"key": "A", "state": "failed", "attempts": 3},
    {"key": "B", "state": "finished", "attempts": 1},
    {"key": "C", "state": "failed", "attempts": 1},
]


@pytest.fixture
def orders(store: Store) -> Store:
    assert store.entries.insert_multiple(ORDERS) == [1, 2, 3]
    return store


def test_the_store_is_a_real_tinydb(orders: Store) -> None:
    assert isinstance(orders.db, TinyDB)
    assert orders.db.table("entries") is orders.entries
    assert orders.db.table("entries").search(Query().state == "finished") == [ORDERS[1]]


def test_what_was_inserted_is_there_after_reopening(path: Path) -> None:
    with Store(path) as store:
        doc_id = store.entries.insert({"key": "A", "data": {"lines": [1, 2.5, None, True, "é😀"]}})
    with Store(path) as store:
        assert store.entries.get(doc_id=doc_id) == {"key": "A", "data": {"lines": [1, 2.5, None, True, "é😀"]}}


def test_documents_bear_their_ids(orders: Store) -> None:
    assert [document.doc_id for document in orders.entries.all()] == [1, 2, 3]
    assert [document.doc_id for document in orders.entries] == [1, 2, 3]
    assert [document.doc_id for document in orders.entries.search(where("state") == "failed")] == [1, 3]


def test_get_answers_by_id_by_condition_and_in_the_order_asked(orders: Store) -> None:
    assert orders.entries.get(doc_id=2) == ORDERS[1]
    assert orders.entries.get(doc_id=9) is None
    assert orders.entries.get(where("attempts") == 1) == ORDERS[1]
    assert orders.entries.get(where("key") == "Z") is None
    assert [d.doc_id for d in orders.entries.get(doc_ids=[3, 9, 1, 3])] == [3, 1]
    with pytest.raises(RuntimeError):
        orders.entries.get()


def test_counting_and_containing(orders: Store) -> None:
    assert len(orders.entries) == 3
    assert orders.entries.count(where("state") == "failed") == 2
    assert orders.entries.count(where("attempts") == 1) == 2
    assert orders.entries.contains(where("key") == "C")
    assert not orders.entries.contains(doc_id=4)


def test_update_by_condition_by_ids_by_function_and_of_all(orders: Store) -> None:
    assert orders.entries.update({"state": "ready"}, where("state") == "failed") == [1, 3]
    assert orders.entries.update(increment("attempts"), doc_ids=[1, 9]) == [1]
    assert orders.entries.update(delete("attempts"), where("key") == "B") == [2]
    assert orders.entries.update({"seen": True}) == [1, 2, 3]
    assert orders.entries.all() == [
        {"key": "A", "state": "ready", "attempts": 4, "seen": True},
        {"key": "B", "state": "finished", "seen": True},
        {"key": "C", "state": "ready", "attempts": 1, "seen": True},
    ]


def test_update_multiple_applies_each_update_to_what_the_one_before_left(orders: Store) -> None:
    done = orders.entries.update_multiple(
        [({"state": "held"}, where("state") == "failed"), ({"held": 1}, where("state") == "held")]
    )
    assert done == [1, 1, 3, 3]
    assert orders.entries.count(where("held") == 1) == 2


def test_upsert_updates_or_inserts(orders: Store) -> None:
    assert orders.entries.upsert({"key": "A", "state": "held"}, where("key") == "A") == [1]
    assert orders.entries.upsert({"key": "D"}, where("key") == "D") == [4]
    assert orders.entries.upsert(Document({"key": "E"}, doc_id=10)) == [10]
    assert orders.entries.upsert(Document({"state": "new"}, doc_id=10)) == [10]
    assert orders.entries.get(doc_id=10) == {"key": "E", "state": "new"}
    assert orders.entries.insert({}) == 11


def test_remove_and_truncate(orders: Store) -> None:
    assert orders.entries.remove(where("state") == "failed") == [1, 3]
    assert orders.entries.remove(doc_ids=[1, 2]) == [2]
    assert orders.entries.all() == []
    orders.entries.insert_multiple(ORDERS)
    orders.entries.truncate()
    assert len(orders.entries) == 0
    with pytest.raises(RuntimeError):
        orders.entries.remove()


def test_tables_are_listed_and_dropped(orders: Store) -> None:
    orders.errors.insert({"error_id": "e"})
    orders.db.insert({"in": "the default table"})
    assert orders.db.tables() == {"entries", "errors", "_default"}
    orders.db.drop_table("errors")
    orders.db.drop_table("never there")
    assert orders.db.tables() == {"entries", "_default"}
    orders.db.drop_tables()
    assert orders.db.tables() == set()
    assert orders.entries.all() == []


def test_a_taken_id_is_refused_and_nothing_is_written(orders: Store) -> None:
    with pytest.raises(ValueError, match="already exists"):
        orders.entries.insert(Document({}, doc_id=1))
    with pytest.raises(ValueError, match="already exists"):
        orders.entries.insert_multiple([{}, Document({}, doc_id=2)])
    assert orders.entries.all() == ORDERS


def test_given_and_automatic_ids_in_one_insert_do_not_collide(store: Store) -> None:
    assert store.entries.insert_multiple([{}, Document({}, doc_id=2), {}]) == [1, 2, 3]
    assert len(store.entries) == 3


def test_returned_documents_do_not_alias_the_store(store: Store) -> None:
    mine = {"executions": [{"task": "t"}]}
    doc_id = store.entries.insert(mine)
    mine["executions"].append({"task": "mine"})
    for read in (
        store.entries.get(doc_id=doc_id),
        store.entries.all()[0],
        store.entries.search(where("executions").exists())[0],
    ):
        assert isinstance(read, Document)
        read["executions"].append({"task": "changed by the reader"})
    assert store.entries.get(doc_id=doc_id) == {"executions": [{"task": "t"}]}


def test_what_another_store_object_writes_is_seen_by_the_next_search(store: Store, path: Path) -> None:
    with Store(path) as other:
        for n in range(3):
            assert store.entries.search(where("state") == "failed") == [{"state": "failed"}] * n
            other.entries.insert({"state": "failed"})


def test_a_loop_over_a_table_may_change_it(store: Store) -> None:
    store.entries.insert_multiple({"n": n} for n in range(2_500))
    for document in store.entries:
        store.entries.update({"seen": True}, doc_ids=[document.doc_id])
    assert store.entries.count(where("seen") == True) == 2_500  # noqa: E712


def test_an_update_that_changes_nothing_writes_nothing(orders: Store) -> None:
    before = orders.seq()
    assert orders.entries.update({"state": "failed"}, where("state") == "failed") == [1, 3]
    assert orders.seq() == before


def test_a_document_that_is_not_json_is_refused_in_one_sentence(orders: Store) -> None:
    with pytest.raises(NotStorable, match=r"^document 4 of entries cannot be stored as JSON: .*set.*$") as refused:
        orders.entries.insert({"key": {"a", "set"}})
    assert isinstance(refused.value, EngineError)
    assert isinstance(refused.value, TypeError)
    with pytest.raises(NotStorable):
        orders.entries.update({"key": {"a", "set"}})
    assert orders.entries.all() == ORDERS


def test_a_nul_character_is_kept_and_found(store: Store) -> None:
    document = {"key": "a\0b", "data": {"text": "a\0b"}}
    doc_id = store.entries.insert(document)
    assert store.entries.get(doc_id=doc_id) == document
    assert store.entries.search(where("key") == "a\0b") == [document]
    assert store.entries.count(where("key") == "a") == 0


def test_a_table_may_have_any_name(store: Store) -> None:
    for name in ("it's", 'a "table"', "docs; DROP TABLE docs", "ключ", ""):
        table = store.db.table(name)
        assert table.insert({"n": 1}) == 1
        assert table.search(where("n") == 1) == [{"n": 1}]
        assert table.get(doc_id=1) == {"n": 1}


@pytest.mark.parametrize(("reverse", "limit"), [(False, None), (True, None), (False, 3), (True, 2)])
def test_the_ids_that_answer_a_condition_are_of_one_moment_though_others_write_while_all_is_read(
    store: Store, reverse: bool, limit: int | None
) -> None:
    ids = store.entries.insert_multiple({"key": str(number), "note": "old"} for number in range(3_000))
    with Store(store.path) as other:
        seen: list[str] = []

        def is_odd_one(document: Mapping[str, Any]) -> bool:
            seen.append(document["key"])
            if len(seen) == 1_500:  # it stands in the middle: what is before it was read, what is behind it was not
                other.entries.update({"note": "new"}, doc_ids=[ids[3], ids[2_500]])
                other.entries.remove(doc_ids=[ids[5], ids[2_600]])
                other.entries.insert({"key": "late", "note": "new"})
            return document["note"] == "new" or document["key"] in ("5", "2600", "7")

        found = store.entries.ids(QueryInstance(is_odd_one, ("odd",)), reverse=reverse, limit=limit)
    expected = sorted([ids[3], ids[7], ids[2_500], 3_001], reverse=reverse)
    assert list(found) == expected[:limit]
