"""What the benchmark of the console starts on its terminals, and how the rows and the cursor of each are seen there."""

import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from terminal import Screen

PEER_APPS = str(Path(__file__).with_name("peer_apps.py"))
MOST_STOCK_ROWS = 100_000

_KEY = re.compile(r"order-\d{10}")


def keys(screen: Screen) -> dict[int, str]:
    """The keys of the rows in sight, by line."""
    return {y: found[0] for y, found in _keys(screen).items()}


def key_at_cursor(screen: Screen) -> str | None:
    """The key of the one row whose background no other row has; None as long as there is no such row."""
    rows = _keys(screen)
    backgrounds = {y: screen.background(found.start(), y) for y, found in rows.items()}
    times = Counter(backgrounds.values())
    unique = [found[0] for y, found in rows.items() if times[backgrounds[y]] == 1]
    return unique[0] if len(unique) == 1 else None


def _keys(screen: Screen) -> dict[int, re.Match[str]]:
    found = [(y, key) for y, line in enumerate(screen.lines) for key in _KEY.finditer(line)]
    # The console names the entry at the cursor elsewhere too: rows are those that begin below each other.
    left = Counter(key.start() for _, key in found).most_common(1)
    return {y: key for y, key in found if key.start() == left[0][0]}


def times_pressed(screen: Screen) -> str | None:
    """What the empty app says."""
    found = re.match(r"pressed (\d+) times", screen.lines[0])
    return found[1] if found else None


@dataclass(frozen=True)
class Contestant:
    """An app on a terminal.

    Args:
        name: in the tables.
        peer: on the command line.
        command: that starts it on a store.
        position: what every key press changes; None as long as nothing of it is on the screen.
        needs: the module that it cannot do without.
        install: the package that has it.
    """

    name: str
    peer: str
    command: Callable[[Path], list[str]]
    position: Callable[[Screen], str | None]
    needs: str = "textual"
    install: str = "textual"

    def is_shown(self, screen: Screen) -> bool:
        """Whether what it is there for is on the screen: its first rows, or its text."""
        return bool(keys(screen)) or times_pressed(screen) is not None

    def lacks(self) -> str | None:
        """Why it cannot be measured."""
        if find_spec(self.needs):
            return None
        return f"it is not installed: {sys.executable} -m pip install {self.install}"


def _peer(app: str) -> Callable[[Path], list[str]]:
    return lambda store: [sys.executable, PEER_APPS, app, str(store)]


EMPTY = Contestant("empty app", "empty", _peer("empty"), times_pressed)
OURS = Contestant(
    "console", "ours", lambda store: [sys.executable, "-m", "wfe_tui", "--store", str(store)], key_at_cursor
)
STOCK = Contestant("DataTable", "datatable", _peer("datatable"), key_at_cursor)
ARROW = Contestant(
    "fastdatatable, Arrow",
    "arrow",
    _peer("arrow"),
    key_at_cursor,
    needs="textual_fastdatatable",
    install="textual-fastdatatable",
)
CONTESTANTS = (EMPTY, OURS, STOCK, ARROW)
PEERS = tuple(contestant.peer for contestant in CONTESTANTS)
