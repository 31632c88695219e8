"""Where an entry stands, and what its plan says: values alone. `engine.planning` makes them.

They stand by themselves because a list needs them, and neither the models of entries nor what decides on them.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where an entry stands. It is derived from its plan and its claim, never set by hand.

    ready → running → finished, or one of: waiting (a due date or a repeat is not ripe), interrupted (a StatusException
    without a repeat), failed (an unexpected exception), in doubt (its process died inside a task that is not
    idempotent). An operator's repeat or restart makes the last three ready again. What an operator holds stays where it
    is until it is released, and what is cancelled until it is restarted.
    """

    READY = "ready"
    """The next run executes it."""
    WAITING = "waiting"
    """A later run executes it: its due date, or a repeat, is not ripe."""
    RUNNING = "running"
    """A living process works on it."""
    INTERRUPTED = "interrupted"
    """A task stopped it, expectedly, and nothing repeats that."""
    FAILED = "failed"
    """An exception that nobody expected."""
    IN_DOUBT = "in doubt"
    """Its process died inside a task, which may or may not have taken effect."""
    FINISHED = "finished"
    """All tasks are done, and no repeat is due."""
    HELD = "held"
    """An operator lets no run execute it, until it is released."""
    CANCELLED = "cancelled"
    """An operator lets no run execute it any more; a restart takes it up again."""


FAILURES = frozenset({State.FAILED, State.INTERRUPTED, State.IN_DOUBT})
"""The states that need an operator."""

URGENCY = {
    State.FAILED: 0,
    State.IN_DOUBT: 1,
    State.INTERRUPTED: 2,
    State.RUNNING: 3,
    State.WAITING: 4,
    State.READY: 5,
    State.HELD: 5.5,
    State.FINISHED: 6,
    State.CANCELLED: 7,
}
"""The states in the order in which an operator wants to see them. Stores are full of these numbers: a state that comes
in between has one in between."""


def shown_state(state: State) -> dict[str, Any]:
    """The fields by which a state is counted, filtered and sorted."""
    return {"state": state.value, "urgency": URGENCY[state]}


class StepKind(StrEnum):
    """What becomes of one task in a run at the plan's moment."""

    DONE = "done"
    """Nothing: it was processed."""
    EXECUTE = "execute"
    """It is executed for the first time."""
    REPEAT = "repeat"
    """It is executed again."""
    WAIT_UNTIL = "wait until"
    """It is executed again in a run at a later moment."""
    WAIT_CYCLES = "wait cycles"
    """It is executed again after some more runs."""
    INTERRUPTED = "interrupted"
    """Nothing: it stopped the entry, expectedly."""
    FAILED = "failed"
    """Nothing: it raised what nobody expected."""
    IN_DOUBT = "in doubt"
    """Nothing: its process died inside it."""
    NOT_REACHED = "not reached"
    """Nothing: a task before it stops the entry, or an operator does."""

    @property
    def is_to_do(self) -> bool:
        """A run at the plan's moment executes the task."""
        return self in (StepKind.EXECUTE, StepKind.REPEAT)

    @property
    def is_wait(self) -> bool:
        """A later run executes the task."""
        return self in (StepKind.WAIT_UNTIL, StepKind.WAIT_CYCLES)


@dataclass(frozen=True)
class Step:
    """One task of a plan.

    Args:
        task: its name.
        kind: what becomes of it.
        why: the reason, for people.
        attempts: how many there have been, pruned ones included.
        until: when it is executed again (UTC), of *wait until*; of a *repeat*, the moment that has come for it.
        cycles: in the how-manieth run from now, of *wait cycles*.
        blocks: it keeps the tasks after it from being reached.
    """

    task: str
    kind: StepKind
    why: str = ""
    attempts: int = 0
    until: datetime | None = None
    cycles: int | None = None
    blocks: bool = False


@dataclass(frozen=True)
class Plan:
    """What a run would do with an entry, as `engine.planning.plan` answers it.

    Args:
        state: where the entry stands.
        steps: its tasks, in order.
        current: the one that `state` speaks of; None when there is none.
        why: the reason, for people.
        due: when a waiting entry moves by itself (UTC), if time alone moves it.
    """

    state: State
    steps: tuple[Step, ...]
    current: Step | None = None
    why: str = ""
    due: datetime | None = None

    @property
    def held_by_due_date(self) -> bool:
        """It waits for its due date alone: a task would be executed, were the date ripe."""
        return self.state is State.WAITING and self.current is not None and self.current.kind.is_to_do

    @property
    def done(self) -> int:
        """How many tasks are done."""
        return sum(step.kind is StepKind.DONE for step in self.steps)
