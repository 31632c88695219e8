"""Does what operators asked for: takes the open actions of a processor from its store and runs their entries."""

import os
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from tinydb import where
from tinydb.table import Document

from engine.executors import Executor
from engine.journal.base import Ending, RunResult
from engine.operations.recording import refuse_read_only
from engine.pausing import pause_of
from engine.store import Store
from engine.stored import StoredProcessor
from engine.verdicts import Verdict, settle_abandoned
from engine.worker.trying import Trial


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
    goes_on = True
    while goes_on and not processor.stopping.is_asked and (action := _take(processor)) is not None:
        try:
            carry = _try if action.get("canary") else _execute
            result, goes_on = carry(processor, action, executor)
        except BaseException:
            processor.store.actions.update({"taken_by": None}, doc_ids=[action.doc_id])
            raise
        yield result


def _execute(processor: StoredProcessor, action: Document, executor: Executor | str | None) -> tuple[RunResult, bool]:
    """Execute the entries of an action; whether the worker goes on after it."""
    result = processor.process_entries(_keys(processor.store, action), executor=executor)
    is_through = result.ending is Ending.COMPLETED
    fields = {"open": False} if is_through else {"taken_by": None}
    processor.store.actions.update({**fields, "run": result.number}, doc_ids=[action.doc_id])
    return result, is_through


def _try(processor: StoredProcessor, action: Document, executor: Executor | str | None) -> tuple[RunResult, bool]:
    """Execute the next portion of a restart that tries a few entries first; whether the worker goes on after it."""
    trial, journal = Trial(processor.store, action, processor.clock), processor.journal
    journal.brake = brake = trial.brake()
    try:
        result = processor.process_entries(trial.release(), executor=executor)
    finally:
        journal.brake = None
    is_through = result.ending is Ending.COMPLETED
    trial.end_portion(brake, is_through=is_through)
    processor.store.actions.update({"taken_by": None, "run": result.number}, doc_ids=[trial.number])
    return result, is_through or brake.is_pulled


def _take(processor: StoredProcessor) -> Document | None:
    """Take the oldest open action for which there is something to do."""
    store = processor.store
    store.recover()
    is_open = (where("open") == True) & (where("processor") == processor.name)  # noqa: E712 - a query, not a test
    if not store.actions.ids(is_open, limit=1):
        return None  # so that to look costs no write
    settle_abandoned(store, processor.clock())
    with store.transaction():
        if pause_of(store, processor.name):
            return None
        for action in store.actions.search(is_open):
            is_free = action["taken_by"] is None or not store.is_alive(action["taken_by"])
            if is_free and _is_to_do(processor, action):
                store.actions.update({"taken_by": store.owner}, doc_ids=[action.doc_id])
                return action
    return None


def _is_to_do(processor: StoredProcessor, action: Document) -> bool:
    """Whether there is something to do for an open action now; one for which there never will be is closed."""
    if action.get("canary"):
        return Trial(processor.store, action, processor.clock).look()
    if _keys(processor.store, action):
        return True
    processor.store.actions.update({"open": False}, doc_ids=[action.doc_id])
    return False


def _keys(store: Store, action: Document) -> list[str]:
    """The keys of the entries that an action is still to be done to: of those without a verdict."""
    if "undone_by" not in action:  # by an older version, which wrote no verdicts
        return [key for key, refusal in action["results"].items() if refusal is None]
    waiting = (where("action") == action.doc_id) & (where("verdict") == Verdict.WAITING)
    return [row["key"] for row in store.verdicts.search(waiting)]


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
