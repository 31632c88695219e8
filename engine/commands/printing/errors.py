"""Errors: one with its stack trace, or all by their cause."""

from collections.abc import Iterable
from datetime import datetime

from tinydb.table import Document

from engine.clock import local_minute, local_time
from engine.commands.printing.tables import block, json_line, line
from engine.groups import ErrorGroup, GroupState
from engine.text import counted

_STYLES = {
    GroupState.REGRESSED: "bold red",
    GroupState.NEW: "red",
    GroupState.ONGOING: "yellow",
    GroupState.SNOOZED: "cyan",
    GroupState.RESOLVED: "green",
}


def print_error(record: Document, *, as_json: bool) -> None:
    """The stack trace of an error."""
    if as_json:
        json_line(dict(record))
        return
    at = local_time(datetime.fromisoformat(record["time"]))
    parts = record["key"], record["task"], at, record["host"], f"pid {record['pid']}"
    line(f"error {record['error_id']}  {record['fingerprint']}")
    line(", ".join(str(part) for part in parts if part))
    line()
    block(record["text"])


def print_groups(found: Iterable[ErrorGroup], *, as_json: bool, now: datetime) -> None:
    """The errors by their cause: of each group its standing in a line, and below it what is known of it."""
    if as_json:
        for group in found:
            json_line(group.to_json())
        return
    for group in found:
        seen = f"seen {counted(group.count, 'time')} on {counted(group.entries, 'entry', 'entries')}"
        when = f"first at {local_minute(group.first, now)}, last at {local_minute(group.last, now)}"
        failing = f"{group.failing} failing", "red" if group.failing else "dim"
        head = f"{group.state:<9}", _STYLES[group.state]
        line(head, f"  {group.fingerprint}  ", failing, f", {seen}, {when}")
        line(f"  {group.type}: {group.message}")
        line(f"  {group.advice.words()}")
        if said := group.said(now):
            line(f"  {said}")
        for each in group.notes:
            line(f"  note: {each.words(now)}")
