"""What an operator did can be taken back until an engine has executed it; of a set, what cannot be is named."""

from typing import Any

import pytest
from desk import Desk, breaks

from engine import InputError, RepeatAfterTime, Store, StoreError
from engine.operations import (
    Cancel,
    Decide,
    Decision,
    Hold,
    Refusal,
    Release,
    Restart,
    SetRepeat,
    Skip,
    Verb,
    pause,
    resume,
    stop,
    undo,
)  # fmt: skip
from engine.pausing import pause_of
from engine.verdicts import digest, open_actions


def progress(desk: Desk, *keys: str) -> list[dict[str, Any]]:
    """How entries stand, but for the moment of the last write."""
    told = ("state", "task", "reason", "error_id", "repeat", "attempts", "due", "executions", "halt", "finished")
    return [{name: desk.document(key)[name] for name in told} for key in keys]


def take_back(desk: Desk, action: int | None = None, **given: Any) -> Any:
    return undo(action, store=desk.store, clock=desk.clock, **given)


@pytest.mark.parametrize(
    "verb",
    [
        SetRepeat(True), SetRepeat(RepeatAfterTime(hours=1), 3), Restart(), Restart(from_start=True), Skip(), Hold(),
        Cancel(),
    ],
    ids=lambda verb: verb.name,
)  # fmt: skip
def test_each_act_on_what_failed_is_taken_back_exactly(desk: Desk, verb: Verb) -> None:
    desk.run(breaks)
    before = progress(desk, "A-1", "A-2")
    assert desk.act(verb, "A-1").accepted == ("A-1",)
    assert progress(desk, "A-1", "A-2") != before
    assert take_back(desk).accepted == ("A-1",)
    assert progress(desk, "A-1", "A-2") == before
    assert open_actions(desk.store) == {}
    assert desk.take() == []


def test_a_repeat_that_is_switched_off_is_on_again(desk: Desk) -> None:
    desk.run(breaks)
    desk.repeat("A-1")
    before = progress(desk, "A-1")
    desk.act(SetRepeat(False), "A-1")
    take_back(desk)
    assert progress(desk, "A-1") == before
    assert desk.run() == ["Check A-1"]


def test_a_release_and_a_decision_are_taken_back(desk: Desk) -> None:
    desk.run(breaks)
    desk.act(Hold(), "A-1", why="customs")
    before = progress(desk, "A-1")
    desk.act(Release(), "A-1")
    take_back(desk)
    assert progress(desk, "A-1") == before
    desk.entries = [{"key": "B-1"}]
    desk.crash()
    desk.run()
    before = progress(desk, "B-1")
    for verdict in Decision:
        desk.act(Decide(verdict), "B-1")
        take_back(desk)
        assert progress(desk, "B-1") == before


def test_a_finished_entry_restarted_from_the_start_is_finished_again(desk: Desk) -> None:
    desk.run()
    before = progress(desk, "A-1")
    desk.restart("A-1", from_start=True)
    assert desk.state("A-1") == "ready"
    take_back(desk)
    assert progress(desk, "A-1") == before


def test_of_a_set_what_was_executed_is_named_and_the_rest_is_taken_back(desk: Desk) -> None:
    desk.run(breaks)
    desk.restart("A-1", "A-2")
    desk.run(breaks, selections=["A-1"])
    done = take_back(desk)
    assert done.accepted == ("A-2",)
    assert done.refused == {"A-1": "Check was executed since: it is failed"}
    assert {row["key"]: (row["verdict"], row["why"]) for row in desk.store.verdicts.all() if row["action"] == 1} == {
        "A-1": ("same error", None), "A-2": ("refused", f"undone by {desk.action()['who']}"),
    }  # fmt: skip
    assert desk.take() == []


def test_what_another_changed_since_is_not_taken_back(desk: Desk) -> None:
    desk.run(breaks)
    desk.repeat("A-1", "A-2")
    desk.act(Hold(), "A-2", who="bob@host")
    done = take_back(desk, 1)
    assert done.refused == {"A-2": "it was changed since: hold by bob@host"}
    assert done.accepted == ("A-1",)


def test_the_newest_act_of_ones_own_is_meant_and_the_one_before_it_next(desk: Desk) -> None:
    desk.run(breaks)
    desk.act(Hold(), "A-1", who="anna@host")
    desk.act(Hold(), "A-2", who="anna@host")
    desk.act(Release(), "A-2", who="bob@host")
    desk.act(Hold(), "A-2", who="bob@host")
    assert take_back(desk, 1, who="anna@host").accepted == ("A-1",)
    assert take_back(desk, who="anna@host").refused == {"A-2": "it was changed since: hold by bob@host"}
    with pytest.raises(Refusal, match="anna@host has done nothing that can be undone"):
        take_back(desk, who="anna@host")


def test_an_act_is_taken_back_once_and_an_undo_never(desk: Desk) -> None:
    desk.run(breaks)
    desk.act(Hold(), "A-1")
    take_back(desk, 1)
    with pytest.raises(Refusal, match="action 1 was undone before, by action 2"):
        take_back(desk, 1)
    with pytest.raises(Refusal, match="action 2 is an undo itself: do again what it took back"):
        take_back(desk, 2)
    with pytest.raises(InputError, match="there is no action 9"):
        take_back(desk, 9)


def test_a_pause_and_its_end_are_taken_back(desk: Desk) -> None:
    desk.run()
    pause("Orders", store=desk.store, who="anna@host", why="carrier down", clock=desk.clock)
    take_back(desk, 1)
    assert pause_of(desk.store, "desk:Orders") is None
    pause("Orders", store=desk.store, who="anna@host", why="carrier down", clock=desk.clock)
    before = pause_of(desk.store, "desk:Orders")
    resume("Orders", store=desk.store, clock=desk.clock)
    take_back(desk)
    assert pause_of(desk.store, "desk:Orders") == before


def test_on_a_store_that_is_read_only_nothing_is_taken_back(desk: Desk) -> None:
    desk.run(breaks)
    desk.act(Hold(), "A-1")
    with Store(desk.store.path, read_only=True) as store, pytest.raises(StoreError, match="opened read only"):
        undo(store=store)
    assert desk.state("A-1") == "held"


def test_many_entries_are_taken_back_in_several_transactions(desk: Desk) -> None:
    desk.entries = [{"key": f"K-{number}"} for number in range(1_100)]
    desk.run()
    keys = [entry["key"] for entry in desk.entries]
    before = {entry["key"]: digest(entry) for entry in desk.store.entries.all()}
    desk.restart(*keys, from_start=True)
    assert len(take_back(desk).accepted) == 1_100
    assert {entry["key"]: digest(entry) for entry in desk.store.entries.all()} == before


def test_a_run_that_was_asked_to_stop_stays_so(slow: Any) -> None:
    slow.orders("A-1")
    with slow.start("run", "orders:Slow") as running:
        slow.wait_until_inside()
        with Store(slow.store) as store:
            stop(1, store=store)
            with pytest.raises(Refusal, match="action 1, stop, has nothing that could be undone"):
                undo(1, store=store)
        slow.go_on()
        slow.ended(running)


def test_undo_in_the_shell(workplace: Any) -> None:
    workplace.orders("A-1 raise", "A-2 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.wfe("hold", "A-1", "A-2")
    workplace.wfe("release", "A-2")
    undone = workplace.wfe("undo", "1")
    assert undone.returncode == 1
    assert undone.stdout == "undo: A-1\n"
    assert "undo: A-2: refused: it was changed since: release by" in undone.stderr
    assert "action 1 was undone, by action 3" in undone.stderr
    assert {key: row["state"] for key, row in workplace.ls().items()} == {"A-1": "failed", "A-2": "failed"}
    assert "undone" in workplace.wfe("actions").stdout
    again = workplace.wfe("undo", "1")
    assert (again.returncode, again.stderr) == (1, "undo: refused: action 1 was undone before, by action 3\n")
