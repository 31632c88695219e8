"""What became of a restart: each of its entries has a verdict, and until all have theirs it is open."""

import os
import signal
from typing import Any

import orjson
import pytest
from desk import Desk, breaks, interrupts

from engine import RepeatAfterTime, Store, WorkflowError
from engine.clock import utc_now
from engine.lookup.history import read_action
from engine.operations import Cancel, Decide, Decision, Hold, SetRepeat, Skip
from engine.verdicts import open_actions, settle_abandoned, verdicts_of


def verdicts(desk: Desk) -> dict[str, str]:
    """The verdicts of the newest action, by key."""
    number = desk.store.actions.ids(order_by="when")[-1]
    return {row["key"]: row["verdict"] for row in desk.store.verdicts.all() if row["action"] == number}


def state(desk: Desk, number: int = 1) -> str:
    """The state of an action."""
    document = desk.store.actions.get(doc_id=number)
    assert document is not None
    return read_action(document, desk.store.is_alive, verdicts_of(desk.store, number)).state


def breaks_in_turn(entry: Any) -> None:
    """A-1 breaks each time, A-2 of something else from the second time on."""
    if entry.key == "A-2" and len(entry.executions) > 2:
        raise TypeError("no price")
    raise ValueError("no customer")


def test_a_restart_waits_until_an_engine_has_come_to_its_entries(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1", "A-2")
    assert verdicts(desk) == {"A-1": "waiting", "A-2": "waiting"}
    assert (state(desk), open_actions(desk.store)) == ("open", {1: 2})


def test_what_came_through_is_fixed(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1")
    desk.take()
    assert (verdicts(desk), state(desk), open_actions(desk.store)) == ({"A-1": "fixed"}, "done", {})
    [row] = desk.store.verdicts.all()
    assert (row["attempts"], row["task"], row["found"]) == (1, "Check", None)
    assert row["settled"] >= row["asked"]


def test_one_that_fails_of_the_same_cause_again_is_not_fixed(desk: Desk) -> None:
    desk.run(breaks_in_turn)
    desk.restart("A-1", "A-2")
    desk.take(breaks_in_turn)
    assert verdicts(desk) == {"A-1": "same error", "A-2": "new error"}
    found = {row["key"]: row["found"] for row in desk.store.verdicts.all()}
    assert found == {key: desk.row(key).error_id for key in ("A-1", "A-2")}
    assert state(desk) == "done"


def test_an_interruption_after_an_interruption_is_the_same(desk: Desk) -> None:
    desk.run(interrupts(message="no answer"))
    desk.restart("A-1")
    desk.take(interrupts(message="no answer"))
    assert verdicts(desk) == {"A-1": "same error"}
    desk.restart("A-1")
    desk.take(breaks)
    assert verdicts(desk) == {"A-1": "new error"}


def test_one_that_waits_for_its_repeat_has_no_verdict_yet(desk: Desk, clock: Any) -> None:
    desk.run(breaks)
    desk.restart("A-1")
    desk.take(interrupts(message="not now", repeat=RepeatAfterTime(hours=1)))
    assert (verdicts(desk), state(desk)) == ({"A-1": "waiting"}, "open")
    clock.turn(hours=2)
    desk.run()
    assert (verdicts(desk), state(desk)) == ({"A-1": "fixed"}, "done")
    [row] = desk.store.verdicts.all()
    assert row["attempts"] == 2


def test_a_repeat_is_awaited_as_well_whoever_runs_the_entry(desk: Desk) -> None:
    desk.run(breaks)
    desk.repeat("A-1")
    assert verdicts(desk) == {"A-1": "waiting"}
    desk.run()
    assert verdicts(desk) == {"A-1": "fixed"}


def test_a_repeat_that_is_taken_off_again_is_refused_with_who_did_it(desk: Desk) -> None:
    desk.run(breaks)
    desk.repeat("A-1")
    desk.act(SetRepeat(False), "A-1", who="bob@host")
    rows = [(row["verdict"], row["why"]) for row in desk.store.verdicts.all()]
    assert rows == [("refused", "repeat off by bob@host"), ("done", None)]


def test_a_restart_of_what_is_cancelled_then_is_refused(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1")
    desk.act(Cancel(), "A-1", who="bob@host")
    assert [row["why"] for row in desk.store.verdicts.all()] == ["cancel by bob@host", None]
    assert desk.take() == []
    assert state(desk) == "done"


def test_what_is_held_meanwhile_still_waits(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1")
    desk.act(Hold(), "A-1")
    desk.take()
    assert [row["verdict"] for row in desk.store.verdicts.all()] == ["waiting", "done"]


def test_two_restarts_of_one_entry_have_the_same_verdict(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1")
    desk.restart("A-1")
    desk.take()
    assert [row["verdict"] for row in desk.store.verdicts.all()] == ["fixed", "fixed"]


def test_a_skip_and_a_decision_have_verdicts(desk: Desk) -> None:
    desk.run(breaks)
    desk.act(Skip(), "A-1")
    desk.take()
    assert verdicts(desk) == {"A-1": "fixed"}
    desk.entries = [{"key": "B-1"}]
    desk.crash()
    desk.act(Decide(Decision.AGAIN), "B-1")
    desk.take()
    assert verdicts(desk) == {"B-1": "fixed"}


def test_an_exception_outside_the_tasks_is_a_verdict_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.run(breaks)
    desk.restart("A-1")

    def refuses(self: Any, entry: Any) -> bool:
        raise RuntimeError("no calendar")

    monkeypatch.setattr("desk.Orders.filter", refuses)
    desk.take()
    assert verdicts(desk) == {"A-1": "new error"}


def test_an_action_that_was_broken_off_by_a_wrong_workflow_stays_open(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run(breaks)
    desk.restart("A-1")

    def get_tasks(self: Any) -> list[Any]:
        raise WorkflowError("two tasks of one name")

    with monkeypatch.context() as wrong:
        wrong.setattr("desk.Orders.get_tasks", get_tasks)
        with pytest.raises(WorkflowError):
            desk.take()
    assert (verdicts(desk), state(desk)) == ({"A-1": "waiting"}, "open")
    desk.take()
    assert (verdicts(desk), state(desk)) == ({"A-1": "fixed"}, "done")


def test_an_act_after_which_nothing_is_executed_is_done_at_once(desk: Desk) -> None:
    desk.run(breaks)
    desk.act(Hold(), "A-1")
    assert (verdicts(desk), state(desk)) == ({"A-1": "done"}, "done")


# --- with real processes


def test_the_outcome_of_a_restart_from_the_shell(workplace: Any) -> None:
    workplace.orders("A-1 raise", "A-2 raise", "A-3")
    assert workplace.wfe("run", "orders:Orders").returncode == 1
    again = workplace.wfe("restart", "A-1")
    assert (again.returncode, "action 1: 1 same error" in again.stderr) == (1, True)
    workplace.repair()
    fixed = workplace.wfe("restart", "state:failed", "--yes")
    assert (fixed.returncode, "action 2: 2 fixed" in fixed.stderr) == (0, True)
    listed = [orjson.loads(line) for line in workplace.wfe("actions", "--json").stdout.splitlines()]
    assert [(each["action"], each["state"], each["verdicts"]) for each in listed] == [
        (2, "done", {"fixed": 2}), (1, "done", {"same error": 1}),
    ]  # fmt: skip
    assert "2 fixed" in workplace.wfe("actions").stdout


@pytest.mark.slow
def test_a_script_blocks_until_the_verdicts_are_in(workplace: Any) -> None:
    workplace.orders("A-1 raise", "A-2 raise")
    workplace.wfe("run", "orders:Orders")
    assert workplace.wfe("repeat", "on", "A-1", "A-2").returncode == 0
    workplace.repair()
    with workplace.start("actions", "show", "1", "--wait", "--json") as waiting:
        assert workplace.wfe("actions", "--open").stdout.count("repeat on") == 1
        workplace.wfe("run", "orders:Orders")
        code, out, _ = workplace.ended(waiting)
    assert code == 0
    assert {each["key"]: each["verdict"] for each in map(orjson.loads, out.splitlines())} == {
        "A-1": "fixed", "A-2": "fixed",
    }  # fmt: skip
    assert workplace.wfe("actions", "--open").stdout.count("repeat on") == 0


def test_not_all_fixed_is_exit_code_1(workplace: Any) -> None:
    workplace.orders("A-1 raise", "A-2")
    workplace.wfe("run", "orders:Orders")
    workplace.wfe("restart", "A-1", "A-2")
    shown = workplace.wfe("actions", "show", "1", "--wait")
    assert shown.returncode == 1
    assert "same error" in shown.stdout
    assert "it is finished: restart it from the start" in shown.stdout
    missing = workplace.wfe("actions", "show", "7")
    assert (missing.returncode, "there is no action 7" in missing.stderr) == (2, True)


def test_an_entry_whose_process_was_killed_again_has_a_verdict(slow: Any) -> None:
    slow.orders("A-1")
    for acted in ("run", "restart"):
        with slow.start("run", "orders:Slow", "--actions" if acted == "restart" else "A-1") as worker:
            slow.wait_until_inside()
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
        if acted == "run":
            with Store(slow.store) as store:
                from engine.operations import restart

                restart(["A-1"], store=store)
    with Store(slow.store) as store:
        assert verdicts_of(store, 1) == {"waiting": 1}
        settle_abandoned(store, utc_now())
        assert verdicts_of(store, 1) == {"new error": 1}
    shown = slow.wfe("actions", "show", "1", "--wait")
    assert (shown.returncode, "new error" in shown.stdout) == (1, True)
