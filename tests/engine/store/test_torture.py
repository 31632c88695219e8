"""Processes are killed or stopped at any instant, and the log's end is torn off: what was acknowledged stays whole."""

import multiprocessing
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from tinydb import where
from tinydb.operations import add

from engine.exceptions import StoreError
from engine.store import Durability, Store

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["pytest", "engine.store"])


def write_pairs(path: Path, writer: int, said: Connection) -> None:
    """One transaction after another, each in two documents of this writer, one of all writers', and a new one."""
    with Store(path) as store:
        left = store.entries.get((where("key") == "left") & (where("writer") == writer))
        number = left["n"] if left else 0
        while True:
            number += 1
            with store.transaction():
                for key in ("left", "right"):
                    store.entries.upsert(
                        {"key": key, "writer": writer, "n": number, "data": "x" * random.randrange(5_000)},
                        (where("key") == key) & (where("writer") == writer),
                    )
                store.entries.update(add("n", 1), where("key") == "both")
                store.runs.insert({"processor": f"{writer}", "n": number})
            said.send(number)


class Writer:
    """A process that writes pairs, and what it acknowledged."""

    def __init__(self, path: Path, number: int) -> None:
        self.number = number
        self.acknowledged = 0
        self._path = path
        self.start()

    def start(self) -> None:
        self._hear, say = PROCESSES.Pipe(duplex=False)
        self._process = PROCESSES.Process(target=write_pairs, args=(self._path, self.number, say))
        self._process.start()
        say.close()
        assert self._hear.poll(30), "it does not come to write"
        self.acknowledged = self._hear.recv()

    def listen(self) -> None:
        while self._hear.poll():
            self.acknowledged = self._hear.recv()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        with self._hear, suppress(EOFError):
            while True:
                self.acknowledged = self._hear.recv()


def check_pairs(store: Store, acknowledged: dict[int, int]) -> None:
    """Whole transactions alone, and none missing that was acknowledged."""
    with store.transaction():  # all of one moment
        pairs = {(d["writer"], d["key"]): d["n"] for d in store.entries.search(where("key").one_of(["left", "right"]))}
        for writer, number in acknowledged.items():
            assert pairs[writer, "left"] == pairs[writer, "right"] >= number
            assert store.runs.count(where("processor") == f"{writer}") == pairs[writer, "left"]
        both = store.entries.get(where("key") == "both")
        assert both is not None
        assert both["n"] == len(store.runs)


@pytest.mark.parametrize("durability", Durability)
@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.slow)])
def test_killing_one_of_two_writers_loses_nothing_acknowledged_and_holds_nobody_up(
    path: Path, kills: int, durability: Durability
) -> None:
    with Store(path, durability=durability) as store:
        store.entries.insert({"key": "both", "n": 0})
    chance = random.Random(kills)
    waits = []
    writers = [Writer(path, 0), Writer(path, 1)]
    try:
        for _ in range(kills):
            time.sleep(chance.random() * 0.03)
            killed = chance.choice(writers)
            killed.kill()
            began = time.perf_counter()
            with Store(path) as store:
                assert store.entries.contains(where("key") == "both")
                store.errors.insert({"after": killed.number})
                waits.append(time.perf_counter() - began)
                for writer in writers:
                    if writer is not killed:
                        writer.listen()
                check_pairs(store, {writer.number: writer.acknowledged for writer in writers})
            killed.start()
    finally:
        for writer in writers:
            writer.kill()
    with Store(path) as store:
        check_pairs(store, {writer.number: writer.acknowledged for writer in writers})
        for writer in writers:
            numbers = [d["n"] for d in store.runs.search(where("processor") == f"{writer.number}")]
            # The last one may have been written and killed before it could say so.
            assert numbers == list(range(1, len(numbers) + 1))
            assert len(numbers) - writer.acknowledged in (0, 1)
        assert len(store.errors) == kills
    print(  # noqa: T201
        f"{kills} kills, {sum(writer.acknowledged for writer in writers)} acknowledged transactions; from a kill to the"
        f" next open, read and written: median {statistics.median(waits) * 1000:.0f} ms, max {max(waits) * 1000:.0f} ms"
    )
    assert max(waits) < 1


def close_under_the_feet_of_threads(path: Path, times: int) -> None:
    chance = random.Random(times)
    acknowledged: list[int] = []

    def use_until_it_is_closed(use: Callable[[], object]) -> None:
        with suppress(StoreError):
            while True:
                use()

    for _ in range(times):
        store = Store(path)
        uses = (
            lambda store=store: acknowledged.append(store.runs.insert({})),
            store.entries.all,
            lambda store=store: store.entries.count(where("n").test(bool)),
            store.seq,
        )
        with ThreadPoolExecutor(len(uses)) as pool:
            threads = [pool.submit(use_until_it_is_closed, use) for use in uses]
            time.sleep(chance.random() * 0.02)
            store.close()
        for thread in threads:
            thread.result()
    with Store(path) as store:
        assert {*acknowledged} <= {document.doc_id for document in store.runs}


@pytest.mark.parametrize("times", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_closing_a_store_that_other_threads_are_using_stops_them_with_an_error_and_nothing_worse(
    store: Store, times: int
) -> None:
    store.entries.insert_multiple({"n": n} for n in range(3_000))
    process = PROCESSES.Process(target=close_under_the_feet_of_threads, args=(store.path, times))
    process.start()
    process.join(60)
    process.kill()
    assert process.exitcode == 0


def hold_a_transaction(path: Path, said: Connection) -> None:
    with Store(path) as store, store.transaction():
        store.entries.insert({"by": "the one who is stopped"})
        said.send("begun")
        threading.Event().wait(60)


def test_a_process_stopped_in_its_transaction_holds_up_writers_but_no_reader_until_it_is_killed(store: Store) -> None:
    hear, say = PROCESSES.Pipe(duplex=False)
    holder = PROCESSES.Process(target=hold_a_transaction, args=(store.path, say))
    holder.start()
    assert holder.pid is not None
    assert hear.recv() == "begun"
    os.kill(holder.pid, signal.SIGSTOP)
    writer = threading.Thread(target=lambda: store.entries.insert({"by": "the one who waits"}))
    writer.start()
    try:
        began = time.perf_counter()
        assert store.entries.all() == []
        assert store.seq() == 0
        assert Store(store.path).entries.all() == []
        assert time.perf_counter() - began < 3
        writer.join(0.3)
        assert writer.is_alive()
    finally:
        holder.kill()
        holder.join()
        writer.join(10)
    assert not writer.is_alive()
    assert store.entries.all() == [{"by": "the one who waits"}]


def write_a_log(path: Path, transactions: int, said: Connection) -> None:
    with Store(path) as store:
        for n in range(1, transactions + 1):
            with store.transaction():
                store.entries.upsert({"key": "left", "n": n, "data": "x" * (n * 37 % 3_000)}, where("key") == "left")
                store.errors.upsert({"key": "right", "n": n}, where("key") == "right")
                store.runs.insert({"n": n})
                if n % 5 == 0:
                    store.runs.remove(where("n") == n - 4)
        said.send("written")
        threading.Event().wait(60)


TEARS: dict[str, Callable[[bytes, int], bytes]] = {
    "cut off": lambda log, at: log[:at],
    "garbage": lambda log, at: log[:at] + random.Random(at).randbytes(len(log) - at),
    "zeros": lambda log, at: log[:at] + bytes(len(log) - at),
    "one bit": lambda log, at: log[:at] + bytes([log[at] ^ 1]) + log[at + 1 :],
}


@pytest.mark.parametrize("times", [6, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("tear", TEARS.values(), ids=TEARS)
def test_a_log_with_a_torn_end_opens_as_the_whole_transactions_before_it(
    tmp_path: Path, tear: Callable[[bytes, int], bytes], times: int
) -> None:
    path = tmp_path / "wfe.db"
    with Store(path) as store:
        store.entries.insert({"key": "other"})
    hear, say = PROCESSES.Pipe(duplex=False)
    writer = PROCESSES.Process(target=write_a_log, args=(path, 20, say))
    writer.start()
    assert hear.recv() == "written"
    writer.kill()
    writer.join()
    log = path.with_name("wfe.db-wal").read_bytes()
    chance = random.Random(times)
    found = []
    for at in sorted({*chance.sample(range(len(log)), times), 0, len(log) - 1}):
        torn = tmp_path / f"{at}" / "wfe.db"
        torn.parent.mkdir()
        shutil.copy(path, torn)
        torn.with_name("wfe.db-wal").write_bytes(tear(log, at))
        with Store(torn) as store:
            last = max((document["n"] for document in store.runs), default=0)
            found.append(last)
            numbers = [n for n in range(1, last + 1) if n % 5 != 1 or n + 4 > last]
            assert [document["n"] for document in store.runs] == numbers
            assert store.entries.count(where("key") == "other") == 1
            for table, key in ((store.entries, "left"), (store.errors, "right")):
                assert [document["n"] for document in table.search(where("key") == key)] == [last] * bool(last)
            assert store.seq() == 1 + last
            store.entries.insert({"key": "later"})
        with Store(torn) as store:
            assert store.entries.contains(where("key") == "later")
            assert store.seq() == 2 + last
    assert found == sorted(found)
    assert found[0] == 0
    assert found[-1] in (19, 20)


ENDS_WITHOUT_CLOSING = {
    "after its last line": "",
    "by sys.exit in a transaction": """
with store.transaction():
    store.entries.insert({"by": "nobody"})
    sys.exit()
""",
    "at once in a transaction": """
with store.transaction():
    store.entries.insert({"by": "nobody"})
    os._exit(0)
""",
    "while a thread goes on writing": """
threading.Thread(target=lambda: [store.runs.insert({}) for _ in range(100_000)], daemon=True).start()
while not store.runs: pass
""",
}


@pytest.mark.parametrize("end", ENDS_WITHOUT_CLOSING.values(), ids=ENDS_WITHOUT_CLOSING)
def test_a_script_that_ends_without_closing_its_store_leaves_it_whole_and_says_nothing(path: Path, end: str) -> None:
    script = f"""
import os, sys, threading
from engine.store import Store

store = Store(sys.argv[1])
owner = store.owner
store.entries.insert({{"by": "the script"}})
{end}"""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, path], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    with Store(path) as store:
        assert store.entries.all() == [{"by": "the script"}]
        assert store.seq() == 1 + len(store.runs)
        assert store.entries.insert({}) == 2
