"""`wfe-tui` as a real process: on a terminal that a test plays, and refused with one sentence where it cannot start."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import sqlite3
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import until

COMMAND = [sys.executable, "-m", "wfe_tui"]
TAKE_TERMINAL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGHUP, signal.SIG_DFL if sys.argv[1] == "1" else signal.SIG_IGN)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""A shell's part: makes the console hear when the terminal goes away, or has it ignore that, as nohup does."""
SEQUENCES = re.compile(r"\x1b\[[0-9;:<>=?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[@-Z=>]")


class Terminal:
    """A terminal with the console on it."""

    def __init__(
        self, folder: Path, *arguments: str, size: tuple[int, int] = (80, 24), hears_hangup: bool = True, **more: str
    ) -> None:
        self.master, slave = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.written = self.everything = ""
        # These would be believed before the terminal itself is asked for its size.
        surroundings = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, str(int(hears_hangup)), *COMMAND, *arguments],
            cwd=folder, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**surroundings, "TERM": "xterm-256color", "HOME": str(folder), "PYTHONUTF8": "1", **more},
        )  # fmt: skip

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def sees(self, text: str) -> None:
        """Wait until this text was drawn since the last look, and forget what was drawn before it."""
        self.reads_until(lambda: text in self.plain or (self.process.poll() is not None and not self._read()), text)
        assert text in self.plain, f"ended with {self.process.returncode}: {self.plain!r}"
        self.written = ""

    def reads_until(self, happened: Callable[[], object], what: str) -> None:
        """Wait until something is so, and take what is drawn meanwhile: the console waits for that."""

        def is_so() -> object:
            self._read()
            return happened()

        until(is_so, told=lambda: f"{what!r} did not come: {self.plain[-3000:]!r}")

    @property
    def plain(self) -> str:
        """The text of what was drawn since the last look."""
        return SEQUENCES.sub("", self.written)

    def ends(self) -> int:
        """Wait for the console's end, and give its exit code."""
        self.reads_until(lambda: self.process.poll() is not None, "the end")
        while self._read():
            pass
        return self.process.returncode

    def assert_restored(self) -> None:
        """The terminal is as it was: its modes, the screen before, no mouse, a cursor."""
        assert termios.tcgetattr(self.slave) == self.before
        for sequence in ("\x1b[?1049l", "\x1b[?1003l", "\x1b[?25h", "\x1b[?2004l"):
            assert sequence in self.written

    def hang_up(self) -> None:
        """The connection breaks off."""
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _read(self) -> bool:
        readable, _, _ = select.select([self.master], [], [], 0.05)
        if readable:
            read = os.read(self.master, 65536).decode(errors="replace")
            self.written += read
            self.everything += read
        return bool(readable)


@pytest.fixture
def terminal(workplace: Any) -> Iterator[Any]:
    """Opens the console on a terminal."""
    opened: list[Terminal] = []

    def open_terminal(*arguments: str, **options: Any) -> Terminal:
        opened.append(Terminal(workplace.folder, *arguments, **options))
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()


def refused(folder: Path, *arguments: str) -> str:
    """The one sentence with which the console did not start."""
    argv = [*COMMAND, *arguments]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    [sentence] = done.stderr.splitlines()
    assert sentence.startswith("wfe: ")
    return sentence


# --- on a terminal


def test_it_shows_the_entries_and_q_leaves_the_terminal_as_it_was(terminal: Any, place: Any) -> None:
    console = terminal("--store", str(place.store))
    console.sees("no customer in A-2"[:8])
    console.press("?")
    console.sees("On the list")
    console.press("\x1b")
    console.sees("✓ finished")  # the help covers the states
    console.press("q")
    assert console.ends() == 0
    console.assert_restored()


def test_a_row_changes_when_another_process_runs_the_engine(terminal: Any, place: Any) -> None:
    console = terminal("--store", str(place.store))
    console.sees("✓ 3 finished")
    place.repair()
    with place.start("restart", "A-2", "A-6") as engine:
        console.sees("✓ 5 finished")
        engine.communicate(timeout=30)
    assert console.process.poll() is None
    console.press("q")
    assert console.ends() == 0


def test_a_restart_on_the_terminal_is_executed_by_an_engine_process_of_its_own(terminal: Any, place: Any) -> None:
    place.repair()
    console = terminal("--store", str(place.store), "orders.py:Orders")
    console.sees("✗ 3 failed")
    console.press("f")
    console.sees("3 entries")
    console.press("aR")
    console.sees("Restart: 3 entries?")
    console.press("y")
    console.sees("0 entries")
    console.press("q")
    assert console.ends() == 0
    place.wait_until_shown("A-7", state="finished")
    assert place.done.count("Send A-7") == 1


def test_it_is_drawn_anew_when_the_terminal_is_resized(terminal: Any, place: Any) -> None:
    console = terminal("--store", str(place.store))
    console.sees("8 entries")
    for size in ((40, 10), (160, 48), (12, 3), (80, 24)):
        console.resize(*size)
        os.kill(console.process.pid, signal.SIGWINCH)
        console.sees("wfe")
    console.press("q")
    assert console.ends() == 0


def test_sigterm_ends_it_and_the_terminal_is_as_it_was(terminal: Any, place: Any) -> None:
    console = terminal("--store", str(place.store))
    console.sees("8 entries")
    console.process.terminate()
    assert console.ends() == 128 + signal.SIGTERM
    console.assert_restored()


@pytest.mark.parametrize("hears_hangup", [True, False])
def test_it_ends_within_two_seconds_when_the_terminal_goes_away(terminal: Any, place: Any, hears_hangup: bool) -> None:
    console = terminal("--store", str(place.store), hears_hangup=hears_hangup)
    console.sees("8 entries")
    console.hang_up()
    assert console.process.wait(timeout=2) == -signal.SIGHUP


def test_it_goes_into_the_background_and_comes_back(terminal: Any, place: Any) -> None:
    console = terminal("--store", str(place.store))
    console.sees("8 entries")
    console.press("\x1a")
    stat = Path(f"/proc/{console.process.pid}/stat")
    console.reads_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "a stop")
    console.assert_restored()
    os.kill(console.process.pid, signal.SIGCONT)
    console.sees("8 entries")
    console.press("q")
    assert console.ends() == 0


def test_a_terminal_without_a_character_set_is_given_ascii_alone(terminal: Any, place: Any) -> None:
    console = terminal("--store", str(place.store), LC_ALL="C", PYTHONUTF8="0")
    console.sees("x 3 failed")
    console.press("q")
    assert console.ends() == 0
    drawn = SEQUENCES.sub("", console.everything)
    assert drawn.isascii(), {letter for letter in drawn if not letter.isascii()}


def test_without_colours_the_states_are_told_all_the_same(terminal: Any, place: Any) -> None:
    console = terminal("--store", str(place.store), NO_COLOR="1")
    console.sees("✗ 3 failed")
    console.press("q")
    assert console.ends() == 0
    colours = set(re.findall(r"\x1b\[[0-9;]*?(?:38|48);2;(\d+;\d+;\d+)", console.everything))
    assert all(len(set(colour.split(";"))) == 1 for colour in colours), "all that is left is grey"


def test_places_are_named_in_the_shell_and_wrong_ones_refused(terminal: Any, place: Any) -> None:
    console = terminal("--store", str(place.store), "entries?state:failed", "--read-only")
    console.sees("3 entries")
    console.press("q")
    assert console.ends() == 0
    for words, sentence in (
        (["runs/1", "--error", "abcd"], "runs/1 and --error abcd: name one of them"),
        (["entries", "errors"], "entries and errors: name one of them"),
    ):
        assert refused(place.folder, "--store", str(place.store), *words) == f"wfe: {sentence}"


def test_opened_on_nothing_it_says_so_and_leaves_nothing_behind(terminal: Any, workplace: Any) -> None:
    console = terminal("--store", "none.db")
    console.sees("There is no store yet")
    console.press("q")
    assert console.ends() == 0
    assert not (workplace.folder / "none.db").exists()


def test_demo_shows_real_failures_at_once(terminal: Any, workplace: Any) -> None:
    console = terminal("--demo", XDG_DATA_HOME=str(workplace.folder / "data"))
    console.sees("missing-file 1.0")
    console.sees("✗ failed")
    console.press("q")
    assert console.ends() == 0


def test_an_error_id_opens_its_trace(terminal: Any, place: Any) -> None:
    error_id = place.ls()["A-2"]["error_id"]
    console = terminal("--store", str(place.store), "--error", error_id)
    console.sees("ValueError: no customer in A-2")
    console.press("q")
    assert console.ends() == 0


def test_a_store_that_turns_out_to_be_none_while_it_is_waited_for_ends_it_with_one_sentence(
    terminal: Any, workplace: Any
) -> None:
    console = terminal("--store", "[bold.db")
    console.sees("There is no store yet")
    (workplace.folder / "[bold.db").write_text("this is no database, whatever its name says\n" * 100)
    assert console.ends() == 2
    said = SEQUENCES.sub("", console.written).replace("\r", "").replace("\n", "")
    assert "wfe: the store " in said
    assert "[bold.db is not a store: name another file" in said
    assert "Traceback" not in said


# --- refused


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nowhere:Orders", "there is no module 'nowhere'"),
        ("orders.py:Nothing", "has no 'Nothing'; the processors in it: Orders"),
        ("orders:Fetch", "orders:Fetch is not a processor"),
        ("orders", "names no processor: write MODULE:PROCESSOR"),
        ("broken:Orders", "broken cannot be imported: SyntaxError"),
        ("talking:Orders", "has no 'Orders'"),
        ("leaving:Orders", "importing it ends the process with exit code 3"),
    ],
)
def test_what_names_no_processor_is_refused(workplace: Any, name: str, sentence: str) -> None:
    (workplace.folder / "broken.py").write_text("def")
    (workplace.folder / "talking.py").write_text("import sys; print('null'); print('[]', file=sys.stderr)")
    (workplace.folder / "leaving.py").write_text("import os; os._exit(3)")
    assert sentence in refused(workplace.folder, name)
    assert not workplace.store.exists()


@pytest.mark.parametrize("kind", ["folder", "text", "foreign", "newer", "too long"])
def test_what_is_no_store_is_refused_and_left_as_it_was(workplace: Any, kind: str) -> None:
    path, sentence = workplace.folder / "x.db", "name another"
    match kind:
        case "folder":
            path.mkdir()
            sentence = "is a folder"
        case "text":
            path.write_text("no database\n" * 1_000)
        case "foreign" | "newer":
            with contextlib.closing(sqlite3.connect(path)) as connection:
                connection.execute("CREATE TABLE docs(x)")
                if kind == "newer":
                    connection.execute("CREATE TABLE gone(x)")
                    connection.execute("PRAGMA user_version = 99")
                    sentence = "was written by a newer version"
                connection.commit()
        case _:
            path = Path("x" * 5_000)
    before = path.read_bytes() if kind in ("text", "foreign", "newer") else b""
    assert sentence in refused(workplace.folder, "--store", str(path))
    assert not before or path.read_bytes() == before


def test_what_is_set_for_the_project_counts_for_the_console_too(workplace: Any, terminal: Any) -> None:
    (workplace.folder / "wfe.toml").write_text('store = "set.db"\nprocessor = "orders:Orders"\nprotected = true\n')
    console = terminal(WFE_STORE="")
    console.sees("orders:Orders")
    console.press("N")
    console.sees("protected")
    console.sees("A-1")
    console.press("q")
    assert console.ends() == 0
    assert (workplace.folder / "set.db").exists()


def test_settings_that_are_wrong_are_refused_before_the_screen_is_taken(workplace: Any) -> None:
    (workplace.folder / "wfe.toml").write_text("worker = 8")
    assert "did you mean workers?" in refused(workplace.folder)


def test_without_a_terminal_it_says_what_to_use(place: Any) -> None:
    assert "needs a terminal" in refused(place.folder, "--store", str(place.store))
