"""The one clock: every moment is taken from a `Clock`, is aware and in UTC; only people are shown local time."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from engine.exceptions import InputError
from engine.text import counted

Clock = Callable[[], datetime]
"""Answers the present moment, aware, in UTC."""


def utc_now() -> datetime:
    """The system's clock."""
    return datetime.now(UTC)


def as_utc(moment: datetime) -> datetime:
    """The same moment in UTC. A moment without a zone is local time, as people write it."""
    return moment.astimezone(UTC)


def to_text(moment: datetime) -> str:
    """A moment as the store holds it: ISO 8601 in UTC, of one width, so that text sorts as time does."""
    return as_utc(moment).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """The moment that `to_text` wrote."""
    return datetime.fromisoformat(text)


def local_time(moment: datetime) -> str:
    """A moment (aware) as people read it: local, to the second."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def local_minute(moment: datetime, now: datetime) -> str:
    """A moment as people read it at `now`: local, to the minute, with its date if that is not today's."""
    date, time = local_time(moment).split()
    return time[:5] if local_time(now).startswith(date) else f"{date} {time[:5]}"


def local_hour(text: str) -> int:
    """The hour of the day, from 0 to 23, local, of a moment that the store holds."""
    return _local_hour(text[:14], int(text[14:16]) // 15)


@lru_cache(10_000)
def _local_hour(hour: str, quarter: int) -> int:
    # To ask for the zone's offset, which is of whole quarters, takes longer than all else one does with a moment.
    return datetime.fromisoformat(f"{hour}{quarter * 15:02}+00:00").astimezone().hour


def age(moment: datetime, now: datetime) -> str:
    """How long ago a moment was, in one unit: `now`, `12s`, `5m`, `3h`, `4d`."""
    seconds = (now - moment).total_seconds()
    return "now" if seconds < 1 else short(seconds)


def duration(began: str | None, ended: str | None) -> str:
    """How long it took between two moments of an execution, as the store holds them; nothing while it has not ended."""
    if not began or not ended:
        return ""
    return short((datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds())


def parse_duration(text: str) -> timedelta:
    """A duration in one unit, as people write it: `45s`, `5m`, `3h`, `30d`. Raises InputError for anything else."""
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and unit in _UNITS):
        raise InputError(f"{text!r} is no duration: write a number and s, m, h or d, as 30d for thirty days")
    try:
        return timedelta(**{_UNITS[unit]: int(number)})
    except OverflowError as error:
        raise InputError(f"{text!r} is too long a duration: write a shorter one") from error


def parse_past(text: str, now: datetime) -> datetime:
    """A moment that has passed, in UTC, as people write it.

    Args:
        text: `02:15` (the latest time that it was so late), `2026-11-27 02:15` or any of ISO 8601, where what has no
            zone is local time, or an age, as `2h`.
        now: what it is in the past of (aware).

    Raises:
        InputError: it is none of these, or lies in the future.
    """
    try:
        moment = _moment(text.strip(), now)
    except (ValueError, OverflowError, InputError):
        raise InputError(
            f"{text.strip()!r} is no moment: write 02:15, 2026-11-27 02:15, or an age as 45m, 2h or 3d"
        ) from None
    if moment > now:
        raise InputError(f"{local_time(moment)} has not come yet: give a moment that has passed")
    return moment


def _moment(text: str, now: datetime) -> datetime:
    if text[-1:] in _UNITS:
        return now - parse_duration(text)
    if not re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
        return as_utc(datetime.fromisoformat(text))
    hour, minute, second, *_ = (*map(int, text.split(":")), 0)
    # Without a zone, for the offset may have been another then than it is now.
    local = now.astimezone().replace(tzinfo=None)
    moment = local.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return as_utc(moment if moment <= local else moment - timedelta(days=1))


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def short(seconds: float) -> str:
    """A duration in its greatest unit: `80µs`, `45ms`, `12s`, `5m`, `3h`, `4d`."""
    if 0 < seconds < 0.001:
        return f"{seconds * 1e6:.0f}µs"
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f}ms"
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:.0f}s"


def in_words(seconds: float) -> str:
    """A duration in its greatest unit, in words: `less than a second`, `1 minute`, `5 hours`, `4 days`."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if seconds >= length:
            return counted(round(seconds / length), unit)
    return "less than a second"
