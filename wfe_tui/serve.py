"""`wfe-tui --serve`: the console in a browser on this machine, by textual-serve; for one browser, which has the token.

The extra `wfe-tui[serve]` brings what this needs. So it is imported only when it is to serve, and an import without the
extra raises InputError.
"""

import asyncio
import re
import secrets
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from engine.exceptions import InputError

try:
    from aiohttp import web
    from textual_serve.app_service import AppService
    from textual_serve.server import Server, to_int
except ImportError as error:
    raise InputError("textual-serve is not installed: `pip install 'wfe-tui[serve]'` brings it") from error

HOST = "127.0.0.1"

GRACE = 1.5
"""Seconds that a console has to end in when its tab is gone; then it is killed."""

OWN_NAME = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?")
"""How the browser may name this server, whatever the port: it may be another one's end of an ssh tunnel."""


def serve(arguments: Sequence[str], *, port: int = 0, writable: bool = False) -> None:
    """Show the console in a browser, until ctrl+c: a console of its own for each tab, which ends with it.

    The address is printed, with a token in it that lets one browser in.

    Args:
        arguments: what each console is started with, as on the command line of `wfe-tui`.
        port: where to listen, on the loopback interface only; 0 for a free port.
        writable: whether the consoles may do more than look.

    Raises:
        InputError: the port is not to be had.
    """
    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        raise InputError(f"port {port} cannot be listened on ({error.strerror}): name another") from error
    with listener:
        server = ConsoleServer(console_command(arguments, writable), listener.getsockname()[1])
        # No access log: the token would stand in it.
        web.run_app(server._make_app(), sock=listener, access_log=None, print=None, shutdown_timeout=GRACE)


def console_command(arguments: Sequence[str], writable: bool) -> str:
    """The shell's command for one console; see `serve`. It is deaf to ctrl+c until it can end in order."""
    flags = [] if writable else ["--read-only"]
    return f"trap '' INT; exec {shlex.join([sys.executable, '-m', 'wfe_tui', *flags, *arguments])}"


class Console(AppService):
    """A console's process: it ends with its tab, and the tab's connection with it."""

    async def run(self) -> None:
        """Pass on what it says, to its end, however that comes."""
        try:
            await super().run()
        finally:
            await self.remote_close()

    async def on_data(self, payload: bytes) -> None:
        """Pass on what it draws; when the tab is gone, to nobody: unread, it would wait for ever."""
        with suppress(ConnectionResetError):
            await super().on_data(payload)

    async def stop(self) -> None:
        """Ask it to end, and return when it has."""
        killing = asyncio.get_running_loop().call_later(GRACE, self._kill)
        await super().stop()
        killing.cancel()

    def _kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()


class ConsoleServer(Server):
    """Serves consoles to the first browser that brings the token, and to no other.

    Args:
        command: starts a console.
        port: where it is listened on.
    """

    def __init__(self, command: str, port: int) -> None:
        super().__init__(command, HOST, port, title="wfe")
        self._token: str | None = secrets.token_urlsafe()
        self._session = secrets.token_urlsafe()
        self._cookie = f"wfe-{port}"  # a browser sends the cookies of one port to all
        self._consoles: set[Console] = set()

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._admit)
        app.on_response_prepare.append(_keep_to_this_server)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Print the address."""
        sys.stdout.write(f"{self.public_url}/?token={self._token}  (opens in one browser, once; ctrl+c ends it)\n")
        sys.stdout.flush()

    async def on_shutdown(self, app: web.Application) -> None:
        """End the consoles; a browser that has stopped reading is not waited for."""
        if ending := [asyncio.create_task(console.stop()) for console in self._consoles]:
            await asyncio.wait(ending, timeout=2 * GRACE)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run a console for as long as the tab is there."""
        websocket = web.WebSocketResponse(heartbeat=15, timeout=GRACE)
        await websocket.prepare(request)
        console = Console(
            self.command,
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=websocket.close,  # type: ignore[arg-type] # that it also returns something is no matter
            download_manager=self.download_manager,
        )
        self._consoles.add(console)
        try:
            await console.start(*(to_int(request.query.get(name, ""), 80) for name in ("width", "height")))
            await self._process_messages(websocket, console)
        finally:
            await console.stop()
            self._consoles.remove(console)
        return websocket

    @web.middleware
    async def _admit(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Let the one browser in, on whose page alone the websocket may be opened."""
        host = request.headers.get("Host", "")
        if not OWN_NAME.fullmatch(host):  # another name that leads here is how a foreign page would reach it
            raise web.HTTPForbidden(text=f"Open it as http://{HOST}:{self.port}: it answers to no other name.")
        self.public_url = f"http://{host}"
        if request.path == "/ws" and request.headers.get("Origin") != self.public_url:
            raise web.HTTPForbidden(text="Only its own page may connect to it.")
        if _same(request.cookies.get(self._cookie), self._session):
            return await handler(request)
        if request.method != "GET" or request.path != "/" or not _same(request.query.get("token"), self._token):
            raise web.HTTPForbidden(
                text="Its token, which lets one browser in, is missing, wrong or used up: "
                "start `wfe-tui --serve` again and open the address that it prints."
            )
        self._token = None
        response = await handler(request)
        response.set_cookie(self._cookie, self._session, httponly=True, samesite="Strict")
        return response


async def _keep_to_this_server(request: web.Request, response: web.StreamResponse) -> None:
    """Have the page load nothing from elsewhere (it would ask for a font), nor be shown inside of another."""
    response.headers["Content-Security-Policy"] = (
        f"default-src 'self' 'unsafe-inline'; connect-src 'self' ws://{request.host}; frame-ancestors 'none'"
    )


def _same(given: str | None, secret: str | None) -> bool:
    if given is None or secret is None:
        return False
    return secrets.compare_digest(given.encode(errors="replace"), secret.encode())
