"""Due dates: every documented form, what each means on the local clock, and a clear no to anything else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import local_time
from engine.due_date import parse_due_date
from engine.exceptions import InputError


def at(text: str) -> datetime:
    """A moment of the local clock."""
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("due_date", "moment", "ripe"),
    [
        # a minute: that minute only
        ("2023-03-14 11:12", "2023-03-14 11:11:59", False),
        ("2023-03-14 11:12", "2023-03-14 11:12:00", True),
        ("2023-03-14 11:12", "2023-03-14 11:12:59.999999", True),
        ("2023-03-14 11:12", "2023-03-14 11:13:00", False),
        # an hour: that hour only
        ("2023-03-14 11", "2023-03-14 10:59:59", False),
        ("2023-03-14 11", "2023-03-14 11:00", True),
        ("2023-03-14 11", "2023-03-14 11:59:59", True),
        ("2023-03-14 11", "2023-03-14 12:00", False),
        # a day: that day only
        ("2023/03/14", "2023-03-13 23:59:59", False),
        ("2023/03/14", "2023-03-14 00:00", True),
        ("2023/03/14", "2023-03-14 23:59:59", True),
        ("2023/03/14", "2023-03-15 00:00", False),
        # after a day: from the next day on
        (">2023/03/14", "2023-03-14 00:00", False),
        (">2023/03/14", "2023-03-14 23:59:59", False),
        (">2023/03/14", "2023-03-15 00:00", True),
        # before a day: until the day begins
        ("<2023/03/14", "2023-03-13 23:59:59", True),
        ("<2023/03/14", "2023-03-14 00:00", False),
        # dashes and slashes, a T and a space, and the relations go with every form
        ("2023-03-14", "2023-03-14 09:00", True),
        ("2023/03/14 11:12", "2023-03-14 11:12", True),
        ("2023-03-14T11:12", "2023-03-14 11:12", True),
        (">2023-03-14 11:12", "2023-03-14 11:13", True),
        (">2023-03-14 11:12", "2023-03-14 11:12:30", False),
        ("<2023-03-14 11", "2023-03-14 10:59", True),
        # the last day of a leap February
        ("2024-02-29", "2024-02-29 12:00", True),
        # "never" and "for ever", as people write them
        ("<9999-12-31", "2026-11-23 12:00", True),
        (">9999-12-31", "2026-11-23 12:00", False),
        ("9999-12-31 23:59", "2026-11-23 12:00", False),
    ],
)
def test_a_due_date_lets_its_entry_be_processed_in_its_window_only(due_date: str, moment: str, ripe: bool) -> None:
    assert parse_due_date(due_date).is_ripe(at(moment)) is ripe


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "UTC", "America/Los_Angeles"])
def test_the_end_of_the_calendar_is_understood_in_every_time_zone(zone: Callable[[str], None], name: str) -> None:
    zone(name)
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert parse_due_date("<9999-12-31").is_ripe(noon)
    assert not parse_due_date(">9999-12-31").is_ripe(noon)
    waits = parse_due_date(">9999-12-31").ripe_from(noon)
    assert waits is not None
    assert local_time(waits).startswith("9999-")


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "tomorrow", "abc1xyz", "14.03.2023", "03/14/2023", "2023-03", "2023-3-14", "2023-02-30", "2023-13-01",
        "2023-03-14 24", "2023-03-14 11:60", "2023-03-14 1", "2023-03-14 11:1", "2023-03/14", "=2023-03-14",
        ">>2023-03-14", ">", "2023-03-14 11:12 UTC", "2023-03-14T11:12Z", "2023-03-14 11:12+01:00", "0000-01-01",
        "２０２３-０３-１４", "2023-03-14\n2023-03-15", "2023-03-14;", "12023-03-14",
    ],
)  # fmt: skip
def test_any_other_form_is_refused_by_name_with_the_forms_to_write(text: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_due_date(text)
    assert repr(text) in str(refused.value)
    assert "2023-03-14 11:12" in str(refused.value)


def test_space_around_a_due_date_does_not_matter() -> None:
    assert parse_due_date(" > 2023-03-14 ") == parse_due_date(">2023-03-14")


def test_due_dates_are_local_time(zone: Callable[[str], None]) -> None:
    zone("Asia/Tokyo")
    tokyo = parse_due_date("2023-03-14")
    zone("America/New_York")
    new_york = parse_due_date("2023-03-14")
    assert (tokyo.start, tokyo.end) == (
        datetime(2023, 3, 13, 15, tzinfo=UTC),
        datetime(2023, 3, 14, 15, tzinfo=UTC),
    )
    assert new_york.start == datetime(2023, 3, 14, 4, tzinfo=UTC)


def test_a_day_with_a_change_of_the_clock_is_the_whole_day(zone: Callable[[str], None]) -> None:
    zone("Europe/Berlin")
    spring, autumn = parse_due_date("2026-03-29"), parse_due_date("2026-10-25")
    assert spring.end - spring.start == timedelta(hours=23)
    assert autumn.end - autumn.start == timedelta(hours=25)


@pytest.mark.parametrize(
    ("due_date", "moment", "opens"),
    [
        ("2023-03-14", "2023-03-01", "2023-03-14"),
        ("2023-03-14", "2023-03-15", None),
        (">2023-03-14", "2023-03-01", "2023-03-15"),
        ("<2023-03-14", "2023-03-14", None),
    ],
)
def test_a_due_date_that_is_not_ripe_tells_when_it_will_be(due_date: str, moment: str, opens: str | None) -> None:
    assert parse_due_date(due_date).ripe_from(at(moment)) == (at(opens) if opens else None)


MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
FORMS = st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y-%m-%d %H", "%Y/%m/%d %H", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"])


@given(MOMENTS, FORMS, st.sampled_from(["", "<", ">"]), MOMENTS)
def test_before_on_and_after_never_overlap_and_leave_no_gap(
    named: datetime, form: str, relation: str, moment: datetime
) -> None:
    text = named.strftime(form)
    assert sum(parse_due_date(sign + text).is_ripe(moment) for sign in ("", "<", ">")) == 1
    due = parse_due_date(relation + text)
    opens = due.ripe_from(moment)
    if not due.is_ripe(moment) and opens is not None:
        assert opens > moment
        assert due.is_ripe(opens)
        assert not due.is_ripe(opens - timedelta(microseconds=1))


@given(st.text(max_size=24))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    try:
        due = parse_due_date(text)
    except InputError:
        return
    assert due.start < due.end
