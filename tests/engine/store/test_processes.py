"""Many processes share one store: nothing is lost, nobody starves, and readers never wait."""

import multiprocessing
import subprocess
import sys
import time
from collections.abc import MutableMapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any

import pytest
from tinydb import where
from tinydb.operations import increment

from engine.store import Store

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "engine.store"])

slow = pytest.mark.slow


def count_up(path: Path, times: int, documents: int) -> float:
    """Adds one, `times` times, each time in the next document; answers the longest wait in seconds."""
    longest = 0.0
    with Store(path) as store:
        for n in range(times):
            doc_id = n % documents + 1
            began = time.perf_counter()
            if n % 2:
                assert store.entries.update(increment("n"), where("key") == f"K{doc_id}") == [doc_id]
            else:
                with store.transaction():
                    document = store.entries.get(doc_id=doc_id)
                    assert document is not None
                    store.entries.update({"n": document["n"] + 1}, doc_ids=[doc_id])
            longest = max(longest, time.perf_counter() - began)
    return longest


@pytest.mark.parametrize("documents", [1, 21])
@pytest.mark.parametrize(
    ("processes", "times"), [(2, 210), (4, 105), pytest.param(2, 4_200, marks=slow), pytest.param(4, 2_100, marks=slow)]
)
def test_processes_that_count_up_the_same_documents_lose_nothing_and_none_of_them_starves(
    store: Store, processes: int, times: int, documents: int
) -> None:
    store.entries.insert_multiple({"key": f"K{n}", "n": 0} for n in range(1, documents + 1))
    with ProcessPoolExecutor(processes, PROCESSES) as pool:
        waits = list(pool.map(count_up, [store.path] * processes, [times] * processes, [documents] * processes))
    print(f"{processes} processes, {documents} documents: longest wait {max(waits) * 1000:.0f} ms")  # noqa: T201
    assert [document["n"] for document in store.entries] == [processes * times // documents] * documents
    assert max(waits) < 5


def write_much(path: Path, times: int) -> None:
    def change(document: MutableMapping[str, Any]) -> None:
        document["n"] += 1
        document["data"] = chr(ord("a") + document["n"] % 26) * 50_000  # SQLite writes no page that stays as it was

    with Store(path) as store:
        for _ in range(times):
            store.entries.update(change, doc_ids=[1])


@pytest.mark.parametrize("times", [400, pytest.param(3_000, marks=slow)])
def test_the_log_stays_bounded_while_two_processes_write_and_one_follows(store: Store, times: int) -> None:
    store.entries.insert({"n": 0})
    log = store.path.with_name("wfe.db-wal")
    largest = since = 0
    with ProcessPoolExecutor(2, PROCESSES) as pool:
        writers = [pool.submit(write_much, store.path, times) for _ in range(2)]
        while not all(writer.done() for writer in writers):
            changes = store.changes(since)
            store.entries.get(doc_ids=changes.changed.get("entries", []))
            since = changes.seq
            largest = max(largest, log.stat().st_size)
            time.sleep(0.002)
        for writer in writers:
            writer.result()
    print(f"the log of {2 * times * 50_000 / 1e6:.0f} MB of writes was at most {largest / 1e6:.1f} MB long")  # noqa: T201
    assert [document["n"] for document in store.entries] == [2 * times]
    assert largest < 20_000_000


def test_a_lock_file_that_is_removed_in_use_costs_no_write(store: Store) -> None:
    store.entries.insert({"key": "K1", "n": 0})
    lock = store.path.with_name("wfe.db.lock")
    with ProcessPoolExecutor(3, PROCESSES) as pool:
        writers = []
        for _ in range(6):
            writers.append(pool.submit(count_up, store.path, 150, 1))
            store.entries.update(increment("n"), doc_ids=[1])
            lock.unlink(missing_ok=True)
            time.sleep(0.02)
        for writer in writers:
            writer.result()
    assert store.entries.all() == [{"key": "K1", "n": 6 * 150 + 6}]


def create_one_store_after_another(folder: Path, rounds: int, together: Barrier, number: int) -> None:
    for round_ in range(rounds):
        together.wait(60)
        with Store(folder / f"{round_}" / "wfe.db") as store:
            store.entries.insert({"by": number})


@pytest.mark.parametrize("rounds", [10, pytest.param(100, marks=slow)])
def test_eight_processes_create_one_store_at_once(tmp_path: Path, rounds: int) -> None:
    together = PROCESSES.Barrier(8)
    processes = [
        PROCESSES.Process(target=create_one_store_after_another, args=(tmp_path, rounds, together, number))
        for number in range(8)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 8
    for round_ in range(rounds):
        with Store(tmp_path / f"{round_}" / "wfe.db") as store:
            assert sorted(document["by"] for document in store.entries) == list(range(8))


def open_insert_and_close(path: Path, times: int) -> None:
    for _ in range(times):
        with Store(path) as store:
            store.entries.insert({})


@pytest.mark.parametrize("times", [25, pytest.param(200, marks=slow)])
def test_four_processes_that_open_insert_and_close_again_and_again_lose_nothing(path: Path, times: int) -> None:
    # This process has it not open meanwhile: whoever happens to close last puts SQLite's log away.
    with ProcessPoolExecutor(4, PROCESSES) as pool:
        list(pool.map(open_insert_and_close, [path] * 4, [times] * 4))
    with Store(path) as store:
        assert store.seq() == len(store.entries) == 4 * times


def hold_a_transaction(path: Path, begun: Event, end: Event) -> None:
    with Store(path) as store, store.transaction():
        store.entries.insert_multiple({"n": n} for n in range(5_000))
        begun.set()
        end.wait(10)


def test_who_opens_reads_and_closes_does_not_wait_for_a_long_transaction_and_sees_all_of_it_or_nothing(
    store: Store,
) -> None:
    begun, end = PROCESSES.Event(), PROCESSES.Event()
    writer = PROCESSES.Process(target=hold_a_transaction, args=(store.path, begun, end))
    writer.start()
    seen: list[int] = []
    waits: list[float] = []
    while 5_000 not in seen and writer.exitcode in (None, 0):
        if begun.is_set() and len(seen) > 100:
            end.set()
        before = time.perf_counter()
        seen.append(len(store.entries))
        with Store(store.path) as opened:
            assert opened.seq() in (0, 1)
        waits.append(time.perf_counter() - before)
    writer.join(60)
    assert writer.exitcode == 0
    assert set(seen) == {0, 5_000}
    print(f"the longest of {len(waits)} reads beside a long transaction took {max(waits) * 1000:.0f} ms")  # noqa: T201
    assert max(waits) < 3


FORKS = """
import os, sys
from engine.exceptions import StoreError
from engine.store import Store

store = Store(sys.argv[1])
owner = store.owner
child = os.fork()
if child == 0:
    for use in (
        lambda: store.entries.all(), lambda: store.entries.insert({}), lambda: store.owner, store.seq,
        lambda: store.changes(0), lambda: store.transaction().__enter__(), store.db.tables,
    ):
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
store.entries.insert({"by": "the parent"})
"""


def test_a_forked_child_is_told_to_open_its_own_store(store: Store) -> None:
    subprocess.run([sys.executable, "-c", FORKS, store.path], check=True, timeout=60)
    assert store.entries.all() == [{"by": "the child"}, {"by": "the parent"}]


OUTLIVES_ITS_PARENTS_STORE = """
import os, sys
from engine.store import Store

store = Store(sys.argv[1])
store.entries.insert({"by": "the parent"})
opened, closed = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    with Store(sys.argv[1]) as own:
        own.entries.insert({"by": "the child"})
        os.write(opened[1], b".")
        os.read(closed[0], 1)
        own.entries.insert({"by": "the child, later"})
    os._exit(0)
os.read(opened[0], 1)
store.close()
os.write(closed[1], b".")
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def test_a_forked_childs_own_store_keeps_what_it_writes_after_the_parent_closed_its_own(path: Path) -> None:
    subprocess.run([sys.executable, "-c", OUTLIVES_ITS_PARENTS_STORE, path], check=True, timeout=60)
    with Store(path) as store:
        assert [document["by"] for document in store.entries] == ["the parent", "the child", "the child, later"]


FORKS_WHILE_A_THREAD_WRITES = """
import multiprocessing, sys, threading
from engine.exceptions import StoreError
from engine.store import Store

store = Store(sys.argv[1])
begun, end = threading.Event(), threading.Event()

def write():
    with store.transaction():
        store.entries.insert({"by": "the thread"})
        begun.set()
        end.wait()

def use(said):
    try:
        with Store(sys.argv[1]) as own:
            said.send(own.entries.all())
            said.send(own.entries.insert({"by": "the child"}))
    except StoreError as error:
        assert "fork" in str(error), error

def answer():
    assert hear.poll(10), "the child hangs"
    return hear.recv()

thread = threading.Thread(target=write)
thread.start()
begun.wait()
fork = multiprocessing.get_context("fork")
hear, say = fork.Pipe(duplex=False)
child = fork.Process(target=use, args=(say,))
child.start()
say.close()
expected = [{"by": "the thread"}]
try:
    assert answer() == []
    end.set()
    assert answer() == 2
    expected.append({"by": "the child"})
except EOFError:  # it was told not to: what is being written cannot be left to it
    pass
finally:
    end.set()
    child.join(10)
    if child.exitcode is None:
        child.kill()
thread.join()
assert child.exitcode == 0
assert store.entries.all() == expected
"""


def test_a_child_forked_while_another_thread_writes_uses_its_own_store_or_is_told_why_not(path: Path) -> None:
    subprocess.run([sys.executable, "-c", FORKS_WHILE_A_THREAD_WRITES, path], check=True, timeout=60)


FORKS_IN_A_GREAT_TRANSACTION = """
import os, sys, threading
from engine.store import Store

store = Store(sys.argv[1])
store.entries.insert({"key": "first"})
written, forked = threading.Event(), threading.Event()


def write():
    with store.transaction():
        store.entries.insert_multiple({"key": f"{n}", "data": "x" * 3000} for n in range(3000))
        written.set()
        forked.wait(60)
        store.entries.insert({"key": "last"})


thread = threading.Thread(target=write)
thread.start()
written.wait(60)
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
forked.set()
thread.join()
with Store(sys.argv[1]):
    os.execv(sys.executable, [sys.executable, "-c", ""])  # so that nothing is written back by who wrote it
"""


def test_a_fork_beside_a_great_transaction_leaves_it_whole(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS_IN_A_GREAT_TRANSACTION, path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    with Store(path) as store:
        assert len(store.entries) == len(store.entries.all()) == 3002
        assert store.check().is_sound
