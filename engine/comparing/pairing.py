"""Finds the two that are to be compared, and all that the store knows of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tinydb import where
from tinydb.queries import QueryInstance
from tinydb.table import Document

from engine.clock import from_text, local_time
from engine.comparing.comparison import Comparison, Kind
from engine.comparing.parts import Attempt, Side, parts_of_attempts, parts_of_entries
from engine.exceptions import InputError
from engine.lookup.entries import find_entries, find_entry
from engine.lookup.logs import ExecutionLog, execution_logs
from engine.lookup.rows import attempt_word, read_row
from engine.lookup.typical import typical_durations
from engine.state import State
from engine.store import Store

LOOKED_THROUGH = 200
"""A good sibling is sought among so many of the entries that were finished last."""


@dataclass(frozen=True)
class Asked:
    """Which two are to be compared. Without more: the newest attempt and the one before it; where there is none before,
    the entry and its last good sibling.

    Args:
        task: at which the attempts were; None: at which the entry stands.
        attempts: the numbers of two attempts, or of one in place of the newest.
        sibling: compare the entry with its last good sibling.
        other: the key of an entry to compare it with.
    """

    task: str | None = None
    attempts: tuple[int, ...] = ()
    sibling: bool = False
    other: str | None = None


def compare(
    store: Store, key: str, asked: Asked = Asked(), *, processor: str | None = None, moment: datetime
) -> Comparison:
    """Two attempts at a task of an entry, or this entry with another one.

    Args:
        store: where they are.
        key: of the entry.
        asked: which two.
        processor: `module:Class`, where two have an entry of this key.
        moment: at which the entries are said to stand as they do (aware).

    Raises:
        InputError: what is to be compared is not there, or it is not clear what that is.
    """
    if bool(asked.attempts) + asked.sibling + (asked.other is not None) > 1:
        raise InputError("two attempts, another entry or the last good sibling: name one of them")
    entry = find_entry(store, key, processor)
    task = _task(store, entry, asked, moment)
    attempts = _attempts(entry, task)
    numbers = _numbers(entry, task, list(attempts), asked)
    common = entry["processor"], key, task
    if len(numbers) == 2 and asked.other is None and not asked.sibling:
        left, right = (_side(store, entry, attempts[number], f"attempt {number}", moment) for number in numbers)
        why = "" if asked.attempts else "the newest, and the one before it"
        parts = parts_of_attempts((left, right), _typical(store, entry["processor"]))
        of = tuple(attempts), (numbers[0], numbers[1])
        return Comparison(Kind.ATTEMPTS, *common, left.name, right.name, why, *of, parts)
    if asked.other is not None:
        kind, other, why = Kind.ENTRIES, _named(store, entry, asked.other), ""
    else:
        kind = Kind.SIBLING
        other, why = _sibling(store, entry)
    others = _attempts(other, task)
    good = [number for number, each in others.items() if each["processed"]]
    shown = numbers[-1] if numbers else None, max(good or others, default=None)
    left = _side(store, entry, attempts[shown[0]] if shown[0] else None, key, moment)
    right = _side(store, other, others[shown[1]] if shown[1] else None, other["key"], moment)
    parts = parts_of_entries((left, right), _typical(store, entry["processor"]))
    return Comparison(kind, *common, left.name, right.name, why, tuple(attempts), shown, parts)


def _numbers(entry: Document, task: str | None, known: list[int], asked: Asked) -> list[int]:
    """The numbers of the attempts that are meant: two, if there are two, the older one first unless they were named."""
    for number in asked.attempts:
        if number not in known:
            there = f"there are {', '.join(map(str, known))}" if known else "there is none"
            raise InputError(f"attempt {number} at {task} of {entry['key']!r} is not in the store: {there}")
    if len(asked.attempts) == 2:
        if asked.attempts[0] == asked.attempts[1]:
            raise InputError(f"attempt {asked.attempts[0]} is to be compared with itself: give the numbers of two")
        return list(asked.attempts)
    newest = asked.attempts[0] if asked.attempts else max(known, default=0)
    return [number for number in known if number <= newest][-2:]


def _task(store: Store, entry: Document, asked: Asked, moment: datetime) -> str | None:
    """The task that is meant: the one that is named, at which the entry stands, or that was executed last."""
    executions = entry["executions"] or []
    known = list(dict.fromkeys((*entry["tasks"], *(each["name"] for each in executions))))
    if asked.task is not None:
        if asked.task not in known:
            raise InputError(f"{entry['key']!r} has no task {asked.task!r}: there are {', '.join(known) or 'none'}")
        return asked.task
    executed: list[str] = [each["name"] for each in executions]
    standing = read_row(entry, moment, store.is_alive).task
    if standing in executed or not executed:
        return standing
    return next((name for name in reversed(executed) if executed.count(name) > 1), executed[-1])


def _attempts(entry: Document, task: str | None) -> dict[int, Attempt]:
    """The attempts at a task, oldest first, by their numbers."""
    own = [each for each in entry["executions"] or [] if each["name"] == task]
    numbered = {each.get("run_count") or place: each for place, each in enumerate(own, 1)}
    return dict(sorted(numbered.items()))


# --- the other entry


def _named(store: Store, entry: Document, key: str) -> Document:
    if key == entry["key"]:
        raise InputError(f"{key!r} is to be compared with itself: name another entry, or none for two of its attempts")
    found = find_entries(store, [key], entry["processor"])[key]
    if isinstance(found, InputError):
        raise InputError(f"there is no entry {key!r} of {entry['processor']} to compare {entry['key']!r} with")
    return found


def _sibling(store: Store, entry: Document) -> tuple[Document, str]:
    """The last good sibling of an entry, and why it is that."""
    finished: QueryInstance = (where("state") == State.FINISHED) & (where("processor") == entry["processor"])
    ids = store.entries.ids(finished, order_by="updated", reverse=True, limit=LOOKED_THROUGH + 1)
    others = [each for each in store.entries.get(doc_ids=ids) if each.doc_id != entry.doc_id]
    if not others:
        why = f"no other entry of {entry['processor']} has finished"
        raise InputError(f"{why}: there is no good sibling to compare {entry['key']!r} with")
    others.sort(key=lambda each: str(each["finished"]), reverse=True)
    alike = [each for each in others if _went_well_through(each, entry["tasks"])]
    found = (alike or others)[0]
    when = f" at {local_time(from_text(found['finished']))}" if found["finished"] else ""
    if not alike:
        return found, f"finished last{when}, yet none of the last {len(others)} executed all of the same tasks"
    return found, f"finished last{when}, of those that executed the same tasks"


def _went_well_through(entry: Document, tasks: Sequence[str]) -> bool:
    """Whether an entry has the same tasks, and none of them was skipped."""
    newest = {each["name"]: attempt_word(each) for each in entry["executions"] or []}
    return entry["tasks"] == tasks and all(newest.get(task) == "done" for task in tasks)


# --- what is known of each


def _side(store: Store, entry: Document, attempt: Attempt | None, name: str, moment: datetime) -> Side:
    row = read_row(entry, moment, store.is_alive)
    state = f"{row.state} at {row.task}" if row.task and row.state is not State.FINISHED else str(row.state)
    error_id = attempt.get("error_id") if attempt else entry["error_id"]
    error = store.errors.get(where("error_id") == error_id) if error_id else None
    run = error.get("run") if error else _run(store, entry, attempt)
    return Side(name, entry, state, attempt, error, run, _log(store, entry, attempt))


def _run(store: Store, entry: Document, attempt: Attempt | None) -> int | None:
    """The run that an attempt belonged to: the one that took the entry up last, unless it began after the attempt."""
    run = store.runs.get(doc_id=entry["run"]) if attempt and entry.get("run") else None
    return run.doc_id if run and attempt and run["started"] <= attempt["execution_time"] else None


def _log(store: Store, entry: Document, attempt: Attempt | None) -> ExecutionLog | None:
    if attempt is None:
        return None
    own = (attempt["name"], attempt.get("run_count"))
    logs = execution_logs(store, entry["processor"], entry["key"])
    return next((log for log in logs if (log.task, log.attempt) == own), None)


def _typical(store: Store, processor: str) -> dict[str, float]:
    found = typical_durations(store, processor)
    return {task: median for task, of in found.items() if (median := of.quantile(0.5)) is not None}
