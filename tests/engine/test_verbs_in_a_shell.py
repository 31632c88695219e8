"""Every verb on entries behaves alike in a shell: it shows, asks or is told not to, keeps why, and answers programs."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, breaks

from engine import Store, cli
from engine.clock import utc_now
from engine.operations import pause
from engine.operations import verbs as operations

VERBS = {
    "repeat on": "A-2",
    "repeat off": "A-5",
    "restart": "A-2",
    "restart --from-start": "A-1",
    "restart --canary 1": "A-2",
    "skip": "A-2",
    "hold": "A-2",
    "release": "A-4",
    "cancel": "A-2",
    "decide again": "A-3",
    "decide done": "A-3",
}
"""Each verb on entries, and an entry that it can be done to."""


def test_here_is_each_verb_on_entries() -> None:
    assert {" ".join(verb.words) for verb in operations.VERBS} <= set(VERBS), "a new verb needs a line in VERBS"


@dataclass
class Answer:
    """What a command has printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Shell = Callable[..., Answer]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A-1 is finished, A-2 failed, A-3 in doubt, A-4 held, A-5 is to be repeated; paused, so that no worker starts."""
    path = tmp_path / "wfe.db"
    with Store(path) as opened:
        desk = Desk(opened, utc_now)
        desk.entries = [{"key": f"A-{number}"} for number in (1, 2, 4, 5)]
        desk.run(lambda entry: None if entry.key == "A-1" else breaks(entry))
        desk.entries = [{"key": "A-3"}]
        desk.crash()
        desk.hold("A-4")
        desk.repeat("A-5")
        pause("Orders", store=opened)
    return path


@pytest.fixture
def shell(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Answer]]:
    """`wfe`, in this process; with `typed`, there is a terminal on which that is answered."""
    monkeypatch.setenv("WFE_STORE", str(store))
    keyboard, terminal = os.openpty()

    def wfe(*words: str, typed: str | None = None) -> Answer:
        monkeypatch.setattr(sys, "argv", ["wfe", *words])
        with open(terminal if typed else os.devnull, closefd=not typed) as keys:
            monkeypatch.setattr(sys, "stdin", keys)
            if typed:
                os.write(keyboard, typed.encode())
            with pytest.raises(SystemExit) as ended:
                cli.main()
        out, err = capsys.readouterr()
        return Answer(int(ended.value.code or 0), out, err)

    yield wfe
    os.close(keyboard)
    os.close(terminal)


def acts(store: Path) -> list[dict[str, Any]]:
    """The acts of this test; the first three made the store."""
    with Store(store, read_only=True) as opened:
        return [dict(action) for action in opened.actions.all()[3:]]


@pytest.mark.parametrize("verb", VERBS)
def test_keys_are_acted_on_at_once_with_why_and_an_answer_for_each(shell: Shell, store: Path, verb: str) -> None:
    key = VERBS[verb]
    done = shell(*verb.split(), key, "A-77", "--why", "the customer called", "--json")
    assert done.code == 1, "one was refused"
    assert [(each["key"], each["accepted"]) for each in done.objects] == [(key, True), ("A-77", False)]
    assert {frozenset(each) for each in done.objects} == {frozenset({"key", "verb", "accepted", "why"})}
    assert "there is no entry 'A-77'" in done.objects[1]["why"]
    [action] = acts(store)
    assert action["why"] == "the customer called"
    assert action["keys"] == [key]


@pytest.mark.parametrize("verb", VERBS)
def test_a_dry_run_shows_what_would_be_done_and_writes_nothing(shell: Shell, store: Path, verb: str) -> None:
    key = VERBS[verb]
    before = shell("ls", "--json").out
    shown = shell(*verb.split(), f"key={key}", "--dry-run")
    assert shown.code == 0
    assert " would be done to 1 entry, 0 refused" in shown.err
    assert f": {key}: " in shown.out
    told = shell(*verb.split(), f"key={key}", "--dry-run", "--json")
    assert [(each["key"], each["accepted"]) for each in told.objects] == [(key, True)]
    assert (shell("ls", "--json").out, acts(store)) == (before, [])


@pytest.mark.parametrize("verb", VERBS)
def test_a_filter_is_asked_about_with_the_count(shell: Shell, store: Path, verb: str) -> None:
    words = *verb.split(), f"key={VERBS[verb]}"
    no = shell(*words, typed="n\n")
    assert (no.code, no.out) == (1, "")
    assert " 1 entry? [y/N] " in no.err
    assert acts(store) == []
    yes = shell(*words, "--json", typed="y\n")
    assert (yes.code, [each["accepted"] for each in yes.objects]) == (0, [True])
    assert len(acts(store)) == 1


@pytest.mark.parametrize("verb", VERBS)
def test_where_nobody_can_be_asked_it_is_refused_in_a_sentence_unless_yes_is_given(
    shell: Shell, store: Path, verb: str
) -> None:
    words = *verb.split(), f"key={VERBS[verb]}"
    refused = shell(*words)
    assert (refused.code, refused.out) == (2, "")
    [sentence] = refused.err.splitlines()
    assert sentence.startswith("wfe: ")
    assert "a filter chose 1 entry" in sentence
    assert "--yes" in sentence
    assert acts(store) == []
    done = shell(*words, "--yes", "--json")
    assert (done.code, [each["key"] for each in done.objects]) == (0, [VERBS[verb]])
    assert len(acts(store)) == 1


@pytest.mark.parametrize("verb", VERBS)
def test_without_an_entry_it_says_that_it_needs_one(shell: Shell, verb: str) -> None:
    done = shell(*verb.split())
    assert (done.code, done.out) == (2, "")
    assert "needs to know which entries are meant: give keys, or a filter" in done.err


# --- verbs on something else answer in the same shape


ON_OTHERS = [
    (["resume", "Orders"], "desk:Orders", True),
    (["pause", "Orders"], "Orders", False),
    (["stop", "1"], "1", False),
    (["drain", "1"], "1", False),
    (["actions", "resume", "1"], "1", False),
    (["actions", "abandon", "1"], "1", False),
    (["undo", "3"], "3", True),
]


@pytest.mark.parametrize(("words", "key", "accepted"), ON_OTHERS, ids=[" ".join(words) for words, _, _ in ON_OTHERS])
def test_a_verb_on_something_else_answers_programs_alike(
    shell: Shell, words: list[str], key: str, accepted: bool
) -> None:
    done = shell(*words, "--json")
    assert done.code == (0 if accepted else 1)
    [answer] = done.objects
    assert (answer["key"], answer["accepted"]) == (key, accepted)
    assert (answer["why"] is None) is accepted
    assert frozenset(answer) == {"key", "verb", "accepted", "why"}


@pytest.mark.parametrize("words", [["resolve"], ["snooze", "--for", "2h"], ["note"]], ids=lambda words: words[0])
def test_a_verb_on_causes_answers_programs_alike(shell: Shell, words: list[str]) -> None:
    [cause] = shell("errors", "--json").objects
    text = ["asked the carrier"] if words == ["note"] else []
    done = shell(*words, cause["fingerprint"][:6], *text, "--json")
    assert (done.code, done.objects) == (
        0,
        [{"key": cause["fingerprint"], "verb": words[0], "accepted": True, "why": None}],
    )


def test_the_reason_of_a_resumption_is_kept(shell: Shell, store: Path) -> None:
    assert shell("resume", "Orders", "--why", "carrier is back").code == 0
    [action] = acts(store)
    assert (action["verb"], action["why"]) == ("resume", "carrier is back")
