"""What is public in the shell, one line each: commands, what they take, and the fields of what they print as JSON."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

from engine import Store, StoredProcessor, Task, WorkflowModel
from engine.cli import app
from wfe_tui.__main__ import command as console


class Order(WorkflowModel):
    key: str
    country: str = "DE"


class Ship(Task):
    def process_entry(self, entry: Order, dry_run: bool = False) -> None:
        {"DE": "DHL"}[entry.country]


class Orders(StoredProcessor):
    model = Order

    def get_default_entries(self) -> list[dict[str, str]]:
        return [{"key": "A-1"}, {"key": "A-2", "country": "XX"}]

    def get_tasks(self) -> list[Task]:
        return [Ship(self)]


EXAMPLES = {
    "run": "run {workflow}",
    "ls": "ls",
    "show": "show A-2",
    "errors": "errors",
    "error": "error {error_id}",
    "share": "share",
    "compare": "compare A-2 A-1",
    "plan": "plan",
    "runs": "runs",
    "runs RUN": "runs 1",
    "report": "report",
    "repeat": "repeat on A-2",
    "restart": "restart A-2 --dry-run",
    "skip": "skip A-2 --dry-run",
    "decide": "decide again A-2 --dry-run",
    "hold": "hold A-2",
    "release": "release A-2",
    "cancel": "cancel A-2",
    "undo": "undo",
    "actions": "actions",
    "actions show": "actions show 1",
    "stop": "stop 1",
    "drain": "drain 1",
    "pause": "pause Orders",
    "resume": "resume Orders",
    "note": "note {fingerprint} text",
    "snooze": "snooze {fingerprint} --for 2h",
    "resolve": "resolve {fingerprint}",
    "watch": "watch --since 0",
    "check": "check",
    "prune": "prune --older-than 1d",
    "backup": "backup {folder}/backup.db",
    "export": "export {folder}/export.json",
    "import": "import {folder}/export.json --store {folder}/imported.db",
    "config": "config",
}
"""A line for each command that has `--json`, in an order in which one leaves the others something to show."""

TABLES = {"data", "statistics", "states", "verdicts"}
"""Fields whose own fields are named by what the store holds."""


def command_lines() -> list[str]:
    """Each command, and whatever can be typed behind it."""
    return [line for name, made in (("wfe", app), ("wfe-tui", console)) for line in _lines(name, get_command(made))]


def json_lines() -> list[str]:
    """Each field of what each command prints with `--json`."""
    lines: dict[str, None] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "wfe.db"
        with Store(path) as store:
            Orders(store).process_entries()
            error = store.errors.all()[0]
        given = {**error, "folder": folder, "workflow": f"{__file__}:Orders"}
        for name, example in EXAMPLES.items():
            for line in _printed([*example.format(**given).split(), "--json"], {"WFE_STORE": str(path)}):
                if line.startswith("{"):
                    lines |= {f"wfe {name} --json: {field}": None for field in _fields(json.loads(line))}
    return list(lines)


def _printed(words: list[str], environment: dict[str, str]) -> Iterator[str]:
    """What `wfe` says; of what it would say for ever, until it has told of everything that there is."""
    if words[0] != "watch":
        yield from CliRunner().invoke(app, words, env=environment, catch_exceptions=False).output.splitlines()
        return
    command = [sys.executable, "-m", "engine", *words]
    with subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True) as process:
        deadline = threading.Timer(60, process.kill)
        deadline.start()
        for line in process.stdout or ():
            yield line
            if json.loads(line)["kind"] == "verdict":  # the last of all
                process.terminate()
        deadline.cancel()


def commands_with_json() -> set[str]:
    """The commands that have the option, by what is typed behind `wfe`."""
    lines = command_lines()
    return {line.removeprefix("wfe ").removesuffix(" --json") for line in lines if line.endswith(" --json")}


def _lines(path: str, command: Any, everywhere: Collection[str] = ()) -> Iterator[str]:
    yield path
    names = {param.name for param in command.params}
    for param in command.params:
        is_option = param.opts[0].startswith("-")
        typed = "/".join([*param.opts, *param.secondary_opts]) if is_option else ""
        metavar = param.metavar or ("" if is_option else param.name.upper())
        if param.name not in everywhere:
            yield " ".join(filter(None, [path, typed, metavar]))
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from _lines(f"{path} {name}", command.get_command(None, name), names)


def _fields(value: Any, path: str = "") -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                yield f"{path}{name}"
                if name not in TABLES:
                    yield from _fields(inner, f"{path}{name}.")
        case [first, *_]:
            yield from _fields(first, path)
