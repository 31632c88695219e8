"""What README says that programs are told is what they are told: each command, each field, no more and no less."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from engine import Store, cli

README = Path(__file__).parents[2] / "README.md"

Fields = dict[str, "frozenset[str] | None"]
"""The fields of an object; of one that is an object, or a list of such, those of that, if they are said."""


def rows() -> dict[str, tuple[list[str], Fields]]:
    """The table: by the first command of each row all of its commands, and its fields."""
    section = README.read_text().split("\n### JSON\n")[1].split("\n## ")[0]
    found: dict[str, tuple[list[str], Fields]] = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            commands, _, fields = line.strip("| ").split(" | ")
            names = re.findall("`(.+?)`", commands)
            found[names[0]] = names, dict(read(fields, found))
    return found


def read(text: str, above: Mapping[str, tuple[list[str], Fields]]) -> Iterator[tuple[str, frozenset[str] | None]]:
    """The fields that a cell names; those of another row may be among them."""
    if others := re.match("those of `(.+?)`, and ", text):
        yield from above[others.group(1)][1].items()
        text = text[others.end() :]
    for name, own in re.findall(r"`(\w+)`(?: \((.+?)\))?", text):
        yield name, frozenset(re.findall("`(.+?)`", own)) if own else None


def with_json(command: Any, name: str = "") -> Iterator[str]:
    """The commands that have --json; `actions` alone lists."""
    if any("--json" in param.opts for param in command.params):
        yield name
    for each, own in getattr(command, "commands", {}).items():
        yield from with_json(own, f"{name} {each}".strip())


def test_each_command_that_answers_programs_has_a_row() -> None:
    wfe: Any = get_command(cli.app)
    context = wfe.make_context("wfe", ["ls"])
    answering = {name for each in cli.COMMANDS for name in with_json(wfe.get_command(context, each), each)}
    described = {name for names, _ in rows().values() for name in names}
    assert {re.sub(" (--.*|[A-Z]+)$", "", name) for name in described} == answering, "a row of README's table"
    assert set(cli.COMMANDS) - {name.split()[0] for name in answering} == {"work", "metrics", "completion"}


LINES = {
    "ls": "ls",
    "show": "show A-2",
    "plan KEY": "plan A-2",
    "plan": "plan",
    "runs": "runs",
    "runs RUN": "runs 1",
    "errors": "errors",
    "error": "error {error}",
    "share": "share",
    "compare": "compare A-2 A-3",
    "report": "report",
    "repeat": "repeat on A-2",
    "restart --dry-run": "restart A-2 --dry-run",
    "actions": "actions",
    "actions show": "actions show 1",
    "export": "export all.json",
    "prune": "prune --older-than 90d",
    "check": "check",
    "config": "config",
}
"""By the first command of a row: a line that prints such an object."""


SPEAKING = """

import logging


class Speak(Task):
    def process_entry(self, entry, dry_run=False):
        logging.getLogger("orders").warning("here is %s", entry.key)


class Speaking(Orders):
    def get_tasks(self):
        return [Speak(self), *super().get_tasks()]
"""


@pytest.fixture
def place(workplace: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A-1 is finished, A-2 and A-3 have failed, A-4 was held, A-5 waits; here `wfe` is called in this process."""
    workplace.extend(SPEAKING)
    workplace.orders("A-1", "A-2 raise", "A-3 raise", "A-4 interrupt", "A-5 wait")
    done = workplace.wfe("run", "orders:Speaking", "--json")
    workplace.run = json.loads(done.stdout)
    workplace.wfe("hold", "A-4")
    monkeypatch.chdir(workplace.folder)
    monkeypatch.setenv("WFE_STORE", str(workplace.store))
    return workplace


def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, line: str) -> list[dict[str, Any]]:
    monkeypatch.setattr(sys, "argv", ["wfe", *line.split(), "--json"])
    with pytest.raises(SystemExit):
        cli.main()
    return [json.loads(each) for each in capsys.readouterr().out.splitlines()]


def agree(printed: Mapping[str, Any], described: Fields) -> None:
    """Raise if an object has other fields than is said."""
    assert set(printed) == set(described)
    for name, own in described.items():
        value = printed[name]
        for each in value if isinstance(value, list) else [value]:
            if own is not None and each is not None:
                assert set(each) == own, name


def test_each_command_prints_the_fields_of_its_row(
    place: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    described = rows()
    assert set(described) == {*LINES, "run", "watch --kind entry"}
    agree(place.run, described["run"][1])
    with Store(place.store, read_only=True) as store:
        error = store.errors.all()[0]["error_id"]
    for name, line in LINES.items():
        objects = told(capsys, monkeypatch, line.format(error=error))
        assert objects, line
        for each in objects:
            agree(each, described[name][1])


@pytest.mark.slow
def test_what_is_followed_has_the_fields_of_its_row(place: Any) -> None:
    with place.start("watch", "--json", "--since", "0", "--kind", "entry") as process:
        start, event = (json.loads(process.stdout.readline()) for _ in range(2))
        process.kill()
    assert start["kind"] == "start"
    agree(event, rows()["watch --kind entry"][1])
