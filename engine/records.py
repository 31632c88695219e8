"""An entry as the store holds it, and as a list shows it: pure translations, no I/O.

A document of the table `entries` has the user's own fields under `data`, the entry's progress under the model's names,
and beside them what lists are sorted and filtered by: state, urgency, task, reason, error_id, repeat, attempts,
done, due, updated.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from pydantic_core import PydanticSerializationError
from tinydb.table import Document

from engine.clock import from_text, local_time, to_text, utc_now
from engine.due_date import parse_due_date
from engine.exceptions import EntryError, InputError
from engine.identity import required_key
from engine.model import WorkflowModel
from engine.planning import Plan, State, Step, StepKind, plan, with_repeat

PROGRESS_FIELDS = frozenset(WorkflowModel.model_fields)
"""The fields that every entry has: its due date, source, executions and finished moment."""


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


_LONG_NUMBER = re.compile(r"\d{19}")


def entry_text(entry: WorkflowModel) -> str:
    """An entry's own fields, due date and source as JSON, to see whether anything of it has changed.

    Raises:
        EntryError: a field, or the source, holds what JSON cannot, or the due date is in none of the documented forms.
    """
    try:
        if entry.due_date is not None:
            parse_due_date(entry.due_date)
        return entry.model_dump_json(exclude=_RECORDED_APART, by_alias=False, warnings="error")
    except InputError as refused:
        raise EntryError(f"entry {required_key(entry)!r}: {refused}") from refused
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        raise _not_json(entry, error) from error


def entry_data(entry: WorkflowModel, text: str | None = None) -> dict[str, Any]:
    """The user's own fields of an entry, as JSON data; `text` is its `entry_text`, where that is known.

    Raises:
        EntryError: see `entry_text`.
    """
    text = entry_text(entry) if text is None else text
    try:
        data: dict[str, Any] = orjson.loads(text)
        if _LONG_NUMBER.search(text):
            # `loads` makes a float of an integer beyond 64 bits, where `dumps` refuses it.
            orjson.dumps(json.loads(text))
    except (orjson.JSONEncodeError, ValueError, RecursionError) as error:
        raise _not_json(entry, error) from error
    return {field: value for field, value in data.items() if field not in PROGRESS_FIELDS}


def changed_fields(entry: WorkflowModel, before: str, after: str) -> dict[str, Any]:
    """What has changed on an entry between two of its `entry_text`: its `data`, `due_date` and `source` as they are
    now, and under `changed` the names of those that differ."""
    old, new = orjson.loads(before), orjson.loads(after)
    changed = {name for name, value in new.items() if value != old.get(name, _MISSING)}
    changed -= type(entry).model_computed_fields.keys()
    data = {name: value for name, value in new.items() if name not in PROGRESS_FIELDS}
    return {"data": data, "due_date": entry.due_date, "source": entry.source, "changed": sorted(changed)}


_MISSING = object()


def _not_json(entry: WorkflowModel, error: Exception) -> EntryError:
    return EntryError(
        f"entry {required_key(entry)!r} holds data that is not JSON ({str(error).splitlines()[0]}): "
        f"give its fields in {type(entry).__name__} types that JSON has, or a serializer"
    )


_RECORDED_APART = {"executions", "finished", "halt"}


def entry_progress(entry: WorkflowModel) -> dict[str, Any]:
    """The fields that every entry has, as JSON data."""
    return entry.model_dump(mode="json", include=set(PROGRESS_FIELDS))


def progress_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that every entry has, of a document; one that an older version wrote may lack the newest."""
    return {field: document[field] for field in PROGRESS_FIELDS if field in document}


def read_progress(document: Mapping[str, Any]) -> WorkflowModel:
    """The progress that a document holds, without the user's fields and code."""
    return WorkflowModel.model_validate(progress_fields(document))


def read_plan(document: Mapping[str, Any], moment: datetime) -> Plan:
    """What a run at `moment` (aware) would do with a stored entry."""
    return plan(read_progress(document), document["tasks"], moment)


def summary(entry: WorkflowModel, tasks: Sequence[str], moment: datetime) -> dict[str, Any]:
    """What a list shows of an entry, from its plan at `moment`."""
    if entry.executions is None and entry.finished is None and entry.due_date is None and entry.halt is None:
        return {**_of_an_untouched(tuple(tasks))}
    return _shown(entry, tasks, moment)


@cache
def _of_an_untouched(tasks: tuple[str, ...]) -> dict[str, Any]:
    """Most entries are new, and all of those are shown alike, at whatever moment."""
    return _shown(WorkflowModel(), tasks, utc_now())


def _shown(entry: WorkflowModel, tasks: Sequence[str], moment: datetime) -> dict[str, Any]:
    planned = plan(entry, tasks, moment)
    task = planned.current.task if planned.current else None
    attempts = entry.get_execution(task) if task else []
    newest = attempts[0] if attempts else None
    repeats = planned.current is not None and (planned.current.kind is StepKind.REPEAT or planned.current.kind.is_wait)
    status = with_repeat(attempts).status if repeats and attempts else None
    repeat = status.repeat if status else None
    if planned.state is State.FINISHED:
        reason = planned.steps[-1].why if planned.steps else ""
    else:
        reason = "" if planned.state is State.READY and not attempts else planned.why
    return {
        **shown_state(planned.state),
        "task": task,
        "reason": reason,
        "error_id": str(newest.error_id) if newest and newest.error_id else None,
        "repeat": (repeat if isinstance(repeat, bool) else repeat.model_dump(mode="json")) if repeat else False,
        "attempts": planned.current.attempts
        if planned.current
        else max((step.attempts for step in planned.steps), default=0),
        "done": planned.done,
        "due": to_text(planned.due) if planned.due else None,
    }


_POLICIES = {"after_time": "time", "after_datetime": "date", "after_cycle": "cycles", "with_backoff": "backoff"}


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
        return _POLICIES[self.repeat["kind"]]

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
