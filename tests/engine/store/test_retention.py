"""A store forgets what is finished and old, never what is still needed, and gives the room back to the disk."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinydb import where

from engine import (
    RepeatAfterCycle,
    RepeatAfterTime,
    RepeatWithBackoff,
    Status,
    StatusException,
    StoredProcessor,
    Task,
    WorkflowModel,
)
from engine.clock import to_text
from engine.exceptions import InputError
from engine.lookup.entries import rows
from engine.model import TaskExecution
from engine.operations import restart, toggle_repeat
from engine.planning import plan
from engine.records import read_plan
from engine.state import Plan
from engine.store import Store
from engine.store.retention import Pruned, lasting
from engine.worker.actions import execute_actions

DAY = timedelta(days=1)


class Order(WorkflowModel):
    key: str


class Orders(StoredProcessor):
    """Its entries and what its task Check does to them are given by each test."""

    model = Order
    keys: tuple[str, ...] = ()
    check: Callable[[Order], Any]

    def get_default_entries(self) -> list[Any]:
        return [{"key": key} for key in self.keys]

    def get_tasks(self) -> list[Task]:
        class Check(Task):
            def process_entry(self, entry: Any, dry_run: bool = False) -> Any:
                return checks(entry)

        checks = self.check
        return [Check(self)]


class Bills(Orders):
    """Another workflow."""


def run(store: Store, clock: Any, *keys: str, check: Callable[[Any], Any], kind: type[Orders] = Orders) -> Orders:
    made = kind(store, clock=clock)
    made.keys, made.check = keys, check
    made.process_entries()
    return made


def goes(entry: Any) -> None:
    pass


def breaks(entry: Any) -> None:
    raise ValueError(entry.key)


def repeats(**status: Any) -> Callable[[Any], None]:
    def check(entry: Any) -> None:
        raise StatusException(Status(repeat=True, **status))

    return check


def keys(store: Store) -> set[str]:
    return {entry["key"] for entry in store.entries}


def stored(store: Store, key: str) -> Any:
    (document,) = store.entries.search(where("key") == key)
    return document


def numbers(store: Store, key: str) -> list[int]:
    return [execution["run_count"] for execution in stored(store, key)["executions"]]


# --- entries


def test_finished_entries_go_when_they_are_old_and_the_newest_of_each_workflow_stay(store: Store, clock: Any) -> None:
    for number in range(4):
        run(store, clock, f"A-{number}", check=goes)
        run(store, clock, f"B-{number}", check=goes, kind=Bills)
        clock.turn(days=1)
    run(store, clock, "failed", check=breaks)
    clock.turn(days=10)
    run(store, clock, "A-9", check=goes)
    pruned = store.prune(5 * DAY, 2, clock=clock)
    assert pruned.entries == 5
    assert keys(store) == {"A-3", "A-9", "B-2", "B-3", "failed"}
    assert store.prune(5 * DAY, 2, clock=clock).entries == 0
    assert store.prune(5 * DAY, 0, clock=clock).entries == 3
    assert keys(store) == {"A-9", "failed"}


def test_what_was_updated_at_the_cutoff_itself_stays(store: Store, clock: Any) -> None:
    run(store, clock, "A-1", check=goes)
    clock.turn(days=1)
    assert store.prune(DAY, 0, clock=clock).entries == 0
    assert store.prune(DAY - timedelta(microseconds=1), 0, clock=clock).entries == 1


def test_the_cutoff_may_be_a_moment_and_one_without_a_zone_is_local_time(store: Store, clock: Any, zone: Any) -> None:
    zone("America/New_York")
    run(store, clock, "A-1", check=goes)  # at noon in UTC, which is seven o'clock
    clock.turn(days=1)
    assert store.prune(datetime(2026, 11, 23, 7), 0, clock=clock).entries == 0  # noqa: DTZ001
    assert store.prune(datetime(2026, 11, 23, 12, 1, tzinfo=UTC), 0, clock=clock).entries == 1


def test_what_a_living_owner_holds_is_not_touched(store: Store, path: Path, clock: Any) -> None:
    for _ in range(3):
        run(store, clock, "wait", check=repeats())
    run(store, clock, "fail", check=breaks)
    run(store, clock, "done", check=goes)
    clock.turn(days=1)
    run(store, clock, check=goes)
    with Store(path) as other:
        other.claim(["wait", "fail", "done"], other.owner)
        # Its error is recorded, and the execution that is to name it not yet.
        other.entries.update({"executions": [], "error_id": None}, where("key") == "fail")
        before = [dict(entry) for entry in store.entries]
        assert astuple(store.prune(timedelta(hours=1), 0, clock=clock))[:3] == (0, 0, 0)
        assert [dict(entry) for entry in store.entries] == before
        assert len(store.errors) == 1
    assert astuple(store.prune(timedelta(hours=1), 0, clock=clock))[:3] == (1, 2, 1)


# --- executions


def test_attempts_go_on_rising_when_old_ones_were_dropped(store: Store, clock: Any) -> None:
    for _ in range(7):
        run(store, clock, "A-1", check=repeats())
        clock.turn(hours=1)
    updated = stored(store, "A-1")["updated"]
    assert store.prune(timedelta(minutes=1), 2, clock=clock).executions == 5
    assert numbers(store, "A-1") == [6, 7]
    assert stored(store, "A-1")["updated"] == updated, "to forget is no progress"
    assert next(rows(store, clock())).attempts == 7
    assert read_plan(stored(store, "A-1"), clock()).steps[0].attempts == 7
    run(store, clock, "A-1", check=repeats())
    assert numbers(store, "A-1") == [6, 7, 8]
    assert next(rows(store, clock())).attempts == 8
    assert read_plan(stored(store, "A-1"), clock()).steps[0].attempts == 8


def test_what_ended_after_the_cutoff_or_never_stays(store: Store, clock: Any) -> None:
    def stops(entry: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(store, clock, "A-1", check=stops)
    for _ in range(2):
        restart(["A-1"], store=store, clock=clock)
        run(store, clock, "A-1", check=repeats())
    clock.turn(days=1)
    for _ in range(3):
        run(store, clock, "A-1", check=repeats())
    assert store.prune(timedelta(hours=1), 0, clock=clock).executions == 2
    assert numbers(store, "A-1") == [1, 4, 5, 6]


def test_what_was_processed_once_is_known_to_have_been(store: Store, clock: Any) -> None:
    run(store, clock, "A-1", check=lambda entry: Status(repeat=True))
    for _ in range(3):
        run(store, clock, "A-1", check=repeats())
    clock.turn(days=1)
    made = run(store, clock, check=goes)
    assert store.prune(timedelta(hours=1), 1, clock=clock).executions == 2
    assert numbers(store, "A-1") == [1, 4]
    assert made.get_entry("A-1").has_processed("Check")


def test_a_bound_of_reruns_holds_as_if_nothing_was_dropped(store: Store, clock: Any) -> None:
    statuses = [{"max_reruns": 3}, {}, {"max_reruns": 3}, {"max_reruns": 3}, {}, {}]
    for status in statuses:
        run(store, clock, "A-1", check=repeats(**status))
        clock.turn(days=1)
        store.prune(timedelta(hours=1), 0, clock=clock)
    assert numbers(store, "A-1") == [1, 2, 3, 4]
    assert next(rows(store, clock())).state == "interrupted"


def test_what_came_before_a_restart_is_not_counted_and_goes(store: Store, clock: Any) -> None:
    for _ in range(3):
        run(store, clock, "A-1", check=repeats(max_reruns=2))
    made = run(store, clock, check=repeats(max_reruns=2))
    restart(["A-1"], store=store, clock=clock)
    execute_actions(made)
    clock.turn(days=1)
    assert store.prune(timedelta(hours=1), 0, clock=clock).executions == 2
    assert numbers(store, "A-1") == [3, 4], "the third says where counting begins"
    for _ in range(4):
        run(store, clock, "A-1", check=repeats(max_reruns=2))
    assert numbers(store, "A-1") == [3, 4, 5, 6]


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
COUNTS = st.integers(0, 3)
MOMENTS = st.integers(-72, 72).map(lambda hours: NOON + timedelta(hours=hours))
REPEATS = (
    st.none()
    | st.booleans()
    | st.builds(RepeatAfterCycle, after_cycle=COUNTS, current_cycle=COUNTS)
    | st.builds(RepeatAfterTime, hours=st.integers(0, 48))
    | st.builds(RepeatWithBackoff, initial=st.floats(1, 3600), maximum=st.floats(3600, 100_000))
)


def as_left(execution: TaskExecution) -> TaskExecution:
    """What runs has not ended, and a repeat that stands has a bound."""
    is_bound = execution.status is not None and execution.status.max_reruns is not None
    ended = None if execution.running else execution.finished_at
    return execution.model_copy(
        update={"finished_at": ended, "repeat_stands": execution.repeat_stands and is_bound},
    )


EXECUTIONS = st.builds(
    TaskExecution,
    name=st.sampled_from(["Fetch", "Check", "Old"]),
    execution_time=MOMENTS,
    finished_at=st.none() | MOMENTS,
    processed=st.booleans(),
    error_id=st.none() | st.uuids(),
    status=st.none() | st.builds(Status, repeat=REPEATS, max_reruns=st.none() | COUNTS),
    run_count=st.none() | COUNTS,
    running=st.booleans(),
    idempotent=st.booleans(),
    restart=st.booleans(),
    repeat_stands=st.booleans(),
).map(lambda execution: as_left(execution))
ENTRIES = st.builds(
    WorkflowModel,
    due_date=st.sampled_from([None, "2026-11-22", "<2026-11-25", ">2026-11-23"]),
    executions=st.none() | st.lists(EXECUTIONS, max_size=8),
    finished=st.none() | MOMENTS,
)


def pruned(entry: WorkflowModel, cutoff: datetime, keep_last: int) -> WorkflowModel:
    executions = [(entry.executions or [])[place] for place in lasting(entry, cutoff, keep_last)]
    return entry.model_copy(update={"executions": executions or None})


def numbered(entry: WorkflowModel) -> WorkflowModel:
    """An entry as runs make it: attempts are numbered as they come."""
    made: WorkflowModel = entry.model_copy(update={"executions": None})
    for execution in entry.executions or []:
        number = made.new_execution(execution.name).run_count
        (made.executions or [])[-1] = execution.model_copy(update={"run_count": number})
    return made


def bare(planned: Plan) -> Plan:
    """A plan without the numbers of attempts."""
    steps = tuple(replace(step, attempts=0) for step in planned.steps)
    return replace(planned, steps=steps, current=planned.current and replace(planned.current, attempts=0))


@given(ENTRIES, MOMENTS, MOMENTS, st.integers(0, 2))
def test_an_entry_has_the_same_plan_before_and_after(
    entry: WorkflowModel, moment: datetime, cutoff: datetime, keep_last: int
) -> None:
    tasks = ["Fetch", "Check"]
    assert bare(plan(pruned(entry, cutoff, keep_last), tasks, moment)) == bare(plan(entry, tasks, moment))
    as_run = numbered(entry)
    after = pruned(as_run, cutoff, keep_last)
    assert plan(after, tasks, moment) == plan(as_run, tasks, moment)
    for task in tasks:
        assert after.has_processed(task) == as_run.has_processed(task)
        assert after.new_execution(task).run_count == as_run.new_execution(task).run_count


@given(ENTRIES, MOMENTS, st.integers(0, 3))
def test_what_is_dropped_is_old_and_beyond_the_newest_of_its_task(
    entry: WorkflowModel, cutoff: datetime, keep_last: int
) -> None:
    executions = entry.executions or []
    places = lasting(entry, cutoff, keep_last)
    assert places == sorted(set(places))
    dropped = [execution for place, execution in enumerate(executions) if place not in places]
    for execution in dropped:
        assert execution.finished_at is not None
        assert execution.finished_at < cutoff
        newest = entry.get_execution(execution.name)[: max(1, keep_last)]
        assert not any(execution is other for other in newest)
    if entry.finished is not None:
        for name in {execution.name for execution in executions}:
            old = [e for e in entry.get_execution(name) if e.finished_at and e.finished_at < cutoff]
            stay = [e for e in old if not any(e is other for other in dropped)]
            assert len(stay) <= max(1, keep_last) + 1, "the newest, and the newest that was processed"


# --- errors


def test_errors_go_when_nothing_that_stays_refers_to_them(store: Store, clock: Any) -> None:
    run(store, clock, "done", check=breaks)
    restart(["done"], store=store, clock=clock)
    run(store, clock, "done", check=goes)
    run(store, clock, "failed", check=breaks)
    run(store, clock, "elsewhere", check=breaks, kind=Bills)
    store.errors.insert({"error_id": "outside any entry", "key": None, "time": to_text(clock())})
    clock.turn(days=1)
    run(store, clock, "recent", check=breaks)
    assert store.prune(timedelta(hours=1), 2, clock=clock).errors == 0
    done = store.prune(timedelta(hours=1), 0, clock=clock)
    assert (done.entries, done.errors) == (1, 2)
    assert [error["key"] for error in store.errors] == ["failed", "elsewhere", "recent"]


def test_the_error_of_an_execution_that_was_dropped_goes_with_it(store: Store, clock: Any) -> None:
    for _ in range(3):
        run(store, clock, "A-1", check=breaks)
        restart(["A-1"], store=store, clock=clock)
    clock.turn(days=1)
    done = store.prune(timedelta(hours=1), 1, clock=clock)
    assert (done.executions, done.errors) == (2, 2)
    assert [error["error_id"] for error in store.errors] == [stored(store, "A-1")["executions"][0]["error_id"]]


def test_the_newest_errors_stay_whoever_refers_to_them(store: Store, clock: Any) -> None:
    for number in range(5):
        store.errors.insert({"error_id": f"e{number}", "key": None, "time": to_text(clock())})
        clock.turn(hours=1)
    clock.turn(days=1)
    assert store.prune(timedelta(hours=1), 2, clock=clock).errors == 3
    assert [error["error_id"] for error in store.errors] == ["e3", "e4"]


# --- runs and actions


def test_runs_that_ended_go_and_the_newest_of_each_workflow_stays(store: Store, clock: Any) -> None:
    for _ in range(4):
        run(store, clock, check=goes)
        clock.turn(hours=1)
    run(store, clock, check=goes, kind=Bills)
    clock.turn(days=9)
    assert store.prune(DAY, 2, clock=clock).runs == 2
    assert store.prune(DAY, 0, clock=clock).runs == 1
    assert [run["processor"].partition(":")[2] for run in store.runs] == ["Orders", "Bills"]
    assert [run.doc_id for run in store.runs] == [4, 5]


def test_a_run_that_goes_on_stays_and_one_whose_process_died_goes(store: Store, path: Path, clock: Any) -> None:
    with Store(path) as dead, Store(path) as other:
        for owner in (dead.owner, other.owner):
            moment = to_text(clock())
            begun = {"processor": "m:P", "started": moment, "updated": moment, "ended": None, "owner": owner}
            store.runs.insert(begun)
        dead.close()
        clock.turn(days=1)
        now = to_text(clock())
        store.runs.insert({"processor": "m:P", "started": now, "updated": now, "ended": now, "owner": other.owner})
        assert store.prune(timedelta(hours=1), 0, clock=clock).runs == 1
        assert [run.doc_id for run in store.runs] == [2, 3]
        store.runs.update({"ended": now}, doc_ids=[2])
        assert store.prune(timedelta(hours=1), 0, clock=clock).runs == 0, "it ended after the cutoff"


def test_closed_actions_go_and_open_ones_wait_for_their_worker(store: Store, clock: Any) -> None:
    made = run(store, clock, "A-1", check=breaks)
    for _ in range(3):
        restart(["A-1"], store=store, clock=clock)
        execute_actions(made)
        clock.turn(hours=1)
    restart(["A-1"], store=store, clock=clock)
    clock.turn(days=1)
    assert store.prune(timedelta(hours=1), 1, clock=clock).actions == 2
    assert [(action.doc_id, action["open"]) for action in store.actions] == [(3, False), (4, True)]
    assert [row["action"] for row in store.verdicts] == [3, 4]


def test_an_action_of_which_an_entry_waits_for_its_verdict_stays(store: Store, clock: Any) -> None:
    run(store, clock, "A-1", check=breaks)
    toggle_repeat(["A-1"], True, store=store, clock=clock)
    clock.turn(days=1)
    assert store.prune(timedelta(hours=1), 0, clock=clock).actions == 0
    run(store, clock, "A-1", check=lambda entry: None)
    assert store.prune(timedelta(hours=1), 0, clock=clock).actions == 1
    assert len(store.verdicts) == 0


# --- how


def test_the_file_shrinks_by_what_is_said(store: Store, path: Path, clock: Any) -> None:
    old = {"processor": "m:P", "state": "finished", "updated": to_text(clock()), "data": "x" * 5_000}
    store.entries.insert_multiple({"key": f"A-{number}", **old} for number in range(300))
    store.prune(timedelta(0), 300, clock=clock)
    before = path.stat().st_size
    clock.turn(days=1)
    done = store.prune(timedelta(hours=1), 0, clock=clock)
    assert done.entries == 300
    assert before - path.stat().st_size == done.bytes_freed
    assert done.bytes_freed > 1_000_000


def test_other_writers_get_their_turn_between_few_documents(store: Store, clock: Any) -> None:
    old = {"processor": "m:P", "state": "finished", "updated": to_text(clock())}
    store.entries.insert_multiple({"key": f"A-{number}", **old} for number in range(1_000))
    moment = {"time": to_text(clock())}
    store.errors.insert_multiple({"error_id": f"e{number}", "key": None, **moment} for number in range(1_000))
    clock.turn(days=1)
    before = store.seq()
    done = store.prune(timedelta(hours=1), 0, clock=clock)
    assert (done.entries, done.errors) == (1_000, 1_000)
    assert store.seq() - before >= 2_000 / 200, "each transaction has a number"


def test_those_who_prune_at_once_share_the_work(store: Store, path: Path, clock: Any) -> None:
    old = {"processor": "m:P", "state": "finished", "updated": to_text(clock())}
    store.entries.insert_multiple({"key": f"A-{number}", **old} for number in range(1_000))
    clock.turn(days=1)

    def prune(_: int) -> Pruned:
        with Store(path) as own:
            return own.prune(timedelta(hours=1), 10, clock=clock)

    with ThreadPoolExecutor(3) as threads:
        done = list(threads.map(prune, range(3)))
    assert sum(each.entries for each in done) == 990
    assert len(store.entries) == 10


def test_no_attempt_is_lost_that_is_written_meanwhile(store: Store, path: Path, clock: Any) -> None:
    def execution(number: int) -> dict[str, Any]:
        attempt = TaskExecution(name="Check", execution_time=clock(), finished_at=clock(), run_count=number)
        return attempt.model_dump(mode="json")

    run(store, clock, "A-1", check=repeats())
    later = clock() + DAY

    def write() -> list[int]:
        found = []

        def attempt(entry: Any) -> None:
            newest = entry["executions"][-1]["run_count"]
            found.append(newest)
            entry["executions"].append(execution(newest + 1))

        with Store(path) as own:
            for _ in range(500):
                own.entries.update(attempt, doc_ids=[1])
        return found

    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(write)
        dropped = 0
        while not writing.done():
            dropped += store.prune(timedelta(hours=1), 1, clock=lambda: later).executions
    assert writing.result() == list(range(1, 501))
    dropped += store.prune(timedelta(hours=1), 1, clock=lambda: later).executions
    assert dropped == 500
    assert dropped + len(numbers(store, "A-1")) == 501


def test_followers_hear_of_what_was_removed(store: Store, clock: Any) -> None:
    run(store, clock, "A-1", "A-2", check=goes)
    clock.turn(days=1)
    since = store.seq()
    store.prune(timedelta(hours=1), 1, clock=clock)
    assert store.changes(since).removed == {"entries": [1]}


def test_documents_that_no_run_wrote_are_left_as_they_are(store: Store, clock: Any) -> None:
    odd = [
        {},
        {"key": ["list"], "state": "finished", "updated": None, "processor": {"a": 1}},
        {"key": "A-1", "state": "waiting", "updated": "long ago", "executions": [{"no": "execution"}] * 5},
        {"state": "finished", "processor": "m:P", "owner": 7},
    ]
    for table in (store.entries, store.errors, store.runs, store.actions):
        table.insert_multiple(odd)
    store.errors.insert({"error_id": ["list"], "key": {"a": 1}, "time": to_text(clock() - 9 * DAY)})
    clock.turn(days=1)
    assert astuple(store.prune(DAY, 0, clock=clock))[:5] == (0, 0, 1, 0, 0)
    assert list(store.entries) == odd


@pytest.mark.parametrize(
    ("older_than", "keep_last", "words"),
    [
        (DAY, -1, "keep_last"),
        (-DAY, 1, "future"),
        (datetime(2026, 11, 25, tzinfo=UTC), 1, "future"),
        (timedelta.max, 1, "calendar"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_removed(
    store: Store, clock: Any, older_than: timedelta | datetime, keep_last: int, words: str
) -> None:
    run(store, clock, "A-1", check=goes)
    clock.turn(days=1)
    with pytest.raises(InputError, match=words):
        store.prune(older_than, keep_last, clock=clock)
    assert keys(store) == {"A-1"}
