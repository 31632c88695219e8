"""What an act would do, told beforehand: to each task of each entry, and that it then is so."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from desk import Desk, breaks
from hypothesis import given, settings
from hypothesis import strategies as st
from tinydb import where

from engine import (
    RepeatAfterCycle,
    RepeatAfterTime,
    Status,
    Store,
    StoredProcessor,
    Task,
    TaskExecution,
    WorkflowModel,
)
from engine.clock import to_text
from engine.model import Halt
from engine.operations import (
    Cancel,
    Decide,
    Decision,
    Fate,
    Hold,
    Preview,
    Restart,
    SetRepeat,
    Skip,
    Verb,
    act,
    preview,
)
from engine.operations.verbs import VERBS
from engine.records import entry_progress, summary
from engine.worker.actions import execute_actions

KEPT, AGAIN, FIRST, DONE, LATER = Fate.KEPT, Fate.AGAIN, Fate.FIRST, Fate.TAKEN_AS_DONE, Fate.LATER


def look(desk: Desk, verb: Verb, *keys: str, **given: Any) -> Preview:
    return preview(verb, keys, store=desk.store, clock=desk.clock, **given)


def fates(desk: Desk, verb: Verb, key: str) -> list[Fate]:
    (each,) = look(desk, verb, key).entries
    return [fate for _, fate, _ in each.tasks]


def test_a_restart_keeps_what_is_done_and_tells_the_error_that_it_tries_again(desk: Desk) -> None:
    desk.run(breaks)
    (each,) = look(desk, Restart(), "A-1").entries
    assert (each.key, each.processor, each.refused) == ("A-1", "desk:Orders", None)
    assert [(task, fate) for task, fate, _ in each.tasks] == [("Fetch", KEPT), ("Check", AGAIN)]
    assert "no customer in A-1" in each.tasks[1][2]
    assert fates(desk, Restart(from_start=True), "A-1") == [AGAIN, AGAIN]


def test_a_skip_takes_the_task_as_done_and_goes_on(desk: Desk) -> None:
    desk.run(limit=0)
    desk.entries = [{"key": "A-1"}]
    desk.run(breaks)
    assert fates(desk, Skip(), "A-1") == [KEPT, DONE]
    desk.store.entries.update({"executions": None, "state": "ready"}, where("key") == "A-1")
    assert fates(desk, Skip(), "A-1") == [DONE, FIRST]


def test_a_decision_takes_the_task_as_done_or_executes_it_again(desk: Desk) -> None:
    desk.crash()
    assert fates(desk, Decide(Decision.DONE), "A-1") == [KEPT, DONE]
    assert fates(desk, Decide(Decision.AGAIN), "A-1") == [KEPT, AGAIN]


def test_what_is_cancelled_or_held_or_waits_executes_nothing(desk: Desk) -> None:
    desk.run(breaks)
    assert fates(desk, Cancel(), "A-1") == [KEPT, LATER]
    assert fates(desk, Hold(), "A-1") == [KEPT, LATER]
    assert fates(desk, SetRepeat(RepeatAfterTime(hours=1)), "A-1") == [KEPT, LATER]


def test_it_counts_what_it_does_not_show_and_why_it_refuses(desk: Desk) -> None:
    desk.entries = [{"key": f"A-{number:04}"} for number in range(1_200)]
    desk.run(lambda entry: breaks(entry) if entry.key < "A-0700" else None)
    told: list[tuple[int, int]] = []
    keys = [entry["key"] for entry in desk.entries]
    seen = look(desk, Restart(), *keys, "nosuch", shown=10, progress=lambda *at: told.append(at))
    assert (seen.accepted, seen.refused) == (700, 501)
    assert dict(seen.totals) == {KEPT: 700, AGAIN: 700}
    assert dict(seen.reasons) == {"it is finished: restart it from the start": 500, "it is not there": 1}
    assert [each.key for each in seen.entries] == keys[:10]
    assert told == [(500, 1_201), (1_000, 1_201), (1_201, 1_201)]


def test_to_look_writes_nothing(desk: Desk) -> None:
    desk.run(breaks)
    before = desk.store.seq()
    for verb in EVERY_VERB:
        look(desk, verb, "A-1", "A-2", "nosuch")
    assert desk.store.seq() == before


def test_who_may_only_read_may_look(desk: Desk) -> None:
    desk.run(breaks)
    with Store(desk.store.path, read_only=True) as reader:
        assert preview(Restart(), ["A-1"], store=reader, clock=desk.clock).accepted == 1


# --- what was told is what happens

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAMES = ["Fetch", "Check", "Send"]
EVERY_VERB = (*VERBS, SetRepeat(RepeatAfterCycle(after_cycle=1)), SetRepeat(RepeatAfterTime(hours=9), 2))
SHAPES: list[dict[str, Any]] = [
    {"processed": True},
    {"processed": True, "restart": True},
    {"processed": True, "status": Status(repeat=True)},
    {"processed": True, "status": Status(repeat=RepeatAfterTime(hours=9))},
    {"processed": True, "skipped": True, "status": Status(message="skipped by anna")},
    {"error_id": UUID(int=1), "error": "ValueError: no customer"},
    {"error_id": UUID(int=1), "error": "ValueError: no customer", "restart": True},
    {"error_id": UUID(int=1), "error": "ValueError", "status": Status(repeat=True, max_reruns=1)},
    {"status": Status(message="no answer")},
    {"status": Status(repeat=RepeatAfterTime(hours=9))},
    {"status": Status(repeat=RepeatAfterTime(minutes=9))},
    {"status": Status(repeat=RepeatAfterCycle(after_cycle=1))},
    {"status": Status(repeat=RepeatAfterCycle(after_cycle=3))},
    {"status": Status(repeat=True, max_reruns=2), "repeat_stands": True},
    {"running": True},
    {"running": True, "idempotent": True},
]
HALTS = [None, None, Halt(who="anna", when=NOON), Halt(who="anna", when=NOON, is_cancelled=True)]
DUE_DATES = [None, None, "2026-11-23", "2026-11-22", ">2026-11-29"]


def entry(shapes: list[list[int]], halt: Halt | None, due_date: str | None, is_finished: bool) -> WorkflowModel:
    """An entry whose tasks were executed so, each as often as shapes are named."""
    executions = [
        TaskExecution(
            name=name, run_count=attempt + 1, execution_time=NOON - timedelta(hours=2) + timedelta(minutes=attempt),
            **SHAPES[shape],
        )
        for name, own in zip(NAMES, shapes, strict=False)
        for attempt, shape in enumerate(own)
    ]  # fmt: skip
    finished = NOON if is_finished else None
    return WorkflowModel(executions=executions or None, halt=halt, due_date=due_date, finished=finished)


ENTRIES = st.builds(
    entry,
    st.lists(st.lists(st.integers(0, len(SHAPES) - 1), max_size=3), max_size=3),
    st.sampled_from(HALTS),
    st.sampled_from(DUE_DATES),
    st.sampled_from([False, False, False, True]),
)


class Deed(Task):
    def process_entry(self, entry: Any, dry_run: bool = False) -> None:
        self.processor.ran.append(type(self).__name__)  # type: ignore[attr-defined]


class Fetch(Deed):
    pass


class Check(Deed):
    pass


class Send(Deed):
    pass


class Item(WorkflowModel):
    key: str


class Items(StoredProcessor):
    model = Item

    def __init__(self, store: Store) -> None:
        super().__init__(store, clock=lambda: NOON)
        self.ran: list[str] = []

    def get_default_entries(self) -> list[Any]:
        return []

    def get_tasks(self) -> list[Task]:
        return [Fetch(self), Check(self), Send(self)]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Writes an entry into a store, as a run has left it; answers the store and its key."""
    numbers = count()
    with Store(tmp_path_factory.mktemp("preview") / "wfe.db") as store:

        def write(left: WorkflowModel) -> tuple[Store, str]:
            key = f"A-{next(numbers)}"
            fields = {"processor": "test_preview:Items", "tasks": NAMES, "data": {"key": key}, "written": []}
            progress = {**entry_progress(left), **summary(left, NAMES, NOON)}
            store.entries.insert({"key": key, "owner": None, "run": 1, "updated": to_text(NOON), **fields, **progress})
            return store, key

        yield write


@settings(deadline=None, max_examples=300)
@given(ENTRIES, st.sampled_from(EVERY_VERB))
def test_the_tasks_that_were_told_are_those_that_the_next_run_executes(
    stored: Any, left: WorkflowModel, verb: Verb
) -> None:
    store, key = stored(left)
    seen = preview(verb, [key], store=store, clock=lambda: NOON)
    (told,) = seen.entries
    done = act(verb, [key], store=store, clock=lambda: NOON)
    assert done.refused == ({} if told.refused is None else {key: told.refused})
    assert (seen.accepted, seen.refused) == (len(done.accepted), len(done.refused))
    if told.refused is not None:
        return
    items = Items(store)
    if verb.needs_worker:
        execute_actions(items)
    else:
        items.process_entries([key])
    assert items.ran == [task for task, fate, _ in told.tasks if fate in (AGAIN, FIRST)]
    assert seen.totals == {fate: [f for _, f, _ in told.tasks].count(fate) for fate in {f for _, f, _ in told.tasks}}
    executions = store.entries.search(where("key") == key)[0]["executions"] or []
    for task, fate, _ in told.tasks:
        own = [each for each in executions if each["name"] == task]
        assert (fate is not FIRST) or len(own) == 1
        assert (fate is not DONE) or own[-1]["processed"]
