"""Since you last looked: the console begins with what has happened, and is out of the way at the next key."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.clock import utc_now
from engine.store import Store
from wfe_tui.looking import AWAY, Look
from wfe_tui.memory import Memory, OfStore
from wfe_tui.routes import Route
from wfe_tui.screens.report import Lines, ReportScreen

PACKS = """

class Pack(Task):
    def process_entry(self, entry, dry_run=False):
        raise KeyError(f"no box for {entry.key}")


class Packs(Orders):
    def get_tasks(self):
        return [Fetch(self), Pack(self)]
"""


def remember(memory: Path, store: Path, looked: datetime) -> None:
    """The console was used last at this moment."""

    def keep(known: OfStore) -> None:
        known.looked = looked

    Memory(memory).keep(store, keep)


def known(memory: Path, store: Path) -> OfStore:
    return Memory(memory).of(store)


def titles(operator: Any) -> list[str]:
    """The titles of what is told."""
    screen = operator.app.screen
    assert isinstance(screen, ReportScreen)
    prompts = [option.prompt for option in screen.query_one(Lines).options]
    return [prompt.plain.strip() for prompt in prompts if hasattr(prompt, "plain")]


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "memory" / "console.json"


@pytest.fixture
def evening(place: Any, memory: Path) -> Path:
    """The store in which the orders ran since the operator looked last."""
    remember(memory, place.store, utc_now() - timedelta(hours=9))
    path: Path = place.store
    return path


# --- looks


def test_a_look_goes_on_after_a_short_break_and_ends_by_a_long_one(clock: Any) -> None:
    first = Look(clock())
    clock.turn(minutes=9)
    later = first.used(clock())
    assert later == Look(clock(), None)
    clock.turn(hours=8)
    morning = later.used(clock())
    assert morning == Look(clock(), later.last)
    clock.turn(seconds=AWAY.total_seconds())
    assert morning.used(clock()).before == later.last


async def test_when_the_console_was_used_is_remembered_while_it_is_and_when_it_is_left(
    console: Any, place: Any, memory: Path, clock: Any
) -> None:
    opened = clock()
    async with console(place.store, clock=clock, memory=memory) as operator:
        await operator.sees("8 entries")
        clock.turn(minutes=2)
        await operator.press("j")  # a crash from here on forgets less than a minute
        await operator.until(lambda: known(memory, place.store).looked == clock())
        clock.turn(seconds=20)
        await operator.press("j")
        left = clock()
        clock.turn(hours=1)  # nobody looks
    assert known(memory, place.store).looked == left
    async with console(place.store, clock=lambda: opened, memory=memory):
        pass
    assert known(memory, place.store).looked == left  # of two consoles, the one that was used later


# --- on opening


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
@pytest.mark.parametrize(
    ("key", "place_"),
    [("1", "entries"), ("2", "errors"), ("3", "runs"), ("4", "actions"), ("enter", "entries"), ("escape", "entries")],
)
async def test_the_console_begins_with_what_has_happened_and_any_key_leads_on(
    console: Any, evening: Path, memory: Path, size: tuple[int, int], key: str, place_: str
) -> None:
    async with console(evening, size=size, memory=memory) as operator:
        await operator.sees("wfe  report", "9h ago", "New errors (1)", "ValueError: no customer in", "Runs (1)")
        await operator.press(key)
        await operator.sees(f"wfe  {place_}")


@pytest.mark.parametrize(
    ("ago", "given"),
    [
        (None, {}),  # the first look ever
        (timedelta(minutes=5), {}),
        (timedelta(hours=9), {"route": Route("entries")}),
        (timedelta(hours=9), {"route": Route("runs", "1")}),
    ],
)
async def test_nothing_is_told_at_the_first_look_or_soon_after_one_or_on_the_way_to_a_place(
    console: Any, place: Any, memory: Path, ago: timedelta | None, given: dict[str, Any]
) -> None:
    if ago is not None:
        remember(memory, place.store, utc_now() - ago)
    async with console(place.store, size=(160, 48), memory=memory, **given) as operator:
        await operator.sees(f"wfe  {given.get('route', 'entries')}")
        await operator.idle()
        assert "New errors" not in operator.screen
        await operator.press("b")
        await operator.sees("wfe  report", "New errors (1)" if ago != timedelta(minutes=5) else "12h ago")


async def test_where_nothing_has_happened_since_nothing_is_told(console: Any, place: Any, memory: Path) -> None:
    remember(memory, place.store, utc_now())
    async with console(place.store, memory=memory, clock=lambda: utc_now() + timedelta(hours=8)) as operator:
        await operator.sees("wfe  entries", "8 entries")
        await operator.idle()
        await operator.press("b")
        await operator.sees("wfe  report", "8h ago", "Nothing has happened since, and nothing is awaited.")


# --- the report


async def test_a_line_is_opened_and_the_report_come_back_to(console: Any, evening: Path, memory: Path) -> None:
    async with console(evening, size=(160, 48), memory=memory) as operator:
        await operator.sees("New errors (1)")
        await operator.press("j", "enter")
        await operator.sees("wfe  errors/v1:", "seen 3 times")
        await operator.press("less_than_sign")
        await operator.sees("New errors (1)")
        await operator.press("4", "b")
        await operator.sees("New errors (1)")


async def test_from_when_on_is_told_may_be_said_in_the_path(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 48), route=Route("report", filter="3d")) as operator:
        await operator.sees("wfe  report?3d", "3d ago", "New errors (1)")
        operator.app.go(Route("report", filter="tomorrow"))
        await operator.hears("'tomorrow' is no moment")


async def test_it_is_written_into_a_new_file_and_copied_as_markdown(
    console: Any, evening: Path, memory: Path, tmp_path: Path
) -> None:
    file = tmp_path / "night.md"
    async with console(evening, memory=memory) as operator:
        await operator.sees("New errors (1)")
        for said in ("the report written to", "is there already: name another file"):
            await operator.press("w")
            await operator.sees("Into which file? Markdown", "report-")
            operator.app.screen.query_one("Input").value = str(file)
            await operator.press("enter")
            await operator.until(lambda said=said: said in f"{operator.notices} {operator.screen}")
        await operator.press("escape", "y")
        await operator.hears("copied the report as Markdown")
        assert operator.app.clipboard == file.read_text()
    assert file.read_text().startswith("# Since ")
    assert "\n## New errors (1)\n\n- `v1:" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


async def test_it_is_written_as_a_page_into_a_file_that_is_named_so(
    console: Any, evening: Path, memory: Path, tmp_path: Path
) -> None:
    file = tmp_path / "night.html"
    async with console(evening, memory=memory) as operator:
        await operator.sees("New errors (1)")
        await operator.press("w")
        await operator.sees("a page, if its name ends with .html")
        operator.app.screen.query_one("Input").value = str(file)
        await operator.press("enter")
        await operator.hears("the report written to")
    assert file.read_text().startswith("<!doctype html>")
    assert "Results over time" in file.read_text()


async def test_a_console_that_stood_open_unused_tells_what_has_happened_meanwhile(
    console: Any, place: Any, memory: Path
) -> None:
    late = timedelta()
    async with console(place.store, size=(160, 48), memory=memory, clock=lambda: utc_now() + late) as operator:
        await operator.press("1")
        late = timedelta(hours=7)
        await operator.press("b")
        await operator.sees("7h ago")


async def test_at_a_moment_before_the_last_look_is_told_what_had_happened_until_then(
    console: Any, place: Any, memory: Path
) -> None:
    now = utc_now()
    remember(memory, place.store, now + timedelta(hours=1))
    async with console(
        place.store, size=(160, 48), memory=memory, clock=lambda: utc_now() + timedelta(hours=3)
    ) as operator:
        await operator.sees("wfe  entries", "8 entries")
        operator.app.travel(now + timedelta(minutes=30))
        await operator.hears("as it was at")
        await operator.press("b")
        await operator.sees("wfe  report", "12h ago", "New errors (1)")


# --- the whole night


@pytest.mark.slow
async def test_who_comes_back_in_the_morning_is_told_of_the_night(console: Any, slow: Any, memory: Path) -> None:
    wfe: Callable[..., Any] = slow.wfe
    slow.extend(PACKS)
    for name in ("here", "go"):  # so that nothing waits yet
        (slow.folder / name).unlink()
        (slow.folder / name).touch()
    slow.orders(*(f"A-{number}" for number in range(20)))
    assert wfe("run", "orders:Slow").returncode == 0
    slow.orders("B-1 raise")
    assert wfe("run", "orders:Orders").returncode == 1
    with Store(slow.store) as store:
        [fingerprint] = store.errors.counts("fingerprint")
    assert wfe("resolve", fingerprint, "--why", "customer added").returncode == 0

    async with console(slow.store, memory=memory) as operator:
        await operator.sees("21 entries")

    anna = {"USER": "anna", "LOGNAME": "anna"}
    slow.orders("P-1")
    assert wfe("run", "orders:Packs").returncode == 1
    slow.orders("D-1 raise")
    assert wfe("run", "orders:Orders").returncode == 1
    assert wfe("restart", "B-1", "--why", "carrier is back", **anna).returncode == 1
    assert wfe("repeat", "on", "--after", "9h", "D-1", **anna).returncode == 0
    for name in ("here", "go"):
        (slow.folder / name).unlink()
        os.mkfifo(slow.folder / name)
    slow.orders("S-1")
    with slow.start("run", "orders:Slow") as process:
        slow.wait_until_inside()
        slow.wait_until_shown("S-1", state="running")
        later = timedelta(hours=2)
        async with console(slow.store, size=(160, 48), memory=memory, clock=lambda: utc_now() + later) as operator:
            await operator.sees("wfe  report", "2h ago", "P-1", "S-1 is in Wait for 2h")
            assert titles(operator) == [
                "New errors (1)", "Regressed errors (1)", "In a task for longer than usual (1)", "Done by others (2)",
                "Open actions (1)", "Runs (4, 1 under way)",
            ]  # fmt: skip
            await operator.sees(
                "KeyError: 'no box for P-1' in Pack; seen once",
                f"{fingerprint} ValueError: no customer in B-1 in Check; came back at",
                "1 entry fails of it now; it was resolved by", "customer added",
                "restart on 1 entry (action 2) by anna@", "carrier is back; 1 same error",
                "repeat on on 1 entry (action 3) by anna@", "1 entry waits",
            )  # fmt: skip
            await operator.press("j", "j", "j", "enter")
            await operator.sees("wfe  entries/S-1")
        done = wfe("report")
        slow.go_on()
        slow.ended(process)
    found = [line for line in done.stdout.splitlines() if line.startswith("## ")]
    assert found[:4] == [
        "## Results over time",
        "## New errors (1)",
        "## Regressed errors (1)",
        "## In a task for longer than usual (1)",
    ]
    assert "- `S-1` is in `Wait` for " in done.stdout
    assert "carrier is back; 1 same error" in done.stdout
