"""A terminal that the benchmark of the console plays: what a program draws on it, and when each frame was complete.

The program runs on a pseudo terminal, in a process of its own. It is told that the terminal draws synchronised updates
(DEC 2026), so it says where each frame begins and ends. A frame's moment is that at which its last byte was read here,
before anything is made of it.
"""

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

WIDTH, HEIGHT = 160, 48
FRAME_BEGIN, FRAME_END = "\x1b[?2026h", "\x1b[?2026l"
QUERY, REPLY = "\x1b[?2026$p", b"\x1b[?2026;2$y"
QUIT = b"\x11"
"""What ends every app of Textual."""

LAST_WORDS = 8_000
"""Characters that are kept of what a program wrote: the traceback of one that failed."""

_PIECES = re.compile(
    r"\x1b\[(?P<values>[0-9;:<>=?]*)[ -/]*(?P<command>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-Z\\-~]|(?P<control>[\x00-\x1f])"
    r"|(?P<text>[^\x00-\x1f]+)"
)
_BACKGROUND = re.compile(r"48;(?:2;\d+;\d+;\d+|5;\d+)")
_UNFINISHED = re.compile(r"\x1b(?:[\[\]P][^\x1b@-~]*)?\Z")
_ROOT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")


class TerminalError(Exception):
    """The program ended, or has not drawn what was waited for."""


class Screen:
    """What stands on the terminal. It knows what Textual writes, and takes every character as one cell wide."""

    def __init__(self) -> None:
        self._clear()
        self._x = self._y = 0
        self._style = ""

    @property
    def lines(self) -> list[str]:
        """The text, line by line."""
        return ["".join(cells) for cells in self._cells]

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)

    def background(self, x: int, y: int) -> str:
        """The colour behind a cell, as it was asked for; empty for the terminal's own."""
        found = _BACKGROUND.findall(self._styles[y][x])
        return found[-1] if found else ""

    def shows(self, text: str) -> bool:
        """Whether this text stands somewhere, all in one style: one of which a part is only suggested has two."""
        places = ((x, y) for y, line in enumerate(self.lines) if (x := line.find(text)) >= 0)
        return any(len(set(self._styles[y][x : x + len(text)])) == 1 for x, y in places)

    def draw(self, written: str) -> None:
        """Obey what a program has written."""
        for piece in _PIECES.finditer(written):
            if text := piece["text"]:
                self._put(text)
            elif command := piece["command"]:
                self._obey(command, piece["values"])
            elif piece["control"] == "\r":
                self._x = 0
            elif piece["control"] == "\n":
                self._x, self._y = 0, self._y + 1

    def _clear(self) -> None:
        self._cells = [[" "] * WIDTH for _ in range(HEIGHT)]
        self._styles = [[""] * WIDTH for _ in range(HEIGHT)]

    def _put(self, text: str) -> None:
        if 0 <= self._y < HEIGHT:
            text = text[: WIDTH - self._x]
            span = slice(self._x, self._x + len(text))
            self._cells[self._y][span] = text
            self._styles[self._y][span] = [self._style] * len(text)
            self._x += len(text)

    def _obey(self, command: str, values: str) -> None:
        if command == "m":
            self._style = "" if values in ("", "0") else f"{self._style};{values}"
        elif command == "H":
            y, _, x = values.partition(";")
            self._x, self._y = int(x or 1) - 1, int(y or 1) - 1
        elif command == "J":
            self._clear()


class Terminal:
    """A program on a terminal of 160x48.

    Args:
        command: the program and its arguments.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.screen = Screen()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = self._written = ""
        self._read_at = 0.0
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        # These would be believed before the terminal itself is asked.
        ignored = ("COLUMNS", "LINES", "NO_COLOR")
        kept = {name: value for name, value in os.environ.items() if name not in ignored and name[:4] != "XDG_"}
        self._home = tempfile.TemporaryDirectory()  # what a program remembers of one start would change the next
        own = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1", "PYTHONPATH": str(_ROOT)}
        own["HOME"] = self._home.name
        self.began = time.perf_counter()
        try:
            self._process = subprocess.Popen(
                command, cwd=_ROOT, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=kept | own
            )
        finally:
            os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.press(QUIT)
        deadline = time.perf_counter() + 5
        with suppress(TerminalError):
            while self._process.poll() is None and time.perf_counter() < deadline:
                self._read(0.05)  # else its last words would hold it up
        self._process.kill()
        self._process.wait()
        os.close(self._master)
        self._home.cleanup()

    def press(self, key: bytes) -> float:
        """Press a key, and give the moment."""
        pressed = time.perf_counter()
        os.write(self._master, key)
        return pressed

    def rest(self, seconds: float) -> None:
        """Let so much time pass; what is drawn meanwhile is looked at afterwards, so as not to disturb."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self._read(left)
        for _ in self._frames():
            pass

    def load(self, seconds: float) -> float:
        """Let so much time pass, and give the share of a processor that the program used in it."""
        before, began = self._cpu(), time.perf_counter()
        self.rest(seconds)
        return (self._cpu() - before) / (time.perf_counter() - began)

    def until(self, happened: Callable[[Screen], object], patience: float) -> float:
        """Wait for something to stand on the screen.

        Returns:
            The moment at which the first frame with it was complete; now if it stands there already.

        Raises:
            TerminalError: the program ended, or it did not come about in time.
        """
        if happened(self.screen):
            return time.perf_counter()
        deadline = time.perf_counter() + patience
        while (left := deadline - time.perf_counter()) > 0:
            self._read(left)
            for moment in self._frames():
                if happened(self.screen):
                    return moment
        raise TerminalError(f"what was waited for was not drawn within {patience:.0f} s; {self._seen()}")

    def memory(self) -> int:
        """What the program has in RAM, in bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def _read(self, patience: float) -> None:
        if not select.select([self._master], [], [], patience)[0]:
            return
        try:
            written = os.read(self._master, 65536)
        except OSError:  # nobody has the terminal open any more
            raise TerminalError(f"it ended; {self._seen()}") from None
        self._read_at = time.perf_counter()
        text = self._decoder.decode(written)
        self._held += text
        self._written = (self._written + text)[-LAST_WORDS:]
        if QUERY in self._held:
            self._held = self._held.replace(QUERY, "")
            os.write(self._master, REPLY)

    def _frames(self) -> Iterator[float]:
        """Draw what is complete: frames, and what is written outside of any; the moment after each."""
        while (end := self._complete()) > 0:
            piece, self._held = self._held[:end], self._held[end:]
            self.screen.draw(piece)
            yield self._read_at

    def _complete(self) -> int:
        if (end := self._held.find(FRAME_END)) >= 0:
            return end + len(FRAME_END)
        if (begin := self._held.find(FRAME_BEGIN)) >= 0:
            return begin
        unfinished = _UNFINISHED.search(self._held)
        return unfinished.start() if unfinished else len(self._held)

    def _seen(self) -> str:
        plain = _PIECES.sub(lambda piece: piece["text"] or piece["control"] or "", self._written)
        lines = [line.strip(" \r│╭╮╰╯─") for line in plain.splitlines()]
        return f"the last that it wrote: {' / '.join([line for line in lines if line][-3:])!r}"
