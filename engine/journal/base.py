"""What a run writes down beside the entries themselves: claims, starts, errors, its own progress."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from engine.exceptions import EntryError
from engine.model import WorkflowModel
from engine.runner.capture import Logged
from engine.runner.outcome import Call, Outcome
from engine.state import FAILURES, State
from engine.store.recording import Recording
from engine.wishes import Wish
from engine.worker.canary import Brake

HEARTBEAT = 5.0
"""Seconds after which a run that goes on has written `updated` of its document again, at the latest: if it has not, it
shows no sign of life."""


class Ending(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    """It considered all of its entries."""
    STOPPED = "stopped"
    """It was asked to stop or to drain, or its processor was paused; what was under way has ended and is recorded."""
    CRASHED = "crashed"
    """An exception ended it, or its process died."""
    ABORTED = "aborted"
    """It was made to end at once; what was under way is in doubt."""


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
    """What one run did, as `Processor.process_entries` answers it; counted while it goes on.

    `total` is how many entries it was given, where that is known in advance; `considered` how many it is through with;
    `in_progress` how many it works on; `states` counts those by the state they are left in. `failures` has the first
    hundred of the entries left failed, interrupted or in doubt, `refused` a sentence for each entry that could not be
    accepted. `number` is the run's number in the store, where there is one; `ending` is None while it goes on.
    """

    total: int | None = None
    considered: int = 0
    in_progress: int = 0
    states: Counter[State] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    number: int | None = None
    ending: Ending | None = None

    @property
    def failed(self) -> int:
        """How many of its entries are left failed, interrupted or in doubt."""
        return sum(self.states[state] for state in FAILURES)

    def to_json(self) -> dict[str, Any]:
        """The fields that `wfe run --json` promises."""
        return {
            "run": self.number, "ending": self.ending, "considered": self.considered, "total": self.total,
            "failed": self.failed, "states": {state.value: number for state, number in self.states.items()},
            "failures": [dict(vars(failure)) for failure in self.failures], "refused": self.refused,
        }  # fmt: skip

    def leave(self, state: State, failure: Failure | None = None) -> None:
        """Count an entry that was considered, and is left in `state`; `failure` tells more, if that is one."""
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

    keeps_logs = False
    """It keeps what tasks log."""

    brake: Brake | None = None
    """Holds the run that goes on back, where it is one that tries something."""

    def start_run(self, result: RunResult) -> None:
        """A run begins."""

    def announce(
        self, entries: Sequence[WorkflowModel], claim: int = 0
    ) -> list[tuple[WorkflowModel, EntryError | None]]:
        """These entries are about to be considered; answers which of them cannot be accepted, and why.

        The first `claim` of those that are not finished may be claimed at once, as `claim` does.
        """
        return [(entry, None) for entry in entries]

    def claim(self, entries: Sequence[WorkflowModel]) -> None:
        """Become the owner of those of these entries that no living process owns, with their newest progress."""

    def holds(self, entry: WorkflowModel) -> bool:
        """Whether an entry is claimed."""
        return True

    def number(self, entry: WorkflowModel) -> int | None:
        """The number in the store of an entry that is claimed."""
        return None

    def start(self, calls: Collection[Call], recording: Recording | None = None) -> Collection[Call]:
        """These executions are about to begin; answers those whose entries are no longer this owner's.

        With a `recording` they are handed to a worker, who records in it when each begins.
        """
        return ()

    def withdraw(self, entry: WorkflowModel) -> None:
        """The execution that was about to begin has not begun."""

    def wish(self) -> Wish | None:
        """What an operator wants of the run that goes on; a pause of its processor is a wish that it stops."""
        return None

    def check(self, entry: WorkflowModel, key: str | None) -> None:
        """Raise EntryError when what a task left on the entry, whose key was `key`, cannot be written."""

    def count(self, task: str, outcome: Outcome) -> None:
        """An execution of this task has ended so."""

    def log(self, entry: WorkflowModel, call: Call, logged: Logged) -> None:
        """An execution has logged something."""

    def error(self, record: dict[str, Any]) -> None:
        """An unexpected exception happened."""

    def release(self, entry: WorkflowModel) -> None:
        """Give up an entry that was claimed."""

    def lose(self, entry: WorkflowModel, failure: Failure) -> None:
        """Give up an entry that an exception outside its tasks has cost."""

    def lifeline(self) -> int | None:
        """The open file that keeps this owner alive, to be kept open by its workers too; None where there is none."""
        return None

    def record(self) -> Recording | None:
        """A file for the starts and ends of the executions of a batch; None where there is nothing to record in."""
        return None

    def spend(self, recording: Recording) -> None:
        """What a recording holds has been taken from it: once that is written, it can go."""

    def flush(self) -> None:
        """Record what has ended, which else goes with the next start: what comes first may take long."""

    def settle(self) -> None:
        """Write all that is not written yet."""

    def progress(self, result: RunResult) -> None:
        """One more entry was considered."""

    def end_run(self, result: RunResult) -> None:
        """The run is over."""

    def end_badly(self, result: RunResult) -> None:
        """What comes after the run's end, `close`, has raised: the run did not end well after all."""


SILENT = Journal()
