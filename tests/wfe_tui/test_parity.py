"""What an operator can do with a key of the console, he can do with a line in a shell."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from engine import cli
from engine.operations import SetRepeat, Verb
from engine.operations.verbs import VERBS
from engine.status import RepeatAfterTime
from wfe_tui.actions import ACTIONS

SAME: dict[str, list[str]] = {
    "restart": ["restart KEY"],
    "toggle_repeat": ["repeat on KEY", "repeat off KEY"],
    "repeat_when": [
        "repeat on --after 2h KEY", "repeat on --at 08:00 KEY", "repeat on --cycles 3 --reruns 5 KEY",
    ],
    "restart_from_start": ["restart --from-start KEY"],
    "skip": ["skip KEY"],
    "hold": ["hold KEY"],
    "release": ["release KEY"],
    "cancel": ["cancel KEY"],
    "decide_done": ["decide done KEY", "decide again KEY"],
    "canary": ["restart --canary 1 --in-flight 10 --stop-after 3 KEY"],
    "undo": ["undo", "undo 12"],
    "resume_canary": ["actions resume 12"],
    "abandon_canary": ["actions abandon 12"],
    "resolve": ["resolve v1:9f2a"],
    "snooze": ["snooze v1:9f2a --for 2h", "snooze v1:9f2a --until 08:00", "snooze v1:9f2a --more 10"],
    "note": ["note v1:9f2a TEXT"],
    "new_run": ["run orders:Orders"],
    "toggle_pause": ["pause orders:Orders", "resume orders:Orders"],
    "stop_run": ["stop 12"],
    "drain_run": ["drain 12"],
}  # fmt: skip
"""By the name of each action of the console that acts: the commands that do the same."""

LOOKING: dict[str, list[str]] = {
    "entries": ["ls FILTER --at 02:15"],
    "entry": ["show KEY --logs --at 02:15"],
    "errors": ["errors WORDS --all --at 02:15"],
    "occurrences": ["errors v1:9f2a", "error v1:9f2a"],
    "share": ["share FILTER --at 02:15"],
    "trace": ["error 5b2c"],
    "compare": ["compare KEY --attempts 1 2 --task Check --at 02:15", "compare KEY --sibling"],
    "runs": ["runs WORDS --at 02:15"],
    "run": ["runs 12"],
    "actions": ["actions --open --at 02:15"],
    "action": ["actions show 12"],
    "report": ["report --since 8h", "report --html"],
}
"""By the name of each screen that shows something of a store: the commands that show the same."""

NONE = {"table", "welcome", "everywhere"}
"""Those that show nothing of their own."""


def acting() -> Iterator[str]:
    """The actions that are on upper-case keys, and the one that takes them back; `G` is vim's, and looks."""
    for actions in ACTIONS.values():
        yield from (each.id for each in actions if each.key.isupper() != (each.key == "G" or each.id == "undo"))


def parsed(line: str) -> dict[str, Any]:
    """What `wfe` makes of a line; it raises where it does not understand it."""
    words, name = line.split(), "wfe"
    command: Any = get_command(cli.app)
    context = command.make_context(name, ["ls"])
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        name, command, words = command.resolve_command(context, words)
    return dict(command.make_context(name, words, parent=context).params)


def test_each_key_that_acts_has_a_command_that_does_the_same() -> None:
    assert set(acting()) == set(SAME), "a new key needs a line in SAME, and a command in `engine.cli`"


def test_upper_case_acts_and_lower_case_looks() -> None:
    for actions in ACTIONS.values():
        for action in actions:
            is_upper = len(action.key) == 1 and action.key.isupper()
            assert is_upper is (action.id in SAME and action.id != "undo"), f"what acts is in SAME: {action}"


def test_each_screen_has_a_command_that_shows_the_same() -> None:
    assert set(ACTIONS) - NONE == set(LOOKING), "a new screen needs a line in LOOKING, and a command in `engine.cli`"


@pytest.mark.parametrize("line", [line for lines in (*SAME.values(), *LOOKING.values()) for line in lines])
def test_wfe_understands_each_of_these_lines(line: str) -> None:
    assert parsed(line) is not None


@pytest.mark.parametrize(
    "verb", [*VERBS, SetRepeat(RepeatAfterTime(hours=2), 3)], ids=lambda verb: " ".join(verb.words)
)
def test_wfe_understands_what_the_console_shows_of_a_verb(verb: Verb) -> None:
    assert parsed(" ".join([*verb.words, "KEY"]))["keys"] == ["KEY"]


def test_the_verbs_of_the_issue_are_all_there() -> None:
    promised = (
        "run work ls show error errors repeat restart plan skip hold release cancel decide resolve snooze note pause "
        "resume undo actions runs watch metrics export import backup prune check"
    )
    assert set(promised.split()) <= set(cli.COMMANDS)
