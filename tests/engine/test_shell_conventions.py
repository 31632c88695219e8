"""What holds for each command of `wfe`: where it prints, its exit codes, colours, pipes, and what a shell completes."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from engine import cli

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, workplace_in: Callable[[Path], Any]) -> Any:
    """A workplace with more orders than a list shows at once."""
    place = workplace_in(tmp_path_factory.mktemp("busy"))
    place.orders("A-1", "A-2 raise", "A-3 wait", "B:7", *(f"C-{number:03}" for number in range(120)))
    place.wfe("run", "orders:Orders")
    return place


# --- usage, exit codes


USAGE = [
    (["lss"], "there is no command 'lss', did you mean 'ls'? `wfe --help` tells more"),
    (["ls", "--foo"], "no such option: --foo: `wfe ls --help` tells more"),
    (["show"], "`wfe show --help` tells more"),
    (["actions", "show", "many"], "`wfe actions show --help` tells more"),
    (["ls", "--limit", "0"], "`wfe ls --help` tells more"),
]


@pytest.mark.slow
def test_what_is_typed_wrong_is_told_in_one_sentence_with_exit_code_2(busy: Any) -> None:
    for words, said in USAGE:
        done = busy.wfe(*words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), words
        assert done.stderr.startswith("wfe: ")
        assert said in done.stderr


def test_the_version_and_the_help_are_results(busy: Any) -> None:
    version, alone = busy.wfe("--version"), busy.wfe()
    assert (version.returncode, version.stderr) == (0, "")
    assert version.stdout.startswith("wfe 0.")
    assert (alone.returncode, alone.stderr) == (0, "")
    assert "restart" in alone.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_that_is_stopped_says_nothing_and_tells_by_which_signal(busy: Any, number: int, code: int) -> None:
    with busy.start("watch", "--json") as process:
        assert process.stdout.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == code, (out, err)
    assert err == ""


# --- each command is there


def test_each_command_of_the_table_has_a_help(busy: Any) -> None:
    group = get_command(cli.app)
    for name in cli.COMMANDS:
        assert group.get_command(None, name).get_short_help_str(1000), name  # type: ignore[attr-defined]


def test_readme_says_of_each_command_what_it_does() -> None:
    table = README.read_text().split("| command | |\n")[1].split("\n\n")[0]
    told = set(re.findall(r"(?<=`wfe )[a-z]+|(?<=, `)[a-z]+(?=`)", table))
    assert set(cli.COMMANDS) - told == {"completion"}, "a new command needs a row in README's table of commands"


# --- lists


def test_ls_shows_people_the_first_hundred_and_says_how_many_there_are(busy: Any) -> None:
    done = busy.wfe("ls")
    lines = done.stdout.splitlines()
    assert len(lines) == 101
    assert lines[1].startswith("A-2")
    assert done.stderr == "100 of 124 entries: --limit 124 shows all, a filter as state:failed fewer\n"
    told = busy.wfe("ls", "state:finished", "--limit", "2")
    assert len(told.stdout.splitlines()) == 3
    assert told.stderr.startswith("2 of 122 entries")
    assert busy.wfe("ls", "data.price:7", "--limit", "1").stderr.startswith("1 of 124 entries")


def test_ls_gives_programs_all_unless_they_limit_it(busy: Any) -> None:
    keys = [json.loads(line)["key"] for line in busy.wfe("ls", "--json").stdout.splitlines()]
    assert len(keys) == len(set(keys)) == 124
    limited = busy.wfe("ls", "--json", "--limit", "3")
    assert [json.loads(line)["key"] for line in limited.stdout.splitlines()] == keys[:3]
    assert limited.stderr == ""


# --- pipes and colours


@pytest.mark.usefixtures("buffering")
@pytest.mark.parametrize("words", [("ls", "--json"), ("ls",), ("--help",)])
def test_what_is_cut_off_by_head_ends_quietly_as_usual_tools_do(busy: Any, words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody_reads:
        done = subprocess.run(
            [sys.executable, "-m", "engine", *words], cwd=busy.folder, stdout=nobody_reads, stderr=subprocess.PIPE,
            env={**os.environ, "WFE_STORE": str(busy.store)}, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 141
    assert b"Traceback" not in done.stderr
    assert b"ignored" not in done.stderr


@pytest.mark.usefixtures("buffering")
@pytest.mark.parametrize("words", [("ls", "--json"), ("ls",), ("--help",), ("report",)])
def test_a_full_disk_that_the_result_should_go_to_is_told_in_a_sentence(busy: Any, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "engine", *words], cwd=busy.folder, stdout=full, stderr=subprocess.PIPE,
            env={**os.environ, "WFE_STORE": str(busy.store)}, timeout=60, check=False, text=True,
        )  # fmt: skip
    assert done.returncode == 2
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("wfe: ")]
    assert "standard output cannot be written" in sentence
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr


@pytest.mark.usefixtures("buffering")
def test_a_full_disk_that_all_that_is_printed_goes_to_shows_in_the_exit_code(busy: Any) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "engine", "ls"], cwd=busy.folder, stdout=full, stderr=subprocess.STDOUT,
            env={**os.environ, "WFE_STORE": str(busy.store)}, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 2


def test_in_a_pipe_there_is_no_colour_and_no_line_is_cut(workplace: Any) -> None:
    long = "K" * 300
    workplace.orders(f"{long} raise")
    workplace.wfe("run", "orders:Orders")
    told = workplace.wfe("ls", COLUMNS="40").stdout
    assert long in told
    assert "\x1b" not in told
    assert "\x1b[31m" in workplace.wfe("ls", FORCE_COLOR="1").stdout
    assert "\x1b[31m" not in workplace.wfe("ls", FORCE_COLOR="1", NO_COLOR="1").stdout
    for words in (("--no-color", "ls"), ("ls", "--no-color")):
        assert "\x1b[31m" not in workplace.wfe(*words, FORCE_COLOR="1").stdout


# --- completion


def completed(place: Any, line: str, **environment: str) -> list[str]:
    done = place.wfe(_WFE_COMPLETE=line, **environment)
    assert (done.returncode, done.stderr) == (0, ""), line
    found: list[str] = done.stdout.splitlines()
    return found


def test_a_shell_is_offered_what_may_follow(busy: Any) -> None:
    [failed] = [row for row in busy.ls().values() if row["state"] == "failed"]
    with_errors = completed(busy, "wfe resolve v")
    assert completed(busy, "wfe dec") == ["decide"]
    assert completed(busy, "wfe show A") == ["A-1", "A-2", "A-3"]
    assert len(completed(busy, "wfe hold C-")) == 20
    assert completed(busy, "wfe ls state:fa") == ["state:failed"]
    assert completed(busy, "wfe restart 'key:A-1 state:fa") == ["key:A-1 state:failed"]
    assert completed(busy, "wfe error ") == [failed["error_id"]]
    assert len(with_errors) == 1
    assert with_errors[0].startswith("v1:")
    assert completed(busy, "wfe show A-1 --processor ") == ["orders:Orders"]
    assert completed(busy, "wfe stop ") == ["1"]
    assert completed(busy, "wfe repeat ") == ["on", "off"]
    assert "--limit" in completed(busy, "wfe ls --l")


def test_where_there_is_no_store_nothing_is_offered_and_none_is_made(workplace: Any) -> None:
    for line in ("wfe show A", "wfe ls state:", f"wfe show --store {workplace.folder}/other.db A", "wfe", "", "wfe '"):
        completed(workplace, line)
    assert completed(workplace, "wfe show A") == []
    assert not list(workplace.folder.glob("*.db*"))
    workplace.store.write_bytes(b"no store at all" * 1000)
    assert completed(workplace, "wfe show A") == []


SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(wfe completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -U compinit; compinit -D -u; eval "$(wfe completion zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "wfe completion fish | source"),
}


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_completes_a_key_with_a_space_and_a_value_behind_a_colon(
    shell: str, workplace: Any, tmp_path: Path
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    command = tmp_path / "bin" / "wfe"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m engine "$@"\n')
    command.chmod(0o700)
    (workplace.folder / "names.py").write_text(
        "from engine import StoredProcessor, Task, WorkflowModel\n\n\n"
        "class Name(WorkflowModel):\n    key: str\n\n\n"
        "class Greet(Task):\n    def process_entry(self, entry, dry_run=False):\n        pass\n\n\n"
        "class Names(StoredProcessor):\n    model = Name\n\n"
        "    def get_default_entries(self):\n        return [{'key': 'Anna Lee'}, {'key': 'Bo'}]\n\n"
        "    def get_tasks(self):\n        return [Greet(self)]\n"
    )
    workplace.wfe("run", "names:Names")
    argv, setup = SHELLS[shell]
    environment = {
        **os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "WFE_STORE": str(workplace.store),
        "TERM": "xterm", "HOME": str(tmp_path),
    }  # fmt: skip
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(workplace.folder)
        os.execvpe(argv[0], argv, environment)
    try:
        typed(terminal, f"{setup}; echo rea''dy\r", until="ready")
        typed(terminal, "wfe show Ann\t", until="Lee")
        typed(terminal, "\r", until="nothing: it is finished")
        typed(terminal, "wfe ls --json state:fini\t", until="state:finished")
        typed(terminal, "\r", until='"key":"Bo"')
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)


def typed(terminal: int, keys: str, *, until: str) -> None:
    """Type, and wait until the terminal has shown something since."""
    os.write(terminal, keys.encode())
    shown, deadline = "", time.monotonic() + 60
    while until not in shown.replace("\r", ""):
        assert time.monotonic() < deadline, shown
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 65_536).decode(errors="replace")
