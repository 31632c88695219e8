"""What is measured of one process on its terminal: start, keys, load at rest, changes, filter, memory."""

import math
import random
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from contestants import OURS, Contestant, keys
from terminal import Screen, Terminal, TerminalError
from tinydb import where

from engine.store import Store

START_PATIENCE = 120.0
KEY_PATIENCE = 10.0
CHANGE_PATIENCE = 2.0
FILTER_PATIENCE = 60.0
FILTER = "state:failed"
UP, DOWN = b"\x1b[A", b"\x1b[B"
ESCAPE = b"\x1b"
ONLY_FAILED = b"f"
SETTLING = 1.0
"""Seconds after which what belongs to a start is over."""


@dataclass(frozen=True)
class Effort:
    """How often all of it is repeated, each time in new processes.

    Args:
        starts: of each app, besides the rounds, which start it too.
        rounds: with everything else.
        run: keys down, then as many up: a page on which the rows stand still, then some that scroll.
        runs: of them.
        rest: seconds of being looked at without a key.
        changes: made in sight.
        filters: typed, and chosen by their key.
        seconds: after which a peer gets no further round.
    """

    starts: int
    rounds: int
    run: int
    runs: int
    rest: float
    changes: int
    filters: int
    seconds: float


FULL = Effort(starts=5, rounds=5, run=80, runs=2, rest=10, changes=20, filters=4, seconds=90)
QUICK = Effort(starts=0, rounds=1, run=60, runs=1, rest=2, changes=5, filters=1, seconds=20)


@dataclass
class Found:
    """What was measured of one contestant: seconds, shares of a processor, bytes. What was not drawn in time took for
    ever."""

    starts: list[float] = field(default_factory=list)
    moves: list[float] = field(default_factory=list)
    """From a key to the end of the frame that answers it, where the rows stand still."""
    scrolls: list[float] = field(default_factory=list)
    """The same where they scroll."""
    rests: list[float] = field(default_factory=list)
    filtered_rests: list[float] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)
    filters: list[float] = field(default_factory=list)
    """From the last key of the filter, typed, to its rows."""
    short_filters: list[float] = field(default_factory=list)
    """From the one key for the same filter to its rows."""
    memory: list[float] = field(default_factory=list)

    @property
    def keys(self) -> list[float]:
        """All keys."""
        return self.moves + self.scrolls


@dataclass
class Place:
    """The store that is looked at, open here too, and what was written to it from here."""

    path: Path
    size: int
    store: Store
    chance: random.Random = field(default_factory=lambda: random.Random(3))
    written: int = 0


def start(contestant: Contestant, place: Place) -> float:
    """The seconds from the start of a new process to its first rows."""
    with Terminal(contestant.command(place.path)) as terminal:
        return terminal.until(contestant.is_shown, START_PATIENCE) - terminal.began


def visit(contestant: Contestant, place: Place, effort: Effort, found: Found) -> None:
    """Measure everything once, in a new process."""
    with Terminal(contestant.command(place.path)) as terminal:
        found.starts.append(terminal.until(contestant.is_shown, START_PATIENCE) - terminal.began)
        terminal.until(contestant.position, KEY_PATIENCE)
        terminal.rest(SETTLING)
        for key in (DOWN, UP) * effort.runs:
            _press(contestant, terminal, key, min(effort.run, place.size - 1), place.chance, found)
        found.rests.append(terminal.load(effort.rest))
        if contestant is OURS:
            for _ in range(effort.changes):
                found.changes += _change(terminal, place)
            _filters(terminal, place, effort, found)
        found.memory.append(terminal.memory())


def _press(
    contestant: Contestant, terminal: Terminal, key: bytes, times: int, chance: random.Random, found: Found
) -> None:
    for _ in range(times):
        before, topmost = contestant.position(terminal.screen), _topmost(terminal.screen)
        pressed = terminal.press(key)
        ended = terminal.until(partial(_has_moved, contestant, before), KEY_PATIENCE)
        (found.moves if _topmost(terminal.screen) == topmost else found.scrolls).append(ended - pressed)
        terminal.rest(pressed + chance.uniform(0.030, 0.060) - time.perf_counter())


def _has_moved(contestant: Contestant, before: str | None, screen: Screen) -> bool:
    return contestant.position(screen) not in (before, None)


def _topmost(screen: Screen) -> str | None:
    return next(iter(keys(screen).values()), None)


def _change(terminal: Terminal, place: Place) -> list[float]:
    """Change an entry in sight, and give the seconds from the commit to its being drawn; nothing if another process
    changed the entry again meanwhile."""
    terminal.rest(place.chance.uniform(0.1, 0.3))  # in any phase of the console's own pace
    lines = terminal.screen.lines
    # What waits has its reason behind the time that it waits for, which may be all that there is room for.
    plain = [key for y, key in keys(terminal.screen).items() if not _waits(lines[y])]
    ids = place.store.entries.ids(where("key") == place.chance.choice(plain))
    place.written += 1
    text = f"seen {place.written:05}"
    with place.store.transaction():
        place.store.entries.update({"reason": text}, doc_ids=ids)
        # Not afterwards: it may be drawn while the commit still returns.
        commits = time.perf_counter()
    try:
        return [terminal.until(lambda screen: text in screen.text, CHANGE_PATIENCE) - commits]
    except TerminalError:
        [document] = place.store.entries.get(doc_ids=ids)
        return [math.inf] if document["reason"] == text else []


def _waits(line: str) -> bool:
    return "waiting" in line or "ready" in line


def _filters(terminal: Terminal, place: Place, effort: Effort, found: Found) -> None:
    """Filter several times, by the key and typed, and leave the rows there for a while."""
    for _ in range(effort.filters):
        _show_all(terminal)
        found.short_filters.append(_filter(terminal, terminal.press(ONLY_FAILED)))
    if math.isfinite(found.short_filters[-1]):
        terminal.rest(SETTLING)
        found.filtered_rests.append(terminal.load(effort.rest))
    for _ in range(effort.filters):
        _show_all(terminal)
        _type(terminal, f"/{FILTER[:-1]}", place.chance)
        found.filters.append(_filter(terminal, terminal.press(FILTER[-1].encode())))
        if math.isinf(found.filters[-1]):
            return
        terminal.press(b"\r")
        terminal.rest(SETTLING)


def _show_all(terminal: Terminal) -> None:
    terminal.press(ESCAPE)
    terminal.until(lambda screen: not _has_only_failed(screen), FILTER_PATIENCE)
    terminal.rest(SETTLING)


def _type(terminal: Terminal, text: str, chance: random.Random) -> None:
    for key in text:
        terminal.press(key.encode())
        terminal.rest(chance.uniform(0.030, 0.060))


def _filter(terminal: Terminal, pressed: float) -> float:
    """The seconds since the last key to the first frame with the filter and its rows."""
    try:
        shown = terminal.until(lambda screen: screen.shows(FILTER) and _has_only_failed(screen), FILTER_PATIENCE)
    except TerminalError:
        return math.inf
    return shown - pressed


def _has_only_failed(screen: Screen) -> bool:
    lines, rows = screen.lines, keys(screen)
    failed = [y for y in rows if "✗ failed" in lines[y]]
    # What has just been changed to another state may still be there. Without the filter one in twenty has failed.
    return bool(rows) and len(failed) >= 0.9 * len(rows)
