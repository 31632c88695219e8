"""Repeats that an operator sets: each policy does what it says, a number of reruns is that number, and then no more."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from desk import Desk, breaks, interrupts
from tinydb import where

from engine import (
    InputError,
    RepeatAfterCycle,
    RepeatAfterDatetime,
    RepeatAfterTime,
    Status,
    Store,
)
from engine.operations import SetRepeat, set_repeat
from engine.repeating import after, at, parse_repeat


@pytest.fixture
def failed(desk: Desk) -> Desk:
    """A-1 has failed in its task Check."""
    desk.entries = [{"key": "A-1"}]
    desk.run(breaks)
    return desk


def test_on_is_the_next_run_once(failed: Desk) -> None:
    assert failed.act(SetRepeat(True), "A-1").accepted == ("A-1",)
    assert failed.row("A-1").repeat_words == "on"
    assert failed.run(breaks) == ["Check A-1"]
    assert failed.run(breaks) == []


def test_after_a_time_counts_from_the_beginning_of_the_execution(failed: Desk) -> None:
    failed.clock.turn(minutes=30)
    failed.act(SetRepeat(RepeatAfterTime(hours=1)), "A-1")
    row = failed.row("A-1")
    assert (row.state, row.repeat_words) == ("waiting", "time")
    assert row.due == failed.clock() + timedelta(minutes=30)
    assert failed.run() == []
    failed.clock.turn(minutes=30)
    assert failed.run(breaks) == ["Check A-1"]
    failed.clock.turn(hours=9)
    assert failed.run(breaks) == [], "once"


def test_at_a_moment_is_the_first_run_from_then_on(failed: Desk) -> None:
    moment = failed.clock() + timedelta(days=3)
    failed.act(SetRepeat(RepeatAfterDatetime(date_time=moment)), "A-1")
    assert (failed.row("A-1").repeat_words, failed.row("A-1").due) == ("date", moment)
    assert failed.run() == []
    failed.clock.turn(days=3)
    assert failed.run() == ["Check A-1"]
    assert failed.state("A-1") == "finished"


def test_after_runs_is_that_run_from_now_on(failed: Desk) -> None:
    failed.act(SetRepeat(RepeatAfterCycle(after_cycle=3)), "A-1")
    assert failed.row("A-1").repeat_words == "cycles"
    assert "3 to go" in failed.row("A-1").reason
    assert (failed.run(), failed.run(), failed.run()) == ([], [], ["Check A-1"])
    assert failed.state("A-1") == "finished"


@pytest.mark.parametrize("repeat", [True, RepeatAfterTime(hours=1), RepeatAfterCycle(after_cycle=1)])
def test_off_ends_whatever_was_set(failed: Desk, repeat: Any) -> None:
    failed.act(SetRepeat(repeat, 3), "A-1")
    assert failed.act(SetRepeat(False), "A-1").accepted == ("A-1",)
    failed.clock.turn(days=1)
    assert failed.state("A-1") == "failed"
    assert (failed.run(breaks), failed.run(breaks)) == ([], [])


# --- so many reruns


@pytest.mark.parametrize("fails", [breaks, interrupts(message="no answer"), interrupts(repeat=False)])
@pytest.mark.parametrize("reruns", [1, 2, 4])
def test_it_is_executed_so_many_times_more_and_then_is_exhausted(failed: Desk, fails: Any, reruns: int) -> None:
    assert failed.act(SetRepeat(True, reruns), "A-1").accepted == ("A-1",)
    for left in range(reruns, 0, -1):
        assert failed.state("A-1") == "ready"
        assert failed.row("A-1").repeat_words == "on"
        assert failed.run(fails) == ["Check A-1"], f"{left} to go"
    assert failed.run(fails) == []
    row = failed.row("A-1")
    assert row.state == ("failed" if fails is breaks else "interrupted")
    assert "exhausted" in row.reason
    assert row.repeat_words == ""


@pytest.mark.parametrize(
    "repeat", [RepeatAfterTime(hours=1), RepeatAfterDatetime(date_time=datetime(2026, 11, 23, 13, tzinfo=UTC))]
)
def test_each_rerun_keeps_to_the_policy(failed: Desk, repeat: Any) -> None:
    failed.act(SetRepeat(repeat, 2), "A-1")
    for _ in range(2):
        if isinstance(repeat, RepeatAfterTime):
            assert failed.run(breaks) == []
        failed.clock.turn(hours=1)
        assert failed.run(breaks) == ["Check A-1"]
    failed.clock.turn(days=1)
    assert failed.run(breaks) == []
    assert "exhausted" in failed.row("A-1").reason


def test_each_rerun_waits_for_as_many_runs_anew(failed: Desk) -> None:
    failed.act(SetRepeat(RepeatAfterCycle(after_cycle=3), 2), "A-1")
    ran = [failed.run(breaks) for _ in range(9)]
    assert ran == [[], [], ["Check A-1"], [], [], ["Check A-1"], [], [], []]
    assert "exhausted" in failed.row("A-1").reason


def test_they_are_counted_from_now_on(failed: Desk) -> None:
    for _ in range(3):
        failed.repeat("A-1")
        failed.run(breaks)
    failed.act(SetRepeat(True, 2), "A-1")
    assert [len(failed.run(breaks)) for _ in range(4)] == [1, 1, 0, 0]
    failed.act(SetRepeat(True, 1), "A-1")
    assert [len(failed.run(breaks)) for _ in range(3)] == [1, 0, 0]


def test_none_is_none(failed: Desk) -> None:
    failed.act(SetRepeat(True, 0), "A-1")
    assert failed.run() == []
    assert "exhausted" in failed.row("A-1").reason


def test_the_last_word_of_an_operator_counts(failed: Desk) -> None:
    failed.act(SetRepeat(True, 5), "A-1")
    failed.run(breaks)
    failed.act(SetRepeat(RepeatAfterTime(hours=1), 1), "A-1")
    assert failed.run(breaks) == []
    failed.clock.turn(hours=1)
    assert failed.run(breaks) == ["Check A-1"]
    failed.clock.turn(hours=1)
    assert failed.run(breaks) == []
    failed.act(SetRepeat(True, 5), "A-1")
    failed.run(breaks)
    failed.act(SetRepeat(False), "A-1")
    assert failed.run(breaks) == []


def test_once_it_went_well_the_task_has_its_own_say_again(failed: Desk) -> None:
    failed.act(SetRepeat(True, 9), "A-1")
    failed.run(lambda entry: Status(repeat=RepeatAfterTime(hours=1)))
    assert failed.state("A-1") == "waiting"
    failed.clock.turn(hours=1)
    assert failed.run(breaks) == ["Check A-1"]
    assert failed.state("A-1") == "failed"
    assert failed.run(breaks) == []


def test_a_restart_ends_it(failed: Desk) -> None:
    failed.act(SetRepeat(True, 9), "A-1")
    failed.run(breaks)
    failed.restart("A-1")
    assert failed.take(breaks) == ["Check A-1"]
    assert failed.state("A-1") == "failed"


def test_they_hold_in_threads_and_when_what_is_old_is_forgotten(failed: Desk) -> None:
    failed.act(SetRepeat(True, 4), "A-1")
    for _ in range(4):
        failed.clock.turn(days=1)
        failed.store.prune(timedelta(hours=1), 1, clock=failed.clock)
        assert failed.run(breaks, executor="threads") == ["Check A-1"]
    assert failed.run(breaks) == []


def test_what_the_latest_attempt_says_is_shown_with_what_the_operator_set(failed: Desk) -> None:
    failed.act(SetRepeat(RepeatAfterTime(hours=1), 3), "A-1")
    failed.clock.turn(hours=1)
    failed.run(interrupts(message="line busy", repeat=RepeatAfterTime(days=9)))
    row = failed.row("A-1")
    assert (row.state, row.due) == ("waiting", failed.clock() + timedelta(hours=1))
    assert "line busy" in row.reason


# --- what is refused


def test_a_task_that_was_not_executed_yet_has_nothing_to_repeat(desk: Desk) -> None:
    desk.run(limit=1)
    refused = desk.act(SetRepeat(RepeatAfterTime(hours=1)), "A-1", "A-2").refused
    assert "it is finished" in refused["A-1"]
    assert "not executed yet" in refused["A-2"]


@pytest.mark.parametrize("verb", [SetRepeat(RepeatAfterTime(hours=1)), SetRepeat(True, 3)])
def test_what_is_in_doubt_is_set_to_on_or_off_and_to_no_policy(desk: Desk, verb: SetRepeat) -> None:
    desk.entries = [{"key": "A-1"}]
    desk.crash()
    before = desk.document("A-1")
    (why,) = desk.act(verb, "A-1").refused.values()
    assert why == "its process died inside Check: until that has run again, its repeat is on or off"
    assert desk.document("A-1") == before, "else it would be executed at once"
    assert desk.act(SetRepeat(True), "A-1").accepted == ("A-1",)


def test_it_is_recorded_by_its_name(failed: Desk) -> None:
    done = set_repeat(["A-1"], RepeatAfterTime(hours=1), 2, store=failed.store, clock=failed.clock, who="kim@desk")
    assert (done.verb, done.to_run) == ("repeat on", ())
    assert (failed.action()["verb"], failed.action()["who"], failed.action()["open"]) == (
        "repeat on",
        "kim@desk",
        False,
    )


def test_documents_of_before_there_were_reruns_and_halts_run_on(failed: Desk) -> None:
    def older(document: Any) -> None:
        del document["halt"]
        for execution in document["executions"]:
            del execution["repeat_stands"], execution["skipped"]

    failed.store.entries.update(older)
    failed.repeat("A-1")
    assert failed.run() == ["Check A-1"]
    with Store(failed.store.path, read_only=True) as reader:
        assert reader.entries.get(where("key") == "A-1")["state"] == "finished"


# --- as people write it

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "repeat"),
    [
        ("on", True),
        (" off ", False),
        ("after 2h", RepeatAfterTime(seconds=7200)),
        ("after 3 runs", RepeatAfterCycle(after_cycle=3)),
        ("after 1 run", RepeatAfterCycle(after_cycle=1)),
        ("at 2026-12-24 08:00", RepeatAfterDatetime(date_time=datetime(2026, 12, 24, 7, tzinfo=UTC))),
        ("at 2026-12-24", RepeatAfterDatetime(date_time=datetime(2026, 12, 23, 23, tzinfo=UTC))),
        ("at 2026-12-24T08:00Z", RepeatAfterDatetime(date_time=datetime(2026, 12, 24, 8, tzinfo=UTC))),
        ("at 14:00", RepeatAfterDatetime(date_time=datetime(2026, 11, 23, 13, tzinfo=UTC))),
        ("at 8:00", RepeatAfterDatetime(date_time=datetime(2026, 11, 24, 7, tzinfo=UTC))),
        ("at 13:00", RepeatAfterDatetime(date_time=datetime(2026, 11, 24, 12, tzinfo=UTC))),
    ],
)
def test_a_text_is_the_policy_that_it_says(zone: Callable[[str], None], text: str, repeat: Any) -> None:
    zone("Europe/Berlin")
    assert parse_repeat(text, NOON) == repeat


@pytest.mark.parametrize(
    ("now", "moment"),
    [
        (datetime(2026, 10, 24, 18, tzinfo=UTC), datetime(2026, 10, 25, 7, tzinfo=UTC)),
        (datetime(2026, 3, 28, 19, tzinfo=UTC), datetime(2026, 3, 29, 6, tzinfo=UTC)),
    ],
    ids=["summer ends in the night", "summer begins in the night"],
)
def test_eight_in_the_morning_is_that_whatever_the_clocks_do_before(
    zone: Callable[[str], None], now: datetime, moment: datetime
) -> None:
    zone("Europe/Berlin")
    assert at("08:00", now).date_time == moment


@pytest.mark.parametrize(
    "text", ["", "never", "after", "after 2", "after 2 hours", "after runs", "at", "at noon", "at 25:00", "on 3"]
)
def test_a_text_that_is_no_policy_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_repeat(text, NOON)
    assert "write" in str(caught.value)


def test_a_time_beyond_the_calendar_is_none() -> None:
    for text in ("9999999d", "99999999999999999h"):
        with pytest.raises(InputError, match="too long"):
            after(text)
