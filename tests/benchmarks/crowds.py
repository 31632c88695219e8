"""Writers at once: the commits a second of threads that share a peer, and of processes that share a file."""

import queue
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from contenders import Contender
from entries import task_result
from measuring import SPAWN, Effort
from operations import scattered
from peers import Peer


def keep_writing(peer: Peer, at: int, size: int, seconds: float, start: Any, rates: Any) -> None:
    """One of several writers: update entries from `at` on for `seconds` from `start` on; its commits a second."""
    start.wait()
    began, commits = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        peer.update(scattered(at + commits, size) + 1, task_result(at + commits))
        commits += 1
    rates.put(commits / (time.perf_counter() - began))


def keep_writing_alone(contender: Contender, path: Path, *rest: Any) -> None:
    """The same with a peer of its own, for a process."""
    peer = contender.open(path)
    keep_writing(peer, *rest)
    peer.close()


def rate_of_threads(count: int, contender: Contender, path: Path, size: int, seconds: float) -> float:
    """The commits a second of threads that share a peer."""
    peer, start, rates = contender.open(path), threading.Barrier(count), queue.Queue[float]()
    rest = size, seconds, start, rates
    workers = [threading.Thread(target=keep_writing, args=(peer, n * size // count, *rest)) for n in range(count)]
    total = _total(workers, rates, seconds)
    peer.close()
    return total


def rate_of_processes(count: int, contender: Contender, path: Path, size: int, seconds: float) -> float:
    """The commits a second of processes, each with a peer of its own."""
    start, rates = SPAWN.Barrier(count), SPAWN.Queue()
    rest = size, seconds, start, rates
    workers = [
        SPAWN.Process(target=keep_writing_alone, args=(contender, path, n * size // count, *rest)) for n in range(count)
    ]
    return _total(workers, rates, seconds)


def _total(workers: Sequence[Any], rates: Any, seconds: float) -> float:
    for worker in workers:
        worker.start()
    # Longer than any of them may be kept from writing; one that died does not answer.
    total = sum(rates.get(timeout=seconds + 90) for _ in workers)
    for worker in workers:
        worker.join()
    return total


CROWDS = {
    "1 thread": partial(rate_of_threads, 1),
    "8 threads": partial(rate_of_threads, 8),
    "4 processes": partial(rate_of_processes, 4),
}


def crowds(
    contenders: Sequence[Contender], folder: Path, size: int, effort: Effort
) -> dict[str, dict[Contender, float]]:
    """The commits a second of writers at once, as medians."""
    rates: dict[str, dict[Contender, list[float]]] = {name: {c: [] for c in contenders} for name in CROWDS}
    for _ in range(effort.processes):
        for name, crowd in CROWDS.items():
            for contender in contenders:
                rates[name][contender].append(crowd(contender, contender.file(folder), size, effort.writing))
    return {name: {contender: median(found) for contender, found in row.items()} for name, row in rates.items()}
