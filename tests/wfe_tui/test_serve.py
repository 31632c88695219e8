"""`wfe-tui --serve`: the console in a browser; whom it lets in, and that each console ends with its tab."""

import asyncio
import importlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

pytest.importorskip("textual_serve", reason="textual-serve is not installed: `pip install 'wfe-tui[serve]'` brings it")

from aiohttp import ClientSession, ClientWebSocketResponse
from waiting import PATIENCE, until_async

from engine.exceptions import InputError
from wfe_tui.serve import console_command, serve

IN_TIME = 2.0
"""Seconds within which a console ends when what it was opened in is gone."""

USED_UP = "Its token, which lets one browser in, is missing, wrong or used up: start `wfe-tui --serve` again"

SEQUENCES = re.compile(r"\x1b\[[0-9;:<>=?]*[ -/]*[@-~]")

KEEP_TERMINAL = """
Object.defineProperty(Object.prototype, "_core", {
    configurable: true,
    set(core) {
        Object.defineProperty(this, "_core", {value: core, writable: true});
        if (this.buffer) window.terminal = this;
    },
});
"""
"""Runs before the page's own script, whose terminal draws on a canvas and stands in no variable that can be read."""

READ_TERMINAL = """
(() => {
    const screen = window.terminal?.buffer.active;
    return Array.from({length: screen?.length ?? 0}, (_, y) => screen.getLine(y).translateToString()).join("\\n");
})()
"""


def processes() -> dict[int, tuple[int, str]]:
    """Those that have not ended: the parent and the command of each."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = (line.split(maxsplit=3) for line in listed.stdout.splitlines())
    return {int(pid): (int(parent), command) for pid, parent, state, command in rows if state[0] != "Z"}


class Served:
    """The server of a store, as a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "wfe_tui", "--serve", *arguments],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout
        line = self.process.stdout.readline()
        found = re.match(r"(http://127\.0\.0\.1:(\d+)/)\?token=(\S+)", line)
        assert found, line + self.end(signal.SIGTERM)
        self.page, self.port, self.token = found[1], int(found[2]), found[3]

    def get(self, path: str, **headers: str) -> tuple[int, str, str]:
        """What a browser gets that has no cookie but what is given here: status, cookie, text."""
        try:
            answer = urlopen(Request(self.page + path, headers=headers), timeout=PATIENCE)
        except HTTPError as refusal:
            answer = refusal
        with answer:
            return answer.status, answer.headers.get("Set-Cookie", ""), answer.read().decode(errors="replace")

    def enter(self) -> str:
        """Use the token up: the cookie that it is good for."""
        status, cookie, _ = self.get(f"?token={self.token}")
        assert status == 200
        return cookie.partition(";")[0]

    def consoles(self) -> dict[int, str]:
        """Its consoles that run: the command of each."""
        return {pid: command for pid, (parent, command) in processes().items() if parent == self.process.pid}

    def end(self, number: int = signal.SIGINT) -> str:
        """End it as ctrl+c does on a terminal, or by another signal: what it has printed since its address."""
        (os.killpg if number == signal.SIGINT else os.kill)(self.process.pid, number)
        return self.process.communicate(timeout=PATIENCE)[0]


class Tab:
    """A tab without a browser around it."""

    def __init__(self, websocket: ClientWebSocketResponse) -> None:
        self.websocket = websocket
        self.written = ""

    async def press(self, keys: str) -> None:
        await self.websocket.send_json(["stdin", keys])

    async def sees(self, text: str) -> None:
        """Wait until this text was drawn since the last look, and forget what was drawn before it."""
        async with asyncio.timeout(PATIENCE):
            while text not in SEQUENCES.sub("", self.written):
                self.written += (await self.websocket.receive_bytes()).decode(errors="replace")
        self.written = ""

    async def is_closed(self) -> None:
        """Wait until the other side closes it."""
        async with asyncio.timeout(PATIENCE):
            async for _ in self.websocket:
                pass


@pytest.fixture
def served(place: Any) -> Iterator[Served]:
    """The store of a workplace, served."""
    server = Served(place.folder, "--store", str(place.store))
    yield server
    if server.process.poll() is None:
        for process in (*server.consoles(), server.process.pid):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        server.process.communicate()


@asynccontextmanager
async def tabs(served: Served, number: int = 1) -> AsyncIterator[list[Tab]]:
    """Tabs of one browser, each showing its console."""
    headers = {"Cookie": served.enter(), "Origin": served.page.rstrip("/")}
    async with ClientSession(headers=headers) as session:
        opened = [Tab(await session.ws_connect(f"{served.page}ws?width=80&height=24")) for _ in range(number)]
        for tab in opened:
            await tab.sees("A-1")
        yield opened


# --- whom it lets in


def test_the_token_lets_one_browser_in_once(served: Served) -> None:
    token = f"?token={served.token}"
    for path in ("", "?token=", "?token=%C3%A9", "ws", "download/x", "nothing", "static/js/textual.js", "ws" + token):
        status, cookie, text = served.get(path, Origin=served.page[:-1])
        assert (status, cookie) == (403, ""), path
        assert text.startswith(USED_UP)
    status, given, page = served.get(token)
    assert (status, "textual.js" in page) == (200, True)
    assert {"HttpOnly", "SameSite=Strict"} < set(given.split("; "))
    assert served.token not in given
    cookie = given.partition(";")[0]
    for path in ("", token, "static/js/textual.js"):
        assert served.get(path, Cookie=cookie)[0] == 200, path
        assert served.get(path)[0] == 403, path
        assert served.get(path, Cookie=cookie + "x")[0] == 403, path
    assert served.token not in served.end()


def test_it_answers_to_its_own_name_alone(served: Served) -> None:
    for name in ("evil.example", f"evil.example:{served.port}", "127.0.0.1.evil.example", "localhost:x", ""):
        status, cookie, text = served.get(f"?token={served.token}", Host=name)
        assert (status, cookie) == (403, ""), name
        assert text == f"Open it as {served.page[:-1]}: it answers to no other name."
    status, _, page = served.get(f"?token={served.token}", Host="localhost:9999")  # the near end of an ssh tunnel
    assert status == 200
    assert "ws://localhost:9999/ws" in page


def test_no_page_but_its_own_may_connect(served: Served) -> None:
    cookie = served.enter()
    for origin in ({}, {"Origin": "http://evil.example"}, {"Origin": f"http://127.0.0.1:{served.port + 1}"}):
        assert served.get("ws", Cookie=cookie, **origin) == (403, "", "Only its own page may connect to it.")
    assert not served.consoles()


def test_it_listens_on_loopback_only(served: Served) -> None:
    for family, address in ((socket.AF_INET, "127.0.0.2"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as other, pytest.raises(OSError, match=r"refused|assign|unreachable"):
            other.connect((address, served.port))


def test_what_is_not_to_be_had_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=rf"^port {port} cannot be listened on \(.*\): name another$"):
            serve([], port=port)
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    monkeypatch.delitem(sys.modules, "wfe_tui.serve")
    with pytest.raises(InputError, match=r"^textual-serve is not installed: `pip install 'wfe-tui\[serve\]'` brings"):
        importlib.import_module("wfe_tui.serve")


# --- the consoles


def test_a_console_is_read_only_unless_said_otherwise() -> None:
    start = ["exec", sys.executable, "-m", "wfe_tui"]
    arguments = ["--store", "it's $HOME.db"]
    assert shlex.split(console_command(arguments, writable=False))[-7:] == [*start, "--read-only", *arguments]
    assert shlex.split(console_command(arguments, writable=True))[-6:] == [*start, *arguments]


async def test_each_tab_has_a_console_that_ends_with_it(served: Served) -> None:
    async with tabs(served, 2) as (one, other):
        assert [" --read-only " in command for command in served.consoles().values()] == [True, True]
        await one.websocket.close()
        await until_async(lambda: len(served.consoles()) == 1, IN_TIME)
        await other.press("?")
        await other.sees("On the list")
        await other.press("\x1b")
        await other.sees("✓ finished")  # the help covers the states
        await other.press("q")
        await other.is_closed()
        await until_async(lambda: not served.consoles(), IN_TIME)
    assert served.end() == ""


@pytest.mark.slow
async def test_a_console_that_does_not_end_by_itself_is_killed(served: Served) -> None:
    async with tabs(served) as [tab]:
        [console] = served.consoles()
        os.kill(console, signal.SIGSTOP)
        await tab.websocket.close()
        await until_async(lambda: not served.consoles(), IN_TIME)


async def test_the_tab_of_a_console_that_is_killed_is_told(served: Served) -> None:
    async with tabs(served) as [tab]:
        [console] = served.consoles()
        os.kill(console, signal.SIGKILL)
        await tab.is_closed()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_no_console_outlives_the_server(served: Served, number: signal.Signals) -> None:
    async with tabs(served, 2):
        consoles = served.consoles().keys()
        assert len(consoles) == 2
        ending = asyncio.create_task(asyncio.to_thread(served.end, number))  # meanwhile the tabs answer
        await until_async(lambda: not consoles & processes().keys(), IN_TIME)
        assert await ending == ""
    assert served.process.returncode == (-number if number == signal.SIGKILL else 0)


# --- in a browser


@pytest.fixture(scope="session")
def chromium() -> str:
    """A Chromium; where there is none, it is installed."""
    why = "no apt-get, or not root"
    if not shutil.which("chromium") and shutil.which("apt-get") and os.geteuid() == 0:
        command = "apt-get update -qq; apt-get install -y -qq --no-install-recommends chromium"
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        with suppress(subprocess.TimeoutExpired):
            done = subprocess.run(command, shell=True, capture_output=True, timeout=300, env=environment, check=False)
            why = done.stderr.decode(errors="replace").strip()[-300:]
    if found := shutil.which("chromium"):
        return found
    return pytest.skip(f"headless Chromium is not installed and cannot be: {why}")


class Page:
    """A page in Chromium, by its DevTools."""

    def __init__(self, devtools: ClientWebSocketResponse) -> None:
        self._devtools = devtools
        self._calls = 0
        self.asked: dict[str, str] = {}
        """The addresses of all that was asked for; what the server has forbidden the page to ask for is not."""

    async def call(self, method: str, **parameters: object) -> Any:
        self._calls += 1
        await self._devtools.send_json({"id": self._calls, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE):
            while (message := await self._devtools.receive_json()).get("id") != self._calls:
                match message:
                    case {"method": "Network.requestWillBeSent", "params": request}:
                        self.asked[request["requestId"]] = request["request"]["url"]
                    case {"method": "Network.loadingFailed", "params": {"blockedReason": "csp", "requestId": number}}:
                        self.asked.pop(number)
        assert "error" not in message, message
        return message["result"]

    async def open(self, address: str) -> None:
        await self.call("Network.enable")
        await self.call("Page.enable")
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=KEEP_TERMINAL)
        await self.call("Page.navigate", url=address)

    async def click(self) -> None:
        """Click at the top left."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=5, y=5, button="left", clickCount=1)

    async def press(self, key: str) -> None:
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def sees(self, expression: str, text: str) -> None:
        """Wait until a script gives what has this text in it."""
        deadline = time.monotonic() + PATIENCE
        while text not in (seen := str((await self.call("Runtime.evaluate", expression=expression))["result"])):
            assert time.monotonic() < deadline, f"{text!r} is not there: {seen}"
            await asyncio.sleep(0.05)


@asynccontextmanager
async def browser(chromium: str, folder: Path) -> AsyncIterator[Page]:
    """An empty page in a Chromium of its own, with a profile in this folder."""
    flags = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    argv = [chromium, *flags, *sandbox, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        file = folder / "DevToolsActivePort"
        await until_async(lambda: process.poll() is not None or (file.exists() and "\n" in file.read_text()))
        assert process.poll() is None, f"Chromium ended with {process.returncode}"
        devtools = f"127.0.0.1:{file.read_text().split()[0]}"
        async with ClientSession() as session:
            async with session.put(f"http://{devtools}/json/new?about:blank") as answer:
                address = (await answer.json())["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as websocket:
                yield Page(websocket)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
async def test_in_a_browser_it_shows_the_entries_and_obeys_keys(served: Served, chromium: str, tmp_path: Path) -> None:
    async with browser(chromium, tmp_path / "profile") as page:
        await page.open(f"{served.page}?token={served.token}")
        await page.sees(READ_TERMINAL, "no customer in A-2"[:8])
        await page.click()
        await page.press("?")
        await page.sees(READ_TERMINAL, "On the list")
        assert f"{served.page}static/js/textual.js" in page.asked.values()
        assert not [address for address in page.asked.values() if not address.startswith(served.page)]
        assert served.get(f"?token={served.token}")[0] == 403
        await page.call("Page.reload")  # the cookie lets it in
        await page.sees(READ_TERMINAL, "A-1")
        await page.click()
        await page.press("q")
        await page.sees("document.querySelector('.closed-dialog').checkVisibility()", "True")
        await page.call("Page.reload")
        await page.sees(READ_TERMINAL, "A-1")
        assert len(served.consoles()) == 1
    await until_async(lambda: not served.consoles(), IN_TIME)
    assert served.end() == ""
