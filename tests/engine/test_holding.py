"""What is held, or cancelled, no run executes: whoever makes it, whatever its source says; and how it goes on."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from desk import Check, Desk, Fetch, Orders, breaks, interrupts

from engine import RepeatAfterCycle, RepeatAfterTime, Task
from engine.commands.metrics import exposition
from engine.operations import Cancel, Hold, Release, Restart, SetRepeat, Skip
from engine.operations import preview as look


@pytest.fixture(params=["hold", "cancel"])
def halt(request: pytest.FixtureRequest) -> Any:
    return {"hold": Hold(), "cancel": Cancel()}[request.param]


# --- no run executes it


def test_a_run_over_the_default_entries_leaves_it_and_does_the_others(desk: Desk, halt: Any) -> None:
    desk.run(breaks)
    desk.repeat("A-1", "A-2")
    assert desk.act(halt, "A-1", who="anna@desk", why="customs are closed").accepted == ("A-1",)
    word = "held" if halt.name == "hold" else "cancelled"
    assert desk.run() == ["Check A-2"]
    assert desk.run() == []
    row = desk.row("A-1")
    assert (row.state, row.task, row.done) == (word, "Check", 1)
    assert row.reason == f"{word} by anna@desk: customs are closed"


def test_one_that_was_never_executed_is_left_as_well(desk: Desk, halt: Any) -> None:
    desk.run(limit=1)
    assert desk.state("A-2") == "ready"
    desk.act(halt, "A-2")
    assert desk.run() == []
    assert desk.document("A-2")["executions"] is None


def test_a_run_that_is_told_its_key_leaves_it_and_counts_it(desk: Desk, halt: Any) -> None:
    desk.run(breaks)
    desk.repeat("A-1")
    desk.act(halt, "A-1")
    result = Orders(desk).process_entries(["A-1"])
    assert dict(result.states) == {desk.state("A-1"): 1}
    assert result.failed == 0


@pytest.mark.parametrize("executor", ["threads", "inline"])
def test_no_executor_gets_it(desk: Desk, halt: Any, executor: str) -> None:
    desk.entries = [{"key": f"A-{number}"} for number in range(40)]
    desk.run(breaks)
    keys = [entry["key"] for entry in desk.entries]
    desk.repeat(*keys)
    desk.act(halt, *keys[::2])
    assert sorted(desk.run(executor=executor)) == sorted(f"Check {key}" for key in keys[1::2])


def test_what_waits_for_a_time_or_for_runs_waits_on_and_counts_none(desk: Desk, halt: Any) -> None:
    repeats = {"A-1": RepeatAfterTime(hours=1), "A-2": RepeatAfterCycle(after_cycle=2)}
    desk.run(lambda entry: interrupts(repeat=repeats[entry.key])(entry))
    desk.act(halt, "A-1", "A-2")
    desk.clock.turn(hours=2)
    for _ in range(3):
        assert desk.run() == []
    if halt.name == "hold":
        desk.act(Release(), "A-1", "A-2")
        assert (desk.state("A-1"), desk.state("A-2")) == ("ready", "waiting")
        assert desk.run() == ["Check A-1"]
        assert desk.run() == ["Check A-2"]


def test_a_worker_does_no_action_on_it_that_was_asked_for_before(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1", "A-2")
    desk.act(Hold(), "A-1")
    assert desk.take() == ["Check A-2"]
    assert desk.action()["verb"] == "hold"
    desk.act(Release(), "A-1")
    assert desk.take() == [], "the action is done; that the task is to be executed stands"
    assert desk.run() == ["Check A-1"]


def test_it_outlasts_new_runs_and_a_correction_at_the_source(desk: Desk, halt: Any) -> None:
    desk.run(breaks)
    desk.act(halt, "A-1", why="wrong amount")
    state, reason = desk.state("A-1"), desk.row("A-1").reason
    desk.entries = [{"key": "A-1", "source": "corrected.csv"}, {"key": "A-2"}]
    desk.run(breaks)
    assert desk.document("A-1")["source"] == "corrected.csv"
    assert (desk.state("A-1"), desk.row("A-1").reason) == (state, reason)
    assert desk.run() == []


def test_a_run_that_has_read_it_before_it_was_halted_leaves_it(desk: Desk, halt: Any) -> None:
    refused: list[Any] = []

    def meanwhile(entry: Any) -> None:
        if entry.key == "A-1":
            refused.append(desk.act(halt, "A-1", "A-2").refused)

    assert desk.run(meanwhile) == ["Fetch A-1", "Check A-1"]
    assert refused == [{"A-1": "it is running"}]
    assert desk.state("A-2") in ("held", "cancelled")


def test_a_workflow_whose_filter_takes_everything_does_not_get_it(desk: Desk, halt: Any) -> None:
    class Greedy(Orders):
        def filter(self, entry: Any) -> bool:
            return True

    Greedy(desk).process_entries(limit=0)
    Greedy(desk).process_entries(limit=1)
    desk.ran = []
    desk.act(halt, "A-2")
    Greedy(desk).process_entries()
    assert "Fetch A-2" not in desk.ran


# --- hold and release


def test_release_lets_it_go_on_where_it_stood(desk: Desk) -> None:
    desk.run(breaks)
    desk.repeat("A-1")
    desk.act(Hold(), "A-1")
    done = desk.act(Release(), "A-1")
    assert (done.accepted, done.to_run) == (("A-1",), ()), "the next run does it, no worker is needed"
    assert desk.state("A-1") == "ready"
    assert desk.run() == ["Check A-1"]


def test_what_failed_is_failed_again_when_it_is_released(desk: Desk) -> None:
    desk.run(breaks)
    before = desk.row("A-1")
    desk.act(Hold(), "A-1")
    desk.act(Release(), "A-1")
    after = desk.row("A-1")
    assert (after.state, after.reason, after.error_id) == (before.state, before.reason, before.error_id)
    assert desk.run() == []


def test_what_is_in_doubt_is_held_and_stays_in_doubt(desk: Desk) -> None:
    desk.crash()
    desk.act(Hold(), "A-1")
    assert desk.decide("again", "A-1").refused == {"A-1": "it is not in doubt, it is held"}
    desk.act(Release(), "A-1")
    assert desk.state("A-1") == "in doubt"


def test_what_is_finished_or_held_is_not_held(desk: Desk) -> None:
    desk.run(lambda entry: breaks(entry) if entry.key == "A-2" else None)
    desk.act(Hold(), "A-2", who="anna@desk")
    assert desk.act(Hold(), "A-1", "A-2").refused == {
        "A-1": "it is finished: there is nothing to hold",
        "A-2": "it is held by anna@desk",
    }
    desk.act(Cancel(), "A-2", who="kim@desk", why="sold")
    assert desk.act(Hold(), "A-2").refused == {"A-2": "it is cancelled by kim@desk: sold"}


def test_only_what_is_held_is_released(desk: Desk) -> None:
    desk.run(breaks)
    desk.act(Cancel(), "A-2")
    assert desk.act(Release(), "A-1", "A-2").refused == {
        "A-1": "it is not held, it is failed",
        "A-2": "it is not held, it is cancelled",
    }


def test_what_is_held_is_neither_restarted_nor_skipped_before_it_is_released(desk: Desk) -> None:
    desk.run(breaks)
    desk.act(Hold(), "A-1", who="anna@desk")
    before = desk.document("A-1")
    for verb in (Restart(), Restart(from_start=True), Skip()):
        assert desk.act(verb, "A-1").refused == {"A-1": "it is held by anna@desk: release it first"}
    assert desk.document("A-1") == before


def test_a_repeat_that_is_set_on_what_is_held_counts_when_it_is_released(desk: Desk) -> None:
    desk.run(breaks)
    desk.act(Hold(), "A-1")
    desk.repeat("A-1")
    assert desk.state("A-1") == "held"
    assert desk.run() == []
    desk.act(Release(), "A-1")
    assert desk.run() == ["Check A-1"]


# --- cancel


@pytest.mark.parametrize(("from_start", "ran"), [(False, ["Check A-1"]), (True, ["Fetch A-1", "Check A-1"])])
def test_a_restart_takes_up_again_what_was_cancelled(desk: Desk, from_start: bool, ran: list[str]) -> None:
    desk.run(breaks)
    desk.act(Cancel(), "A-1")
    assert desk.restart("A-1", from_start=from_start).accepted == ("A-1",)
    assert desk.take() == ran
    assert desk.state("A-1") == "finished"
    assert desk.document("A-1")["halt"] is None


def test_a_restart_takes_up_what_was_cancelled_before_it_was_executed(desk: Desk) -> None:
    desk.run(limit=1)
    desk.act(Cancel(), "A-2")
    desk.restart("A-2")
    assert desk.take() == ["Fetch A-2", "Check A-2"]


def test_what_is_finished_or_cancelled_is_not_cancelled_and_what_is_held_is(desk: Desk) -> None:
    desk.run(lambda entry: breaks(entry) if entry.key == "A-2" else None)
    desk.act(Hold(), "A-2")
    assert desk.act(Cancel(), "A-1", "A-2", who="anna@desk").refused == {
        "A-1": "it is finished: there is nothing to cancel"
    }
    assert desk.act(Cancel(), "A-2").refused == {"A-2": "it is cancelled by anna@desk"}


def test_what_is_cancelled_is_neither_skipped_nor_set_to_repeat(desk: Desk) -> None:
    desk.run(breaks)
    desk.act(Cancel(), "A-1", who="anna@desk")
    before = desk.document("A-1")
    for verb in (Skip(), SetRepeat(True), SetRepeat(RepeatAfterTime(hours=1), 3)):
        assert desk.act(verb, "A-1").refused == {"A-1": "it is cancelled by anna@desk: restart it first"}
    assert desk.document("A-1") == before


def test_what_is_cancelled_is_pruned_like_what_is_finished_and_what_is_held_stays(desk: Desk) -> None:
    desk.entries = [{"key": key} for key in ("done", "gone", "held", "open")]
    desk.run(lambda entry: None if entry.key == "done" else breaks(entry))
    desk.act(Cancel(), "gone")
    desk.act(Hold(), "held")
    desk.clock.turn(days=1)
    assert desk.store.prune(timedelta(hours=1), 0, clock=desk.clock).entries == 2
    assert [entry["key"] for entry in desk.store.entries] == ["held", "open"]


# --- how it is told


def test_an_act_is_recorded_and_asks_for_no_worker(desk: Desk, halt: Any) -> None:
    desk.run(breaks)
    desk.act(halt, "A-1", who="anna@desk", why="sold")
    action = desk.action()
    assert (action["verb"], action["who"], action["why"], action["open"]) == (halt.name, "anna@desk", "sold", False)
    assert action["results"] == {"A-1": None}
    kept = desk.document("A-1")["halt"]
    assert (kept["who"], kept["why"], kept["is_cancelled"]) == ("anna@desk", "sold", halt.name == "cancel")
    assert datetime.fromisoformat(kept["when"]) == desk.clock()


def test_prometheus_reads_how_many_are_held_and_cancelled(desk: Desk) -> None:
    desk.entries = [{"key": f"A-{number}"} for number in range(5)]
    desk.run(breaks)
    desk.act(Hold(), "A-0", "A-1")
    desk.act(Cancel(), "A-2")
    lines = list(exposition(desk.store, desk.clock()))
    for state, number in (("held", 2), ("cancelled", 1), ("failed", 2), ("ready", 0)):
        assert f'wfe_entries{{processor="desk:Orders",state="{state}"}} {number}' in lines


def test_an_entry_whose_workflow_has_a_task_less_can_be_released_and_restarted(desk: Desk) -> None:
    desk.run(breaks)
    desk.act(Hold(), "A-1")
    desk.act(Cancel(), "A-2")

    def only(task: type[Task]) -> Callable[[Any], Any]:
        return lambda self: [task(self)]

    short = type("Orders", (Orders,), {"get_tasks": only(Fetch), "__module__": "desk"})
    short(desk).process_entries()
    assert (desk.state("A-1"), desk.state("A-2")) == ("held", "cancelled")
    assert look(Release(), ["A-1"], store=desk.store, clock=desk.clock).accepted == 1
    desk.act(Release(), "A-1")
    desk.act(Restart(), "A-2")
    short(desk).process_entries()
    assert (desk.state("A-1"), desk.state("A-2")) == ("finished", "finished")
    assert Check.__name__ in {each["name"] for each in desk.document("A-1")["executions"]}, "what was done is kept"
