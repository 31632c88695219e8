"""What an operator does to entries, from any screen that shows some: asked for, written in a thread, and told of."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass

from textual import work
from textual.message import Message

from engine import operations
from engine.exceptions import EngineError, StoreError
from engine.lookup import rows
from engine.pausing import pause_of
from engine.planning import State
from engine.records import EntryRow
from engine.text import counted
from wfe_tui.screens.base import StoreScreen
from wfe_tui.screens.confirm import Confirm

NAMED = 5
"""How many refused entries a notice names; the others are counted."""
SHELL_KEYS = 3
"""How many keys the shell line of an act shows; the others are counted."""

Act = Callable[[list[str], str], operations.ActionResult]
"""Does something to entries: their keys, and the processor that they belong to."""


class ActingScreen(StoreScreen):
    """A screen on which entries can be chosen, and acted on."""

    @dataclass
    class Acted(Message):
        """To the app: what became of an act, the ids of the entries that it was done to, and the shell's line for the
        same."""

        screen: "ActingScreen"
        result: operations.ActionResult
        accepted: frozenset[int]
        shell: str

    @abstractmethod
    def chosen(self) -> Collection[int]:
        """The ids of the entries to act on, as they are at this moment: what is marked later is for a later act."""

    def acted(self, accepted: frozenset[int]) -> None:
        """Something was done to these entries; the store tells what has changed."""

    def action_toggle_repeat(self) -> None:
        """Switch the repeat of the chosen entries: on, unless it is on for all of them."""
        self._toggle_repeat(self.chosen())

    def action_restart(self) -> None:
        """Execute again from the failed task."""
        self._restart(self.chosen(), from_start=False)

    def action_restart_from_start(self) -> None:
        """Execute again from the start."""
        self._restart(self.chosen(), from_start=True)

    def action_decide_done(self) -> None:
        """Take the tasks inside which the processes of the chosen entries died as done."""
        self._decide_done(self.chosen())

    @work
    async def _toggle_repeat(self, chosen: Collection[int]) -> None:
        targets = await self._read(chosen)
        on = not all(row.repeat is True for row in targets)

        def act(keys: list[str], processor: str) -> operations.ActionResult:
            return operations.toggle_repeat(keys, on, store=self.store, processor=processor)

        self._act(targets, act, f"repeat {'on' if on else 'off'}")

    @work
    async def _restart(self, chosen: Collection[int], *, from_start: bool) -> None:
        targets = await self._read(chosen)
        if targets and (from_start or len(targets) > 1):
            finished = "from the start; finished tasks are executed again"
            how = finished if from_start else "from the task at which each stands"
            question = f"Restart {counted(len(targets), 'entry', 'entries')} {how}?"
            if not await self.app.push_screen_wait(Confirm(question, [row.key for row in targets])):
                return

        def act(keys: list[str], processor: str) -> operations.ActionResult:
            return operations.restart(keys, from_start, store=self.store, processor=processor)

        self._act(targets, act, "restart --from-start" if from_start else "restart")

    @work
    async def _decide_done(self, chosen: Collection[int]) -> None:
        targets = await self._read(chosen)
        if any(row.state is State.IN_DOUBT for row in targets):
            entries = counted(len(targets), "entry", "entries")
            question = f"Take the task in doubt of {entries} as done, and go on?"
            if not await self.app.push_screen_wait(Confirm(question, [row.key for row in targets])):
                return

        def act(keys: list[str], processor: str) -> operations.ActionResult:
            return operations.decide(keys, operations.Decision.DONE, store=self.store, processor=processor)

        self._act(targets, act, "decide done")

    @work
    async def toggle_pause(self, processor: str) -> None:
        """Pause a processor, after a question, or resume it."""
        try:
            is_paused = await asyncio.to_thread(pause_of, self.store, processor)
            question = "Pause this processor? It starts no task until it is resumed."
            if not is_paused and not await self.app.push_screen_wait(Confirm(question, [processor])):
                return
            verb, act = ("resume", operations.resume) if is_paused else ("pause", operations.pause)
            await asyncio.to_thread(act, processor, store=self.store)
            shell = operations.shell_line(verb, [processor], self.store)
        except (EngineError, operations.Refusal) as error:
            self.wfe.say(str(error), severity="error")
        else:
            self.wfe.say(f"{verb}: {processor}\n$ {shell}")

    async def _read(self, chosen: Collection[int]) -> list[EntryRow]:
        """The rows of these entries, however many; those that are gone are left out."""
        try:
            return await asyncio.to_thread(lambda: list(rows(self.store, self.wfe.clock(), chosen)))
        except StoreError as error:
            self.wfe.say(str(error), severity="error")
            return []

    def _act(self, targets: list[EntryRow], act: Act, verb: str) -> None:
        if not targets:
            self.wfe.say("there is no entry to act on", severity="warning")
        for processor in dict.fromkeys(row.processor for row in targets):
            self._commit([row for row in targets if row.processor == processor], processor, act, verb)

    @work(thread=True, group="act")
    def _commit(self, group: list[EntryRow], processor: str, act: Act, verb: str) -> None:
        """Write the act; another process may hold the store for a moment, so not in the screen's thread."""
        keys = [row.key for row in group]
        try:
            result = act(keys, processor)
            shell = operations.shell_line(verb, keys[:SHELL_KEYS], self.store, processor)
        except EngineError as error:
            self.wfe.post_message(self.wfe.Notice(str(error)))
            return
        more = f" … and {len(keys) - SHELL_KEYS} more" if len(keys) > SHELL_KEYS else ""
        accepted = frozenset(row.id for row in group if row.key not in result.refused)
        self.wfe.post_message(self.Acted(self, result, accepted, shell + more))

    def tell(self, message: Acted) -> None:
        """Say what was done; the screen may have been left since."""
        result = message.result
        if self.is_running:
            self.acted(message.accepted)
        lines = [f"{result.verb}: {counted(len(result.accepted), 'entry', 'entries')}"] if result.accepted else []
        lines += [f"{key}: {why}" for key, why in list(result.refused.items())[:NAMED]]
        if len(result.refused) > NAMED:
            lines.append(f"… and {len(result.refused) - NAMED} more were refused")
        text = "\n".join([*lines, f"$ {message.shell}"])
        self.wfe.say(text, severity="warning" if result.refused else "information")
