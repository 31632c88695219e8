"""Runs: a list of them, one with its figures, and what one that has just ended did."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from tinydb.table import Document

from engine.clock import age, local_time, short
from engine.commands.printing.states import state_cell
from engine.commands.printing.tables import Cell, json_line, line, table
from engine.commands.printing.words import refusal
from engine.journal.base import RunResult
from engine.journal.durations import Histogram, read_durations
from engine.lookup.history import RunRow
from engine.state import State
from engine.text import spark

_BARS = 60
"""So many bars a run's results over time have at most."""


def print_runs(rows: Iterable[RunRow], *, as_json: bool, now: datetime) -> None:
    """A list of runs."""
    if as_json:
        for row in rows:
            json_line(row.to_json())
        return
    table(
        ("RUN", "PROCESSOR", "STARTED", "AGE", "TOOK", "ENDED", "CONSIDERED", "FAILED", "RATE"),
        (
            (
                str(row.id), row.processor, local_time(row.started), age(row.started, now), _took(row, now),
                _ending(row), _progress(row), (str(row.failed or ""), "red"), _rate(row),
            )
            for row in rows
        ),
    )  # fmt: skip


def print_run(document: Document, row: RunRow, *, as_json: bool, now: datetime) -> None:
    """One run: how it ended or how far it is, how long its tasks took, its results over time."""
    durations, pace = read_durations(document), document.get("pace") or []
    place = {name: document.get(name) for name in ("host", "pid", "code")}
    if as_json:
        tasks = [{"task": task, **_figures(found)} for task, found in durations.items()]
        points = [dict(zip(("seconds", "results", "failures"), point, strict=True)) for point in pace]
        statistics = document.get("statistics") or {}
        json_line({**row.to_json(), **place, "tasks": tasks, "over_time": points, "statistics": statistics})
        return
    line((f"run {row.id}", "bold"), f"  {row.processor}  ", _ending(row))
    ended = f", ended {local_time(row.ended)}" if row.ended else ""
    named = ", ".join(f"{name} {value}" for name, value in place.items() if value is not None)
    line(f"started {local_time(row.started)}{ended}, {_took(row, now)}; {named}")
    left = f", {short(row.left)} left" if row.is_going_on and row.left else ""
    in_progress = f", {row.in_progress} in progress" if row.in_progress else ""
    states = [part for state in State if row.states[state] for part in (f"  {row.states[state]} ", state_cell(state))]
    refused: list[Cell] = [f"  {row.refused} ", ("refused", "red")] if row.refused else []
    line(f"{_progress(row)} entries{in_progress}, {_rate(row)}{left}", *states, *refused)
    if row.asked:
        line(f"an operator asked it to {row.asked}")
    if row.silent_for is not None:
        line((f"no sign of life for {short(row.silent_for)}", "red"))
    if durations:
        _print_durations(durations)
    if pace:
        _print_pace(pace)


def _print_durations(durations: Mapping[str, Histogram]) -> None:
    heads = ("median", "p95", "mean", "sum")
    table(
        ("TASK", "EXECUTIONS", *(head.upper() for head in heads)),
        (
            (task, str(figures["executions"]), *(short(figures[head]) for head in heads))
            for task, figures in ((task, _figures(found)) for task, found in durations.items())
        ),
    )


def _figures(found: Histogram) -> dict[str, Any]:
    """In seconds, but for the number of executions."""
    return {
        "executions": found.count, "median": found.quantile(0.5), "p95": found.quantile(0.95), "mean": found.mean,
        "sum": found.sum,
    }  # fmt: skip


def _print_pace(pace: Sequence[Sequence[float]]) -> None:
    """What ended when, as bars."""
    each = ceil(len(pace) / _BARS)
    at, ended, failed = zip(*pace, strict=True)
    done, bad = ([sum(counts[n : n + each]) for n in range(0, len(counts), each)] for counts in (ended, failed))
    line(f"results   {spark(done)}  {sum(ended)}, at most {max(done)} in {short(at[0] * each)}")
    if any(bad):
        line(f"failures  {spark(bad)}  ", (str(sum(bad)), "red"))


def _ending(row: RunRow) -> Cell:
    if row.silent_for is not None:
        return "silent", "red"
    if row.is_going_on:
        return "running", "blue"
    return row.ending or "", {"completed": "green", "stopped": "yellow"}.get(row.ending or "", "red")


def _progress(row: RunRow) -> str:
    return f"{row.considered}" + (f"/{row.total}" if row.total is not None else "")


def _rate(row: RunRow) -> str:
    return f"{row.rate:.0f}/s" if row.rate >= 10 else f"{row.rate:.1f}/s"


def _took(row: RunRow, now: datetime) -> str:
    """How long it took so far; of one that died, nobody knows."""
    if row.ended is None and not row.is_going_on:
        return "–"
    return short(((row.ended or now) - row.started).total_seconds())


def print_summary(result: RunResult, *, as_json: bool) -> None:
    """What a run did."""
    if as_json:
        json_line(result.to_json())
        return
    line(f"run {result.number}" if result.number else "run")
    line("entries")
    line(f"{result.considered:>7} considered")
    for state in State:
        if result.states[state]:
            line(f"{result.states[state]:>7} ", state_cell(state))
    if result.refused:
        line(f"{len(result.refused):>7} ", ("refused", "red"))
    for failure in result.failures[:20]:
        error_id = failure.error_id[:8] if failure.error_id else None
        name = " ".join(part for part in (failure.key, failure.task, error_id) if part)
        line(state_cell(failure.state), f" {name}: {failure.reason}")
    if result.failed > 20:
        line(f"… and {result.failed - 20} more: `wfe ls`")
    with_trace = next((failure.error_id[:8] for failure in result.failures if failure.error_id), None)
    if result.number and with_trace:
        line((f"stack traces: `wfe error {with_trace}`", "dim"))
    for sentence in result.refused[:20]:
        refusal(sentence)
    if len(result.refused) > 20:
        refusal(f"… and {len(result.refused) - 20} more were refused")
