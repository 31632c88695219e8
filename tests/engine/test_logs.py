"""What tasks log is kept with their executions: nothing else, nothing twice, and no longer than these."""

import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import Processor, Store, StoredProcessor, Task, WorkflowModel
from engine.clock import utc_now
from engine.lookup.logs import execution_logs, log_lines
from engine.operations import restart
from engine.runner.capture import MOST_CHARACTERS, MOST_LINES
from engine.store.logs import TABLE

log = logging.getLogger("shop.orders")
log.setLevel(logging.INFO)

ORDERS = "test_logs:Orders"


class Order(WorkflowModel):
    key: str


class Fetch(Task):
    def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        pass


class Check(Task):
    def process_entry(self, entry: Any, dry_run: bool = False) -> Any:
        return self.processor.check(entry)  # type: ignore[attr-defined]


class CheckInTime(Check):
    timeout = 0.2


class CheckAsync(Task):
    async def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        await self.processor.check(entry)  # type: ignore[attr-defined]


class Orders(StoredProcessor):
    model = Order
    kind: type[Task] = Check

    def __init__(self, store: Store, check: Callable[[Any], Any], *keys: str, **given: Any) -> None:
        super().__init__(store, **given)
        self.check, self.keys = check, keys or ("A-1",)

    def get_default_entries(self) -> list[Any]:
        return [{"key": key} for key in self.keys]

    def get_tasks(self) -> list[Task]:
        return [Fetch(self), self.kind(self)]


class InTime(Orders):
    kind = CheckInTime


class Async(Orders):
    kind = CheckAsync


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as opened:
        yield opened


def kept(store: Store, key: str = "A-1", processor: str = ORDERS) -> list[str]:
    return [line.message for line in log_lines(store, processor, key)]


@pytest.mark.parametrize("how", [{}, {"workers": 3}], ids=["inline", "threads"])
def test_each_line_is_kept_with_the_execution_that_logged_it(store: Store, how: dict[str, Any]) -> None:
    def check(entry: Any) -> None:
        log.info("order %s costs %d", entry.key, 7)
        logging.getLogger("urllib3").warning("slow")

    before = utc_now()
    Orders(store, check, *(f"A-{number}" for number in range(20))).process_entries(**how)
    assert len(store.db.table(TABLE)) == 20
    for number in range(20):
        first, second = log_lines(store, ORDERS, f"A-{number}")
        assert (first.level, first.logger, first.message) == ("INFO", "shop.orders", f"order A-{number} costs 7")
        assert (second.level, second.logger, second.message) == ("WARNING", "urllib3", "slow")
        assert (first.task, first.attempt) == ("Check", 1)
        assert before <= first.moment <= second.moment <= utc_now()


def test_what_the_users_loggers_do_not_let_through_is_not_kept(store: Store) -> None:
    def check(entry: Any) -> None:
        log.debug("too low for its logger")
        logging.getLogger("other").info("too low for the root")
        logging.getLogger("proud").error("it does not propagate")
        log.info("kept")

    logging.getLogger("proud").propagate = False
    Orders(store, check).process_entries()
    assert kept(store) == ["kept"]


def test_executions_without_lines_write_nothing_and_what_the_engine_says_is_not_theirs(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "engine")
    Orders(store, lambda entry: None).process_entries()
    assert any(record.name == "engine" for record in caplog.records)
    assert TABLE not in store.db.tables()
    assert all(TABLE not in entry for entry in store.entries)
    assert log_lines(store, ORDERS, "A-1") == log_lines(store, ORDERS, "A-77") == []


def test_what_is_logged_outside_of_tasks_is_not_kept(store: Store) -> None:
    class Chatty(Orders):
        def filter(self, entry: Any) -> bool:
            log.warning("filtered")
            return super().filter(entry)

    Chatty(store, lambda entry: None).process_entries()
    log.warning("after the run")
    assert TABLE not in store.db.tables()


def test_the_newest_execution_comes_first_with_the_lines_before_a_failure(store: Store) -> None:
    def check(entry: Any) -> None:
        log.warning("asks the customer")
        raise ValueError("no answer")

    Orders(store, check).process_entries()
    restart(["A-1"], store=store)
    Orders(store, lambda entry: log.warning("asked again")).process_entries()
    second, first = execution_logs(store, ORDERS, "A-1")
    assert (second.attempt, [line.message for line in second.lines]) == (2, ["asked again"])
    assert (first.attempt, [line.message for line in first.lines]) == (1, ["asks the customer"])


def test_an_execution_that_logs_without_end_keeps_its_newest_lines_and_says_how_many_it_dropped(store: Store) -> None:
    def check(entry: Any) -> None:
        for number in range(MOST_LINES + 50):
            log.warning("line %d", number)
        log.warning("x" * 10 * MOST_CHARACTERS)

    Orders(store, check).process_entries()
    (told,) = execution_logs(store, ORDERS, "A-1")
    assert (len(told.lines), told.dropped) == (MOST_LINES, 51)
    assert told.lines[0].message == "line 51"
    assert len(told.lines[-1].message) == MOST_CHARACTERS


def test_whatever_is_logged_can_be_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.NullHandler()])  # others cannot take it

    def check(entry: Any) -> None:
        log.warning("%s", os.fsdecode(b"caf\xe9"))
        try:
            raise ValueError("no customer")
        except ValueError:
            log.exception("it failed")
        log.warning("%d orders", "no")

    Orders(store, check).process_entries()
    first, second, third = kept(store)
    assert first == "caf\\udce9"
    assert second == "it failed\nValueError: no customer"
    assert "%d orders" in third


def test_lines_of_threads_and_coroutines_that_a_task_waits_for_are_its_own(store: Store) -> None:
    async def check(entry: Any) -> None:
        await asyncio.gather(*(asyncio.to_thread(log.warning, "%s in a thread", entry.key) for _ in range(3)))
        log.warning("%s in the coroutine", entry.key)

    Async(store, check, "A-1", "A-2", "A-3").process_entries(workers=2)
    for key in ("A-1", "A-2", "A-3"):
        assert kept(store, key, "test_logs:Async") == [f"{key} in a thread"] * 3 + [f"{key} in the coroutine"]


def test_a_task_that_is_late_keeps_what_it_logged_in_time(store: Store) -> None:
    is_over, has_ended = threading.Event(), threading.Event()

    def check(entry: Any) -> None:
        log.warning("in time")
        is_over.wait(10)
        log.warning("too late")
        has_ended.set()

    InTime(store, check).process_entries()
    is_over.set()
    assert has_ended.wait(10)
    assert kept(store, processor="test_logs:InTime") == ["in time"]


def test_two_runs_at_once_keep_each_line_once(store: Store) -> None:
    inside = threading.Barrier(2, timeout=10)

    def check(entry: Any) -> None:
        inside.wait()
        log.warning("checked")

    runs = [Orders(store, check, key) for key in ("A-1", "A-2")]
    threads = [threading.Thread(target=each.process_entries) for each in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (kept(store, "A-1"), kept(store, "A-2")) == (["checked"], ["checked"])


def test_a_dry_run_and_a_processor_with_its_own_storage_keep_nothing(store: Store) -> None:
    handlers: list[int] = []

    class Own(Processor):
        def get_default_entries(self) -> list[Any]:
            return [Order(key="A-1")]

        def get_entry(self, selection: Any) -> Any:
            return None

        def get_tasks(self) -> list[Task]:
            return [Check(self)]

        def write_entry(self, entry: Any, execution: Any) -> None:
            pass

        def close(self) -> None:
            pass

        def check(self, entry: Any) -> None:
            handlers.append(len(logging.getLogger().handlers))

    before = len(logging.getLogger().handlers)
    Own().process_entries()
    Orders(store, lambda entry: log.warning("dry")).process_entries(dry_run=True)
    assert handlers == [before]
    assert store.db.tables() == set()


def test_a_script_that_configured_no_logging_still_sees_its_warnings_once(workplace: Any) -> None:
    workplace.extend(
        "\n\nimport logging\n\n\nclass Loud(Check):\n    def process_entry(self, entry, dry_run=False):\n"
        "        logging.getLogger('shop').warning('look at this')\n"
        "        logging.getLogger('shop').info('not at that')\n\n\n"
        "class Louder(Orders):\n    def get_tasks(self):\n        return [Loud(self)]\n"
    )
    workplace.orders("A-1")
    script = "from orders import Louder; Louder('wfe.db').process_entries()"
    for how in (script, f"import logging; logging.basicConfig(); {script}"):
        workplace.store.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-c", how], cwd=workplace.folder, capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stderr.count("look at this") == 1
        assert "not at that" not in done.stderr
        with Store(workplace.store) as store:
            assert kept(store, processor="orders:Louder") == ["look at this"]


# --- how long they are kept


def test_lines_go_with_their_entry(store: Store, clock: Any) -> None:
    Orders(store, lambda entry: log.warning("checked"), "A-1", "A-2", clock=clock).process_entries()
    clock.turn(days=10)
    Orders(store, lambda entry: log.warning("checked"), "A-3", clock=clock).process_entries()
    assert store.prune(timedelta(days=5), 0, clock=clock).entries == 2
    assert len(store.db.table(TABLE)) == 1
    assert (kept(store, "A-1"), kept(store, "A-3")) == ([], ["checked"])


def test_lines_go_with_their_attempt(store: Store, clock: Any) -> None:
    def check(entry: Any) -> None:
        log.warning("attempt at %s", clock().day)
        raise ValueError

    for _ in range(3):
        Orders(store, check, clock=clock).process_entries()
        restart(["A-1"], store=store, clock=clock)
        clock.turn(days=1)
    assert kept(store) == ["attempt at 25", "attempt at 24", "attempt at 23"]
    assert store.prune(timedelta(days=0), 1, clock=clock).executions > 0
    assert kept(store) == ["attempt at 25"]
    assert len(store.db.table(TABLE)) == 1


def test_lines_of_an_entry_that_others_write_meanwhile_stay_with_it(store: Store) -> None:
    Orders(store, lambda entry: log.warning("checked")).process_entries()
    restart(["A-1"], from_start=True, store=store)
    assert kept(store) == ["checked"]


def test_lines_survive_an_export(store: Store, tmp_path: Path) -> None:
    Orders(store, lambda entry: log.warning("checked")).process_entries()
    store.export(tmp_path / "all.json")
    Store.import_(tmp_path / "all.json", tmp_path / "copy.db")
    with Store(tmp_path / "copy.db") as copy:
        assert kept(copy) == ["checked"]
