"""An engine process that the console starts: for a run, or for what an operator asked for.

Its output goes to a file without a name, not to a pipe: when the console ends, the process goes on undisturbed. So it
is waited for in a thread that ends with the console, and not by asyncio, which kills what it started.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable
from threading import Lock, Thread
from typing import IO

from engine.worker.actions import WorkerCommand

TAIL = 64 * 1024
"""Bytes of output that are shown."""


class Child(Thread):
    """One engine process, from its start to its end.

    Args:
        processor: what it runs, `module:Class`.
        actions: whether it does what operators asked for; else it considers every entry.
        command: how it is started.
        ended: called with this child when the process has ended, in this child's thread.
    """

    def __init__(
        self, processor: str, actions: bool, command: WorkerCommand, ended: "Callable[[Child], object]"
    ) -> None:
        super().__init__(name="wfe-child", daemon=True)
        self.processor = processor
        self.actions = actions
        self.command = command
        self.exit_code: int | None = None
        self._tell = ended
        self._file: IO[bytes] | None = None
        self._tail = b""
        self._reading = Lock()

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self.exit_code is None

    @property
    def failed(self) -> bool:
        """It could not run, or was killed; failed entries are no failure of the process."""
        return self.exit_code not in (None, 0, 1)

    @property
    def output(self) -> str:
        """The end of what it has printed so far."""
        with self._reading:
            return (_tail(self._file) if self._file else self._tail).decode(errors="replace")

    def run(self) -> None:
        """Start the process, wait for its end and tell of it."""
        try:
            with tempfile.TemporaryFile() as file:
                self._file = file
                code = self._execute(file)
                with self._reading:
                    self._tail, self._file = _tail(file), None
        except OSError as error:
            self._tail, self._file = f"{self.command.argv[0]} cannot be started: {error}".encode(), None
            code = 2
        self.exit_code = code
        self._tell(self)

    def _execute(self, output: IO[bytes]) -> int:
        return subprocess.run(
            self.command.argv,
            cwd=self.command.folder,
            env=self.command.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            check=False,
        ).returncode


def _tail(file: IO[bytes]) -> bytes:
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), TAIL, max(0, size - TAIL))
