"""What an owner's tasks have begun and ended since it last wrote its entries: lines in files beside its lock.

A task may take microseconds, a document with its indexes takes longer. So a run writes its entries in groups, and each
start and end, before that, as a line that one system call hands to the operating system: it survives `kill -9` as the
store does. What a dead owner left in such files is brought into its entries by whoever opens the store next.
"""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from engine.exceptions import StoreError
from engine.store.durability import force, force_path

if TYPE_CHECKING:
    from engine.model import TaskExecution

Line = dict[str, Any]
"""`id` (the entry's number) and `execution`, as far as it is known by then; where it has ended, also `data`,
`due_date`, `source` and `changed` (their names), if its task changed any, and `error`, the record of its exception.
`announced`: it was about to begin."""


_ROOM = 1 << 18
"""Bytes by which a file grows at once, if each line is to reach the disk: to make a file longer takes the disk longer
than to write into it."""


class Recording:
    """A file of lines, written by one thread at a time; each line, or group of lines, in one piece.

    A NUL stands behind the last line. What is forgotten is written over.

    Args:
        path: the file; made (mode 0600) by the first line.
        forced: `begin` waits until the disk has all lines.

    Its methods raise StoreError if the file cannot be written.
    """

    def __init__(self, path: Path, *, forced: bool = False) -> None:
        self.path = path
        self.is_forced = forced
        self._file: int | None = None
        self._end = self._room = 0

    def begin(self, line: bytes) -> None:
        """The start of an execution, before its body runs; what was written before is as safe as this afterwards."""
        self.write(line)
        if self.is_forced and self._file is not None:
            try:
                force(self._file)
            except OSError as error:
                raise self._lost(error) from error

    def write(self, line: bytes) -> None:
        """Append a line."""
        try:
            file = self._open() if self._file is None else self._file
            if self.is_forced and self._end + len(line) >= self._room:
                self._room += os.pwrite(file, bytes(len(line) + _ROOM), self._room)
                os.fsync(file)
            if os.pwrite(file, line + b"\0", self._end) <= len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise self._lost(error) from error
        self._end += len(line)

    def clear(self) -> None:
        """Forget all lines: the entries themselves have it now."""
        if self._end:
            self._end = 0
            self.write(b"")

    def close(self) -> None:
        """Close the file, which stays; more than once does not matter."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def remove(self) -> None:
        """Close the file and remove it."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _open(self) -> int:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self.is_forced:
            force_path(self.path.parent)
        return self._file

    def _lost(self, error: OSError) -> StoreError:
        return StoreError(f"what begins and ends cannot be recorded in {self.path} ({error.strerror}): check the disk")


def started(number: int, execution: "TaskExecution") -> bytes:
    """The line of an execution that begins."""
    return _line({"id": number, "execution": _begun(execution)})


def announced(number: int, execution: "TaskExecution") -> bytes:
    """The line of an execution that is handed to a worker, who records its start."""
    return _line({"id": number, "execution": _begun(execution), "announced": True})


def ended(number: int, execution: "TaskExecution", changes: Line | None = None) -> bytes:
    """The line of an execution that has ended, with what it changed."""
    status = execution.status.model_dump(mode="json") if execution.status else None
    fields = {
        "processed": execution.processed, "finished_at": execution.finished_at, "status": status,
        "error_id": execution.error_id, "error": execution.error, "restart": execution.restart,
        "repeat_stands": execution.repeat_stands, "skipped": execution.skipped,
    }  # fmt: skip
    return _line({"id": number, "execution": {**_begun(execution), **fields}, **(changes or {})})


def _begun(execution: "TaskExecution") -> Line:
    return {
        "name": execution.name, "run_count": execution.run_count, "execution_time": execution.execution_time,
        "running": execution.running, "idempotent": execution.idempotent,
    }  # fmt: skip


def _line(fields: Line) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a file; one that was cut off, by a full disk or a power cut, ends it."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:  # somebody else has brought it in
        return
    for line in text.partition(b"\0")[0].split(b"\n"):
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            return
        yield found
