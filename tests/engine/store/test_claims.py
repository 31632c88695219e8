"""An entry has one owner at a time; who lost it writes nothing on it any more."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tinydb import where

from engine import RepeatAfterCycle, Status, StatusException, StoredProcessor, Task, WorkflowModel
from engine.clock import utc_now
from engine.exceptions import ClaimLost, InputError, StoreError
from engine.journal.base import RunResult
from engine.lookup.entries import count_states, rows
from engine.store import Store
from engine.store.claims import Claims, Released, TakenOver
from engine.testing import CrashPoint, crash


@pytest.fixture
def other(path: Path) -> Iterator[Store]:
    with Store(path) as other:
        yield other


@pytest.fixture
def dead(path: Path) -> str:
    """An owner that lives no more."""
    with Store(path) as gone:
        return gone.owner


def add(store: Store, *keys: str, processor: str = "orders:Orders", **fields: Any) -> None:
    common = {"processor": processor, "owner": None, "executions": None}
    store.entries.insert_multiple({"key": key, **common, **fields} for key in keys)


def owners(store: Store) -> dict[str, str | None]:
    return {entry["key"]: entry["owner"] for entry in store.entries}


UNDER_WAY = {"name": "Fetch", "running": True, "restart": False}
ENDED = {"name": "Fetch", "running": False, "restart": False}
SETTLED = {"name": "Fetch", "running": True, "restart": True}


# --- claim


def test_what_nobody_owns_is_claimed_and_what_another_holds_is_answered(store: Store, other: Store, dead: str) -> None:
    add(store, "free", "mine", "other's", "left")
    store.entries.update({"owner": store.owner}, where("key") == "mine")
    store.entries.update({"owner": other.owner}, where("key") == "other's")
    store.entries.update({"owner": dead}, where("key") == "left")
    done = store.claim(["left", "mine", "free", "other's", "free"], store.owner)
    assert done == Claims(taken=("mine", "free"), held={"left": dead, "other's": other.owner})
    assert owners(store) == {"free": store.owner, "mine": store.owner, "other's": other.owner, "left": dead}


def test_only_who_lives_can_claim_or_take_over(store: Store, dead: str) -> None:
    add(store, "A-1")
    for name in (dead, "", "../wfe.db"):
        with pytest.raises(StoreError, match=r"cannot own entries of .*wfe\.db"):
            store.claim(["A-1"], name)
        with pytest.raises(StoreError, match=r"cannot own entries of .*wfe\.db"):
            store.take_over(None, name)
    assert owners(store) == {"A-1": None}


@pytest.mark.parametrize("verb", ["claim", "take_over", "release"])
def test_a_key_that_is_missing_or_that_two_processors_have_is_named_and_nothing_is_done(
    store: Store, dead: str, verb: str
) -> None:
    before = {"claim": None, "take_over": dead, "release": store.owner}[verb]
    add(store, "A-1", "A-2", owner=before)
    add(store, "A-2", processor="bills:Bills", owner=before)
    act = getattr(store, verb)
    with pytest.raises(InputError, match=r"no entry 'A-9' in .*wfe\.db"):
        act(["A-1", "A-9"], store.owner)
    with pytest.raises(InputError, match="bills:Bills and orders:Orders have an entry 'A-2'"):
        act(["A-1", "A-2"], store.owner)
    with pytest.raises(InputError, match="no entry 'A-1' of bills:Bills"):
        act(["A-2", "A-1"], store.owner, processor="bills:Bills")
    assert {entry["owner"] for entry in store.entries} == {before}
    act(["A-2"], store.owner, processor="bills:Bills")
    changed = [entry["processor"] for entry in store.entries if entry["owner"] != before]
    assert changed == ["bills:Bills"]


def test_a_claim_is_taken_back_with_the_transaction_that_it_stands_in(store: Store) -> None:
    add(store, "A-1")

    def claim_and_fail() -> None:
        with store.transaction():
            assert store.claim(["A-1"], store.owner).taken == ("A-1",)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        claim_and_fail()
    assert owners(store) == {"A-1": None}


# --- release


def test_an_owner_frees_what_it_holds_and_nothing_else(store: Store, other: Store) -> None:
    add(store, "A-1", "A-2", "A-3")
    store.claim(["A-1"], store.owner)
    store.claim(["A-2"], other.owner)
    done = store.release(["A-1", "A-2", "A-3"], store.owner)
    assert done == Released(freed=("A-1",), refused={"A-2": other.owner, "A-3": None})
    assert owners(store) == {"A-1": None, "A-2": other.owner, "A-3": None}


# --- take over


def test_what_a_dead_owner_left_is_taken_and_what_is_in_doubt_is_told_apart(
    store: Store, other: Store, dead: str
) -> None:
    add(store, "between", executions=[ENDED], owner=dead)
    add(store, "inside", executions=[ENDED, UNDER_WAY], owner=dead)
    add(store, "settled", executions=[SETTLED, ENDED], owner=dead)
    add(store, "redone", executions=[UNDER_WAY, {**ENDED, "name": UNDER_WAY["name"]}], owner=dead)
    add(store, "new", owner=dead)
    add(store, "lives", executions=[UNDER_WAY], owner=other.owner)
    add(store, "free")
    done = store.take_over(["lives", "inside", "free", "new", "between", "settled", "redone"], store.owner)
    assert done == TakenOver(
        in_doubt=("inside",), not_started=("new", "between", "settled", "redone"), held={"lives": other.owner}
    )
    left = {"free": None, "lives": other.owner}
    assert owners(store) == {**dict.fromkeys(("between", "inside", "settled", "redone", "new"), store.owner), **left}


def test_all_that_the_dead_left_is_taken_of_one_processor_or_of_all(store: Store, other: Store, dead: str) -> None:
    add(store, "A-1", owner=dead)
    add(store, "A-2", owner=other.owner)
    add(store, "A-3")
    add(store, "B-1", owner=dead, processor="bills:Bills")
    store.entries.insert({"key": "no owner"})
    assert store.take_over(None, store.owner, processor="bills:Bills") == TakenOver((), ("B-1",), {})
    assert store.take_over(None, store.owner) == TakenOver((), ("A-1",), {})
    assert store.take_over(None, store.owner) == TakenOver((), (), {})


# --- runs


class Order(WorkflowModel):
    key: str
    price: int = 0


Act = Callable[[Order], Any]


class Orders(StoredProcessor):
    """Its keys and what its tasks do are given by each test."""

    model = Order
    keys: tuple[str, ...] = ("A-1", "A-2")
    acts: dict[str, Act] = {}

    def get_default_entries(self) -> list[Any]:
        return [{"key": key} for key in self.keys]

    def get_tasks(self) -> list[Task]:
        return [_task(name, act)(self) for name, act in self.acts.items()]


def _task(name: str, act: Act) -> type[Task]:
    def process_entry(self: Task, entry: Any, dry_run: bool = False) -> Any:
        return act(entry)

    return type(name, (Task,), {"process_entry": process_entry})


def processor(store: Store, kind: type[Orders] = Orders, **acts: Act) -> Orders:
    made = kind(store)
    made.acts = acts
    return made


def goes(entry: Order) -> None:
    entry.price = 7


def first(act: Callable[[], Any]) -> Act:
    """A task that does this to the entry A-1."""

    def task(entry: Order) -> None:
        goes(entry)
        if entry.key == "A-1":
            act()

    return task


def stored(store: Store, key: str) -> Any:
    (document,) = store.entries.search(where("key") == key)
    return document


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno >= logging.WARNING]


@pytest.fixture(autouse=True)
def no_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds an entry is asked before each task, not only of those that take longer than a moment."""
    monkeypatch.setattr("engine.journal.stored.TRUST", 0.0)


def lose(store: Store, to: str | None) -> None:
    """As when the file that says that the run's process lives is deleted, and another process takes the entry."""
    assert store.release(["A-1"], store.owner).freed == ("A-1",)
    if to is not None:
        assert store.claim(["A-1"], to).taken == ("A-1",)


@pytest.mark.parametrize("is_taken", [True, False], ids=["another holds it", "nobody holds it"])
def test_a_result_from_a_run_that_lost_its_entry_is_not_written_and_the_run_goes_on(
    store: Store, other: Store, caplog: pytest.LogCaptureFixture, is_taken: bool
) -> None:
    after: list[Any] = []

    def taken() -> None:
        lose(store, other.owner if is_taken else None)
        after.append(stored(store, "A-1"))

    ran: list[str] = []
    made = processor(store, Fetch=first(taken), Send=lambda entry: ran.append(entry.key))
    result = made.process_entries()
    assert ran == ["A-2"], "no task follows on an entry that was lost"
    assert result.states == {"running": 1, "finished": 1}
    assert (result.considered, result.failed, result.refused) == (2, 0, [])
    assert [stored(store, "A-1")] == after
    assert stored(store, "A-1")["data"]["price"] == 0
    assert len(store.errors) == 0
    (sentence,) = warnings(caplog)
    assert "'A-1'" in sentence
    assert (other.owner if is_taken else "nobody") in sentence
    assert made.get_statistics()["process"]["running_elsewhere"] == 1
    assert store.runs.all()[0]["ending"] == "completed"


def test_an_entry_lost_between_two_tasks_is_not_started_again(
    store: Store, other: Store, caplog: pytest.LogCaptureFixture
) -> None:
    class Interrupted(Orders):
        def write_entry(self, entry: Any, execution: Any) -> None:
            super().write_entry(entry, execution)
            if entry.key == "A-1":
                lose(store, other.owner)

    ran: list[str] = []
    result = processor(store, Interrupted, Fetch=goes, Send=lambda entry: ran.append(entry.key)).process_entries()
    assert ran == ["A-2"]
    assert result.states == {"running": 1, "finished": 1}
    assert [execution["name"] for execution in stored(store, "A-1")["executions"]] == ["Fetch"]
    assert stored(store, "A-1")["owner"] == other.owner
    assert len(warnings(caplog)) == 1


def test_an_entry_lost_before_its_result_is_written_is_its_new_owners(
    store: Store, other: Store, caplog: pytest.LogCaptureFixture
) -> None:
    class Interrupted(Orders):
        def process_tasks(self, entry: Any, dry_run: bool = False) -> bool:
            done = super().process_tasks(entry, dry_run)
            if entry.key == "A-1":
                lose(store, other.owner)
            return done

    result = processor(store, Interrupted, Fetch=goes).process_entries()
    assert result.states == {"finished": 2}
    assert stored(store, "A-1")["owner"] == other.owner
    assert stored(store, "A-1")["data"]["price"] == 0
    assert stored(store, "A-2")["state"] == "finished"
    assert len(warnings(caplog)) == 1


def test_an_exception_outside_the_tasks_changes_nothing_on_an_entry_that_was_lost(store: Store, other: Store) -> None:
    class Careless(Orders):
        def write_entry(self, entry: Any, execution: Any) -> None:
            if entry.key == "A-1":
                lose(store, other.owner)
                after.append(stored(store, "A-1"))
                raise RuntimeError("the disk is full")
            super().write_entry(entry, execution)

    after: list[Any] = []
    result = processor(store, Careless, Fetch=goes).process_entries()
    assert result.states == {"failed": 1, "finished": 1}
    assert [stored(store, "A-1")] == after
    assert len(store.errors) == 1


def test_ctrl_c_in_a_task_whose_entry_was_lost_stops_the_run_and_leaves_the_entry_to_its_owner(
    store: Store, other: Store
) -> None:
    def stop() -> None:
        lose(store, other.owner)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        processor(store, Fetch=first(stop)).process_entries()
    assert stored(store, "A-1")["owner"] == other.owner
    assert store.runs.all()[0]["ending"] == "aborted"


def test_a_run_that_only_counts_a_cycle_writes_nothing_on_an_entry_that_was_lost(store: Store, other: Store) -> None:
    def wait(entry: Order) -> None:
        raise StatusException(Status(repeat=RepeatAfterCycle(after_cycle=3)))

    class Interrupted(Orders):
        def process_tasks(self, entry: Any, dry_run: bool = False) -> bool:
            lose(store, other.owner)
            return super().process_tasks(entry, dry_run)

    Interrupted.__qualname__ = Orders.__qualname__
    processor(store, Wait=wait).process_entries(["A-1"])
    processor(store, Interrupted, Wait=wait).process_entries(["A-1"])
    assert stored(store, "A-1")["executions"][0]["status"]["repeat"]["current_cycle"] == 0


def test_an_entry_is_written_by_hand_only_while_nobody_holds_it(store: Store, other: Store) -> None:
    made = processor(store, Fetch=goes)
    made.process_entries()
    entry = made.get_entry("A-1")
    entry.price = 8  # type: ignore[attr-defined]
    made.write_entry(entry, None)
    store.claim(["A-1"], other.owner)
    entry.price = 9  # type: ignore[attr-defined]
    with pytest.raises(ClaimLost, match=f"'A-1'.*{other.owner}"):
        made.write_entry(entry, None)
    assert stored(store, "A-1")["data"]["price"] == 8


def test_a_run_leaves_an_entry_that_a_program_has_claimed(store: Store, other: Store) -> None:
    processor(store).journal.announce([Order(key="A-1")])
    store.claim(["A-1"], other.owner)
    result = processor(store, Fetch=goes).process_entries()
    assert result.states == {"running": 1, "finished": 1}
    other.release(["A-1"], other.owner)
    assert processor(store, Fetch=goes).process_entries().states == {"finished": 2}


def test_two_threads_with_one_store_do_not_both_run_an_entry(store: Store) -> None:
    """They are one owner; the run in the task stands for that of another thread."""
    inner: list[RunResult] = []
    outer = processor(
        store, Fetch=first(lambda: inner.append(processor(store, Fetch=goes).process_entries(["A-1"])))
    ).process_entries()
    assert [result.states for result in inner] == [{"running": 1}]
    assert outer.states == {"finished": 2}


def test_what_is_taken_over_and_released_stands_as_its_plan_says(store: Store) -> None:
    crash(processor(store, Fetch=goes), CrashPoint.AFTER_BODY)
    assert store.take_over(None, store.owner).in_doubt == ("A-1",)
    assert count_states(store, utc_now())["running"] == 1
    assert store.release(["A-1"], store.owner).freed == ("A-1",)
    assert stored(store, "A-1")["state"] == "in doubt"
    assert {row.key: row.state for row in rows(store, utc_now())} == {"A-1": "in doubt", "A-2": "ready"}
    assert count_states(store, utc_now()) == {"in doubt": 1, "ready": 1}


def test_a_number_that_was_given_to_another_entry_meanwhile_is_not_taken_for_the_first(store: Store) -> None:
    made = processor(store, Fetch=goes)
    made.journal.start_run(RunResult())
    made.journal.announce([Order(key="A-1")])
    store.entries.remove(where("key") == "A-1")
    add(store, "B-1")
    assert stored(store, "B-1").doc_id == 1
    with pytest.raises(StoreError, match=r"'A-1'.*removed"):
        made.journal.claim([Order(key="A-1")])
    assert owners(store) == {"B-1": None}


def test_a_run_whose_own_name_is_gone_claims_nothing(store: Store, path: Path) -> None:
    def delete() -> None:
        (path.with_name("wfe.db.owners") / store.owner).unlink()

    ran: list[str] = []
    with pytest.raises(StoreError, match="no living process"):
        processor(store, Fetch=first(delete), Send=lambda entry: ran.append(entry.key)).process_entries()
    assert ran == ["A-1"], "what others take it for, it is: dead"
