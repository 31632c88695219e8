"""How a group of errors stands, from when it was seen and what operators have said of it: pure, no I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from engine.clock import from_text, local_minute, parse_duration, to_text
from engine.exceptions import InputError

NEW_FOR = timedelta(days=1)
"""So long after it was seen first, a group is new."""


class GroupState(StrEnum):
    """How a group stands; in the order in which an operator wants to see them."""

    REGRESSED = "regressed"
    """It came back after it was resolved."""
    NEW = "new"
    """It was seen first within a day, and nobody has dealt with it."""
    ONGOING = "ongoing"
    """It is older than that, and nobody has dealt with it."""
    SNOOZED = "snoozed"
    """Somebody has put it off, until a time or until it was seen so many times more."""
    RESOLVED = "resolved"
    """Somebody has said so, or a restart after which no entry stood failed by it; it was not seen since."""

    @property
    def is_dealt_with(self) -> bool:
        """Whether nobody has to look at it now."""
        return self in (GroupState.SNOOZED, GroupState.RESOLVED)


@dataclass(frozen=True)
class Closed:
    """Who has resolved a group, when (UTC) and why; `action` is the number of the restart that fixed it, if one did."""

    who: str
    when: datetime
    why: str | None = None
    action: int | None = None

    def words(self, now: datetime) -> str:
        """`resolved by anna@host at 12:05: carrier is back`, as people are told at `now` (aware); not literal."""
        return f"resolved by {self.who} at {local_minute(self.when, now)}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True)
class Snoozed:
    """Who has put a group off, when (UTC) and why: `until` a time (UTC), or until it was seen so many times `more`."""

    who: str
    when: datetime
    why: str | None = None
    until: datetime | None = None
    more: int | None = None

    def holds(self, moment: datetime, since: int) -> bool:
        """Whether it is still put off at `moment` (aware), seen `since` times after it was."""
        if self.until is not None and moment >= self.until:
            return False
        return self.more is None or since < self.more

    def words(self, now: datetime) -> str:
        """`snoozed by anna@host until 08:00: known`, as people are told at `now` (aware); not literal."""
        ends = [local_minute(self.until, now)] if self.until is not None else []
        times = "once" if self.more == 1 else f"{self.more} times"
        ends += [f"it is seen {times} more"] if self.more is not None else []
        return f"snoozed by {self.who} until {' or '.join(ends)}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True)
class Note:
    """What somebody has noted of a group, and when (UTC)."""

    who: str
    when: datetime
    text: str

    def words(self, now: datetime) -> str:
        """`anna@host at 12:05: asked the carrier`, as people are told at `now` (aware); not literal."""
        return f"{self.who} at {local_minute(self.when, now)}: {self.text}"


@dataclass(frozen=True)
class Word:
    """All that operators, or a restart, have said of a group; nothing as it is made."""

    closed: Closed | None = None
    snoozed: Snoozed | None = None
    notes: tuple[Note, ...] = ()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Word":
        """The word that `to_json` gave."""
        closed, snoozed = stored["closed"], stored["snoozed"]
        return cls(
            Closed(closed["who"], from_text(closed["when"]), closed["why"], closed["action"]) if closed else None,
            Snoozed(
                snoozed["who"],
                from_text(snoozed["when"]),
                snoozed["why"],
                from_text(snoozed["until"]) if snoozed["until"] else None,
                snoozed["more"],
            )
            if snoozed
            else None,
            tuple(Note(note["who"], from_text(note["when"]), note["text"]) for note in stored["notes"]),
        )

    def to_json(self) -> dict[str, Any]:
        """`closed`, `snoozed` and `notes`, as the store holds them."""
        return {
            "closed": _to_json(self.closed) if self.closed else None,
            "snoozed": _to_json(self.snoozed) if self.snoozed else None,
            "notes": [_to_json(note) for note in self.notes],
        }


def group_state(word: Word, first: datetime, last: datetime, since_snoozed: int, moment: datetime) -> GroupState:
    """How a group stands at a moment.

    Args:
        word: what was said of it until then.
        first: when it was seen first (aware).
        last: when it was seen last (aware).
        since_snoozed: how often it was seen after it was snoozed, if it was.
        moment: the moment (aware).
    """
    if word.snoozed is not None and word.snoozed.holds(moment, since_snoozed):
        return GroupState.SNOOZED
    if word.closed is not None:
        return GroupState.RESOLVED if last <= word.closed.when else GroupState.REGRESSED
    return GroupState.NEW if moment - first < NEW_FOR else GroupState.ONGOING


def parse_snooze(text: str, now: datetime) -> tuple[datetime | None, int | None]:
    """Until when, or until how many more, a text puts a group off.

    Args:
        text: `2h` (from `now`), `08:00` (the next time it is that late), `2026-12-24 08:00`, or `10 more`; dates and
            times of day are local.
        now: the present moment (aware).

    Raises:
        InputError: it is none of these.
    """
    text = text.strip()
    if more := re.fullmatch(r"(\d{1,9})\s+more", text):
        return None, int(more.group(1))
    try:
        if re.fullmatch(r"\d+[smhd]", text):
            return now + parse_duration(text), None
        from engine import repeating  # it makes policies of moments, and with them all that models need

        return repeating.at(text, now).date_time, None
    except (InputError, OverflowError):
        raise InputError(f"{text!r} is no end of a snooze: write one of 2h, 08:00, 2026-12-24 08:00, 10 more") from None


def _to_json(said: Closed | Snoozed | Note) -> dict[str, Any]:
    return {name: to_text(value) if isinstance(value, datetime) else value for name, value in vars(said).items()}
