"""Brings what dead owners recorded last into their entries, and says of their runs that they crashed."""

import logging
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinydb import where

from engine.clock import from_text
from engine.model import TaskExecution
from engine.planning import plan
from engine.records import read_progress
from engine.state import State, shown_state
from engine.store.claims import is_started
from engine.store.recording import Line, read_lines

if TYPE_CHECKING:
    from engine.store.owners import Dead
    from engine.store.store import Store

log = logging.getLogger("engine")

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
        left = store.entries.search((where("owner") == owner.name) & (where("state") == State.RUNNING))
        store.entries.touch([entry.doc_id for entry in left])
        run = _end_runs(store, owner.name)
    for file in files:
        file.unlink(missing_ok=True)
    _tell(run, [entry for entry in left if is_started(entry)])


def _tell(run: int | None, left: Iterable[Mapping[str, Any]]) -> None:
    """Say what a death has cost."""
    if run is not None:
        log.warning("run %s crashed: its process died", run, extra={"run": run})
    for entry in left:
        begun = entry["executions"][-1]
        about = {"run": entry["run"], "entry": entry["key"], "task": begun["name"], "attempt": begun["run_count"]}
        log.warning("task '%s' of entry '%s' had begun when its process died: it may have taken effect",
                    begun["name"], entry["key"], extra=about)  # fmt: skip


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


def _end_runs(store: "Store", owner: str) -> int | None:
    """Say of the run that an owner was in that it crashed; its number."""
    newest = store.runs.ids(order_by="started", reverse=True, limit=_NEWEST_RUNS)
    for run in store.runs.get(doc_ids=newest):
        if run["owner"] == owner and run["ended"] is None:
            store.runs.update({"ended": run["updated"], "ending": "crashed"}, doc_ids=[run.doc_id])
            return run.doc_id
    return None
