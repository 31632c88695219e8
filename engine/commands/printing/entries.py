"""Entries: a list of them, or one with its tasks, acts and data."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime

import orjson
from tinydb.table import Document

from engine.clock import age, duration, local_time
from engine.commands.printing.states import state_cell
from engine.commands.printing.tables import block, json_line, line, table
from engine.lookup.acts import Act
from engine.lookup.logs import ExecutionLog
from engine.lookup.rows import EntryRow, error_ids
from engine.state import Plan


def print_entries(rows: Iterable[EntryRow], *, as_json: bool, now: datetime) -> None:
    """A list of entries."""
    if as_json:
        for number, row in enumerate(rows):
            json_line(row.to_json())
            if not number:
                sys.stdout.flush()  # to whoever waits for it, as `head -1`: there may be a million more
        return
    table(
        ("KEY", "STATE", "DONE", "TASK", "REASON", "REPEAT", "ATTEMPTS", "AGE"),
        (
            (
                row.key, state_cell(row.state), f"{row.done}/{row.total}", row.task or "", row.reason or "",
                row.repeat_words, str(row.attempts or ""), age(row.updated, now),
            )
            for row in rows
        ),
    )  # fmt: skip


def print_entry(
    document: Document, row: EntryRow, plan: Plan, acts: Sequence[Act], logs: Sequence[ExecutionLog], *, as_json: bool
) -> None:
    """One entry: how it stands, its tasks, its executions, what operators did to it, what it logged (the newest first
    each), its data."""
    if as_json:
        extra = {name: document[name] for name in ("due_date", "source", "finished", "executions", "data")}
        told = [act.to_json() for act in acts]
        json_line(
            {
                **row.to_json(),
                "next": row.next(plan),
                "steps": row.steps(plan),
                "acts": told,
                **extra,
                "logs": [log.to_json() for log in logs],
            }
        )
        return
    line((row.key, "bold"), "  ", state_cell(row.state), f"  {row.done}/{row.total}  ", row.processor)
    line(f"next: {row.next(plan)}")
    tasks = []
    for step in plan.steps:
        attempts = [e for e in document["executions"] or [] if e["name"] == step.task]
        took = duration(attempts[-1]["execution_time"], attempts[-1]["finished_at"]) if attempts else ""
        kind, why = row.said_of(step)
        tasks.append((step.task, kind, str(step.attempts or ""), took, why))
    table(("TASK", "", "ATTEMPTS", "TOOK", "MESSAGE"), tasks)
    for error_id in error_ids(document):
        line(f"error {error_id}")
    for act in acts:
        line(f"{local_time(act.when)}  {act.words()}", (_outcome(act), "dim"))
    if later := document.get("later"):
        line(f"of now, tasks have written on it since: {', '.join(later)}")
    block(orjson.dumps(document["data"], option=orjson.OPT_INDENT_2).decode())
    for log in logs:
        _print_log(log)


def _print_log(log: ExecutionLog) -> None:
    attempt = f", attempt {log.attempt}" if log.attempt else ""
    dropped = f", the newest lines: {log.dropped} before them were dropped" if log.dropped else ""
    line((f"log of {log.task}{attempt}{dropped}", "dim"))
    for each in log.lines:
        block(f"{local_time(each.moment)} {each.level} {each.message}")


def _outcome(act: Act) -> str:
    return f"  action {act.action}" + (f", {act.outcome}" if act.outcome else "")
