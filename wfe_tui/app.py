"""The app: over which store and at which time its places are, and what they are told of what changes."""

import asyncio
import gc
import select
import signal
import sys
from collections.abc import Callable, Iterable, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.css.query import NoMatches
from textual.events import Event, InputEvent
from textual.filter import LineFilter
from textual.screen import Screen

from engine.clock import Clock, local_minute, utc_now
from engine.exceptions import EngineError
from engine.operations.recording import signature
from engine.past.looking_back import Past, look_back
from engine.store import Store, may_write
from engine.text import literal
from wfe_tui.actions import bindings
from wfe_tui.clipboard import put_into_clipboard
from wfe_tui.config import Config
from wfe_tui.demo import DEMO, demo_store
from wfe_tui.drawing import Ascii, needs_ascii
from wfe_tui.engines import ChildEnded, Engines
from wfe_tui.feed import Feed, Pulse, PulseFelt, StoreChanged, StoreFound, StoreLost
from wfe_tui.loader import Loader
from wfe_tui.looking import Looking
from wfe_tui.memory import Memory, OfStore
from wfe_tui.others import Others, OthersAction, read_others
from wfe_tui.outcomes import Outcomes
from wfe_tui.palette import key_commands
from wfe_tui.routes import ENTRIES, Route
from wfe_tui.screens.acting import ActingScreen
from wfe_tui.screens.entries import EntriesScreen
from wfe_tui.screens.help import HelpScreen
from wfe_tui.screens.output import OutputScreen
from wfe_tui.screens.welcome import WelcomeScreen
from wfe_tui.surviving import Severity
from wfe_tui.themes import DEFAULT, THEMES
from wfe_tui.visiting import VisitingApp
from wfe_tui.widgets.cut import cut

LONGEST_LINE = 300
"""Characters of a notice's line."""

THREADS = 3
"""Questions to the store at once: one may take long, and the rows are not to wait for it."""

BEHIND = 20
"""Messages that wait for the app, from which on the feed lets it catch up."""


@dataclass(frozen=True)
class Settings:
    """What the console was started with.

    Args:
        path: the store's file; it need not exist.
        processor: `module:Class`, started by `N` while the store has no entry; None if none was named.
        demo: open the demo, and start its run.
        route: the place to open first; None: the entries, or what has happened since the operator last looked.
        read_only: nothing is changed from here.
        config: what the user has set.
        memory: where it is kept how lists were shown; None: nowhere.
        at: show it as it was at this moment (aware); None: as it is.
        protected: the project says that the store is; see `Config.protected`.
    """

    path: Path
    processor: str | None = None
    demo: bool = False
    route: Route | None = None
    read_only: bool = False
    config: Config = field(default_factory=Config)
    memory: Path | None = None
    at: datetime | None = None
    protected: bool = False


class WfeApp(VisitingApp):
    """The console over one store."""

    TITLE = "wfe"
    ENABLE_COMMAND_PALETTE = True
    PAUSE_GC_ON_SCROLL = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("everywhere")]

    store: Store
    """What is looked at."""
    present: Store
    """The store as it is."""
    looking: Looking

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        super().__init__()
        self.settings = settings
        self.config = settings.config
        self.clock = self.present_clock = clock
        self.past: Past | None = None
        """What is looked at instead of the store as it is."""
        self.memory = Memory(settings.memory)
        self.pulse = Pulse()
        self.others = Others()
        self.shell = ""
        """The `wfe` line of the last act."""
        self.acting = asyncio.Lock()
        """Held while an act is written."""
        self.changed_here: dict[int, datetime] = {}
        """The entries that were acted on from here without a question, and when that began."""
        self.outcomes = Outcomes(self)
        self.engines = Engines(self)
        self.failure: EngineError | None = None
        """Why the console could not go on."""
        self._feed: Feed | None = None
        self._others_loader = Loader(self, self._read_others, self._show_others)
        self._lost: str | None = None
        self._ascii = Ascii() if needs_ascii(self.config.ascii) else None
        for theme in THEMES:
            self.register_theme(theme)
        wanted = self.config.theme or self.memory.theme or DEFAULT
        self.theme = wanted if wanted in self.available_themes else DEFAULT
        self.set_keymap(self.config.keys)

    def on_mount(self) -> None:
        """Open the store, the demo, or what says that there is neither."""
        self.animation_level = "none"
        # Each thread has a connection of its own to the store, and memory that it does not give back.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "wfe-store"))
        gc.freeze()  # what is there now stays: to look through it again and again would hold up the keys
        gc.enable()
        # Otherwise the process would end with the terminal left as the screen has it.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit, None, 128 + signal.SIGTERM)
        if not self.is_headless:
            self.survives = True
            self.set_interval(1, self._end_without_terminal)
        self.set_interval(1, self._time_passed)
        self.theme_changed_signal.subscribe(self, lambda theme: self.memory.keep_theme(theme.name))
        if self.settings.demo:
            self.open_demo()
        elif self.settings.path.exists():
            self.open_store(self.settings.path)
        else:
            self.push_screen(WelcomeScreen(self.settings.path, self.settings.processor))

    def open_demo(self) -> None:
        """Open the demo's store and start its run."""
        path = self.settings.path if self.settings.demo else demo_store()
        if self.open_store(path) and not self.store.read_only:
            self.engines.start(DEMO, actions=False)

    def open_store(self, path: Path) -> bool:
        """Show this store's entries; False when it cannot be opened, which is said."""
        try:
            read_only = self.settings.read_only or (path.exists() and not may_write(path))
            self.store = self.present = Store(path, read_only=read_only)
            if self.settings.at is None:
                self._begin()
        except EngineError as error:
            self.failure = error
            self.exit()
            return False
        self.looking = Looking(self.memory, path, self.present_clock())
        if self.settings.at is not None:
            self.travel(self.settings.at)
        elif self.looking.was_away and self.settings.route is None:
            self._show_news()
        return True

    def _begin(self) -> None:
        self._follow()
        route = self.settings.route or ENTRIES
        if route.area != "entries" or route.name:
            self.go(ENTRIES)  # so that there is a way back to the list
        self.go(route)

    def _follow(self) -> None:
        """Learn of what changes in the store from now on."""
        self.others.begin(max(self.store.actions.ids(reverse=True, limit=1), default=0))
        self._feed = Feed(self.store, self.post_message, self.clock, lambda: self.message_queue_size > BEHIND)
        self._feed.start()

    # --- the past

    def action_travel(self) -> None:
        """Ask for a moment, and show everything as it was then."""
        from wfe_tui.screens.travel import Destination, TravelScreen

        def go(answer: Destination | None) -> None:
            if answer is not None and not (answer.moment is None and self.past is None):
                self.travel(answer.moment)

        if hasattr(self, "store"):
            self.push_screen(TravelScreen(self.present, self.past, self.present_clock), go)

    @work(group="travel")
    async def travel(self, moment: datetime | None) -> None:
        """Show everything as it was at a moment (aware); None: as it is."""
        past = None
        if moment is not None:
            said = f"looking back to {local_minute(moment, self.present_clock())}"

            def progress(done: int, of: int) -> None:
                self.call_from_thread(self.say_progress, f"{said}: {done} of {of} entries that have changed since")

            self.say_progress(f"{said} …")
            try:
                past = await asyncio.to_thread(
                    look_back, self.present, moment, clock=self.present_clock, progress=progress
                )
            except EngineError as error:
                self._stay(error)
                return
            finally:
                self.call_later(self.clear_notifications)  # behind the last one that is on its way
        await self._turn_to(past)

    def _stay(self, error: EngineError) -> None:
        """It cannot be looked back to: say so here; or in the shell, where nothing is shown yet."""
        if self._in_front() is None:
            self.failure = error
            self.exit()
        else:
            self.say(str(error), severity="error")

    async def _turn_to(self, past: Past | None) -> None:
        """Have all places look at the store as it was, or as it is."""
        left, self.past = self.past, past
        if self._feed is not None:
            await asyncio.to_thread(self._feed.stop)
        self.store, self.clock = (past.store, past.clock) if past else (self.present, self.present_clock)
        self.pulse, self.others, self._lost = Pulse(), Others(), None
        front, screens = self._in_front(), self._leave()
        if front is None:
            self._begin()
        else:
            await self._show_again(front.route)
            await asyncio.to_thread(self._follow)
        for screen in screens:
            await self._take_down(screen)
        if left is not None:
            await asyncio.to_thread(left.close)
        if past is None:
            self.say("as it is now")
        else:
            self.say("\n".join([f"as it was at {local_minute(past.moment, self.present_clock())}", *past.unknown]))

    def refuses(self, verb: str) -> bool:
        """Whether nothing is to be changed from here, which is said."""
        if self.past is not None:
            then = local_minute(self.past.moment, self.present_clock())
            self.say(f"this is the past, {then}: {verb} was not done. t, then n, comes back to now", severity="error")
        elif self.store.read_only:
            self.say(f"{self.store.path} is opened read only: {verb} was not done", severity="error")
        return self.store.read_only

    # --- looks

    @work(group="go")
    async def _show_news(self) -> None:
        """Begin with what has happened since the operator last looked, if anything has."""
        from engine.report.since import report  # the first rows should not wait for it

        asked = self.looking.look
        with suppress(EngineError):  # whatever is wrong with the store, the feed says it
            found = await asyncio.to_thread(report, self.store, asked.before or asked.last, asked.last, signature())
            if found.has_news and self.looking.look is asked:  # no key was pressed meanwhile
                self.go(Route("report"))

    async def on_event(self, event: Event) -> None:
        """Every key, and every move of the mouse, is a sign that somebody looks."""
        if isinstance(event, InputEvent) and self._feed is not None:
            self.looking.used(self.present_clock())
            self.others.looked_at(self.present_clock())
        await super().on_event(event)

    @property
    def badges(self) -> tuple[str, ...]:
        """What is not as usual with the store."""
        if self.past is not None:
            return (f"at {local_minute(self.past.moment, self.present_clock())}",)
        marks = [("read only", self.store.read_only), ("protected", self.protected_name is not None)]
        return tuple(mark for mark, is_so in marks if is_so)

    @property
    def protected_name(self) -> str | None:
        """What has to be typed before something that cannot be undone; None if nothing has."""
        is_protected = self.settings.protected or self.config.protects(self.store.path)
        return self.store.path.name if is_protected else None

    # --- what the store tells

    def on_store_changed(self, message: StoreChanged) -> None:
        """The screen in front shows what is new."""
        self.outcomes.store_changed(message.changes)
        for screen in self._living():
            with suppress(NoMatches):  # it is just being taken down, a widget at a time
                screen.store_changed(message.changes)
        if self.others.changed(message.changes):
            self._others_loader.load()

    def on_pulse_felt(self, message: PulseFelt) -> None:
        """How the engine is has changed."""
        self.pulse = message.pulse
        for screen in self._living():
            with suppress(NoMatches):
                screen.show_pulse(self.pulse)
        self._show_signal()

    def on_store_lost(self, message: StoreLost) -> None:
        """What is on the screen no longer follows the store."""
        self._lost = message.reason
        self._show_signal()

    def on_store_found(self, message: StoreFound) -> None:
        """It does again."""
        self._lost = None
        self._show_signal()
        self.say("the store can be read again")

    def _show_signal(self) -> None:
        if screen := self._in_front():
            screen.show_signal(self.signal)

    @property
    def signal(self) -> str | None:
        if self._lost is not None:
            return self._lost
        if self.pulse.silent:
            run = self.pulse.silent[0]
            return f"run {run.id} was last heard of {run.silent_for or 0:.0f} s ago: its process may hang"
        return None

    def _time_passed(self) -> None:
        if self._feed is not None and self.looking.is_to_keep:
            self.run_worker(asyncio.to_thread(self.looking.keep), group="memory")
        if self.others.fade(self.present_clock(), self._marks):
            self._others_changed()
        screen = self._in_front()
        if screen is not None and screen in self._living():
            with suppress(NoMatches):
                screen.time_passed()

    # --- what others do

    def _read_others(self) -> tuple[Others, frozenset[int], list[OthersAction]]:
        others, asked = self.others, frozenset(self.others.pending)
        return others, asked, read_others(self.store, asked)

    def _show_others(self, answer: tuple[Others, frozenset[int], list[OthersAction]]) -> None:
        others, asked, found = answer
        if others is self.others:  # else it is of another time than the one that is shown by now
            through = others.take(asked, found)
            self._others_changed()
            for action in through:
                self._tell_of(action)

    def _others_changed(self) -> None:
        for screen in self._living():
            with suppress(NoMatches):
                screen.others_changed()

    def _tell_of(self, action: OthersAction) -> None:
        """Say what somebody else did, if it is about what is looked at, or chosen."""
        front = self._in_front()
        concerned = (screen.concern(action, is_seen=screen is front) for screen in self._living())
        if words := next(filter(None, concerned), ""):
            why = f"\nwhy: {action.why}" if action.why else ""
            self.say(f"{action.who}: {action.verb}: {words}{why}", severity="warning")

    @property
    def _marks(self) -> Set[int]:
        entries = self._screens.get("entries")
        return entries.window.marks if isinstance(entries, EntriesScreen) and entries in self._living() else frozenset()

    # --- acts and engine processes

    def on_acting_screen_acted(self, message: ActingScreen.Acted) -> None:
        """Say what was done, and start what carries it out: also when the screen that asked for it was left."""
        self.shell = message.shell
        self.others.answered(message.accepted)
        message.screen.tell(message)
        if message.awaits and message.accepted:
            self.outcomes.wait_for(message.result.actions.values())
        for processor in message.result.to_run:
            self.engines.start(processor, actions=True)

    def on_child_ended(self, message: ChildEnded) -> None:
        """Show what went wrong with an engine process, and start what waited for its end."""
        child = message.child
        if child.failed:
            self.say(f"{child.processor} went wrong: exit code {child.exit_code}", severity="error")
            self.show_output()
        self.engines.ended(child)

    def show_output(self) -> None:
        """Show what the processes started from here have printed."""
        if not isinstance(self.screen, OutputScreen):
            self.push_screen(OutputScreen(self.engines.processes))

    # --- for every screen

    def say(self, text: str, *, severity: Severity = "information") -> None:
        """A notice, literal, a long line cut."""
        lines = "\n".join(cut(line, LONGEST_LINE) for line in text.split("\n"))
        self.notify(literal(lines, lines=True), severity=severity, markup=False)

    def say_progress(self, text: str) -> None:
        """How far something is that takes long; the notice before it goes."""
        self.clear_notifications()
        self.notify(literal(text), markup=False, timeout=60)

    def remember(self, change: Callable[[OfStore], None]) -> None:
        """Keep how something of this store is shown."""
        self.run_worker(asyncio.to_thread(self.memory.keep, self.store.path, change), group="memory")

    def copy(self, text: str, what: str) -> None:
        """Put a text where it can be pasted from: see `wfe_tui.clipboard`."""
        self.copy_to_clipboard(text)

        async def put() -> None:
            where = await asyncio.to_thread(put_into_clipboard, text)
            self.say(f"copied {what}" + (f", also to {where}" if where else ""))

        self.run_worker(put(), group="copy")

    def action_copy_shell(self) -> None:
        """Copy the `wfe` line of the last act."""
        if self.shell:
            self.copy(self.shell, "the shell line of the last act")
        else:
            self.say("nothing was done from here yet", severity="warning")

    def action_help(self) -> None:
        """Show the keys."""
        screen = self._in_front()
        self.push_screen(HelpScreen(self.config.keys, screen.keys if screen else "welcome"))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette has what keys do on the screen in front, and the themes."""
        yield SystemCommand("Theme", "Change the colours.", self.action_change_theme)
        yield from key_commands(self, screen)

    def get_line_filters(self) -> list[LineFilter]:
        return [*super().get_line_filters(), *([self._ascii] if self._ascii else [])]

    def _end_without_terminal(self) -> None:
        """When a connection breaks off, or the server of a browser's tab, and no signal says so, end as by that signal:
        to leave in order, the driver would wait for the dead terminal for ever."""
        end = select.poll()
        end.register(sys.__stdin__.fileno() if sys.__stdin__ else 0, 0)  # only a hang-up is told
        if end.poll(0):
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            signal.raise_signal(signal.SIGHUP)

    async def on_unmount(self) -> None:
        """Stop following the store and close it."""
        if self._feed is not None:
            self._feed.stop()
            self.looking.keep()
        if self.past is not None:
            self.past.close()
        if hasattr(self, "present"):
            self.present.close()
