"""How a test waits for what comes about in its own time: it asks again and again, and not for ever."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 40.0
"""Seconds after which what was waited for is not coming any more."""


def _nothing_more() -> object:
    return "it did not come about"


def until(asked: Callable[[], T], seconds: float = PATIENCE, told: Callable[[], object] = _nothing_more) -> T:
    """Wait until something is so.

    Args:
        asked: whether it is so, or what is waited for: true at last.
        seconds: how long that may take.
        told: what is known when it took longer.

    Returns:
        The answer at last.
    """
    deadline = time.monotonic() + seconds
    while not (answer := asked()):
        assert time.monotonic() < deadline, told()
        time.sleep(0.005)
    return answer


async def until_async(
    asked: Callable[[], object],
    seconds: float = PATIENCE,
    told: Callable[[], object] = _nothing_more,
    rest: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """The same where a loop goes on meanwhile; `rest` lets it, for so many seconds."""
    deadline = time.monotonic() + seconds
    while not asked():
        assert time.monotonic() < deadline, told()
        await rest(0.01)
