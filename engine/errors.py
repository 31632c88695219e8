"""An unexpected exception as a record: error id, fingerprint, and frames with their source lines.

The record is plain JSON data, so that it outlives the process and the code that raised it.
"""

import hashlib
import linecache
import os
import re
import socket
import sysconfig
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

from engine.local_values import shown_locals
from engine.text import encodable

FINGERPRINT_VERSION = "v1"
CONTEXT_LINES = 4
"""How many source lines before and after the raising one are kept with a frame."""
MAX_FRAMES = 60
"""Of a deeper traceback (a runaway recursion) the first and the last half of this are kept."""
MAX_MEMBERS = 20
"""Exceptions of exception groups that are kept with an error, of groups in groups as well."""
MAX_TEXT = 20_000
"""Characters of an exception's message that are kept."""


@dataclass(frozen=True)
class Frame:
    """One frame of a traceback. `own` tells the user's code from that of libraries; `source` begins at line `first`."""

    file: str
    line: int
    function: str
    module: str
    own: bool
    first: int
    source: list[str]
    columns: list[int] | None = None
    """Which characters of its line, if it is one, it was at: from the first, from 0, to before the second."""
    locals: dict[str, str] | None = None
    """The values of its local variables; see `engine.local_values`."""


def one_line(error: BaseException) -> str:
    """Type and message of an exception, in one line of at most 300 characters."""
    return in_one_line(type(error).__name__, _message(error))


def in_one_line(name: str, message: str) -> str:
    """The name of an exception's type, and its message, in one line of at most 300 characters."""
    text = " ".join(f"{name}: {message}".split()).removesuffix(":")
    return text if len(text) <= 300 else text[:299] + "…"


def error_record(
    error: BaseException,
    error_id: UUID,
    *,
    task: str | None,
    key: str | None,
    processor: str,
    at: datetime,
    attempt: int | None = None,
    keep_locals: bool = False,
) -> dict[str, Any]:
    """What is kept of an unexpected exception.

    Args:
        error: the exception, with its traceback.
        error_id: the name of this one occurrence.
        task, key, processor: where it happened; None where it was not in a task, or the entry has no key.
        at: when (UTC).
        attempt: which one of the task it was.
        keep_locals: keep the values of local variables with the frames of the user's own code.

    Returns:
        JSON data: error_id, fingerprint, type, message, notes, frames, causes (the exceptions before it, newest first,
        each with type, message, notes, frames and `relation`), text (the traceback as Python prints it), task,
        attempt, run (its number, once the run has kept it), key, processor, host, pid, time. An exception group, here
        and among causes, also has `exceptions`: its own, each with type, message, notes, frames, causes, and, if it is
        a group, exceptions; where there are more than are kept, `omitted` is how many are left out there.
    """
    frames = list(_frames(error, keep_locals))
    description = _Description(keep_locals)
    return {
        "error_id": str(error_id),
        "fingerprint": fingerprint(error, frames, task),
        **description.of(error, frames),
        "causes": list(description.causes(error)),
        "text": encodable("".join(traceback.format_exception(error))[-MAX_TEXT:]),
        "task": task,
        "attempt": attempt,
        "run": None,
        "key": encodable(key) if key else None,
        "processor": processor,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "time": at.isoformat(timespec="microseconds"),
    }


def fingerprint(error: BaseException, frames: list[Frame], task: str | None) -> str:
    """The name of the group of errors with one cause, with the version of this algorithm in it.

    Same exception type raised through the same functions of the user's own code; line numbers do not count, so that an
    edit elsewhere in the file keeps the group. Without a frame of the user's own: same type, task, and message but for
    its numbers and quoted parts.
    """
    parts = [type(error).__module__, type(error).__qualname__]
    own = [f"{frame.module}.{frame.function}" for frame in frames if frame.own]
    parts += own or [task or "", _without_particulars(_message(error))]
    digest = hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()
    return f"{FINGERPRINT_VERSION}:{digest[:12]}"


def _without_particulars(message: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"|\b[0-9a-fA-F-]{8,}\b|\d+", "…", message)


def _message(error: BaseException) -> str:
    """The exception's text; a `__str__` that raises must not cost the record."""
    try:
        return encodable(str(error)[:MAX_TEXT])
    except Exception as unprintable:
        return f"<its text cannot be had: {type(unprintable).__name__}>"


class _Description:
    """Describes an exception and what belongs to it, of groups no more than so many members in all."""

    def __init__(self, keep_locals: bool) -> None:
        self._keep_locals = keep_locals
        self._left = MAX_MEMBERS

    def of(self, error: BaseException, frames: list[Frame], within: frozenset[int] = frozenset()) -> dict[str, Any]:
        """An exception without its causes; `within` which others, by their ids, it is described."""
        kind = type(error)
        notes = [encodable(str(note)[:MAX_TEXT]) for note in getattr(error, "__notes__", None) or []]
        module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
        name = f"{module}{kind.__qualname__}"
        told = {"type": name, "message": _message(error), "frames": list(map(_plain, frames)), "notes": notes}
        return {**told, **self._members(error, within | {id(error)})} if isinstance(error, BaseExceptionGroup) else told

    def causes(self, error: BaseException, within: frozenset[int] = frozenset()) -> Iterator[dict[str, Any]]:
        """The exceptions before an exception, newest first."""
        within |= {id(error)}
        while True:
            relation = "cause" if error.__cause__ else "context"
            before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
            if before is None or id(before) in within:
                return
            yield {"relation": relation, **self.of(before, list(_frames(before, self._keep_locals)), within)}
            within |= {id(before)}
            error = before

    def _members(self, group: BaseExceptionGroup[BaseException], within: frozenset[int]) -> dict[str, Any]:
        described: list[dict[str, Any]] = []
        members = [error for error in group.exceptions if id(error) not in within]
        for error in members:
            if not self._left:
                break
            self._left -= 1
            frames = list(_frames(error, self._keep_locals))
            described.append({**self.of(error, frames, within), "causes": list(self.causes(error, within))})
        omitted = len(members) - len(described)
        return {"exceptions": described, **({"omitted": omitted} if omitted else {})}


def _plain(frame: Frame) -> dict[str, Any]:
    """A frame as JSON data, without what is not kept of it."""
    return {name: value for name, value in vars(frame).items() if value is not None or name != "locals"}


def _frames(error: BaseException, keep_locals: bool) -> Iterator[Frame]:
    """The frames below the engine's own call of the task, outermost first."""
    walked = list(_walked(error.__traceback__))
    while len(walked) > 1 and _is_engine(walked[0].tb_frame.f_code.co_filename):
        walked.pop(0)
    if len(walked) > MAX_FRAMES:
        walked = walked[: MAX_FRAMES // 2] + walked[-MAX_FRAMES // 2 :]
    for step in walked:
        code, namespace = step.tb_frame.f_code, step.tb_frame.f_globals
        module = _module_name(namespace.get("__name__"), code.co_filename)
        frame = _frame(code.co_filename, step.tb_lineno, code.co_qualname, module, namespace)
        values = shown_locals(step.tb_frame.f_locals) if keep_locals and frame.own else None
        yield replace(frame, columns=_columns(step), locals=values)
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        # The text at fault was never executed, so no frame has it; it is what its reader wants to see.
        yield _frame(error.filename, error.lineno, "(not compiled)", _module_name(None, error.filename), {})


def _walked(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _columns(step: TracebackType) -> list[int] | None:
    """Which characters of its line a frame was at; None if that, or the line, is not known, or it
    goes over several."""
    code = step.tb_frame.f_code
    first, last, begin, end = next(islice(code.co_positions(), step.tb_lasti // 2, None), (None,) * 4)
    if begin is None or end is None or not first == last == step.tb_lineno:
        return None
    line = linecache.getline(code.co_filename, step.tb_lineno, step.tb_frame.f_globals).encode(errors="replace")
    return [len(line[:at].decode(errors="replace")) for at in (begin, end)] if line else None


def _frame(file: str, line: int, function: str, module: str, namespace: dict[str, Any]) -> Frame:
    first = max(1, line - CONTEXT_LINES)
    source = [linecache.getline(file, number, namespace) for number in range(first, line + CONTEXT_LINES + 1)]
    while source and not source[-1]:
        source.pop()
    file, function, module = encodable(file), encodable(function), encodable(module)
    return Frame(file, line, function, module, _is_own(file), first, [text.rstrip("\n") for text in source])


def _module_name(name: object, file: str) -> str:
    """A script has its file's name, so that it is grouped alike when run and when imported."""
    return Path(file).stem if name in (None, "__main__") else str(name)


@cache
def _is_own(file: str) -> bool:
    """Code that is neither Python's, nor installed, nor this engine's is the user's own; so is the demo's."""
    if file.startswith("<"):
        return False
    if _is_engine(file):
        return False
    return file.startswith(_ENGINE + os.sep) or not file.startswith(_LIBRARIES)


@cache
def _is_engine(file: str) -> bool:
    return file.startswith(_ENGINE + os.sep) and not file.startswith(f"{_ENGINE}{os.sep}demo{os.sep}")


_ENGINE = str(Path(__file__).parent)
_LIBRARIES = tuple(
    {path + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_path(name))}
)
