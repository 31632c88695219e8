"""The public API stands still: no name vanishes or changes by accident. To write down that it was meant to:
`python tests/test_public_api.py`, and look at what that changes in `public_api.txt`."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from public_commands import EXAMPLES, command_lines, commands_with_json, json_lines
from public_names import MODULES, public_names

import engine

SNAPSHOT = Path(__file__).with_name("public_api.txt")

SECTIONS: dict[str, Callable[[], list[str]]] = {
    "Python": lambda: [name.line() for name in public_names()],
    "Shell": command_lines,
    "Fields of --json": json_lines,
}
"""All that users may rely on, one line each."""


def differences(before: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    """What was changed, removed and added."""
    gone, come = ([line for line in these if line not in those] for these, those in ((before, now), (now, before)))
    for line in gone:
        path = re.match(r"[\w.]+(?=[:( ]|$)", line)
        same = [each for each in come if path and re.match(rf"{re.escape(path[0])}[:( ]", each) and path[0] != "wfe"]
        if same:
            come.remove(same[0])
            yield f"changed: {line}\n     to: {same[0]}"
        else:
            yield f"removed: {line}"
    yield from (f"  added: {line}" for line in come)


@pytest.mark.parametrize("title", SECTIONS)
def test_nothing_public_vanishes_or_changes_by_accident(title: str) -> None:
    before = SNAPSHOT.read_text(encoding="utf-8").partition(f"# {title}\n")[2].partition("\n\n")[0].splitlines()
    if found := list(differences(before, SECTIONS[title]())):
        what_to_do = "If that is meant: python tests/test_public_api.py"
        pytest.fail("\n".join(["The public API has changed.", *found, what_to_do]), pytrace=False)


def test_what_has_changed_is_told_by_name() -> None:
    before = ["engine.Task.timeout: float", "engine.plan(entry)", "wfe ls --at MOMENT", "engine.gone()"]
    now = ["engine.Task.timeout: int", "engine.plan(entry, tasks)", "wfe ls --at DATE"]
    assert list(differences(before, now)) == [
        "changed: engine.Task.timeout: float\n     to: engine.Task.timeout: int",
        "changed: engine.plan(entry)\n     to: engine.plan(entry, tasks)",
        "removed: wfe ls --at MOMENT",
        "removed: engine.gone()",
        "  added: wfe ls --at DATE",
    ]


def test_the_map_of_the_engine_says_what_is_public() -> None:
    said = (engine.__doc__ or "").partition("Public is")[2]
    assert {f"`{module}`" for module in MODULES} <= set(re.findall(r"`engine[\w.]*`", said))


def test_each_command_with_json_has_an_example_whose_fields_are_kept() -> None:
    assert commands_with_json() <= set(EXAMPLES), "a new command needs a line in EXAMPLES of tests/public_commands.py"


if __name__ == "__main__":
    sections = ("\n".join([f"# {title}", *lines(), ""]) for title, lines in SECTIONS.items())
    SNAPSHOT.write_text("\n".join(sections), encoding="utf-8")
