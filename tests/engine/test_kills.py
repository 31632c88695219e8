"""An engine that is killed at any instant: what was done is known, and nothing with effects is done twice."""

import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from engine.clock import utc_now
from engine.lookup.entries import rows
from engine.store import Store

pytestmark = pytest.mark.slow

WORKFLOW = """
import os
import sys
from pathlib import Path

from engine import StoredProcessor, Task, WorkflowModel

HERE = Path(__file__).parent


class Order(WorkflowModel):
    key: str
    price: int = 0


class Fetch(Task):
    def process_entry(self, entry, dry_run=False):
        effect(self, entry)
        entry.price += 1


class Check(Fetch):
    pass


class Send(Fetch):
    pass


def effect(task, entry):
    file = os.open(HERE / "effects", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{type(task).__name__} {entry.key} {os.getpid()}\\n".encode())
    os.close(file)


class Orders(StoredProcessor):
    model = Order

    def get_default_entries(self):
        return ({"key": f"A-{number:04}"} for number in range(ENTRIES))

    def get_tasks(self):
        return [Fetch(self), Check(self), Send(self)]


ENTRIES = 600

if __name__ == "__main__":
    how, workers = sys.argv[1], int(sys.argv[2])
    Orders(HERE / "wfe.db").process_entries(executor=how, workers=workers)
"""

KILLS = 50


def start(folder: Path, how: str, workers: int) -> subprocess.Popen[bytes]:
    argv = [sys.executable, str(folder / "torture.py"), how, str(workers)]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(argv, cwd=folder, start_new_session=True, **silent)


def effects(folder: Path) -> list[list[str]]:
    file = folder / "effects"
    return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


def wait_until_gone(group: int) -> None:
    """Return when no process of a group runs: a worker that has done nothing yet keeps its owner alive, too."""
    until(lambda: group not in running_groups(), 5, told=lambda: "a worker outlived its engine")


def running_groups() -> set[int]:
    """The process groups of all that runs; what only waits for its parent to notice has ended."""
    found = set()
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _, group = file.read_text().rpartition(")")[2].split()[:3]
            if state != "Z":
                found.add(int(group))
    return found


@pytest.mark.parametrize("durability", ["process", "power"])
@pytest.mark.parametrize(("how", "workers"), [("inline", 1), ("threads", 4), ("processes", 2)])
def test_a_kill_costs_at_most_the_tasks_that_it_hit(tmp_path: Path, how: str, workers: int, durability: str) -> None:
    (tmp_path / "torture.py").write_text(WORKFLOW)
    Store(tmp_path / "wfe.db", durability=durability).close()
    chance, killed, rounds = random.Random(f"{how} {durability}"), 0, 0
    kills = KILLS if durability == "process" else KILLS // 5
    while killed < kills:
        rounds += 1
        process = start(tmp_path, how, workers)
        began, at = time.monotonic(), len(effects(tmp_path))
        # Somewhere in its work: after so many effects and a little more.
        more = chance.randrange(120)
        while process.poll() is None and len(effects(tmp_path)) < at + more and time.monotonic() - began < 20:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.004)
        if process.poll() is None:
            process.kill()
            killed += 1
        process.wait()
        wait_until_gone(process.pid)
        check(tmp_path, killed * workers)
        if process.returncode == 0:  # all is done: begin anew
            for file in tmp_path.glob("wfe.db*"):
                if file.is_file():
                    file.unlink()
            (tmp_path / "effects").unlink(missing_ok=True)
            Store(tmp_path / "wfe.db", durability=durability).close()
    process = start(tmp_path, how, workers)
    assert process.wait(60) == 0
    check(tmp_path, killed * workers)
    with Store(tmp_path / "wfe.db") as store:
        states = Counter(str(row.state) for row in rows(store, utc_now()))
        assert set(states) <= {"finished", "in doubt"}
        assert {run["ending"] for run in store.runs.all()} <= {"crashed", "completed"}
        assert not list((tmp_path / "wfe.db.owners").glob("*.*")), "a recording is left"


def check(folder: Path, most_in_doubt: int) -> None:
    """Nothing was executed twice, and every effect is known: recorded as done, or in doubt."""
    seen = Counter((task, key) for task, key, _ in effects(folder))
    assert not seen or max(seen.values()) == 1, "an execution had its effect twice"
    with Store(folder / "wfe.db") as store:
        known: dict[tuple[str, str], Any] = {
            (execution["name"], document["key"]): execution
            for document in store.entries.all()
            for execution in document["executions"] or []
        }
        prices = {document["key"]: document["data"]["price"] for document in store.entries.all()}
        in_doubt = [row for row in rows(store, utc_now()) if row.state == "in doubt"]
    unknown = seen.keys() - known.keys()
    assert not unknown, f"nobody knows of {unknown}"
    processed = {name for name, execution in known.items() if execution["processed"]}
    assert processed <= seen.keys(), "what is recorded as done was done"
    doubtful = {name for name, execution in known.items() if execution["running"]}
    assert seen.keys() - processed <= doubtful
    assert len(in_doubt) <= most_in_doubt, "more is in doubt than what the kills can have hit"
    done = Counter(key for _, key in processed)
    assert {key: prices[key] for key in done} == done, "what it wrote on the entry is kept"


def test_two_engines_at_once_execute_each_task_once(tmp_path: Path) -> None:
    (tmp_path / "torture.py").write_text(WORKFLOW)
    both = [start(tmp_path, "threads", 2), start(tmp_path, "processes", 2)]
    assert [process.wait(60) for process in both] == [0, 0]
    last = start(tmp_path, "inline", 1)
    assert last.wait(60) == 0
    seen = Counter((task, key) for task, key, _ in effects(tmp_path))
    assert len(seen) == 1800
    assert max(seen.values()) == 1
    with Store(tmp_path / "wfe.db") as store:
        assert {str(row.state) for row in rows(store, utc_now())} == {"finished"}
        assert {document["data"]["price"] for document in store.entries.all()} == {3}
