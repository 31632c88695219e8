"""Brings what dead owners recorded last into their entries, and says of their runs that they crashed."""

from collections.abc import Collection, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinydb import where

from engine.clock import from_text
from engine.model import TaskExecution
from engine.planning import plan
from engine.records import read_progress
from engine.state import State, shown_state
from engine.store.recording import Line, read_lines

if TYPE_CHECKING:
    from engine.store.owners import Dead
    from engine.store.store import Store

_NEWEST_RUNS = 200
"""So many of the newest runs are looked through for that of an owner that has just died."""


def bring_in(store: "Store", owner: "Dead", files: Collection[Path]) -> None:
    """Bring what a dead owner recorded in these files into its entries, end its runs, and remove the files."""
    lines = [line for file in files for line in read_lines(file)]
    if owner.booted_since:
        # A power cut may have taken the start itself; what was announced may have begun.
        lines.sort(key=lambda line: "announced" in line, reverse=True)
    else:
        lines = [line for line in lines if "announced" not in line]
    with store.transaction():
        _add(store, owner.name, lines)
        # Of what it had begun before its last group of entries, no line tells: it stands otherwise from now on.
        is_left = (where("owner") == owner.name) & (where("state") == State.RUNNING)
        store.entries.touch(store.entries.ids(is_left))
        _end_runs(store, owner.name)
    for file in files:
        file.unlink(missing_ok=True)


def _add(store: "Store", owner: str, lines: list[Line]) -> None:
    for line in lines:

        def add(document: MutableMapping[str, Any], line: Line = line) -> None:
            if document["owner"] == owner:
                add_line(document, line)

        store.entries.update(add, doc_ids=[line["id"]])
        error = line.get("error")
        if error and not store.errors.contains(where("error_id") == error["error_id"]):
            store.errors.insert(error)


def add_line(document: MutableMapping[str, Any], line: Line) -> None:
    """Bring what a line says into the document of its entry; to do it twice changes nothing more."""
    execution = TaskExecution.model_validate(line["execution"]).model_dump(mode="json")
    kept = [each for each in document["executions"] or [] if not _is_same(each, execution)]
    if len(kept) == len(document["executions"] or []) or not execution["running"]:
        document["executions"] = [*kept, execution]
    document.update({field: line[field] for field in ("data", "due_date", "source") if field in line})
    document["written"] = sorted({*document["written"], *line.get("changed", ())})
    document.update(shown_state(State.RUNNING), updated=execution["finished_at"] or execution["execution_time"])
    entry = read_progress(document)
    if (
        entry.finished is None
        and plan(entry, document["tasks"], from_text(document["updated"])).state is State.FINISHED
    ):
        document["finished"] = execution["finished_at"]


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (one["name"], one["run_count"]) == (other["name"], other["run_count"])


def _end_runs(store: "Store", owner: str) -> None:
    newest = store.runs.ids(order_by="started", reverse=True, limit=_NEWEST_RUNS)
    for run in store.runs.get(doc_ids=newest):
        if run["owner"] == owner and run["ended"] is None:
            store.runs.update({"ended": run["updated"], "ending": "crashed"}, doc_ids=[run.doc_id])
