"""The engine processes that were started from this console: each kind once at a time."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from engine.exceptions import EngineError
from engine.worker.actions import worker_command
from wfe_tui.child import Child

if TYPE_CHECKING:
    from wfe_tui.app import WfeApp

KEPT = 20
"""How many engine processes that have ended can still be looked at."""


@dataclass
class ChildEnded(Message):
    """An engine process started here has ended."""

    child: Child


class Engines:
    """Starts engine processes for the app, and tells it of their ends.

    Args:
        app: whose they are; it is sent `ChildEnded`.
    """

    def __init__(self, app: "WfeApp") -> None:
        self.processes: list[Child] = []
        """Those that run, and the newest that have ended."""
        self._app = app
        self._waiting: list[tuple[str, bool]] = []
        self._starting: set[tuple[str, bool]] = set()

    def start(self, processor: str, *, actions: bool) -> None:
        """Start a run of a processor; while one of the same kind that was started here still runs, it follows that.

        Args:
            processor: `module:Class`.
            actions: do what operators asked for; else consider every entry.
        """
        kind = (processor, actions)
        runs = any(child.runs and (child.processor, child.actions) == kind for child in self.processes)
        if not runs and kind not in self._starting:
            self._starting.add(kind)
            self._app.run_worker(self._start(processor, actions), group="child")
        elif kind not in self._waiting:
            self._waiting.append(kind)

    def ended(self, child: Child) -> None:
        """Start what waited for the end of this one."""
        kind = (child.processor, child.actions)
        if kind in self._waiting:
            self._waiting.remove(kind)
            self.start(child.processor, actions=child.actions)

    async def _start(self, processor: str, actions: bool) -> None:
        try:
            command = await asyncio.to_thread(worker_command, self._app.store, processor, actions=actions)
        except EngineError as error:
            self._app.say(str(error), severity="error")
            return
        finally:
            self._starting.discard((processor, actions))
        ended = [child for child in self.processes if not child.runs]
        for oldest in ended[: len(ended) - KEPT]:
            self.processes.remove(oldest)
        child = Child(processor, actions, command, lambda child: self._app.post_message(ChildEnded(child)))
        self.processes.append(child)
        child.start()
