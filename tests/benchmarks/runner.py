"""Measures the engine beside its peers, in one run and on one disk, and says which of its promises hold.

    .venv/bin/python tests/benchmarks/runner.py [--sizes 200,2k,10k] [--peers ours,raw,huey] [--folder PATH] [--quick]
    .venv/bin/python tests/benchmarks/runner.py --million
    .venv/bin/python tests/benchmarks/runner.py --profile [--sizes 2k]

Every engine takes the same entries, new to it and read one after another, through three tasks that do nothing, in
order, and records the result of each before the next task of its entry starts, unless it is said here. The peers:

* raw: the limit. A loop, the `sqlite3` module, one transaction for each result in a table with an index by key: a JSON
  document such as ours; WAL, with `synchronous = NORMAL` and with `FULL`, which is an fsync each.
* original: workflow_engine 0.1.0 with TinyDB's JSON file, which it rewrites for each result.
* huey: its immediate mode on its SQLite storage, as it comes: an fsync for each result.
* dbos: DBOS on SQLite, a workflow for each entry and a step for each task, an fsync for each result at least.
* doit: with its SQLite file, which it writes when all tasks are done: killed before, it has recorded nothing.
* luigi: with its local scheduler and a file for each result.
* dask: without an engine, one task a submission, nothing recorded; and ours on the same two workers.
* ours: `process_entries` of a `StoredProcessor`, inline and with each executor. Worker processes that it starts itself
  start within what is measured.
* again (only if asked for): ours, with entries that the store has already, restarted from the start.

`process` survives the death of any process, `power` the loss of power too; `no kill`: killed in the middle of a write,
its file is lost. Measured is from the first entry to the last result recorded, without imports, connections, and the
start of Dask; figures are medians. Each cell runs in a new process of its own, and engines take turns, so that noise
meets them all alike; one that is slow gets fewer turns. A cell out of time is stopped, and its rate is that so far.
"CPU" is what the engine's own process uses for a result, "of raw" the rate as a part of that of raw with the same
promise, "memory" the most of it in RAM, worker processes included. The disk's own pace, an append and its fdatasync, is
measured before and after: figures of two runs compare only if it was the same.

`--profile` runs ours inline, in this process, and prints where its time goes. Peers that are not installed are left
out, and it says how to install them.
"""

import argparse
import cProfile
import math
import os
import platform
import pstats
import re
import sqlite3
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))  # `python -m` looks for the modules beside this one elsewhere

import lineup
from cells import Cell, CellError, measure_cell
from lineup import LINEUP, PEERS, RAW_OF, Entrant
from measuring import pace
from tables import duration, factor, megabytes, rate, say, say_table
from workload import TASKS, Entries


@dataclass(frozen=True)
class Effort:
    """How often each engine gets its turn, unless its cells took `seconds` in all; and the seconds of one cell."""

    rounds: int
    seconds: float
    cell: float


FULL = Effort(rounds=5, seconds=60, cell=60)
QUICK = Effort(rounds=1, seconds=10, cell=10)
MILLION = Effort(rounds=1, seconds=math.inf, cell=3600)


@dataclass(frozen=True)
class Target:
    """A promise: the rate of ours is at least so many times that of theirs."""

    ours: Entrant
    theirs: Entrant
    at_least: float


TARGETS = (
    Target(lineup.INLINE_PROCESS, lineup.HUEY, 3),
    Target(lineup.INLINE_PROCESS, lineup.RAW_PROCESS, 1 / 2.5),
    Target(lineup.INLINE_POWER, lineup.HUEY, 1),
    Target(lineup.INLINE_POWER, lineup.RAW_POWER, 1 / 1.5),
    Target(lineup.THREADS, lineup.RAW_POWER, 1.5),
    Target(lineup.ON_DASK, lineup.DASK, 10),
)

Found = dict[Entrant, list[Cell]]


def measure(size: int, entrants: Sequence[Entrant], place: Path, effort: Effort) -> Found:
    """The cells of each engine at one size. One that fails is left out, and said so."""
    found: Found = {entrant: [] for entrant in entrants}
    for _ in range(effort.rounds):
        for entrant, cells in list(found.items()):
            if sum(cell.seconds for cell in cells) >= effort.seconds:
                continue
            with tempfile.TemporaryDirectory(dir=place) as folder:
                try:
                    cells.append(measure_cell(entrant, size, effort.cell, Path(folder)))
                except CellError as failure:
                    del found[entrant]
                    say(f"{entrant.name} is left out at {size:,} entries: {failure}", "")
    return found


def middle_rate(cells: Sequence[Cell]) -> float:
    """Results a second."""
    return median(cell.rate for cell in cells)


def show(size: int, found: Found) -> None:
    """The table of one size."""
    rows = []
    for entrant, cells in found.items():
        results = middle_rate(cells)
        raw = RAW_OF.get(entrant.promise)
        stopped = [cell for cell in cells if cell.is_stopped]
        rows.append(
            [
                entrant.name,
                entrant.promise,
                rate(results / len(TASKS)),
                rate(results),
                duration(1 / results),
                duration(median(cell.cpu / cell.results for cell in cells)),
                factor(results / middle_rate(found[raw])) if raw in found else "–",
                megabytes(median(cell.memory for cell in cells)),
                f"{stopped[0].results:,} of {size * len(TASKS):,}, stopped" if stopped else "all",
            ]
        )
    headings = ["", "survives", "entries", "results", "a result", "CPU", "of raw", "memory", "recorded"]
    say_table(f"## {size:,} entries", headings, rows)


def show_promises(found: Mapping[int, Found]) -> None:
    """The targets beside what was measured at each size; those that were not measured are not named."""
    rows = []
    for target in TARGETS:
        for size, cells in found.items():
            if target.ours in cells and target.theirs in cells:
                ratio = middle_rate(cells[target.ours]) / middle_rate(cells[target.theirs])
                text = f"{target.ours.name} / {target.theirs.name}, at {size:,}"
                rows.append([text, factor(ratio), factor(target.at_least), verdict(ratio >= target.at_least)])
    if rows:
        say_table("## Promises: results a second", ["", "measured", "at least", ""], rows)


def verdict(is_kept: bool) -> str:
    return "holds" if is_kept else "does not hold"


def report_million(place: Path) -> None:
    """Ours inline with a thousand entries, a hundred thousand and a million."""
    thousand, many, million = 1_000, 100_000, 1_000_000
    ours = lineup.INLINE_PROCESS
    found: dict[int, list[Cell]] = {}
    for size, effort in ((thousand, FULL), (many, MILLION), (million, MILLION), (thousand, FULL)):
        measured = measure(size, [ours], place, effort)
        if ours not in measured:
            return
        found.setdefault(size, []).extend(measured[ours])  # the small ones before and after, so that noise meets both
    for size, cells in found.items():
        show(size, {ours: cells})
    if found[million][0].is_stopped:
        say("The million was out of time: there is nothing to judge.", "")
        return
    slower = middle_rate(found[thousand]) / middle_rate(found[million])
    memory = {size: float(median(cell.memory for cell in cells)) for size, cells in found.items()}
    promises = [
        (f"rate at {thousand:,} / at {million:,}", slower, 1.3, factor),
        (f"memory at {million:,}", memory[million], 120e6, megabytes),
        (f"memory at {million:,} / at {many:,}", memory[million] / memory[many], 1.1, factor),
    ]
    rows = [[text, shown(figure), shown(limit), verdict(figure <= limit)] for text, figure, limit, shown in promises]
    say_table("## Promises: a million entries", ["", "measured", "at most", ""], rows)


def report_profile(size: int, place: Path) -> None:
    """Where the time of ours inline goes, by what each function uses itself."""
    engine = lineup.INLINE_PROCESS.start(place)
    profile = cProfile.Profile()
    profile.runcall(engine.run, Entries(size))
    engine.close()
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


def sizes(text: str) -> list[int]:
    """The numbers of entries that an argument such as `200,2k` asks for."""
    words = [word.strip() for word in text.split(",")]
    if not all(re.fullmatch("[1-9][0-9]{0,5}|[1-9][0-9]{0,2}k|1M", word) for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} are no sizes: give some such as 200,2k,10k, up to 1M")
    return sorted({int(word.rstrip("kM")) * {"k": 1_000, "M": 1_000_000}.get(word[-1], 1) for word in words})


def peers(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    if unknown := [word for word in words if word not in PEERS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no peer: there are {', '.join(PEERS)}")
    return words


def chosen(asked: Sequence[str]) -> list[Entrant]:
    """Those that can be measured of those that were asked for; says why the others cannot."""
    able = []
    for entrant in LINEUP:
        if entrant.peer in asked:
            if why := entrant.lacks():
                say(f"{entrant.name} is left out: {why}")
            else:
                able.append(entrant)
    return able


def show_place(entrants: Sequence[Entrant], place: Path) -> None:
    packages = dict.fromkeys(entrant.package for entrant in entrants if entrant.package)
    say(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} processors"
        + "".join(f", {package} {version(package)}" for package in packages),
        f"The disk's pace (append of one and fdatasync) at the start: {duration(pace(place))}",
        "",
    )


def main() -> None:
    """Measure what the command line asks for and print it."""
    parser = argparse.ArgumentParser(description="Measures the engine beside its peers.")
    parser.add_argument("--sizes", type=sizes, default="200,2k,10k", help="how many entries (%(default)s)")
    usual = ",".join(peer for peer in PEERS if peer != "again")
    parser.add_argument("--peers", type=peers, default=usual, help="which (%(default)s); there is also again")
    parser.add_argument("--folder", type=Path, help="the disk to measure (that of temporary files)")
    parser.add_argument("--quick", action="store_true", help="one turn each, and little time: figures are rough")
    parser.add_argument("--million", action="store_true", help="instead: ours with a million entries; takes minutes")
    parser.add_argument("--profile", action="store_true", help="instead: where the time of ours goes, at each size")
    asked = parser.parse_args()
    if asked.folder and not asked.folder.is_dir():
        parser.error(f"{asked.folder} is not a folder: name one on the disk that is to be measured")
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        place = Path(folder)
        if asked.profile:
            for size in asked.sizes:
                with tempfile.TemporaryDirectory(dir=place) as own:
                    report_profile(size, Path(own))
            return
        entrants = [lineup.INLINE_PROCESS] if asked.million else chosen(asked.peers)
        show_place(entrants, place)
        if asked.million:
            report_million(place)
        else:
            found = {}
            for size in asked.sizes:
                found[size] = measure(size, entrants, place, QUICK if asked.quick else FULL)
                show(size, found[size])
            show_promises(found)
        say(f"The disk's pace at the end: {duration(pace(place))}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
