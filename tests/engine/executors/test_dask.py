"""Beyond one machine: a real Dask scheduler and two real worker processes, over TCP."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import shop
from tinydb import where
from waiting import until

from engine import InputError, Store, WorkflowError
from engine.clock import utc_now
from engine.lookup.entries import rows
from engine.lookup.logs import log_lines
from engine.state import State

pytest.importorskip("distributed", reason="the extra wfe-tui[dask] is not installed")

from engine.executors.dask import DaskExecutor


@dataclass
class Cluster:
    """A scheduler and its workers."""

    folder: Path
    address: str
    workers: list[subprocess.Popen[bytes]]

    def add_worker(self) -> None:
        self.workers.append(start(self.folder, "worker", "--nthreads", "1", "--no-nanny"))

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()


def start(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    where_ = ["--scheduler-file", str(folder / "scheduler.json"), "--no-dashboard"]
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *command, *where_], cwd=folder, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(Path(shop.__file__).parent)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("dask")
    process = start(folder, "scheduler", "--host", "127.0.0.1", "--port", "0")
    try:
        until(lambda: (folder / "scheduler.json").exists() and bool((folder / "scheduler.json").read_bytes()))
        yield folder, orjson.loads((folder / "scheduler.json").read_bytes())["address"]
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def cluster(scheduler: tuple[Path, str]) -> Iterator[Cluster]:
    folder, address = scheduler
    made = Cluster(folder, address, [])
    try:
        made.add_worker()
        made.add_worker()
        until(lambda: workers_of(address) == 2)
        yield made
    finally:
        made.end()


def workers_of(address: str) -> int:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        return len(client.scheduler_info()["workers"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as opened:
        yield opened


def effects(file: Path) -> list[str]:
    return [" ".join(line.split()[:2]) for line in file.read_text().splitlines()] if file.exists() else []


def states(store: Store) -> dict[str, str]:
    return {row.key: str(row.state) for row in rows(store, utc_now())}


def test_entries_go_through_on_two_workers(cluster: Cluster, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "done.txt"
    given = [{"key": f"A-{number}"} for number in range(60)]
    given += [{"key": fate, "fate": fate} for fate in ("raise", "interrupt", "exit", "press", "odd", "spoil", "log")]
    result = shop.Orders(store, file, given).process_entries(executor=DaskExecutor(cluster.address))
    failed = dict.fromkeys(("raise", "exit", "press", "odd", "spoil"), "failed")
    assert {key: state for key, state in states(store).items() if state != "finished"} == {
        "interrupt": "interrupted",
        **failed,
    }
    assert result.states[State.FINISHED] == 61
    assert max(Counter(effects(file)).values()) == 1
    document = store.entries.search(where("key") == "A-7")[0]
    assert document["data"]["price"] == 7
    assert document["executions"][-1]["status"]["message"] == "sent for 7", "a task sees what the one before wrote"
    errors = {record["key"]: record for record in store.errors.all()}
    assert set(errors) == set(failed)
    assert "no customer" in errors["raise"]["text"]
    assert [line.message for line in log_lines(store, "shop:Orders", "log")] == ["log is odd"]
    (run,) = store.runs.all()
    assert run["statistics"]["Fetch"]["fetched"] == 67, "what is counted on workers adds up, and no call is merged"


def test_a_worker_that_is_killed_costs_its_tasks_and_says_so(cluster: Cluster, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "done.txt"
    given = [{"key": f"A-{number}", "fate": "die" if number == 5 else ""} for number in range(60)]
    result = shop.Orders(store, file, given).process_entries(executor=DaskExecutor(cluster.address))
    until(lambda: any(worker.poll() is not None for worker in cluster.workers))
    assert max(Counter(effects(file)).values()) == 1, "nothing is executed twice, whatever Dask would like"
    found = Counter(states(store).values())
    assert found["in doubt"] >= 1
    assert set(found) == {"finished", "in doubt"}
    assert result.states[State.IN_DOUBT] == found["in doubt"]
    assert states(store)["A-5"] == "in doubt"
    assert result.failures, "and the run's summary names them"
    assert store.entries.count(where("owner") != None) == 0  # noqa: E711
    cluster.add_worker()
    until(lambda: workers_of(cluster.address) == 2)


@pytest.mark.slow
def test_a_worker_killed_from_outside_in_the_middle(cluster: Cluster, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "done.txt"
    processor = shop.Hanging(store, file, [{"key": f"A-{number}"} for number in range(300)])
    alive = [worker for worker in cluster.workers if worker.poll() is None]

    def kill(result: Any) -> None:
        if len(effects(file)) > 50 and alive[0].poll() is None:
            os.kill(alive[0].pid, signal.SIGKILL)
            alive[0].wait()

    processor.observer = kill
    result = processor.process_entries(executor=DaskExecutor(cluster.address))
    assert max(Counter(effects(file)).values()) == 1
    assert set(states(store).values()) <= {"finished", "in doubt"}
    assert result.states[State.FINISHED] + result.states[State.IN_DOUBT] == 300
    cluster.add_worker()
    until(lambda: workers_of(cluster.address) == 2)


@pytest.mark.slow
def test_a_cluster_that_cannot_work_is_told_in_one_sentence(cluster: Cluster, store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1 "):
        shop.Orders(store, tmp_path / "done.txt").process_entries(executor=DaskExecutor("tcp://127.0.0.1:1"))

    class Elsewhere(shop.Orders):
        pass

    Elsewhere.__module__ = "__main__"
    with pytest.raises(WorkflowError, match="defined in the script"):
        Elsewhere(store, tmp_path / "done.txt").process_entries(executor=DaskExecutor(cluster.address))

    (tmp_path / "here_alone.py").write_text("import shop\n\n\nclass Orders(shop.Orders):\n    pass\n")
    sys.path.insert(0, str(tmp_path))
    try:
        import here_alone  # type: ignore[import-not-found]

        with pytest.raises(InputError, match=r"does not know Orders.*here_alone"):
            here_alone.Orders(store, tmp_path / "done.txt").process_entries(executor=DaskExecutor(cluster.address))
    finally:
        sys.path.remove(str(tmp_path))
