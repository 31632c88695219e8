"""The protocol of the executors, and the batch that they are handed."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import ValidationError

from engine.model import TaskExecution
from engine.records import changed_fields, entry_text
from engine.runner.outcome import Call, End, Outcome, Report
from engine.runner.performing import failed, perform
from engine.store.recording import Line, Recording, ended, started

if TYPE_CHECKING:
    from engine.processor import Processor


@dataclass(slots=True, eq=False)
class Batch:
    """Executions of one task, the `calls`, which one worker carries out one after the other.

    In `recording`, where there is one, the worker records each start before the body runs, and each end. `is_started`:
    the starts are recorded already, since a worker is free that begins at once.
    """

    calls: list[Call]
    recording: Recording | None = None
    is_started: bool = False
    timeout: float | None = field(default=None)
    """Seconds for its single execution, where the executor itself has to end it."""


class Executor(Protocol):
    """Carries out batches, as the executors of `concurrent.futures` carry out functions.

    One of your own is handed to `Processor.process_entries`. In a process of its own a worker needs more than
    `carry_out`: `engine.executors.processes` is the example. What a run promises does not depend on it, for the run
    alone writes the store; but a batch that is carried out twice is executed twice.

    Example::

        from concurrent.futures import ThreadPoolExecutor

        class Pair:
            workers, is_remote, records = 2, False, True

            def open(self, processor, dry_run):
                self._given = processor, dry_run
                self._pool = ThreadPoolExecutor(2)

            def submit(self, batch):
                processor, dry_run = self._given
                return self._pool.submit(carry_out, processor, batch, dry_run)

            def shutdown(self, *, abort=False):
                self._pool.shutdown(wait=not abort, cancel_futures=abort)

        orders.process_entries(executor=Pair())
    """

    workers: int
    """How many batches it carries out at once."""

    is_remote: bool
    """Its workers are other processes, which get copies of entries and may die."""

    records: bool
    """Its workers can write recordings."""

    def open(self, processor: "Processor", dry_run: bool) -> None:
        """Get ready for the executions of a run.

        Args:
            processor: whose run it is.
            dry_run: what its tasks are told.

        Raises:
            EngineError: it cannot be done: the processor cannot be sent, or nobody answers.
        """

    def submit(self, batch: Batch) -> "Future[Report]":
        """Have a batch carried out, as soon as a worker is free.

        Returns:
            The future of what `carry_out` answers. It raises `WorkerDied` when the worker's process ended in the middle
            of it, `TimedOut` when that was for its timeout.
        """

    def shutdown(self, *, abort: bool = False) -> None:
        """Wait for what was submitted, and end the workers; with `abort`, end them in the middle of it."""


def carry_out(processor: "Processor", batch: Batch, dry_run: bool) -> Report:
    """Carry out a batch here and now: what a worker does.

    Args:
        processor: whose tasks they are.
        batch: the executions.
        dry_run: what the tasks are told.

    Returns:
        How each has ended. What a task raises is in that; a KeyboardInterrupt as well.
    """
    return Report([_execute(processor, call, at, batch.recording, dry_run) for at, call in enumerate(batch.calls)])


def line_number(call: Call, at: int) -> int:
    """By what number the lines of a recording name a call: the entry's, or, if it has none, its place in the batch."""
    return at if call.number is None else call.number


def _execute(processor: "Processor", call: Call, at: int, recording: Recording | None, dry_run: bool) -> Outcome:
    if recording is None:
        return _perform(processor, call, dry_run)
    before = record_start(call, at, recording)
    outcome = _perform(processor, call, dry_run)
    record_end(call, at, recording, outcome, before)
    return outcome


def _perform(processor: "Processor", call: Call, dry_run: bool) -> Outcome:
    try:
        return perform(processor, call, dry_run)
    except KeyboardInterrupt as error:  # a task raised it: ctrl+c is the main thread's alone
        return failed(processor, call, error)


def record_start(call: Call, at: int, recording: Recording) -> str | None:
    """Record that an execution begins; what to give `record_end`."""
    before = _text(call)
    recording.begin(started(line_number(call, at), call.execution))
    return before


def record_end(call: Call, at: int, recording: Recording, outcome: Outcome, before: str | None) -> None:
    """Record how an execution has ended, and what it changed."""
    outcome.put_on(call.execution)
    changes: dict[str, Any] = {} if outcome.record is None else {"error": outcome.record}
    after = _text(call)
    if before is None or after is None:
        changes["unknown"] = True
    elif after != before:
        changes |= changed_fields(call.entry, before, after)
    recording.write(ended(line_number(call, at), call.execution, changes))


def outcome_of(line: Line, call: Call) -> Outcome | None:
    """What a recording says of an execution whose worker died later; None if it died inside, or too much is unknown."""
    execution = TaskExecution.model_validate(line["execution"])
    if execution.running or (execution.processed and line.get("unknown")):
        return None
    end = End.PROCESSED if execution.processed else End.FAILED if execution.error_id else End.INTERRUPTED
    began, finished = execution.execution_time, execution.finished_at or execution.execution_time
    outcome = Outcome(end, began, finished, (finished - began).total_seconds(), execution.status)
    outcome.error_id, outcome.error, outcome.record = execution.error_id, execution.error, line.get("error")
    if line.get("changed"):
        kept = call.entry.model_dump(mode="json", by_alias=False, exclude={"executions", "finished", "halt"})
        fields = {**kept, **line["data"], "due_date": line["due_date"], "source": line["source"]}
        try:
            outcome.entry = type(call.entry).model_validate(fields, by_name=True)
        except ValidationError:
            return None
    return outcome


def _text(call: Call) -> str | None:
    """An entry's fields as JSON; None if it holds what JSON cannot."""
    try:
        return entry_text(call.entry)
    except Exception:
        return None
