"""How a group of errors stands: every state, and the moments at which one becomes another."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine import InputError
from engine.groups import Advice, Closed, Dealt, GroupState, Note, Snoozed, Word, group_state, parse_snooze
from engine.state import State

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def state(
    word: Word = Word(),  # noqa: B008 - it cannot be changed
    *,
    first: datetime = NOON - 2 * DAY,
    last: datetime = NOON - HOUR,
    since: int = 0,
    moment: datetime = NOON,
) -> str:
    return group_state(word, first, last, since, moment).value


def closed(when: datetime) -> Word:
    return Word(closed=Closed("anna@host", when))


def snoozed(**ends: Any) -> Word:
    return Word(snoozed=Snoozed("anna@host", NOON - HOUR, **ends))


def test_a_group_is_new_for_a_day_and_then_it_is_ongoing() -> None:
    assert state(first=NOON, last=NOON) == "new"
    assert state(first=NOON - DAY + TICK) == "new"
    assert state(first=NOON - DAY) == "ongoing"


def test_a_resolved_group_stays_resolved_until_it_is_seen_again() -> None:
    assert state(closed(NOON - HOUR), last=NOON - HOUR) == "resolved"
    assert state(closed(NOON - HOUR), last=NOON - HOUR, moment=NOON + 100 * DAY) == "resolved"
    assert state(closed(NOON - HOUR), last=NOON - HOUR + TICK) == "regressed"


def test_what_came_back_is_regressed_however_young_the_group_is() -> None:
    assert state(closed(NOON - 2 * HOUR), first=NOON - 3 * HOUR, last=NOON) == "regressed"


def test_a_snooze_holds_until_its_time() -> None:
    assert state(snoozed(until=NOON + TICK), last=NOON, since=50) == "snoozed"
    assert state(snoozed(until=NOON), first=NOON - 2 * DAY) == "ongoing"
    assert state(snoozed(until=NOON), first=NOON - HOUR) == "new"


def test_a_snooze_holds_until_it_was_seen_so_many_times_more() -> None:
    assert state(snoozed(more=3), since=2) == "snoozed"
    assert state(snoozed(more=3), since=2, moment=NOON + 100 * DAY) == "snoozed"
    assert state(snoozed(more=3), since=3) == "ongoing"


def test_a_snooze_hides_that_a_group_came_back_as_long_as_it_holds() -> None:
    word = Word(Closed("anna@host", NOON - 3 * HOUR), Snoozed("kim@host", NOON - 2 * HOUR, until=NOON))
    assert state(word, moment=NOON - TICK) == "snoozed"
    assert state(word, moment=NOON) == "regressed"


def test_what_is_snoozed_or_resolved_is_dealt_with() -> None:
    dealt = [each.value for each in GroupState if each.is_dealt_with]
    assert dealt == ["snoozed", "resolved"]
    assert list(GroupState) == ["regressed", "new", "ongoing", "snoozed", "resolved"]


def test_what_was_said_is_read_as_it_was_written() -> None:
    word = Word(
        Closed("anna@host", NOON, "restart 12 fixed it", 12),
        Snoozed("kim@host", NOON, None, NOON + HOUR, None),
        (Note("kim@host", NOON, "asked the carrier"),),
    )
    assert Word.from_json(word.to_json()) == word
    assert Word.from_json(Word().to_json()) == Word()


def test_the_words_of_what_was_said(zone: Callable[[str], None]) -> None:
    zone("UTC")
    assert Closed("anna@host", NOON, "carrier is back").words(NOON) == "resolved by anna@host at 12:00: carrier is back"
    assert Closed("anna@host", NOON).words(NOON + DAY) == "resolved by anna@host at 2026-11-23 12:00"
    assert Snoozed("kim", NOON, "known", NOON + HOUR).words(NOON) == "snoozed by kim until 13:00: known"
    assert Snoozed("kim", NOON, more=3).words(NOON) == "snoozed by kim until it is seen 3 times more"
    assert Snoozed("kim", NOON, more=1).words(NOON) == "snoozed by kim until it is seen once more"
    assert Note("kim", NOON, "asked the carrier").words(NOON) == "kim at 12:00: asked the carrier"


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("2h", (NOON + 2 * HOUR, None)),
        ("45m", (NOON + timedelta(minutes=45), None)),
        ("13:30", (NOON + timedelta(hours=1, minutes=30), None)),
        ("08:00", (NOON + timedelta(hours=20), None)),
        (" 2026-12-24 08:00 ", (datetime(2026, 12, 24, 8, tzinfo=UTC), None)),
        ("10 more", (None, 10)),
        ("1  more", (None, 1)),
    ],
)
def test_the_end_of_a_snooze_as_people_write_it(zone: Callable[[str], None], text: str, ends: Any) -> None:
    zone("UTC")
    assert parse_snooze(text, NOON) == ends


@pytest.mark.parametrize(
    "text", ["", "soon", "10", "-2h", "more", "2 hours", "25:00", f"{'9' * 30}d", "1 more or less"]
)
def test_what_is_no_end_of_a_snooze_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(InputError, match="write one of 2h, 08:00, 2026-12-24 08:00, 10 more"):
        parse_snooze(text, NOON)


@pytest.mark.parametrize(
    ("advice", "words"),
    [
        (Advice(), "never restarted"),
        (Advice(waiting=1), "restarted once, none answered yet"),
        (Advice(39, 41, 0, 2, 300.0), "restarted 41 times, 39 recovered, median 2 attempts, after 5 minutes"),
        (
            Advice(39, 41, 3, 1, 7200.0),
            "restarted 41 times, 39 recovered, median 1 attempt, after 2 hours; 3 not answered yet",
        ),
        (Advice(0, 12), "0 of 12 recovered: fix first"),
        (Advice(0, 12, 1), "0 of 12 recovered: fix first; 1 not answered yet"),
        (Advice(1, 1, 0, 1, 0.2), "restarted once, 1 recovered, 1 attempt, after less than a second: too few to tell"),
        (Advice(0, 1), "restarted once, 0 recovered: too few to tell"),
        (Advice(0, 2), "restarted twice, 0 recovered: too few to tell"),
        (Advice(1, 3, 0, 1, 60.0), "restarted 3 times, 1 recovered, 1 attempt, after 1 minute"),
        (Advice(0, 3), "0 of 3 recovered: fix first"),
    ],
)
def test_advice_says_what_restarts_have_led_to_and_is_honest_about_few(advice: Advice, words: str) -> None:
    assert advice.words() == words


@pytest.mark.parametrize(
    ("dealt", "room", "words"),
    [
        (Dealt(), 80, "✓ nothing fails"),
        (Dealt(12), 80, "✓ all failures are dealt with"),
        (Dealt(12), 20, "✓ all dealt with"),
        (
            Dealt(12, 3, {GroupState.NEW: 1, GroupState.REGRESSED: 1}),
            80,
            "✗ 3 of 12 failures are not dealt with: 2 causes (1 regressed, 1 new)",
        ),
        (Dealt(12, 3, {GroupState.NEW: 2}), 60, "✗ 3 of 12 failures are not dealt with: 2 causes (2 new)"),
        (Dealt(12, 3, {GroupState.NEW: 2}), 40, "✗ 3 of 12 failures are not dealt with"),
        (Dealt(12, 3, {GroupState.NEW: 2}), 5, "✗ 3/12 not dealt with"),
        (
            Dealt(1, 1, {}, {State.IN_DOUBT: 1}),
            80,
            "✗ 1 of 1 failure is not dealt with: 1 in doubt",
        ),
        (
            Dealt(4, 4, {GroupState.ONGOING: 1}, {State.IN_DOUBT: 1, State.INTERRUPTED: 2}),
            90,
            "✗ 4 of 4 failures are not dealt with: 1 cause (1 ongoing), 1 in doubt, 2 interrupted",
        ),
    ],
)
def test_whether_all_failures_are_dealt_with_in_a_line_that_fits(dealt: Dealt, room: int, words: str) -> None:
    assert dealt.words(room) == words
