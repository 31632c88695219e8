"""What operators did to an entry: who, when, why, and what became of it; and the entries that an action was done to."""

from typing import Any

import orjson
import pytest
from desk import Desk, breaks
from tinydb import where

from engine.commands.selecting import matching
from engine.lookup.acts import acts_on
from engine.lookup.entries import rows
from engine.operations import Hold, Release, pause, undo
from engine.operations.recording import record
from engine.operations.verbs import By
from engine.store import Store


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.run(breaks)
    return desk


def told(desk: Desk, key: str = "A-1", **given: Any) -> list[str]:
    return [f"{act.words()} | {act.outcome}" for act in acts_on(desk.store, desk.document(key), **given)]


def test_the_acts_on_an_entry_are_told_the_newest_first_each_with_what_became_of_it(desk: Desk) -> None:
    desk.restart("A-1", "A-2", who="anna@host", why="carrier is up")
    desk.take(breaks)
    desk.act(Hold(), "A-1", who="bob@host", why="customs")
    desk.act(Release(), "A-1", who="anna@host")
    desk.restart("A-1", who="kim@host")
    desk.take()
    desk.act(Hold(), "A-2", who="bob@host")
    assert told(desk) == [
        "restart by kim@host | fixed",
        "release by anna@host | ",
        "hold by bob@host: customs | ",
        "restart by anna@host: carrier is up | same error",
    ]
    assert told(desk, most=2) == told(desk)[:2]


def test_an_act_that_was_taken_back_says_by_whom_and_so_does_what_took_it_back(desk: Desk) -> None:
    desk.act(Hold(), "A-1", who="bob@host")
    undo(store=desk.store, who="bob@host", clock=desk.clock)
    assert told(desk) == ["undo by bob@host | ", "hold by bob@host | refused: undone by bob@host"]


def test_an_act_that_is_being_taken_back_names_its_entries_from_the_beginning(desk: Desk) -> None:
    desk.act(Hold(), "A-1", "A-2", who="bob@host")
    seen: list[list[str]] = []
    transaction = desk.store.transaction

    def watched() -> Any:
        if desk.store.actions.count(where("verb") == "undo"):
            seen.append(desk.action()["keys"])
        return transaction()

    desk.store.transaction = watched  # type: ignore[method-assign]
    undo(store=desk.store, who="bob@host", clock=desk.clock)
    assert seen
    assert all(keys == ["A-1", "A-2"] for keys in seen)


def test_actions_of_before_there_were_verdicts_are_told_without_one(desk: Desk) -> None:
    def before(verb: str, **answers: str | None) -> None:
        by = By("old@host", None, desk.clock())
        processor = desk.document("A-1")["processor"]
        record(desk.store, verb, by, processor, {key.replace("_", "-"): why for key, why in answers.items()},
               is_open=False)  # fmt: skip
        desk.clock.turn(minutes=1)

    before("hold", A_1=None, A_2=None)
    before("release", A_1="it is not held", A_2=None)
    assert told(desk) == ["hold by old@host | "]
    desk.act(Hold(), "A-1", who="bob@host")
    assert told(desk) == ["hold by bob@host | ", "hold by old@host | "]
    assert [act.verdict for act in acts_on(desk.store, desk.document("A-1"))] == ["done", None]


def test_each_action_bears_which_open_store_it_was_done_from(desk: Desk) -> None:
    with Store(desk.store.path) as other:
        desk.act(Hold(), "A-1")
        pause(desk.document("A-1")["processor"], store=other)
        mine, theirs = (action["origin"] for action in desk.store.actions.all())
    assert mine == desk.store.origin
    assert theirs == other.origin != mine


# --- from the shell


@pytest.mark.slow
def test_show_tells_who_did_what_to_an_entry(workplace: Any) -> None:
    workplace.orders("A-1 raise", "A-2")
    workplace.wfe("run", "orders:Orders")
    workplace.wfe("hold", "A-1", "--why", "customs", LOGNAME="bob")
    workplace.repair()
    workplace.wfe("release", "A-1", LOGNAME="anna")
    workplace.wfe("restart", "A-1", LOGNAME="anna")
    lines = workplace.wfe("show", "A-1").stdout.splitlines()
    acts = [line for line in lines if " by " in line]
    assert [line.split("  ")[1].split("@")[0] for line in acts] == ["restart by anna", "release by anna", "hold by bob"]
    assert acts[0].endswith("  action 3, fixed")
    assert acts[2].endswith(": customs  action 1")
    [shown] = map(orjson.loads, workplace.wfe("show", "A-1", "--json").stdout.splitlines())
    newest = shown["acts"][0]
    assert {name: newest[name] for name in ("action", "verb", "why", "verdict", "refused", "attempts")} == {
        "action": 3, "verb": "restart", "why": None, "verdict": "fixed", "refused": None, "attempts": 1,
    }  # fmt: skip
    assert workplace.wfe("show", "A-2", "--json").stdout.count('"acts":[]') == 1


# --- the entries of an action


def test_a_filter_shows_the_entries_that_an_action_was_done_to(desk: Desk) -> None:
    desk.act(Hold(), "A-2")
    pause(desk.document("A-1")["processor"], store=desk.store, clock=desk.clock)

    def keys(text: str) -> list[str]:
        return [row.key for row in rows(desk.store, desk.clock(), matching(text, desk.store, desk.clock()))]

    assert keys("action:1") == ["A-2"]
    assert keys("-action:1") == ["A-1"]
    assert keys("action:1 state:failed") == []
    assert keys("action:2") == []


def test_a_filter_by_an_action_that_is_not_there_says_so(workplace: Any) -> None:
    workplace.wfe("run", "orders:Orders")
    done = workplace.wfe("ls", "action:7")
    assert done.returncode == 2
    assert "there is no action '7': write the number of one that `wfe actions` lists" in done.stderr
