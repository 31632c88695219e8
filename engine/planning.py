"""What happens next to an entry, and why: one pure function, no clock, no I/O.

The runner acts on a `Plan`, the shell and the console print it; there is no second opinion anywhere.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, lru_cache
from itertools import takewhile

from engine.due_date import parse_due_date
from engine.model import Halt, TaskExecution, WorkflowModel, attempts_so_far
from engine.state import Plan, State, Step, StepKind
from engine.status import NotYet, RepeatAfterCycle, Ripe, Status

__all__ = ["Plan", "State", "Step", "StepKind", "plan"]


def plan(entry: WorkflowModel, tasks: Sequence[str], moment: datetime) -> Plan:
    """What a run at `moment` would do with an entry.

    Args:
        entry: its executions, due date and finished moment are read, nothing else.
        tasks: the names of its processor's tasks, in order.
        moment: aware.

    Returns:
        The plan. Its state is never *running*: whether someone works on the entry is the claim's to say.

    Raises:
        InputError: the entry's due date is in none of the documented forms.
    """
    if entry.finished is not None:
        return Plan(State.FINISHED, tuple(_past(name, entry.get_execution(name)) for name in tasks))
    if entry.halt is not None:
        return _halted(entry, tasks, moment, entry.halt)
    return _unhalted(entry, tasks, moment)


def _unhalted(entry: WorkflowModel, tasks: Sequence[str], moment: datetime) -> Plan:
    if not entry.executions:
        return _held_back(_untouched(tuple(tasks)), entry.due_date, moment)
    steps: list[Step] = []
    is_blocked = False
    for name in tasks:
        attempts = entry.get_execution(name)
        step = _behind_a_block(name, attempts) if is_blocked else _step(name, attempts, moment)
        is_blocked = is_blocked or step.blocks
        steps.append(step)
    return _held_back(_conclude(tuple(steps)), entry.due_date, moment)


def _halted(entry: WorkflowModel, tasks: Sequence[str], moment: datetime, halt: Halt) -> Plan:
    """The plan of an entry that no run executes: where it would stand, and nothing that is to be done there."""
    planned = _unhalted(entry, tasks, moment)
    state = State.CANCELLED if halt.is_cancelled else State.HELD
    steps = tuple(
        replace(step, kind=StepKind.NOT_REACHED, until=None, cycles=None)
        if step.kind.is_to_do or step.kind.is_wait
        else step
        for step in planned.steps
    )
    at = planned.steps.index(planned.current) if planned.current else None
    return Plan(state, steps, None if at is None else steps[at], halt.words())


@cache
def _untouched(tasks: tuple[str, ...]) -> Plan:
    """The plan of an entry of which nothing was executed yet: of most of those that a run is given."""
    return _conclude(tuple(Step(name, StepKind.EXECUTE, "not executed yet") for name in tasks))


def _past(name: str, attempts: Sequence[TaskExecution]) -> Step:
    if not attempts:
        return Step(name, StepKind.NOT_REACHED)
    return _done(name, _said(attempts[0]), attempts_so_far(attempts))


@lru_cache(maxsize=1024)
def _done(name: str, why: str, attempts: int) -> Step:
    """A task that is done: the same for most of the entries that went through it."""
    return Step(name, StepKind.DONE, why, attempts)


def _behind_a_block(name: str, attempts: Sequence[TaskExecution]) -> Step:
    if attempts and attempts[0].processed and not attempts[0].restart:
        return _past(name, attempts)
    return Step(name, StepKind.NOT_REACHED, attempts=attempts_so_far(attempts))


def _step(name: str, attempts: Sequence[TaskExecution], moment: datetime) -> Step:
    if not attempts:
        return Step(name, StepKind.EXECUTE, "not executed yet")
    newest = with_repeat(attempts)
    if newest.running and not newest.restart:
        return _in_doubt(name, attempts)
    ripeness = newest.ripeness(since_restart(attempts), moment)
    why = " · ".join(part for part in (ripeness.why, _said(newest)) if part)
    step = Step(name, StepKind.DONE, why, attempts_so_far(attempts))
    if isinstance(ripeness, Ripe):
        return replace(step, kind=StepKind.REPEAT, until=ripeness.since)
    if isinstance(ripeness, NotYet):
        kind = StepKind.WAIT_CYCLES if ripeness.cycles else StepKind.WAIT_UNTIL
        return replace(step, kind=kind, until=ripeness.until, cycles=ripeness.cycles, blocks=not newest.processed)
    if newest.processed:
        return step
    if newest.error_id is not None:
        return replace(step, kind=StepKind.FAILED, blocks=True)
    if newest.status is not None:
        return replace(step, kind=StepKind.INTERRUPTED, blocks=True)
    return replace(step, kind=StepKind.EXECUTE, why="not executed yet")


MOST_DEATHS = 3
"""So many processes in a row may die inside an idempotent task of an entry before an operator is asked: one that kills
its process would otherwise go on killing, night after night."""


def _in_doubt(name: str, attempts: Sequence[TaskExecution]) -> Step:
    """A task inside which its process died: it may have taken effect or not."""
    newest, count = attempts[0], attempts_so_far(attempts)
    deaths = sum(1 for _ in takewhile(lambda attempt: attempt.running and not attempt.restart, attempts))
    why = "its process died inside this task" if deaths == 1 else f"{deaths} processes in a row died inside it"
    is_stopped = newest.status is not None and newest.status.repeat is False  # by an operator: it had not spoken yet
    if newest.idempotent and deaths < MOST_DEATHS and not is_stopped:
        return Step(name, StepKind.REPEAT, f"{why}, which is idempotent", count)
    return Step(name, StepKind.IN_DOUBT, why, count, blocks=True)


def since_restart(attempts: Sequence[TaskExecution]) -> int:
    """How many of a task's attempts (newest first) count against a bound of reruns: a restart grants them anew."""
    return next((number for number, attempt in enumerate(attempts) if number and attempt.restart), len(attempts))


def with_repeat(attempts: Sequence[TaskExecution]) -> TaskExecution:
    """The newest attempt of a task (of these, newest first) with the repeat that counts for it.

    That is its own; or, while none is processed, the one that an operator set before for a number of reruns.
    """
    newest = attempts[0]
    if newest.processed or newest.running or newest.repeat_stands:
        return newest
    earlier = takewhile(lambda attempt: not attempt.processed, attempts[1 : since_restart(attempts)])
    set_before = next((attempt.status for attempt in earlier if attempt.repeat_stands), None)
    if set_before is None:
        return newest
    repeat = set_before.repeat
    if isinstance(repeat, RepeatAfterCycle):
        repeat = repeat.model_copy(update={"current_cycle": 0})
    status = (newest.status or Status()).model_copy(update={"repeat": repeat, "max_reruns": set_before.max_reruns})
    return newest.model_copy(update={"status": status, "repeat_stands": True})


_STOPPED = {
    StepKind.FAILED: State.FAILED,
    StepKind.IN_DOUBT: State.IN_DOUBT,
    StepKind.INTERRUPTED: State.INTERRUPTED,
}


def _conclude(steps: tuple[Step, ...]) -> Plan:
    """The state that follows from the steps. What stops the entry outweighs a repeat due before it."""
    stopping = next((step for step in steps if step.kind in _STOPPED), None)
    if stopping:
        return Plan(_STOPPED[stopping.kind], steps, stopping, stopping.why)
    to_do = next((step for step in steps if step.kind.is_to_do), None)
    if to_do:
        return Plan(State.READY, steps, to_do, to_do.why)
    waits = sorted((step for step in steps if step.kind.is_wait), key=lambda step: not step.blocks)
    if waits:
        due = min((step.until for step in waits if step.until), default=None)
        return Plan(State.WAITING, steps, waits[0], waits[0].why, due)
    return Plan(State.FINISHED, steps)


def _held_back(planned: Plan, due_date: str | None, moment: datetime) -> Plan:
    """The plan of an entry whose due date, if it has one, may not be ripe."""
    if due_date is None or planned.state not in (State.READY, State.WAITING):
        return planned
    window = parse_due_date(due_date)
    is_ripe = window.is_ripe(moment)
    opens = moment if is_ripe else window.ripe_from(moment)
    if opens is None:
        return replace(planned, state=State.WAITING, why=f"its due date {due_date} has passed", due=None)
    if planned.due and not window.is_ripe(max(opens, planned.due)):
        return replace(planned, why=f"its due date {due_date} ends before that: {planned.why}", due=None)
    if is_ripe:
        return planned
    due = max(opens, planned.due) if planned.due else opens
    return replace(planned, state=State.WAITING, why=f"its due date is {due_date}", due=due)


def _said(execution: TaskExecution) -> str:
    """What an attempt left for people to read: the error, or the task's message."""
    return execution.error or (execution.status.message if execution.status else None) or ""
