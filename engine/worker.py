"""Does what operators asked for: takes the open actions of a processor from its store and runs their entries."""

import os
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from tinydb import where

from engine.executors import Executor
from engine.journal import Ending, RunResult
from engine.operations.recording import refuse_read_only
from engine.pausing import pause_of
from engine.store import Store
from engine.stored import StoredProcessor


def execute_actions(processor: StoredProcessor, *, executor: Executor | str | None = None) -> list[RunResult]:
    """Take every open action of this processor, one after the other, until none is left or the run is stopped.

    An action has one taker; one whose taker died is taken again, and so is one whose run was stopped before it was
    through. Of a paused processor none is taken.

    Args:
        processor: whose actions they are; they are taken in its store.
        executor: where the executions are carried out; see `Processor.process_entries`.

    Returns:
        The result of the run of each action.
    """
    return list(each_action(processor, executor))


def each_action(processor: StoredProcessor, executor: Executor | str | None) -> Iterator[RunResult]:
    """The same, action by action."""
    while not processor.stopping.is_asked and (action := _take(processor)) is not None:
        number, keys = action
        result = processor.process_entries(keys, executor=executor)
        is_through = result.ending is Ending.COMPLETED
        fields = {"open": False} if is_through else {"taken_by": None}
        processor.store.actions.update({**fields, "run": result.number}, doc_ids=[number])
        yield result
        if not is_through:
            return


def _take(processor: StoredProcessor) -> tuple[int, list[str]] | None:
    """Take the oldest open action; its number, and the keys that it was accepted for."""
    store = processor.store
    store.recover()
    is_open = (where("open") == True) & (where("processor") == processor.name)  # noqa: E712 - a query, not a test
    if not store.actions.ids(is_open, limit=1):
        return None  # so that to look costs no write
    with store.transaction():
        if pause_of(store, processor.name):
            return None
        for action in store.actions.search(is_open):
            if action["taken_by"] is None or not store.is_alive(action["taken_by"]):
                store.actions.update({"taken_by": store.owner}, doc_ids=[action.doc_id])
                return action.doc_id, [key for key, refusal in action["results"].items() if refusal is None]
    return None


def wait_for(store: Store, actions: Collection[int]) -> None:
    """Return when no living worker works on these actions, given by their numbers."""
    while any(
        action["open"] and action["taken_by"] and store.is_alive(action["taken_by"])
        for action in store.actions.get(doc_ids=list(actions))
    ):
        time.sleep(0.1)
        store.recover()  # what a worker that died has left, or it would count as living


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

    Raises:
        StoreError: the store is opened read only: who may change nothing starts nothing.
    """
    refuse_read_only(store, "run")
    numbers = store.runs.ids(where("processor") == processor, order_by="started", reverse=True, limit=1)
    here = {"python": sys.executable, "folder": str(Path.cwd()), "path": ""}
    home = store.runs.get(doc_ids=list(numbers))[0]["home"] if numbers else here
    path = os.pathsep.join(part for part in (home["path"], os.environ.get("PYTHONPATH")) if part)
    options = ["--actions"] if actions else []
    argv = [home["python"], "-m", "engine", "run", processor, *options, "--store", str(store.path)]
    return WorkerCommand(argv, home["folder"], {**os.environ, "PYTHONPATH": path})
