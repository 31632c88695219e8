"""Executes one task on one entry, wherever that is: in the run itself, a thread, another process, an event loop."""

import asyncio
import inspect
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import cache, partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from engine.attempt import CURRENT, Attempt
from engine.errors import error_record, one_line
from engine.exceptions import EngineError, TimedOut
from engine.identity import entry_key, processor_name
from engine.model import adopt
from engine.runner.capture import Line, Log
from engine.runner.outcome import Call, End, Outcome
from engine.status import Status, StatusException
from engine.task import Task

if TYPE_CHECKING:
    from engine.processor import Processor

log = logging.getLogger("engine")


def is_async(task: Task) -> bool:
    """Whether a task is a coroutine, to be executed on an event loop."""
    return _is_coroutine(type(task))


@cache
def _is_coroutine(task: type[Task]) -> bool:
    return inspect.iscoroutinefunction(task.process_entry)


def perform(processor: "Processor", call: Call, dry_run: bool) -> Outcome:
    """Execute a task here and now, and say what became of it.

    Raises:
        KeyboardInterrupt: of the task, which is left as if its process had died; every other exception is an outcome.
    """
    task, execution = call.task, _Execution(processor, call)
    token = CURRENT.set(execution)
    try:
        if is_async(task):
            status = asyncio.run(_within(task.timeout, task.process_entry(call.entry, dry_run)))  # type: ignore[arg-type]
        elif task.timeout is None:
            status = task.process_entry(call.entry, dry_run)
        else:
            status = _in_time(task.timeout, call, dry_run)
        return execution.well(status)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return execution.badly(error)
    finally:
        CURRENT.reset(token)


async def perform_async(processor: "Processor", call: Call, dry_run: bool) -> Outcome:
    """The same on the event loop that is running."""
    task, execution = call.task, _Execution(processor, call)
    CURRENT.set(execution)
    try:
        return execution.well(await _within(task.timeout, task.process_entry(call.entry, dry_run)))  # type: ignore[arg-type]
    except BaseException as error:
        if (this := asyncio.current_task()) and this.cancelling():
            raise
        return execution.badly(error)


def failed(processor: "Processor", call: Call, error: BaseException, end: End = End.FAILED) -> Outcome:
    """The outcome of an execution that was ended from outside: its worker died, or was killed for being late."""
    outcome = _Execution(processor, call).badly(error, end)
    outcome.seconds = error.seconds if isinstance(error, TimedOut) else None
    return outcome


class _Execution:
    """One execution, which begins now: makes its outcome."""

    def __init__(self, processor: "Processor", call: Call) -> None:
        self._processor = processor
        self._call = call
        self._key = entry_key(call.entry)
        self._began = processor.clock()
        call.execution.__dict__["execution_time"] = self._began  # as it is: see `Outcome.put_on`
        self._started = time.perf_counter()
        self._log: Log | None = None

    def attempt(self) -> Attempt:
        call = self._call
        return Attempt(
            processor_name(type(self._processor)), entry_key(call.entry), call.name, call.execution.run_count or 1,
            call.previous_error,
        )  # fmt: skip

    def log(self, line: Line) -> None:
        if self._log is None:
            self._log = Log()
        self._log.add(line)

    def well(self, status: object) -> Outcome:
        checked = _checked(status)
        self._processor.journal.check(self._call.entry, self._key)
        return self._outcome(End.PROCESSED, status=checked)

    def badly(self, error: BaseException, end: End = End.FAILED) -> Outcome:
        if isinstance(error, StatusException):
            return self._outcome(End.INTERRUPTED, status=error.status.model_copy(deep=True))
        outcome = self._outcome(end, error_id=uuid4(), error=one_line(error), exception=error)
        assert outcome.error_id is not None
        outcome.record = error_record(
            error, outcome.error_id, task=self._call.name, key=self._key, attempt=self._call.execution.run_count,
            processor=processor_name(type(self._processor)), at=outcome.ended, keep_locals=self._processor.keep_locals,
        )  # fmt: skip
        return outcome

    def _outcome(self, end: End, **fields: Any) -> Outcome:
        seconds = time.perf_counter() - self._started
        outcome = Outcome(end, self._began, self._processor.clock(), seconds, **fields)
        if self._log is not None:
            outcome.logged = self._log.taken()
        return outcome


def _checked(status: object) -> Status | None:
    if status is None:
        return None
    if not isinstance(status, Status):
        raise EngineError(
            f"the task returned {status!r:.80}, which is neither None nor a Status: return a Status or nothing"
        )
    return status.model_copy(deep=True)


async def _within(seconds: float | None, body: Awaitable[Any]) -> Any:
    try:
        async with asyncio.timeout(seconds) as limit:
            return await body
    except TimeoutError:
        if seconds is None or not limit.expired():
            raise  # the task's own
        raise TimedOut(seconds) from None


def _in_time(seconds: float, call: Call, dry_run: bool) -> Any:
    """Execute a task in a thread of its own, on a copy of its entry, since no thread can be stopped."""
    copy = call.entry.model_copy(deep=True)
    results: SimpleQueue[Callable[[], Any]] = SimpleQueue()
    is_late = threading.Event()

    def body() -> None:
        try:
            status = call.task.process_entry(copy, dry_run)
            results.put(lambda: status)
        except BaseException as error:
            results.put(partial(_raise, error))
        if is_late.is_set():
            key = entry_key(call.entry)
            log.warning(
                "task '%s' of entry '%s' ended after its timeout of %g s: its result is dropped",
                call.name, key, seconds, extra={"task": call.name, "entry": key},
            )  # fmt: skip

    threading.Thread(target=copy_context().run, args=(body,), name=f"wfe-{call.name}", daemon=True).start()
    try:
        result = results.get(timeout=seconds)
    except Empty:
        is_late.set()
        raise TimedOut(seconds) from None
    adopt(call.entry, copy)
    return result()


def _raise(error: BaseException) -> Any:
    raise error
