"""An entry and its progress: `WorkflowModel` is the base of a user's entries, `TaskExecution` an attempt of a task."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from engine.clock import as_utc, utc_now
from engine.due_date import parse_due_date
from engine.exceptions import InputError
from engine.status import Never, Ripe, Ripeness, Status, UtcDatetime

Target = TypeVar("Target", bound="WorkflowModel")


class TaskExecution(BaseModel):
    """One attempt of one task on one entry: when it was, how it ended, and what was said of it.

    The engine makes them, and keeps them in `WorkflowModel.executions`; `WorkflowModel.get_execution` finds them.

    Attributes:
        name: the task's class name.
        execution_time: when it began (UTC).
        finished_at: when it ended (UTC), well or not.
        processed: it ended well.
        error_id: it ended with an unexpected exception: the key of its stack trace in the log and in the store.
        status: what the task said, or what an operator set.
        run_count: the how-manieth attempt of this task on this entry it is, from 1.
        running: its start is recorded and its end is not: it runs, or its process died inside it.
        idempotent: its task was declared to be executed again by itself if its process dies inside it; see
            `Task.idempotent`.
        skipped: it was not executed: an operator had the task taken as done.
        restart: an operator asked for the task to be executed again, whatever its repeat policy says.
        repeat_stands: an operator gave its repeat a number of reruns: it counts for those attempts, too,
            whatever they say.
        error: type and message of the exception that `error_id` names, in one line.
    """

    model_config = ConfigDict(validate_assignment=True)

    name: str
    execution_time: UtcDatetime = Field(default_factory=utc_now)
    finished_at: UtcDatetime | None = None
    processed: bool = False
    error_id: UUID | None = None
    status: Status | None = None
    run_count: int | None = None
    running: bool = False
    idempotent: bool = False
    skipped: bool = False
    restart: bool = False
    repeat_stands: bool = False
    error: str | None = None

    def ripeness(self, attempts: int, moment: datetime) -> Ripeness:
        """Whether a run executes this task again, and why.

        Args:
            attempts: how many there have been, of which this is the newest.
            moment: when the run is (aware).
        """
        if self.restart:
            return Ripe("restarted by an operator")
        return self.status.ripeness(self.execution_time, attempts, moment) if self.status else Never()

    def repeat(self, consider_datetime: datetime | None = None, run_count: int | None = None) -> Status | None:
        """Answer whether a run at `consider_datetime` would execute this task again. Changes nothing.

        Args:
            consider_datetime: the moment asked about; None is now, without a zone it is local time.
            run_count: how many executions there have been; None: as many as this one's number.

        Returns:
            The status whose policy says so, or None.
        """
        moment = utc_now() if consider_datetime is None else as_utc(consider_datetime)
        attempts = run_count if run_count is not None else self.run_count or 1
        return self.status if isinstance(self.ripeness(attempts, moment), Ripe) else None


def attempts_so_far(attempts: Sequence[TaskExecution]) -> int:
    """How many attempts of a task there have been, of which these (newest first) have not been pruned."""
    return max(len(attempts), attempts[0].run_count or 0) if attempts else 0


class Halt(BaseModel):
    """What an operator has put on an entry so that no run executes it: it is held, or cancelled."""

    is_cancelled: bool = False
    """For good; else until it is released."""

    who: str
    """`user@host`."""

    when: UtcDatetime
    """When (UTC)."""

    why: str | None = None
    """A reason, in the operator's words."""

    def words(self) -> str:
        """`held by anna@host: customs are closed`, for people; not literal."""
        verb = "cancelled" if self.is_cancelled else "held"
        return f"{verb} by {self.who}" + (f": {self.why}" if self.why else "")


def _checked_due_date(text: str) -> str:
    try:
        parse_due_date(text)
    except InputError as error:
        raise ValueError(str(error)) from error
    return text


class WorkflowModel(BaseModel):
    """Base of a user's entries: a subclass adds the entry's own fields, and its progress is kept here.

    It is a pydantic model. In a `StoredProcessor` it has a `key`, a field or a property, by which an entry is known
    again. What a task writes on it, the next task sees. What is kept of it is its JSON: a connection or an open file
    belongs to the task that needs it. `due_date` and `source` may be given; the other fields below are the engine's.

    Attributes:
        due_date: when the entry may be processed, local time: `2026-03-14 11:12` (in that minute),
            `2026-03-14 11` (in that hour), `2026/03/14` (on that day), `>2026/03/14` (after it) or `<2026/03/14`
            (before it). None is at any time.
        source: who or what is responsible for this entry.
        executions: every attempt so far, oldest first.
        finished: when the last task was processed and nothing was left to repeat (UTC).
        halt: an operator's word that no run executes it, as long as that stands; see `engine.operations`.

    Example::

        class Order(WorkflowModel):
            key: str
            country: str
            parcel: str | None = None

        order = Order(key="A-1", country="DE", due_date=">2026/03/14")
    """

    model_config = ConfigDict(ser_json_inf_nan="strings")

    due_date: Annotated[str, AfterValidator(_checked_due_date)] | None = None
    source: str | None = None
    executions: list[TaskExecution] | None = None
    finished: UtcDatetime | None = None
    halt: Halt | None = None

    def get_execution(self, execution: str | type) -> list[TaskExecution]:
        """The attempts of one task.

        Args:
            execution: the task's class, or its name.

        Returns:
            Its executions, newest first.
        """
        name = execution if isinstance(execution, str) else execution.__name__
        own = [execution for execution in self.executions or () if execution.name == name]
        if len(own) > 1:
            own.reverse()  # so that of equals the later comes first
            own.sort(key=lambda execution: (execution.run_count or 0, execution.execution_time), reverse=True)
        return own

    def new_execution(self, execution: str | type) -> TaskExecution:
        """Add an attempt of a task, beginning now. The engine does; a test may, to say what has happened before.

        Args:
            execution: the task's class, or its name.

        Returns:
            The attempt.
        """
        name = execution if isinstance(execution, str) else execution.__name__
        new = TaskExecution(name=name, run_count=attempts_so_far(self.get_execution(name)) + 1)
        self.executions = [*(self.executions or []), new]
        return new

    def has_processed(self, execution: str | type) -> bool:
        """Whether a task (its class, or its name) was ever processed successfully for this entry."""
        return any(attempt.processed for attempt in self.get_execution(execution))

    def get_markdown_info(self) -> str:
        """What the log says of an entry whose task failed; override it to say more."""
        return f"*source:* {self.source}"

    def type_cast(self, type: type[Target]) -> Target:  # noqa: A002 - the published name
        """The same entry as an instance of another model, validated anew.

        Args:
            type: the model.

        Raises:
            pydantic.ValidationError: the other model has a field that this entry cannot fill.
        """
        return type.model_validate(self.model_dump())


def adopt(entry: WorkflowModel, other: WorkflowModel) -> None:
    """Give an entry the fields of a copy of it that a task has worked on elsewhere, but not its executions."""
    entry.__dict__.update({name: value for name, value in other.__dict__.items() if name != "executions"})
    if other.__pydantic_extra__ is not None:
        entry.__pydantic_extra__ = other.__pydantic_extra__
    if other.__pydantic_private__ is not None:
        entry.__pydantic_private__ = other.__pydantic_private__
