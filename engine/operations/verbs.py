"""What each verb does to one entry, or why it is not done: pure, no I/O."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from engine.model import Halt, TaskExecution, WorkflowModel
from engine.planning import since_restart
from engine.repeating import options_of
from engine.state import Plan, State, StepKind
from engine.status import Repeat, Status


class Refusal(Exception):  # noqa: N818 - not an error: the answer for one entry
    """Why something is not done to an entry, a processor, a run or an action: a sentence for the operator."""


@dataclass(frozen=True)
class By:
    """Who does something, why, and at which moment (UTC)."""

    who: str
    why: str | None
    moment: datetime


class Verb(ABC):
    """One thing that can be done to an entry. `act` does it to many, and records it; `preview` shows it beforehand."""

    needs_worker: ClassVar[bool] = False
    """A worker has to execute what it asks for."""

    can_be_undone: ClassVar[bool] = False
    """Another verb takes it back, and nothing has happened meanwhile: no question has to be asked before."""

    only: ClassVar[State | None] = None
    """The one state of entries that it is done to."""

    @property
    def withdraws(self) -> bool:
        """What was asked for an entry before, and was not executed yet, is not done any more."""
        return False

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called everywhere: on the screen, in the shell, in the record."""

    @property
    def words(self) -> Sequence[str]:
        """What is typed behind `wfe` for it."""
        return self.name.split()

    @property
    def executes(self) -> bool:
        """It has a task executed, which a due date may not allow yet."""
        return self.needs_worker

    @property
    def reruns(self) -> bool:
        """It has the task at which an entry stands executed again, now or later."""
        return self.executes

    @property
    def awaits(self) -> bool:
        """It is through with an entry only when an engine was: then that has a verdict."""
        return self.needs_worker or self.reruns

    @abstractmethod
    def change(self, entry: WorkflowModel, planned: Plan, by: By) -> None:
        """Do it to an entry; nobody works on it.

        Args:
            entry: its progress is read and changed, nothing else of it is there.
            planned: how it stands.
            by: who does it, why, and when (UTC).

        Raises:
            Refusal: why not; the entry may have been changed in part, and is to be thrown away.
        """


@dataclass(frozen=True)
class SetRepeat(Verb):
    """Set or clear the repeat of the task at which an entry stands; the next run that may executes it again, or not.

    Args:
        repeat: True for the next run, False for never, or a policy.
        max_reruns: up to so many times from now on, until the task is processed, whatever it says meanwhile; None is
            once, whatever bound there was: from then on the task's own word counts.
    """

    repeat: Repeat
    max_reruns: int | None = None

    can_be_undone = True

    @property
    def name(self) -> str:
        return "repeat off" if self.repeat is False else "repeat on"

    @property
    def words(self) -> Sequence[str]:
        bound = [] if self.max_reruns is None else ["--reruns", str(self.max_reruns)]
        return [*self.name.split(), *options_of(self.repeat), *bound]

    @property
    def executes(self) -> bool:
        return self.repeat is True

    @property
    def reruns(self) -> bool:
        return self.repeat is not False

    @property
    def withdraws(self) -> bool:
        return self.repeat is False

    def change(self, entry: WorkflowModel, planned: Plan, by: By) -> None:
        newest = newest_of(entry, planned)
        if newest is None:
            raise Refusal("its task was not executed yet: there is nothing to repeat")
        attempts, status = entry.get_execution(newest.name), newest.status or Status()
        for execution in attempts:
            execution.repeat_stands = False
        if self.repeat is False:
            newest.status = status.model_copy(update={"repeat": False})
            newest.restart = False
            for execution in _newest_of_all(entry, planned):
                execution.restart = False
            return
        if entry.halt is not None and entry.halt.is_cancelled:
            raise Refusal(f"it is {entry.halt.words()}: {_way_out(entry.halt)}")
        if newest.running and (self.repeat is not True or self.max_reruns is not None):
            raise Refusal(f"its process died inside {newest.name}: until that has run again, its repeat is on or off")
        bound = None if self.max_reruns is None else since_restart(attempts) - 1 + self.max_reruns
        newest.status = status.model_copy(update={"repeat": self.repeat, "max_reruns": bound})
        newest.repeat_stands = bound is not None
        newest.restart = newest.running  # in doubt, no policy counts


@dataclass(frozen=True)
class Restart(Verb):
    """Execute an entry again now: from the task at which it stands (finished tasks are kept), or from the start.

    It is recorded for a worker to take (`engine.worker`); a run that comes first takes it up as well. A cancelled entry
    is taken up again by it.

    Args:
        from_start: finished tasks are executed again, too.
    """

    from_start: bool = False

    needs_worker = True

    @property
    def name(self) -> str:
        return "restart from the start" if self.from_start else "restart"

    @property
    def words(self) -> Sequence[str]:
        return ["restart", "--from-start"] if self.from_start else ["restart"]

    def change(self, entry: WorkflowModel, planned: Plan, by: By) -> None:
        if entry.halt is not None and not entry.halt.is_cancelled:
            raise Refusal(f"it is {entry.halt.words()}: release it first")
        if self.from_start:
            entry.halt = entry.finished = None
            for execution in _newest_of_all(entry, planned):
                execution.restart = True
        else:
            newest = newest_of(entry, planned)
            entry.halt = None
            if newest is not None:
                newest.restart = True


@dataclass(frozen=True)
class Skip(Verb):
    """Take the task at which an entry stands as done, without executing it, and go on with the next one."""

    needs_worker = True

    @property
    def name(self) -> str:
        return "skip"

    @property
    def executes(self) -> bool:
        return False

    def change(self, entry: WorkflowModel, planned: Plan, by: By) -> None:
        if entry.halt is not None:
            raise Refusal(f"it is {entry.halt.words()}: {_way_out(entry.halt)}")
        step = planned.current
        if step is None:
            raise Refusal("it is finished: there is no task to skip")
        if step.kind is StepKind.IN_DOUBT:
            raise Refusal(f"{step.task} may have taken effect: decide first whether it did")
        attempts = entry.get_execution(step.task)
        skipped = TaskExecution(
            name=step.task,
            execution_time=by.moment,
            finished_at=by.moment,
            processed=True,
            skipped=True,
            run_count=step.attempts + 1,
            status=Status(message=_said("skipped", by)),
        )
        for execution in attempts[:1]:
            execution.restart = False
        entry.executions = [*(entry.executions or []), skipped]


@dataclass(frozen=True)
class Hold(Verb):
    """Let no run execute an entry until it is released."""

    can_be_undone = True

    @property
    def name(self) -> str:
        return "hold"

    def change(self, entry: WorkflowModel, planned: Plan, by: By) -> None:
        if planned.state is State.FINISHED:
            raise Refusal("it is finished: there is nothing to hold")
        if entry.halt is not None:
            raise Refusal(f"it is {entry.halt.words()}")
        entry.halt = Halt(who=by.who, when=by.moment, why=by.why)


@dataclass(frozen=True)
class Release(Verb):
    """End a hold: from now on runs execute the entry as its plan says."""

    can_be_undone = True
    only = State.HELD

    @property
    def name(self) -> str:
        return "release"

    def change(self, entry: WorkflowModel, planned: Plan, by: By) -> None:
        entry.halt = None


@dataclass(frozen=True)
class Cancel(Verb):
    """Let no run execute an entry any more; what is done stays done. Only a restart takes it up again."""

    @property
    def name(self) -> str:
        return "cancel"

    @property
    def withdraws(self) -> bool:
        return True

    def change(self, entry: WorkflowModel, planned: Plan, by: By) -> None:
        if planned.state is State.FINISHED:
            raise Refusal("it is finished: there is nothing to cancel")
        if entry.halt is not None and entry.halt.is_cancelled:
            raise Refusal(f"it is {entry.halt.words()}")
        entry.halt = Halt(is_cancelled=True, who=by.who, when=by.moment, why=by.why)


class Decision(StrEnum):
    """What an operator found out of a task inside which its process died."""

    AGAIN = "again"
    """It took no effect, or may take it twice: execute it again."""

    DONE = "done"
    """It took effect."""


@dataclass(frozen=True)
class Decide(Verb):
    """Decide of an entry in doubt: execute the task inside which its process died again, or take it as done and go on
    with the next one.

    Args:
        verdict: which of these, by what was found out.
    """

    verdict: Decision

    needs_worker = True
    only = State.IN_DOUBT

    @property
    def name(self) -> str:
        return f"decide {self.verdict}"

    @property
    def executes(self) -> bool:
        return self.verdict is Decision.AGAIN

    def change(self, entry: WorkflowModel, planned: Plan, by: By) -> None:
        newest = newest_of(entry, planned)
        assert newest is not None, "what is in doubt was executed"
        if self.verdict is Decision.AGAIN:
            newest.restart = True
            return
        newest.running, newest.processed, newest.finished_at = False, True, by.moment
        newest.status = Status(message=_said("decided done", by))


VERBS: tuple[Verb, ...] = (
    SetRepeat(True), SetRepeat(False), Restart(), Restart(from_start=True), Skip(), Hold(), Release(), Cancel(),
    *map(Decide, Decision),
)  # fmt: skip
"""Each verb, in each of the ways that have a name of their own."""


def newest_of(entry: WorkflowModel, planned: Plan) -> TaskExecution | None:
    """The newest execution of the task at which an entry stands; None if it was not executed yet.

    Raises:
        Refusal: it is finished, and stands at none.
    """
    if planned.state is State.FINISHED:
        raise Refusal("it is finished: restart it from the start")
    attempts = entry.get_execution(planned.current.task) if planned.current else []
    return attempts[0] if attempts else None


def _newest_of_all(entry: WorkflowModel, planned: Plan) -> list[TaskExecution]:
    """The newest execution of each task."""
    return [execution for step in planned.steps for execution in entry.get_execution(step.task)[:1]]


def _said(what: str, by: By) -> str:
    return f"{what} by {by.who}" + (f": {by.why}" if by.why else "")


def _way_out(halt: Halt) -> str:
    return "restart it first" if halt.is_cancelled else "release it first"
