"""The published contract: a program written for workflow_engine 0.1.0 runs with only its import changed, and does what
the description says. It keeps its entries in a JSON file of its own; there is no store of ours."""

import json
import logging
import pickle
import subprocess
import sys
import threading
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

import engine
from engine import (
    EngineError,
    Processor,
    RepeatAfterCycle,
    RepeatAfterDatetime,
    RepeatAfterTime,
    Status,
    StatusException,
    Task,
    TaskExecution,
    TimeBlock,
    WorkflowModel,
)

NIGHT = timedelta(days=1)


class Order(WorkflowModel):
    number: str
    price: int = 0


class Shop(Processor):
    """The six methods as the description names them; the orders lie in a JSON file."""

    def __init__(self, file: Path, tasks: list[type[Task]], **given: Any) -> None:
        super().__init__(**given)
        self.file = file
        self.kinds = tasks
        self.orders: dict[str, Any] = json.loads(file.read_text())
        self.ran: list[str] = []
        self.written: list[tuple[str, TaskExecution | None]] = []
        self.parsed: list[Any] = []
        self.closed = 0

    def get_default_entries(self) -> list[Any]:
        return list(self.orders.values())

    def get_entry(self, selection: Any) -> WorkflowModel:
        self.parsed.append(selection)
        return Order.model_validate(self.orders[selection] if isinstance(selection, str) else selection)

    def get_tasks(self) -> list[Task]:
        return [kind(self) for kind in self.kinds]

    def write_entry(self, entry: Order, execution: TaskExecution | None) -> None:
        self.written.append((entry.number, execution))
        self.orders[entry.number] = json.loads(entry.model_dump_json())

    def close(self) -> None:
        self.closed += 1
        self.file.write_text(json.dumps(self.orders))


def task(name: str, act: Callable[[Order], Status | None] = lambda entry: None) -> type[Task]:
    """A task class of this name that does `act`."""

    def process_entry(self: Any, entry: Order, dryrun: bool = False) -> Status | None:
        self.processor.ran.append(f"{name} {entry.number}" + (" dry" if dryrun else ""))
        return act(entry)

    return type(name, (Task,), {"process_entry": process_entry})


def returns(**status: Any) -> Callable[[Order], Status]:
    return lambda entry: Status(**status)


def interrupts(**status: Any) -> Callable[[Order], Status]:
    def act(entry: Order) -> Status:
        raise StatusException(Status(**status))

    return act


def breaks(entry: Order) -> None:
    raise ValueError(f"no customer in {entry.number}")


class Nights:
    """A shop that is started anew each night, as by cron."""

    def __init__(self, file: Path, clock: Any) -> None:
        self.file = file
        self.clock = clock
        self.orders("1")

    def orders(self, *numbers: str, **fields: Any) -> None:
        self.file.write_text(json.dumps({number: {"number": number, **fields} for number in numbers}))

    def shop(self, *tasks: type[Task], **given: Any) -> Shop:
        return Shop(self.file, list(tasks), clock=self.clock, **given)

    def run(self, *tasks: type[Task], **given: Any) -> Shop:
        shop = self.shop(*tasks)
        shop.process_entries(**given)
        return shop

    def order(self, number: str = "1") -> Order:
        return Order.model_validate(json.loads(self.file.read_text())[number])

    def change(self, number: str, act: Callable[[Order], None]) -> None:
        """What an operator does by hand, in the file."""
        orders = json.loads(self.file.read_text())
        order = Order.model_validate(orders[number])
        act(order)
        self.file.write_text(json.dumps({**orders, number: json.loads(order.model_dump_json())}))


@pytest.fixture
def nights(tmp_path: Path, clock: Any) -> Nights:
    return Nights(tmp_path / "orders.json", clock)


# --- the description, sentence by sentence


def test_every_workflow_executes_a_list_of_tasks_in_their_order(nights: Nights) -> None:
    nights.orders("1", "2")
    shop = nights.run(task("Fetch"), task("Check"), task("Send"))
    assert shop.ran == ["Fetch 1", "Check 1", "Send 1", "Fetch 2", "Check 2", "Send 2"]
    assert nights.order().finished is not None


def test_what_a_task_changes_on_the_entry_is_what_the_next_task_and_the_file_see(nights: Nights) -> None:
    seen = []
    nights.run(task("Fetch", lambda order: setattr(order, "price", 7)), task("Send", lambda o: seen.append(o.price)))
    assert seen == [7]
    assert nights.order().price == 7


def test_default_entries_may_be_raw_and_get_entry_parses_them(nights: Nights) -> None:
    shop = nights.run(task("Fetch"))
    assert shop.parsed == [{"number": "1"}]
    assert shop.ran == ["Fetch 1"]


def test_default_entries_may_be_parsed_already(nights: Nights) -> None:
    shop = nights.shop(task("Fetch"))
    shop.get_default_entries = lambda: iter([Order(number="9"), None])
    shop.process_entries()
    assert shop.parsed == []
    assert shop.ran == ["Fetch 9"]


def test_filter_defines_preconditions_beside_the_published_ones(nights: Nights) -> None:
    class Picky(Shop):
        def filter(self, entry: Order) -> bool:
            return super().filter(entry) and entry.number != "2"

    nights.orders("1", "2", "3")
    shop = Picky(nights.file, [task("Fetch")])
    shop.process_entries()
    assert shop.ran == ["Fetch 1", "Fetch 3"]
    assert shop.statistics["process"] == {"eligible": 2, "not_eligible": 1}


def test_write_entry_handles_successful_and_unsuccessful_entries_after_each_execution(nights: Nights) -> None:
    nights.orders("1")
    shop = nights.run(task("Fetch"), task("Check", breaks), task("Send"))
    assert [(number, execution.name, execution.processed) for number, execution in shop.written] == [
        ("1", "Fetch", True),
        ("1", "Check", False),
    ]


def test_an_entry_is_finished_by_the_write_of_its_last_execution(nights: Nights) -> None:
    finished = []
    shop = nights.shop(task("Fetch"), task("Send"))
    shop.write_entry = lambda entry, execution: finished.append((execution.name, entry.finished is not None))
    shop.process_entries()
    assert finished == [("Fetch", False), ("Send", True)]


def test_close_handles_the_final_state_of_the_workflow_once(nights: Nights) -> None:
    assert nights.run(task("Fetch"), task("Send")).closed == 1


def test_the_model_tells_whether_a_task_has_been_executed_and_whether_there_is_an_error(nights: Nights) -> None:
    fetch, check = task("Fetch"), task("Check", breaks)
    nights.run(fetch, check)
    order = nights.order()
    assert order.has_processed(fetch)
    assert order.has_processed("Fetch")
    assert not order.has_processed(check)
    assert order.get_execution(check)[0].error_id is not None
    assert order.get_execution("Send") == []


def test_a_task_counts_in_the_statistics_of_its_processor(nights: Nights) -> None:
    class Count(Task):
        def process_entry(self, entry: Order, dryrun: bool = False) -> None:
            self.statistic_increment("letters", "sent")

    shop = nights.run(Count)
    assert shop.statistics["Count"] == {"letters": {"sent": 1}}
    assert Count(shop).name == "Shop.Count"


# --- the table: skip, interrupt, repeat


def test_skip_on_success_the_next_task_is_executed_and_the_message_kept(nights: Nights) -> None:
    shop = nights.run(task("Fetch", returns(message="nothing to fetch")), task("Send"))
    assert shop.ran == ["Fetch 1", "Send 1"]
    (fetched,) = nights.order().get_execution("Fetch")
    assert fetched.processed
    assert fetched.status == Status(message="nothing to fetch")
    assert nights.order().finished


def test_interrupt_by_an_exception_cancels_the_workflow_of_that_entry_alone(nights: Nights) -> None:
    nights.orders("1", "2")
    shop = nights.run(task("Check", lambda order: breaks(order) if order.number == "1" else None), task("Send"))
    assert shop.ran == ["Check 1", "Check 2", "Send 2"]
    assert nights.order("1").finished is None
    assert nights.order("2").finished


def test_an_exception_has_a_unique_id_in_the_status_file_and_in_the_log_with_its_stack_trace(
    nights: Nights, caplog: pytest.LogCaptureFixture
) -> None:
    nights.orders("1", "2")
    nights.run(task("Check", breaks))
    ids = [nights.order(number).get_execution("Check")[0].error_id for number in ("1", "2")]
    assert len({*ids}) == 2
    for error_id, record in zip(ids, [r for r in caplog.records if r.levelno == logging.ERROR], strict=True):
        assert isinstance(error_id, UUID)
        assert str(error_id) in record.getMessage()
        assert record.exc_info
    assert "no customer in 1" in caplog.text
    assert "in breaks" in caplog.text


def test_interrupt_by_a_status_exception_sets_the_status_and_no_error(nights: Nights) -> None:
    shop = nights.run(task("Check", interrupts(message="no answer")), task("Send"))
    assert shop.ran == ["Check 1"]
    (checked,) = nights.order().get_execution("Check")
    assert checked.status == Status(message="no answer")
    assert checked.error_id is None
    assert not checked.processed
    assert nights.run(task("Check"), task("Send")).ran == [], "without a repeat it stays interrupted"


def test_repeat_after_an_exception_is_the_operators_to_set(nights: Nights) -> None:
    nights.run(task("Check", breaks), task("Send"))
    assert nights.run(task("Check"), task("Send")).ran == [], "an exception is not repeated by itself"

    def repeat(order: Order) -> None:
        order.get_execution("Check")[0].status = Status(repeat=True)

    nights.change("1", repeat)
    assert nights.run(task("Check"), task("Send")).ran == ["Check 1", "Send 1"]
    assert nights.order().finished


def test_repeat_after_a_status_exception_is_its_status_to_say(nights: Nights) -> None:
    nights.run(task("Check", interrupts(repeat=True)), task("Send"))
    assert nights.run(task("Check"), task("Send")).ran == ["Check 1", "Send 1"]


def test_repeat_on_success_goes_on_and_is_executed_again_in_the_next_run(nights: Nights) -> None:
    tasks = task("Poll", returns(repeat=True)), task("Send")
    assert nights.run(*tasks).ran == ["Poll 1", "Send 1"]
    assert nights.order().finished is None
    assert nights.run(*tasks).ran == ["Poll 1"]
    assert nights.run(task("Poll"), task("Send")).ran == ["Poll 1"]
    assert nights.order().finished


@pytest.mark.parametrize("act", [returns, interrupts])
@pytest.mark.parametrize(
    ("repeat", "too_early", "ripe"),
    [
        (RepeatAfterTime(hours=1, minutes=30), timedelta(minutes=89), timedelta(minutes=1)),
        (
            RepeatAfterDatetime(date_time=datetime(2026, 12, 1, tzinfo=UTC)),
            timedelta(days=7),
            timedelta(hours=12),
        ),
    ],
    ids=["after time", "after datetime"],
)
def test_a_repeat_by_time_waits_until_it_is_ripe_and_no_longer(
    nights: Nights, act: Any, repeat: Any, too_early: timedelta, ripe: timedelta
) -> None:
    nights.run(task("Check", act(repeat=repeat)))
    nights.clock.turn(too_early)
    assert nights.run(task("Check")).ran == []
    nights.clock.turn(ripe)
    assert nights.run(task("Check")).ran == ["Check 1"]
    assert nights.order().finished


# --- the command line and the statistics


def test_the_argparse_entrance_takes_subs_limit_and_dryrun(nights: Nights) -> None:
    nights.orders("1", "2", "3")
    shop = nights.shop(task("Fetch"))
    shop.process(Namespace(subs=["3", "2"], limit=1, dryrun=True))
    assert shop.ran == ["Fetch 3 dry"]
    shop = nights.shop(task("Fetch"))
    shop.process(Namespace(subs=[], limit=None, dryrun=False))
    assert shop.ran == ["Fetch 1", "Fetch 2", "Fetch 3"]


def test_the_statistics_have_the_published_keys(nights: Nights) -> None:
    nights.orders("1", "2", "3", "4")

    def check(order: Order) -> Status | None:
        fates = {"1": breaks, "2": interrupts(message="no"), "3": interrupts(repeat=True)}
        return fates.get(order.number, lambda order: None)(order)

    tasks = task("Fetch"), task("Check", check)
    shop = nights.shop(*tasks)
    shop.process(Namespace(subs=None, limit=None, dryrun=False))
    first = shop.get_statistics(Namespace())
    assert first["process"] == {"eligible": 4}
    assert first["tasks"]["Fetch"] == {"processed": 4}
    outcomes = {"failed", "processed", "status_exception", "status_interrupted"}
    assert {name: first["tasks"]["Check"][name] for name in outcomes} == {
        "failed": 1,
        "processed": 1,
        "status_exception": 2,
        "status_interrupted": 1,
    }
    timers = {"get_default_entries", "process_entries", "process_entry", "process_tasks", "write_entry"}
    assert set(first["time_statistics"]) == timers
    times = {"overall_time", "average_time", "measure_count", "minimum_time", "maximum_time"}
    assert set(first["time_statistics"]["process_entry"]) == times
    second = nights.run(*tasks).get_statistics()
    assert second["process"] == {"eligible": 3, "already_finished": 1, "not_eligible": 1}
    assert second["tasks"]["Fetch"] == {"already_processed": 3}
    assert second["tasks"]["Check"]["already_failed"] == 1
    assert second["tasks"]["Check"]["already_interrupted"] == 1
    assert second["tasks"]["Check"]["repeat"] == 1


def test_an_entry_that_is_not_due_is_counted_as_not_ripe(nights: Nights) -> None:
    nights.orders("1", due_date=">2026/12/01")
    shop = nights.run(task("Fetch"))
    assert shop.ran == []
    assert shop.statistics == {"filter": {"not_ripe": 1}, "process": {"not_eligible": 1}}


@pytest.mark.parametrize("given", ["02.12.2026", "2026-12-02", datetime.fromisoformat("2026-12-02")])
def test_the_consider_date_is_the_moment_that_entries_are_judged_at(nights: Nights, given: Any) -> None:
    nights.orders("1", due_date="2026-12-02")
    shop = nights.shop(task("Fetch"), consider_date=given)
    shop.process_entries()
    assert shop.ran == ["Fetch 1"]


def test_the_consider_date_may_stand_in_the_environment(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("consider_date", "14.03.2023")
    assert nights.shop().consider_date == datetime(2023, 3, 14)  # noqa: DTZ001
    monkeypatch.setenv("consider_date", "")
    assert nights.shop().moment == nights.clock()


def test_a_consider_date_that_is_no_date_is_refused_with_the_forms_it_may_have() -> None:
    with pytest.raises(EngineError, match=r"tomorrow.*14\.03\.2023"):
        Shop(Path("unused"), [], consider_date="tomorrow")


def test_a_published_program_runs_as_a_script_with_only_its_import_changed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    (tmp_path / "devices.json").write_text(json.dumps([{"name": "a"}, {"name": "b"}, {"name": "c"}]))

    def night(*arguments: str) -> dict[str, Any]:
        command = [sys.executable, str(program), *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
        return json.loads(done.stdout)

    assert night("--limit", "1")["tasks"]["Ping"] == {"processed": 1}
    assert night("b", "--dryrun")["tasks"]["Ping"] == {"failed": 1}
    assert night()["process"] == {"already_finished": 1, "not_eligible": 1, "eligible": 2}
    devices = {device["name"]: device for device in json.loads((tmp_path / "devices.json").read_text())}
    assert devices["a"]["finished"]
    assert devices["b"]["executions"][0]["error_id"]
    assert devices["c"]["executions"][-1]["status"]["message"] == "updated"


PROGRAM = """
import argparse
import json
from typing import Optional
from engine import Processor, Status, Task, TaskExecution, WorkflowModel


class Device(WorkflowModel):
    name: str
    version: Optional[int] = None


class Ping(Task):
    def process_entry(self, entry: Device, dryrun: bool = False) -> Optional[Status]:
        if entry.name == "b":
            raise ConnectionError("no answer")


class Update(Task):
    def process_entry(self, entry: Device, dryrun: bool = False) -> Optional[Status]:
        entry.version = 2
        self.statistic_increment("updated")
        return Status(message="updated")


class Devices(Processor):
    def __init__(self, consider_date=None):
        super().__init__(consider_date)
        with open("devices.json") as file:
            self.cache = {raw["name"]: raw for raw in json.load(file)}

    def get_default_entries(self):
        return list(self.cache.values())

    def get_entry(self, selection) -> Device:
        return Device(**(self.cache[selection] if isinstance(selection, str) else selection))

    def filter(self, entry: Device) -> bool:
        return super().filter(entry) and entry.name != "hidden"

    def get_tasks(self):
        return [Ping(self), Update(self)]

    def write_entry(self, entry: Device, execution: TaskExecution):
        self.cache[entry.name] = json.loads(entry.model_dump_json())

    def close(self):
        with open("devices.json", "w") as file:
            json.dump(list(self.cache.values()), file)


parser = argparse.ArgumentParser()
parser.add_argument("subs", nargs="*")
parser.add_argument("--limit", type=int)
parser.add_argument("--dryrun", action="store_true")
args = parser.parse_args()
processor = Devices()
processor.process(args)
statistics = processor.get_statistics(args)
print(json.dumps({name: statistics[name] for name in ("process", "tasks")}))
"""


# --- what the published code got wrong, and users rely on


def test_the_published_names_can_be_imported() -> None:
    published = {
        "StatusException", "Task", "WorkflowModel", "Status", "RepeatAfterCycle", "RepeatAfterDatetime",
        "RepeatAfterTime", "TaskExecution", "Processor",
    }  # fmt: skip
    assert published <= set(engine.__all__)
    assert all(hasattr(engine, name) for name in engine.__all__)


def test_each_execution_bears_the_moment_at_which_it_began(nights: Nights) -> None:
    began = []
    for _ in range(3):
        began.append(nights.clock())
        nights.run(task("Poll", returns(repeat=True)))
        nights.clock.turn(hours=5)
    assert [execution.execution_time for execution in nights.order().get_execution("Poll")] == began[::-1]
    assert abs(datetime.now(UTC) - TaskExecution(name="Poll").execution_time) < timedelta(minutes=1)


def test_the_newest_execution_decides_even_if_the_clock_went_back(nights: Nights) -> None:
    nights.run(task("Check", interrupts(repeat=True)))
    nights.clock.turn(hours=-3)
    nights.run(task("Check"))
    assert nights.order().get_execution("Check")[0].processed
    assert nights.order().finished


def test_a_delay_is_over_when_it_has_passed_since_the_execution(clock: Any) -> None:
    execution = TaskExecution(name="Poll", execution_time=clock(), status=Status(repeat=RepeatAfterTime(hours=1)))
    assert execution.repeat(clock() - timedelta(hours=2)) is None
    assert execution.repeat(clock() + timedelta(minutes=59)) is None
    assert execution.repeat(clock() + timedelta(hours=1)) is execution.status
    assert execution.repeat(clock() + timedelta(hours=2)) is execution.status


def test_asking_whether_a_task_repeats_changes_nothing() -> None:
    execution = TaskExecution(name="Poll", status=Status(repeat=RepeatAfterCycle(after_cycle=3)))
    before = execution.model_dump_json()
    for _ in range(5):
        assert execution.repeat() is None
    assert execution.model_dump_json() == before


def test_cycles_are_runs_that_considered_the_entry_and_are_counted_across_processes(nights: Nights) -> None:
    tasks = task("Check", interrupts(repeat=RepeatAfterCycle(after_cycle=3))), task("Send")
    assert [nights.run(*tasks).ran for _ in range(7)] == [["Check 1"], [], [], ["Check 1"], [], [], ["Check 1"]]


def test_a_run_that_did_not_consider_the_entry_is_no_cycle(nights: Nights) -> None:
    nights.orders("1", "2")
    tasks = (task("Check", lambda o: interrupts(repeat=RepeatAfterCycle(after_cycle=2))(o)),)
    nights.run(*tasks, selections=["1"])
    nights.run(*tasks, selections=["2"])
    nights.run(*tasks, selections=["1"], dry_run=True)
    assert nights.run(*tasks, selections=["1"]).ran == []
    assert nights.run(*tasks, selections=["1"]).ran == ["Check 1"]


def test_one_policy_object_handed_out_for_many_entries_is_counted_for_each(nights: Nights) -> None:
    nights.orders("1", "2")
    shared = Status(repeat=RepeatAfterCycle(after_cycle=2))

    def act(order: Order) -> Status:
        raise StatusException(shared)

    shop = nights.shop(task("Check", act))
    for _ in range(3):
        shop.process_entries()
    assert shop.ran == ["Check 1", "Check 2", "Check 1", "Check 2"]
    assert shared == Status(repeat=RepeatAfterCycle(after_cycle=2))


def test_an_execution_keeps_the_status_that_it_ended_with_whatever_the_task_does_to_it_later(nights: Nights) -> None:
    shared = Status(repeat=True, max_reruns=5)

    def act(order: Order) -> Status:
        order.price += 1
        shared.message = f"attempt {order.price}"
        if order.price % 2:
            raise StatusException(shared)
        return shared

    order = Order(number="1")
    shop = nights.shop(task("Check", act))
    shop.get_default_entries = lambda: [order]
    for _ in range(4):
        shop.process_entries()
    messages = [execution.status and execution.status.message for execution in order.executions or []]
    assert messages == ["attempt 1", "attempt 2", "attempt 3", "attempt 4"]


def test_max_reruns_of_0_allows_no_rerun(nights: Nights) -> None:
    tasks = (task("Check", interrupts(repeat=True, max_reruns=0)),)
    assert [nights.run(*tasks).ran for _ in range(2)] == [["Check 1"], []]


def test_max_reruns_of_n_allows_n_reruns_and_then_says_exhausted(nights: Nights) -> None:
    tasks = (task("Check", interrupts(repeat=True, max_reruns=2, message="no answer")),)
    assert [len(nights.run(*tasks).ran) for _ in range(5)] == [1, 1, 1, 0, 0]
    shop = nights.shop(*tasks)
    (failure,) = shop.process_entries().failures
    assert "exhausted" in failure.reason
    assert "no answer" in failure.reason


def test_a_repeat_on_success_that_is_exhausted_lets_the_entry_finish(nights: Nights) -> None:
    tasks = (task("Poll", returns(repeat=True, max_reruns=1)),)
    assert [len(nights.run(*tasks).ran) for _ in range(3)] == [1, 1, 0]
    assert nights.order().finished


@pytest.mark.parametrize(
    "repeat",
    [
        True,
        False,
        None,
        RepeatAfterCycle(after_cycle=1),
        RepeatAfterTime(),
        RepeatAfterTime(days=2),
        RepeatAfterDatetime(date_time=datetime(2026, 12, 1, tzinfo=UTC)),
    ],
)
def test_a_policy_comes_back_from_json_as_what_it_was(repeat: Any) -> None:
    status = Status.model_validate_json(Status(repeat=repeat).model_dump_json())
    assert status.repeat == repeat
    assert type(status.repeat) is type(repeat)


def test_a_misspelt_field_of_a_policy_is_an_error() -> None:
    with pytest.raises(ValidationError, match="hour"):
        RepeatAfterTime(hour=1)  # type: ignore[call-arg]
    with pytest.raises(ValidationError, match="max_rerun"):
        Status(repeat=True, max_rerun=1)  # type: ignore[call-arg]


def test_models_can_be_made_without_naming_their_optional_fields() -> None:
    entry = WorkflowModel()
    assert (entry.due_date, entry.source, entry.executions, entry.finished) == (None, None, None, None)
    assert Status() == Status(repeat=None, message=None, max_reruns=None)
    assert TaskExecution(name="Fetch").processed is False


def test_a_finished_entry_keeps_its_executions(nights: Nights) -> None:
    nights.run(task("Check", interrupts(repeat=True)), task("Send"))
    nights.run(task("Check"), task("Send"))
    order = nights.order()
    assert order.finished
    assert [(e.name, e.processed, e.run_count) for e in order.executions or []] == [
        ("Check", False, 1),
        ("Check", True, 2),
        ("Send", True, 1),
    ]


def test_an_entry_whose_last_task_was_done_earlier_becomes_finished(nights: Nights) -> None:
    nights.run(task("Fetch"), task("Send", breaks))
    assert nights.order().finished is None
    shop = nights.run(task("Fetch"))
    assert nights.order().finished, "the task that failed is no longer part of the workflow"
    assert shop.ran == []
    assert len(shop.written) == 1


def test_an_entry_without_any_task_becomes_finished(nights: Nights) -> None:
    nights.run()
    assert nights.order().finished


@pytest.mark.parametrize(
    "form", ["2026-11-23 {hour}:00", "2026-11-23 {hour}", "2026/11/23", ">2026/11/22", "<2026/11/24"]
)
def test_every_documented_due_date_is_understood(nights: Nights, form: str) -> None:
    hour = f"{nights.clock().astimezone().hour:02}"
    nights.orders("1", due_date=form.format(hour=hour))
    assert nights.run(task("Fetch")).ran == ["Fetch 1"]


def test_a_due_date_in_another_form_costs_its_entry_alone_and_says_what_to_write(nights: Nights) -> None:
    nights.orders("1", "2")
    orders = json.loads(nights.file.read_text())
    orders["1"]["due_date"] = "next week"
    nights.file.write_text(json.dumps(orders))
    shop = nights.shop(task("Fetch"))
    result = shop.process_entries()
    assert shop.ran == ["Fetch 2"]
    (failure,) = result.failures
    assert failure.error_id
    with pytest.raises(ValidationError, match=r"next week.*2023-03-14 11:12"):
        Order(number="1", due_date="next week")


def test_a_dry_run_calls_the_tasks_and_changes_nothing(nights: Nights) -> None:
    nights.orders("1", "2")
    before = nights.file.read_text()
    given = [Order(number="7")]
    shop = nights.shop(task("Fetch", lambda order: setattr(order, "price", 9)), task("Check", breaks), task("Send"))
    shop.process_entries(dry_run=True)
    assert shop.ran == ["Fetch 1 dry", "Check 1 dry", "Fetch 2 dry", "Check 2 dry"]
    assert shop.written == []
    assert json.loads(nights.file.read_text()) == json.loads(before)
    shop.get_default_entries = lambda: given
    shop.process_entries(dry_run=True)
    assert given == [Order(number="7")]


@pytest.mark.parametrize("method", ["get_entry", "filter", "get_tasks", "write_entry"])
def test_a_method_that_raises_costs_one_entry_with_an_error_id_and_the_run_is_closed(
    nights: Nights, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    nights.orders("1", "2", "3")
    shop = nights.shop(task("Fetch"))
    right, calls = getattr(shop, method), []

    def wrong(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 1:
            raise RuntimeError("the disk is full")
        return right(*given)

    setattr(shop, method, wrong)
    result = shop.process_entries()
    assert [nights.order(number).finished is not None for number in ("1", "2", "3")] == [False, True, True]
    assert shop.closed == 1
    (failure,) = result.failures
    assert "the disk is full" in failure.reason
    assert failure.error_id
    assert failure.error_id in caplog.text
    assert result.failed == 1


def test_a_raising_list_of_entries_ends_the_run_with_its_own_exception_and_close(nights: Nights) -> None:
    def get_default_entries() -> Any:
        yield {"number": "1"}
        raise FileNotFoundError("orders.csv")

    shop = nights.shop(task("Fetch"))
    shop.get_default_entries = get_default_entries
    with pytest.raises(FileNotFoundError):
        shop.process_entries()
    assert shop.ran == ["Fetch 1"]
    assert shop.closed == 1


@pytest.mark.parametrize(("limit", "processed"), [(0, 0), (1, 1), (2, 2), (9, 2), (None, 2)])
def test_a_limit_counts_eligible_entries_and_0_is_none(nights: Nights, limit: int | None, processed: int) -> None:
    nights.orders("1", "2", "3")
    nights.change("1", lambda order: setattr(order, "finished", nights.clock()))
    assert len(nights.run(task("Fetch"), limit=limit).ran) == processed


def test_a_time_block_gives_itself_and_can_be_shared_by_threads_and_nested() -> None:
    left: list[float] = []
    with TimeBlock(lambda seconds, block: left.append(seconds)) as block:
        with block:
            pass
        threads = [threading.Thread(target=block.__enter__), threading.Thread(target=_measure, args=(block,))]
        for thread in threads:
            thread.start()
            thread.join()
    measured = block.dict()
    assert measured["measure_count"] == len(left) == 3
    assert measured["maximum_time"] == max(left)
    assert measured["minimum_time"] == min(left) >= 0
    assert measured["overall_time"] == pytest.approx(sum(left))
    assert measured["average_time"] == pytest.approx(sum(left) / 3)


def _measure(block: TimeBlock) -> None:
    with block:
        pass


def test_two_tasks_of_one_name_are_refused_by_name(nights: Nights) -> None:
    with pytest.raises(EngineError, match=r"Fetch.*name"):
        nights.run(task("Fetch"), task("Send"), task("Fetch"))


def test_a_repeat_on_success_of_the_last_task_keeps_the_entry_open(nights: Nights) -> None:
    tasks = task("Fetch"), task("Poll", returns(repeat=RepeatAfterTime(days=1)))
    nights.run(*tasks)
    assert nights.order().finished is None
    assert nights.run(*tasks).ran == []
    nights.clock.turn(NIGHT)
    assert nights.run(task("Fetch"), task("Poll")).ran == ["Poll 1"]
    assert nights.order().finished


def test_what_write_entry_was_given_can_be_read_again(nights: Nights) -> None:
    seen: list[str] = []
    shop = nights.shop(task("Fetch", returns()), task("Check", breaks))
    shop.write_entry = lambda entry, execution: seen.append(entry.model_dump_json())  # type: ignore[method-assign]
    shop.process_entries()
    assert len(seen) == 2
    for text in seen:
        assert Order.model_validate_json(text).model_dump_json() == text


def test_no_selections_mean_no_entries_and_iterators_are_accepted(nights: Nights) -> None:
    nights.orders("1", "2")
    assert nights.run(task("Fetch"), selections=[]).ran == []
    assert nights.run(task("Fetch"), selections=iter(["2"])).ran == ["Fetch 2"]
    assert nights.run(task("Fetch"), selections=None).ran == ["Fetch 1"]


def test_a_status_exception_can_be_sent_to_another_process() -> None:
    for raised in (StatusException(Status(message="wait", repeat=True)), StatusException(Status(), "first", 2)):
        received = pickle.loads(pickle.dumps(raised))
        assert received.status == raised.status
        assert received.args == raised.args
        assert str(received) == str(raised)


# --- beyond the list, where a published program would be hurt


def test_what_the_run_did_is_returned(nights: Nights) -> None:
    nights.orders("1", "2", "3")
    shop = nights.shop(task("Check", lambda order: breaks(order) if order.number == "2" else None))
    result = shop.process_entries()
    assert (result.total, result.considered, result.failed) == (3, 3, 1)
    assert result.states == {"finished": 2, "failed": 1}
    (failure,) = result.failures
    assert (failure.task, failure.reason) == ("Check", "ValueError: no customer in 2")


def test_a_task_that_returns_no_status_fails_with_a_sentence_that_says_so(nights: Nights) -> None:
    nights.run(task("Check", lambda order: "done"))  # type: ignore[arg-type,return-value]
    (checked,) = nights.order().executions or []
    assert checked.error_id
    assert "'done'" in (checked.error or "")
    assert "Status" in (checked.error or "")


def test_a_raising_get_markdown_info_costs_nothing_but_its_line(
    nights: Nights, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def get_markdown_info(self: Order) -> str:
        raise RuntimeError("no source")

    monkeypatch.setattr(Order, "get_markdown_info", get_markdown_info)
    nights.run(task("Check", breaks))
    assert str(nights.order().get_execution("Check")[0].error_id) in caplog.text


def test_sys_exit_in_a_task_is_a_failure_of_its_entry(nights: Nights) -> None:
    nights.orders("1", "2")
    shop = nights.run(task("Check", lambda order: sys.exit("no licence") if order.number == "1" else None))
    assert shop.ran == ["Check 1", "Check 2"]
    assert "no licence" in (nights.order("1").get_execution("Check")[0].error or "")


def test_an_interrupt_from_the_keyboard_ends_the_run_and_closes_it(nights: Nights) -> None:
    def stop(order: Order) -> None:
        raise KeyboardInterrupt

    shop = nights.shop(task("Check", stop))
    with pytest.raises(KeyboardInterrupt):
        shop.process_entries()
    assert shop.closed == 1


def test_an_entry_can_be_cast_to_another_model() -> None:
    class Express(Order):
        courier: str = "bike"

    cast = Order(number="7", price=3, source="web").type_cast(Express)
    assert (type(cast), cast.number, cast.price, cast.source, cast.courier) == (Express, "7", 3, "web", "bike")


def test_process_tasks_tells_whether_the_entry_went_through(nights: Nights) -> None:
    assert nights.shop(task("Fetch")).process_tasks(Order(number="1")) is True
    assert nights.shop(task("Check", breaks)).process_tasks(Order(number="1")) is False
