"""What an operator says of groups of errors, from any screen that shows some: asked for, written in a thread, told."""

import asyncio
from abc import abstractmethod
from collections.abc import Sequence

from textual import work

from engine.exceptions import EngineError
from engine.groups import ErrorGroup
from wfe_tui.screens.base import StoreScreen
from wfe_tui.screens.saying import NoteScreen, ResolveScreen, SayingScreen, SnoozeScreen


class GroupsScreen(StoreScreen):
    """A screen on which groups of errors can be chosen, and something said of them."""

    @abstractmethod
    def chosen_groups(self) -> Sequence[ErrorGroup]:
        """The groups of which it is said."""

    @abstractmethod
    def group_at_cursor(self) -> ErrorGroup | None:
        """The group that is noted of."""

    def action_resolve(self) -> None:
        """Say that their cause is gone."""
        self._say(ResolveScreen(self.chosen_groups()))

    def action_snooze(self) -> None:
        """Put them off."""
        self._say(SnoozeScreen(self.chosen_groups()))

    def action_note(self) -> None:
        """Note something of the one at the cursor."""
        group = self.group_at_cursor()
        self._say(NoteScreen([group] if group else []))

    @work(group="act")
    async def _say(self, screen: SayingScreen) -> None:
        if self.wfe.refuses(screen.verb):
            return
        if not screen.groups:
            self.wfe.say("there is no cause to act on", severity="warning")
            return
        saying = await self.app.push_screen_wait(screen)
        if saying is None:
            return
        try:
            result = await asyncio.to_thread(lambda: saying.act(store=self.store, clock=self.wfe.clock))
        except EngineError as error:
            self.wfe.say(str(error), severity="error")
            return
        self.wfe.shell = saying.shell
        lines = [f"{result.verb}: {fingerprint}" for fingerprint in result.accepted]
        lines += [f"{fingerprint}: {why}" for fingerprint, why in result.refused.items()]
        text = "\n".join([*lines, f"$ {saying.shell}"])
        self.wfe.say(text, severity="warning" if result.refused else "information")
