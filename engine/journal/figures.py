"""What a run's document tells of its executions beside its counters: how long they took, and how many ended when."""

from typing import Any

from engine.journal.durations import Durations
from engine.journal.pace import Pace
from engine.runner.outcome import End, Outcome

_FAILURES = (End.FAILED, End.DIED)


class Figures:
    """Counts the results of one run."""

    def __init__(self) -> None:
        self.are_new = False
        """Something was counted since they were last asked for."""
        self._durations = Durations()
        self._pace = Pace()

    def count(self, task: str, outcome: Outcome, at_seconds: float) -> None:
        """An execution of this task has ended so, so long after the start of the run."""
        self.are_new = True
        if outcome.seconds is not None:
            self._durations.add(task, outcome.seconds)
        self._pace.add(at_seconds, outcome.end in _FAILURES)

    def to_json(self) -> dict[str, Any]:
        """The fields `durations` (see `Histogram.to_json`, by task) and `pace` (see `Pace.to_json`)."""
        self.are_new = False
        return {"durations": self._durations.to_json(), "pace": self._pace.to_json()}
