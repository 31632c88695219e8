"""Groups of errors as operators deal with them: resolved, snoozed, noted; and whether all failures are dealt with."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from desk import Desk, breaks, interrupts
from tinydb import where

from engine import InputError, Store, StoreError
from engine.clock import to_text
from engine.groups import advice, dealt_with, error_group, error_groups, mark_fixed, most_frequent
from engine.operations import Skip, note, resolve, snooze, undo
from engine.state import State

BOTH = "✗ 2 of 2 failures are not dealt with"


@pytest.fixture
def failed(desk: Desk) -> Desk:
    """A desk on which both orders have failed of one cause."""
    desk.run(breaks)
    desk.clock.turn(minutes=1)
    return desk


def cause(desk: Desk) -> str:
    """The fingerprint of the one group that there is."""
    [fingerprint] = desk.store.errors.counts("fingerprint")
    return str(fingerprint)


def state(desk: Desk) -> str:
    [group] = error_groups(desk.store, desk.clock())
    return group.state.value


def dealt(desk: Desk) -> str:
    return dealt_with(desk.store, desk.clock()).words()


def say(act: Any, desk: Desk, **given: Any) -> Any:
    return act([cause(desk)], store=desk.store, who="anna@host", clock=desk.clock, **given)


def fail_again(desk: Desk) -> None:
    """The orders fail once more of the same cause."""
    desk.restart("A-1", "A-2")
    desk.take(breaks)


def judge(desk: Desk, *verdicts: str, asked: timedelta = timedelta(minutes=5), attempts: int = 2) -> None:
    """Verdicts, as if so many entries of the one cause had been restarted by the newest action."""
    for number, verdict in enumerate(verdicts):
        settled = desk.clock() + timedelta(seconds=number)
        desk.store.verdicts.insert(
            {
                "action": len(desk.store.actions), "entry": 1, "key": "A-1", "processor": "desk:Orders",
                "verb": "restart", "executes": True, "verdict": verdict, "fingerprint": cause(desk),
                "asked": to_text(settled - asked), "settled": None if verdict == "waiting" else to_text(settled),
                "attempts": attempts if verdict == "fixed" else None,
            }
        )  # fmt: skip


# --- how a group comes to stand


def test_what_fails_for_the_first_time_is_new_and_a_day_later_it_is_ongoing(failed: Desk) -> None:
    assert state(failed) == "new"
    assert dealt(failed) == f"{BOTH}: 1 cause (1 new)"
    failed.clock.turn(days=1)
    assert state(failed) == "ongoing"
    assert dealt(failed) == f"{BOTH}: 1 cause (1 ongoing)"


def test_a_resolved_group_is_dealt_with_until_it_comes_back(failed: Desk, zone: Callable[[str], None]) -> None:
    zone("UTC")
    say(resolve, failed, why="carrier is back")
    assert state(failed) == "resolved"
    assert dealt(failed) == "✓ all failures are dealt with"
    failed.clock.turn(hours=1)
    fail_again(failed)
    assert state(failed) == "regressed"
    assert dealt(failed) == f"{BOTH}: 1 cause (1 regressed)"
    [group] = error_groups(failed.store, failed.clock())
    said = "came back after it was resolved by anna@host at 12:01: carrier is back"
    assert group.said(failed.clock()) == said
    say(resolve, failed)
    assert state(failed) == "resolved"


def test_a_group_snoozed_until_a_time_is_dealt_with_until_then(failed: Desk) -> None:
    say(snooze, failed, until=failed.clock() + timedelta(hours=1))
    assert (state(failed), dealt(failed)) == ("snoozed", "✓ all failures are dealt with")
    failed.clock.turn(hours=1)
    assert (state(failed), dealt(failed)) == ("new", f"{BOTH}: 1 cause (1 new)")


def test_a_group_snoozed_until_two_more_is_dealt_with_until_it_was_seen_twice(failed: Desk) -> None:
    say(snooze, failed, more=3)
    failed.clock.turn(hours=1)
    fail_again(failed)
    assert (state(failed), dealt(failed)) == ("snoozed", "✓ all failures are dealt with")
    failed.restart("A-1")
    failed.take(breaks)
    assert (state(failed), dealt(failed)) == ("new", f"{BOTH}: 1 cause (1 new)")


def test_to_resolve_ends_a_snooze(failed: Desk) -> None:
    say(snooze, failed, more=100)
    say(resolve, failed)
    failed.clock.turn(hours=1)
    fail_again(failed)
    assert state(failed) == "regressed"


def test_notes_are_kept_whatever_becomes_of_the_group(failed: Desk) -> None:
    for text in ("asked the carrier", " they call back "):
        note(cause(failed), text, store=failed.store, who="kim@host", clock=failed.clock)
    say(resolve, failed)
    [group] = error_groups(failed.store, failed.clock())
    assert [(each.who, each.text) for each in group.notes] == [
        ("kim@host", "asked the carrier"),
        ("kim@host", "they call back"),
    ]


def test_what_is_new_or_came_back_stands_before_what_is_dealt_with(desk: Desk) -> None:
    def fails(entry: Any) -> None:
        raise {"A-1": KeyError, "A-2": ValueError, "A-3": OSError, "A-4": TypeError}[entry.key]("no customer")

    desk.entries = [{"key": f"A-{number}"} for number in range(1, 5)]
    desk.run(fails)
    by_type = {group.type: group.fingerprint for group in error_groups(desk.store, desk.clock())}
    given: dict[str, Any] = {"store": desk.store, "clock": desk.clock}
    resolve([by_type["KeyError"], by_type["OSError"]], **given)
    snooze([by_type["TypeError"]], more=5, **given)
    desk.clock.turn(minutes=1)
    desk.restart("A-3")
    desk.take(fails)
    assert [(group.type, group.state) for group in error_groups(desk.store, desk.clock())] == [
        ("OSError", "regressed"),
        ("ValueError", "new"),
        ("TypeError", "snoozed"),
        ("KeyError", "resolved"),
    ]
    assert dealt(desk) == "✗ 2 of 4 failures are not dealt with: 2 causes (1 regressed, 1 new)"


# --- what is refused, and what is recorded


def test_what_is_resolved_is_refused_and_the_others_are_done(failed: Desk, zone: Callable[[str], None]) -> None:
    zone("UTC")
    say(resolve, failed, why="carrier is back")
    for act, given in ((resolve, {}), (snooze, {"more": 1})):
        done = say(act, failed, **given)
        assert done.accepted == ()
        assert done.refused == {cause(failed): "it is resolved by anna@host at 12:01: carrier is back"}
    assert len(failed.store.actions) == 1
    done = resolve(["v1:none"], store=failed.store)
    assert done.refused == {"v1:none": "there is no error with this fingerprint"}
    assert failed.store.groups.count(where("fingerprint") == "v1:none") == 0


@pytest.mark.parametrize("given", [{}, {"more": 1, "until": True}, {"more": 0}, {"until": False}])
def test_a_snooze_ends_once_and_not_in_the_past(failed: Desk, given: Any) -> None:
    if "until" in given:
        given = {**given, "until": failed.clock() + timedelta(hours=1 if given["until"] else 0)}
    with pytest.raises(InputError, match="a snooze"):
        say(snooze, failed, **given)
    assert state(failed) == "new"


def test_an_empty_note_is_refused(failed: Desk) -> None:
    with pytest.raises(InputError, match="there is nothing in the note"):
        note(cause(failed), "  ", store=failed.store)


def test_each_act_is_recorded_with_what_takes_it_back(failed: Desk) -> None:
    fingerprint = cause(failed)
    say(snooze, failed, more=2, why="known")
    before = dict(failed.store.groups.all()[0])
    say(resolve, failed, why="carrier is back")
    first, second = failed.store.actions.all()
    assert (first["verb"], first["who"], first["why"]) == ("snooze", "anna@host", "known")
    assert (first["groups"], first["keys"], first["results"]) == ([fingerprint], [], {fingerprint: None})
    assert (first["inverse"], second["inverse"]) == ({"groups": {fingerprint: None}}, {"groups": {fingerprint: before}})


def test_on_a_store_that_is_only_read_nothing_is_said(failed: Desk) -> None:
    with Store(failed.store.path, read_only=True) as other, pytest.raises(StoreError, match="resolve was not done"):
        resolve([cause(failed)], store=other)
    assert state(failed) == "new"


# --- restarts that fix


def test_a_restart_that_fixes_all_of_a_group_resolves_it_and_it_regresses_when_it_comes_back(failed: Desk) -> None:
    failed.restart("A-1", "A-2", who="anna@host")
    assert state(failed) == "new"
    failed.take()
    [group] = error_groups(failed.store, failed.clock())
    assert group.state == "resolved"
    assert group.closed is not None
    assert (group.closed.who, group.closed.why, group.closed.action) == ("anna@host", "restart 1 fixed it", 1)
    failed.clock.turn(hours=1)
    failed.restart("A-1", from_start=True)
    failed.take(breaks)
    assert state(failed) == "regressed"
    failed.clock.turn(hours=1)
    failed.repeat("A-1")
    failed.run()
    [group] = error_groups(failed.store, failed.clock())
    assert group.closed is not None
    assert (group.state, group.closed.why) == ("resolved", "repeat on 3 fixed it")


def test_a_group_of_which_others_stand_failed_or_are_awaited_is_not_closed(failed: Desk) -> None:
    failed.restart("A-1")
    failed.take()
    assert state(failed) == "new"
    failed.restart("A-2")
    assert mark_fixed(failed.store, [cause(failed)], failed.clock()) == []
    failed.take()
    assert state(failed) == "resolved"


def test_what_is_skipped_is_not_fixed_and_no_advice(failed: Desk) -> None:
    failed.act(Skip(), "A-1", "A-2")
    failed.take()
    [group] = error_groups(failed.store, failed.clock())
    assert (group.state, group.failing, group.advice.words()) == ("new", 0, "never restarted")


def test_what_somebody_has_resolved_stays_his(failed: Desk) -> None:
    say(resolve, failed, why="carrier is back")
    failed.restart("A-1", "A-2")
    failed.take()
    [group] = error_groups(failed.store, failed.clock())
    assert group.closed is not None
    assert group.closed.why == "carrier is back"


def test_what_was_said_can_be_undone(failed: Desk) -> None:
    say(snooze, failed, more=3)
    say(resolve, failed)
    undo(store=failed.store, who="anna@host", clock=failed.clock)
    assert state(failed) == "snoozed"
    undo(store=failed.store, who="anna@host", clock=failed.clock)
    assert state(failed) == "new"


# --- whether all is dealt with


def test_where_nothing_fails_there_is_nothing_to_deal_with(desk: Desk) -> None:
    assert dealt(desk) == "✓ nothing fails"
    desk.run()
    assert dealt(desk) == "✓ nothing fails"


def test_what_is_interrupted_or_in_doubt_has_no_cause_and_is_told_apart(desk: Desk) -> None:
    desk.run(interrupts(message="the customer does not answer"))
    assert dealt(desk) == f"{BOTH}: 2 interrupted"
    desk.restart("A-1", "A-2")
    desk.crash()
    desk.take()
    counted = dealt_with(desk.store, desk.clock())
    assert counted.loose[State.IN_DOUBT] == 1


def test_what_was_executed_again_and_is_awaited_is_dealt_with(failed: Desk) -> None:
    failed.restart("A-1")
    assert dealt(failed) == "✗ 1 of 1 failure is not dealt with: 1 cause (1 new)"
    failed.restart("A-2")
    assert dealt(failed) == "✓ nothing fails"
    failed.take(breaks)
    assert dealt(failed) == f"{BOTH}: 1 cause (1 new)"


def test_a_failure_of_which_the_error_is_gone_is_not_forgotten(failed: Desk) -> None:
    failed.store.errors.remove(where("key") == "A-1")
    assert dealt(failed) == f"{BOTH}: 1 cause (1 new), 1 failed"


# --- advice


def test_advice_of_what_was_restarted(failed: Desk) -> None:
    failed.restart("A-1", "A-2")
    assert advice(failed.store, cause(failed)).words() == "restarted twice, none answered yet"
    failed.clock.turn(minutes=5)
    failed.run(selections=["A-2"])
    failed.take(breaks)
    said = "restarted twice, 1 recovered, 1 attempt, after 5 minutes: too few to tell"
    assert advice(failed.store, cause(failed)).words() == said
    for _ in range(2):
        failed.restart("A-1")
        failed.take(breaks)
    said = "restarted 4 times, 1 recovered, 1 attempt, after 5 minutes"
    assert advice(failed.store, cause(failed)).words() == said


def test_advice_counts_what_was_executed_again_by_its_verdicts(failed: Desk) -> None:
    assert advice(failed.store, cause(failed)).words() == "never restarted"
    judge(failed, *["fixed"] * 4, "same error", "new error", "refused", "done", "waiting")
    found = advice(failed.store, cause(failed))
    assert (found.recovered, found.answered, found.waiting) == (4, 6, 1)
    assert found.words() == ("restarted 6 times, 4 recovered, median 2 attempts, after 5 minutes; 1 not answered yet")


def test_what_it_takes_to_recover_is_told_of_the_newest(failed: Desk) -> None:
    judge(failed, *["fixed"] * 150, asked=timedelta(days=2), attempts=9)
    failed.clock.turn(days=1)
    judge(failed, *["fixed"] * 200, asked=timedelta(seconds=30), attempts=1)
    assert advice(failed.store, cause(failed)).words() == (
        "restarted 350 times, 350 recovered, median 1 attempt, after 30 seconds"
    )


def test_the_causes_of_some_entries_are_told_by_how_many_failed_of_them(failed: Desk) -> None:
    judge(failed, *["same error"] * 12)
    [found] = most_frequent(failed.store, Counter({cause(failed): 2, "v1:gone": 1}))
    assert (found.fingerprint, found.entries, found.type) == (cause(failed), 2, "ValueError")
    assert found.advice.words() == "0 of 12 recovered: fix first"


# --- from the shell


@pytest.mark.slow
def test_from_the_shell_a_group_is_listed_resolved_and_comes_back(workplace: Any) -> None:
    workplace.orders("A-1 raise", "A-2 raise", "A-3")
    workplace.wfe("run", "orders:Orders")
    listed = workplace.wfe("errors")
    assert "new        v1:" in listed.stdout
    assert "2 failing, seen 2 times on 2 entries" in listed.stdout
    assert "ValueError: no customer in A-" in listed.stdout
    assert "never restarted" in listed.stdout
    assert listed.stderr == f"{BOTH}: 1 cause (1 new)\n"
    [group] = [orjson.loads(line) for line in workplace.wfe("errors", "--json").stdout.splitlines()]
    assert (group["state"], group["failing"], group["closed"]) == ("new", 2, None)
    beginning = group["fingerprint"][:6]

    done = workplace.wfe("resolve", beginning, "--why", "carrier is back")
    assert (done.returncode, done.stdout) == (0, f"resolve: {group['fingerprint']}\n")
    again = workplace.wfe("resolve", beginning)
    assert again.returncode == 1
    assert "refused: it is resolved by" in again.stderr
    assert workplace.wfe("errors").stderr == "✓ all failures are dealt with\n"

    workplace.wfe("restart", "A-1")
    listed = workplace.wfe("errors", "regressed")
    assert "regressed  v1:" in listed.stdout
    assert "was resolved by" in listed.stdout


@pytest.mark.slow
def test_from_the_shell_a_group_is_snoozed_and_noted_and_hidden_when_nothing_fails_of_it(workplace: Any) -> None:
    workplace.orders("A-1 raise")
    workplace.wfe("run", "orders:Orders")
    [group] = [orjson.loads(line) for line in workplace.wfe("errors", "--json").stdout.splitlines()]
    assert workplace.wfe("snooze", group["fingerprint"], "--for", "2h", "--why", "known").returncode == 0
    assert workplace.wfe("note", "v1:", "asked the carrier").returncode == 0
    listed = workplace.wfe("errors").stdout
    assert "snoozed by" in listed
    assert "asked the carrier" in listed
    workplace.repair()
    workplace.wfe("restart", "A-1")
    assert workplace.wfe("errors").stdout == ""
    assert "v1:" in workplace.wfe("errors", "--all").stdout
    assert workplace.wfe("errors", "--all", "nosuchword").stdout == ""


@pytest.mark.parametrize("words", [["restart"], ["repeat", "on"]])
def test_from_the_shell_a_look_at_what_would_be_done_tells_what_restarts_have_led_to(
    workplace: Any, words: list[str]
) -> None:
    workplace.orders("A-1 raise", "A-2 raise", "A-3 interrupt")
    workplace.wfe("run", "orders:Orders")
    workplace.wfe("restart", "A-1")
    done = workplace.wfe(*words, "--dry-run", "A-1", "A-2", "A-3")
    said = "2× ValueError: no customer in A-1 · restarted once, 0 recovered: too few to tell\n"
    assert done.stderr.endswith(said)
    skipped = workplace.wfe("skip", "--dry-run", "A-1")
    assert "restarted" not in skipped.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["snooze", "v1:"], "give one of --until, --for, --more"),
        (["snooze", "v1:", "--for", "2h", "--more", "3"], "--for and --more exclude each other"),
        (["snooze", "v1:", "--for", "soon"], "'soon' is no duration"),
        (["snooze", "v1:", "--for", f"{'9' * 9}d"], "is too long a duration"),
        (["snooze", "v1:", "--until", "soon"], "'soon' is no moment"),
        (["snooze", "v1:", "--until", "2020-01-01 08:00"], "a snooze cannot end in the past"),
        (["snooze", "v1:", "--more", "0"], "a snooze cannot end after 0 more"),
        (["resolve", "v9:"], "there is no error with the fingerprint 'v9:'"),
        (["note", "v1:", " "], "there is nothing in the note"),
    ],
)
def test_what_the_shell_cannot_understand_is_refused_in_a_sentence(workplace: Any, words: list[str], said: str) -> None:
    workplace.orders("A-1 raise")
    workplace.wfe("run", "orders:Orders")
    done = workplace.wfe(*words)
    assert done.returncode == 2
    assert said in done.stderr


def test_one_group_is_told_as_the_list_has_it(failed: Desk) -> None:
    [listed] = error_groups(failed.store, failed.clock())
    assert error_group(failed.store, cause(failed), failed.clock()) == listed
    assert error_group(failed.store, "v1:none", failed.clock()) is None
