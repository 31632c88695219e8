"""`wfe plan`: what happens next to entries, and what the next run would do; nothing of it is executed."""

import json
from datetime import timedelta
from typing import Any

import pytest
from desk import Desk, breaks, interrupts

from engine import RepeatAfterCycle, RepeatAfterTime
from engine.lookup import entries as lookup
from engine.lookup.outlook import Outlook, outlook
from engine.operations import Hold, pause
from engine.state import State


def seen(desk: Desk, **later: float) -> Outlook:
    return outlook(desk.store, "desk:Orders", desk.clock() + timedelta(**later))


def of_each(**checks: Any) -> Any:
    """Check does this to the entry of this key."""
    return lambda entry: checks.get(entry.key.replace("-", ""), lambda entry: None)(entry)


# --- the numbers of the next run


def test_what_is_ready_is_told_by_the_task_that_a_run_would_execute_first(desk: Desk) -> None:
    desk.run(breaks, limit=1)
    desk.repeat("A-1")
    desk.entries = [{"key": f"B-{number}"} for number in range(3)]
    desk.run(limit=1)
    told = seen(desk)
    assert told.executes == {"Fetch": 3, "Check": 1}
    assert told.states[State.READY] == 4


def test_what_waits_is_told_with_the_first_and_the_last_time_and_is_ready_when_that_has_come(desk: Desk) -> None:
    desk.entries = [{"key": "A-1"}, {"key": "A-2"}, {"key": "A-3"}]
    hour, day = (interrupts(repeat=RepeatAfterTime(hours=hours)) for hours in (1, 24))
    desk.run(of_each(A1=hour, A2=day, A3=interrupts(repeat=RepeatAfterCycle(after_cycle=5))))
    now = desk.clock()
    told = seen(desk)
    assert (told.executes, told.states) == ({}, {State.WAITING: 3})
    assert (told.by_time, told.by_runs) == (2, 1)
    assert (told.next_due, told.last_due) == (now + timedelta(hours=1), now + timedelta(hours=24))
    later = seen(desk, hours=2)
    assert (later.executes, later.states) == ({"Check": 1}, {State.READY: 1, State.WAITING: 2})
    assert later.next_due == later.last_due == now + timedelta(hours=24)


def test_what_needs_an_operator_is_told_by_state_and_task_with_causes_and_reasons(desk: Desk) -> None:
    desk.entries = [{"key": f"A-{number}"} for number in range(1, 6)]
    desk.run(of_each(A1=breaks, A2=breaks, A3=interrupts(message="ask anna"), A4=interrupts(message="ask anna")))
    told = seen(desk)
    assert [(each.state, each.task, each.entries) for each in told.stopped] == [
        ("interrupted", "Check", 2),
        ("failed", "Check", 2),
    ]
    assert [(cause.type, cause.entries) for cause in told.causes] == [("ValueError", 2)]
    assert told.reasons == {"ask anna": 2}


def test_what_a_process_left_that_died_is_in_doubt(desk: Desk) -> None:
    desk.crash()
    told = seen(desk)
    assert [(each.state, each.task, each.entries) for each in told.stopped] == [("in doubt", "Check", 1)]


def test_a_pause_and_what_is_held_are_told(desk: Desk) -> None:
    desk.run(breaks)
    desk.act(Hold(), "A-1")
    pause("Orders", store=desk.store, who="anna@host", clock=desk.clock)
    told = seen(desk)
    assert told.states == {State.FAILED: 1, State.HELD: 1}
    assert told.pause is not None
    assert told.to_json()["paused"] is True


def test_of_very_many_a_part_tells_at_which_tasks_all_stand(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "COUNTED", 100)
    monkeypatch.setattr(lookup, "SAMPLED", 50)
    desk.entries = [{"key": f"A-{number}"} for number in range(200)]
    desk.run(breaks)
    assert lookup.count_tasks(desk.store, desk.clock(), State.FAILED, "desk:Orders") == {"Check": 200}


# --- the command


@pytest.fixture
def place(workplace: Any) -> Any:
    workplace.orders("A-1", "A-2 raise", "A-3 wait", "A-4 interrupt")
    workplace.wfe("run", "orders:Orders")
    (workplace.folder / "orders.py").unlink()  # no code of a workflow is needed
    return workplace


def test_each_entry_is_told_task_by_task(place: Any) -> None:
    done = place.wfe("plan", "A-2", "A-3")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:4] == [
        "A-2  failed  nothing by itself: Check failed; restart it, or set its repeat",
        "  Fetch  done",
        "  Check  failed: ValueError: no customer in A-2",
        "  Send   not reached",
    ]
    assert lines[4].startswith("A-3  waiting  Check waits until ")
    assert lines[6].startswith("  Check  wait until ")
    by_filter = place.wfe("plan", "state:failed", "--json")
    [told] = map(json.loads, by_filter.stdout.splitlines())
    assert (told["key"], told["state"], told["next"]) == ("A-2", "failed", lines[0].split("  ", 2)[2])
    assert [(step["task"], step["kind"]) for step in told["steps"]] == [
        ("Fetch", "done"), ("Check", "failed"), ("Send", "not reached"),
    ]  # fmt: skip


def test_a_run_to_come_is_told_in_numbers(place: Any) -> None:
    done = place.wfe("plan", "--at", "2h")
    assert (done.returncode, done.stderr) == (0, "")
    head, *lines = done.stdout.splitlines()
    assert head.startswith("orders:Orders  a run at ")
    assert lines == [
        "        1 executed at Check",
        "        1 failed at Check",
        "          1× ValueError: no customer in A-2 · never restarted",
        "        1 interrupted at Check",
        "          1× the customer does not answer",
        "        1 finished",
    ]
    [now] = map(json.loads, place.wfe("plan", "orders:Orders", "--json").stdout.splitlines())
    assert (now["executes"], now["states"]["waiting"], now["waiting"]["until_a_time"]) == ({}, 1, 1)
    assert now["waiting"]["next"] == now["waiting"]["last"]


def test_what_is_not_there_is_said_and_the_others_are_told(place: Any) -> None:
    done = place.wfe("plan", "A-77", "A-1")
    assert done.returncode == 2
    assert done.stdout.startswith("A-1  finished  nothing: it is finished\n")
    assert done.stderr.startswith("wfe: there is no entry 'A-77' in ")
    nothing = place.wfe("plan", "state:held")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "no entry answers to state:held\n")
    for wrong, said in (("yesterday", "is no moment"), ("2020-01-01 08:00", "has passed")):
        refused = place.wfe("plan", "--at", wrong)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert said in refused.stderr
