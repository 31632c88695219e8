"""Asks the store something in a thread, so that nothing blocks the screen, and hands the answer to the screen's own."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from textual.css.query import NoMatches
from textual.dom import DOMNode

from engine.exceptions import EngineError

T = TypeVar("T")

SHARE = 20
"""A question that takes a second is asked again after so many: to follow the store costs a part of a core at most."""


class Loader(Generic[T]):
    """One question that is asked again and again, never twice at once; what changes meanwhile is asked once afterwards.

    Args:
        node: whose answer it is; with it, it ends.
        ask: the question, called in a thread.
        show: takes the answer.
        refused: takes the sentence where the question cannot be answered; None where the feed says it.
        rest: seconds between two questions at least.
    """

    def __init__(
        self,
        node: DOMNode,
        ask: Callable[[], T],
        show: Callable[[T], object],
        *,
        refused: Callable[[EngineError], object] | None = None,
        rest: float = 0.0,
    ) -> None:
        self._node = node
        self._ask = ask
        self._show = show
        self._refused = refused
        self._rest = rest
        self._next = 0.0
        self._is_asked = self._is_waiting = self._is_urgent = False
        self.is_loading = False
        """A question is under way, or will be asked in a moment."""

    def load(self, *, now: bool = False) -> None:
        """Ask, or ask again after the answer that is under way; `now` does not wait for the rest between two."""
        self._is_urgent = self._is_urgent or now
        if self._is_asked:
            self._is_waiting = True
            return
        self._is_asked = self.is_loading = True
        self._is_waiting = False
        self._node.run_worker(self._answer(), group="load", exit_on_error=True)

    async def _answer(self) -> None:
        try:
            while True:
                while not self._is_urgent and (left := self._next - time.monotonic()) > 0:
                    await asyncio.sleep(min(left, 0.05))
                self._is_waiting = self._is_urgent = False
                began = time.monotonic()
                try:
                    answer = await asyncio.to_thread(self._ask)
                except EngineError as error:
                    if self._refused is not None:
                        self._refused(error)
                else:
                    with suppress(NoMatches):  # the screen is just being taken down, a widget at a time
                        self._show(answer)
                took = time.monotonic() - began
                self._next = time.monotonic() + max(self._rest, SHARE * took)
                if not self._is_waiting:
                    return
        finally:
            self._is_asked = self.is_loading = False
