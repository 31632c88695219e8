"""The due-date language: when an entry may be processed, as its author writes it.

==================== ==========================================
``2023-03-14 11:12``  only in that minute
``2023-03-14 11``     only in that hour
``2023/03/14``        only on that day
``>2023/03/14``       only after that day
``<2023/03/14``       only before that day
==================== ==========================================

``-`` and ``/`` mean the same, ``T`` may stand for the space, ``>`` and ``<`` go with every form. Dates are local time.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from engine.clock import as_utc
from engine.exceptions import InputError

_FORM = re.compile(
    r"(?P<relation>[<>]?)\s*(?P<year>\d{4})([-/])(?P<month>\d{2})\3(?P<day>\d{2})"
    r"([ T](?P<hour>\d{2})(:(?P<minute>\d{2})(:(?P<second>\d{2}))?)?)?",
    re.ASCII,
)
_NEVER = datetime(9999, 1, 1)  # noqa: DTZ001 - local time, too
"""Stands for every later date, which people write for “never”: the calendar ends before the windows of some do."""


class Relation(StrEnum):
    """How a due date's window binds."""

    ON = ""
    AFTER = ">"
    BEFORE = "<"


@dataclass(frozen=True)
class DueDate:
    """A due date as a window of time: `start` is in it, `end` no longer. Both are aware, in UTC."""

    relation: Relation
    start: datetime
    end: datetime

    def is_ripe(self, moment: datetime) -> bool:
        """Whether an entry with this due date may be processed at `moment` (aware)."""
        match self.relation:
            case Relation.AFTER:
                return moment >= self.end
            case Relation.BEFORE:
                return moment < self.start
            case Relation.ON:
                return self.start <= moment < self.end

    def ripe_from(self, moment: datetime) -> datetime | None:
        """When a date that is not ripe at `moment` will be (UTC); None when its time has passed."""
        if self.relation is Relation.AFTER:
            return self.end
        if self.relation is Relation.ON and moment < self.start:
            return self.start
        return None


def parse_due_date(text: str) -> DueDate:
    """Read a due date.

    Raises:
        InputError: `text` is in none of the documented forms, or names no day of the calendar.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise InputError(_refusal(text))
    try:
        named = datetime(  # noqa: DTZ001 - local time, as its author means it
            int(found["year"]), int(found["month"]), int(found["day"]),
            int(found["hour"] or 0), int(found["minute"] or 0), int(found["second"] or 0),
        )  # fmt: skip
    except ValueError as error:
        raise InputError(_refusal(text)) from error
    start = min(named, _NEVER)
    if found["second"]:
        length = timedelta(seconds=1)
    elif found["minute"]:
        length = timedelta(minutes=1)
    elif found["hour"]:
        length = timedelta(hours=1)
    else:
        length = timedelta(days=1)
    # The end is found on the wall clock: a day with a change to summer time has 23 hours.
    return DueDate(Relation(found["relation"]), as_utc(start), as_utc(start + length))


def _refusal(text: str) -> str:
    return (
        f"the due date {text!r} is not understood: write 2023-03-14, 2023-03-14 11 or 2023-03-14 11:12, "
        "with > before it for “only after” or < for “only before”"
    )
