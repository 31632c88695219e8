"""A cell of the table: one engine and so many entries, in a process of its own.

This file is also what that process runs: it is given an engine's name, the number of entries, the seconds that they may
take and a folder, and leaves what it measured there.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson
from lineup import BY_NAME, Entrant
from workload import TASKS, Entries


@dataclass(frozen=True)
class Cell:
    """What was measured, from the first entry to the last result recorded.

    Args:
        results: how many were recorded.
        seconds: in which.
        cpu: of the engine's own process in them, in seconds.
        memory: the most that it and its children had in RAM at once, in bytes.
        is_stopped: it was out of time before it was through.
    """

    results: int
    seconds: float
    cpu: float
    memory: int
    is_stopped: bool

    @property
    def rate(self) -> float:
        """Results a second."""
        return self.results / self.seconds


class CellError(Exception):
    """The engine could not be measured; the message says why."""


def measure_cell(entrant: Entrant, size: int, seconds: float, folder: Path) -> Cell:
    """Run one cell in a new process, in a folder that is empty.

    Raises:
        CellError: the process failed, or does not end.
    """
    os.sync()  # else the disk would still be busy with what the cell before has written
    arguments = [sys.executable, __file__, entrant.name, str(size), str(seconds), str(folder)]
    complaints = folder / "stderr"
    with complaints.open("wb") as stderr:
        process = subprocess.Popen(arguments, stdout=stderr, stderr=stderr, start_new_session=True)
    patience = time.monotonic() + 2 * seconds + 60
    most = 0
    try:
        while process.poll() is None:
            most = max(most, _resident_tree(process.pid))
            if time.monotonic() > patience:
                raise CellError(f"it had not ended after {2 * seconds + 60:.0f} s, and was killed")
            time.sleep(0.02)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it, or what it may have left behind
        process.wait()
    if process.returncode:
        last = complaints.read_text(errors="replace").strip().splitlines()[-1:]
        raise CellError(f"its process ended with {process.returncode}: {' '.join(last)}")
    cell = Cell(**orjson.loads((folder / "cell.json").read_bytes()))
    return replace(cell, memory=max(cell.memory, most))


def _resident_tree(process: int) -> int:
    """The memory in RAM of a process and of all below it, in bytes. Pages that they share count for each."""
    return sum(_memory(at, "VmRSS:") for at in _tree(process))


def _tree(process: int) -> Iterator[int]:
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            below = children.read_text().split()
        except OSError:  # that thread has ended
            continue
        for child in below:
            yield from _tree(int(child))


def _memory(process: int, field: str) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:  # it has ended
        return 0
    return int((status.partition(field)[2].split() or ["0"])[0]) * 1024


def main() -> None:
    """What the process of a cell does."""
    name, size, seconds, place = sys.argv[1:]
    folder = Path(place)
    engine = BY_NAME[name].start(folder)
    entries = Entries(int(size), float(seconds))
    try:
        engine.run(entries)
    except KeyboardInterrupt:
        if not entries.is_stopped:
            raise
    spent, cpu = time.perf_counter() - entries.began, time.process_time() - entries.began_cpu
    memory = _memory(os.getpid(), "VmHWM:")
    results = engine.recorded()
    engine.close()
    if results != len(TASKS) * entries.size and not entries.is_stopped:
        raise SystemExit(f"{results:,} results are recorded of {len(TASKS) * entries.size:,}")
    cell = Cell(results, spent, cpu, memory, entries.is_stopped)
    (folder / "cell.json").write_bytes(orjson.dumps(asdict(cell)))


if __name__ == "__main__":
    main()
