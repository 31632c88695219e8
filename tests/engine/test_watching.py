"""Watching a run: hooks, log lines with fields, spans, metrics, progress."""

import logging
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import Status, StatusException, Store, StoredProcessor, Task, WorkflowModel


class Order(WorkflowModel):
    key: str


class Check(Task):
    def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        if entry.key == "bad":
            raise ValueError("no customer")
        if entry.key == "shy":
            raise StatusException(Status(message="not now"))


class Orders(StoredProcessor):
    model = Order
    keys: Iterable[str] = ("A-1", "bad", "shy")

    def get_default_entries(self) -> Iterable[Any]:
        return ({"key": key} for key in self.keys)

    def get_tasks(self) -> list[Task]:
        return [Check(self)]


class Hooked(Orders):
    """Notes what its hooks are told."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.told: list[tuple[Any, ...]] = []
        self.threads: set[threading.Thread] = set()

    def note(self, *what: Any) -> None:
        self.told.append(what)
        self.threads.add(threading.current_thread())

    def on_run_start(self, run: Any) -> None:
        self.note("start", run.number)

    def on_run_finish(self, run: Any) -> None:
        self.note("finish", str(run.ending), run.considered)

    def on_entry_finish(self, entry: Any, state: Any) -> None:
        self.note(entry.key, str(state))

    def on_error(self, error_record: dict[str, Any]) -> None:
        self.note("error", error_record["key"], error_record["task"], error_record["message"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as opened:
        yield opened


HOW = pytest.mark.parametrize("how", [{}, {"workers": 2}], ids=["inline", "threads"])


@HOW
def test_hooks_are_told_what_happens_in_the_runs_own_thread(store: Store, how: dict[str, Any]) -> None:
    made = Hooked(store)
    made.process_entries(**how)
    assert made.told[0] == ("start", 1)
    assert made.told[-1] == ("finish", "completed", 3)
    middle = [("A-1", "finished"), ("bad", "failed"), ("error", "bad", "Check", "no customer"), ("shy", "interrupted")]
    assert sorted(made.told[1:-1]) == sorted(middle)
    assert made.told.index(("error", "bad", "Check", "no customer")) < made.told.index(("bad", "failed"))
    assert made.threads == {threading.current_thread()}


@HOW
def test_log_lines_say_what_they_are_about(store: Store, how: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="engine")
    result = Orders(store).process_entries(**how)
    (error,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    about = {name: getattr(error, name) for name in ("run", "entry", "task", "attempt", "error_id")}
    expected = {"run": result.number, "entry": "bad", "task": "Check", "attempt": 1}
    assert about == {**expected, "error_id": result.failures[0].error_id or about["error_id"]}
    assert about["error_id"]
    ended = [record for record in caplog.records if record.getMessage().startswith("task 'Check'")]
    assert {record.entry for record in ended} == {"A-1", "bad", "shy"}  # type: ignore[attr-defined]
    assert {record.run for record in ended} == {result.number}  # type: ignore[attr-defined]


def test_the_library_is_silent_unless_it_is_configured(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    Orders(store).process_entries()
    assert capfd.readouterr() == ("", "")


def test_spans_of_run_entry_and_execution(store: Store, spans: Any) -> None:
    result = Orders(store).process_entries(workers=2)
    made = {span.name: span for span in spans.get_finished_spans()}
    (run,) = (span for name, span in made.items() if name.startswith("run"))
    assert run.attributes["wfe.run"] == result.number
    assert run.attributes["wfe.ending"] == "completed"
    bad = made["entry bad"]
    assert bad.parent.span_id == run.context.span_id
    assert bad.attributes["wfe.state"] == "failed"
    (failed,) = (
        span for span in spans.get_finished_spans() if span.parent and span.parent.span_id == bad.context.span_id
    )
    assert failed.attributes["wfe.error_id"] == result.failures[-1].error_id or failed.attributes["wfe.error_id"]
    assert failed.status.status_code.name == "ERROR"
    assert failed.events[0].attributes["exception.type"] == "ValueError"
    assert failed.start_time <= failed.end_time


def test_metrics_are_what_prometheus_reads(store: Store, workplace: Any) -> None:
    workplace.orders("A-1", "A-2 raise", 'A-"3')
    workplace.wfe("run", "orders:Orders")
    workplace.wfe("pause", "Orders")
    done = workplace.wfe("metrics")
    assert done.returncode == 0
    line = re.compile(
        r'(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{\w+="(?:[^"\\\n]|\\.)*"(?:,\w+="(?:[^"\\\n]|\\.)*")*\})? [\d.e+-]+)'
    )
    lines = done.stdout.splitlines()
    assert [each for each in lines if not line.fullmatch(each)] == []
    assert 'wfe_entries{processor="orders:Orders",state="finished"} 2' in lines
    assert 'wfe_entries{processor="orders:Orders",state="failed"} 1' in lines
    assert 'wfe_paused{processor="orders:Orders"} 1' in lines
    assert 'wfe_run_failed{processor="orders:Orders"} 1' in lines
    assert 'wfe_runs{processor="orders:Orders",ending="completed"} 1' in lines
    assert any(each.startswith("wfe_run_timer_seconds_sum") and "process_entry" in each for each in lines)
    assert 'wfe_run_statistic{processor="orders:Orders",counter="tasks.Send.processed"} 2' in lines


def test_progress_reaches_the_store_four_times_a_second_at_most(store: Store) -> None:
    made = Orders(store)
    made.keys = [f"A-{number}" for number in range(4_000)]
    seen: list[str] = []

    def observe(result: Any) -> None:
        if result.considered % 20 == 0:
            seen.append(store.runs.get(doc_id=result.number)["updated"])

    made.observer = observe
    made.process_entries()
    (run,) = store.runs.all()
    from datetime import datetime

    took = (datetime.fromisoformat(run["ended"]) - datetime.fromisoformat(run["started"])).total_seconds()
    assert len(set(seen)) <= took * 4 + 2
    assert run["rate"] > 0
    assert run["in_progress"] == 0
