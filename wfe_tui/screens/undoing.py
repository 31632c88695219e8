"""What an operator does about acts: takes them back, and lets a restart that tries a few entries first go on, or ends
it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from textual import work
from tinydb.table import Document

from engine import operations
from engine.clock import local_minute
from engine.exceptions import EngineError
from engine.lookup.history import ActionRow, read_action
from engine.operations import ActionResult, Refusal
from engine.store import Store
from engine.text import counted, literal
from engine.verdicts import Verdict, verdicts_of
from wfe_tui.screens.base import StoreScreen
from wfe_tui.screens.confirm import Confirmed, ConfirmScreen

NAMED = 5
"""How many refused entries a notice names; the others are counted."""

T = TypeVar("T")


class UndoingScreen(StoreScreen):
    """A screen from which an act can be taken back."""

    @work(group="act")
    async def action_undo(self) -> None:
        """Take back the newest act of this operator that can be."""
        await self.undo(None)

    async def undo(self, number: int | None) -> None:
        """Take an act back: after a question, if it was on many entries.

        Args:
            number: of the action; None is the newest of this operator that can be taken back.
        """
        if self.wfe.refuses("undo"):
            return
        found = await self.attempt("undo", lambda: self._row_of(operations.to_undo(self.store, number)))
        if found is None:
            return
        why = None
        count = sum(found.verdicts.values()) - found.verdicts.get(Verdict.REFUSED, 0)
        if count > 1:
            since = local_minute(found.when, self.wfe.clock())
            answer = await self.ask(
                "undo",
                found.id,
                f"Undo {found.verb}, on {counted(count, 'entry', 'entries')}, by {literal(found.who)} at {since}?",
            )
            if answer is None:
                return
            why = answer.why
        done = await self.attempt(
            "undo", lambda: operations.undo(found.id, store=self.store, why=why, clock=self.wfe.clock)
        )
        if done is not None:
            self.wfe.outcomes.forget(found.id)
            self._tell_undone(found, done, why)

    def _tell_undone(self, action: ActionRow, done: ActionResult, why: str | None) -> None:
        self.wfe.shell = operations.line_of("undo", [str(action.id)], self.store.path, None, why)
        on = counted(len(action.groups), "cause") if action.groups else action.processor
        if done.accepted or done.refused:
            on = counted(len(done.accepted), "entry", "entries")
        what = f"action {action.id}, {action.verb}: {on}"
        lines = [f"undone: {what}" if done.accepted or not done.refused else f"undo: {what}", *refusal_lines(done)]
        self.wfe.say("\n".join([*lines, f"$ {self.wfe.shell}"]), severity="warning" if done.refused else "information")

    async def ask(self, words: str, number: int, question: str) -> Confirmed | None:
        """Ask whether something is to be done about an action; `words` are what is typed behind `wfe` for it."""
        return await self.app.push_screen_wait(ConfirmScreen.of_processor(words, str(number), question, None))

    async def attempt(self, verb: str, act: Callable[[], T]) -> T | None:
        """What something in a thread answers; None if it is refused, which is said."""
        try:
            return await asyncio.to_thread(act)
        except (EngineError, Refusal) as refusal:
            self.wfe.say(f"{verb}: {refusal}", severity="warning")
            return None

    def _row_of(self, document: Document) -> ActionRow:
        return read_action(document, self.store.is_alive, verdicts_of(self.store, document.doc_id))


class ActionActing(UndoingScreen):
    """A screen on which an action is pointed at."""

    def action_number(self) -> int | None:
        """The number of the action that is pointed at; None if there is none."""
        raise NotImplementedError

    @work(group="act")
    async def action_undo(self) -> None:
        """Take this act back."""
        number = self._pointed_at()
        if number is not None:
            await self.undo(number)

    @work(group="act")
    async def action_resume_canary(self) -> None:
        """Let a canary restart that has stopped go on with the rest of its entries."""
        question = "Go on with the rest of the entries of action {}?"
        if (agreed := await self._agreed("resume", operations.to_resume, question)) is None:
            return
        number, why = agreed
        processor = await self.attempt(
            "resume", lambda: operations.resume_canary(number, store=self.store, why=why, clock=self.wfe.clock)
        )
        if processor is not None:
            self._tell("resume", number, why, "goes on")
            self.wfe.outcomes.wait_for([number])
            self.wfe.engines.start(processor, actions=True)

    @work(group="act")
    async def action_abandon_canary(self) -> None:
        """End a canary restart: what was not executed stays as it was before."""
        question = "Abandon action {}? Its entries that were not executed stay as they were before."
        if (agreed := await self._agreed("abandon", operations.to_abandon, question)) is None:
            return
        number, why = agreed
        left = await self.attempt(
            "abandon", lambda: operations.abandon_canary(number, store=self.store, why=why, clock=self.wfe.clock)
        )
        if left is not None:
            self.wfe.outcomes.forget(number)
            self._tell("abandon", number, why, f"{counted(left, 'entry', 'entries')} not executed")

    async def _agreed(
        self, verb: str, look: Callable[[Store, int], Document], question: str
    ) -> tuple[int, str | None] | None:
        """The number of the action that is pointed at, and a reason, if something may be done about it and is to be."""
        number = self._pointed_at()
        if number is None or self.wfe.refuses(verb):
            return None
        if await self.attempt(verb, lambda: look(self.store, number)) is None:
            return None
        answer = await self.ask(f"actions {verb}", number, question.format(number))
        return None if answer is None else (number, answer.why)

    def _tell(self, verb: str, number: int, why: str | None, said: str) -> None:
        self.wfe.shell = operations.line_of(f"actions {verb}", [str(number)], self.store.path, None, why)
        self.wfe.say(f"{verb}: action {number}, {said}\n$ {self.wfe.shell}")

    def _pointed_at(self) -> int | None:
        number = self.action_number()
        if number is None:
            self.wfe.say("there is no action here", severity="warning")
        return number


def refusal_lines(result: ActionResult) -> list[str]:
    """Which entries something was not done to, and why: some are named, the others counted."""
    lines = [f"{key}: {why}" for key, why in list(result.refused.items())[:NAMED]]
    left = len(result.refused) - len(lines)
    return [*lines, f"… and {left} more were refused"] if left else lines
