"""A process that dies: a real one, by a real signal, at a point of one's choice."""

import os
import signal
import warnings
from collections.abc import Collection
from enum import Enum
from typing import NoReturn

from engine.errors import one_line
from engine.exceptions import EngineError, WorkflowError
from engine.identity import entry_key
from engine.journal.stored import StoreJournal
from engine.model import TaskExecution, WorkflowModel
from engine.runner.outcome import Call
from engine.state import State
from engine.store import Store
from engine.store.recording import Recording
from engine.stored import StoredProcessor
from engine.task import Task
from engine.testing.idling import standing
from engine.worker.actions import execute_actions


class CrashPoint(Enum):
    """Where in the course of an execution its process dies."""

    BEFORE_START = "before the start is recorded"
    """The entry is claimed, and nothing of it has begun: the next run executes it."""
    BEFORE_BODY = "after the start is recorded, before the body"
    """The task had no effect, and nobody knows that: it is in doubt, if it is not idempotent."""
    AFTER_BODY = "after the body, before the result is recorded"
    """The task had its effect, and nobody knows that: it is in doubt, if it is not idempotent."""
    AFTER_RECORD = "after the result is recorded"
    """Nothing is lost: the next run goes on with the next task."""


class NotReached(EngineError, AssertionError):  # noqa: N818 - it says what happened
    """A run that was to crash has ended before it came to that point."""


def crash(
    processor: StoredProcessor,
    point: CrashPoint | None = None,
    task: type[Task] | None = None,
    key: str | None = None,
) -> dict[str, State]:
    """Have a process die in the middle of a run, as by `kill -9`.

    This process is forked, and its child does what operators asked for and makes a run over the default entries, one
    entry after the other, in the same store. When it comes to the point, it kills itself by SIGKILL: nothing is
    closed, and nothing written any more. What its tasks did to a file, a service or the store is done; what they did to
    this process's memory, such as a list of the test, died with the child.

    Args:
        processor: one with a store, in memory or on a disk, that this thread is not just writing.
        point: where it dies; None: where the code of the task itself, or what it calls, calls `crash_here`.
        task: only in an execution of this one; None: of the first that comes to the point.
        key: only in an execution on this entry; None: on the first that comes to the point.

    Returns:
        The state of each entry of the processor afterwards, by key, as the next one finds it who opens the store.

    Raises:
        NotReached: the run has ended without that; the sentence tells by what. It is an AssertionError, too.

    Example::

        crash(orders, CrashPoint.AFTER_BODY, Ship, "A-1")
        assert orders.process_entries().states == {"in doubt": 1, "finished": 2}
    """
    store = processor.store
    answer, reply = os.pipe()
    with warnings.catch_warnings():
        # What another thread holds at this moment is held in the child for ever: of a test, that is its framework's.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _die(processor, store, _Journal(processor, point, task, key), reply)
    os.close(reply)
    with os.fdopen(answer, encoding="utf-8", errors="replace") as said:
        how = said.read()
    _, status = os.waitpid(child, 0)
    store.recover()
    states = {row.key: row.state for row in standing(processor)}
    processor.release_store()
    if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
        where = point.value if point else "where crash_here() is called"
        of = f" of {task.__name__}" if task else ""
        on = f" on the entry {key!r}" if key else ""
        raise NotReached(f"the run {how}, and never came to its crash{of}{on}: {where}")
    return states


def crash_here() -> NoReturn:
    """Kill this process, if it is one that `crash` has started: to be called by a task, or by what a test puts in the
    place of a service.

    Raises:
        WorkflowError: it is not; to kill it would be to kill the tests.

    Example::

        monkeypatch.setattr(carrier, "book", lambda parcel: crash_here())
        crash(orders)
    """
    if not _is_to_die:
        raise WorkflowError("crash_here() is for a process that crash() has started: call it in a run of that")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process goes on")


_is_to_die = False


def _die(processor: StoredProcessor, store: Store, journal: "_Journal", reply: int) -> NoReturn:
    """Be the child."""
    global _is_to_die
    _is_to_die = True
    how = "ended"
    try:
        processor.use(Store(store.path))
        processor.journal = journal
        execute_actions(processor)
        how = str(processor.process_entries().ending)
    except BaseException as error:
        how = f"ended with {one_line(error)}"
    finally:
        os.write(reply, how.encode())
        os._exit(0)


class _Journal(StoreJournal):
    """The journal of the child, at which every execution comes by."""

    def __init__(
        self, processor: StoredProcessor, point: CrashPoint | None, task: type[Task] | None, key: str | None
    ) -> None:
        super().__init__(processor)
        self._point = point
        self._task = task.__name__ if task else None
        self._key = key

    def start(self, calls: Collection[Call], recording: Recording | None = None) -> list[Call]:
        is_there = any(self._is_at(call.entry, call.execution) for call in calls)
        self._come_to(CrashPoint.BEFORE_START, is_there)
        lost = super().start(calls, recording)
        self._come_to(CrashPoint.BEFORE_BODY, is_there)
        return lost

    def write(self, entry: WorkflowModel, execution: TaskExecution | None) -> None:
        is_there = execution is not None and self._is_at(entry, execution)
        self._come_to(CrashPoint.AFTER_BODY, is_there)
        super().write(entry, execution)
        if is_there:
            self.flush()
        self._come_to(CrashPoint.AFTER_RECORD, is_there)

    def _come_to(self, point: CrashPoint, is_there: bool) -> None:
        if is_there and point is self._point:
            crash_here()

    def _is_at(self, entry: WorkflowModel, execution: TaskExecution) -> bool:
        return self._task in (None, execution.name) and self._key in (None, entry_key(entry))
