"""An engine process that the console starts: for a run, or for what an operator asked for.

Its output goes to a file without a name, not to a pipe: when the console ends, the process goes on undisturbed.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable

from engine.worker import WorkerCommand

TAIL = 64 * 1024
"""Bytes of output that are shown."""


class Child:
    """One engine process, from its start to its end.

    Args:
        processor: what it runs, `module:Class`.
        command: how it is started.
        ended: called with this child when the process has ended.
    """

    def __init__(self, processor: str, command: WorkerCommand, ended: "Callable[[Child], None]") -> None:
        self.processor = processor
        self.command = command
        self.exit_code: int | None = None
        self._ended = ended
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this child is looked at

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
        size = os.fstat(self._output.fileno()).st_size
        tail = os.pread(self._output.fileno(), TAIL, max(0, size - TAIL))
        return tail.decode(errors="replace")

    async def start(self) -> None:
        """Start the process and wait for its end."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command.argv,
                cwd=self.command.folder,
                env=self.command.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,
            )
            self.exit_code = await process.wait()
        except OSError as error:
            self._output.write(f"{self.command.argv[0]} cannot be started: {error}\n".encode())
            self._output.flush()
            self.exit_code = 2
        self._ended(self)
