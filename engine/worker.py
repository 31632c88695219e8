"""Does what operators asked for: takes the open actions of a processor from its store and runs their entries."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tinydb import where

from engine.journal import RunResult
from engine.store import Store
from engine.stored import StoredProcessor


def execute_actions(processor: StoredProcessor) -> list[RunResult]:
    """Take every open action of this processor, one after the other, until none is left.

    An action has one taker; one whose taker died is taken again.

    Returns:
        The result of the run of each action.
    """
    results = []
    while (action := _take(processor)) is not None:
        number, keys = action
        result = processor.process_entries(keys)
        processor.store.actions.update({"open": False, "run": result.number}, doc_ids=[number])
        results.append(result)
    return results


def _take(processor: StoredProcessor) -> tuple[int, list[str]] | None:
    """Take the oldest open action; its number, and the keys that it was accepted for."""
    store = processor.store
    with store.transaction():
        for action in store.actions.search((where("open") == True) & (where("processor") == processor.name)):  # noqa: E712
            if action["taken_by"] is None or not store.is_alive(action["taken_by"]):
                store.actions.update({"taken_by": store.owner}, doc_ids=[action.doc_id])
                return action.doc_id, [key for key, refusal in action["results"].items() if refusal is None]
    return None


@dataclass(frozen=True)
class WorkerCommand:
    """How to start a process that does the open actions of a processor."""

    argv: list[str]
    folder: str
    environment: dict[str, str]


def worker_command(store: Store, processor: str, *, actions: bool) -> WorkerCommand:
    """How to start a run of `processor` (`module:Class`) in a process of its own, as its latest run was started.

    One that has never run on this store is started with this interpreter, in this folder.

    Args:
        store: where its runs are recorded.
        processor: what to start.
        actions: do what operators asked for; else consider every entry.
    """
    numbers = store.runs.ids(where("processor") == processor, order_by="started", reverse=True, limit=1)
    here = {"python": sys.executable, "folder": str(Path.cwd()), "path": ""}
    home = store.runs.get(doc_ids=list(numbers))[0]["home"] if numbers else here
    path = os.pathsep.join(part for part in (home["path"], os.environ.get("PYTHONPATH")) if part)
    options = ["--actions"] if actions else []
    argv = [home["python"], "-m", "engine", "run", processor, *options, "--store", str(store.path)]
    return WorkerCommand(argv, home["folder"], {**os.environ, "PYTHONPATH": path})
