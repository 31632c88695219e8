"""The engines by name: what each promises for a result, what it needs, and how it is started."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import engines


@dataclass(frozen=True)
class Entrant:
    """An engine by name.

    Args:
        name: of the way in which it executes.
        peer: what `--peers` calls it, together with its other ways.
        promise: what a recorded result survives, in the words of `engine.store.durability` where they fit.
        start: makes the engine, in the folder that it is given.
        package: what it needs beyond this project's own packages; it is installed and imported by this name.
        executor: what it asks this project's engine to execute with.
    """

    name: str
    peer: str
    promise: str
    start: Callable[[Path], engines.Engine]
    package: str | None = None
    executor: str | None = None

    def lacks(self) -> str | None:
        """Why it cannot be measured, or None if it can."""
        if self.package and find_spec(self.package) is None:
            return f"it is not installed: pip install {self.package}"
        if self.executor and not _executes(self.executor):
            return f"this version of the engine does not execute with {self.executor}"
        return None


def _executes(executor: str) -> bool:
    from engine import Processor

    if "executor" not in inspect.signature(Processor.process_entries).parameters:
        return False
    return executor != "dask" or find_spec("engine.executors.dask") is not None


# The imports of one engine would count as the memory of the others.


def _ours(folder: Path, **how: Any) -> engines.Engine:
    from ours import Ours

    return Ours(folder, **how)


def _ours_again(folder: Path) -> engines.Engine:
    from ours import OursAgain

    return OursAgain(folder, "process")


def _ours_on_dask(folder: Path) -> engines.Engine:
    from ours import OursOnDask

    return OursOnDask(folder, "process")


def _dask_alone(folder: Path) -> engines.Engine:
    from dask_cluster import DaskAlone

    return DaskAlone(folder)


RAW_PROCESS = Entrant("raw sqlite3, NORMAL", "raw", "process", partial(engines.Raw, synchronous="NORMAL"))
RAW_POWER = Entrant("raw sqlite3, FULL", "raw", "power", partial(engines.Raw, synchronous="FULL"))
ORIGINAL = Entrant("workflow_engine 0.1.0", "original", "no kill", engines.Original, "workflow_engine")
HUEY = Entrant("huey, immediate", "huey", "power", engines.Huey, "huey")
DBOS = Entrant("DBOS", "dbos", "power", engines.Dbos, "dbos")
DOIT = Entrant("doit", "doit", "at the end", engines.Doit, "doit")
LUIGI = Entrant("luigi", "luigi", "process", engines.Luigi, "luigi")
DASK = Entrant("Dask alone with 2 workers", "dask", "nothing", _dask_alone, "distributed")
INLINE_PROCESS = Entrant("ours, inline, process", "ours", "process", partial(_ours, durability="process"))
INLINE_POWER = Entrant("ours, inline, power", "ours", "power", partial(_ours, durability="power"))
AGAIN = Entrant("ours, inline, process, again", "again", "process", _ours_again)
THREADS = Entrant(
    "ours, 16 threads, power", "ours", "power",
    partial(_ours, durability="power", executor="threads", workers=16), executor="threads",
)  # fmt: skip
PROCESSES = Entrant(
    "ours, 2 processes, process", "ours", "process",
    partial(_ours, durability="process", executor="processes", workers=2), executor="processes",
)  # fmt: skip
ON_DASK = Entrant("ours, Dask with 2 workers, process", "dask", "process", _ours_on_dask, "distributed", "dask")

LINEUP = (
    RAW_PROCESS,
    RAW_POWER,
    ORIGINAL,
    HUEY,
    DBOS,
    DOIT,
    LUIGI,
    INLINE_PROCESS,
    AGAIN,
    INLINE_POWER,
    THREADS,
    PROCESSES,
    DASK,
    ON_DASK,
)
BY_NAME = {entrant.name: entrant for entrant in LINEUP}
PEERS = tuple(dict.fromkeys(entrant.peer for entrant in LINEUP))
RAW_OF = {"process": RAW_PROCESS, "power": RAW_POWER}
