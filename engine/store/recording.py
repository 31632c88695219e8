"""What an owner's tasks have begun and ended since it last wrote its entries: lines in files beside its lock.

A task may take microseconds, a document with its indexes takes longer. So a run writes its entries in groups, and each
start and end, before that, as a line that one system call hands to the operating system: it survives `kill -9` as the
store does. What a dead owner left in such files is brought into its entries by whoever opens the store next.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from engine.model import TaskExecution

Line = dict[str, Any]
"""`id` (the entry's number) and `execution`; where it ended, also what was changed: `data`, `due_date`, `source`,
`finished`, and `error`, the record of its exception. `announced` is a start that was only about to be."""


class Recording:
    """A file of lines. Threads may share it: each line, or group of lines, is written in one piece.

    Args:
        path: the file; made (mode 0600) by the first line.
        forced: `begin` waits until the disk has all lines.

    Its methods raise OSError if the file cannot be written.
    """

    def __init__(self, path: Path, *, forced: bool = False) -> None:
        self.path = path
        self.is_forced = forced
        self._file: int | None = None
        self._is_empty = True

    def begin(self, line: bytes) -> None:
        """The start of an execution, before its body runs; what was written before is as safe as this afterwards."""
        self.write(line)
        if self.is_forced:
            os.fdatasync(self._open())

    def write(self, line: bytes) -> None:
        """Append a line."""
        self._is_empty = False
        os.write(self._open(), line)

    def clear(self) -> None:
        """Forget all lines: the entries themselves have it now."""
        if not self._is_empty and self._file is not None:
            os.ftruncate(self._file, 0)
            self._is_empty = True

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
        if self._file is None:
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            if self.is_forced:
                _force_folder(self.path.parent)
        return self._file


def started(number: int, execution: TaskExecution) -> bytes:
    """The line of an execution that begins."""
    return b'{"id":%d,"execution":%b}\n' % (number, execution.model_dump_json().encode())


def announced(number: int, execution: TaskExecution) -> bytes:
    """The line of an execution that is handed to a worker, who records its start."""
    return started(number, execution)[:-2] + b',"announced":true}\n'


def ended(number: int, execution: TaskExecution, changes: Line | None = None) -> bytes:
    """The line of an execution that has ended, with what it changed."""
    if not changes:
        return started(number, execution)
    return started(number, execution)[:-2] + b"," + orjson.dumps(changes)[1:] + b"\n"


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a file; one that was cut off by a full disk or a power cut ends it."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:  # somebody else has brought it in
        return
    for line in text.split(b"\n"):
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            return
        yield found


def _force_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
