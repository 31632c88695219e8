"""The operator's verbs as `wfe` commands, in real processes: keys, filters and questions, looks beforehand, lines."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tinydb import where

from engine import RepeatAfterCycle, RepeatAfterDatetime, RepeatAfterTime
from engine.model import TaskExecution
from engine.operations import (
    Hold,
    Release,
    SetRepeat,
    Verb,
    act,
    shell_line,
)
from engine.operations.verbs import VERBS
from engine.state import State
from engine.store import Store

BILLS = """

class Bills(Orders):
    pass
"""


@pytest.fixture
def place(workplace: Any) -> Any:
    """A-1 is finished, A-2 and A-4 have failed, A-3 was interrupted; nothing would be wrong any more."""
    workplace.orders("A-1", "A-2 raise", "A-3 interrupt", "A-4 raise")
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    (workplace.folder / "done.txt").unlink()
    return workplace


def states(place: Any) -> dict[str, str]:
    return {key: str(row["state"]) for key, row in place.ls().items()}


def on_terminal(place: Any, answer: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `wfe` with a terminal to ask on, and answer."""
    keyboard, terminal = os.openpty()
    try:
        os.write(keyboard, answer.encode())
        return subprocess.run(
            [sys.executable, "-m", "engine", *arguments], cwd=place.folder, stdin=terminal, capture_output=True,
            text=True, env={**os.environ, "WFE_STORE": str(place.store)}, check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(keyboard)
        os.close(terminal)


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence with which a command could not run."""
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    (told,) = done.stderr.splitlines()
    assert told.startswith("wfe: ")
    return told


# --- each verb


@pytest.mark.slow
def test_what_is_held_is_left_by_runs_until_it_is_released(place: Any) -> None:
    done = place.wfe("hold", "A-2", "A-3", "--why", "customs are closed")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hold: A-2\nhold: A-3\n", "")
    assert place.wfe("repeat", "on", "A-2", "A-3", "A-4").returncode == 0
    assert place.wfe("run", "orders:Orders", "A-2", "A-4").returncode == 0
    assert place.done == ["Check A-4", "Send A-4"]
    told = place.wfe("show", "A-2").stdout
    assert "held" in told
    assert "next: nothing until it is released: held by " in told
    assert "customs are closed" in told
    assert place.wfe("restart", "A-2").returncode == 1
    assert place.wfe("release", "A-2").returncode == 0
    assert place.wfe("run", "orders:Orders").returncode == 0
    assert states(place) == {"A-1": "finished", "A-2": "finished", "A-3": "held", "A-4": "finished"}
    assert place.wfe("release", "A-2").stderr == "release: A-2: refused: it is not held, it is finished\n"


@pytest.mark.slow
def test_what_is_cancelled_is_left_by_runs_until_it_is_restarted(place: Any) -> None:
    place.wfe("repeat", "on", "A-2")
    done = place.wfe("cancel", "A-2", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"key": "A-2", "verb": "cancel", "accepted": True, "why": None}
    assert place.wfe("run", "orders:Orders", "A-2").returncode == 0
    assert place.done == []
    assert place.ls()["A-2"]["state"] == "cancelled"
    assert "nothing, it is cancelled by " in place.wfe("show", "A-2").stdout
    assert place.wfe("restart", "A-2").returncode == 0
    assert place.done == ["Check A-2", "Send A-2"]
    assert place.ls()["A-2"]["state"] == "finished"


def test_a_skip_goes_on_with_the_next_task_at_once(place: Any) -> None:
    done = place.wfe("skip", "A-2", "A-1", "--why", "the customer is known")
    assert done.returncode == 1
    assert done.stdout.startswith("skip: A-2\n")
    assert done.stderr == "skip: A-1: refused: it is finished: there is no task to skip\naction 1: 1 fixed\n"
    assert place.done == ["Send A-2"]
    assert place.ls()["A-2"]["state"] == "finished"
    assert "the customer is known" in place.wfe("show", "A-2").stdout


@pytest.mark.slow
def test_a_repeat_is_set_by_each_policy(place: Any) -> None:
    christmas = RepeatAfterDatetime(date_time=datetime(2126, 12, 24, 8).astimezone(UTC))
    for options, state, repeat in (
        ([], "ready", True),
        (["--after", "2h"], "waiting", RepeatAfterTime(seconds=7200)),
        (["--at", "2126-12-24 08:00"], "waiting", christmas),
        (["--cycles", "3", "--reruns", "5"], "waiting", RepeatAfterCycle(after_cycle=3)),
        (["--reruns", "5"], "ready", True),
    ):
        done = place.wfe("repeat", "on", *options, "A-2")
        assert (done.returncode, done.stdout) == (0, "repeat on: A-2\n")
        row = place.ls()["A-2"]
        assert row["state"] == state
        assert row["repeat"] == (repeat if repeat is True else repeat.model_dump(mode="json"))
    assert place.wfe("repeat", "off", "A-2").stdout == "repeat off: A-2\n"
    assert states(place)["A-2"] == "failed"


@pytest.mark.slow
def test_reruns_end_by_themselves(place: Any) -> None:
    (place.folder / "repaired").unlink()
    assert place.wfe("repeat", "on", "--reruns", "2", "A-2").returncode == 0
    codes = [place.wfe("run", "orders:Orders", "A-2").returncode for _ in range(3)]
    assert codes == [0, 1, 1], "as long as it will be repeated, it has not failed"
    assert place.done == ["Check A-2"] * 2
    assert "exhausted: all 2 reruns used" in place.wfe("show", "A-2").stdout


NO_REPEAT = [
    (["on", "--after", "2h", "--at", "08:00"], "--after and --at exclude each other"),
    (["on", "--after", "2h", "--cycles", "3"], "--after and --cycles exclude each other"),
    (["off", "--after", "2h"], "repeat off takes no --after"),
    (["off", "--reruns", "2"], "repeat off takes no --reruns"),
    (["on", "--after", "soon"], "'soon' is no duration"),
    (["on", "--after", "99999999d"], "too long"),
    (["on", "--at", "christmas"], "'christmas' is no moment"),
    (["on", "--cycles", str(10**30)], "64-bit"),
]


@pytest.mark.slow
def test_a_repeat_that_cannot_be_meant_is_told_in_one_sentence(place: Any) -> None:
    before = place.ls()
    for arguments, said in NO_REPEAT:
        assert said in sentence(place.wfe("repeat", *arguments, "A-2"))
    for option, number in (("--cycles", "-1"), ("--reruns", "many")):
        done = place.wfe("repeat", "on", option, number, "A-2")
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
    assert place.ls() == before


@pytest.mark.parametrize("verb", ["skip", "hold", "release", "cancel"])
def test_a_verb_without_a_key_or_without_a_store_exits_2(workplace: Any, verb: str) -> None:
    assert workplace.wfe(verb).returncode == 2
    assert str(workplace.store) in sentence(workplace.wfe(verb, "A-1"))
    assert not workplace.store.exists()


@pytest.mark.slow
def test_nobody_skips_what_a_living_process_works_on_nor_holds_or_cancels_it(slow: Any) -> None:
    slow.orders("A-1", "A-2")
    with slow.start("run", "orders:Slow") as process:
        slow.wait_until_inside()
        for verb in ("skip", "hold", "cancel"):
            assert slow.wfe(verb, "A-1").stderr == f"{verb}: A-1: refused: it is running\n"
        assert slow.wfe("hold", "A-2").returncode == 0
        slow.go_on()
        assert slow.ended(process)[0] == 0
    assert slow.done == ["Fetch A-1", "Wait A-1", "Send A-1"], "A-2 was read before it was held"
    assert slow.ls()["A-2"]["state"] == "held"


# --- lists of what a filter lets through


LISTED = [
    ([], ["A-1", "A-2", "A-3", "A-4"]),
    (["state:failed"], ["A-2", "A-4"]),
    (["state:failed", "customer", "key:A-4"], ["A-4"]),
    (["state:failed | state:finished"], ["A-1", "A-2", "A-4"]),
    (["--", "-state:failed", "-finished"], ["A-3"]),
    (["data.price:7", "task:Check"], ["A-2", "A-3", "A-4"]),
    (["nothing", "like", "this"], []),
]


@pytest.mark.slow
def test_ls_lists_what_a_filter_lets_through(place: Any) -> None:
    for words, keys in LISTED:
        done = place.wfe("ls", "--json", *words)
        assert (done.returncode, done.stderr) == (0, "")
        assert sorted(json.loads(line)["key"] for line in done.stdout.splitlines()) == keys, words


WRONG = [
    (["state:faild"], "there is no state 'faild'", "        ^^^^^"),
    (["key:A", "(state:failed"], "not closed", "        ^"),
    (["日本", "stat:failed"], "there is no field 'stat'", "       ^^^^"),
    (["key:/[/"], "regular expression", "      ^^^"),
    (["a\x1b[31m", "age:soon"], "duration", "             ^^^^"),
]


@pytest.mark.slow
def test_a_filter_that_cannot_be_understood_is_told_with_the_place(place: Any) -> None:
    for words, said, carets in WRONG:
        done = place.wfe("ls", *words)
        assert (done.returncode, done.stdout) == (2, "")
        told, text, where_it_is = done.stderr.splitlines()
        assert told.startswith("wfe: ")
        assert said in told
        assert text == "  " + " ".join(words).replace("\x1b", "␛")
        assert where_it_is == carets, words


# --- entries that a filter chooses


def test_without_a_terminal_nobody_can_be_asked_and_nothing_is_done(place: Any) -> None:
    before = place.ls()
    told = sentence(place.wfe("restart", "state:failed"))
    assert "2 entries" in told
    assert "--yes" in told
    assert place.ls() == before
    assert place.done == []


def test_with_yes_all_that_it_lets_through_are_meant(place: Any) -> None:
    done = place.wfe("restart", "state:failed", "--yes")
    assert done.returncode == 0
    assert done.stdout.startswith("restart: A-2\nrestart: A-4\n")
    assert place.done == ["Check A-2", "Send A-2", "Check A-4", "Send A-4"]
    with Store(place.store) as store:
        assert [action["keys"] for action in store.actions] == [["A-2", "A-4"]]


@pytest.mark.parametrize(("answer", "is_done"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False)])
def test_on_a_terminal_it_is_asked_how_many_are_meant(place: Any, answer: str, is_done: bool) -> None:
    done = on_terminal(place, answer, "hold", "state:failed", "--json")
    assert done.stderr.startswith("hold 2 entries? [y/N] ")
    assert (states(place)["A-2"] == "held") is is_done
    if is_done:
        assert done.returncode == 0
        assert [json.loads(line)["key"] for line in done.stdout.splitlines()] == ["A-2", "A-4"]
        assert not done.stdout.startswith(" "), "the question is not among the results"
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.endswith("nothing was done\n")


def test_ctrl_c_is_a_no(place: Any) -> None:
    keyboard, terminal = os.openpty()
    with place.start("cancel", "state:failed", stdin=terminal) as process:
        told = ""
        while not told.endswith("[y/N]"):
            told += process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        code, _, _ = place.ended(process)
    os.close(keyboard)
    os.close(terminal)
    assert code == 130
    assert "cancelled" not in states(place).values()


def test_keys_alone_are_never_asked_about(place: Any) -> None:
    assert place.wfe("hold", "A-2", "A-4").returncode == 0


def test_words_that_are_no_keys_are_one_filter_as_for_ls(place: Any) -> None:
    assert place.wfe("hold", "state:failed", "A-3", "data.price:7", "key:*-4", "--yes").stdout == (
        "hold: A-3\nhold: A-4\n"
    )
    assert states(place)["A-2"] == "failed"


def test_an_entry_whose_key_reads_like_a_filter_is_meant_by_it(place: Any) -> None:
    place.orders("state:failed raise", "state:", "A-2")
    place.wfe("run", "orders:Orders")
    assert place.wfe("restart", "--from-start", "state:failed", "state:").returncode == 0
    assert {line.split()[1] for line in place.done[-6:]} == {"state:failed", "state:"}
    assert states(place)["A-2"] == "failed"


def test_a_word_that_names_no_field_is_a_key_that_is_not_there(place: Any) -> None:
    words = ["nosuch", "no:such", '"state:failed"', "10:30", "/srv/state:failed"]
    done = place.wfe("hold", *words, "A-2")
    assert (done.returncode, done.stdout) == (1, "hold: A-2\n")
    for word, told in zip(words, done.stderr.splitlines(), strict=True):
        assert told.startswith(f"hold: {word}: refused: there is no entry '{word}'")


LACKING = [
    (["state:"], "there is no value behind state:"),
    (["state:failed", "key:"], "there is no value behind key:"),
    (["state:failed -task: key:A"], "there is no value behind task:"),
    (["state:faild"], "there is no state 'faild'"),
    (["state:failed", "("], "not closed"),
]


@pytest.mark.slow
def test_a_filter_that_lacks_something_chooses_nothing(place: Any) -> None:
    before = place.ls()
    for words, said in LACKING:
        done = place.wfe("cancel", *words, "--yes")
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr.splitlines()[0]
        assert len(done.stderr.splitlines()) == 3
    assert place.ls() == before


def test_a_filter_that_lets_nothing_through_is_no_failure(place: Any) -> None:
    done = place.wfe("restart", "state:failed", "key:B", "--yes")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "no entry answers to state:failed key:B\n")


@pytest.mark.slow
def test_it_chooses_entries_of_several_workflows_or_of_the_one_that_is_named(place: Any) -> None:
    place.extend(BILLS)
    (place.folder / "repaired").unlink()
    place.wfe("run", "orders:Bills")
    place.repair()
    assert "name one of them with --processor" in place.wfe("restart", "A-2").stderr
    assert place.wfe("hold", "state:failed", "--yes", "--processor", "orders:Bills").stdout == "hold: A-2\nhold: A-4\n"
    (place.folder / "done.txt").unlink()
    done = place.wfe("release", "state:held", "--yes")
    assert done.returncode == 0
    done = place.wfe("restart", "error:customer", "--yes")
    assert done.returncode == 0
    assert sorted(place.done) == sorted(f"{task} {key}" for task in ("Check", "Send") for key in ("A-2", "A-4") * 2)
    with Store(place.store) as store:
        names = [action["processor"] for action in store.actions.search(where("verb") == "restart")]
    assert sorted(names) == ["orders:Bills", "orders:Orders"]


def test_what_it_chose_is_frozen_before_anything_is_done(place: Any) -> None:
    """What fails while the first is restarted is not among them."""
    place.orders("A-0", "A-1", "A-2 raise")
    (place.folder / "repaired").unlink()
    done = place.wfe("restart", "state:failed | state:finished", "--from-start", "--yes")
    assert done.returncode == 1
    assert place.done.count("Check A-2") == 1


def test_a_group_of_errors_is_restarted_by_its_fingerprint(place: Any) -> None:
    with Store(place.store) as store:
        fingerprint = store.errors.all()[0]["fingerprint"]
    assert place.wfe("restart", f"error:{fingerprint}", "--yes").returncode == 0
    assert states(place) == {"A-1": "finished", "A-2": "finished", "A-3": "interrupted", "A-4": "finished"}


# --- a look beforehand


def test_a_dry_run_tells_what_would_become_of_each_task_and_writes_nothing(place: Any) -> None:
    with Store(place.store) as store:
        before = store.seq()
    done = place.wfe("restart", "A-1", "A-2", "A-3", "--dry-run")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "restart: A-1: refused: it is finished: restart it from the start",
        "restart: A-2: Fetch kept, Check runs again (ValueError: no customer in A-2), Send runs first",
        "restart: A-3: Fetch kept, Check runs again (the customer does not answer), Send runs first",
    ]
    assert done.stderr.splitlines() == [
        "restart would be done to 2 entries, 1 refused; tasks: 2 kept, 2 runs again, 2 runs first",
        "1× ValueError: no customer in A-4 · never restarted",
    ]
    with Store(place.store) as store:
        assert store.seq() == before
    assert place.done == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["restart", "--from-start", "A-1"], "A-1: Fetch runs again, Check runs again, Send runs again (sent for 7)"),
        (["skip", "A-3"], "A-3: Fetch kept, Check taken as done (the customer does not answer), Send runs first"),
        (["cancel", "A-2"], "A-2: Fetch kept, Check not executed, Send not executed"),
    ],
)
def test_a_dry_run_of_each_verb(place: Any, arguments: list[str], told: str) -> None:
    before = place.ls()
    done = place.wfe(*arguments, "--dry-run")
    assert (done.returncode, done.stdout) == (0, f"{arguments[0]}{' from the start' * (len(arguments) > 2)}: {told}\n")
    assert place.ls() == before


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ("again", "Fetch kept, Check runs again (its process died inside this task), Send runs first"),
        ("done", "Fetch kept, Check taken as done (its process died inside this task), Send runs first"),
    ],
)
def test_a_dry_run_of_a_decision(workplace: Any, verdict: str, told: str) -> None:
    workplace.orders("A-1 die")
    workplace.wfe("run", "orders:Orders")
    assert workplace.wfe("decide", verdict, "A-1", "--dry-run").stdout == f"decide {verdict}: A-1: {told}\n"
    assert workplace.ls()["A-1"]["state"] == "in doubt"


def test_a_dry_run_needs_no_yes_and_exits_1_if_all_are_refused(place: Any) -> None:
    assert place.wfe("restart", "state:failed", "--dry-run").returncode == 0
    done = place.wfe("skip", "state:finished", "nosuch", "--dry-run")
    assert (done.returncode, done.stdout) == (0, ""), "`nosuch` is a part of the filter"
    done = place.wfe("skip", "A-1", "nosuch", "--dry-run")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == "skip would be done to 0 entries, 2 refused\n"


def test_a_dry_run_for_programs_is_one_object_an_entry(place: Any) -> None:
    done = place.wfe("restart", "A-2", "A-1", "nosuch", "--dry-run", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert first == {
        "key": "A-2", "processor": "orders:Orders", "verb": "restart", "accepted": True, "why": None,
        "tasks": [
            {"task": "Fetch", "fate": "kept", "last": ""},
            {"task": "Check", "fate": "runs again", "last": "ValueError: no customer in A-2"},
            {"task": "Send", "fate": "runs first", "last": ""},
        ],
    }  # fmt: skip
    assert (second["accepted"], second["why"]) == (False, "it is finished: restart it from the start")
    assert (third["processor"], third["accepted"], third["tasks"]) == (None, False, [])


def test_what_errors_say_is_shown_literally_beforehand(workplace: Any) -> None:
    workplace.orders("A\x1b[31m-1 raise")
    workplace.wfe("run", "orders:Orders")
    told = workplace.wfe("restart", "state:failed", "--dry-run").stdout
    assert "\x1b" not in told
    assert "A␛[31m-1" in told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_who_may_only_read_a_store_may_look_what_would_be_done(place: Any) -> None:
    for path in (place.store, place.folder):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        assert place.wfe("restart", "state:failed", "--dry-run").returncode == 0
    finally:
        place.folder.chmod(0o755)


# --- the line that is shown with an act does the same


FUTURE = datetime(2126, 12, 24, 7, tzinfo=UTC)
SECOND_HALF_PAST_TWO = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
"""Of that night in Berlin, in which the hour comes twice."""

EVERY_VERB: list[Verb] = [
    *VERBS, SetRepeat(True, 4), SetRepeat(RepeatAfterTime(days=1, hours=2)), SetRepeat(RepeatAfterTime(minutes=5), 3),
    SetRepeat(RepeatAfterDatetime(date_time=FUTURE)), SetRepeat(RepeatAfterDatetime(date_time=SECOND_HALF_PAST_TWO), 2),
    SetRepeat(RepeatAfterCycle(after_cycle=3)), SetRepeat(RepeatAfterCycle(after_cycle=0), 0),
]  # fmt: skip
LINES = [(verb, "die" if verb.only is State.IN_DOUBT else "raise") for verb in EVERY_VERB]


@pytest.mark.slow
@pytest.mark.parametrize(("verb", "fate"), LINES, ids=[" ".join(verb.words) for verb, _ in LINES])
def test_the_line_of_an_act_does_the_same_when_a_shell_runs_it(
    workplace: Any, tmp_path: Path, zone: Callable[[str], None], verb: Verb, fate: str
) -> None:
    zone("Europe/Berlin")
    keys = ["-x", "it's$HOME"] if fate == "raise" else ["it's$HOME"]
    workplace.orders(*(f"{key} {fate}" for key in keys))
    workplace.wfe("run", "orders:Orders")
    workplace.repair()
    (tmp_path / "wfe").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m engine "$@"\n')
    (tmp_path / "wfe").chmod(0o755)
    with Store(workplace.store) as store:
        if isinstance(verb, Release):
            act(Hold(), keys, store=store)
        line = shell_line(verb.words, keys, store, "orders:Orders", "as the customer's desk said")
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        line, shell=True, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PATH": path, "WFE_STORE": ""},
    )  # fmt: skip
    assert done.returncode == 0, (line, done.stderr)
    assert done.stdout.splitlines()[: len(keys)] == [f"{verb.name}: {key}" for key in keys]
    with Store(workplace.store) as store:
        action = store.actions.all()[-1]
        (newest, *_) = [
            TaskExecution.model_validate(each)
            for each in reversed(store.entries.search(where("key") == keys[-1])[0]["executions"])
        ]
    assert (action["verb"], action["keys"]) == (verb.name, keys)
    assert action["why"] == "as the customer's desk said"
    if isinstance(verb, SetRepeat):
        assert newest.status is not None
        assert newest.status.repeat == _as_written(verb.repeat)
        assert newest.status.max_reruns == verb.max_reruns


def _as_written(repeat: Any) -> Any:
    """A time is written in one unit."""
    if isinstance(repeat, RepeatAfterTime):
        return RepeatAfterTime(seconds=int(repeat.get_timedelta().total_seconds()))
    return repeat
