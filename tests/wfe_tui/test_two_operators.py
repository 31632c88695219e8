"""Two operators on one store: what the other did is marked with who, and told where it is about what was chosen."""

from array import array
from datetime import timedelta
from typing import Any

import pytest
from tinydb import where

from engine.clock import utc_now
from engine.operations import Hold, Release, act, pause, resume, undo
from engine.store import Store
from wfe_tui.others import Others, OthersAction, read_others, touched


@pytest.fixture
def bob(place: Any) -> Any:
    """Bob at his shell, in which he has opened the store."""

    class Bob:
        store = Store(place.store)

        def does(self, verb: Any, *keys: str, why: str | None = None, **given: Any) -> None:
            act(verb, keys, store=self.store, processor="orders:Orders", who="bob@host", why=why, **given)

    with Bob.store:
        yield Bob()


# --- marked with who


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
@pytest.mark.slow
async def test_a_row_that_somebody_else_changed_is_marked_with_who(
    console: Any, place: Any, size: tuple[int, int]
) -> None:
    async with console(place.store, size=size) as operator:
        await operator.go_to("A-2")
        place.wfe("hold", "A-2", "A-7", "--why", "customs", LOGNAME="bob")
        await operator.sees("⇄ A-2", "⇄ A-7")
        await operator.sees_of("A-2", "bob@")
        await operator.sees_of("A-7", "bob@")
        assert not any(f"⇄ {key}" in operator.screen for key in ("A-1", "A-3", "A-4", "A-5", "A-6", "A-8"))
        await operator.sees("⇄ hold by bob@", ": customs")
        await operator.press("enter")
        await operator.sees("⇄ hold by bob@", "ago: customs")
        await operator.press("end")
        await operator.sees("Actions, newest first", ": customs  action 1")
        assert operator.notices == []


async def test_in_ascii_the_mark_is_there_too(console: Any, place: Any, bob: Any) -> None:
    from wfe_tui.config import Config

    async with console(place.store, config=Config(ascii=True)) as operator:
        await operator.go_to("A-2")
        bob.does(Hold(), "A-2")
        await operator.sees("& A-2", "bob@host hold", "& hold by bob@host")


async def test_what_is_done_here_is_not_marked_and_takes_the_mark_away(console: Any, place: Any, bob: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-3")
        await operator.press("H")
        await operator.hears("hold: 1 entry")
        bob.does(Hold(), "A-2", "A-6")
        await operator.sees("⇄ A-2", "⇄ A-6")
        assert "⇄ A-3" not in operator.screen
        await operator.go_to("A-2")
        await operator.press("L")
        await operator.hears("release: 1 entry")
        await operator.no_longer_sees("⇄ A-2")
        await operator.sees("⇄ A-6")


async def test_two_consoles_of_one_user_see_one_anothers_acts(console: Any, place: Any) -> None:
    async with console(place.store) as one, console(place.store) as two:
        await one.go_to("A-3")
        await two.go_to("A-3")
        await one.press("H")
        await one.hears("hold: 1 entry")
        await two.sees("⇄ A-3")
        assert "⇄" not in one.screen
        await two.press("L")
        await two.hears("release: 1 entry")
        await one.sees("⇄ A-3", "⇄ release by")
        assert "⇄" not in two.screen


async def test_what_an_engine_does_to_an_entry_is_nobodys_act(console: Any, place: Any, bob: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-4")
        place.repair()
        assert place.wfe("repeat", "on", "A-6", LOGNAME="anna").returncode == 0
        await operator.sees("⇄ A-6")
        place.wfe("run", "orders:Orders", "A-3", "A-6")
        await operator.sees_of("A-6", "✓ finished")
        bob.does(Hold(), "A-4")
        await operator.sees("⇄ A-4", "⇄ A-6")
        assert "⇄ A-3" not in operator.screen


async def test_an_undo_by_somebody_else_is_his_act_as_well(console: Any, place: Any, bob: Any) -> None:
    bob.does(Hold(), "A-2", "A-3")
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.sees_of("A-2", "held")
        assert "⇄" not in operator.screen
        undo(store=bob.store, who="bob@host")
        await operator.sees("⇄ A-2", "⇄ A-3", "bob@host undo")


async def test_the_mark_goes_a_minute_after_the_next_key_and_not_while_nobody_is_there(
    console: Any, place: Any, bob: Any, clock: Any
) -> None:
    async with console(place.store, clock=clock) as operator:
        await operator.go_to("A-2")
        bob.does(Hold(), "A-2", "A-5", why="customs", clock=clock)
        await operator.sees("⇄ A-2", "now: customs")
        clock.turn(hours=1)
        await operator.sees("1h ago: customs")
        await operator.press("j", "k")
        clock.turn(seconds=59)
        operator.app._time_passed()
        await operator.sees("⇄ A-2")
        clock.turn(seconds=2)
        await operator.no_longer_sees("⇄")


async def test_in_the_past_nobody_has_just_done_anything(console: Any, place: Any, bob: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        bob.does(Hold(), "A-2")
        await operator.sees("⇄ A-2")
        operator.app.travel(utc_now() - timedelta(seconds=1))
        await operator.hears("as it was at")
        await operator.until(lambda: "A-8" in operator.screen and "⇄" not in operator.screen)
        operator.app.travel(None)
        await operator.hears("as it is now")
        bob.does(Hold(), "A-3")
        await operator.sees("⇄ A-3")


# --- what was chosen


async def test_when_somebody_else_changes_marked_entries_it_is_said_once_and_which(
    console: Any, place: Any, bob: Any
) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.go_to("A-2")
        await operator.press("space", "space", "space")
        await operator.sees("● 3 marked")
        bob.does(Hold(), "A-3", "A-4", "A-7", why="customs")
        await operator.hears("bob@host: hold: 2 of your 3 marked entries; the filter action:1 shows them\nwhy: customs")
        await operator.sees("●⇄A-3", "●⇄A-4", "⇄ A-7")
        bob.does(Release(), "A-7")
        await operator.sees_of("A-7", "bob@host release")
        assert len(operator.notices) <= 1
        await operator.press("R")
        await operator.sees(
            "Restart: 3 entries?", "marked · ⇄ 2 of these were changed: hold by bob@host, ", ": customs"
        )
        await operator.press("n", "slash", *"action:1", "enter")
        await operator.sees("3 entries", "A-3", "A-4", "A-7")


async def test_marks_are_told_of_on_another_screen_too(console: Any, place: Any, bob: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.press("space", "4")
        await operator.sees("wfe  actions")
        bob.does(Hold(), "A-2")
        await operator.hears("bob@host: hold: 1 of your 1 marked entries")


async def test_an_act_on_many_entries_is_told_once_when_it_is_through(console: Any, place: Any, bob: Any) -> None:
    done = dict(bob.store.entries.get(where("key") == "A-2"))
    bob.store.entries.insert_multiple({**done, "key": f"B-{number:04}"} for number in range(1_200))
    async with console(place.store) as operator:
        await operator.sees("1208 entries")
        await operator.press("slash", *"key:B-*", "enter", "a")
        await operator.sees("● 1200 marked")
        bob.does(Hold(), *(f"B-{number:04}" for number in range(1_100)))
        await operator.hears("bob@host: hold: 1100 of your 1200 marked entries")
        assert len(operator.notices) <= 1
        await operator.press("G")
        await operator.sees("● B-1199")


# --- what is looked at


async def test_a_pause_by_somebody_else_is_said_once(console: Any, place: Any, bob: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("8 entries")
        pause("Orders", store=bob.store, who="bob@host", why="carrier down")
        await operator.hears("bob@host: pause: orders:Orders\nwhy: carrier down")
        resume("Orders", store=bob.store, who="bob@host")
        await operator.hears("bob@host: resume: orders:Orders")
        assert len(operator.notices) <= 2
        await operator.press("P", "y")
        await operator.hears("pause: orders:Orders\n$ wfe pause")
        assert len(operator.notices) <= 3


async def test_an_act_on_the_entry_that_is_looked_at_is_said(console: Any, place: Any, bob: Any) -> None:
    async with console(place.store) as operator:
        await operator.go_to("A-2")
        await operator.press("enter")
        await operator.sees("nothing by itself")
        bob.does(Hold(), "A-3")
        bob.does(Hold(), "A-2", why="customs")
        await operator.hears("bob@host: hold: A-2\nwhy: customs")
        await operator.sees("⇄ hold by bob@host, ", ": customs")
        assert len(operator.notices) <= 1


async def test_an_act_on_entries_that_fail_of_the_error_that_is_looked_at_is_said(
    console: Any, place: Any, bob: Any
) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.sees("8 entries")
        await operator.press("2")
        await operator.sees("1 cause")
        bob.does(Hold(), "A-2", "A-6", "A-1")
        await operator.hears("bob@host: hold: 2 entries failing of v1:")
        await operator.press("enter")
        await operator.sees("seen 3 times")
        bob.does(Release(), "A-2")
        await operator.hears("bob@host: release: 1 entry failing of v1:")


# --- a conflicting act


async def test_an_act_on_a_row_that_another_has_changed_meanwhile_is_refused_with_the_difference(
    console: Any, place: Any, bob: Any
) -> None:
    async with console(place.store, size=(160, 40)) as operator:
        await operator.go_to("A-2")
        await operator.press("p")
        await operator.sees("standing still")
        bob.does(Hold(), "A-2", why="customs")
        await operator.sees("⇄ A-2")
        await operator.press("T")
        await operator.hears(
            "A-2: it has changed since you looked: it was failed at Check, attempt 1, it is held at Check, attempt 1, "
            "hold by bob@host: customs"
        )
        await operator.press("p")
        await operator.sees_of("A-2", "held")
        await operator.press("L")
        await operator.hears("release: 1 entry")


async def test_of_marked_entries_those_are_refused_that_another_changed_while_it_was_asked(
    console: Any, place: Any, bob: Any
) -> None:
    async with console(place.store, size=(160, 40)) as operator:
        await operator.go_to("A-2")
        await operator.press("space", "space", "space", "H")
        await operator.sees("Hold: 3 entries?", "3 would be done")
        bob.does(Hold(), "A-3", why="customs")
        await operator.hears("bob@host: hold: 1 of your 3 marked entries")
        await operator.press("y")
        await operator.hears("A-3: it has changed since you looked: it was interrupted at Check, attempt 1, it is held")
        await operator.hears("hold by bob@host: customs")
        await operator.sees("● 1 marked")
        await operator.until(lambda: all("held" in operator.line(key) for key in ("A-2", "A-4")))


# --- who else is here


async def test_the_first_line_says_who_else_is_at_a_console(
    console: Any, place: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "anna")
    async with console(place.store) as operator:
        await operator.sees("8 entries")
        assert "also" not in operator.lines[0]
        bob.store.introduce("bob@host")
        await operator.until(lambda: "also bob@host" in operator.lines[0])
        await operator.press("2")
        await operator.until(lambda: "wfe  errors" in operator.screen and "also bob@host" in operator.lines[0])
        async with console(place.store) as second:
            await second.until(lambda: "also 2 consoles" in second.lines[0])
            await operator.until(lambda: "also 2 consoles" in operator.lines[0])
        await operator.until(lambda: "also bob@host" in operator.lines[0])
        bob.store.close()
        await operator.until(lambda: "also" not in operator.lines[0])


async def test_who_only_reads_is_not_named_and_sees_the_others(console: Any, place: Any, bob: Any) -> None:
    bob.store.introduce("bob@host")
    async with console(place.store, read_only=True) as operator:
        await operator.until(lambda: "also bob@host" in operator.lines[0])
        assert bob.store.introduced() == []


# --- without a screen


def test_no_more_than_the_ids_of_an_action_are_kept_and_only_of_those_that_are_news(bob: Any) -> None:
    others = Others()
    since = bob.store.seq()
    with Store(bob.store.path) as mine:
        bob.does(Hold(), "A-2", "A-6")
        act(Hold(), ["A-3"], store=mine)
        assert others.changed(mine.changes(since))
        asked = frozenset(others.pending)
        assert asked == {1, 2}
        [told] = others.take(asked, read_others(mine, asked))
        ids = {row["key"]: row.doc_id for row in mine.entries.all()}
        assert list(told.entries) == sorted([ids["A-2"], ids["A-6"]])
        assert [key for key, number in ids.items() if number in others] == ["A-2", "A-6"]
        assert not others.pending
        mine.actions.update({"open": True}, doc_ids=[1])
        assert not others.changed(mine.changes(since))
        others.answered([ids["A-2"]])
        assert [key for key, number in ids.items() if number in others] == ["A-6"]


def test_what_was_seen_for_a_minute_is_forgotten_but_for_what_is_marked(bob: Any, clock: Any) -> None:
    others, since = Others(), bob.store.seq()
    with Store(bob.store.path) as mine:
        bob.does(Hold(), "A-2", "A-6")
        bob.does(Hold(), "A-7")
        others.changed(mine.changes(since))
        others.take({1, 2}, read_others(mine, {1, 2}))
    ids = {row["key"]: row.doc_id for row in bob.store.entries.all()}
    assert list(others.among(set(ids.values())).values()) == [2, 1]
    clock.turn(hours=1)
    assert not others.fade(clock(), set()), "nobody was there"
    others.looked_at(clock())
    clock.turn(seconds=61)
    others.looked_at(clock())
    assert others.fade(clock(), {ids["A-6"]})
    assert [key for key, number in ids.items() if number in others] == ["A-2", "A-6"]
    assert others.fade(clock(), set())
    assert not any(number in others for number in ids.values())


def test_an_action_on_very_many_entries_is_looked_up_by_the_fewer_ones() -> None:
    ids = range(0, 200_000, 2)
    action = OthersAction(1, "hold", "bob@host", utc_now(), None, "orders:Orders", entries=array("q", ids))
    assert 100 in action
    assert 101 not in action
    assert 200_001 not in action
    assert sorted(touched(action, {1, 2, 3, 4})) == [2, 4]
    assert len(touched(action, set(range(100_000)))) == 50_000
