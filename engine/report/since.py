"""What has happened in a store since a moment, and what waits: for an operator who comes back, or takes over.

All of it is asked of indexes, and of each kind only so much is read as is told: it costs what has happened and what
fails now, not what the store holds.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from tinydb import where
from tinydb.queries import QueryInstance
from tinydb.table import Document

from engine.clock import from_text, to_text
from engine.groups import Dealt, GroupState, Word, dealt_with, state_of, words_of
from engine.groups.seen import failing_by_group, first_and_last, of_group
from engine.lookup.history import ActionRow, RunRow, read_action, read_run
from engine.pausing import Pause, pauses
from engine.report.stuck import Stuck, stuck_entries
from engine.store import Store
from engine.verdicts import awaited_actions, verdicts_of

SPAN = timedelta(hours=12)
"""So far back it goes for who has never looked."""

MOST = 20
"""So many of each kind are told; of the rest, how many there are."""

NEWEST_RUNS, NEWEST_ACTS = 200, 100
"""So many are looked through."""

T = TypeVar("T")


@dataclass(frozen=True)
class Some(Generic[T]):
    """Those of many that are told, and how many there are of them."""

    shown: Sequence[T] = ()
    count: int = 0

    @classmethod
    def of(cls, every: Sequence[T]) -> "Some[T]":
        """The first of these."""
        return cls(tuple(every[:MOST]), len(every))

    def to_json(self, each: Callable[[T], Mapping[str, Any]]) -> dict[str, Any]:
        """`count` and `shown`, as JSON data."""
        return {"count": self.count, "shown": [dict(each(one)) for one in self.shown]}


@dataclass(frozen=True)
class GroupNews:
    """A group of errors of which there is something to tell.

    `first` and `last` (UTC) are when it was seen, `times` how often since, `failing` how many entries stand failed by
    it now; `back` is when it came back, if it did after it was resolved; `word` what was said of it.
    """

    fingerprint: str
    type: str
    message: str
    task: str | None
    word: Word
    first: datetime
    last: datetime
    back: datetime | None
    times: int
    failing: int

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "fingerprint": self.fingerprint,
            "type": self.type,
            "message": self.message,
            "task": self.task,
            "failing": self.failing,
            "seen": self.times,
            "first": to_text(self.first),
            "last": to_text(self.last),
            "back": to_text(self.back) if self.back else None,
            **self.word.to_json(),
        }


@dataclass(frozen=True)
class Runs:
    """The runs that a span of time has seen: how many, how many of them go on, and those that ended badly."""

    count: int = 0
    going_on: int = 0
    bad: Some[RunRow] = field(default_factory=Some)


@dataclass(frozen=True)
class Report:
    """What has happened between `since` and `moment` (UTC) in the store at `path`, and what waits at `moment`.

    `errors` counts those that occurred, `dealt` tells what fails now; each group is told once, as it stands now. `acts`
    are by others than `who`, `own` are theirs; `open` wait for a worker, or for verdicts.
    """

    path: Path
    since: datetime
    moment: datetime
    who: str | None = None
    errors: int = 0
    dealt: Dealt = field(default_factory=Dealt)
    new: Some[GroupNews] = field(default_factory=Some)
    regressed: Some[GroupNews] = field(default_factory=Some)
    resolved: Some[GroupNews] = field(default_factory=Some)
    snoozed: Some[GroupNews] = field(default_factory=Some)
    stuck: Some[Stuck] = field(default_factory=Some)
    acts: Some[ActionRow] = field(default_factory=Some)
    own: Some[ActionRow] = field(default_factory=Some)
    open: Some[ActionRow] = field(default_factory=Some)
    runs: Runs = field(default_factory=Runs)
    pauses: Sequence[Pause] = ()

    @property
    def has_news(self) -> bool:
        """Whether something has happened that `who` would want to be told of without asking."""
        groups = (self.new, self.regressed, self.resolved, self.snoozed)
        counts = (*(each.count for each in groups), self.stuck.count, self.acts.count, self.runs.bad.count)
        return bool(self.errors or any(counts))

    def to_json(self) -> dict[str, Any]:
        """The fields that `wfe report --json` promises."""
        return {
            "store": str(self.path),
            "since": to_text(self.since),
            "until": to_text(self.moment),
            "errors": self.errors,
            "failing": self.dealt.failures,
            "not_dealt_with": self.dealt.left,
            **{name: getattr(self, name).to_json(GroupNews.to_json) for name in _GROUPS},
            "stuck": self.stuck.to_json(Stuck.to_json),
            **{name: getattr(self, name).to_json(ActionRow.to_json) for name in ("acts", "own", "open")},
            "runs": {
                "count": self.runs.count,
                "going_on": self.runs.going_on,
                "bad": self.runs.bad.to_json(_run_to_json),
            },
            "pauses": [{**vars(pause), "when": to_text(pause.when)} for pause in self.pauses],
        }


def report(store: Store, since: datetime, moment: datetime, who: str | None = None) -> Report:
    """What has happened in a store since a moment, and what waits.

    Args:
        store: where it happened.
        since: from when on (aware).
        moment: until when, which is now (aware).
        who: whose own acts are told apart from those of others, as `user@host`.
    """
    acts = acts_since(store, since)
    others, own = [act for act in acts if act.who != who], [act for act in acts if act.who == who]
    left = max(store.actions.count(where("when") > to_text(since)) - len(acts), 0)
    return Report(
        store.path,
        since,
        moment,
        who,
        store.errors.count(where("time") > to_text(since)),
        dealt_with(store, moment),
        **_groups(store, since, moment),
        stuck=Some.of(stuck_entries(store, moment)),
        acts=Some(others[:MOST], len(others) + left),
        own=Some.of(own),
        open=_open(store),
        runs=_runs(store, since, moment),
        pauses=pauses(store),
    )


# --- groups of errors

_GROUPS = ("new", "regressed", "resolved", "snoozed")


def _groups(store: Store, since: datetime, moment: datetime) -> dict[str, Some[GroupNews]]:
    """The groups of which there is something to tell, by what that is: each once, those first that most fail of."""
    times: Mapping[str, int] = store.errors.counts("fingerprint", where("time") > to_text(since))
    words = words_of(store)
    spoken_of = [
        name for name, word in words.items() if _is_later(word.closed, since) or _is_later(word.snoozed, since)
    ]
    found: dict[str, list[str]] = {name: [] for name in _GROUPS}
    for fingerprint in {*times, *spoken_of}:
        word = words.get(fingerprint, Word())
        kind = _kind(store, fingerprint, state_of(store, fingerprint, word, moment), word, since)
        if kind is not None:
            found[kind].append(fingerprint)
    failing = failing_by_group(store) if any(found.values()) else Counter[str]()
    for names in found.values():
        names.sort(key=lambda name: (-failing[name], -times.get(name, 0), name))

    def news(fingerprint: str) -> GroupNews:
        word = words.get(fingerprint, Word())
        return _news(store, fingerprint, word, times.get(fingerprint, 0), failing[fingerprint])

    return {kind: Some([news(name) for name in names[:MOST]], len(names)) for kind, names in found.items()}


def _kind(store: Store, fingerprint: str, state: GroupState | None, word: Word, since: datetime) -> str | None:
    """What there is to tell of a group: the name of a field of the report; None if there is nothing."""
    if state is GroupState.RESOLVED:
        return "resolved" if _is_later(word.closed, since) else None
    if state is GroupState.SNOOZED:
        return "snoozed" if _is_later(word.snoozed, since) else None
    if state is GroupState.REGRESSED:
        back = _came_back(store, fingerprint, word)
        return "regressed" if back is not None and back > since else None
    seen = first_and_last(store, fingerprint)
    return "new" if seen is not None and seen[0] > since else None


def _news(store: Store, fingerprint: str, word: Word, times: int, failing: int) -> GroupNews:
    [newest] = store.errors.get(doc_ids=store.errors.ids(of_group(fingerprint), order_by="time", reverse=True, limit=1))
    first, last = first_and_last(store, fingerprint) or (from_text(newest["time"]),) * 2
    return GroupNews(
        fingerprint,
        newest["type"],
        newest["message"],
        newest["task"],
        word,
        first,
        last,
        _came_back(store, fingerprint, word),
        times,
        failing,
    )


def _came_back(store: Store, fingerprint: str, word: Word) -> datetime | None:
    """When a group was seen first after it was resolved."""
    if word.closed is None:
        return None
    after = of_group(fingerprint) & (where("time") > to_text(word.closed.when))
    found = store.errors.get(doc_ids=store.errors.ids(after, order_by="time", limit=1))
    return from_text(found[0]["time"]) if found else None


def _is_later(said: Any, since: datetime) -> bool:
    """Whether something was said of a group, after a moment."""
    return said is not None and bool(said.when > since)


# --- acts and runs


def acts_since(store: Store, since: datetime) -> list[ActionRow]:
    """What operators did after a moment (aware), the newest first, at most `NEWEST_ACTS`."""
    later: QueryInstance = where("when") > to_text(since)
    return list(_acts(store, store.actions.ids(later, order_by="when", reverse=True, limit=NEWEST_ACTS)))


def _open(store: Store) -> Some[ActionRow]:
    numbers = awaited_actions(store)
    return Some(list(_acts(store, numbers[:MOST])), len(numbers))


def _acts(store: Store, numbers: Iterable[int]) -> Iterator[ActionRow]:
    for document in store.actions.get(doc_ids=list(numbers)):
        yield read_action(document, store.is_alive, verdicts_of(store, document.doc_id))


def _runs(store: Store, since: datetime, moment: datetime) -> Runs:
    runs = [read_run(document, moment, store.is_alive) for document in runs_since(store, since)]
    begun = store.runs.count(where("started") > to_text(since))
    return Runs(
        max(len(runs), begun),
        sum(run.is_going_on for run in runs),
        Some.of([run for run in runs if run.ending not in (None, "completed", "stopped")]),
    )


def runs_since(store: Store, since: datetime, most: int = NEWEST_RUNS) -> list[Document]:
    """Those of the `most` newest runs that gave a sign of life after a moment (aware); they may have begun before."""
    numbers = store.runs.ids(order_by="started", reverse=True, limit=most)
    return [run for run in store.runs.get(doc_ids=numbers) if from_text(run["updated"]) > since]


def _run_to_json(run: RunRow) -> dict[str, Any]:
    return {
        "run": run.id,
        "processor": run.processor,
        "ending": run.ending,
        "started": to_text(run.started),
        "ended": to_text(run.ended) if run.ended else None,
        "failed": run.failed,
    }
