"""Statuses and policies: what is written can be read again, and what cannot be meant is refused."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Tag, ValidationError

from engine import (
    RepeatAfterCycle,
    RepeatAfterDatetime,
    RepeatAfterTime,
    RepeatWithBackoff,
    Status,
    StatusException,
    TaskExecution,
    WorkflowModel,
)
from engine.lookup.rows import POLICIES as WORDS
from engine.status import Never, NotYet, Repeat, RepeatPolicy, Ripe

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

COUNTS = st.integers(0, 10_000)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
POLICIES = st.one_of(
    st.none(),
    st.booleans(),
    st.builds(RepeatAfterCycle, after_cycle=COUNTS, current_cycle=COUNTS),
    st.builds(RepeatAfterTime, seconds=COUNTS, minutes=COUNTS, hours=COUNTS, days=COUNTS),
    st.builds(RepeatAfterDatetime, date_time=MOMENTS),
    st.builds(
        RepeatWithBackoff,
        initial=st.floats(0.001, 60),
        factor=st.floats(1, 10),
        maximum=st.floats(60, 86_400),
        jitter=st.floats(0, 1),
    ),
)
MESSAGES = st.none() | st.text(st.characters(codec="utf-8"))
STATUSES = st.builds(Status, repeat=POLICIES, message=MESSAGES, max_reruns=st.none() | COUNTS)
EXECUTIONS = st.builds(
    TaskExecution,
    name=st.sampled_from(["Fetch", "Check"]),
    execution_time=MOMENTS,
    finished_at=st.none() | MOMENTS,
    processed=st.booleans(),
    error_id=st.none() | st.uuids(),
    status=st.none() | STATUSES,
    run_count=st.none() | COUNTS,
    running=st.booleans(),
    idempotent=st.booleans(),
    restart=st.booleans(),
    error=MESSAGES,
)
DUE_DATES = st.sampled_from([None, "2026-11-23", ">2026/11/23", "<2026-11-23 11:12"])
ENTRIES = st.builds(
    WorkflowModel,
    due_date=DUE_DATES,
    source=MESSAGES,
    executions=st.none() | st.lists(EXECUTIONS, max_size=4),
    finished=st.none() | MOMENTS,
)


@given(STATUSES)
def test_a_status_that_was_written_can_be_read_and_is_the_same(status: Status) -> None:
    for read in (
        Status.model_validate_json(status.model_dump_json()),
        Status.model_validate(status.model_dump()),
        Status.model_validate(status.model_dump(mode="json")),
    ):
        assert read == status
        assert type(read.repeat) is type(status.repeat)


@given(ENTRIES)
def test_an_entry_that_was_written_can_be_read_and_is_the_same(entry: WorkflowModel) -> None:
    assert WorkflowModel.model_validate_json(entry.model_dump_json()) == entry
    assert WorkflowModel.model_validate(json.loads(json.dumps(entry.model_dump(mode="json")))) == entry


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"after_cycle": 3, "current_cycle": 1}, RepeatAfterCycle(after_cycle=3, current_cycle=1)),
        ({"seconds": 0, "minutes": 0, "hours": 2, "days": 0}, RepeatAfterTime(hours=2)),
        (
            {"date_time": "2023-03-14T11:12:00+00:00"},
            RepeatAfterDatetime(date_time=datetime(2023, 3, 14, 11, 12, tzinfo=UTC)),
        ),
        (True, True),
        (None, None),
    ],
)
def test_json_of_the_published_package_is_understood(written: Any, read: Any) -> None:
    entry = WorkflowModel.model_validate(
        {
            "due_date": None,
            "source": "cron",
            "finished": None,
            "executions": [
                {
                    "name": "Check",
                    "execution_time": "2023-03-14T10:00:00.123456",
                    "processed": False,
                    "error_id": None,
                    "status": {"repeat": written, "message": None, "max_reruns": None},
                    "run_count": None,
                },
                {
                    "name": "Send",
                    "execution_time": "2023-03-14T10:00:00.123456",
                    "processed": False,
                    "error_id": "0b9b1a4c-6f6c-4e0f-a9de-6fae4c6b6e0d",
                    "status": None,
                    "run_count": None,
                },
            ],
        }
    )
    (checked,) = entry.get_execution("Check")
    assert checked.status is not None
    assert checked.status.repeat == read
    assert checked.execution_time.tzinfo is not None
    assert entry.new_execution("Check").run_count == 2
    assert entry.get_execution("Check")[0].run_count == 2


@pytest.mark.parametrize(
    "repeat",
    [
        1, "yes", "true", {}, [], {"kind": "sometimes"}, {"after_cycle": 1, "seconds": 1}, {"hour": 1},
        {"date_time": "soon"}, {"after_cycle": -1}, {"seconds": -1}, {"seconds": 1.5}, {"kind": "after_cycle"},
        {"kind": "with_backoff"}, {"kind": "with_backoff", "initial": 0}, {"kind": "with_backoff", "initial": "inf"},
        {"kind": "with_backoff", "initial": 1, "factor": 0.5}, {"kind": "with_backoff", "initial": 1, "jitter": 2},
        {"kind": "with_backoff", "initial": 1, "jitter": -1}, {"kind": "with_backoff", "initial": 1, "maximum": 1e30},
        {"kind": "with_backoff", "initial": 1, "seconds": 1}, {"kind": "with_backoff", "initial": 7200},
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused(repeat: Any) -> None:
    with pytest.raises(ValidationError, match="repeat"):
        Status(repeat=repeat)


def test_a_repeat_that_is_none_says_what_it_may_be() -> None:
    with pytest.raises(ValidationError, match=r"true, false, or a policy: after_cycle, .*with_backoff"):
        Status(repeat="yes")  # type: ignore[arg-type]


def test_each_policy_can_be_meant_and_has_a_word_of_its_own_in_lists() -> None:
    kinds = {policy.model_fields["kind"].default for policy in RepeatPolicy.__subclasses__()}
    assert set(WORDS) == kinds, "a new policy needs a word in `engine.lookup.rows.POLICIES`"
    assert len(set(WORDS.values())) == len(kinds)
    tags = {tag.tag for policy in get_args(get_args(Repeat)[0]) for tag in get_args(policy) if isinstance(tag, Tag)}
    assert tags - {"now"} == kinds, "a new policy needs a line in `engine.status.Repeat`"


@pytest.mark.parametrize("max_reruns", [-1, 1.5, "many"])
def test_a_bound_of_reruns_is_a_count(max_reruns: Any) -> None:
    with pytest.raises(ValidationError, match="max_reruns"):
        Status(repeat=True, max_reruns=max_reruns)


@pytest.mark.parametrize("part", ["seconds", "minutes", "hours", "days"])
def test_a_delay_beyond_the_calendar_is_refused_when_it_is_made_not_when_it_is_asked(part: str) -> None:
    with pytest.raises(ValidationError, match=part):
        RepeatAfterTime(**{part: 10**15})


@pytest.mark.parametrize(
    ("status", "attempts", "verdict"),
    [
        # no repeat, in three spellings
        (Status(), 1, Never()),
        (Status(repeat=False), 1, Never()),
        (Status(repeat=None, max_reruns=5), 1, Never()),
        # true: at once, as often as max_reruns says
        (Status(repeat=True), 99, Ripe("")),
        (Status(repeat=True, max_reruns=0), 1, Never("exhausted")),
        (Status(repeat=True, max_reruns=1), 1, Ripe("")),
        (Status(repeat=True, max_reruns=1), 2, Never("exhausted")),
        # the bound outweighs a policy
        (Status(repeat=RepeatAfterTime(hours=1), max_reruns=1), 2, Never("exhausted")),
        # the parts of a delay add up, from the beginning of the execution
        (Status(repeat=RepeatAfterTime(minutes=59, seconds=60)), 1, Ripe("")),
        (
            Status(repeat=RepeatAfterTime(hours=1, seconds=1)),
            1,
            NotYet("", until=NOON + timedelta(seconds=1)),
        ),
        # at that very moment it is ripe
        (Status(repeat=RepeatAfterDatetime(date_time=NOON)), 1, Ripe("")),
        (
            Status(repeat=RepeatAfterDatetime(date_time=NOON + timedelta(days=1))),
            1,
            NotYet("", until=NOON + timedelta(days=1)),
        ),
        # the first, the last but one and the last cycle
        (Status(repeat=RepeatAfterCycle(after_cycle=0)), 1, Ripe("")),
        (Status(repeat=RepeatAfterCycle(after_cycle=1)), 1, Ripe("")),
        (Status(repeat=RepeatAfterCycle(after_cycle=3)), 1, NotYet("", cycles=3)),
        (Status(repeat=RepeatAfterCycle(after_cycle=3, current_cycle=1)), 1, NotYet("", cycles=2)),
        (Status(repeat=RepeatAfterCycle(after_cycle=3, current_cycle=2)), 1, Ripe("")),
    ],
)
def test_the_verdict_on_an_execution_that_began_an_hour_ago(status: Status, attempts: int, verdict: Any) -> None:
    answer = status.ripeness(NOON - timedelta(hours=1), attempts, NOON)
    assert type(answer) is type(verdict)
    if isinstance(verdict, NotYet):
        assert (answer.until, answer.cycles) == (verdict.until, verdict.cycles)
    if isinstance(verdict, Never):
        assert verdict.why in answer.why


STEADY = RepeatWithBackoff(initial=20, factor=2, maximum=100, jitter=0)


@pytest.mark.parametrize(
    ("policy", "attempts", "seconds"),
    [
        (STEADY, 1, 20),
        (STEADY, 2, 40),
        (STEADY, 3, 80),
        # from here on the longest delay, however many attempts there were
        (STEADY, 4, 100),
        (STEADY, 10_000_000, 100),
        # a factor of one does not grow
        (RepeatWithBackoff(initial=20, factor=1, jitter=0), 9, 20),
        (RepeatWithBackoff(initial=0.5, jitter=0), 1, 0.5),
    ],
)
def test_the_delay_of_a_backoff(policy: RepeatWithBackoff, attempts: int, seconds: float) -> None:
    assert policy.delay(NOON, attempts) == seconds
    until = NOON + timedelta(seconds=seconds)
    status = Status(repeat=policy)
    assert isinstance(status.ripeness(NOON, attempts, until), Ripe)
    early = status.ripeness(NOON, attempts, until - timedelta(microseconds=1))
    assert isinstance(early, NotYet)
    assert early.until == until


@given(st.floats(0, 1), st.integers(1, 100), MOMENTS)
def test_jitter_lengthens_a_delay_by_a_part_of_it_and_always_by_the_same(
    jitter: float, attempts: int, began: datetime
) -> None:
    policy = RepeatWithBackoff(initial=20, factor=2, maximum=100, jitter=jitter)
    delay = policy.delay(began, attempts)
    plain = STEADY.delay(began, attempts)
    assert plain <= delay <= plain * (1 + jitter)
    assert delay == policy.delay(began.astimezone(timezone(timedelta(hours=9))), attempts)
    assert delay == RepeatWithBackoff.model_validate_json(policy.model_dump_json()).delay(began, attempts)


def test_jitter_spreads_executions_that_began_one_after_the_other() -> None:
    policy = RepeatWithBackoff(initial=100, jitter=0.5)
    delays = [policy.delay(NOON + timedelta(milliseconds=number), 1) for number in range(1000)]
    for low in range(100, 150, 10):
        assert 140 < sum(low <= delay < low + 10 for delay in delays) < 260


@pytest.mark.parametrize(
    ("initial", "said"), [(0.25, "0.25 s"), (40, "40 s"), (90, "1 min 30 s"), (3 * 86_400 + 7200, "3 d 2 h")]
)
def test_a_backoff_says_which_attempt_comes_after_how_long(initial: float, said: str) -> None:
    policy = RepeatWithBackoff(initial=initial, factor=1, maximum=1e6, jitter=0)
    assert policy.ripeness(NOON, 2, NOON).why == f"repeat with backoff, attempt 3 after {said}"


def test_a_backoff_whose_longest_delay_is_shorter_than_its_first_is_refused_with_both() -> None:
    with pytest.raises(ValidationError, match=r"maximum \(3600 s\) is shorter than the initial delay \(7200 s\)"):
        RepeatWithBackoff(initial=7200)


def test_a_moment_without_a_zone_is_local_and_every_moment_is_kept_in_utc() -> None:
    local = datetime(2026, 11, 23, 12)  # noqa: DTZ001
    assert RepeatAfterDatetime(date_time=local).date_time == local.astimezone(UTC)
    elsewhere = datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=9)))
    kept = RepeatAfterDatetime(date_time=elsewhere).date_time
    assert kept == elsewhere
    assert kept.tzinfo is UTC


def test_a_status_exception_shows_its_message_in_a_log() -> None:
    assert str(StatusException(Status(message="no answer"))) == "no answer"
    assert str(StatusException(Status())) == ""
