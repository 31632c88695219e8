"""Measures how long a script waits for `wfe`, beside the libraries that it stands on, in one run.

    .venv/bin/python tests/benchmarks/startup.py [--sizes 1k,1M] [--turns 9] [--folder PATH]

Each figure is the median of new processes, which take turns, so that noise meets them all alike; their output goes into
a pipe. The promises: `import engine` within 150 ms of `import pydantic`, and `wfe ls` within 1.5 times
`import tinydb, typer` plus 100 ms. A store of a million entries takes some minutes and 2 GB to be made.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))  # `python -m` looks for the modules beside this one elsewhere

from past import fill
from tables import duration, factor, say, say_table

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1M": 1_000_000}
WFE = (sys.executable, "-m", "engine")
YARDSTICK = "import tinydb, typer"
IMPORTS = ("pass", "import pydantic", "import engine", YARDSTICK)
COMMANDS: dict[str, Sequence[str]] = {
    "wfe ls": ("ls",),
    "wfe ls state:failed": ("ls", "state:failed"),
    "wfe ls --json | head -1": ("ls", "--json"),
    "wfe show KEY": ("show", "order-0000007"),
    "wfe errors": ("errors",),
    "wfe show order-00<TAB>": (),
}


def main() -> None:
    """Print the medians, and which promises hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1k", help="of the stores, as 1k,1M")
    parser.add_argument("--turns", type=int, default=9, help="processes of each kind")
    parser.add_argument("--folder", type=Path, help="where the stores are made, and kept: to be measured again")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.sizes.split(","):
            _measure(name, _store(asked.folder or Path(folder), name), asked.turns)


def _store(folder: Path, name: str) -> Path:
    path = folder / f"{name}.db"
    if not path.exists():
        begun = path.with_suffix(".begun")
        fill(begun, SIZES[name])
        begun.rename(path)
    return path


def _measure(name: str, store: Path, turns: int) -> None:
    spent: dict[str, list[float]] = {each: [] for each in (*IMPORTS, *COMMANDS)}
    for _ in range(turns):
        for each, seconds in spent.items():
            seconds.append(_seconds(each, store))
    medians = {each: median(seconds) for each, seconds in spent.items()}
    base = medians[YARDSTICK]
    rows = [
        (f"`{each}`".replace("|", "\\|"), duration(seconds), factor(seconds / base))
        for each, seconds in medians.items()
    ]
    say_table(f"## {SIZES[name]:,} entries", ("", "median", f"/ {YARDSTICK}"), rows)
    _verdict("import engine", medians["import engine"], medians["import pydantic"] + 0.15)
    _verdict("wfe ls", medians["wfe ls"], 1.5 * base + 0.1)
    say("")


def _verdict(name: str, found: float, most: float) -> None:
    said = "holds" if found <= most else "does not hold"
    say(f"{name} within {duration(most)}: {said}, {duration(found)}")


def _seconds(name: str, store: Path) -> float:
    """How long a new process takes; where only its first line is wanted, until that is read."""
    environment = {**os.environ, "WFE_STORE": str(store)}
    if name not in COMMANDS:
        argv: Sequence[str] = (sys.executable, "-c", name)
    else:
        argv = (*WFE, *COMMANDS[name])
        if not COMMANDS[name]:
            environment["_WFE_COMPLETE"] = name.removesuffix("<TAB>")
    began = time.perf_counter()
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        if name.endswith("head -1"):
            process.stdout.readline()
            process.stdout.close()
        else:
            process.stdout.read()
        process.wait()
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
