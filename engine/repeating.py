"""A policy of repeat as people write it: in the console `after 2h`, `at 2026-12-24 08:00`; in the shell as options."""

import re
from datetime import datetime, timedelta

from pydantic import ValidationError

from engine.clock import as_utc, local_time, parse_duration
from engine.exceptions import InputError
from engine.status import Repeat, RepeatAfterCycle, RepeatAfterDatetime, RepeatAfterTime

_FORMS = "on, off, after 2h (s, m, h, d), at 2026-12-24 08:00 (or 08:00), after 3 runs"


def parse_repeat(text: str, now: datetime) -> Repeat:
    """The policy that a text asks for.

    Args:
        text: one of `on`, `off`, `after 2h`, `after 3 runs`, `at 2026-12-24 08:00`, `at 08:00` (the next time it is
            that late); dates and times of day are local.
        now: what the next time of day follows (aware).

    Raises:
        InputError: it is none of these.
    """
    word, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if word in ("on", "off") and not rest:
        return word == "on"
    if word == "after" and (runs := re.fullmatch(r"(\d{1,9})\s+runs?", rest)):
        return RepeatAfterCycle(after_cycle=int(runs.group(1)))
    if word == "after" and rest:
        return after(rest)
    if word == "at" and rest:
        return at(rest, now)
    raise InputError(f"{text.strip()!r} is no repeat: write one of {_FORMS}")


def after(text: str) -> RepeatAfterTime:
    """The policy for a duration, as `2h`. Raises InputError if it is none."""
    try:
        return RepeatAfterTime(seconds=int(parse_duration(text).total_seconds()))
    except ValidationError as error:
        raise InputError(f"{text!r} is too long a duration: write a shorter one") from error


def at(text: str, now: datetime) -> RepeatAfterDatetime:
    """The policy for a local date and time, or a time of day. Raises InputError if it is neither."""
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}", text):
            hour, minute = map(int, text.split(":"))
            # Without a zone, for the offset may be another by then than it is now.
            local = now.astimezone().replace(tzinfo=None)
            moment = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
            return RepeatAfterDatetime(date_time=as_utc(moment if moment > local else moment + timedelta(days=1)))
        return RepeatAfterDatetime(date_time=as_utc(datetime.fromisoformat(text)))
    except (ValueError, OverflowError):
        raise InputError(f"{text!r} is no moment: write 2026-12-24 08:00, or 08:00") from None


def options_of(repeat: Repeat) -> list[str]:
    """The options of `wfe repeat on` that ask for a policy; none where it is on or off."""
    match repeat:
        case RepeatAfterTime():
            return ["--after", f"{int(repeat.get_timedelta().total_seconds())}s"]
        case RepeatAfterDatetime():
            return ["--at", _moment_words(repeat.date_time)]
        case RepeatAfterCycle():
            return ["--cycles", str(repeat.after_cycle)]
    return []


def _moment_words(moment: datetime) -> str:
    """A moment in local time; with its offset if it lies in an hour that comes twice."""
    text = local_time(moment)
    is_clear = as_utc(datetime.fromisoformat(text)) == moment.replace(microsecond=0)
    return text if is_clear else moment.astimezone().isoformat(sep=" ", timespec="seconds")
