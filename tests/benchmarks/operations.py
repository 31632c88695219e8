"""What is measured on one peer at a time: reads, writes, and what a follower asks."""

from collections.abc import Callable
from functools import partial
from typing import Any

from entries import PERCENT, PROCESSORS, entry, error_id_of, key_of, state_of, task_result
from peers import Follower, Selection, Window, where
from tinydb import Query

from engine.clock import to_text, utc_now
from engine.state import State

Operation = Callable[[Any, int], Callable[[], Any]]
"""Prepares the n-th repetition on a peer, n from 0, and gives the work to be timed."""

EVERY = Selection()
NEWEST = Window("updated", reverse=True)
UPDATE = "update by id"


def scattered(n: int, size: int) -> int:
    """A number below `size`, far from the one before: the prime is a divisor of no size that is asked for."""
    return n * 611_953 % size


_FAILED = [number for number in range(100) if state_of(number) is State.FAILED]
_STOPPED = (State.FAILED, State.INTERRUPTED)


def windows(size: int) -> dict[str, tuple[Selection, Window]]:
    """Windows of sorted lists, each in the middle of its list."""
    some = {state: size * percent // 100 for state, percent in PERCENT.items()}
    finished, failed, stopped = some[State.FINISHED], some[State.FAILED], sum(some[state] for state in _STOPPED)
    one_of = Selection(Query().state.one_of(_STOPPED), "state IN (?, ?)", _STOPPED)
    return {
        "window: finished by updated": (where(state=State.FINISHED), Window("updated", offset=finished // 2)),
        "window: failed by key": (where(state=State.FAILED), Window("key", offset=failed // 2)),
        "window: a processor by updated": (where(processor=PROCESSORS[0]), Window("updated", offset=size // 6)),
        "window: failed of a processor by updated": (
            where(processor=PROCESSORS[0], state=State.FAILED),
            Window("updated", offset=failed // 6),
        ),
        "window: all by key": (EVERY, Window("key", offset=size // 2)),
        "window: failed, interrupted by updated": (one_of, Window("updated", offset=stopped // 2)),
    }


def reads(size: int) -> dict[str, Operation]:
    """By name, on entries that nobody has changed yet: only then have all peers the same."""

    def processor(n: int) -> str:
        return PROCESSORS[n % len(PROCESSORS)]

    def error_id(n: int) -> str:
        return error_id_of(scattered(n, size // 100) * 100 + _FAILED[n % len(_FAILED)])

    def read(selection: Selection, window: Window) -> Operation:
        return lambda peer, n: partial(peer.window, selection, window)

    return {
        "get by id": lambda peer, n: partial(peer.get, scattered(n, size) + 1),
        "get by key": lambda peer, n: partial(peer.first, where(key=key_of(scattered(n, size)))),
        "search: failed of a processor": lambda peer, n: partial(
            peer.search, where(state=State.FAILED, processor=processor(n))
        ),
        "search: an error's id": lambda peer, n: partial(peer.search, where(error_id=error_id(n))),
        "newest fifty": read(EVERY, NEWEST),
        **{name: read(*window) for name, window in windows(size).items()},
        "counts by state": lambda peer, n: partial(peer.counts, EVERY),
        "counts by state of a processor": lambda peer, n: partial(peer.counts, where(processor=processor(n))),
    }


def writes(size: int) -> dict[str, Operation]:
    """The last two make the table grow."""
    return {
        UPDATE: lambda peer, n: partial(peer.update, scattered(n, size) + 1, task_result(n)),
        "upsert, known key": lambda peer, n: partial(
            peer.upsert, entry(scattered(n, size)) | {"updated": to_text(utc_now())}
        ),
        "insert": lambda peer, n: partial(peer.insert, entry(size + n)),
        "upsert, new key": lambda peer, n: partial(peer.upsert, entry(2 * size + n)),
    }


def following() -> dict[str, Operation]:
    """For followers alone, after at least a hundred writes."""

    def has_news(peer: Follower, since: int) -> bool:
        return peer.seq() != since

    return {
        "empty poll": lambda peer, n: partial(has_news, peer, peer.seq()),
        "changes: the last 100": lambda peer, n: partial(peer.changes, peer.seq() - 100),
    }
