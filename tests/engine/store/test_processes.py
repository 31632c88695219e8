"""Many processes share one store: nothing is lost, and a process may be killed at any instant."""

import multiprocessing
import random
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

import pytest
from tinydb import where
from tinydb.operations import increment

from engine.store import Store

SPAWN = multiprocessing.get_context("spawn")


def count_up(path: Path, times: int) -> None:
    with Store(path) as store:
        for n in range(times):
            if n % 2:
                store.entries.update(increment("n"), where("key") == "A")
            else:
                with store.transaction():
                    document = store.entries.get(doc_id=1)
                    assert document is not None
                    store.entries.update({"n": document["n"] + 1}, doc_ids=[1])


def test_two_processes_that_count_up_one_document_lose_nothing(store: Store) -> None:
    store.entries.insert({"key": "A", "n": 0})
    processes = [SPAWN.Process(target=count_up, args=(store.path, 500)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert store.entries.get(doc_id=1) == {"key": "A", "n": 1_000}


def test_the_log_does_not_grow_while_two_processes_write_and_one_follows(store: Store) -> None:
    store.entries.insert({"key": "A", "n": 0, "data": "x" * 10_000})
    log = store.path.with_name("wfe.db-wal")
    processes = [SPAWN.Process(target=count_up, args=(store.path, 1_500)) for _ in range(2)]
    for process in processes:
        process.start()
    largest = 0
    while any(process.is_alive() for process in processes):
        store.entries.get(doc_ids=store.changes(0).changed["entries"])
        largest = max(largest, log.stat().st_size)
        time.sleep(0.002)
    assert [process.exitcode for process in processes] == [0, 0]
    # All that they write is more than 100 MB; SQLite starts its log anew at 4 MB if no reader stands in the way.
    assert largest < 15_000_000


def create_one_store_after_another(folder: Path, rounds: int, together: Barrier, number: int) -> None:
    for round_ in range(rounds):
        together.wait(60)
        with Store(folder / f"{round_}" / "wfe.db") as store:
            store.entries.insert({"by": number})


def test_four_processes_create_one_store_at_once(tmp_path: Path) -> None:
    together = SPAWN.Barrier(4)
    processes = [
        SPAWN.Process(target=create_one_store_after_another, args=(tmp_path, 20, together, number))
        for number in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    for round_ in range(20):
        with Store(tmp_path / f"{round_}" / "wfe.db") as store:
            assert store.entries.counts("by") == {0: 1, 1: 1, 2: 1, 3: 1}


def write_pairs(path: Path, said: Connection) -> None:
    with Store(path) as store:
        number = max((document["n"] for document in store.entries), default=0)
        while True:
            number += 1
            with store.transaction():
                store.entries.upsert({"key": "left", "n": number}, where("key") == "left")
                store.entries.upsert({"key": "right", "n": number}, where("key") == "right")
                store.runs.insert({"n": number})
            said.send(number)


def kill_writers(path: Path, times: int) -> None:
    chance = random.Random(times)
    for _ in range(times):
        hear, say = SPAWN.Pipe(duplex=False)
        writer = SPAWN.Process(target=write_pairs, args=(path, say))
        writer.start()
        say.close()
        acknowledged = hear.recv()
        time.sleep(chance.random() * 0.03)
        writer.kill()
        writer.join()
        try:
            while True:
                acknowledged = hear.recv()
        except EOFError:
            hear.close()
        with Store(path) as store:
            numbers = {document["n"] for document in store.entries}
            assert len(numbers) == 1
            (number,) = numbers
            assert number in (acknowledged, acknowledged + 1)
            assert len(store.runs) == number == store.seq() - store.errors.insert({}) + 1


def test_a_killed_writer_leaves_whole_transactions_and_the_next_one_writes_on(path: Path) -> None:
    kill_writers(path, 15)


@pytest.mark.slow
def test_a_hundred_killed_writers_leave_whole_transactions(path: Path) -> None:
    kill_writers(path, 100)


def write_and_remove(path: Path, number: int, steps: int) -> None:
    with Store(path) as store:
        for step in range(steps):
            doc_id = store.entries.insert({"by": number, "step": step})
            if step % 5 == 4:
                store.entries.remove(doc_ids=[doc_id])


def test_a_follower_sees_every_change_of_two_writers_once_and_in_order(store: Store) -> None:
    writers = [SPAWN.Process(target=write_and_remove, args=(store.path, number, 300)) for number in range(2)]
    for writer in writers:
        writer.start()
    held: dict[int, dict[str, int]] = {}
    arrived: dict[int, list[int]] = {0: [], 1: []}
    since = 0
    while True:
        alive = any(writer.is_alive() for writer in writers)
        changes = store.changes(since)
        assert changes.seq >= since
        since = changes.seq
        for doc_id in changes.removed.get("entries", []):
            held.pop(doc_id, None)
        for document in store.entries.get(doc_ids=changes.changed.get("entries", [])):
            # A document may be newer than the changes that named it; it is then named again.
            if held.get(document.doc_id) != document:
                arrived[document["by"]].append(document["step"])
            held[document.doc_id] = dict(document)
        if not alive and store.seq() == since:
            break
        time.sleep(0.002)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert held == {document.doc_id: document for document in store.entries}
    for steps in arrived.values():
        kept = [step for step in steps if step % 5 != 4]
        assert kept == [step for step in range(300) if step % 5 != 4]


def hold_a_transaction(path: Path, begun: Event) -> None:
    with Store(path) as store, store.transaction():
        store.entries.insert_multiple({"n": n} for n in range(5_000))
        begun.set()
        time.sleep(60)


def test_readers_and_openers_do_not_wait_for_a_long_transaction_and_a_kill_undoes_it(store: Store) -> None:
    begun = SPAWN.Event()
    holder = SPAWN.Process(target=hold_a_transaction, args=(store.path, begun))
    holder.start()
    assert begun.wait(60)
    before = time.perf_counter()
    assert store.entries.all() == []
    assert Store(store.path).seq() == 0
    assert time.perf_counter() - before < 5
    holder.kill()
    holder.join()
    assert store.entries.insert({"n": 1}) == 1
    assert store.entries.all() == [{"n": 1}]


FORKS = """
import os, sys
from engine.exceptions import StoreError
from engine.store import Store

store = Store(sys.argv[1])
owner = store.owner
child = os.fork()
if child == 0:
    for use in (lambda: store.entries.all(), lambda: store.entries.insert({}), lambda: store.owner, store.seq):
        try:
            use()
        except StoreError as error:
            assert "forked" in str(error)
        else:
            os._exit(1)
    store.close()
    with Store(sys.argv[1]) as own:
        own.entries.insert({"by": "the child"})
        os._exit(0 if own.is_alive(owner) else 2)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert store.is_alive(owner)
assert store.entries.all() == [{"by": "the child"}]
"""


def test_a_forked_child_is_told_to_open_its_own_store(path: Path) -> None:
    subprocess.run([sys.executable, "-c", FORKS, path], check=True, timeout=60)
