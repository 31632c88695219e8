"""What is compared of two attempts, or of two entries: how each ended, data, timings, circumstances. Pure, no I/O.

What differs whenever two are compared (moments, numbers of processes and runs) is told, and is no difference.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.clock import from_text, local_time, short
from engine.comparing.comparison import Part, Row
from engine.comparing.tracebacks import traceback_rows, value_rows
from engine.lookup.logs import ExecutionLog
from engine.lookup.rows import attempt_word
from engine.text import counted

MOST_ALIKE = 200
"""So many rows of a part that are alike are told; the others are counted."""

SLOWER = 2.0
"""From how many times as long on an execution is said to have taken another time: below that it is chance."""

LEAST = 0.05
"""Seconds that two durations have to be apart for that."""

T = TypeVar("T")
Attempt = Mapping[str, Any]


@dataclass(frozen=True)
class Side:
    """One of two that are compared, as the store has it.

    Args:
        name: what it is called.
        entry: its document.
        state: how the entry stands now.
        attempt: the execution that is compared; None if the task was not executed.
        error: the record of the error that it ended with, if that is still there.
        run: the number of the run that it belonged to, if that is known.
        log: what it logged.
    """

    name: str
    entry: Mapping[str, Any]
    state: str
    attempt: Attempt | None
    error: Mapping[str, Any] | None = None
    run: int | None = None
    log: ExecutionLog | None = None

    @property
    def error_id(self) -> str | None:
        """The id of the error that it ended with."""
        return (self.attempt or self.entry).get("error_id")

    @property
    def executions(self) -> Sequence[Attempt]:
        """All attempts at all tasks of the entry, oldest first."""
        return self.entry["executions"] or ()


Sides = tuple[Side, Side]


def parts_of_attempts(sides: Sides, typical: Mapping[str, float]) -> tuple[Part, ...]:
    """What differs between two attempts at one task of one entry.

    Args:
        sides: the two.
        typical: how many seconds a task usually takes, by its name.
    """
    unknown = "an entry's data is not kept with each attempt: `wfe show` has what it is now"
    return (
        Part("How it ended", tuple(_ending_rows(sides))),
        *_error_parts(sides),
        Part("Data", (), (unknown,)),
        Part("Timings", tuple(_timings_of_attempts(sides, typical))),
        _circumstances(sides),
    )


def parts_of_entries(sides: Sides, typical: Mapping[str, float]) -> tuple[Part, ...]:
    """What differs between two entries of one processor; the arguments are those of `parts_of_attempts`."""
    state = _row("entry", _each(lambda side: side.state, sides))
    return (
        Part("How it ended", (state, *_ending_rows(sides))),
        *_error_parts(sides),
        _data(sides),
        Part("Timings", tuple(_timings_of_entries(sides, typical))),
        _circumstances(sides),
    )


def _each(of: Callable[[Side], T], sides: Sides) -> tuple[T, T]:
    return of(sides[0]), of(sides[1])


def _row(label: str, texts: tuple[str | None, str | None]) -> Row:
    return Row(label, *texts, texts[0] != texts[1])


def _unmarked(label: str, texts: tuple[str | None, str | None]) -> Row:
    """A row of what differs whenever two are compared."""
    return Row(label, *texts, False)


# --- how each ended


def _ending_rows(sides: Sides) -> Iterator[Row]:
    yield _row("attempt", _each(lambda side: attempt_word(side.attempt) if side.attempt else "not executed", sides))
    error, other_error = _each(_error, sides)
    told = {
        "error": (error[0], other_error[0]),
        "message": (error[1], other_error[1]),
        "notes": _each(lambda side: "\n".join(side.error["notes"]) or None if side.error else None, sides),
        "status": _each(lambda side: ((side.attempt or {}).get("status") or {}).get("message"), sides),
    }
    yield from (_row(label, texts) for label, texts in told.items() if texts != (None, None))


def _error(side: Side) -> tuple[str | None, str | None]:
    """Type and message of the error that a side ended with; of one whose record is gone what the attempt has of it."""
    if side.error:
        return side.error["type"], side.error["message"]
    kind, _, message = ((side.attempt or {}).get("error") or "").partition(": ")
    return kind or None, message or None


def _error_parts(sides: Sides) -> Iterator[Part]:
    """The tracebacks and the values in them; nothing where neither side ended with an error."""
    if not any(side.error_id for side in sides):
        return
    errors = _each(lambda side: side.error, sides)
    yield Part("Traceback", tuple(traceback_rows(*errors)), tuple(filter(None, _each(_no_traceback, sides))))
    values = list(value_rows(*errors))
    if values:
        yield _bounded("Local values", values)
    elif any(errors):
        yield Part("Local values", (), ("none were kept: `keep_locals = True` on the processor keeps them",))


def _no_traceback(side: Side) -> str:
    """Why a side has no traceback; nothing if it has one."""
    if side.error:
        return ""
    if side.error_id:
        return f"{side.name}: the record of error {side.error_id} is not in the store any more"
    return f"{side.name}: none, it is {attempt_word(side.attempt)}" if side.attempt else f"{side.name}: not executed"


# --- data


def _data(sides: Sides) -> Part:
    flat, other = _each(lambda side: dict(flattened(side.entry["data"])), sides)
    rows = [_row(".".join(path), (flat.get(path), other.get(path))) for path in dict.fromkeys((*flat, *other))]
    beside = {
        "due date": _each(lambda side: side.entry["due_date"], sides),
        "source": _each(lambda side: side.entry["source"], sides),
    }
    rows += [_row(label, texts) for label, texts in beside.items() if texts != (None, None)]
    return _bounded("Data", rows)


def flattened(data: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each value in JSON data, as JSON, with its path: names, and places in lists."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        named = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
        inner = [((*path, str(name)), each) for name, each in named]
        if inner:
            waiting += reversed(inner)
        elif path:
            yield path, json.dumps(value, ensure_ascii=False)


def _bounded(title: str, rows: Sequence[Row]) -> Part:
    """A part with all rows that differ, and not too many of those that do not."""
    kept: list[Row] = []
    alike = 0
    for row in rows:
        alike += not row.differs
        if row.differs or alike <= MOST_ALIKE:
            kept.append(row)
    left_out = len(rows) - len(kept)
    return Part(title, tuple(kept), (f"{left_out} more are alike",) if left_out else ())


# --- timings and circumstances


def _timings_of_attempts(sides: Sides, typical: Mapping[str, float]) -> Iterator[Row]:
    task = next((side.attempt["name"] for side in sides if side.attempt), "")
    took = _each(lambda side: _took(side.attempt), sides)
    yield _unmarked("began", _each(lambda side: _moment((side.attempt or {}).get("execution_time")), sides))
    yield _unmarked("ended", _each(lambda side: _moment((side.attempt or {}).get("finished_at")), sides))
    yield Row(_with_usual("took", typical.get(task)), _seconds(took[0]), _seconds(took[1]), _is_apart(*took))


def _timings_of_entries(sides: Sides, typical: Mapping[str, float]) -> Iterator[Row]:
    yield _unmarked("began", _each(lambda side: _moment(min(_moments(side, "execution_time"), default=None)), sides))
    yield _unmarked("ended", _each(lambda side: _moment(max(_moments(side, "finished_at"), default=None)), sides))
    for task in dict.fromkeys(task for side in sides for task in side.entry["tasks"]):

        def newest(side: Side, task: str = task) -> Attempt | None:
            return next((each for each in reversed(side.executions) if each["name"] == task), None)

        attempts = _each(newest, sides)
        took = _took(attempts[0]), _took(attempts[1])
        differs = _is_apart(*took) or _count(attempts[0]) != _count(attempts[1])
        yield Row(_with_usual(task, typical.get(task)), _spent(attempts[0]), _spent(attempts[1]), differs)


def _moments(side: Side, name: str) -> list[str]:
    return [each[name] for each in side.executions if each.get(name)]


def _spent(attempt: Attempt | None) -> str | None:
    """How long the newest attempt at a task took, and the how-manieth it was."""
    if attempt is None:
        return None
    count = _count(attempt)
    return (_seconds(_took(attempt)) or "not ended") + (f", attempt {count}" if count > 1 else "")


def _count(attempt: Attempt | None) -> int:
    return (attempt.get("run_count") or 1) if attempt else 0


def _circumstances(sides: Sides) -> Part:
    """Where each was executed, in which run, and how much it logged."""
    hosts = _each(lambda side: side.error["host"] if side.error else _NOT_KEPT, sides)
    rows = (
        Row("host", *hosts, _NOT_KEPT not in hosts and hosts[0] != hosts[1]),
        _unmarked("process", _each(lambda side: str(side.error["pid"]) if side.error else _NOT_KEPT, sides)),
        _unmarked("run", _each(lambda side: str(side.run) if side.run else _NOT_KEPT, sides)),
        _row("log", _each(lambda side: counted(_lines(side.log), "line") if side.log else None, sides)),
    )
    return Part("Where", rows, ("host and process are kept with errors alone",) if _NOT_KEPT in hosts else ())


_NOT_KEPT = "not kept"


def _lines(log: ExecutionLog) -> int:
    return len(log.lines) + log.dropped


def _took(attempt: Attempt | None) -> float | None:
    """Seconds that an attempt took; None if it has not ended."""
    if not attempt or not attempt.get("finished_at"):
        return None
    return (from_text(attempt["finished_at"]) - from_text(attempt["execution_time"])).total_seconds()


def _is_apart(left: float | None, right: float | None) -> bool:
    """Whether two durations differ by more than chance."""
    if left is None or right is None:
        return left is not right
    least, most = sorted((left, right))
    return most - least >= LEAST and most >= SLOWER * least


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else short(seconds)


def _moment(text: str | None) -> str | None:
    return None if text is None else local_time(from_text(text))


def _with_usual(label: str, typical: float | None) -> str:
    return label if typical is None else f"{label}, usually {short(typical)}"
