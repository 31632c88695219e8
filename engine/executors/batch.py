"""The protocol of the executors, and the batch that they are handed."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from engine.errors import one_line
from engine.outcome import Call, Outcome, Report
from engine.performing import perform
from engine.records import changed_fields, entry_text
from engine.store.recording import Recording, ended, started

if TYPE_CHECKING:
    from engine.processor import Processor


@dataclass(slots=True, eq=False)
class Batch:
    """Executions of one task, which one worker carries out one after the other.

    With a `recording` the worker records each start before the body runs, and each end. Without one, it is a single
    execution whose start is recorded already.
    """

    calls: list[Call]
    recording: Recording | None = None
    timeout: float | None = field(default=None)
    """Seconds for its single execution, where the executor itself has to end it."""


class Executor(Protocol):
    """Carries out batches, as the executors of `concurrent.futures` carry out functions."""

    workers: int
    """How many batches it carries out at once."""

    is_remote: bool
    """Its workers are other processes, which get copies of entries and may die."""

    def open(self, processor: "Processor", dry_run: bool) -> None:
        """Get ready for the executions of a run.

        Raises:
            EngineError: it cannot be done: the processor cannot be sent, or nobody answers.
        """

    def submit(self, batch: Batch) -> "Future[Report]":
        """Have a batch carried out.

        The future raises `WorkerDied` when the worker's process ended in the middle of it, `TimedOut` when that was
        for its timeout.
        """

    def shutdown(self, *, abort: bool = False) -> None:
        """Wait for what was submitted, and end the workers; with `abort`, end them in the middle of it."""


def carry_out(processor: "Processor", batch: Batch, dry_run: bool) -> Report:
    """Carry out a batch here and now."""
    return Report([_execute(processor, call, at, batch.recording, dry_run) for at, call in enumerate(batch.calls)])


def line_number(call: Call, at: int) -> int:
    """By what number the lines of a recording name a call: the entry's, or, if it has none, its place in the batch."""
    return at if call.number is None else call.number


def _execute(processor: "Processor", call: Call, at: int, recording: Recording | None, dry_run: bool) -> Outcome:
    if recording is None:
        return perform(processor, call, dry_run)
    before = _text(call)
    recording.begin(started(line_number(call, at), call.execution))
    outcome = perform(processor, call, dry_run)
    outcome.put_on(call.execution)
    changes: dict[str, Any] = {} if outcome.record is None else {"error": outcome.record}
    if before is not None and (after := _text(call)) is not None and after != before:
        changes |= changed_fields(call.entry, before, after)
    recording.write(ended(line_number(call, at), call.execution, changes))
    return outcome


def _text(call: Call) -> str | None:
    """An entry's fields as JSON; None if it has no place in a store, or holds what JSON cannot."""
    try:
        return None if call.number is None else entry_text(call.entry)
    except Exception:
        return None


def what_is_wrong(error: BaseException) -> str:
    """A failure of an executor itself, in one line."""
    return one_line(error)
