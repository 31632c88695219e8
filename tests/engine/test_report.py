"""What has happened since an operator looked, and what waits: found by query, told as Markdown, obeyed by nobody."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from desk import Desk, breaks
from markdown_it import MarkdownIt
from tinydb import where
from waiting import until

from engine import Store
from engine.groups import Dealt, GroupState, Word
from engine.groups.states import Closed
from engine.lookup.history import ActionRow
from engine.operations import note, pause, resolve, snooze, undo
from engine.pausing import Pause
from engine.report.figures import Figures
from engine.report.markdown import markdown
from engine.report.since import MOST, GroupNews, Report, Some, report
from engine.report.stuck import FEWEST, Stuck
from engine.report.words import sections
from engine.state import State
from engine.verdicts import Verdict

EVENING = datetime(2026, 11, 23, 22, tzinfo=UTC)
NIGHT, MORNING = EVENING + timedelta(hours=4, minutes=15), EVENING + timedelta(hours=10)
ME, ANNA = "me@host", "anna@host"


def fails(message: str) -> Callable[[Any], None]:
    """Each message is a cause of its own: the exception is of another type."""
    kind = type(f"No{message.title()}", (ValueError,), {})

    def check(entry: Any) -> None:
        raise kind(f"no {message} in {entry.key}")

    return check


def told(desk: Desk, **ago: float) -> Report:
    """What has happened on the desk since so long ago, for me."""
    return report(desk.store, desk.clock() - timedelta(**ago), desk.clock(), ME)


def lines(found: Report) -> dict[str, list[str]]:
    """The lines, by the titles of their sections."""
    return {section.title: ["".join(line.parts) for line in section.lines] for section in sections(found)}


def cause(desk: Desk, kind: str) -> str:
    [fingerprint] = {error["fingerprint"] for error in desk.store.errors if error["type"].endswith(kind)}
    return str(fingerprint)


# --- what is found


def test_errors_are_new_if_they_were_seen_first_since_and_not_only_again(desk: Desk) -> None:
    desk.run(fails("customer"))
    desk.clock.turn(hours=9)
    desk.entries.append({"key": "A-3"})
    desk.run(fails("customer"))
    desk.entries.append({"key": "A-4"})
    desk.run(fails("carrier"))
    found = told(desk, hours=8)
    assert [group.type.rpartition(".")[2] for group in found.new.shown] == ["NoCarrier"]
    assert (found.errors, found.dealt.failures, found.dealt.left) == (2, 4, 4)
    assert [group.failing for group in told(desk, hours=12).new.shown] == [3, 1]
    assert not report(desk.store, desk.clock(), desk.clock()).has_news


def test_each_group_is_told_once_as_it_stands_now(desk: Desk, zone: Any) -> None:
    zone("UTC")
    for number, message in enumerate(("customer", "carrier", "parcel", "street")):
        desk.entries = [{"key": f"{message}-{number}"}]
        desk.run(fails(message))
    desk.clock.turn(hours=2)
    by = {"store": desk.store, "who": ANNA, "clock": desk.clock}
    resolve([cause(desk, "NoCustomer"), cause(desk, "NoParcel")], why="it is back", **by)  # type: ignore[arg-type]
    snooze([cause(desk, "NoCarrier")], more=3, why="known", **by)  # type: ignore[arg-type]
    desk.clock.turn(minutes=5)
    desk.restart("parcel-2")
    desk.take(fails("parcel"))
    found = lines(told(desk, hours=1))
    resolved = f"{cause(desk, 'NoCustomer')} NoCustomer: no customer in customer-0; "
    assert found["Resolved errors (1)"] == [f"{resolved}resolved by anna@host at 14:00: it is back"]
    [snoozed] = found["Snoozed errors (1)"]
    assert snoozed.endswith("; snoozed by anna@host until it is seen 3 times more: known, 1 entry fails of it now")
    [regressed] = found["Regressed errors (1)"]
    assert "in Check; came back at 14:05, 1 entry fails of it now; it was resolved by anna@host at 14:00" in regressed
    assert "New errors (1)" not in found
    assert "New errors (1)" in lines(told(desk, hours=3))
    desk.clock.turn(hours=2)
    assert "Regressed errors (1)" not in lines(told(desk, hours=1))  # that is no news any more
    assert "New errors (1)" in lines(told(desk, days=1))


def test_acts_of_others_are_told_with_who_why_and_verdicts_and_own_ones_apart(desk: Desk, zone: Any) -> None:
    zone("UTC")
    desk.run(fails("customer"))
    desk.entries = [{"key": "A-3"}]
    desk.run()
    desk.restart("A-1", "A-3", who=ANNA, why="customer added")
    desk.take()
    desk.clock.turn(minutes=1)
    desk.restart("A-2", who=ME)
    note(cause(desk, "NoCustomer"), "ask anna", store=desk.store, who=ME, clock=desk.clock)
    found = lines(told(desk, hours=1))
    assert found["Done by others (1)"] == [
        "restart on 1 entry, refused on 1 (action 1) by anna@host at 12:00: customer added; 1 fixed"
    ]
    assert found["Done by me@host (2)"] == [
        f"note on {cause(desk, 'NoCustomer')} (action 3) at 12:01",
        "restart on 1 entry (action 2) at 12:01; 1 waiting",
    ]
    assert found["Open actions (1)"] == ["restart on 1 entry (action 2) by me@host at 12:01; 1 entry waits"]
    undo(2, store=desk.store, who=ANNA, clock=desk.clock)
    found = lines(told(desk, hours=1))
    assert any("undone by 4" in line for line in found["Done by me@host (2)"])
    assert "Open actions (1)" not in found
    assert "Done (4)" in lines(
        report(desk.store, EVENING - timedelta(days=9), desk.clock())
    )  # for nobody in particular


def test_runs_that_died_and_processors_that_are_paused_are_told(desk: Desk, zone: Any) -> None:
    zone("UTC")
    desk.run()
    desk.clock.turn(hours=3)
    desk.entries.append({"key": "A-3"})
    desk.crash()
    pause("Orders", store=desk.store, who=ANNA, why="inventory", clock=desk.clock)
    found = lines(told(desk, hours=1))
    [bad] = found["Runs (1, 1 ended badly)"]
    assert bad.startswith("run 2 of desk:Orders ")
    assert found["Paused processors (1)"] == ["desk:Orders is paused by anna@host since 15:00: inventory"]
    assert "Runs (2, 1 ended badly)" in lines(told(desk, hours=4))


@pytest.mark.parametrize("known", [FEWEST - 1, FEWEST])
def test_an_entry_is_stuck_that_is_in_a_task_for_longer_than_the_p95_of_enough_executions(
    desk: Desk, known: int
) -> None:
    desk.entries = [{"key": f"A-{number}"} for number in range(known)]
    desk.run()
    found: list[Report] = []

    def check(entry: Any) -> None:
        until(lambda: desk.store.entries.search((where("state") == State.RUNNING) & (where("task") == "Check")))
        found.append(told(desk, hours=1))
        desk.clock.turn(minutes=25)
        found.append(told(desk, hours=1))

    desk.entries = [{"key": "S-1"}]
    desk.run(check)
    before, after = found
    assert before.stuck.count == 0
    assert [(stuck.key, stuck.task, stuck.seconds) for stuck in after.stuck.shown] == (
        [("S-1", "Check", 1500.0)] if known >= FEWEST else []
    )
    assert after.has_news == (known >= FEWEST)


def test_of_very_many_only_the_first_are_told_and_how_many_there_are_beside(desk: Desk) -> None:
    desk.entries = [{"key": f"A-{number}"} for number in range(MOST + 5)]
    desk.run(lambda entry: fails(entry.key.replace("-", ""))(entry))
    found = told(desk, hours=1)
    assert (len(found.new.shown), found.new.count) == (MOST, MOST + 5)
    assert "- … and 5 more\n" in markdown(found, Figures())


def test_where_nothing_has_happened_one_sentence_says_so(desk: Desk) -> None:
    found = report(desk.store, desk.clock(), desk.clock(), ME)
    assert not found.has_news
    assert markdown(found, Figures()).endswith(
        "\n\n✓ nothing fails. Nothing has happened since, and nothing is awaited.\n"
    )


# --- Markdown


def plain(text: str) -> tuple[list[str], list[str]]:
    """What a reader of Markdown makes of a text: the kinds of pieces that it finds, and what it shows."""
    kinds, shown = [], []
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(text):
        kinds.append(token.type)
        for child in token.children or ():
            kinds.append(child.type)
            shown.append(child.content)
    return kinds, ["".join(shown)]


def full(text: Callable[[], str], path: Path) -> Report:
    """A report with something of every kind, in which all that comes from outside is such a text."""
    word = Word(closed=Closed(text(), NIGHT, text()))
    group = GroupNews(f"v1:{text()}", text(), text(), text(), word, NIGHT, NIGHT, NIGHT, 3, 2)
    act = ActionRow(12, text(), text(), NIGHT, text(), text(), 3, 1, {Verdict.WAITING: 2}, "open", None)
    stuck = Stuck(text(), text(), text(), 2, 1500.0, 12.0, 40.0, 200)
    return Report(
        path, EVENING, MORNING, text(), 3, Dealt(),
        new=Some([group], 1), regressed=Some([group], 1), resolved=Some([group], 1), stuck=Some([stuck], 1),
        acts=Some([act, replace(act, keys=0, groups=[text()])], 2), own=Some([replace(act, keys=0)], 1),
        open=Some([act], 1), pauses=[Pause(text(), text(), NIGHT, text())],
    )  # fmt: skip


def test_the_report_as_it_is_handed_over(zone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    zone("Europe/Berlin")
    monkeypatch.setenv("WFE_STORE", "/elsewhere.db")
    group = GroupNews(
        "v1:9f2a11c0ffee", "builtins.ValueError", "no customer in A-3", "Check", Word(), NIGHT, NIGHT, None, 5, 3
    )
    act = ActionRow(
        12, "restart", "anna@host", NIGHT, "it's *back*", "orders:Orders", 12, 0,
        {Verdict.FIXED: 10, Verdict.SAME_ERROR: 2}, "done", None,
    )  # fmt: skip
    stuck = Stuck("S-1", "orders:Orders", "Send", 2, 1500.0, 12.0, 40.0, 200)
    found = Report(
        Path("/srv/orders.db"), EVENING, MORNING, ME, 5, Dealt(3, 3, Counter({GroupState.NEW: 1})),
        new=Some([group], 1), stuck=Some([stuck], 1), acts=Some([act], 1),
    )  # fmt: skip
    assert (
        markdown(found, Figures())
        == """\
# Since 2026-11-23 23:00

`/srv/orders.db` from 2026-11-23 23:00:00 to 2026-11-24 09:00:00; times are local, UTC+01:00.

✗ 3 of 3 failures are not dealt with: 1 cause (1 new); 5 errors since.

## New errors (1)

- `v1:9f2a11c0ffee` ValueError: no customer in A-3 in `Check`; seen 5 times, first at 03:15, 3 entries fail of it now

See `wfe errors --store /srv/orders.db` or `wfe-tui --store /srv/orders.db errors/v1:9f2a11c0ffee`.

## In a task for longer than usual (1)

- `S-1` is in `Send`, attempt 2, for 25m; usual are 12s, 95 of 100 end within 40s

See `wfe ls state:running --store /srv/orders.db` or `wfe-tui --store /srv/orders.db entries/S-1`.

## Done by others (1)

- `restart` on 12 entries (action 12) by anna@host at 03:15: it's \\*back\\*; 10 fixed, 2 same error

See `wfe actions --store /srv/orders.db` or `wfe-tui --store /srv/orders.db actions/12`.
"""
    )


def test_in_the_night_in_which_the_clocks_are_turned_both_offsets_are_said(zone: Any) -> None:
    zone("Europe/Berlin")
    since = datetime(2026, 10, 24, 20, tzinfo=UTC)
    said = markdown(Report(Path("/srv/wfe.db"), since, since + timedelta(hours=12)), Figures())
    assert "from 2026-10-24 22:00:00 to 2026-10-25 09:00:00; times are local, UTC+02:00, then UTC+01:00." in said


PIECES = [
    "[link](http://x)", "![i](x)", "<b>", "<script>", "**bold**", "_it_", "`", "``", "```", "\n# head", "\n\n- item",
    "|", "\\", "\\`", "&lt;", "~~x~~", "\x1b[31m", "\u202e", "$x$", "<http://x>", "#", "* x", "1. x", "[x]: http://x",
    " ", "", "https://x.y", "a" * 300,
]  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_nothing_from_outside_is_obeyed_as_markdown_or_by_a_terminal(seed: int) -> None:
    chance = random.Random(seed)
    said = markdown(
        full(lambda: "".join(chance.choices(PIECES, k=chance.randint(1, 5))), Path(f"/srv/`{seed}.db")), Figures()
    )
    quiet = markdown(full(lambda: "quiet", Path("/srv/quiet.db")), Figures())
    assert set(plain(said)[0]) <= {*plain(quiet)[0], "text_special", "softbreak"}
    assert plain(said)[0].count("heading_open") == plain(quiet)[0].count("heading_open")
    assert plain(said)[0].count("list_item_open") == plain(quiet)[0].count("list_item_open")
    assert all(letter.isprintable() or letter == "\n" for letter in said)


def test_what_was_said_is_read_as_it_was_said() -> None:
    text = "a `b` *c* [d](e) <f> _g_ \\h"
    _, [shown] = plain(markdown(full(lambda: text, Path("/srv/wfe.db")), Figures()))
    assert shown.count(f"{text} in {text}") >= 2


# --- the shell


@pytest.mark.slow
def test_wfe_report_writes_markdown_or_json_and_refuses_what_is_no_moment(workplace: Any) -> None:
    workplace.orders("A-1", "A-2 raise")
    assert workplace.wfe("run", "orders:Orders").returncode == 1
    done = workplace.wfe("report", "--since", "1h", TZ="UTC")
    assert done.returncode == 0
    assert done.stdout.startswith("# Since ")
    assert "; times are local, UTC+00:00." in done.stdout
    assert "\n## New errors (1)\n\n- `v1:" in done.stdout
    assert "ValueError: no customer in A-2 in `Check`; seen once" in done.stdout
    assert "See `wfe errors` or `wfe-tui errors/v1:" in done.stdout
    found = orjson.loads(workplace.wfe("report", "--json").stdout)
    assert (found["errors"], found["failing"], found["new"]["count"], found["runs"]["count"]) == (1, 1, 1, 1)
    for wrong in ("yesterday", "25:00", "2999-01-01 08:00"):
        refused = workplace.wfe("report", "--since", wrong)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith("wfe: ")


def test_a_store_that_may_only_be_read_is_told_of_too(desk: Desk) -> None:
    desk.run(breaks)
    with Store(desk.store.path, read_only=True) as store:
        assert report(store, desk.clock() - timedelta(hours=1), desk.clock()).new.count == 1
