"""Measures the console on a real terminal beside other apps, while its store changes, and says which promises hold.

    .venv/bin/python tests/benchmarks/console.py [--sizes 10k,1M] [--peers ours,empty] [--folder PATH] [--quick]

`python -m wfe_tui --store PATH` runs on a pseudo terminal of 160x48 that this program plays. All the time another
process changes 1,000 random entries a second in the store, in ten transactions: state, reason, task, error, moment. The
peers, each started with the same Python on such a terminal, and measured while the same process writes:

* empty app: Textual with one text, which counts the keys. What it needs, no app on Textual can do without.
* DataTable: Textual's own, with all rows of the store in eight columns. Beyond `--stock-rows` entries it is left out.
* fastdatatable, Arrow: the same rows in textual-fastdatatable. Install it with textual in some other environment, and
  run that one's Python with `PYTHONPATH=.`; where it is missing, it is left out.

What is measured:

* start: from the start of the process to the end of the first frame with a row, or with the empty app's text.
* key: from an arrow key, pressed 30 to 60 ms after the one before, or after that one's answer if it came later, to the
  end of the frame in which the cursor is on the next row. Half of the keys scroll the rows.
* at rest: the share of one processor that the process uses without a key being pressed; in user and kernel mode.
* filter: `/state:failed` is typed, a key every 30 to 60 ms; from the last key to the end of the first frame with all
  that was typed and failed rows alone. And the same from the key `f`, which sets the same filter at once.
* change: this program writes a reason to an entry in sight; from the beginning of the commit to the end of the frame
  that shows it. It comes at random in the console's own pace.
* memory: what the process has in RAM after all of that.

The terminal says that it draws synchronised updates, so frames say where they end; a frame's moment is that at which
its last byte was read. Contestants take turns, so that noise meets them all alike, each time in new processes with an
empty home; first each is started once for nothing, to warm the caches up. Figures are medians over all keys and all
processes; p95 is the 95th percentile. A peer that is slow gets fewer turns.
"""

import argparse
import math
import os
import platform
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))  # `python -m` looks for the modules beside this one elsewhere

from contestants import CONTESTANTS, EMPTY, MOST_STOCK_ROWS, OURS, PEERS, STOCK, Contestant
from tables import duration, megabytes, say, say_table
from terminal import TerminalError
from visiting import FILTER_PATIENCE, FULL, QUICK, Effort, Found, Place, start, visit
from writer import INTERVAL, Writer, batch, fill

from engine.store import Store

NOTES = """\
– The peers' tables read their rows once. Of the changes they see nothing, and they do nothing for them: their load at
  rest, their keys and their memory are those of a list that stands still. Ours alone follows the store.
– A filter's rows may be there before its last key: `state:faile` finds the same ones. They count when all is typed.
– The next key is pressed only when the one before was answered: of keys that pile up nothing is said.
– The load of the console is that of its own process; it starts no other one here.
"""

Figure = Callable[[Found], float]
"""Makes one figure of what was measured; NaN if it was not."""


def middle(values: Sequence[float]) -> float:
    """The median."""
    return median(values) if values else math.nan


def p95(values: Sequence[float]) -> float:
    """The 95th percentile: the least that at most one in twenty exceeds."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1] if values else math.nan


def share(part: float) -> str:
    """Of a processor."""
    return f"{part:.1%}"


def told(figure: float, shown: Callable[[float], str]) -> str:
    """A figure, also one that is none."""
    if math.isnan(figure):
        return "–"
    return f"> {FILTER_PATIENCE:.0f} s" if math.isinf(figure) else shown(figure)


FIGURES: Mapping[str, tuple[Figure, Callable[[float], str]]] = {
    "start to first rows": (lambda found: middle(found.starts), duration),
    "key to its frame": (lambda found: middle(found.keys), duration),
    "key to its frame, p95": (lambda found: p95(found.keys), duration),
    "key that scrolls nothing": (lambda found: middle(found.moves), duration),
    "key that scrolls": (lambda found: middle(found.scrolls), duration),
    "load at rest": (lambda found: middle(found.rests), share),
    "load at rest, filtered": (lambda found: middle(found.filtered_rests), share),
    "filter typed to its rows": (lambda found: middle(found.filters), duration),
    "filter by its key to its rows": (lambda found: middle(found.short_filters), duration),
    "change to its frame": (lambda found: middle(found.changes), duration),
    "change to its frame, p95": (lambda found: p95(found.changes), duration),
    "memory": (lambda found: middle(found.memory), megabytes),
}

Table = dict[Contestant, Found]


def measure(place: Place, lineup: Sequence[Contestant], effort: Effort) -> Table:
    """Everything of each contestant at one size. One that fails is left out, and said so."""
    found = {contestant: Found() for contestant in lineup}
    spent = dict.fromkeys(lineup, 0.0)

    def turns(times: int, turn: Callable[[Contestant], object]) -> None:
        for _ in range(times):
            for contestant in list(found):
                if contestant not in (OURS, EMPTY) and spent[contestant] > effort.seconds:
                    continue
                began = time.perf_counter()
                try:
                    turn(contestant)
                except TerminalError as failure:
                    del found[contestant]
                    say(f"{contestant.name} is left out at {place.size:,} entries: {failure}", "")
                spent[contestant] += time.perf_counter() - began

    turns(1, lambda contestant: start(contestant, place))
    turns(effort.starts, lambda contestant: found[contestant].starts.append(start(contestant, place)))
    turns(effort.rounds, lambda contestant: visit(contestant, place, effort, found[contestant]))
    return found


def report(size: int, lineup: Sequence[Contestant], stock_rows: int, folder: Path, effort: Effort) -> Table:
    """Measure everything at one size and print it."""
    path, began = folder / "store.db", time.perf_counter()
    fill(path, size)
    say(f"{size:,} entries were written in {duration(time.perf_counter() - began)}.", "")
    able = [contestant for contestant in lineup if contestant is not STOCK or size <= stock_rows]
    with Store(path) as store:
        place = Place(path, size, store)
        with Writer(path, size, store) as writer:
            found = measure(place, able, effort)
            pace = writer.rate(place.written)
    show(size, lineup, found)
    say(f"Changed meanwhile: {pace:,.0f} entries a second, of {batch(size) / INTERVAL:,.0f} that were to be.", "")
    return found


def show(size: int, lineup: Sequence[Contestant], found: Table) -> None:
    """The table of one size."""
    columns = [["", *FIGURES]]
    for contestant in lineup:
        if contestant in found:
            cells = [told(figure(found[contestant]), shown) for figure, shown in FIGURES.values()]
        else:
            cells = ["– (minutes)" if contestant is STOCK else "failed" for _ in FIGURES]
        columns.append([contestant.name, *cells])
    headings, *rows = zip(*columns, strict=True)
    say_table(f"## {size:,} entries", headings, rows)


def show_promises(found: Mapping[int, Table]) -> None:
    """What the console promises beside what was measured at each size."""
    rows = []
    for size, table in found.items():
        ours, empty = table.get(OURS, Found()), table.get(EMPTY, Found())

        def figure(name: str, of: Found = ours) -> float:
            return FIGURES[name][0](of)

        promises = [
            *(
                (f"{name}, beyond the empty app's", figure(name) - figure(name, empty), limit, duration)
                for name, limit in (("start to first rows", 0.3), ("key to its frame", 0.003))
            ),
            ("key to its frame, p95", figure("key to its frame, p95"), 0.035, duration),
            ("load at rest", figure("load at rest"), 0.15, share),
            ("load at rest, filtered", figure("load at rest, filtered"), 0.15, share),
            ("memory", figure("memory"), 90e6, megabytes),
            ("filter typed to its rows", figure("filter typed to its rows"), 0.1, duration),
            ("change to its frame", figure("change to its frame"), 0.15, duration),
        ]
        for text, measured, limit, shown in promises:
            is_measured = "holds" if measured <= limit else "does not hold"
            verdict = "not measured" if math.isnan(measured) else is_measured
            rows.append((f"{text}, at {size:,}", told(measured, shown), shown(limit), verdict))
    say_table("## Promises", ("", "measured", "at most", ""), rows)


def sizes(text: str) -> list[int]:
    """The numbers of entries that an argument such as `200,10k,1M` asks for."""
    words = [word.strip() for word in text.split(",")]
    if not all(re.fullmatch("[1-9][0-9]{2,5}|[1-9][0-9]{0,2}k|[1-8]M", word) for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} are no sizes: give some such as 200,10k,1M, from 100 to 8M")
    return sorted({int(word.rstrip("kM")) * {"k": 1_000, "M": 1_000_000}.get(word[-1], 1) for word in words})


def stock_rows(text: str) -> int:
    """The most entries that DataTable is to hold."""
    [rows, *others] = sizes(text)
    if others or rows > MOST_STOCK_ROWS:
        raise argparse.ArgumentTypeError(
            f"{text!r}: give one number of at most {MOST_STOCK_ROWS:,}, beyond are minutes"
        )
    return rows


def peers(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    if unknown := [word for word in words if word not in PEERS]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no peer: there are {', '.join(PEERS)}")
    return words


def chosen(asked: Sequence[str]) -> list[Contestant]:
    """Those that can be measured of those that were asked for; says why the others cannot."""
    able = []
    for contestant in CONTESTANTS:
        if contestant.peer in asked:
            if why := contestant.lacks():
                say(f"{contestant.name} is left out: {why}", "")
            else:
                able.append(contestant)
    return able


def strain() -> str:
    """How much is going on on this machine."""
    return f"{os.getloadavg()[0]:.2f} processes at work in the last minute"


def main() -> None:
    """Measure what the command line asks for and print it."""
    parser = argparse.ArgumentParser(description="Measures the console beside other apps on a terminal.")
    parser.add_argument("--sizes", type=sizes, default="1M", help="how many entries (%(default)s)")
    parser.add_argument("--peers", type=peers, default=",".join(PEERS), help="which (%(default)s)")
    parser.add_argument("--stock-rows", type=stock_rows, default="10k", help="the most for DataTable (%(default)s)")
    parser.add_argument("--folder", type=Path, help="the disk of the store (that of temporary files)")
    parser.add_argument("--quick", action="store_true", help="few repetitions: figures are rough")
    asked = parser.parse_args()
    if asked.folder and not asked.folder.is_dir():
        parser.error(f"{asked.folder} is not a folder: name one on the disk that is to be used")
    say(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, Textual {version('textual')}, "
        f"{os.cpu_count()} processors; {strain()}",
        "",
    )
    lineup = chosen(asked.peers)
    found = {}
    for size in asked.sizes:
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            effort = QUICK if asked.quick else FULL
            found[size] = report(size, lineup, asked.stock_rows, Path(folder), effort)
    say(NOTES)
    show_promises(found)
    say(f"At the end: {strain()}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
