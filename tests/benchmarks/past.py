"""Measures how long it takes to look back: an hour, in which little has changed, to when half of the entries had, and
to before all of them; beside them, in the same run, to copy the store's file alone.

    .venv/bin/python tests/benchmarks/past.py [--million]

The entries went through two tasks in one night of eight hours; one of twenty failed, with an error of some kilobytes.
In the last hour one of a hundred was restarted, and finished.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from engine.clock import to_text
from engine.model import TaskExecution, WorkflowModel
from engine.past.looking_back import look_back
from engine.records import entry_progress, summary
from engine.status import Status
from engine.store import Store

START = datetime(2026, 11, 23, 20, tzinfo=UTC)
NIGHT = timedelta(hours=8)
NOW = START + timedelta(hours=12)
RESTARTED = NOW - timedelta(minutes=30)
TASKS = ["Fetch", "Check"]
TURNS = 3


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", action="store_true", help="a million entries as well")
    sizes = [10_000, 100_000, *([1_000_000] if parser.parse_args().million else [])]
    print(f"{'entries':>9} {'file':>8} {'copied':>8} {'an hour back':>14} {'half of them':>14} {'all of them':>14}")  # noqa: T201
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "wfe.db"
            fill(path, size)
            with Store(path) as store:
                seconds = [
                    _seconds(lambda: shutil.copyfile(path, path.with_name("copy"))),  # noqa: B023
                    *(_seconds(lambda: look_back(store, moment, clock=lambda: NOW).close())  # noqa: B023
                      for moment in (NOW - timedelta(hours=1), START + NIGHT / 2, START + timedelta(seconds=1))),
                ]  # fmt: skip
            megabytes = path.stat().st_size / 1e6
            copied, hour, half, everything = (f"{each:.2f} s" for each in seconds)
            print(f"{size:>9,} {megabytes:>5.0f} MB {copied:>8} {hour:>14} {half:>14} {everything:>14}")  # noqa: T201


def _seconds(do: Callable[[], Any]) -> float:
    """The median of some turns; what takes long is done once."""
    spent: list[float] = []
    while len(spent) < TURNS and sum(spent) < 20:
        began = time.perf_counter()
        do()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def fill(path: Path, size: int) -> None:
    with Store(path) as store:
        run = {
            "processor": "orders:Orders", "started": to_text(START), "ended": to_text(START + NIGHT), "owner": "",
            "ending": "completed", "updated": to_text(START + NIGHT), "considered": size, "total": size, "states": {},
            "asked": None,
        }  # fmt: skip
        store.runs.insert(run)
        entries = (_entry(number, size) for number in range(size))
        while page := list(islice(entries, 5_000)):
            with store.transaction():
                store.entries.insert_multiple([entry for entry, _ in page])
                store.errors.insert_multiple([error for _, error in page if error])


def _entry(number: int, size: int) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """An entry, and the error that it failed of."""
    began = START + timedelta(seconds=2) + NIGHT * (number / size)
    has_failed, is_restarted = number % 20 == 7, number % 100 == 7
    entry = WorkflowModel(executions=list(_executions(number, began, has_failed, is_restarted)))
    ended = entry.executions[-1].finished_at if entry.executions else None
    assert ended is not None
    if not has_failed or is_restarted:
        entry.finished = ended
    key = f"order-{number:07}"
    error_id = str(_id(number))
    document = {
        "key": key, "processor": "orders:Orders", "tasks": TASKS, "data": {"key": key, "price": number % 1000},
        "written": ["price"], "owner": None, "run": 1, "registered": to_text(START), "updated": to_text(ended),
        **entry_progress(entry), **summary(entry, TASKS, ended),
    }  # fmt: skip
    error = {
        "error_id": error_id, "fingerprint": "v1:9f2a11c0ffee", "type": "ValueError", "message": "no customer",
        "key": key, "task": "Check", "processor": "orders:Orders", "time": to_text(began), "text": "x" * 3_000,
    }  # fmt: skip
    return document, error if has_failed else None


def _executions(number: int, began: datetime, has_failed: bool, is_restarted: bool) -> Iterator[TaskExecution]:
    sent = Status(message="sent for 7")
    yield TaskExecution(name="Fetch", execution_time=began, finished_at=began, processed=True, run_count=1)
    failure = {"error_id": _id(number), "error": "ValueError: no customer"}
    outcome: dict[str, Any] = failure if has_failed else {"processed": True, "status": sent}
    yield TaskExecution(name="Check", execution_time=began, finished_at=began, run_count=1, **outcome)
    if is_restarted:
        again = {"execution_time": RESTARTED, "finished_at": RESTARTED, "processed": True, "status": sent}
        yield TaskExecution(name="Check", run_count=2, **again)


def _id(number: int) -> UUID:
    return UUID(int=(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)


if __name__ == "__main__":
    main()
