"""Times and memory as medians: of operations, of the disk itself, and of new processes that open a store."""

import multiprocessing
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import orjson
from contenders import Contender
from entries import entry, task_result
from operations import EVERY, NEWEST, Operation, scattered


@dataclass(frozen=True)
class Effort:
    """How often things are repeated: an operation `turn` times in each of `rounds`, a slow peer's for `seconds` in all.

    What needs processes of its own is repeated in `processes` rounds; writers at once write for `writing` seconds.
    """

    rounds: int
    turn: int
    seconds: float
    writing: float
    processes: int


FULL = Effort(rounds=15, turn=20, seconds=10, writing=1, processes=5)
QUICK = Effort(rounds=3, turn=10, seconds=1, writing=0.5, processes=1)


Key = TypeVar("Key")


def measure(name: str, operation: Operation, peers: Mapping[Key, Any], effort: Effort) -> dict[Key, float]:
    """The median of each peer in seconds. Ends the program if their first answers differ."""
    times: dict[Key, list[float]] = {key: [] for key in peers}
    answers: dict[Key, Any] = {}
    for _ in range(effort.rounds):
        for key, peer in peers.items():
            spent = times[key]
            for _ in range(effort.turn):
                if spent and sum(spent) + median(spent) > effort.seconds:
                    break
                work = operation(peer, len(spent))
                began = time.perf_counter()
                answer = work()
                spent.append(time.perf_counter() - began)
                answers.setdefault(key, answer)
    first, *others = answers
    for other in others:
        if answers[other] != answers[first]:
            raise SystemExit(f"{name}: {other} and {first} read different answers, so they do not compare")
    return {key: median(spent) for key, spent in times.items()}


def pace(folder: Path) -> float:
    """The median of an append of an entry and its fdatasync, in seconds."""
    times, line = [], orjson.dumps(entry(0))
    with (folder / "pace").open("ab", buffering=0) as file:
        for _ in range(200):
            began = time.perf_counter()
            file.write(line)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return median(times)


SPAWN = multiprocessing.get_context("spawn")


def resident() -> int:
    """The memory of this process that lies in RAM, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def visit(contender: Contender, path: Path, size: int, seconds: float) -> tuple[float, float, float]:
    """For a new process: open, read the newest fifty, make 1,000 updates or as many as `seconds` allow; open again.

    Returns the seconds of the first and of the second opening with their fifty, and the bytes that all before the
    second added to the process.
    """
    before, began = resident(), time.perf_counter()
    peer = contender.open(path)
    peer.window(EVERY, NEWEST)
    opened = time.perf_counter()
    for n in range(1_000):
        if time.perf_counter() - opened > seconds:
            break
        peer.update(scattered(n, size) + 1, task_result(n))
    added = resident() - before
    peer.close()
    again = time.perf_counter()
    peer = contender.open(path)
    peer.window(EVERY, NEWEST)
    reopened = time.perf_counter()
    peer.close()
    return opened - began, reopened - again, added


def visits(contenders: Sequence[Contender], folder: Path, size: int, effort: Effort) -> list[dict[Contender, float]]:
    """What `visit` returns, each as medians over new processes."""
    found: dict[Contender, list[tuple[float, float, float]]] = {contender: [] for contender in contenders}
    spent = dict.fromkeys(contenders, 0.0)
    for _ in range(effort.processes):
        for contender in contenders:
            if spent[contender] < effort.seconds:
                began = time.perf_counter()
                with ProcessPoolExecutor(1, SPAWN) as pool:
                    visited = pool.submit(visit, contender, contender.file(folder), size, effort.seconds)
                    found[contender].append(visited.result())
                spent[contender] += time.perf_counter() - began
    return [{c: median(figures[at] for figures in found[c]) for c in contenders} for at in range(3)]
