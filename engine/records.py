"""An entry as the store holds it: pure translations, no I/O.

A document of the table `entries` has the user's own fields under `data`, the entry's progress under the model's names,
and beside them what lists are sorted and filtered by: state, urgency, task, reason, error_id, repeat, attempts,
done, due, updated.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from pydantic_core import PydanticSerializationError

from engine.clock import to_text, utc_now
from engine.due_date import parse_due_date
from engine.exceptions import EntryError, InputError
from engine.identity import entry_key, required_key
from engine.model import WorkflowModel
from engine.planning import plan, with_repeat
from engine.state import Plan, State, StepKind, shown_state

PROGRESS_FIELDS = frozenset(WorkflowModel.model_fields)
"""The fields that every entry has: its due date, source, executions and finished moment."""

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


def check_entry(entry: WorkflowModel, key: str | None, text: str | None = None) -> None:
    """Raise EntryError when what a task left on an entry, whose key was `key`, cannot be written; `text` as above."""
    text = entry_text(entry) if text is None else text
    if (now := entry_key(entry)) != key:
        raise EntryError(f"a task made {now!r} of the key {key!r}: no task may change an entry's key")
    entry_data(entry, text)


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
    state, due = planned.state, planned.due
    if state is State.READY and repeats and planned.current is not None and planned.current.until is not None:
        # Written as what waits for a moment, and that has come: so it is found by who looks for what is due.
        state, due = State.WAITING, planned.current.until
    if planned.state is State.FINISHED:
        reason = planned.steps[-1].why if planned.steps else ""
    else:
        reason = "" if planned.state is State.READY and not attempts else planned.why
    return {
        **shown_state(state),
        "task": task,
        "reason": reason,
        "error_id": str(newest.error_id) if newest and newest.error_id else None,
        "repeat": (repeat if isinstance(repeat, bool) else repeat.model_dump(mode="json")) if repeat else False,
        "attempts": planned.current.attempts
        if planned.current
        else max((step.attempts for step in planned.steps), default=0),
        "done": planned.done,
        "due": to_text(due) if due else None,
    }
