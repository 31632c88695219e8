"""Does what operators asked for: takes the open actions of a processor from its store and runs their entries."""

import os
from dataclasses import dataclass
from pathlib import Path

from tinydb import where

from engine.exceptions import InputError
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


def worker_command(store: Store, processor: str, option: str = "--actions") -> WorkerCommand:
    """How to start `processor` (`module:Class`) in a process of its own, as its latest run was started.

    Args:
        store: where its runs are recorded.
        processor: one that has run on this store.
        option: what its run is to do.

    Raises:
        InputError: it has never run on this store, or its folder or interpreter is gone.
    """
    numbers = store.runs.ids(where("processor") == processor, order_by="started", reverse=True, limit=1)
    if not numbers:
        raise InputError(f"{processor} has never run on {store.path}: start it once with `wfe run {processor}`")
    (latest,) = store.runs.get(doc_ids=list(numbers))
    home = latest["home"]
    for what in (home["python"], home["folder"]):
        if not Path(what).exists():
            raise InputError(f"{processor} cannot be started, {what} is gone: run it once from where it is now")
    path = os.pathsep.join(part for part in (home["path"], os.environ.get("PYTHONPATH")) if part)
    argv = [home["python"], "-m", "engine", "run", option, processor, "--store", str(store.path)]
    return WorkerCommand(argv, home["folder"], {**os.environ, "PYTHONPATH": path})
