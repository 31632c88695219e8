"""What `wfe` prints: lines and tables for people, one JSON object a line for programs. Text from outside is literal."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from rich.cells import cell_len
from rich.console import Console
from rich.highlighter import NullHighlighter
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from tinydb.table import Document

from engine.clock import age, duration, local_minute, local_time
from engine.comparing import Comparison, layout
from engine.comparing.layout import Look
from engine.filter import FilterError
from engine.groups import Cause, ErrorGroup, GroupState
from engine.journal.base import RunResult
from engine.lookup.acts import Act
from engine.lookup.history import ActionRow
from engine.lookup.rows import EntryRow, error_ids
from engine.operations import ActionResult, Fate, Previewed
from engine.report.figures import Figures
from engine.report.since import Report as Told
from engine.settings import Origin
from engine.sharing import Shared
from engine.state import Plan, State
from engine.store.check import Report
from engine.store.retention import Pruned
from engine.text import counted, literal, percent
from engine.verdicts import Verdict

STYLES = {
    State.READY: "cyan",
    State.WAITING: "yellow",
    State.RUNNING: "blue",
    State.INTERRUPTED: "magenta",
    State.FAILED: "red",
    State.IN_DOUBT: "red",
    State.FINISHED: "green",
    State.HELD: "yellow",
    State.CANCELLED: "bright_black",
}


GROUP_STYLES = {
    GroupState.REGRESSED: "bold red",
    GroupState.NEW: "red",
    GroupState.ONGOING: "yellow",
    GroupState.SNOOZED: "cyan",
    GroupState.RESOLVED: "green",
}


def refusal(sentence: str) -> None:
    """Why the command could not run."""
    sys.stderr.write(f"wfe: {literal(sentence)}\n")


def wrong_filter(text: str, error: FilterError) -> None:
    """Why a filter cannot be understood, and where."""
    refusal(str(error))
    before, meant = literal(text[: error.start]), literal(text[error.start : error.end])
    sys.stderr.write(f"  {literal(text)}\n  {' ' * cell_len(before)}{'^' * max(1, cell_len(meant))}\n")


def note(sentence: str) -> None:
    """What a command did, where its result is a file."""
    sys.stderr.write(f"{literal(sentence)}\n")


def report(path: Path, found: Report, *, as_json: bool) -> None:
    """What is wrong with a store."""
    if as_json:
        _json({"store": str(path), "documents": found.documents, "problems": found.problems, "lost": found.lost})
        return
    for problem in found.problems:
        _print(Text(literal(problem)))
    lost = sum(map(len, found.lost.values()))
    if found.is_sound:
        _print(Text(literal(f"{path} is sound: {found.documents} documents")))
    else:
        _print(
            Text(literal(f"{path} is damaged: {found.documents} documents can be read, {lost} are known to be lost"))
        )


def pruned(path: Path, done: Pruned, *, as_json: bool) -> None:
    """How much was removed from a store."""
    if as_json:
        _json({"store": str(path), **asdict(done)})
        return
    tables = f"{done.entries} entries, {done.errors} errors, {done.runs} runs and {done.actions} actions"
    removed = f"{tables} were removed, and {done.executions} attempts of entries that stay"
    _print(Text(literal(f"{path}: {removed}; the file is {done.bytes_freed / 1e6:.1f} MB smaller")))


def settings(found: Iterable[tuple[str, str | float | None, Origin | None]], *, as_json: bool) -> None:
    """What is set: of each setting its name, its value, and where that was set, None for a default."""
    if as_json:
        for name, value, origin in found:
            source, place = origin or ("default", None)
            _json({"setting": name, "value": value, "source": source, "place": place})
        return
    table = _table("SETTING", "VALUE", "FROM")
    for name, value, origin in found:
        shown = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        table.add_row(name, _literal(shown), _literal(" ".join(origin) if origin else "default"))
    _print(table)


def log_to_stderr(verbosity: int) -> None:
    """Write the engine's log to standard error, with what tasks and exceptions say in it made literal.

    Args:
        verbosity: 0 writes errors, 1 what is done, 2 everything.
    """
    handler: logging.Handler
    if sys.stderr.isatty():
        handler = RichHandler(console=Console(stderr=True), show_path=False, highlighter=NullHighlighter())
        handler.setFormatter(_LiteralFormatter("%(message)s"))
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(_LiteralFormatter("%(asctime)s %(levelname)s %(message)s" if verbosity else None))
    log = logging.getLogger("engine")
    log.addHandler(handler)
    log.setLevel((logging.ERROR, logging.INFO, logging.DEBUG)[min(verbosity, 2)])


class _LiteralFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return literal(super().format(record), lines=True)


def entries(rows: Iterable[EntryRow], *, as_json: bool, now: datetime) -> None:
    """A list of entries."""
    if as_json:
        for row in rows:
            _json(row.to_json())
        return
    table = _table("KEY", "STATE", "DONE", "TASK", "REASON", "REPEAT", "ATTEMPTS", "AGE")
    for row in rows:
        table.add_row(
            _literal(row.key), _state(row.state), f"{row.done}/{row.total}", _literal(row.task), _literal(row.reason),
            row.repeat_words, str(row.attempts or ""), age(row.updated, now),
        )  # fmt: skip
    _print(table)


def entry(document: Document, row: EntryRow, plan: Plan, acts: Sequence[Act], *, as_json: bool) -> None:
    """One entry: how it stands, its tasks, its executions, what operators did to it (the newest first), its data."""
    if as_json:
        steps = [
            {"task": s.task, "kind": kind, "why": why, "attempts": s.attempts, "until": s.until, "cycles": s.cycles}
            for s in plan.steps
            for kind, why in [row.said_of(s)]
        ]
        extra = {name: document[name] for name in ("due_date", "source", "finished", "executions", "data")}
        told = [act.to_json() for act in acts]
        _json({**row.to_json(), "next": row.next(plan), "steps": steps, "acts": told, **extra})
        return
    head = (literal(row.key), "bold"), "  ", _state(row.state), f"  {row.done}/{row.total}  ", literal(row.processor)
    _print(Text.assemble(*head))
    _print(Text(f"next: {literal(row.next(plan))}"))
    table = _table("TASK", "", "ATTEMPTS", "TOOK", "MESSAGE")
    for step in plan.steps:
        attempts = [e for e in document["executions"] or [] if e["name"] == step.task]
        took = duration(attempts[-1]["execution_time"], attempts[-1]["finished_at"]) if attempts else ""
        kind, why = row.said_of(step)
        table.add_row(_literal(step.task), kind, str(step.attempts or ""), took, _literal(why))
    _print(table)
    for error_id in error_ids(document):
        _print(Text(f"error {error_id}"))
    for act in acts:
        _print(Text.assemble(literal(f"{local_time(act.when)}  {act.words()}"), (_outcome(act), "dim")))
    if later := document.get("later"):
        _print(Text(literal(f"of now, tasks have written on it since: {', '.join(later)}")))
    _print(Text(literal(orjson.dumps(document["data"], option=orjson.OPT_INDENT_2).decode(), lines=True)))


def _outcome(act: Act) -> str:
    return literal(f"  action {act.action}" + (f", {act.outcome}" if act.outcome else ""))


def error(record: Document, *, as_json: bool) -> None:
    """The stack trace of an error."""
    if as_json:
        _json(dict(record))
        return
    at = local_time(datetime.fromisoformat(record["time"]))
    parts = record["key"], record["task"], at, record["host"], f"pid {record['pid']}"
    where = ", ".join(str(part) for part in parts if part)
    _print(Text(f"error {record['error_id']}  {record['fingerprint']}\n{literal(where)}\n"))
    _print(Text(literal(record["text"], lines=True)))


def groups(found: Iterable[ErrorGroup], *, as_json: bool, now: datetime) -> None:
    """The errors by their cause: of each group its standing in a line, and below it what is known of it."""
    if as_json:
        for group in found:
            _json(group.to_json())
        return
    for group in found:
        seen = f"seen {counted(group.count, 'time')} on {counted(group.entries, 'entry', 'entries')}"
        when = f"first at {local_minute(group.first, now)}, last at {local_minute(group.last, now)}"
        failing = Text(f"{group.failing} failing", "red" if group.failing else "dim")
        head = f"{group.state:<9}", GROUP_STYLES[group.state]
        _print(Text.assemble(head, f"  {group.fingerprint}  ", failing, f", {seen}, {when}"))
        _print(Text(f"  {literal(f'{group.type}: {group.message}')}"))
        _print(Text(f"  {group.advice.words()}"))
        if said := group.said(now):
            _print(Text(f"  {literal(said)}"))
        for each in group.notes:
            _print(Text(f"  note: {literal(each.words(now))}"))


def handover(told: Told, numbers: Figures) -> None:
    """What has happened, for programs."""
    _json({**told.to_json(), "figures": numbers.to_json()})


def shared(found: Shared, *, as_json: bool) -> None:
    """What failing entries share."""
    if as_json:
        _json(found.to_json())
        return
    for sentence in found.sentences():
        note(sentence)
    if not found.traits:
        return
    table = _table("WHAT", "VALUE", "FAILING", "", "OTHERS", "", "MORE BY", "AT LEAST")
    for trait in found.traits:
        table.add_row(
            _literal(trait.attribute), _literal(trait.value), percent(trait.failing_rate), trait.failing_words,
            percent(trait.others_rate), trait.others_words, f"{trait.difference:+.0%}", trait.least_words,
            style="dim" if trait.may_be_chance else "",
        )  # fmt: skip
    _print(table)


def comparison(found: Comparison, *, as_json: bool) -> None:
    """What differs between two: in columns on a terminal that has room for them, else one below the other."""
    if as_json:
        _json(found.to_json())
        return
    width = Console().width if sys.stdout.isatty() else layout.ROOM - 1
    lines = [*layout.head(found, width), [], *layout.body(found, width, everything=True)]
    for line in lines:
        _print(Text.assemble(*((text, _LOOKS[look]) for text, look in line)))


_LOOKS = {
    Look.PLAIN: "",
    Look.MUTED: "dim",
    Look.HEADING: "bold",
    Look.DIFFERS: "bold yellow",
    Look.CHANGED: "bold underline",
}


def action(done: ActionResult, *, as_json: bool) -> None:
    """What became of an act, for each key."""
    if as_json:
        for key in done.accepted:
            _json({"key": key, "verb": done.verb, "accepted": True, "why": None})
        for key, why in done.refused.items():
            _json({"key": key, "verb": done.verb, "accepted": False, "why": why})
        return
    for key in done.accepted:
        _print(Text(f"{done.verb}: {literal(key)}"))
    for key, why in done.refused.items():
        sys.stderr.write(f"{done.verb}: {literal(key)}: refused: {literal(why)}\n")


def outcome(number: int, verdicts: Mapping[Verdict, int]) -> None:
    """What became of the entries of an action so far."""
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items() if verdict is not Verdict.DONE)
    note(f"action {number}: {told or 'nothing is to be executed'}")


def actions(rows: Iterable[ActionRow], *, as_json: bool, now: datetime) -> None:
    """A list of actions."""
    if as_json:
        for row in rows:
            _json(row.to_json())
        return
    table = _table("ACTION", "AGE", "WHAT", "ON", "STATE", "VERDICTS", "WHO", "WHY")
    for row in rows:
        on = ", ".join(row.groups) or str(row.accepted or "")
        told = (row.verb, on, row.state, row.outcome, row.who, row.why)
        verb, *rest = map(_literal, told)
        table.add_row(str(row.id), age(row.when, now), verb, *rest)
    _print(table)


def verdicts(row: ActionRow, found: Iterable[Mapping[str, Any]], refused: Mapping[str, str], *, as_json: bool) -> None:
    """What became of each entry of an action: of those that it was accepted for, and of the others."""
    if as_json:
        for each in found:
            told = {name: each[name] for name in ("key", "verdict", "attempts", "why", "asked", "settled")}
            _json({"action": row.id, **told, "error_id": each["found"]})
        for key, why in refused.items():
            nothing = {"attempts": None, "asked": None, "settled": None, "error_id": None}
            _json({"action": row.id, "key": key, "verdict": Verdict.REFUSED, "why": why, **nothing})
        return
    why = f": {row.why}" if row.why else ""
    _print(Text(literal(f"action {row.id}  {row.verb} by {row.who} at {local_time(row.when)}{why}")))
    plan = f", plan {row.plan}" if row.plan else ""
    undone = f", by action {row.undone_by}" if row.undone_by else ""
    _print(Text(literal(f"{row.state}{undone}: {row.outcome or 'nothing is to be executed'}{plan}")))
    table = _table("KEY", "VERDICT", "ATTEMPTS", "ERROR", "")
    for each in found:
        cells = each["key"], each["verdict"], str(each["attempts"] or ""), (each["found"] or "")[:8], each["why"]
        table.add_row(*map(_literal, cells))
    for key, why in refused.items():
        table.add_row(_literal(key), str(Verdict.REFUSED), "", "", _literal(why))
    _print(table)


def previewed(verb: str, seen: Previewed, *, as_json: bool) -> None:
    """What an act would do to one entry."""
    if as_json:
        tasks = [{"task": task, "fate": fate, "last": last} for task, fate, last in seen.tasks]
        answer = {"accepted": seen.refused is None, "why": seen.refused, "tasks": tasks}
        _json({"key": seen.key, "processor": seen.processor or None, "verb": verb, **answer})
        return
    if seen.refused is not None:
        told = f"refused: {seen.refused}"
    else:
        told = ", ".join(
            f"{task} {_FATES.get(fate, fate)}" + (f" ({last})" if last and fate in _TELLING else "")
            for task, fate, last in seen.tasks
        )
    _print(Text(literal(f"{verb}: {seen.key}: {told or 'its tasks are not known yet'}")))


_FATES = {Fate.LATER: "not executed"}
_TELLING = (Fate.AGAIN, Fate.TAKEN_AS_DONE)
"""The fates of tasks with which their last error is told."""


def foreseen(verb: str, accepted: int, refused: int, fates: Mapping[Fate, int]) -> None:
    """What an act would do, in numbers."""
    parts = [f"{fates[fate]} {_FATES.get(fate, fate)}" for fate in Fate if fates[fate]]
    tasks = f"; tasks: {', '.join(parts)}" if parts else ""
    note(f"{verb} would be done to {counted(accepted, 'entry', 'entries')}, {refused} refused{tasks}")


def advice(causes: Iterable[Cause]) -> None:
    """What restarts of what failed of these causes have led to."""
    for cause in causes:
        note(cause.words())


def summary(result: RunResult) -> None:
    """What a run did."""
    title = f"run {result.number}" if result.number else "run"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("entries", justify="right")
    table.add_column("")
    table.add_row(str(result.considered), "considered")
    for state in State:
        if result.states[state]:
            table.add_row(str(result.states[state]), _state(state))
    if result.refused:
        table.add_row(str(len(result.refused)), Text("refused", "red"))
    _print(table)
    for failure in result.failures[:20]:
        error_id = failure.error_id[:8] if failure.error_id else None
        name = " ".join(literal(part) for part in (failure.key, failure.task, error_id) if part)
        _print(Text.assemble(_state(failure.state), f" {name}: {literal(failure.reason)}"))
    if result.failed > 20:
        _print(Text(f"… and {result.failed - 20} more: `wfe ls`"))
    with_trace = next((failure.error_id[:8] for failure in result.failures if failure.error_id), None)
    if result.number and with_trace:
        _print(Text(f"stack traces: `wfe error {with_trace}`", "dim"))
    for sentence in result.refused[:20]:
        refusal(sentence)
    if len(result.refused) > 20:
        refusal(f"… and {len(result.refused) - 20} more were refused")


@contextmanager
def progress() -> Iterator[Callable[[RunResult], None]]:
    """Shows how far a run is: a bar on a terminal, a line every five seconds elsewhere. Yields the run's observer."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    columns = (
        SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}", style="red"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, rate="", failed="")
        started = time.monotonic()

        def observe(result: RunResult) -> None:
            rate = result.considered / max(time.monotonic() - started, 1e-6)
            failed = f"{result.failed} failed" if result.failed else ""
            bar.update(task, total=result.total, completed=result.considered, rate=f"{rate:.0f}/s", failed=failed)

        yield observe


@contextmanager
def portion(unit: str) -> Iterator[Callable[[int, int], None]]:
    """Shows on a terminal how much of a known whole is done; `unit` says of what. Yields what is told of it."""
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("")
        yield lambda done, of: bar.update(task, completed=done, total=of)


class _Lines:
    """A line of progress every five seconds."""

    def __init__(self) -> None:
        self.started = self.shown = time.monotonic()

    def __call__(self, result: RunResult) -> None:
        now = time.monotonic()
        if now - self.shown < 5:
            return
        self.shown = now
        rate = result.considered / (now - self.started)
        of = f" of {result.total}" if result.total else ""
        left = f", {(result.total - result.considered) / rate:.0f} s left" if result.total and rate else ""
        sys.stderr.write(f"{result.considered}{of} entries, {rate:.0f}/s{left}, {result.failed} failed\n")


def _json(value: dict[str, Any]) -> None:
    sys.stdout.write(orjson.dumps(value).decode() + "\n")


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name in ("STATE", "DONE", "AGE"))
    return table


def _print(what: Table | Text) -> None:
    """On a terminal as wide as it is; in a pipe one line a row, however long."""
    is_terminal = sys.stdout.isatty()
    Console(width=None if is_terminal else 10_000, soft_wrap=not is_terminal).print(what)


def _literal(text: str | None) -> Text:
    return Text(literal(text or ""))


def _state(state: State) -> Text:
    return Text(state, STYLES[state])
