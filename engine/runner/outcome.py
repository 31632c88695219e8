"""What an execution is to do, and what became of it: plain values that travel between processes."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from engine.model import TaskExecution, WorkflowModel
from engine.runner.capture import Logged
from engine.status import Status
from engine.task import Task


@dataclass(slots=True)
class Call:
    """One execution that is to be done: one task on one entry.

    `number` is the entry's in the store, None where it has none. `previous_error` is what ended the attempt before.
    """

    entry: WorkflowModel
    execution: TaskExecution
    task: Task
    number: int | None = None
    previous_error: str | None = None

    @property
    def name(self) -> str:
        """The task's name."""
        return self.execution.name


class End(StrEnum):
    """How an execution ended."""

    PROCESSED = "processed"
    INTERRUPTED = "interrupted"
    """By a StatusException."""
    FAILED = "failed"
    """By an unexpected exception, or by its timeout."""
    DIED = "died"
    """Its worker process died inside it: whether it took effect, nobody knows."""


@dataclass(slots=True)
class Outcome:
    """What became of an execution.

    `began` and `ended` are UTC, `seconds` is how long it took by a clock that is never set; None where nobody measured
    it, since it was ended from outside or not executed at all. `error_id`, `error` (one line) and `record` (see
    `engine.errors`) belong to an unexpected exception; `exception` is that itself, where it happened in this process.
    `entry` is the entry as the task left it, where that was another process's copy. `logged` is what the task logged.
    """

    end: End
    began: datetime
    ended: datetime
    seconds: float | None
    status: Status | None = None
    error_id: UUID | None = None
    error: str | None = None
    record: dict[str, Any] | None = None
    exception: BaseException | None = None
    entry: WorkflowModel | None = None
    logged: Logged | None = None

    def put_on(self, execution: TaskExecution) -> None:
        """Bring it on the execution that has ended so."""
        fields: dict[str, Any] = {
            "execution_time": self.began,
            "status": self.status,
            "error": self.error,
            "error_id": self.error_id,
        }
        if self.end is not End.DIED:
            fields |= {"running": False, "processed": self.end is End.PROCESSED, "finished_at": self.ended}
        # As they are: to validate what the engine itself made takes longer than all else that is done here.
        execution.__dict__.update(fields)


@dataclass(slots=True)
class Report:
    """What a worker answers for a batch: the outcome of each call, None if it was not begun, and what was counted."""

    outcomes: list[Outcome | None]
    statistics: dict[str, Any] = field(default_factory=dict)
