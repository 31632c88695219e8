"""The kit with which users test their workflows, used as they use it."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import (
    InputError,
    RepeatAfterCycle,
    RepeatAfterTime,
    Status,
    StatusException,
    Store,
    StoredProcessor,
    Task,
    WorkflowError,
    WorkflowModel,
    current_attempt,
)
from engine.operations import Decision, decide, hold, pause, restart
from engine.testing import (
    CrashPoint,
    ManualClock,
    NeverIdle,
    NotReached,
    crash,
    crash_here,
    memory_store,
    run_task,
    run_until_idle,
)


class Order(WorkflowModel):
    key: str
    country: str = "DE"
    parcel: str | None = None


class Pack(Task):
    def process_entry(self, entry: Order, dry_run: bool = False) -> None:
        entry.parcel = f"P-{entry.key}"


class Ship(Task):
    def process_entry(self, entry: Order, dry_run: bool = False) -> None:
        if entry.country == "NO" and current_attempt().number == 1:
            raise StatusException(Status(message="customs are closed", repeat=RepeatAfterTime(hours=1)))
        if entry.country == "CH":
            raise StatusException(Status(message="the address is not known"))
        {"DE": "DHL", "NO": "Posten"}[entry.country]


class Orders(StoredProcessor):
    model = Order
    given: tuple[dict[str, str], ...] = (
        {"key": "A-1", "country": "DE"}, {"key": "A-2", "country": "NO"}, {"key": "A-3", "country": "XX"},
    )  # fmt: skip

    def get_default_entries(self) -> Any:
        return self.given

    def get_tasks(self) -> list[Task]:
        return [Pack(self), Ship(self)]


@pytest.fixture
def store() -> Iterator[Store]:
    with memory_store() as opened:
        yield opened


@pytest.fixture
def orders(store: Store) -> Orders:
    return Orders(store, clock=ManualClock())


def doing(body: Callable[[Any, Any], Any], **fields: Any) -> type[Task]:
    return type("Doing", (Task,), {"process_entry": lambda self, entry, dry_run=False: body(self, entry), **fields})


# --- one task on one entry


def test_a_closed_customs_is_tried_again_an_hour_later() -> None:
    result = run_task(Ship, Order(key="A-2", country="NO"))
    assert (result.state, result.why) == ("waiting", "repeat after 1 h · customs are closed")
    assert result.due == result.execution.execution_time + timedelta(hours=1)
    assert result.status
    assert result.status.message == "customs are closed"


def test_what_a_task_changes_is_on_the_entry_and_told() -> None:
    order = Order(key="A-1")
    result = run_task(Pack, order)
    assert result.state == "finished"
    assert result.changed == {"parcel": "P-A-1"}
    assert result.entry is order
    assert order.parcel == "P-A-1"
    assert order.has_processed(Pack)


def test_a_dry_run_leaves_the_entry_as_it_was() -> None:
    told: list[bool] = []

    class Dry(Task):
        def process_entry(self, entry: Order, dry_run: bool = False) -> None:
            told.append(dry_run)
            entry.parcel = "none"

    order = Order(key="A-1")
    result = run_task(Dry, order, dry_run=True)
    assert told == [True]
    assert order == Order(key="A-1")
    assert result.changed == {"parcel": "none"}


def test_an_unexpected_exception_is_told_with_its_record() -> None:
    result = run_task(Ship, Order(key="A-3", country="XX"))
    assert (result.state, result.due) == ("failed", None)
    assert isinstance(result.exception, KeyError)
    assert result.error
    assert (result.error["type"], result.error["task"], result.error["key"]) == ("KeyError", "Ship", "A-3")
    assert str(result.execution.error_id) == result.error["error_id"]


def test_a_second_call_is_the_next_attempt() -> None:
    order = Order(key="A-2", country="NO")
    assert run_task(Ship, order).state == "waiting"
    assert run_task(Ship, order).state == "finished"
    assert [execution.run_count for execution in order.executions or ()] == [1, 2]


def test_an_attempt_knows_what_ended_the_one_before() -> None:
    seen: list[str | None] = []

    def body(task: Task, entry: Any) -> None:
        seen.append(current_attempt().previous_error)
        raise ValueError("no customer")

    kind, order = doing(body), Order(key="A-1")
    run_task(kind, order)
    run_task(kind, order)
    assert seen == [None, "ValueError: no customer"]


def test_a_coroutine_is_executed_to_its_end() -> None:
    class Book(Task):
        async def process_entry(self, entry: Order, dry_run: bool = False) -> Status:
            await asyncio.sleep(0)
            return Status(message=f"booked in attempt {current_attempt().number}")

    result = run_task(Book, Order(key="A-1"))
    assert result.status == Status(message="booked in attempt 1")


def test_a_task_that_is_late_fails_by_its_timeout() -> None:
    released = threading.Event()
    result = run_task(doing(lambda task, entry: released.wait(60), timeout=0.05), Order(key="A-1"))
    released.set()
    assert result.state == "failed"
    assert result.execution.error == "TimedOut: it took longer than its timeout of 0.05 s"


def test_an_entry_that_no_store_could_keep_fails_as_in_a_run() -> None:
    def change(task: Task, entry: Any) -> None:
        entry.key = "B-1"

    def spoil(task: Task, entry: Any) -> None:
        entry.parcel = object()

    assert "no task may change an entry's key" in str(run_task(doing(change), Order(key="A-1")).exception)
    assert "holds data that is not JSON" in str(run_task(doing(spoil), Order(key="A-1")).exception)


def test_what_a_task_logs_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    result = run_task(doing(lambda task, entry: logging.info("packed %s", entry.key)), Order(key="A-1"))
    assert result.log == ("packed A-1",)


def test_a_task_finds_the_processor_it_is_given(tmp_path: Path) -> None:
    orders = Orders(tmp_path / "wfe.db", clock=ManualClock())
    result = run_task(doing(lambda task, entry: Status(message=type(task.processor).__name__)), Order(key="A-1"),
                      processor=orders)  # fmt: skip
    assert result.status == Status(message="Orders")
    assert result.execution.execution_time == orders.clock()
    assert run_task(Pack(orders), Order(key="A-1")).execution.execution_time == orders.clock()
    assert not list(tmp_path.iterdir()), "no store was made for that"


def test_an_entry_without_a_key_and_a_processor_with_its_own_storage_will_do() -> None:
    class Bare(WorkflowModel):
        number: int = 1

    def count(task: Task, entry: Any) -> None:
        entry.number += 1
        task.statistic_increment("seen")

    assert run_task(doing(count), Bare()).changed == {"number": 2}


# --- a store in memory


def test_a_store_in_memory_is_a_store_and_then_it_is_gone(clock: ManualClock) -> None:
    with memory_store() as store:
        place = store.path.parent
        Orders(store, clock=clock).process_entries()
        assert len(store.entries) == 3
        assert place.is_dir()
    assert not place.exists()


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="this system keeps no files in memory")
def test_a_store_in_memory_is_not_on_the_disk() -> None:
    with memory_store() as store:
        assert store.path.is_relative_to("/dev/shm")


def test_threads_and_several_processors_share_a_store_in_memory(store: Store) -> None:
    class Returns(Orders):
        pass

    for kind in (Orders, Returns):
        kind(store).process_entries(workers=4)
    assert store.entries.counts("processor") == {Orders(store).name: 3, Returns(store).name: 3}


# --- a clock to turn


def test_a_clock_stands_until_it_is_turned() -> None:
    clock = ManualClock(datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert clock() == clock() == datetime(2026, 11, 23, 12, tzinfo=UTC)
    clock.turn(hours=1, minutes=30)
    assert clock() == datetime(2026, 11, 23, 13, 30, tzinfo=UTC)
    clock.turn(timedelta(hours=-1))
    assert clock() == datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
    clock.turn_to(datetime(2027, 1, 1, tzinfo=UTC))
    assert clock() == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_moment_without_a_zone_is_local_time(zone: Callable[[str], None]) -> None:
    zone("Europe/Berlin")
    clock = ManualClock(datetime(2026, 11, 23, 12))  # noqa: DTZ001
    assert clock() == datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert clock().tzinfo is UTC


# --- until nothing is due


def test_the_clock_is_turned_until_nothing_is_due(orders: Orders) -> None:
    result = run_until_idle(orders)
    assert result.states == {"A-1": "finished", "A-2": "finished", "A-3": "failed"}
    assert result.unfinished == {"A-3": "KeyError: 'XX'"}
    assert result.executed == ["Pack A-1", "Ship A-1", "Pack A-2", "Ship A-2", "Pack A-3", "Ship A-3", "Ship A-2"]
    assert result.turned == timedelta(hours=1)
    assert [run.considered for run in result.runs] == [3, 1]


def test_what_operators_asked_for_is_done_as_well(orders: Orders, store: Store) -> None:
    orders.given = ({"key": "A-3", "country": "XX"},)
    run_until_idle(orders)
    orders.given = ({"key": "A-3", "country": "DE"},)
    restart(["A-3"], store=store, clock=orders.clock)
    result = run_until_idle(orders)
    assert result.executed == ["Ship A-3"]
    assert result.states == {"A-3": "finished"}


def test_what_still_waits_says_why(orders: Orders, store: Store) -> None:
    orders.given = (
        {"key": "A-1", "due_date": "2020/01/01"}, {"key": "A-2", "country": "CH"}, {"key": "A-4"}, {"key": "A-5"},
    )  # fmt: skip

    class Choosy(Orders):
        given = orders.given

        def filter(self, entry: Order) -> bool:
            return entry.key != "A-5" and super().filter(entry)

    choosy = Choosy(store, clock=orders.clock)
    choosy.process_entries(["A-4"], dry_run=True)
    choosy.process_entries([{"key": "A-4"}], limit=0)
    result = run_until_idle(choosy)
    assert result.states == {"A-1": "waiting", "A-2": "interrupted", "A-4": "finished", "A-5": "ready"}
    assert result.unfinished == {
        "A-1": "its due date 2020/01/01 has passed",
        "A-2": "the address is not known",
        "A-5": "every run leaves it out",
    }


def test_a_due_date_is_waited_for_without_waiting(orders: Orders) -> None:
    orders.given = ({"key": "A-1", "due_date": ">2026/02/01"},)
    assert run_until_idle(orders).states == {"A-1": "finished"}
    assert orders.clock() >= datetime(2026, 2, 1, tzinfo=UTC)


def test_what_waits_for_runs_is_given_them(store: Store) -> None:
    class Poll(Task):
        def process_entry(self, entry: Order, dry_run: bool = False) -> None:
            if current_attempt().number < 3:
                raise StatusException(Status(repeat=RepeatAfterCycle(after_cycle=3)))

    class Polls(Orders):
        given = ({"key": "A-1"},)

        def get_tasks(self) -> list[Task]:
            return [Poll(self)]

    result = run_until_idle(Polls(store, clock=ManualClock()))
    assert result.executed == ["Poll A-1"] * 3
    assert len(result.runs) == 7
    assert result.turned == timedelta()


@pytest.mark.parametrize("repeat", [True, RepeatAfterTime(hours=1), RepeatAfterCycle(after_cycle=2)])
def test_what_is_never_idle_says_so(store: Store, repeat: Any) -> None:
    class Poll(Task):
        def process_entry(self, entry: Order, dry_run: bool = False) -> Status:
            return Status(message="polled", repeat=repeat)

    class Polls(Orders):
        given = ({"key": "A-1"},)

        def get_tasks(self) -> list[Task]:
            return [Poll(self)]

    with pytest.raises(
        NeverIdle, match=r"after 8 runs .*: Poll of the entry 'A-1'.*: give its repeat max_reruns"
    ) as told:
        run_until_idle(Polls(store, clock=ManualClock()), most_runs=8)
    assert isinstance(told.value, AssertionError)
    assert len(told.value.result.runs) == 8


def test_what_is_held_stays_and_a_paused_processor_is_left_alone(orders: Orders, store: Store) -> None:
    orders.process_entries()
    hold(["A-2"], store=store, who="anna@host", why="customs", clock=orders.clock)
    result = run_until_idle(orders)
    assert result.unfinished["A-2"] == "held by anna@host: customs"
    pause("Orders", store=store)
    assert [run.ending for run in run_until_idle(orders).runs] == ["stopped"]


def test_only_a_clock_that_can_be_turned_will_do(store: Store) -> None:
    with pytest.raises(InputError, match=r"clock=ManualClock\(\)"):
        run_until_idle(Orders(store))
    with pytest.raises(InputError, match="no date"):
        run_until_idle(Orders(store, "14.03.2023", clock=ManualClock()))


def test_a_processor_that_opens_its_store_by_its_path_will_do_too(tmp_path: Path) -> None:
    result = run_until_idle(Orders(tmp_path / "wfe.db", clock=ManualClock()))
    assert result.states["A-2"] == "finished"


# --- crash here

AT = [
    (CrashPoint.BEFORE_START, "ready", 0),
    (CrashPoint.BEFORE_BODY, "in doubt", 0),
    (CrashPoint.AFTER_BODY, "in doubt", 1),
    (CrashPoint.AFTER_RECORD, "ready", 1),
]


class Note(Task):
    """Notes in a file that it was executed: what it notes in memory would die with its process."""

    file: Path

    def process_entry(self, entry: Order, dry_run: bool = False) -> None:
        with self.file.open("a") as file:
            file.write(f"{type(self).__name__} {entry.key}\n")

    @classmethod
    def lines(cls) -> list[str]:
        return cls.file.read_text().splitlines() if cls.file.exists() else []


class Seal(Note):
    pass


class Noted(Orders):
    given = ({"key": "A-1"}, {"key": "A-2"})

    def get_tasks(self) -> list[Task]:
        return [Note(self), Seal(self)]


@pytest.fixture
def noted(store: Store, tmp_path: Path) -> Iterator[Noted]:
    Note.file = tmp_path / "done.txt"
    yield Noted(store, clock=ManualClock())
    del Note.file


@pytest.mark.parametrize(("point", "state", "effects"), AT)
def test_a_process_dies_where_a_test_says(noted: Noted, point: CrashPoint, state: str, effects: int) -> None:
    assert crash(noted, point, Note, "A-2") == {"A-1": "finished", "A-2": state}
    assert Note.lines() == ["Note A-1", "Seal A-1", "Note A-2"][: 2 + effects]
    assert noted.store.runs.all()[0]["ending"] == "crashed"


def test_what_is_in_doubt_is_decided_and_what_is_recorded_goes_on(noted: Noted) -> None:
    crash(noted, CrashPoint.AFTER_BODY, Note, "A-1")
    assert run_until_idle(noted).unfinished == {"A-1": "its process died inside this task"}
    decide(["A-1"], Decision.DONE, store=noted.store, clock=noted.clock)
    assert run_until_idle(noted).states == {"A-1": "finished", "A-2": "finished"}
    assert Note.lines().count("Note A-1") == 1


def test_an_idempotent_task_is_executed_again(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Note, "idempotent", True)
    assert crash(noted, CrashPoint.AFTER_BODY, Note, "A-1")["A-1"] == "ready"
    run_until_idle(noted)
    assert Note.lines().count("Note A-1") == 2


def test_a_service_that_kills_its_caller(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Seal, "process_entry", lambda self, entry, dry_run=False: crash_here())
    assert crash(noted) == {"A-1": "in doubt", "A-2": "ready"}


def test_a_process_dies_in_what_an_operator_asked_for(noted: Noted) -> None:
    run_until_idle(noted)
    restart(["A-1"], from_start=True, store=noted.store, clock=noted.clock)
    assert crash(noted, CrashPoint.BEFORE_BODY, Seal)["A-1"] == "in doubt"
    (action,) = noted.store.actions.all()
    assert action["open"]


def test_a_crash_that_is_not_reached_says_why(noted: Noted, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        NotReached, match="completed, and never came to its crash of Ship on the entry 'A-9': after the body"
    ):
        crash(noted, CrashPoint.AFTER_BODY, Ship, "A-9")

    def breaks(self: Any) -> Any:
        raise OSError("no network")

    monkeypatch.setattr(Noted, "get_default_entries", breaks)
    with pytest.raises(NotReached, match="OSError: no network"):
        crash(noted)


def test_a_crash_leaves_the_store_of_the_test_usable(noted: Noted) -> None:
    before = noted.store.owner
    crash(noted, CrashPoint.BEFORE_START)
    assert noted.store.is_alive(before)
    assert run_until_idle(noted).states == {"A-1": "finished", "A-2": "finished"}


def test_who_is_no_child_of_a_crash_does_not_kill_itself() -> None:
    with pytest.raises(WorkflowError, match=r"crash\(\) has started"):
        crash_here()
