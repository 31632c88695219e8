"""A canary restart: a few entries first, the others once these have their verdicts, and it stops by itself."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from desk import Desk, Orders, breaks, interrupts

from engine import InputError, RepeatAfterTime
from engine.operations import Hold, Refusal, Restart, abandon_canary, resume_canary, undo
from engine.verdicts import Verdict, verdicts_of
from engine.worker.actions import execute_actions
from engine.worker.canary import Canary, Stage

W, F, S, N, R = Verdict.WAITING, Verdict.FIXED, Verdict.SAME_ERROR, Verdict.NEW_ERROR, Verdict.REFUSED


@pytest.mark.parametrize(
    ("canary", "verdicts", "stage"),
    [
        (Canary(1), [W, W, W], Stage.FIRST),
        (Canary(1), [F, W, W], Stage.REST),
        (Canary(1), [S, W, W], Stage.STOPPED),
        (Canary(1), [N, W, W], Stage.STOPPED),
        (Canary(1), [R, W, W], Stage.REST),
        (Canary(2), [F, W, W], Stage.FIRST),
        (Canary(2), [F, S, W], Stage.STOPPED),
        (Canary(2, stop_after=1), [F, S, W], Stage.REST),
        (Canary(2, stop_after=1), [S, S, W], Stage.STOPPED),
        (Canary(1, stop_after=1), [S, W, W], Stage.REST),
        (Canary(1), [F, F, F], Stage.DONE),
        (Canary(1), [F, N, F], Stage.DONE),
        (Canary(5), [F, F], Stage.DONE),
        (Canary(1, stage=Stage.REST), [F, S, W], Stage.STOPPED),
        (Canary(1, stage=Stage.REST, forgiven=1), [F, S, W], Stage.REST),
        (Canary(1, stage=Stage.REST, forgiven=1), [F, S, S], Stage.STOPPED),
        (Canary(1, stage=Stage.ABANDONED), [W, W], Stage.ABANDONED),
    ],
)
def test_how_far_it_is_follows_from_the_verdicts(canary: Canary, verdicts: list[Verdict], stage: Stage) -> None:
    assert canary.after(verdicts).stage is stage


@pytest.mark.parametrize("wrong", [{"first": 0}, {"in_flight": 0}, {"stop_after": -1}])
def test_numbers_that_are_too_small_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match="at least, not"):
        Canary(**wrong)  # type: ignore[arg-type]


KEYS = [f"A-{number}" for number in range(10)]


def fails_for(*keys: str) -> Callable[[Any], None]:
    def check(entry: Any) -> None:
        if entry.key in keys:
            breaks(entry)

    return check


@pytest.fixture
def group(desk: Desk) -> Desk:
    """Ten entries that failed of one cause."""
    desk.entries = [{"key": key} for key in KEYS]
    desk.run(fails_for(*KEYS))
    return desk


def stage(desk: Desk, number: int = 1) -> str:
    document = desk.store.actions.get(doc_id=number)
    assert document is not None
    return str(document["canary"]["stage"])


def test_the_first_is_executed_before_all_others_and_then_the_rest(group: Desk) -> None:
    group.act(Restart(), *KEYS, canary=Canary())
    assert group.run() == []
    assert {group.state(key) for key in KEYS} == {"failed"}
    assert group.take() == [f"Check {key}" for key in KEYS]
    assert (verdicts_of(group.store, 1), stage(group)) == ({F: 10}, "done")
    runs = group.store.runs.all()[-2:]
    assert [run["considered"] for run in runs] == [1, 9]


def test_it_stops_when_the_first_fails_again_and_the_others_stand_as_before(group: Desk) -> None:
    before = {key: group.document(key)["executions"] for key in KEYS}
    group.act(Restart(), *KEYS, canary=Canary())
    assert group.take(fails_for(*KEYS)) == ["Check A-0"]
    assert (verdicts_of(group.store, 1), stage(group)) == ({W: 9, S: 1}, "stopped")
    assert {key: group.document(key)["executions"] for key in KEYS[1:]} == {key: before[key] for key in KEYS[1:]}
    assert group.take() == []
    assert group.run() == []


def test_it_stops_in_the_rest_when_the_error_comes_back_too_often(group: Desk) -> None:
    before = {key: group.document(key)["executions"] for key in KEYS}
    group.act(Restart(), *KEYS, canary=Canary(first=2, stop_after=1))
    assert group.take(fails_for("A-3", "A-5", "A-6", "A-7")) == [f"Check A-{number}" for number in range(6)]
    assert (verdicts_of(group.store, 1), stage(group)) == ({W: 4, F: 4, S: 2}, "stopped")
    assert {key: group.document(key)["executions"] for key in KEYS[6:]} == {key: before[key] for key in KEYS[6:]}
    assert group.run() == []


def test_another_error_does_not_stop_the_rest(group: Desk) -> None:
    group.act(Restart(), *KEYS, canary=Canary())
    group.take(lambda entry: interrupts(message="no answer")(entry) if entry.key == "A-4" else None)
    assert (verdicts_of(group.store, 1), stage(group)) == ({F: 9, N: 1}, "done")


def test_no_more_are_under_way_at_once_than_was_said(group: Desk) -> None:
    group.act(Restart(), *KEYS, canary=Canary(in_flight=2))
    lock, under_way, most = threading.Lock(), 0, 0
    both = threading.Barrier(2)

    def check(entry: Any) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        if entry.key in ("A-1", "A-2"):
            both.wait(timeout=20)
        with lock:
            under_way -= 1

    group.check = check
    execute_actions(Orders(group), executor="threads")
    assert verdicts_of(group.store, 1) == {F: 10}
    assert most == 2


def test_while_the_first_waits_for_its_repeat_the_others_wait_too(group: Desk, clock: Any) -> None:
    group.act(Restart(), *KEYS[:3], canary=Canary())
    assert group.take(interrupts(message="not now", repeat=RepeatAfterTime(hours=1))) == ["Check A-0"]
    assert (stage(group), group.take()) == ("first", [])
    clock.turn(hours=2)
    assert group.run() == ["Check A-0"]
    assert group.take() == ["Check A-1", "Check A-2"]


def test_it_is_resumed_where_it_stopped_and_may_fail_as_often_again(group: Desk) -> None:
    group.act(Restart(), *KEYS, canary=Canary(stop_after=1))
    group.take(fails_for("A-0", "A-2"))
    assert stage(group) == "stopped"
    assert resume_canary(1, store=group.store, clock=group.clock) == "desk:Orders"
    group.take(fails_for("A-4"))
    assert (verdicts_of(group.store, 1), stage(group)) == ({F: 7, S: 3}, "done")


def test_it_is_abandoned_and_what_was_not_executed_stays_as_it_was(group: Desk) -> None:
    before = group.document("A-9")["executions"]
    group.act(Restart(), *KEYS, canary=Canary())
    group.take(fails_for(*KEYS))
    assert abandon_canary(1, store=group.store, who="anna@host", clock=group.clock) == 9
    assert (verdicts_of(group.store, 1), stage(group)) == ({S: 1, R: 9}, "abandoned")
    assert {row["why"] for row in group.store.verdicts.all()} == {None, "abandoned by anna@host"}
    assert group.document("A-9")["executions"] == before
    with pytest.raises(Refusal, match="action 1 is over: it is abandoned"):
        abandon_canary(1, store=group.store)
    with pytest.raises(Refusal, match="action 1 has not stopped: it is at abandoned"):
        resume_canary(1, store=group.store)


def test_before_it_began_it_is_undone_as_any_act(group: Desk) -> None:
    group.act(Restart(), *KEYS, canary=Canary())
    assert len(undo(1, store=group.store, clock=group.clock).accepted) == 10
    assert (verdicts_of(group.store, 1), stage(group), group.take()) == ({R: 10}, "abandoned", [])


def test_what_changed_before_its_turn_came_is_refused(group: Desk) -> None:
    group.act(Restart(), *KEYS, canary=Canary())
    group.act(Hold(), "A-5", who="bob@host")
    group.take()
    assert verdicts_of(group.store, 1) == {F: 9, R: 1}


def test_only_a_canary_is_resumed_or_abandoned(group: Desk) -> None:
    group.restart("A-1")
    with pytest.raises(Refusal, match="action 1 is no canary restart"):
        resume_canary(1, store=group.store)
    with pytest.raises(InputError, match="there is no action 5"):
        abandon_canary(5, store=group.store)


def test_from_the_shell_with_real_engine_processes(workplace: Any) -> None:
    workplace.orders(*(f"A-{number} raise" for number in range(5)))
    workplace.wfe("run", "orders:Orders")
    tried = workplace.wfe("restart", "state:failed", "--yes", "--canary", "1", "--in-flight", "2")
    assert (tried.returncode, "action 1: 4 waiting, 1 same error" in tried.stderr) == (1, True)
    assert [line for line in workplace.done if line.startswith("Check")] == [
        *(f"Check A-{number}" for number in range(5)), "Check A-0",
    ]  # fmt: skip
    shown = workplace.wfe("actions", "show", "1", "--wait")
    assert (shown.returncode, "stopped: 4 waiting, 1 same error" in shown.stdout) == (1, True)
    workplace.repair()
    resumed = workplace.wfe("actions", "resume", "1")
    assert "action 1: 4 fixed, 1 same error" in resumed.stderr
    assert {key: row["state"] for key, row in workplace.ls().items()} == {
        "A-0": "failed", "A-1": "finished", "A-2": "finished", "A-3": "finished", "A-4": "finished",
    }  # fmt: skip
    refused = workplace.wfe("actions", "abandon", "1")
    assert (refused.returncode, refused.stderr) == (1, "abandon: refused: action 1 is over: it is done\n")


def test_it_goes_on_although_nobody_reads_that_it_does(workplace: Any) -> None:
    workplace.orders("A-1 raise", "A-2 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.wfe("restart", "state:failed", "--yes", "--canary", "1")
    workplace.repair()
    with workplace.start("actions", "resume", "1", "--json", PYTHONUNBUFFERED="1") as process:
        process.stdout.close()
        code, _, err = workplace.ended(process)
    assert code == 141, err
    assert {key: row["state"] for key, row in workplace.ls().items()} == {"A-1": "failed", "A-2": "finished"}
