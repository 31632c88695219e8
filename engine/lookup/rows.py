"""A stored entry as a list shows it: pure translations, no I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tinydb.table import Document

from engine.clock import from_text, local_time, to_text
from engine.state import Plan, State, Step, shown_state

POLICIES = {"after_time": "time", "after_datetime": "date", "after_cycle": "cycles", "with_backoff": "backoff"}
"""What a list and a filter call each policy of repeat, by its kind."""


def newest_execution(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """An entry's newest attempt of any task; None if it was never executed."""
    executions: Sequence[Mapping[str, Any]] = document.get("executions") or ()
    return executions[-1] if executions else None


def error_ids(document: Mapping[str, Any]) -> list[str]:
    """The ids of an entry's errors, newest first; the one that happened outside its tasks, too."""
    of_tasks = [execution.get("error_id") for execution in reversed(document["executions"] or [])]
    return [error_id for error_id in dict.fromkeys([document["error_id"], *of_tasks]) if error_id]


def attempt_word(attempt: Mapping[str, Any]) -> str:
    """How a stored attempt at a task ended, in a word."""
    if attempt.get("skipped"):
        return "skipped"
    if attempt["processed"]:
        return "done"
    if attempt.get("error_id"):
        return "failed"
    return "begun" if attempt.get("running") else "interrupted"


@dataclass(frozen=True)
class EntryRow:
    """One line of a list of entries. `done` of its `total` tasks are done; `due` and `updated` are UTC."""

    id: int
    key: str
    state: State
    processor: str
    done: int
    total: int
    task: str | None
    reason: str
    error_id: str | None
    repeat: bool | dict[str, Any]
    attempts: int
    due: datetime | None
    updated: datetime
    run: int | None

    @property
    def repeat_words(self) -> str:
        """Its repeat in a word; nothing when it is off."""
        if isinstance(self.repeat, bool):
            return "on" if self.repeat else ""
        return POLICIES[self.repeat["kind"]]

    def next(self, planned: Plan) -> str:
        """What happens next and why, in a line; `planned` is the plan of this entry."""
        if self.state is State.RUNNING:
            return f"{self.task} runs"
        if self.state is State.FAILED and planned.state is not State.FAILED:
            return f"the next run considers it again, {self.reason}"
        if planned.state is State.HELD:
            return f"nothing until it is released: {planned.why}"
        if planned.state is State.CANCELLED:
            return f"nothing, it is {planned.why}; a restart takes it up again"
        step = planned.current
        if step is None:
            return "nothing: it is finished"
        if planned.state is State.READY:
            return f"the next run executes {step.task}: {planned.why}"
        if planned.state is State.WAITING:
            until = f" until {local_time(planned.due)}" if planned.due else ""
            return f"{step.task} waits{until}: {planned.why}"
        if planned.state is State.IN_DOUBT:
            return f"nothing by itself: {step.task} may have taken effect or not, {planned.why}; decide: again, or done"
        ended = "failed" if planned.state is State.FAILED else "interrupted it"
        return f"nothing by itself: {step.task} {ended}; restart it, or set its repeat"

    def steps(self, planned: Plan) -> list[dict[str, Any]]:
        """The steps of its plan, as `wfe show --json` and `wfe plan --json` promise them."""
        return [
            {"task": step.task, "kind": kind, "why": why, "attempts": step.attempts,
             "until": to_text(step.until) if step.until else None, "cycles": step.cycles}
            for step in planned.steps
            for kind, why in [self.said_of(step)]
        ]  # fmt: skip

    def said_of(self, step: Step) -> tuple[str, str]:
        """What becomes of a task of this entry, in a word, and why; `step` is of its plan, which knows of no process
        that works on it."""
        return ("running", "") if self.state is State.RUNNING and step.task == self.task else (step.kind, step.why)

    def to_json(self) -> dict[str, Any]:
        """The fields that `wfe ls --json` promises."""
        return {
            "key": self.key,
            "state": self.state,
            "processor": self.processor,
            "task": self.task,
            "done": self.done,
            "total": self.total,
            "reason": self.reason,
            "error_id": self.error_id,
            "repeat": self.repeat,
            "attempts": self.attempts,
            "due": to_text(self.due) if self.due else None,
            "updated": to_text(self.updated),
            "run": self.run,
        }


def current(document: Mapping[str, Any], moment: datetime, is_alive: Callable[[str], bool]) -> Mapping[str, Any]:
    """A document as it stands at `moment` (aware): time and death may have changed it since it was written.

    What a dead owner left running is in doubt, or ready again; what has become due is ready; a due date that has come
    or passed counts.
    """
    state = State(document["state"])
    is_left = state is State.RUNNING and not (document["owner"] and is_alive(document["owner"]))
    dated = document["due_date"] and document["tasks"] and state in (State.READY, State.WAITING)
    if is_left or dated:
        from engine.records import read_progress, summary  # the models of entries, which most lists do without

        document = {**document, **summary(read_progress(document), document["tasks"], moment)}
    if document["state"] == State.WAITING and document["due"] and from_text(document["due"]) <= moment:
        return {**document, **shown_state(State.READY), "due": None}
    return document


def read_row(document: Document, moment: datetime, is_alive: Callable[[str], bool]) -> EntryRow:
    """A stored entry as a list shows it at `moment` (aware); `is_alive` tells whether an owner's process lives."""
    shown = current(document, moment, is_alive)
    return EntryRow(
        id=document.doc_id,
        key=shown["key"],
        state=State(shown["state"]),
        processor=shown["processor"],
        done=shown["done"],
        total=len(shown["tasks"]),
        task=shown["task"],
        reason=shown["reason"],
        error_id=shown["error_id"],
        repeat=shown["repeat"],
        attempts=shown["attempts"],
        due=from_text(shown["due"]) if shown["due"] else None,
        updated=from_text(shown["updated"]),
        run=shown["run"],
    )
