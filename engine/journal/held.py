"""An entry that a run has claimed, and how it stands in the store while the run works on it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.model import TaskExecution, WorkflowModel
from engine.records import entry_progress, summary
from engine.state import State, shown_state
from engine.store.claims import Content


@dataclass(slots=True, eq=False)
class Held:
    """An entry that this run has claimed, and what is to be written of it.

    `text`, `data`, `due_date` and `source` are its fields as they were recorded last, `written` the names of those that
    its tasks have set. `seen` is when it was last seen to be this run's (seconds of a clock that only goes forward).
    `running` is the execution that is under way, `handed_out` one of which only its worker knows whether it is; `left`
    what it is to show when it is given up; `logs` what its executions have logged.
    """

    number: int
    key: str
    entry: WorkflowModel
    text: str
    data: dict[str, Any]
    written: set[str]
    due_date: str | None
    source: str | None
    checked: str | None = None
    """Its data as the task left it, until that is recorded."""
    seen: float = field(default_factory=time.monotonic)
    running: TaskExecution | None = None
    handed_out: TaskExecution | None = None
    is_left: bool = False
    left: Mapping[str, Any] = field(default_factory=dict)
    logs: list[dict[str, Any]] = field(default_factory=list)

    def leave(self, shown: Mapping[str, Any] | None = None) -> None:
        """The run gives it up; it is to show this, else what its executions say."""
        self.is_left, self.running, self.left = True, None, shown or {}

    def withdraw(self) -> None:
        """No execution of it is under way."""
        self.running = self.handed_out = None

    def put(self, document: Content, now: str, moment: datetime) -> None:
        """Bring its newest state into its document.

        Args:
            now: when this is written.
            moment: which the run takes for now (aware); `summary` says how the entry stands then.
        """
        entry, names, before = self.entry, document["tasks"], {**document}
        progress = entry_progress(entry)
        if self.handed_out is not None:
            progress["executions"].pop()
        elif self.running is not None:
            # It may have ended a moment ago, and what it has set on the entry is not taken over yet.
            progress["executions"][-1] |= _BEGUN
        written = {"data": self.data, "written": sorted(self.written)}
        document.update(progress, due_date=self.due_date, source=self.source, **written)
        if self.is_left:
            document.update(self.left or summary(entry, names, moment), owner=None)
        elif self.running is not None:
            running = {"task": self.running.name, "attempts": self.running.run_count, "reason": ""}
            document.update(running, error_id=None, repeat=False, due=None, **shown_state(State.RUNNING))
        else:
            document.update(summary(entry, names, moment), **shown_state(State.RUNNING))
        # A run that has passed it by has changed nothing on it.
        if any(value != before.get(name) for name, value in document.items() if name != "owner"):
            document["updated"] = now


_BEGUN = {**dict.fromkeys(("finished_at", "status", "error_id", "error")), "processed": False, "running": True}
"""What says of an execution that it has begun, and not more."""
