"""The numbers that a report has charts of, asked of the store: what happened when, of which causes entries fail, how
long tasks took, and what became of what operators did."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from tinydb.table import Document

from engine.clock import from_text, to_text
from engine.groups import most_frequent
from engine.groups.seen import failing_by_group
from engine.journal.durations import Histogram, merged, read_durations
from engine.lookup.history import ActionRow
from engine.lookup.typical import typical_durations
from engine.report.since import Report, acts_since, runs_since
from engine.store import Store
from engine.verdicts import Verdict

INTERVALS = 48
"""Into so many equal intervals the period is cut."""

MOST_CAUSES, MOST_TASKS = 8, 20
"""So many causes and tasks are told, the greatest first."""

MOST_RUNS = 2_000
"""So many of the newest runs are counted."""


@dataclass(frozen=True)
class Interval:
    """An interval of the period, from `begin` (UTC) on: how many executions ended in it, how many of them failed."""

    begin: datetime
    results: int
    failures: int

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return {"begin": to_text(self.begin), "results": self.results, "failures": self.failures}


@dataclass(frozen=True)
class FailingOf:
    """How many entries stand failed of one cause now; the cause is None for all that have no name of their own here."""

    fingerprint: str | None
    type: str
    message: str
    entries: int

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return dict(vars(self))


@dataclass(frozen=True)
class Taken:
    """How long the executions of a task took in the period, and (`usual_…`) in the runs before it, in seconds: half of
    them at most the median, 95 of 100 at most the p95. What was never measured is None."""

    processor: str
    task: str
    executions: int
    median: float
    p95: float
    usual_median: float | None
    usual_p95: float | None

    @property
    def change(self) -> float:
        """How many times as long it took as usual; 1 where nothing is usual yet."""
        return self.median / self.usual_median if self.usual_median else 1.0

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return dict(vars(self))


@dataclass(frozen=True)
class Became:
    """What became of the entries to which `acts` acts of one verb were done in the period."""

    verb: str
    acts: int
    verdicts: Mapping[Verdict, int]

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return {"verb": self.verb, "acts": self.acts, "verdicts": {str(v): n for v, n in self.verdicts.items()}}


@dataclass(frozen=True)
class Figures:
    """The numbers of a report, beside its words; `runs_left` runs of the period were too many to be counted."""

    over_time: Sequence[Interval] = ()
    causes: Sequence[FailingOf] = ()
    tasks: Sequence[Taken] = ()
    acts: Sequence[Became] = ()
    runs_left: int = 0

    @property
    def results(self) -> int:
        """How many executions ended in the period."""
        return sum(each.results for each in self.over_time)

    @property
    def failures(self) -> int:
        """How many of them failed."""
        return sum(each.failures for each in self.over_time)

    def to_json(self) -> dict[str, Any]:
        """What `wfe report --json` promises of them."""
        told = {name: [each.to_json() for each in getattr(self, name)] for name in _TOLD}
        return {**told, "runs_left": self.runs_left}


_TOLD = ("over_time", "causes", "tasks", "acts")


def figures(store: Store, report: Report) -> Figures:
    """The numbers of the period that a report is about, and what fails at its end."""
    runs = runs_since(store, report.since, MOST_RUNS)
    return Figures(
        _over_time(runs, report.since, report.moment),
        _causes(store, report.dealt.failures),
        _tasks(store, runs, report.since),
        _became(acts_since(store, report.since)),
        max(report.runs.count - len(runs), 0),
    )


def _over_time(runs: Sequence[Document], since: datetime, until: datetime) -> list[Interval]:
    """The paces of runs together. What a run counted over several intervals is shared out evenly among them."""
    width = (until - since) / INTERVALS
    if not width or not runs:
        return []
    results, failures = [0.0] * INTERVALS, [0.0] * INTERVALS
    for run in runs:
        began = from_text(run["started"])
        before = 0.0
        for seconds, ended, failed in run.get("pace") or ():
            left = (began + timedelta(seconds=before) - since) / width
            right = (began + timedelta(seconds=seconds) - since) / width
            before = seconds
            for at in range(max(int(left), 0), min(int(right) + 1, INTERVALS)):
                share = max(min(right, at + 1) - max(left, at), 0) / (right - left)
                results[at] += ended * share
                failures[at] += failed * share
    counts = zip(_whole(results), _whole(failures), strict=True)
    return [Interval(since + at * width, ended, failed) for at, (ended, failed) in enumerate(counts)]


def _whole(shares: Sequence[float]) -> list[int]:
    """Shares as whole numbers with the same sum, each within one of its share."""
    so_far, whole = 0.0, []
    for share in shares:
        whole.append(round(so_far + share) - round(so_far))
        so_far += share
    return whole


def _causes(store: Store, failures: int) -> list[FailingOf]:
    entries = failing_by_group(store)
    found = [
        FailingOf(cause.fingerprint, cause.type, cause.message, cause.entries)
        for cause in most_frequent(store, entries, MOST_CAUSES)
    ]
    others = entries.total() - sum(each.entries for each in found)
    found += [FailingOf(None, "other causes", "", others)] if others else []
    loose = failures - entries.total()
    return found + ([FailingOf(None, "interrupted, in doubt, or of no known error", "", loose)] if loose > 0 else [])


def _tasks(store: Store, runs: Sequence[Document], since: datetime) -> list[Taken]:
    found = []
    by_processor = sorted(runs, key=lambda run: str(run["processor"]))
    for processor, own in groupby(by_processor, key=lambda run: str(run["processor"])):
        usual = typical_durations(store, processor, before=since)
        for task, histogram in merged(map(read_durations, own)).items():
            taken = _taken(processor, task, histogram, usual.get(task, Histogram()))
            found += [taken] if taken else []
    return sorted(found, key=lambda each: -each.change)[:MOST_TASKS]


def _taken(processor: str, task: str, now: Histogram, usual: Histogram) -> Taken | None:
    median, p95 = now.quantile(0.5), now.quantile(0.95)
    if median is None or p95 is None:
        return None
    return Taken(processor, task, now.count, median, p95, usual.quantile(0.5), usual.quantile(0.95))


def _became(acts: Sequence[ActionRow]) -> list[Became]:
    """By verb, those first that concerned most entries; acts on processors, runs and causes have no verdicts."""
    numbers: Counter[str] = Counter()
    verdicts: dict[str, Counter[Verdict]] = {}
    for act in acts:
        if act.keys:
            numbers[act.verb] += 1
            own = verdicts.setdefault(act.verb, Counter())
            own.update(act.verdicts)
            own[Verdict.REFUSED] += act.refused
    by_entries = sorted(verdicts.items(), key=lambda each: -each[1].total())
    return [Became(verb, numbers[verb], {v: own[v] for v in Verdict if own[v]}) for verb, own in by_entries]
