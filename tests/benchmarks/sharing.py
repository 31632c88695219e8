"""Measures how long it takes to say what failing entries share, beside a plain look at every entry.

    .venv/bin/python tests/benchmarks/sharing.py [--sizes 10k,100k,1M] [--rounds 5]

The store's entries are those of `store.py`, each with a country, a carrier and lines of goods besides: every twentieth
fails by lot, and of those to Norway each second one. The peer reads all of them with `store.entries.all()` and counts
the same values with a `Counter`; it says how often each was seen, and not whether that is more than chance. Both take
turns, in one process. What the processor spent tells of a busy machine as well: the rest of the time, others had it.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # `python -m` looks for the modules beside this one elsewhere

from entries import entry
from store import sizes
from tables import duration, say, say_table

from engine.clock import to_text, utc_now
from engine.sharing import what_they_share
from engine.state import FAILURES, State, shown_state
from engine.store import Store

COUNTRIES = ("DE", "FR", "IT", "ES", "PL", "NL", "AT", "BE", "DK", "NO")
LIMIT = 1.0
"""Seconds that it may take at 100,000 entries."""


def order(number: int, lot: random.Random) -> dict[str, Any]:
    """The entry with this number, which fails by lot, and rather if it goes to Norway."""
    made = entry(number)
    country = lot.choice(COUNTRIES)
    fails = lot.random() < (0.5 if country == "NO" else 0.05)
    state = State.FAILED if fails else State.FINISHED
    lines = [{"sku": f"S-{lot.randrange(200)}", "count": lot.randrange(1, 6)} for _ in range(3)]
    address = {"city": f"city {lot.randrange(500)}", "express": lot.random() < 0.2}
    data = {**made["data"], "country": country, "address": address, "lines": lines}
    return {**made, **shown_state(state), "data": data, "run": lot.randrange(1, 31), "task": "Check" if fails else None}


def fill(store: Store, size: int) -> None:
    """Make the store's entries, and thirty runs of two hosts."""
    lot = random.Random(1)
    for number in range(30):
        store.runs.insert(
            {
                "processor": "orders:Orders", "started": to_text(utc_now()), "owner": "", "host": f"web-{number % 2}",
                "pid": 4_000 + number, "code": f"{number // 10:010}",
            }
        )  # fmt: skip
    made = (order(number, lot) for number in range(size))
    while some := list(islice(made, 10_000)):
        store.entries.insert_multiple(some)


def looked_at_all(store: Store) -> Counter[tuple[bool, str, Any]]:
    """The peer: each value of the entries' own fields, counted on both sides."""
    counts: Counter[tuple[bool, str, Any]] = Counter()
    for document in store.entries.all():
        fails = document["state"] in FAILURES
        data = document["data"]
        counts.update((fails, name, value) for name, value in data.items() if not isinstance(value, dict | list))
        counts.update((fails, name, value) for name, value in data["address"].items())
        counts.update({(fails, name, value) for line in data["lines"] for name, value in line.items()})
    return counts


def report(size: int, rounds: int, folder: Path) -> None:
    """Measure at one size and print it."""
    with Store(folder / f"{size}.db") as store:
        fill(store, size)
        peers = {
            "ours, state:failed": lambda: what_they_share(store, utc_now(), "state:failed"),
            "ours, state:failed data.country=NO": lambda: what_they_share(
                store, utc_now(), "state:failed data.country=NO"
            ),
            "store.entries.all() and a Counter": lambda: looked_at_all(store),
        }
        spent: dict[str, list[float]] = {name: [] for name in peers}
        processor: dict[str, list[float]] = {name: [] for name in peers}
        for _ in range(rounds):
            for name, ask in peers.items():
                began, worked = time.perf_counter(), time.process_time()
                ask()
                spent[name].append(time.perf_counter() - began)
                processor[name].append(time.process_time() - worked)
        shared = what_they_share(store, utc_now(), "state:failed")
    first = shared.traits[0]
    if (first.attribute, first.value) != ("task", "Check") or shared.traits[1].value != "NO":
        raise SystemExit(f"it was not found that orders to Norway fail: {shared.traits[:2]}")
    rows = [
        (name, duration(median(each)), duration(max(each)), duration(median(processor[name])))
        for name, each in spent.items()
    ]
    say_table(f"## {size:,} entries: {shared.sentences()[0]}", ("", "median", "slowest", "processor"), rows)
    if size == 100_000:
        taken = median(spent["ours, state:failed"])
        say(f"under {duration(LIMIT)} at 100,000: {'holds' if taken < LIMIT else 'does not hold'}", "")


def main() -> None:
    """Measure what the command line asks for and print it."""
    parser = argparse.ArgumentParser(description="Measures how long it takes to say what failing entries share.")
    parser.add_argument("--sizes", type=sizes, default="10k,100k", help="how many entries (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is asked (%(default)s)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for size in asked.sizes:
            report(size, asked.rounds, Path(folder))


if __name__ == "__main__":
    main()
