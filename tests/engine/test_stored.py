"""A workflow without storage of its own: what the store keeps between runs, and what it refuses."""

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, computed_field, field_validator
from tinydb import where
from waiting import until

from engine import (
    EngineError,
    RepeatAfterCycle,
    RepeatAfterTime,
    Status,
    StatusException,
    Store,
    StoredProcessor,
    StoreError,
    Task,
    WorkflowError,
    WorkflowModel,
)
from engine.clock import to_text
from engine.lookup.entries import count_states, rows, stands_in
from engine.lookup.rows import EntryRow
from engine.state import State

Act = Callable[[Any], Any]


class Order(WorkflowModel):
    key: str = ""
    price: int = 0
    note: str = ""
    anything: Any = None


class Orders(StoredProcessor):
    """Its entries and what its tasks do are given by each test."""

    model = Order
    entries: Iterable[Any] = ()
    acts: dict[str, Act] = {}

    def get_default_entries(self) -> Iterable[Any]:
        return self.entries

    def get_tasks(self) -> list[Task]:
        return [_task(name, act)(self) for name, act in self.acts.items()]


def _task(name: str, act: Act) -> type[Task]:
    def process_entry(self: Task, entry: Any, dry_run: bool = False) -> Any:
        return act(entry)

    return type(name, (Task,), {"process_entry": process_entry})


class Shop:
    """A store, and runs over it."""

    def __init__(self, store: Store, clock: Any) -> None:
        self.store = store
        self.clock = clock
        self.ran: list[str] = []

    def processor(self, entries: Iterable[Any], kind: type[Orders] = Orders, **acts: Act) -> Orders:
        def noting(name: str, act: Act) -> Act:
            def noted(entry: Any) -> Any:
                self.ran.append(f"{name} {entry.key}")
                return act(entry)

            return noted

        made = kind(self.store, clock=self.clock)
        made.entries = entries
        made.acts = {name: noting(name, act) for name, act in acts.items()}
        return made

    def run(self, entries: Iterable[Any], kind: type[Orders] = Orders, **acts: Act) -> Any:
        self.ran.clear()
        return self.processor(entries, kind, **acts).process_entries()

    def row(self, key: str) -> EntryRow:
        return {row.key: row for row in rows(self.store, self.clock())}[key]

    def stored(self, key: str) -> Any:
        (document,) = self.store.entries.search(where("key") == key)
        return document


@pytest.fixture
def shop(tmp_path: Path, clock: Any) -> Iterator[Shop]:
    with Store(tmp_path / "wfe.db") as store:
        yield Shop(store, clock)


def goes(entry: Any) -> None:
    pass


def breaks(entry: Any) -> None:
    raise ValueError(f"no customer in {entry.key}")


def interrupts(**status: Any) -> Act:
    def act(entry: Any) -> None:
        raise StatusException(Status(**status))

    return act


def keys(*names: str) -> list[dict[str, str]]:
    return [{"key": name} for name in names]


# --- model, tasks, entries and nothing else


def test_a_new_user_writes_a_model_tasks_and_entries_and_nothing_else(tmp_path: Path) -> None:
    class Fetch(Task):
        def process_entry(self, entry: Order, dry_run: bool = False) -> Status:
            entry.price = 7
            return Status(message="fetched")

    class Mine(StoredProcessor):
        model = Order

        def get_default_entries(self) -> list[Any]:
            return [{"key": "A-1"}, Order(key="A-2", price=1)]

        def get_tasks(self) -> list[Task]:
            return [Fetch(self)]

    result = Mine(tmp_path / "mine.db").process_entries()
    assert result.states == {"finished": 2}
    with Store(tmp_path / "mine.db") as store:
        assert [(d["key"], d["data"]["price"]) for d in store.entries.all()] == [("A-1", 7), ("A-2", 7)]
        (run,) = store.runs.all()
        assert (run["considered"], run["states"], run["ending"]) == (2, {"finished": 2}, "completed")


@pytest.mark.parametrize("how", ["argument", "environment", "folder", "user"])
def test_the_store_is_where_the_shell_looks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    here, data = tmp_path / "here", tmp_path / "data"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(data))
    monkeypatch.delenv("WFE_STORE", raising=False)
    if how == "argument":
        monkeypatch.setenv("WFE_STORE", str(tmp_path / "other.db"))
        processor = Orders(tmp_path / "asked.db")
    elif how == "environment":
        monkeypatch.setenv("WFE_STORE", str(tmp_path / "asked.db"))
        processor = Orders()
    elif how == "folder":
        Store(here / "wfe.db").close()
        processor = Orders()
    else:
        processor = Orders()
    expected = {"folder": here / "wfe.db", "user": data / "wfe" / "wfe.db"}.get(how, tmp_path / "asked.db")
    processor.entries = keys("A-1")
    processor.process_entries()
    with Store(expected) as store:
        assert len(store.entries) == 1


def test_a_store_that_was_handed_over_stays_open_and_one_that_was_not_is_closed(shop: Shop, tmp_path: Path) -> None:
    shop.run(keys("A-1"), Fetch=goes)
    assert len(shop.store.entries) == 1
    own = Orders(tmp_path / "own.db")
    own.process_entries()
    own.process_entries()
    with Store(tmp_path / "own.db") as store:
        assert len(store.runs) == 2


def test_executed_tasks_are_not_executed_again_by_a_later_run(shop: Shop) -> None:
    shop.run(keys("A-1", "A-2"), Fetch=goes, Check=lambda e: breaks(e) if e.key == "A-1" else None)
    assert shop.ran == ["Fetch A-1", "Check A-1", "Fetch A-2", "Check A-2"]
    shop.run(keys("A-1", "A-2", "A-3"), Fetch=goes, Check=goes)
    assert shop.ran == ["Fetch A-3", "Check A-3"]


def test_cycles_are_counted_across_runs(shop: Shop) -> None:
    acts = {"Check": interrupts(repeat=RepeatAfterCycle(after_cycle=2))}
    ran = []
    for _ in range(5):
        shop.run(keys("A-1"), **acts)
        ran.append(list(shop.ran))
    assert ran == [["Check A-1"], [], ["Check A-1"], [], ["Check A-1"]]


def test_a_correction_at_the_source_is_seen_and_what_a_task_wrote_is_kept(shop: Shop) -> None:
    def fetch(entry: Order) -> None:
        entry.price = 7

    seen = []
    shop.run([{"key": "A-1", "note": "wrogn", "price": 1}], Fetch=fetch, Check=interrupts(repeat=True))
    shop.run([{"key": "A-1", "note": "right", "price": 2}], Fetch=fetch, Check=lambda e: seen.append((e.note, e.price)))
    assert seen == [("right", 7)]
    assert shop.stored("A-1")["data"] == {"key": "A-1", "note": "right", "price": 7, "anything": None}


def test_a_due_date_that_a_task_sets_postpones_its_entry(shop: Shop) -> None:
    def postpone(entry: Order) -> Status:
        entry.due_date = ">2026-12-01"
        raise StatusException(Status(repeat=True))

    shop.run(keys("A-1"), Check=postpone)
    shop.run(keys("A-1"), Check=goes)
    assert shop.ran == []
    assert shop.row("A-1").state == "waiting"
    shop.clock.turn(days=30)
    shop.run(keys("A-1"), Check=goes)
    assert shop.ran == ["Check A-1"]


def test_an_entry_that_left_the_source_is_still_found_by_its_key(shop: Shop) -> None:
    shop.run([{"key": "A-1", "note": "kept"}], Check=interrupts(repeat=True))
    seen = []
    processor = shop.processor([], Check=lambda e: seen.append(e.note))
    processor.process_entries(["A-1"])
    assert seen == ["kept"]


def test_named_entries_are_taken_from_the_source_first(shop: Shop) -> None:
    result = shop.processor(keys("A-1", "A-2", "A-3"), Check=goes).process_entries(["A-3", "A-1", "A-3"])
    assert sorted(shop.ran) == ["Check A-1", "Check A-3"]
    assert result.states == {"finished": 2}


def test_the_source_is_read_no_further_than_to_the_last_named_entry(shop: Shop) -> None:
    def entries() -> Iterator[Any]:
        yield from keys("A-1", "A-2")
        raise AssertionError("read on")

    shop.processor(entries(), Check=goes).process_entries(["A-2", "A-1"])
    assert sorted(shop.ran) == ["Check A-1", "Check A-2"]


def test_an_entry_runs_until_its_last_task_has_ended(shop: Shop) -> None:
    class Watched(Orders):
        def write_entry(self, entry: Any, execution: Any) -> None:
            super().write_entry(entry, execution)
            states.append(shop.row("A-1").state)

    states: list[str] = []
    shop.run(keys("A-1"), Watched, Fetch=goes, Check=breaks)
    assert states == ["running", "running"]
    assert shop.row("A-1").state == "failed"


def test_the_execution_and_the_error_record_bear_one_id(shop: Shop) -> None:
    result = shop.run(keys("A-1"), Check=breaks)
    (record,) = shop.store.errors.all()
    (execution,) = shop.stored("A-1")["executions"]
    assert record["error_id"] == execution["error_id"] == result.failures[0].error_id == shop.row("A-1").error_id
    assert (record["task"], record["key"], record["run"]) == ("Check", "A-1", result.number)
    assert {frame["file"] for frame in record["frames"]} == {__file__}, "the engine's own frames are left out"
    assert datetime.fromisoformat(record["time"]) == shop.clock()


def test_the_start_of_an_execution_is_in_the_store_before_its_body_runs(shop: Shop) -> None:
    seen = []

    def look(entry: Order) -> None:
        row = shop.row("A-1")
        (execution,) = shop.stored("A-1")["executions"]
        seen.append((row.state, row.task, row.attempts, execution["running"], execution["finished_at"]))

    shop.run(keys("A-1"), Check=look)
    assert seen == [("running", "Check", 1, True, None)]


def test_a_dry_run_leaves_the_store_as_it_is(shop: Shop) -> None:
    shop.run(keys("A-1"), Fetch=goes, Check=interrupts(repeat=RepeatAfterCycle(after_cycle=3)))
    before = shop.store.seq()
    processor = shop.processor(keys("A-1", "A-2"), Fetch=goes, Check=breaks)
    processor.process_entries(dry_run=True)
    assert shop.ran[-2:] == ["Fetch A-2", "Check A-2"]
    assert shop.store.seq() == before


# --- refused, lost, interrupted: always that entry alone


def test_an_entry_without_a_key_is_refused_by_what_it_holds_and_the_others_go_on(shop: Shop) -> None:
    result = shop.run([{"key": "A-1"}, {"price": 41}, Order(price=42), {"key": "A-2"}], Check=goes)
    assert shop.ran == ["Check A-1", "Check A-2"]
    without, instance = result.refused
    assert "41" in without
    assert "42" in instance
    assert all("key" in sentence for sentence in result.refused)


def test_a_second_entry_of_one_key_is_refused_by_that_key_and_the_first_goes_on(shop: Shop) -> None:
    result = shop.run([{"key": "A-1", "price": 1}, {"key": "A-1", "price": 2}, {"key": "A-2"}], Check=goes)
    assert shop.ran == ["Check A-1", "Check A-2"]
    (sentence,) = result.refused
    assert "'A-1'" in sentence
    assert shop.stored("A-1")["data"]["price"] == 1


def test_a_second_entry_of_one_key_is_found_however_far_behind_the_first(shop: Shop) -> None:
    many = keys(*(f"A-{number}" for number in range(600)), "A-0")
    assert len(shop.run(many, Check=goes).refused) == 1


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"key": "B", "price": "much"}, "price"),
        ({"key": "B", "due_date": "next week"}, "next week"),
        ({"key": "B", "anything": object()}, "'B'"),
        ({"key": "B", "anything": b"\xff"}, "'B'"),
        ({"key": "B", "anything": 2**64}, "'B'"),
        ({"key": "B", "anything": "\ud83d"}, "'B'"),
        (Order(key="B", source="caf\udce9.csv"), "'B'"),
        (["no", "mapping"], "no"),
    ],
    ids=[
        "not the model",
        "due date",
        "object",
        "bytes",
        "integer beyond JSON",
        "lone surrogate",
        "source",
        "no mapping",
    ],
)
def test_an_entry_that_cannot_be_kept_is_refused_by_name_and_the_others_go_on(shop: Shop, raw: Any, named: str) -> None:
    result = shop.run([{"key": "A-1"}, raw, {"key": "A-2"}], Check=goes)
    assert shop.ran == ["Check A-1", "Check A-2"]
    (sentence,) = result.refused
    assert named in sentence
    assert result.failed == 0


@pytest.mark.parametrize(
    "value", [object(), 2**64, -(2**70), "\ud83d"], ids=["an object", "too great", "too small", "half a letter"]
)
def test_a_task_that_leaves_what_json_cannot_hold_fails_and_nothing_else_is_lost(shop: Shop, value: Any) -> None:
    def spoil(entry: Order) -> None:
        if entry.key == "A-1":
            entry.anything = value

    result = shop.run(keys("A-1", "A-2"), Fetch=goes, Spoil=spoil, Send=goes)
    assert result.states == {"failed": 1, "finished": 1}
    row = shop.row("A-1")
    assert (row.state, row.task, row.done) == ("failed", "Spoil", 1)
    assert "JSON" in row.reason
    assert shop.stored("A-1")["data"]["anything"] is None


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**64 - 1, 0.1 + 0.2, 1e300])
def test_numbers_come_back_from_the_store_as_they_were(shop: Shop, number: float) -> None:
    shop.run([{"key": "A-1", "anything": number}], Check=interrupts(repeat=True))
    seen = []
    shop.processor([], Check=lambda e: seen.append(e.anything)).process_entries(["A-1"])
    assert seen == [number]
    assert type(seen[0]) is type(number)


@pytest.fixture
def unlogged(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is captured from the log: pytest's processes cannot send each other one that is no UTF-8."""
    caplog.set_level(logging.CRITICAL)


@pytest.mark.usefixtures("unlogged")
def test_an_exception_message_that_is_no_utf_8_is_kept_like_any_other(shop: Shop) -> None:
    def act(entry: Order) -> None:
        raise ValueError(f"cannot read caf\udce9.csv of {entry.key}")

    result = shop.run(keys("A-1", "A-2"), Check=act)
    assert result.states == {"failed": 2}
    assert len(shop.store.errors) == 2
    assert "caf" in shop.row("A-1").reason


def test_a_status_message_that_is_no_utf_8_costs_its_entry_alone(shop: Shop) -> None:
    def act(entry: Order) -> Status | None:
        return Status(message="read caf\udce9.csv") if entry.key == "A-1" else None

    result = shop.run(keys("A-1", "A-2"), Check=act)
    assert result.states["finished"] >= 1
    assert shop.row("A-2").state == "finished"
    assert shop.row("A-1").state in ("failed", "finished")


@pytest.mark.parametrize("method", ["get_entry", "filter", "write_entry"])
def test_a_method_that_raises_costs_one_entry_with_an_error_record(shop: Shop, method: str) -> None:
    processor = shop.processor(keys("A-1", "A-2", "A-3"), Check=goes)
    right, calls = getattr(processor, method), []

    def wrong(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 1:
            raise RuntimeError("the disk is full")
        return right(*given)

    setattr(processor, method, wrong)
    result = processor.process_entries()
    assert result.states == {"failed": 1, "finished": 2}
    (record,) = shop.store.errors.all()
    assert record["error_id"] == result.failures[0].error_id
    assert record["message"] == "the disk is full"
    assert shop.store.entries.count(where("owner") != None) == 0  # noqa: E711


def test_raising_get_tasks_leaves_no_entry_looking_finished(shop: Shop) -> None:
    shop.run(keys("A-1"), Check=interrupts(repeat=RepeatAfterTime(hours=1)))
    processor = shop.processor([*keys("A-1", "A-2"), {"key": "A-3", "due_date": ">2026-12-01"}], Check=goes)

    def wrong() -> list[Task]:
        raise RuntimeError("no licence")

    processor.get_tasks = wrong  # type: ignore[method-assign]
    result = processor.process_entries(limit=1)
    assert result.failed == 1
    assert shop.row("A-2").state != "finished"
    assert shop.row("A-3").state != "finished"
    assert shop.row("A-1").total == 1
    shop.run(keys("A-1", "A-2"), Check=goes)
    assert shop.row("A-2").state == "finished"


def test_a_raising_list_of_entries_is_recorded_as_a_failed_run(shop: Shop) -> None:
    def entries() -> Iterator[Any]:
        yield {"key": "A-1"}
        raise FileNotFoundError("orders.csv")

    shop.run(keys("A-0"), Check=goes)
    processor = shop.processor(entries(), Check=goes)
    with pytest.raises(FileNotFoundError, match=r"orders\.csv"):
        processor.process_entries()
    first, second = shop.store.runs.all()
    assert (first["ending"], second["ending"]) == ("completed", "crashed")
    (record,) = shop.store.errors.all()
    assert record["run"] == second.doc_id


@pytest.mark.parametrize("own", [True, False], ids=["its own store", "a store handed over"])
def test_a_raising_close_is_recorded_and_costs_no_entry(tmp_path: Path, own: bool) -> None:
    class Careless(Orders):
        def close(self) -> None:
            super().close()
            raise OSError("the connection is gone")

    path = tmp_path / "own.db"
    handed = None if own else Store(path)
    processor = Careless(handed or path)
    processor.entries, processor.acts = keys("A-1"), {"Check": goes}
    with pytest.raises(OSError, match="the connection is gone"):
        processor.process_entries()
    with Store(path) as store:
        (run,) = store.runs.all()
        assert run["ending"] == "crashed"
        assert [row.state for row in rows(store, processor.clock())] == ["finished"]
        assert [record["message"] for record in store.errors.all()] == ["the connection is gone"]
    if handed:
        handed.close()


def test_a_second_run_that_cannot_list_its_entries_leaves_the_record_of_the_first_alone(shop: Shop) -> None:
    processor = shop.processor(keys("A-1"), Check=goes)
    processor.process_entries()

    def wrong() -> Any:
        raise FileNotFoundError("orders.csv")

    processor.get_default_entries = wrong  # type: ignore[method-assign]
    for selections in (None, ["A-1"]):
        with pytest.raises(FileNotFoundError):
            processor.process_entries(selections)
    assert [run["ending"] for run in shop.store.runs.all()] == ["completed", "crashed", "crashed"]
    assert len(shop.store.errors) == 2


def test_a_store_of_its_own_is_closed_when_named_entries_cannot_be_listed(tmp_path: Path) -> None:
    processor = Orders(tmp_path / "own.db")

    def wrong() -> Any:
        raise FileNotFoundError("orders.csv")

    processor.get_default_entries = wrong  # type: ignore[method-assign]
    with pytest.raises(FileNotFoundError):
        processor.process_entries(["A-1"])
    with Store(tmp_path / "own.db") as store:
        (run,) = store.runs.all()
        assert not store.is_alive(run["owner"])


def test_a_statistic_may_be_named_by_a_number(shop: Shop) -> None:
    processor = shop.processor(keys("A-1"), Check=goes)
    processor.acts = {"Check": lambda entry: processor.statistic_increment("http", 404)}  # type: ignore[arg-type]
    processor.process_entries()
    (run,) = shop.store.runs.all()
    assert run["statistics"]["http"] == {"404": 1}


def test_an_interrupt_from_the_keyboard_leaves_the_entry_in_doubt_and_the_run_stopped(shop: Shop) -> None:
    def stop(entry: Order) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.run(keys("A-1", "A-2"), Fetch=goes, Check=stop)
    assert shop.row("A-1").state == "in doubt"
    assert shop.row("A-2").state == "ready"
    (run,) = shop.store.runs.all()
    assert run["ending"] == "aborted"


# --- several runs at once on one store


def test_an_entry_that_another_run_works_on_is_left_to_it(shop: Shop) -> None:
    inner: list[Any] = []

    def meanwhile(entry: Order) -> None:
        with Store(shop.store.path) as other:
            processor = Orders(other, clock=shop.clock)
            processor.entries = keys("A-1")
            processor.acts = {"Check": breaks}
            inner.append(processor.process_entries())

    assert shop.run(keys("A-1"), Check=meanwhile).states == {"finished": 1}
    assert inner[0].states == {"running": 1}


def test_what_another_run_wrote_since_an_entry_was_read_is_not_lost(shop: Shop) -> None:
    """The entries of a run are read ahead: the second is processed by another run while the first is."""

    def fetch(entry: Order) -> None:
        entry.price = 7

    def meanwhile(entry: Order) -> None:
        if entry.key == "A-1":
            with Store(shop.store.path) as other:
                processor = Orders(other, clock=shop.clock)
                processor.entries = keys("A-2")
                processor.acts = {"Fetch": fetch, "Check": interrupts(repeat=True)}
                processor.process_entries()

    seen = []
    shop.run(keys("A-1", "A-2"), Fetch=meanwhile, Check=lambda e: seen.append((e.key, e.price)))
    assert seen == [("A-1", 0), ("A-2", 7)]
    assert shop.stored("A-2")["data"]["price"] == 7
    assert [e["name"] for e in shop.stored("A-2")["executions"]] == ["Fetch", "Check", "Check"]


def test_what_another_run_wrote_between_reading_and_announcing_is_not_overwritten(shop: Shop) -> None:
    def fetch(entry: Order) -> None:
        entry.price = 7

    class Interleaved(Orders):
        def get_entry(self, selection: Any) -> WorkflowModel:
            entry = super().get_entry(selection)
            with Store(shop.store.path) as other:
                processor = Orders(other, clock=shop.clock)
                processor.entries = keys("A-1")
                processor.acts = {"Fetch": fetch, "Check": interrupts(repeat=True)}
                processor.process_entries()
            return entry

    Interleaved.__qualname__ = Orders.__qualname__
    seen = []
    shop.run(keys("A-1"), Interleaved, Fetch=goes, Check=lambda e: seen.append(e.price))
    assert shop.ran == ["Check A-1"]
    assert seen == [7]


def test_a_task_that_changes_the_key_fails_by_name_and_its_entry_keeps_the_key(shop: Shop) -> None:
    def rename(entry: Order) -> None:
        if entry.key == "A-1":
            entry.key = "A-9"

    result = shop.run(keys("A-1", "A-2"), Check=rename, Send=goes)
    assert result.states == {"failed": 1, "finished": 1}
    assert (shop.row("A-1").state, shop.row("A-1").task) == ("failed", "Check")
    assert "'A-9'" in shop.row("A-1").reason
    assert shop.stored("A-1")["data"]["key"] == "A-1"
    assert shop.stored("A-1")["owner"] is None


@pytest.mark.parametrize("field", ["due_date", "source"])
def test_a_task_that_spoils_due_date_or_source_fails_by_name(shop: Shop, field: str) -> None:
    def spoil(entry: Order) -> None:
        if entry.key == "A-1":
            setattr(entry, field, "caf\udce9.csv")

    result = shop.run(keys("A-1", "A-2"), Check=spoil, Send=goes)
    assert result.states == {"failed": 1, "finished": 1}
    assert (shop.row("A-1").state, shop.row("A-1").task) == ("failed", "Check")
    assert "'A-1'" in shop.row("A-1").reason
    assert shop.stored("A-1")[field] is None


def test_a_failing_filter_does_not_take_an_entry_from_the_run_that_works_on_it(shop: Shop) -> None:
    class Picky(Orders):
        def filter(self, entry: Order) -> bool:
            raise RuntimeError("no filter")

    Picky.__qualname__ = Orders.__qualname__
    owners = []

    def meanwhile(entry: Order) -> None:
        until(lambda: shop.row("A-1").state == "running")  # it is written within a moment
        with Store(shop.store.path) as other:
            processor = Picky(other, clock=shop.clock)
            processor.entries = keys("A-1")
            processor.process_entries()
        owners.append((shop.stored("A-1")["owner"], shop.row("A-1").state))

    shop.run(keys("A-1"), Check=meanwhile)
    assert owners == [(shop.store.owner, "running")]
    assert shop.row("A-1").state == "finished"


def test_a_correction_at_the_source_after_a_crash_is_not_taken_for_a_tasks_work(shop: Shop, tmp_path: Path) -> None:
    shop.run([{"key": "A-1", "note": "first"}], Check=interrupts(repeat=True))
    with Store(shop.store.path) as dead:
        shop.store.entries.update({"owner": dead.owner, "state": "running"}, where("key") == "A-1")
    shop.run([{"key": "A-1", "note": "second"}], Check=interrupts(repeat=True))
    seen = []
    shop.run([{"key": "A-1", "note": "third"}], Check=lambda e: seen.append(e.note))
    assert seen == ["third"]


# --- models as users write them


def test_the_key_may_be_a_property_or_a_number(shop: Shop) -> None:
    class Contract(WorkflowModel):
        year: int
        number: int

        @property
        def key(self) -> str:
            return f"{self.year}/{self.number}"

    class Contracts(Orders):
        model = Contract

    class Counted(WorkflowModel):
        key: int

    class Counts(Orders):
        model = Counted

    shop.run([{"year": 2026, "number": 7}], Contracts, Check=goes)
    assert shop.ran == ["Check 2026/7"]
    shop.run([{"key": 7}], Counts, Check=goes)
    assert shop.row("7").state == "finished"
    shop.processor([], Counts, Check=goes).process_entries([7])


def test_a_model_whose_fields_have_aliases_is_read_again(shop: Shop) -> None:
    class Aliased(WorkflowModel):
        key: str = Field(alias="orderNumber")
        price: int = Field(default=0, alias="priceInCents")

    class Contracts(Orders):
        model = Aliased

    def fetch(entry: Aliased) -> None:
        entry.price = 7

    seen = []
    raw = [{"orderNumber": "A-1"}]
    shop.run(raw, Contracts, Fetch=fetch, Check=interrupts(repeat=True))
    result = shop.run(raw, Contracts, Fetch=fetch, Check=lambda e: seen.append(e.price) or interrupts(repeat=True)(e))
    assert result.refused == []
    shop.processor([], Contracts, Fetch=fetch, Check=lambda e: seen.append(e.price)).process_entries(["A-1"])
    assert seen == [7, 7]


def test_a_computed_field_follows_what_it_is_computed_from(shop: Shop) -> None:
    class Priced(WorkflowModel):
        key: str
        price: int = 1

        @computed_field  # type: ignore[prop-decorator]
        @property
        def gross(self) -> int:
            return self.price * 2

    class Contracts(Orders):
        model = Priced

    def fetch(entry: Priced) -> None:
        entry.price = 7

    seen = []
    shop.run(keys("A-1"), Contracts, Fetch=fetch, Check=interrupts(repeat=True))
    result = shop.run(keys("A-1"), Contracts, Fetch=fetch, Check=lambda e: seen.append(e.gross))
    assert result.states == {"finished": 1}
    assert seen == [14]


def test_a_field_that_is_removed_from_the_model_does_not_stop_its_entries(shop: Shop) -> None:
    class Slim(WorkflowModel):
        key: str

    class Slims(Orders):
        model = Slim

    Slims.__qualname__ = Orders.__qualname__

    def fetch(entry: Order) -> None:
        entry.price = 7

    shop.run(keys("A-1"), Fetch=fetch, Check=interrupts(repeat=True))
    result = shop.run(keys("A-1"), Slims, Fetch=goes, Check=goes)
    assert result.states == {"finished": 1}


def test_a_model_that_allows_any_field_keeps_those_that_its_tasks_add(shop: Shop) -> None:
    class Loose(WorkflowModel, extra="allow"):
        key: str

    class Contracts(Orders):
        model = Loose

    def fetch(entry: Any) -> None:
        entry.weight = 3

    seen = []
    shop.run(keys("A-1"), Contracts, Fetch=fetch, Check=interrupts(repeat=True))
    shop.run(keys("A-1"), Contracts, Fetch=fetch, Check=lambda e: seen.append(e.weight))
    assert seen == [3]


def test_a_validator_that_raises_something_else_costs_its_entry_alone(shop: Shop) -> None:
    class Strict(Order):
        @field_validator("note")
        @classmethod
        def check(cls, note: str) -> str:
            return {"": note}[note]

    class Contracts(Orders):
        model = Strict

    entries = [{"key": "A-1", "note": "x"}, {"key": "A-2"}]
    for selections in (None, ["A-2"]):
        shop.ran.clear()
        shop.processor(entries, Contracts, Check=interrupts(repeat=True)).process_entries(selections)
        assert shop.ran == ["Check A-2"]


def test_a_workflow_without_a_model_or_whose_model_has_no_key_is_refused_by_name() -> None:
    class NoModel(Orders):
        model = None  # type: ignore[assignment]

    class Keyless(Orders):
        model = WorkflowModel

    with pytest.raises(WorkflowError, match=r"NoModel.*model ="):
        NoModel("unused.db")
    with pytest.raises(WorkflowError, match=r"WorkflowModel has no key"):
        Keyless("unused.db")


# --- stores that cannot be used


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "wfe.db"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"wfe\.db.*newer version"):
        Orders(path).process_entries()
    assert path.read_bytes() == before


def test_an_entry_that_was_removed_meanwhile_is_named(shop: Shop) -> None:
    def remove(entry: Order) -> None:
        shop.store.entries.remove(where("key") == "A-1")

    with pytest.raises(EngineError, match="'A-1'"):
        shop.run(keys("A-1"), Check=remove)


# --- what lists show


def test_a_due_date_that_passes_while_nobody_runs_is_seen_in_the_list(shop: Shop, zone: Callable[[str], None]) -> None:
    zone("UTC")
    shop.run([{"key": "A-1", "due_date": "2026-11-24"}], Check=goes)
    assert shop.row("A-1").state == "waiting"
    assert shop.row("A-1").due == datetime(2026, 11, 24, tzinfo=UTC)
    shop.clock.turn(days=1)
    assert shop.row("A-1").state == "ready"
    shop.clock.turn(days=1)
    assert shop.row("A-1").state == "waiting"
    assert "passed" in shop.row("A-1").reason


def test_a_repeat_that_ripens_while_nobody_runs_is_ready_in_the_list(shop: Shop) -> None:
    shop.run(keys("A-1"), Check=interrupts(repeat=RepeatAfterTime(hours=1), message="not now"))
    assert shop.row("A-1").state == "waiting"
    assert "not now" in shop.row("A-1").reason
    shop.clock.turn(hours=1)
    assert shop.row("A-1").state == "ready"


# --- what goes wrong with one entry costs that entry alone


@pytest.mark.parametrize("error", [asyncio.CancelledError(), SystemExit(0), GeneratorExit()])
def test_no_exception_of_a_task_but_ctrl_c_ends_a_run(shop: Shop, error: BaseException) -> None:
    def leave(entry: Order) -> None:
        if entry.key == "A-1":
            raise error

    result = shop.run(keys("A-1", "A-2"), Check=leave)
    assert result.states == {"failed": 1, "finished": 1}


def test_a_filter_that_leaves_the_program_costs_its_entry_alone(shop: Shop) -> None:
    class Careless(Orders):
        def filter(self, entry: Any) -> bool:
            if entry.key == "A-1":
                raise SystemExit(0)
            return super().filter(entry)

    assert shop.run(keys("A-1", "A-2"), Careless, Check=goes).states == {"failed": 1, "finished": 1}


@pytest.mark.usefixtures("unlogged")
def test_an_error_whose_note_is_no_text_is_kept_all_the_same(shop: Shop) -> None:
    def check(entry: Order) -> None:
        error = ValueError("unreadable")
        error.add_note("file \udcff")
        raise error

    assert shop.run(keys("A-1", "A-2"), Check=check).failed == 2
    assert shop.store.errors.all()[0]["notes"] == ["file \\udcff"]


def test_a_source_corrected_while_another_run_holds_the_old_one_is_seen_by_the_next(shop: Shop) -> None:
    seen = []

    def check(entry: Order) -> None:
        if entry.key == "A-1":
            # This run has read the old A-2 by now; another one reads the corrected and registers it.
            other = shop.processor([])
            other.journal.announce([other.get_entry({"key": "A-2", "note": "new"})])
        raise StatusException(Status(repeat=True))

    shop.run([{"key": "A-1"}, {"key": "A-2", "note": "old"}], Check=check)
    assert shop.stored("A-2")["written"] == []
    shop.run([{"key": "A-2", "note": "new"}], Check=lambda entry: seen.append(entry.note))
    assert seen == ["new"]


# --- as things stand


def test_what_a_list_shows_what_is_counted_and_what_a_filter_finds_is_one(shop: Shop) -> None:
    shop.run(keys("ripe", "late"), Check=interrupts(repeat=RepeatAfterTime(hours=1)))
    shop.run(keys("done"), Check=goes)
    shop.run(keys("left", "doubt"), Check=goes)
    shop.store.entries.update({"due": to_text(shop.clock() + timedelta(days=9))}, where("key") == "late")
    dead = {"state": "running", "owner": "dead-0", "finished": None}
    shop.store.entries.update({**dead, "executions": []}, where("key") == "left")
    (execution,) = shop.stored("doubt")["executions"]
    unfinished = {**execution, "running": True, "processed": False}
    shop.store.entries.update({**dead, "executions": [unfinished]}, where("key") == "doubt")
    shop.clock.turn(hours=2)
    shown = {row.key: row.state for row in rows(shop.store, shop.clock())}
    assert shown == {"ripe": "ready", "late": "waiting", "done": "finished", "left": "ready", "doubt": "in doubt"}
    assert count_states(shop.store, shop.clock()) == Counter(shown.values())
    for state in State:
        found = shop.store.entries.search(stands_in(state, shop.store, shop.clock()))
        assert {document["key"] for document in found} == {key for key in shown if shown[key] == state}
