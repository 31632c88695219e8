"""What an operator does to entries, from any screen that shows some: asked for, previewed, written in a thread, and
told of."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from textual import work
from textual.message import Message

from engine import operations
from engine.exceptions import EngineError, StoreError
from engine.lookup.entries import keys_of, rows
from engine.lookup.rows import EntryRow
from engine.operations import ActionResult, Basis, Stamp, Verb
from engine.pausing import pause_of
from engine.text import counted
from wfe_tui.screens.confirm import Confirmed, ConfirmScreen
from wfe_tui.screens.repeat import RepeatScreen
from wfe_tui.screens.undoing import UndoingScreen, refusal_lines

SHELL_KEYS = 3
"""How many keys the shell line of an act shows; what is copied has them all."""


@dataclass(frozen=True)
class Scope:
    """What is to be acted on, as it is at this moment: what is marked later is for a later act.

    `words` say which entries these are, `find` answers their ids, in a thread that may wait. `shown` are those of them
    that the operator sees, as they stand there.
    """

    words: str
    find: Callable[[], Collection[int]]
    shown: Sequence[EntryRow] = ()


@dataclass(frozen=True)
class _Chosen:
    """The entries that an act is to be done to: their keys and ids, by processor."""

    scope: Scope
    groups: Mapping[str, dict[str, int]]
    names_processor: bool

    @property
    def count(self) -> int:
        return sum(map(len, self.groups.values()))


class ActingScreen(UndoingScreen):
    """A screen on which entries can be chosen, and acted on."""

    @dataclass
    class Acted(Message):
        """To the app: what became of an act, the ids of the entries that it was done to, the shell's line for the
        same, whole and as it is shown, and whether verdicts are awaited."""

        screen: "ActingScreen"
        result: ActionResult
        accepted: frozenset[int]
        shell: str
        shown_shell: str
        awaits: bool

    @abstractmethod
    def scope(self) -> Scope:
        """The entries to act on."""

    def acted(self, accepted: frozenset[int]) -> None:
        """Something was done to these entries; the store tells what has changed."""

    def waits(self, ids: frozenset[int], does: bool) -> None:
        """An act on these entries is being written, or not any more: others may hold the store for a moment."""

    def action_toggle_repeat(self) -> None:
        """Switch the repeat of the chosen entries: on, unless it is on for all of them."""
        self._toggle_repeat(self.scope())

    def action_repeat_when(self) -> None:
        """Ask for a policy of repeat."""

        def act(verb: Verb | None) -> None:
            if verb is not None:
                self.act(verb)

        self.app.push_screen(RepeatScreen(self.wfe.clock), act)

    def action_restart(self) -> None:
        """Execute again from the failed task."""
        self.act(operations.Restart())

    def action_restart_from_start(self) -> None:
        """Execute again from the start."""
        self.act(operations.Restart(from_start=True))

    def action_skip(self) -> None:
        """Take the tasks at which the chosen entries stand as done."""
        self.act(operations.Skip())

    def action_hold(self) -> None:
        """Let no run execute the chosen entries."""
        self.act(operations.Hold())

    def action_release(self) -> None:
        """End the hold of the chosen entries."""
        self.act(operations.Release())

    def action_cancel(self) -> None:
        """Let no run execute the chosen entries any more."""
        self.act(operations.Cancel())

    def action_decide_done(self) -> None:
        """Take the tasks inside which the processes of the chosen entries died as done."""
        self.act(operations.Decide(operations.Decision.DONE))

    @work(group="act")
    async def _toggle_repeat(self, scope: Scope) -> None:
        def is_on() -> bool:
            return all(row.repeat is True for row in rows(self.store, self.wfe.clock(), scope.find()))

        try:
            verb = operations.SetRepeat(not await asyncio.to_thread(is_on))
        except EngineError as error:
            self.wfe.say(str(error), severity="error")
        else:
            self.act(verb, scope)

    def act(self, verb: Verb, scope: Scope | None = None) -> None:
        """Do a verb to the chosen entries: after a look at what it would do, unless it can be undone."""
        self._act(verb, scope or self.scope())

    def action_canary(self) -> None:
        """Restart a few of the chosen entries first, and the others after these have their verdicts."""
        from wfe_tui.screens.canary import CanaryScreen  # not before the first rows

        self._act(operations.Restart(), self.scope(), CanaryScreen)

    @work(group="act")
    async def _act(self, verb: Verb, scope: Scope, question: type[ConfirmScreen] = ConfirmScreen) -> None:
        if (chosen := await self._choose(verb.name, scope)) is None:
            return
        answer: Confirmed | None = None
        if chosen.count > 1 or not verb.can_be_undone:
            protected, names = self.wfe.protected_name, chosen.names_processor
            screen = question(verb, chosen.groups, scope.words, protected, names_processor=names)
            if (answer := await self.app.push_screen_wait(screen)) is None:
                return
        await self._do(verb, chosen, answer)

    async def _choose(self, verb: str, scope: Scope) -> "_Chosen | None":
        """The entries to act on; None if there is none, or nothing may be done, which is said."""
        if self.wfe.refuses(verb):
            return None
        try:
            groups, names = await asyncio.to_thread(
                lambda: (keys_of(self.store, scope.find()), operations.has_many_processors(self.store))
            )
        except EngineError as error:
            self.wfe.say(str(error), severity="error")
            return None
        if not any(groups.values()):
            self.wfe.say("there is no entry to act on", severity="warning")
            return None
        return _Chosen(scope, groups, names)

    async def _do(self, verb: Verb, chosen: "_Chosen", answer: Confirmed | None) -> None:
        """Write the act; `answer` is None where nothing was asked."""
        for processor, found in chosen.groups.items():
            self.waits(frozenset(found.values()), True)
            try:
                async with self.wfe.acting:  # one after the other: the next one sees what this one has changed
                    given = answer or self._unasked(verb, chosen)
                    await self._commit(verb, processor, found, given)
            finally:
                if self.is_running:
                    self.waits(frozenset(found.values()), False)

    def _unasked(self, verb: Verb, chosen: "_Chosen") -> Confirmed:
        """Yes, to what stands on the screen: unless that was changed from here since it was read."""
        basis: dict[str, Basis] = {}
        for row in chosen.scope.shown:
            changed = self.wfe.changed_here.get(row.id)
            if changed is None or row.updated >= changed:
                stamps = {(row.processor, row.key): Stamp.of(row)}
                basis[row.processor] = Basis(verb.name, tuple(verb.words), row.updated, stamps)
        return Confirmed(basis=basis)

    async def _commit(self, verb: Verb, processor: str, found: dict[str, int], given: Confirmed) -> None:
        """Write the act; another process may hold the store for a moment, so not in the screen's thread."""
        keys, store, why, began = list(found), self.store, given.why, self.wfe.clock()
        words = [*verb.words, *(given.canary.words if given.canary else ())]

        def progress(done: int, of: int) -> None:
            self.app.call_from_thread(self.wfe.say_progress, f"{verb.name}: {done} of {of}")

        def write() -> tuple[ActionResult, str, str]:
            result = operations.act(
                verb, keys, store=store, processor=processor, why=why, clock=self.wfe.clock, progress=progress,
                basis=given.basis.get(processor), canary=given.canary,
            )  # fmt: skip

            def line(some: Sequence[str]) -> str:
                return operations.shell_line(words, some, store, processor, why)

            more = f" … and {len(keys) - SHELL_KEYS} more" if len(keys) > SHELL_KEYS else ""
            return result, line(keys), line(keys[:SHELL_KEYS]) + more

        try:
            result, shell, shown = await asyncio.to_thread(write)
        except EngineError as error:
            self.wfe.say(str(error), severity="error")
            return
        accepted = frozenset(number for key, number in found.items() if key not in result.refused)
        if len(found) == 1:
            self.wfe.changed_here.update(dict.fromkeys(accepted, began))
        self.wfe.post_message(self.Acted(self, result, accepted, shell, shown, verb.awaits))

    def tell(self, message: Acted) -> None:
        """Say what was done; the screen may have been left since."""
        result = message.result
        if self.is_running:
            self.acted(message.accepted)
        lines = [f"{result.verb}: {counted(len(result.accepted), 'entry', 'entries')}"] if result.accepted else []
        lines += [*refusal_lines(result), f"$ {message.shown_shell}"]
        if result.accepted:
            lines.append("u undoes it")
        text = "\n".join(lines)
        self.wfe.say(text, severity="warning" if result.refused else "information")

    # --- a processor as a whole

    async def processor(self) -> str | None:
        """The processor of what is shown, or pointed at; None if there is none."""
        return self.wfe.settings.processor

    @work
    async def action_new_run(self) -> None:
        """Start a run of the processor of what is pointed at, or of the one the console was started with."""
        processor = await self.processor() or self.wfe.settings.processor
        if processor is None:
            self.wfe.say("there is nothing here whose processor could be run", severity="warning")
        elif not self.wfe.refuses("run"):
            self.wfe.engines.start(processor, actions=False)

    @work
    async def action_toggle_pause(self) -> None:
        """Pause the processor of what is pointed at, after a question, or resume it."""
        processor = await self.processor()
        if processor is None:
            self.wfe.say("there is nothing here whose processor could be paused", severity="warning")
            return
        if self.wfe.refuses("pause"):
            return
        try:
            is_paused = await asyncio.to_thread(pause_of, self.store, processor) is not None
            why = None
            if not is_paused:
                question = "Pause this processor? No task of it is started until it is resumed."
                answer = await self.app.push_screen_wait(
                    ConfirmScreen.of_processor("pause", processor, question, self.wfe.protected_name)
                )
                if answer is None:
                    return
                why = answer.why
            verb, act = ("resume", operations.resume) if is_paused else ("pause", operations.pause)
            await asyncio.to_thread(lambda: act(processor, store=self.store, why=why, clock=self.wfe.clock))
            self.wfe.shell = operations.line_of(verb, [processor], self.store.path, None, why)
        except (StoreError, EngineError, operations.Refusal) as error:
            self.wfe.say(str(error), severity="error")
        else:
            self.wfe.say(f"{verb}: {processor}\n$ {self.wfe.shell}")

    def action_show_output(self) -> None:
        """Show what the processes started from here have printed."""
        self.wfe.show_output()
