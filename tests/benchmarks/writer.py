"""The store that the console's benchmark looks at, and the process that changes a thousand entries a second in it.

    .venv/bin/python tests/benchmarks/writer.py STORE SIZE

Ten times a second it changes a hundred random entries in one transaction, as a busy run with many workers does; of a
store of less than 2,000 entries a twentieth, else there would be hardly a row that stays as it is. The mixture of the
states remains that of `entries.PERCENT`. It ends when its standard input does, so it does not outlive who started it.
"""

import os
import random
import select
import subprocess
import sys
import time
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from entries import Content, entry, error_id_of, state_of

from engine.clock import to_text, utc_now
from engine.model import TaskExecution
from engine.state import State, shown_state
from engine.store import Store

BATCH = 100
INTERVAL = 0.1
DAY = 86_400

_EXECUTION = {**TaskExecution(name="").model_dump(mode="json"), "run_count": 1}


def batch(size: int) -> int:
    """How many entries are changed at once."""
    return min(BATCH, max(1, size // 20))


def change(chance: random.Random, document: Content) -> None:
    """Change an entry as the end of a task does."""
    number = chance.randrange(10**9)
    state, now = state_of(number), utc_now()
    is_finished = state is State.FINISHED
    document.update(
        shown_state(state),
        updated=to_text(now),
        reason=f"attempt {number}",
        task=None if is_finished else "Check",
        done=3 if is_finished else 1,
        error_id=error_id_of(number) if state is State.FAILED else None,
        due=to_text(now + timedelta(seconds=chance.uniform(0, DAY))) if state is State.WAITING else None,
    )


def stored(chance: random.Random, number: int) -> Content:
    """The entry with this number as the journal would have written it.

    Those of `entries` are abridged in what the console's detail shows. And they wait for fixed days: it would depend on
    the calendar how many are due, which the console has to count at each change. Here half of those that wait are due,
    and one after another of the others becomes it during the next day.
    """
    document = entry(number)
    document["executions"] = [
        {**_EXECUTION, **execution, "finished_at": document["updated"]} for execution in document["executions"]
    ]
    if document["due"]:
        document["due"] = to_text(utc_now() + timedelta(seconds=chance.uniform(-DAY, DAY)))
    return document


def fill(path: Path, size: int) -> None:
    """Make a store of so many entries; the one with the number n has the id n + 1."""
    waiting = map(partial(stored, random.Random(2)), range(size))
    with Store(path) as store:
        while some := list(islice(waiting, 10_000)):
            store.entries.insert_multiple(some)
    os.sync()  # else the disk would still be busy with it


class Writer:
    """That process, from here until the end of the block. Tells how many entries a second it has changed."""

    def __init__(self, path: Path, size: int, store: Store) -> None:
        self._command = [sys.executable, __file__, str(path), str(size)]
        self._size = size
        self._store = store

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE)
        self._store_was, self._began = self._store.seq(), time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def rate(self, others: int) -> float:
        """Entries changed a second until now; `others` is how many transactions somebody else has made."""
        written = self._store.seq() - self._store_was - others
        return written * batch(self._size) / (time.perf_counter() - self._began)


def main() -> None:
    """What that process does."""
    path, size = sys.argv[1], int(sys.argv[2])
    chance = random.Random(1)
    with Store(path) as store:
        due = time.monotonic()
        while True:
            store.entries.update(partial(change, chance), doc_ids=chance.sample(range(1, size + 1), batch(size)))
            due += INTERVAL
            if select.select([sys.stdin], [], [], max(0, due - time.monotonic()))[0]:
                break


if __name__ == "__main__":
    main()
