"""An act carries what it was decided on: what has changed since is refused with the difference, the rest goes on."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from desk import Desk, breaks, interrupts

from engine import RepeatAfterTime
from engine.operations import Basis, Hold, Restart, preview


def looked(desk: Desk, *keys: str) -> Basis:
    return preview(Restart(), keys, store=desk.store, clock=desk.clock).basis


def test_what_has_not_changed_is_done(desk: Desk) -> None:
    desk.run(breaks)
    basis = looked(desk, "A-1", "A-2")
    assert desk.act(Restart(), "A-1", "A-2", basis=basis).accepted == ("A-1", "A-2")
    assert desk.action()["plan"] == basis.fingerprint


def test_what_was_executed_since_is_refused_and_the_rest_goes_on(desk: Desk) -> None:
    desk.run(breaks)
    basis = looked(desk, "A-1", "A-2")
    desk.repeat("A-1")
    desk.run()
    done = desk.act(Restart(), "A-1", "A-2", basis=basis)
    assert done.accepted == ("A-2",)
    assert done.refused["A-1"].startswith(
        "it has changed since you looked: it was failed at Check, attempt 1, it is finished"
    )


def test_the_difference_says_who_has_changed_it(desk: Desk, clock: Any) -> None:
    desk.run(breaks)
    basis = looked(desk, "A-1")
    clock.turn(seconds=5)
    desk.act(Hold(), "A-1", who="bob@host", why="customs")
    assert desk.act(Restart(), "A-1", basis=basis).refused == {
        "A-1": "it has changed since you looked: it was failed at Check, attempt 1, "
        "it is held at Check, attempt 1, hold by bob@host: customs"
    }


def test_one_that_failed_anew_is_not_the_one_that_was_looked_at(desk: Desk) -> None:
    desk.run(breaks)
    basis = looked(desk, "A-1")
    desk.repeat("A-1")
    desk.run(breaks)
    assert "it is failed at Check, attempt 2" in desk.act(Restart(), "A-1", basis=basis).refused["A-1"]


def test_time_alone_changes_nothing(desk: Desk, clock: Any) -> None:
    desk.run(interrupts(repeat=RepeatAfterTime(hours=1)))
    basis = looked(desk, "A-1")
    clock.turn(hours=2)
    assert desk.state("A-1") == "ready"
    assert desk.act(Restart(), "A-1", basis=basis).accepted == ("A-1",)


def test_one_that_was_not_looked_at_is_refused(desk: Desk) -> None:
    desk.run(breaks)
    assert desk.act(Restart(), "A-1", basis=looked(desk, "A-2")).refused == {"A-1": "it was not in the plan"}


def test_the_fingerprint_tells_plans_apart_and_not_how_often_one_looked(desk: Desk, clock: Any) -> None:
    desk.run(breaks)
    both = looked(desk, "A-1", "A-2").fingerprint
    clock.turn(hours=1)
    assert looked(desk, "A-2", "A-1").fingerprint == both
    assert looked(desk, "A-1").fingerprint != both
    assert preview(Hold(), ["A-1", "A-2"], store=desk.store).basis.fingerprint != both
    desk.repeat("A-2")
    assert looked(desk, "A-1", "A-2").fingerprint != both


def test_a_plan_in_a_file(workplace: Any) -> None:
    workplace.orders("A-1 raise", "A-2 raise", "A-3")
    workplace.wfe("run", "orders:Orders")
    plan = workplace.folder / "plan.jsonl"
    shown = workplace.wfe("restart", "state:failed", "--dry-run", "--out", str(plan))
    assert (shown.returncode, "plan p1:" in shown.stderr) == (0, True)
    assert workplace.wfe("repeat", "on", "A-1", "--why", "by hand").returncode == 0
    workplace.repair()
    done = workplace.wfe("restart", "--plan", str(plan))
    assert done.returncode == 1
    assert "restart: A-2\n" in done.stdout
    assert "A-1: refused: it has changed since you looked: it was failed at Check, attempt 1, it is" in done.stderr
    assert "repeat on by" in done.stderr
    assert "by hand" in done.stderr
    [action] = [orjson.loads(line) for line in workplace.wfe("actions", "--json", "--limit", "1").stdout.splitlines()]
    assert action["plan"] == orjson.loads(plan.read_bytes().splitlines()[0])["plan"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("restart", "--plan", "missing"), "the plan missing cannot be read (No such file or directory)"),
        (("restart", "--plan", "orders.py"), "orders.py is no plan: write one with --dry-run --out orders.py"),
        (("skip", "--plan", "plan"), "plan is a plan to restart, not to skip: give it to `wfe restart`"),
        (("restart", "--plan", "changed"), "changed was changed since it was written"),
        (("restart", "A-1", "--plan", "plan"), "--plan says what is done to which entries: leave out KEY"),
        (("restart", "A-1", "--out", "plan"), "--out writes what --dry-run shows: give both, or neither"),
        (("restart", "A-1", "--dry-run", "--out", "no/folder"), "the plan cannot be written to no/folder"),
        (("restart",), "restart needs to know which entries are meant: give keys, or a filter"),
        (("restart", "A-1", "--in-flight", "3"), "--in-flight and --stop-after are of a restart with --canary"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_in_a_sentence(
    workplace: Any, arguments: tuple[str, ...], sentence: str
) -> None:
    workplace.orders("A-1 raise", "A-2 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.wfe("restart", "A-1", "--dry-run", "--out", "plan")
    text = (workplace.folder / "plan").read_text()
    Path(workplace.folder / "changed").write_text(text.replace("A-1", "A-2"))
    refused = workplace.wfe(*arguments)
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert workplace.wfe("actions", "--json").stdout == ""
