"""What the console's tests share: an operator at a real console, over the store that a real run has left."""

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from waiting import PATIENCE, until_async

from engine.clock import Clock, utc_now
from engine.store import Store
from wfe_tui.__main__ import make_app
from wfe_tui.app import Settings, WfeApp
from wfe_tui.screens.entries import EntriesScreen

ORDERS = ("A-1", "A-2 raise", "A-3 interrupt", "A-4 wait", "A-5", "A-6 raise", "A-7 raise", "A-8")

NASTY_WORKFLOW = r'''
"""Entries whose keys, data and exceptions try what they can do to a terminal."""

from engine import StoredProcessor, Task, WorkflowModel

TEXTS = [
    "[bold", "[/foo] [red]x[/red]", "[@click=app.quit]quit[/]", "\x1b]0;owned\x07\x1b[31mred", "\x9b2Jgone",
    "שלום עולם", "invoice\u202efdp.exe", "two\nlines\tand a tab", "x" * 10_000, "%s {0} $foo", "--from-start",
]


class Nasty(WorkflowModel):
    key: str
    note: str


class Blow(Task):
    def process_entry(self, entry, dry_run=False):
        try:
            {}[entry.key]
        except KeyError as error:
            failure = ValueError(f"no {entry.key} in dict[str, int] [/]")
            failure.add_note(f"a note on {entry.note} [/bar]")
            raise failure from error


class Nasties(StoredProcessor):
    model = Nasty

    def get_default_entries(self):
        for text in TEXTS:
            yield Nasty(key=text, note=text)

    def get_tasks(self):
        return [Blow(self)]
'''


class Operator:
    """Somebody at the console: presses keys, reads the screen, and waits for what is to come."""

    def __init__(self, app: WfeApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait until something is so."""
        await until_async(
            happened,
            told=lambda: f"it did not come about; the screen:\n{self.screen}\n{self.notices}",
            rest=self.pilot.pause,
        )

    async def does(self, key: str, *asked: str) -> None:
        """Press the key of an act, see that it is asked so, and say yes."""
        await self.press(key)
        await self.sees("y yes · n no", *asked)
        await self.press("y")

    async def sees(self, *texts: str) -> None:
        """Wait until these texts stand on the screen."""
        await self.until(lambda: all(text in self.screen for text in texts))

    async def sees_of(self, key: str, *texts: str) -> None:
        """Wait until these texts stand in the line of an entry."""
        await self.until(lambda: all(text in self.line(key) for text in texts))

    async def no_longer_sees(self, text: str) -> None:
        await self.until(lambda: text not in self.screen)

    async def hears(self, text: str) -> None:
        """Wait for a notice that holds this text."""
        await self.until(lambda: any(text in notice for notice in self.notices))

    async def idle(self) -> None:
        """Wait until no engine process runs, and all that was asked of the store is answered and drawn."""
        await self.until(lambda: not any(child.runs for child in self.app.engines.processes))
        await self.app.workers.wait_for_complete()
        await self.pilot.pause()

    async def go_to(self, key: str) -> None:
        """Move the cursor to the entry of this key."""
        await self.until(lambda: len(self.entries.window) and not self.entries.is_loading)
        window = self.entries.window
        keys = [window.read([number])[number].key for number in window.ids]
        assert key in keys, f"{key!r} is not in the list"
        await self.press("g", *["j"] * keys.index(key))
        await self.sees(key)
        await self.until(lambda: self.entries.row_at_cursor() is not None)

    @property
    def entries(self) -> EntriesScreen:
        """The screen with the list of entries, in front or not."""
        screen = self.app._screens["entries"]
        assert isinstance(screen, EntriesScreen)
        return screen

    @property
    def screen(self) -> str:
        """The text on the screen."""
        return "\n".join(self.lines)

    @property
    def lines(self) -> list[str]:
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    def line(self, key: str) -> str:
        """The line of the entry of this key in the list; empty if it is not there."""
        return next((line for line in self.lines if line[2:].startswith(key)), "")

    @property
    def notices(self) -> list[str]:
        return [notice.message for notice in self.app._notifications]


Console = Callable[..., AbstractAsyncContextManager[Operator]]


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Console:
    """Opens the console on a store: `async with console(path, size=(80, 24)) as operator`."""
    # Pilot rests after each key. Here that need not be long: what a test waits for, it waits for by itself.
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.004)
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TMUX"):
        monkeypatch.delenv(name, raising=False)

    @asynccontextmanager
    async def open_console(
        path: Path, size: tuple[int, int] = (80, 24), clock: Clock = utc_now, **settings: Any
    ) -> AsyncIterator[Operator]:
        app = make_app(Settings(path, **settings), clock)
        try:
            async with app.run_test(size=size, notifications=True) as pilot:
                operator = Operator(app, pilot)
                await pilot.pause()
                yield operator
        finally:
            for child in app.engines.processes:
                child.join(PATIENCE)

    return open_console


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory, orders_workflow: str) -> Path:
    """A folder in which the orders and the nasties ran once, each with a store of its own."""
    folder = tmp_path_factory.mktemp("ran")
    (folder / "orders.py").write_text(orders_workflow)
    (folder / "orders.txt").write_text("\n".join(ORDERS))
    (folder / "nasty.py").write_text(NASTY_WORKFLOW)
    for processor, store in (("orders:Orders", "wfe.db"), ("nasty:Nasties", "nasty.db")):
        argv = [sys.executable, "-m", "engine", "run", processor, "--store", store]
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
    return folder


@pytest.fixture(scope="session")
def copied_to(workplace_in: Callable[[Path], Any]) -> Callable[[Path, Path], Any]:
    """Makes a workplace in a folder, of one in which something ran already; what is restarted runs there."""

    def copy(folder: Path, ran: Path) -> Any:
        place = workplace_in(folder)
        shutil.copytree(ran, folder, dirs_exist_ok=True)
        with Store(place.store) as store:
            store.runs.update({"home": {"python": sys.executable, "folder": str(folder), "path": ""}})
        return place

    return copy


@pytest.fixture
def place(ran: Path, tmp_path: Path, copied_to: Callable[[Path, Path], Any]) -> Any:
    """A workplace of one's own in which the orders ran already."""
    return copied_to(tmp_path, ran)


@pytest.fixture
def nasty(place: Any) -> Path:
    """The store of the nasties."""
    return place.folder / "nasty.db"
