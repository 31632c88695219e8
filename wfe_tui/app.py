"""The app: which screens are open over which store, and the engine processes started from here."""

import asyncio
import signal
import sys
import termios
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.css.query import NoMatches
from textual.message import Message
from textual.screen import Screen

from engine.clock import Clock, utc_now
from engine.exceptions import EngineError
from engine.lookup import find_error
from engine.store import Store, may_write
from engine.text import literal
from engine.worker import worker_command
from wfe_tui.actions import ACTIONS, binding_id, bindings
from wfe_tui.child import Child
from wfe_tui.demo import DEMO, demo_store
from wfe_tui.feed import Feed, StoreChanged, StoreFound, StoreLost
from wfe_tui.routes import ENTRIES, Route
from wfe_tui.screens.acting import ActingScreen
from wfe_tui.screens.base import StoreScreen
from wfe_tui.screens.entries import EntriesScreen
from wfe_tui.screens.entry import EntryScreen
from wfe_tui.screens.help import HelpScreen
from wfe_tui.screens.output import OutputScreen
from wfe_tui.screens.trace import TraceScreen
from wfe_tui.screens.welcome import WelcomeScreen
from wfe_tui.widgets.cut import cut

Severity = Literal["information", "warning", "error"]

LONGEST_LINE = 300
"""Characters of a notice's line."""

KEPT_CHILDREN = 20
"""How many engine processes that have ended can still be looked at."""


@dataclass(frozen=True)
class Settings:
    """What the console was started with.

    Args:
        path: the store's file; it need not exist.
        processor: `module:Class`, started by `N` while the store has no entry; None if none was named.
        demo: open the demo, and start its run.
        route: the screen to open over the list.
    """

    path: Path
    processor: str | None = None
    demo: bool = False
    route: Route = ENTRIES


class WfeApp(App[None]):
    """The console over one store."""

    TITLE = "wfe"
    ENABLE_COMMAND_PALETTE = True
    PAUSE_GC_ON_SCROLL = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("everywhere")]

    @dataclass
    class Notice(Message):
        """Something went wrong in a thread; said to the operator."""

        text: str

    @dataclass
    class ChildEnded(Message):
        """An engine process started here has ended."""

        child: Child

    store: Store

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        super().__init__()
        self.settings = settings
        self.clock = clock
        self.processes: list[Child] = []
        self.failure: EngineError | None = None
        """Why the console could not go on."""
        self._feed: Feed | None = None
        self._waiting: list[tuple[str, bool]] = []

    def on_mount(self) -> None:
        """Open the store, the demo, or what says that there is neither."""
        self.animation_level = "none"
        # Otherwise the process would end with the terminal left as the screen has it.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit, None, 128 + signal.SIGTERM)
        if not self.is_headless:
            self.set_interval(1, self._end_without_terminal)
        if self.settings.demo:
            self.open_demo()
        elif self.settings.path.exists():
            self.open_store(self.settings.path)
        else:
            self.push_screen(WelcomeScreen(self.settings.path, self.settings.processor))

    def open_demo(self) -> None:
        """Open the demo's store and start its run."""
        path = self.settings.path if self.settings.demo else demo_store()
        if self.open_store(path):
            self.start_child(DEMO, actions=False)

    def open_store(self, path: Path) -> bool:
        """Show this store's entries; False when it cannot be opened, which is said."""
        try:
            self.store = Store(path, read_only=path.exists() and not may_write(path))
            self._feed = Feed(self.store, self.post_message)
        except EngineError as error:
            self.failure = error
            self.exit()
            return False
        self._feed.start()
        if isinstance(self.screen, WelcomeScreen):
            self.switch_screen(EntriesScreen())
        else:
            self.push_screen(EntriesScreen())
        if self.settings.route != ENTRIES:
            self.open(self.settings.route)
        return True

    def open(self, route: Route, processor: str | None = None) -> None:
        """Go to a screen; what it names and is not there is said."""
        try:
            screen = self._screen(route, processor)
        except EngineError as error:
            self.say(str(error), severity="error")
        else:
            self.push_screen(screen)

    def _screen(self, route: Route, processor: str | None) -> Screen[None]:
        if route.area == "errors":
            return TraceScreen(find_error(self.store, route.name))
        return EntryScreen(route.name, processor)

    def on_store_changed(self, message: StoreChanged) -> None:
        """Every open screen shows what is new."""
        for screen in self.screen_stack:
            if isinstance(screen, StoreScreen) and screen.is_mounted and screen.is_attached:
                with suppress(NoMatches):  # it is just being taken down, a widget at a time
                    screen.store_changed(message.changes)

    def on_store_lost(self, message: StoreLost) -> None:
        """What is on the screen no longer follows the store."""
        self.notify(literal(message.reason), title="No signal", severity="error", timeout=3600, markup=False)

    def on_store_found(self, message: StoreFound) -> None:
        """It does again."""
        self.clear_notifications()
        self.say("the store can be read again")

    def on_acting_screen_acted(self, message: ActingScreen.Acted) -> None:
        """Say what was done, and start what carries it out: also when the screen that asked for it was left."""
        message.screen.tell(message)
        for processor in message.result.to_run:
            self.start_child(processor, actions=True)

    def on_wfe_app_notice(self, message: Notice) -> None:
        """Say what went wrong elsewhere."""
        self.say(message.text, severity="error")

    # Engine processes

    def start_child(self, processor: str, *, actions: bool) -> None:
        """Start a run of a processor; while one of the same kind that was started here still runs, it follows that.

        Args:
            processor: `module:Class`.
            actions: do what operators asked for; else consider every entry.
        """
        if any(child.runs and (child.processor, child.actions) == (processor, actions) for child in self.processes):
            if (processor, actions) not in self._waiting:
                self._waiting.append((processor, actions))
            return
        try:
            command = worker_command(self.store, processor, actions=actions)
        except EngineError as error:
            self.say(str(error), severity="error")
            return
        ended = [child for child in self.processes if not child.runs]
        for oldest in ended[: len(ended) - KEPT_CHILDREN]:
            self.processes.remove(oldest)
        child = Child(processor, actions, command, lambda child: self.post_message(self.ChildEnded(child)))
        self.processes.append(child)
        child.start()

    def on_wfe_app_child_ended(self, message: ChildEnded) -> None:
        """Show what went wrong with it, and start what waited for its end."""
        child = message.child
        if child.failed:
            self.say(f"{child.processor} went wrong: exit code {child.exit_code}", severity="error")
            if not isinstance(self.screen, OutputScreen):
                self.push_screen(OutputScreen(self.processes))
        if (child.processor, child.actions) in self._waiting:
            self._waiting.remove((child.processor, child.actions))
            self.start_child(child.processor, actions=child.actions)

    # For every screen

    def say(self, text: str, *, severity: Severity = "information") -> None:
        """A notice, literal, a long line cut."""
        lines = "\n".join(cut(line, LONGEST_LINE) for line in text.split("\n"))
        self.notify(literal(lines, lines=True), severity=severity, markup=False)

    def copy(self, text: str, what: str) -> None:
        """Put a text into the terminal's clipboard."""
        self.copy_to_clipboard(text)
        self.say(f"copied {what}")

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(HelpScreen())

    async def action_back(self) -> None:
        """Leave the screen on top, if it is not the last."""
        if len(self.screen_stack) > 2:
            self.pop_screen()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette has what keys do on the screen in front, and the themes."""
        yield SystemCommand("Theme", "Change the colours.", self.action_change_theme)
        bound = {active.binding.id: active.node for active in screen.active_bindings.values() if active.enabled}
        for place, action in ((place, action) for place, actions in ACTIONS.items() for action in actions):
            if node := bound.get(binding_id(place, action)):
                yield SystemCommand(action.name, action.help, getattr(node, f"action_{action.id}"))

    def _end_without_terminal(self) -> None:
        """When a connection breaks off and no signal says so, end as by that signal: to leave in order, the driver
        would wait for the dead terminal for ever."""
        try:
            termios.tcgetattr(sys.stdin.fileno())
        except termios.error:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            signal.raise_signal(signal.SIGHUP)

    async def on_unmount(self) -> None:
        """Stop following the store and close it."""
        if self._feed is not None:
            self._feed.stop()
            self.store.close()
