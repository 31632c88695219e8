"""The groups of a store's errors, as a list shows them, and the causes that a set of entries failed of."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tinydb import where
from tinydb.queries import QueryInstance

from engine.clock import from_text, to_text
from engine.groups.advice import Advice, advice
from engine.groups.seen import failed_by, failing_by_group, of_group, seen_since
from engine.groups.states import Closed, GroupState, Note, Snoozed, Word, group_state
from engine.groups.words import words_of
from engine.store import Store

BARS = 24
"""Into how many intervals the time that is looked at is cut."""

SINGLY = 1_000
"""Up to so many are looked at one by one: that is less than to count them in each interval."""

MESSAGE = 100
"""Characters of its message by which a cause is told among others."""

TASKS_FROM = 20
"""From how many of its newest occurrences the tasks of a group are told."""


@dataclass(frozen=True)
class ErrorGroup:
    """One cause. `first` and `last` (UTC) are when it was seen; `count` how often, `entries` on how many of them it was
    ever, `failing` how many stand failed by it now. `trend` counts it in equal intervals that end at this moment."""

    fingerprint: str
    type: str
    message: str
    count: int
    entries: int
    failing: int
    tasks: tuple[str, ...]
    processors: tuple[str, ...]
    first: datetime
    last: datetime
    trend: Sequence[int]
    state: GroupState
    word: Word
    advice: Advice

    @property
    def closed(self) -> Closed | None:
        """Who has resolved it, or what has fixed it, and when; it may have come back since."""
        return self.word.closed

    @property
    def snoozed(self) -> Snoozed | None:
        """Who has put it off; that may have ended."""
        return self.word.snoozed

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was noted of it, the oldest first."""
        return self.word.notes

    @property
    def is_quiet(self) -> bool:
        """Whether it is dealt with, and no entry stands failed by it."""
        return self.state.is_dealt_with and not self.failing

    def is_to_wake(self, moment: datetime) -> bool:
        """Whether it was put off until a time that has come at `moment` (aware) since this was read."""
        return self.state is GroupState.SNOOZED and bool(self.snoozed and not self.snoozed.holds(moment, 0))

    @property
    def text(self) -> str:
        """What a filter's words are looked for in."""
        return f"{self.state} {self.type} {self.message} {' '.join(self.tasks)} {self.fingerprint}"

    def said(self, now: datetime) -> str:
        """Who has done what about it, as people are told at `now` (aware), in a line; empty where nobody has."""
        closed = self.closed.words(now) if self.closed else ""
        if self.state is GroupState.SNOOZED and self.snoozed:
            return self.snoozed.words(now)
        if self.state is GroupState.REGRESSED:
            return f"came back after it was {closed}"
        return closed

    def to_json(self) -> dict[str, Any]:
        """The fields that `wfe errors --json` promises."""
        return {
            "fingerprint": self.fingerprint,
            "state": self.state,
            "failing": self.failing,
            "seen": self.count,
            "entries": self.entries,
            "first": to_text(self.first),
            "last": to_text(self.last),
            "type": self.type,
            "message": self.message,
            "tasks": self.tasks,
            "processors": self.processors,
            **self.word.to_json(),
            "advice": self.advice.to_json(),
        }


def error_groups(store: Store, moment: datetime, span: timedelta = timedelta(days=1)) -> list[ErrorGroup]:
    """The groups of a store's errors: those first that somebody has to look at, and of which most entries stand failed.

    Args:
        store: where they are.
        moment: of which they are told, and at which the trend ends (aware).
        span: how far the trend goes back.
    """
    counts, failing, words = store.errors.counts("fingerprint"), failing_by_group(store), words_of(store)
    groups = [
        _group(store, fingerprint, count, failing[fingerprint], words.get(fingerprint, Word()), moment, span)
        for fingerprint, count in counts.items()
    ]
    return sorted(groups, key=urgency)


def urgency(group: ErrorGroup) -> tuple[int, int, float]:
    """What groups are sorted by, so that those come first that somebody has to look at."""
    return _ORDER[group.state], -group.failing, -group.last.timestamp()


_ORDER = {state: place for place, state in enumerate(GroupState)}


def error_group(store: Store, fingerprint: str, moment: datetime) -> ErrorGroup | None:
    """One group, as `error_groups` has it; None if it was never seen, or nothing is known of that any more."""
    count = store.errors.count(of_group(fingerprint))
    if not count:
        return None
    word = words_of(store, [fingerprint]).get(fingerprint, Word())
    return _group(store, fingerprint, count, len(failed_by(store, [fingerprint])), word, moment, timedelta(days=1))


def matching_groups(groups: Iterable[ErrorGroup], text: str) -> list[ErrorGroup]:
    """Those that have all words of a filter in state, type, message, tasks or fingerprint; case does not count."""
    words = text.casefold().split()
    return [group for group in groups if all(word in group.text.casefold() for word in words)]


def _group(
    store: Store, fingerprint: str, count: int, failing: int, word: Word, moment: datetime, span: timedelta
) -> ErrorGroup:
    own = of_group(fingerprint)
    newest = store.errors.get(doc_ids=store.errors.ids(own, order_by="time", reverse=True, limit=TASKS_FROM))
    first, last = map(from_text, store.errors.bounds("time", own))
    since = seen_since(store, fingerprint, word.snoozed.when) if word.snoozed else 0
    return ErrorGroup(
        fingerprint,
        newest[0]["type"],
        newest[0]["message"],
        count,
        len(store.errors.counts("key", own)),
        failing,
        tuple(dict.fromkeys(record["task"] for record in newest if record["task"])),
        tuple(dict.fromkeys(record["processor"] for record in newest)),
        first,
        last,
        _trend(store, own, moment, span),
        group_state(word, first, last, since, moment),
        word,
        advice(store, fingerprint),
    )


@dataclass(frozen=True)
class Cause:
    """Of which cause how many of some entries failed, and what restarts of such have led to."""

    fingerprint: str
    entries: int
    type: str
    message: str
    advice: Advice

    def words(self) -> str:
        """`3× ValueError: no customer · 0 of 12 recovered: fix first`; not literal."""
        return f"{self.entries}× {self.type.rpartition('.')[2]}: {self.message[:MESSAGE]} · {self.advice.words()}"

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return {**vars(self), "advice": self.advice.to_json()}


def most_frequent(store: Store, entries: Counter[str], most: int = 3) -> list[Cause]:
    """The causes of which most of some entries failed; `entries` says how many, by fingerprint."""
    found = []
    for fingerprint, number in entries.most_common(most):
        newest = store.errors.ids(of_group(fingerprint), order_by="time", reverse=True, limit=1)
        if records := store.errors.get(doc_ids=newest):
            kind, message = records[0]["type"], records[0]["message"]
            found.append(Cause(fingerprint, number, kind, message, advice(store, fingerprint)))
    return found


def _trend(store: Store, own: QueryInstance, moment: datetime, span: timedelta) -> list[int]:
    begin = moment - span
    within = own & (where("time") >= to_text(begin)) & (where("time") < to_text(moment))
    if store.errors.count(within) > SINGLY:
        edges = [to_text(begin + span * part / BARS) for part in range(BARS + 1)]
        return [
            store.errors.count(own & (where("time") >= left) & (where("time") < right))
            for left, right in pairwise(edges)
        ]
    bars = [0] * BARS
    for time, number in store.errors.counts("time", within).items():
        bars[int((from_text(time) - begin) / span * BARS)] += number
    return bars
