"""A report in words, line by line: what the console shows, and what is written for the hand-over. Pure, no I/O."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from engine.clock import local_minute, local_time, short
from engine.lookup.history import ActionRow, RunRow
from engine.operations import line_of
from engine.operations.shell import store_words
from engine.pausing import Pause
from engine.report.figures import Figures
from engine.report.since import GroupNews, Report, Runs, Some
from engine.report.stuck import Stuck
from engine.text import counted, literal
from engine.verdicts import Verdict

LONGEST = 200
"""Characters that are kept of a text from outside, which may have thousands."""

NOTHING = "Nothing has happened since, and nothing is awaited."

T = TypeVar("T")


class Name(str):
    """What something is called: a key, a task, a fingerprint. From outside."""

    __slots__ = ()


class Told(str):
    """What somebody, or an exception, has said. From outside."""

    __slots__ = ()


@dataclass(frozen=True)
class Place:
    """Where the console shows more of a line: an area, and what is looked at in it; of an entry, whose it is."""

    area: Literal["entries", "errors", "runs", "actions"]
    name: str
    processor: str | None = None

    def __str__(self) -> str:
        return f"{self.area}/{self.name}"


@dataclass(frozen=True)
class Line:
    """One thing that is told. Its parts are words of ours, unless they are a `Name` or `Told`."""

    parts: tuple[str, ...]
    place: Place | None = None


@dataclass(frozen=True)
class Section:
    """Things of one kind: a title, a line for each, how many there are beside these, and what `wfe` lists them with."""

    title: str
    lines: Sequence[Line] = ()
    left: int = 0
    command: str = ""


def headline(report: Report) -> str:
    """What fails, and how often something failed since, in a line."""
    return report.dealt.words() + (f"; {counted(report.errors, 'error')} since" if report.errors else "")


def title(report: Report) -> str:
    """From when on it tells."""
    return f"Since {local_minute(report.since, report.moment)}"


def period(report: Report) -> str:
    """Between which moments all of it has happened, and what clock these are of."""
    ends = (report.since, report.moment)
    zones = dict.fromkeys(f"UTC{moment.astimezone().isoformat()[-6:]}" for moment in ends)
    since, until = map(local_time, ends)
    return f"from {since} to {until}; times are local, {', then '.join(zones)}"


def sections(report: Report) -> list[Section]:
    """What is told, by its kind, the most urgent first; a kind of which there is nothing is left out."""

    def told(title: str, some: Some[T], line: Callable[[T, datetime], Line], command: str) -> Iterator[Section]:
        if some.count:
            lines = [line(each, report.moment) for each in some.shown]
            yield Section(f"{title} ({some.count})", lines, some.count - len(lines), command)

    return [
        *told("New errors", report.new, _new, "errors"),
        *told("Regressed errors", report.regressed, _regressed, "errors"),
        *told("In a task for longer than usual", report.stuck, _stuck, "ls state:running"),
        *told("Done by others" if report.who else "Done", report.acts, _act, "actions"),
        *told("Open actions", report.open, _open, "actions --open"),
        *told("Resolved errors", report.resolved, _resolved, "errors --all"),
        *told("Snoozed errors", report.snoozed, _snoozed, "errors --all"),
        *told("Paused processors", Some.of(report.pauses), _pause, "ls"),
        *_runs(report.runs, report.moment),
        *told(f"Done by {report.who}", report.own, _own, "actions"),
    ]


def pace(figures: Figures) -> str:
    """How much ended and failed in an interval of the period at most, for who looks at how that went over time."""
    intervals = figures.over_time
    width = short((intervals[1].begin - intervals[0].begin).total_seconds())
    most = max(each.results for each in intervals)
    failed = max(each.failures for each in intervals)
    left = f"; without {counted(figures.runs_left, 'older run')}" if figures.runs_left else ""
    return (
        f"at most {most:,} executions ended in {width}, and {f'at most {failed:,}' if failed else 'none'} failed{left}"
    )


def times(report: Report, most: int) -> list[str]:
    """So many moments from the beginning to the end of the period, as they stand below a chart: times of day, or days
    where there are several."""
    span = report.moment - report.since
    moments = [local_time(report.since + at * span / (most - 1)) for at in range(most)]
    return [moment[5:10] if span > _DAYS else moment[11:16] for moment in moments]


_DAYS = timedelta(days=2)


def looks(section: Section, report: Report) -> Iterator[str]:
    """What is typed into a shell to see more; nothing that cannot be typed."""
    typed = [line_of(section.command, [], report.path, None, None)] if section.command else []
    places = [str(line.place) for line in section.lines if line.place][:1]
    typed += [" ".join(["wfe-tui", *store_words(report.path), shlex.quote(place)]) for place in places]
    return (line for line in typed if line == literal(line))


# --- lines


def _new(group: GroupNews, now: datetime) -> Line:
    seen = f"; seen {_times(group.times)}, first at {local_minute(group.first, now)}, "
    return _of_group(group, *_where(group), seen, _failing(group))


def _regressed(group: GroupNews, now: datetime) -> Line:
    back = f"; came back at {local_minute(group.back, now)}, " if group.back else "; "
    was = ("; it was ", Told(group.word.closed.words(now))) if group.word.closed else ()
    return _of_group(group, *_where(group), back, _failing(group), *was)


def _resolved(group: GroupNews, now: datetime) -> Line:
    return _of_group(group, "; ", Told(group.word.closed.words(now) if group.word.closed else ""))


def _snoozed(group: GroupNews, now: datetime) -> Line:
    said = Told(group.word.snoozed.words(now) if group.word.snoozed else "")
    return _of_group(group, "; ", said, ", ", _failing(group))


def _of_group(group: GroupNews, *parts: str) -> Line:
    kind = group.type.rpartition(".")[2]
    error = Told(f"{kind}: {group.message}" if group.message else kind)
    return Line((Name(group.fingerprint), " ", error, *parts), Place("errors", group.fingerprint))


def _where(group: GroupNews) -> tuple[str, ...]:
    return (" in ", Name(group.task)) if group.task else ()


def _failing(group: GroupNews) -> str:
    number = _entries(group.failing) if group.failing else "no entry"
    return f"{number} {'fail' if group.failing > 1 else 'fails'} of it now"


def _stuck(stuck: Stuck, now: datetime) -> Line:
    attempt = f", attempt {stuck.attempt}," if stuck.attempt > 1 else ""
    usual = f" for {short(stuck.seconds)}; usual are {short(stuck.usual)}, 95 of 100 end within {short(stuck.p95)}"
    return Line(
        (Name(stuck.key), " is in ", Name(stuck.task), attempt, usual), Place("entries", stuck.key, stuck.processor)
    )


def _act(act: ActionRow, now: datetime) -> Line:
    who = (" by ", Told(act.who), f" at {local_minute(act.when, now)}")
    return _of_act(act, *who, *_why(act), f"; {act.outcome}" if act.outcome else "")


def _own(act: ActionRow, now: datetime) -> Line:
    return _of_act(act, f" at {local_minute(act.when, now)}", f"; {act.outcome}" if act.outcome else "")


def _open(act: ActionRow, now: datetime) -> Line:
    waiting = act.verdicts.get(Verdict.WAITING, 0)
    what = f"{_entries(waiting)} {'waits' if waiting == 1 else 'wait'}" if waiting else "waits for a worker"
    return _of_act(act, " by ", Told(act.who), f" at {local_minute(act.when, now)}; {what}")


def _of_act(act: ActionRow, *parts: str) -> Line:
    on: tuple[str, ...]
    if act.keys:
        refused = f"refused on {act.refused}" if act.accepted else f"refused on {_entries(act.refused)}"
        done = f" on {_entries(act.accepted)}" if act.accepted else ""
        on = (done + (f", {refused}" if act.refused else ""),)
    elif act.groups:
        on = (" on ", Name(act.groups[0]), f" and {len(act.groups) - 1} more" if len(act.groups) > 1 else "")
    elif act.run:
        on = (f" on run {act.run}",)
    else:
        on = (" on ", Name(act.processor)) if act.processor else ()
    undone = f" (action {act.id})" if act.undone_by is None else f" (action {act.id}, undone by {act.undone_by})"
    return Line((Name(act.verb), *on, undone, *parts), Place("actions", str(act.id)))


def _why(act: ActionRow) -> tuple[str, ...]:
    return (": ", Told(act.why)) if act.why else ()


def _pause(pause: Pause, now: datetime) -> Line:
    return Line((Name(pause.processor), " is ", Told(pause.words(now))))


def _runs(runs: Runs, now: datetime) -> Iterator[Section]:
    if not runs.count:
        return
    parts = [str(runs.count)]
    parts += [f"{runs.going_on} under way"] if runs.going_on else []
    parts += [f"{runs.bad.count} ended badly"] if runs.bad.count else []
    lines = [_run(run, now) for run in runs.bad.shown]
    yield Section(f"Runs ({', '.join(parts)})", lines, runs.bad.count - len(lines))


def _run(run: RunRow, now: datetime) -> Line:
    failed = f"; {_entries(run.failed)} failed" if run.failed else ""
    began = f", it began at {local_minute(run.started, now)}{failed}"
    return Line(
        (f"run {run.id} of ", Name(run.processor), " ", Told(run.ending or ""), began), Place("runs", str(run.id))
    )


def _entries(number: int) -> str:
    return counted(number, "entry", "entries")


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def shortened(part: str) -> str:
    """A part of a line, of the same kind, literal, and no longer than there is room for in a list."""
    return type(part)(literal(part if len(part) <= LONGEST else part[:LONGEST] + "…"))
