"""What a run writes down beside the entries themselves: claims, starts, errors, its own progress."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from engine.exceptions import EntryError
from engine.model import TaskExecution, WorkflowModel
from engine.planning import State


class Ending(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


FAILURES = frozenset({State.FAILED, State.INTERRUPTED, State.IN_DOUBT})
"""The states that need an operator."""


@dataclass(frozen=True)
class Failure:
    """An entry that a run left failed, interrupted or in doubt."""

    key: str | None
    state: State
    task: str | None
    reason: str
    error_id: str | None


@dataclass
class RunResult:
    """What one run did; counted while it goes on.

    `total` is how many entries it was given, where that is known in advance; `considered` how many it came to;
    `states` counts those by the state they are left in. `failures` has the first hundred of the entries left failed,
    interrupted or in doubt, `refused` a sentence for each entry that could not be accepted. `number` is the run's
    number in the store, where there is one.
    """

    total: int | None = None
    considered: int = 0
    states: Counter[State] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    number: int | None = None

    @property
    def failed(self) -> int:
        """How many of its entries are left failed, interrupted or in doubt."""
        return sum(self.states[state] for state in FAILURES)

    def leave(self, state: State, failure: Failure | None = None) -> None:
        """Count an entry that was considered."""
        self.considered += 1
        self.states[state] += 1
        if failure and len(self.failures) < 100:
            self.failures.append(failure)

    def refuse(self, sentence: str) -> None:
        """Count an entry that could not be accepted."""
        self.considered += 1
        self.refused.append(sentence)


class Journal:
    """The journal of a processor that keeps its own storage: writes nothing, accepts every entry."""

    look_ahead = 1
    """How many entries are read and announced before the first of them is processed."""

    def start_run(self, result: RunResult) -> None:
        """A run begins."""

    def announce(self, entries: Sequence[WorkflowModel]) -> list[tuple[WorkflowModel, EntryError | None]]:
        """These entries are about to be considered; answers which of them cannot be accepted, and why."""
        return [(entry, None) for entry in entries]

    def claim(self, entry: WorkflowModel) -> bool:
        """Become the entry's owner, with its newest progress; False when another living process owns it."""
        return True

    def start(self, entry: WorkflowModel, execution: TaskExecution) -> None:
        """A task is about to be executed."""

    def check(self, entry: WorkflowModel) -> None:
        """Raise EntryError when what a task left on the entry cannot be written."""

    def error(self, record: dict[str, Any]) -> None:
        """An unexpected exception happened."""

    def release(self, entry: WorkflowModel) -> None:
        """Give up an entry that was claimed."""

    def lose(self, entry: WorkflowModel, failure: Failure) -> None:
        """Give up an entry that an exception outside its tasks has cost."""

    def progress(self, result: RunResult) -> None:
        """One more entry was considered."""

    def end_run(self, result: RunResult, ending: Ending) -> None:
        """The run is over."""


SILENT = Journal()
