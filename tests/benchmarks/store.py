"""Measures the store beside its peers, in one run and on one disk, and says which of its promises hold.

    .venv/bin/python tests/benchmarks/store.py [--sizes 1k,10k,100k,1M] [--folder PATH] [--quick]

The peers:

* JSONStorage: TinyDB as it comes. Each operation reads the whole file, each write writes and syncs it.
* CachingMiddleware: the same, held in memory; nothing reaches the disk before a thousand writes.
* raw: the `sqlite3` module with SQL written by hand, on a copy of the store's own file, hence with the same tables,
  indexes and triggers; WAL, one commit an operation.
* ours: `engine.Store`.

`process` survives the death of any process (SQLite's `synchronous = NORMAL`), `power` the loss of power too (`FULL`).
TinyDB's query cache is off, since it would answer the second of two equal queries without asking the store. An entry
has every field that the engine gives it, but its two executions are abridged.

Every figure is a median. Peers take turns, a few repetitions each, so that noise meets them all alike; one that is slow
gets fewer repetitions, about ten seconds of them an operation. It stops if peers read different answers. The disk's own
pace, an append and its fdatasync, is measured before and after: figures of two runs compare only if it was the same.
`--folder` is a folder on the disk to be measured, else that of temporary files; 1M entries take some 10 GB there.
"""

import argparse
import gc
import math
import os
import platform
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path

import orjson

sys.path.insert(0, str(Path(__file__).parent))  # `python -m` looks for the modules beside this one elsewhere

from contenders import FOLLOWERS, JSON, OURS_POWER, RAW_OF, READERS, WRITERS, Contender, fill
from crowds import crowds
from entries import entry, task_result
from measuring import FULL, QUICK, Effort, measure, pace, visits
from operations import UPDATE, following, reads, scattered, writes
from tables import Figures, duration, factor, megabytes, rate, say, say_table, show

NOTES = f"""\
– TinyDB on a JSON file is left out beyond {JSON.bears:,} entries. JSONStorage reads all of the file in each operation,
  and writes it in each write: seconds at that size already, ten times as long at ten times the size. CachingMiddleware
  holds it as Python objects, hundreds of megabytes in each process at that size, and its thousandth write is as slow.
– It tells no follower what changed, and writers at once lose each other's writes: nothing there to compare.
– CachingMiddleware's writes have not reached the disk. JSONStorage's memory is that of as many updates as fit in the
  time that a slow peer gets, not of 1,000.
"""


Growth = dict[tuple[int, Contender], float]
"""The median of an update in seconds, by size and contender."""


def report_growth(folders: Mapping[int, Path], effort: Effort) -> Growth:
    """Compare ours with itself: sizes take turns, as peers do elsewhere, so that noise meets them all alike."""
    stores = {(size, ours): ours.open(ours.file(folder)) for size, folder in folders.items() for ours in RAW_OF}
    sizes_of = {store: size for (size, _), store in stores.items()}
    found = measure(
        UPDATE,
        lambda store, n: partial(store.update, scattered(n, sizes_of[store]) + 1, task_result(n)),
        stores,
        effort,
    )
    for store in stores.values():
        store.close()
    rows = [[ours.name, *(duration(found[size, ours]) for size in folders)] for ours in RAW_OF]
    say_table("## Update by id, by the number of entries", ["", *(f"{size:,}" for size in folders)], rows)
    return found


OPEN = "open + newest fifty, a new process"
MEMORY = "memory added by open + newest fifty + 1,000 updates"


def report(size: int, folder: Path, effort: Effort) -> Figures:
    """Measure everything at one size and print it."""
    bearing = [contender for contender in WRITERS if size <= contender.bears]
    began = time.perf_counter()
    fill(folder, size, bearing)
    filled = duration(time.perf_counter() - began)
    say(f"## {size:,} entries, filled in {filled}; the disk's pace: {duration(pace(folder))}", "")

    peers = {contender: contender.open(contender.file(folder)) for contender in bearing}
    readers = {contender: peer for contender, peer in peers.items() if contender in READERS}
    followers = {contender: peer for contender, peer in peers.items() if contender in FOLLOWERS}
    for peer in peers.values():
        peer.get(1)  # CachingMiddleware reads its file only now
    gc.freeze()  # else every peer would pay for looking through what CachingMiddleware holds
    read = {name: measure(name, operation, readers, effort) for name, operation in reads(size).items()}
    written = {name: measure(name, operation, peers, effort) for name, operation in writes(size).items()}
    for peer in followers.values():
        for n in range(100):
            peer.update(scattered(n, size) + 1, task_result(n))
    read |= {name: measure(name, operation, followers, effort) for name, operation in following().items()}
    for peer in peers.values():
        peer.close()

    opened, reopened, memory = visits([*readers], folder, size, effort)
    read |= {OPEN: opened, "open + newest fifty, a new object": reopened}
    show("Writes, one at a time", written, WRITERS, duration)
    show("Reads", read, READERS, duration)
    show("Resident memory of a new process", {MEMORY: memory}, READERS, megabytes)
    crowded = crowds(FOLLOWERS, folder, size, effort)
    show("Writers at once, commits a second (more is better)", crowded, FOLLOWERS, rate)
    return read | written | crowded | {MEMORY: memory}


def show_promises(found: Mapping[int, Figures], growth: Growth) -> None:
    """What the store promises beside what was measured at each size."""

    def measured(size: int, name: str, contender: Contender = OURS_POWER) -> float:
        return found[size][name][contender] if size in found else math.nan

    million = 1_000_000
    grown = [
        (
            f"{UPDATE} at 1M / at 10k, {ours.name}",
            growth.get((million, ours), math.nan) / growth.get((10_000, ours), math.nan),
        )
        for ours in RAW_OF
    ]
    overhead = [
        (f"{UPDATE} at {size:,}, {ours.name} / raw", measured(size, UPDATE, ours) / measured(size, UPDATE, raw))
        for size in found
        for ours, raw in RAW_OF.items()
    ]
    views = [name for name in reads(million) if name.startswith(("newest", "window", "counts"))]
    promises = [
        *((text, figure, 1.5, factor) for text, figure in grown),
        *((text, figure, 2, factor) for text, figure in overhead),
        (f"{OPEN}, at 1M", measured(million, OPEN), 0.020, duration),
        (f"{MEMORY}, at 1M", measured(million, MEMORY), 10e6, megabytes),
        *((f"{name}, at 1M", measured(million, name), 0.050, duration) for name in views),
    ]
    rows = []
    for text, figure, limit, shown in promises:
        if math.isnan(figure):
            rows.append((text, "–", shown(limit), "not measured"))
        else:
            rows.append((text, shown(figure), shown(limit), "holds" if figure <= limit else "does not hold"))
    say_table("## Promises", ("", "measured", "at most", ""), rows)


def sizes(text: str) -> list[int]:
    """The numbers of entries that an argument such as `1k,1M` asks for; of more than 8M some would be equal."""
    words = [word.strip() for word in text.split(",")]
    if not all(re.fullmatch("[1-9][0-9]{0,2}k|[1-8]M", word) for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} are no sizes: give some such as 1k,20k,1M, from 1k to 8M")
    return sorted({int(word[:-1]) * {"k": 1_000, "M": 1_000_000}[word[-1]] for word in words})


def main() -> None:
    """Measure what the command line asks for and print it."""
    parser = argparse.ArgumentParser(description="Measures the store beside its peers.")
    parser.add_argument("--sizes", type=sizes, default="1k,10k,100k,1M", help="how many entries (%(default)s)")
    parser.add_argument("--folder", type=Path, help="the disk to measure (that of temporary files)")
    parser.add_argument("--quick", action="store_true", help="few repetitions: figures are rough")
    asked = parser.parse_args()
    if asked.folder and not asked.folder.is_dir():
        parser.error(f"{asked.folder} is not a folder: name one on the disk that is to be measured")
    effort = QUICK if asked.quick else FULL
    with tempfile.TemporaryDirectory(dir=asked.folder) as place:
        say(
            f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, TinyDB {version('tinydb')}, "
            f"{os.cpu_count()} processors; entries of {len(orjson.dumps(entry(0)))} bytes",
            f"The disk's pace (append of one and fdatasync) at the start: {duration(pace(Path(place)))}",
            "",
        )
        found: dict[int, Figures] = {}
        folders = {size: Path(place, str(size)) for size in asked.sizes}
        for size, folder in folders.items():
            folder.mkdir()
            found[size] = report(size, folder, effort)
        growth = report_growth(folders, effort)
        say(NOTES)
        show_promises(found, growth)
        say(f"The disk's pace at the end: {duration(pace(Path(place)))}")


if __name__ == "__main__":
    main()
