"""All or nothing: within a thread, between threads, and for those who read meanwhile."""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tinydb import TinyDB, where
from tinydb.operations import increment

from engine.exceptions import StoreConflict, StoreError
from engine.store import Store
from engine.store.storage import SqliteStorage


class Stopped(Exception):  # noqa: N818 - it is no error of the store's
    pass


def test_a_transaction_that_raises_leaves_nothing_in_any_table(store: Store) -> None:
    store.entries.insert({"key": "A"})
    before = store.seq()

    def half() -> None:
        with store.transaction():
            store.entries.update({"state": "failed"}, where("key") == "A")
            store.errors.insert({"error_id": "e"})
            store.entries.truncate()
            store.entries.insert({"key": "B"})
            assert store.entries.all() == [{"key": "B"}]
            raise Stopped

    with pytest.raises(Stopped):
        half()
    assert store.entries.all() == [{"key": "A"}]
    assert store.errors.all() == []
    assert store.seq() == before


def test_a_nested_transaction_belongs_to_the_outer_one(store: Store) -> None:
    def half() -> None:
        with store.transaction():
            with store.transaction():
                store.entries.insert({"key": "A"})
            raise Stopped

    with pytest.raises(Stopped):
        half()
    assert store.entries.all() == []


def test_a_nested_transaction_that_raises_takes_back_only_its_own_writes(store: Store) -> None:
    def half() -> None:
        with store.transaction():
            store.entries.update({"key": "B"})
            store.errors.insert({})
            raise Stopped

    with store.transaction():
        store.entries.insert({"key": "A"})
        with pytest.raises(Stopped):
            half()
        store.entries.insert({"key": "C"})
    assert store.entries.all() == [{"key": "A"}, {"key": "C"}]
    assert store.errors.all() == []


def test_an_operation_that_fails_midway_within_a_transaction_takes_back_only_itself(store: Store) -> None:
    with store.transaction():
        store.entries.insert({"key": "A"})
        with pytest.raises(TypeError):
            store.entries.insert_multiple([{"key": "B"}, {"key": {"a", "set"}}])
    assert store.entries.all() == [{"key": "A"}]


def test_a_transaction_bears_one_number(store: Store) -> None:
    assert store.seq() == 0
    with store.transaction():
        store.entries.insert({})
        store.errors.insert_multiple([{}, {}])
        with store.transaction():
            store.runs.insert({})
    assert store.seq() == 1
    with store.transaction():
        pass
    assert store.seq() == 1


def test_others_see_a_transaction_when_it_has_ended_and_do_not_wait_for_it(store: Store) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(len(store.entries))

    with store.transaction():
        store.entries.insert_multiple({} for _ in range(100))
        reader = threading.Thread(target=look)
        reader.start()
        reader.join()
    assert seen == [0]
    look()
    assert seen == [0, 100]


def test_threads_that_count_up_one_document_lose_nothing(store: Store) -> None:
    store.entries.insert({"n": 0})

    def count() -> None:
        for _ in range(100):
            store.entries.update(increment("n"), doc_ids=[1])

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.entries.get(doc_id=1) == {"n": 800}


def test_threads_that_read_while_one_writes_see_whole_transactions_that_never_go_back(store: Store) -> None:
    store.entries.insert_multiple([{"key": "left", "n": 0}, {"key": "right", "n": 0}])
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            with store.transaction():
                store.entries.update(increment("n"), where("key") == "left")
                store.entries.update(increment("n"), where("key") == "right")

    def read() -> None:
        last = 0
        for _ in range(200):
            left, right = store.entries.all()
            assert last <= left["n"] == right["n"]
            last = left["n"]

    with ThreadPoolExecutor(5) as pool:
        writer = pool.submit(write)
        readers = [pool.submit(read) for _ in range(4)]
        try:
            for reader in readers:
                reader.result()
        finally:
            ended.set()
        writer.result()
    assert store.seq() > 1


def test_threads_that_have_ended_leave_no_file_open(store: Store) -> None:
    open_files = Path("/proc/self/fd")
    if not open_files.exists():
        pytest.skip("this system does not tell which files a process has open")

    def use() -> None:
        store.entries.insert({})
        store.entries.all()

    def start_threads() -> int:
        for _ in range(40):
            thread = threading.Thread(target=use)
            thread.start()
            thread.join()
        return len(list(open_files.iterdir()))

    # In a program that holds much, Python looks for garbage in cycles so seldom that hundreds of files would pile up.
    gc.disable()
    try:
        assert start_threads() == start_threads() == start_threads()
    finally:
        gc.enable()
    assert len(store.entries) == 120


def test_a_long_search_never_sees_half_of_a_transaction(store: Store) -> None:
    store.entries.insert_multiple({"round": 0} for _ in range(3_000))
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            with store.transaction():
                store.entries.update({"round": number}, doc_ids=[1, 1_500, 3_000])
                store.entries.remove(doc_ids=store.entries.ids(where("extra") == True))  # noqa: E712
                store.entries.insert_multiple({"round": number, "extra": True} for _ in range(2))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            for found in (store.entries.all(), store.entries.search(where("round") >= 0)):
                watched = [d["round"] for d in found if d.doc_id in (1, 1_500, 3_000) or "extra" in d]
                assert len(set(watched)) == 1
                assert len(found) in (3_000, 3_002)
    finally:
        ended.set()
        writer.join()


def test_what_moves_within_a_transaction_is_always_found(store: Store) -> None:
    store.entries.insert_multiple({"owner": None, "n": n} for n in range(1_500))
    store.entries.update({"owner": "me"}, doc_ids=[1_500])
    ended = threading.Event()

    def move() -> None:
        holder = 1_500
        while not ended.is_set():
            following = 1 if holder == 1_500 else 1_500
            with store.transaction():
                store.entries.update({"owner": None}, doc_ids=[holder])
                store.entries.update({"owner": "me"}, doc_ids=[following])
            holder = following

    mover = threading.Thread(target=move)
    mover.start()
    try:
        for _ in range(100):
            assert store.entries.contains(where("owner") == "me")
            assert store.entries.count(where("owner").matches("me")) == 1
    finally:
        ended.set()
        mover.join()


def test_two_stores_on_one_file_in_one_thread_cannot_write_within_each_other(store: Store, path: Path) -> None:
    with Store(path) as other:
        with store.transaction(), pytest.raises(StoreError, match="use one for both"):
            other.entries.insert({})
        other.entries.insert({})
    assert len(store.entries) == 1


def test_a_stock_tinydb_works_on_the_storage(path: Path) -> None:
    with TinyDB(path, storage=SqliteStorage) as stock:
        assert stock.insert({"n": 1}) == 1
        assert stock.table("runs").insert_multiple([{"n": 1}, {"n": 2}]) == [1, 2]
        stock.update(increment("n"), where("n") == 1)
        stock.table("runs").remove(doc_ids=[1])
    with Store(path) as store:
        assert store.db.all() == [{"n": 2}]
        assert store.runs.all() == [{"n": 2}]
        assert store.changes(0).removed == {"runs": [1]}


def test_a_stock_table_raises_a_conflict_and_loses_no_update_of_others(store: Store, path: Path) -> None:
    store.db.insert({"n": 0})
    with TinyDB(path, storage=SqliteStorage) as stock:

        def meddled(document: dict[str, int]) -> None:
            store.db.update(increment("n"))
            document["n"] += 100

        with pytest.raises(StoreConflict, match="nothing was written"):
            stock.update(meddled)
        assert stock.all() == [{"n": 1}]
        stock.update(increment("n"))
    assert store.db.all() == [{"n": 2}]
