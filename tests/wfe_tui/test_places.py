"""Places: a path opens each, from the shell and by keys, and those that were visited are kept as they were left."""

from typing import Any

import pytest

from engine.exceptions import InputError
from engine.store import Store
from wfe_tui.routes import AREAS, ENTRIES, MOST_PLACES, Area, Places, Route, is_route, parse_route
from wfe_tui.screens.making import make_screen


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("entries", Route("entries")),
        ("entries/A-1", Route("entries", "A-1")),
        ("entries/a/b?c:d", Route("entries", "a/b?c:d")),
        ("entries?state:failed key:a/b", Route("entries", filter="state:failed key:a/b")),
        ("errors/v1:9f2a", Route("errors", "v1:9f2a")),
        ("runs/12", Route("runs", "12")),
        ("compare/a/b", Route("compare", "a/b")),
        ("compare/a%3Fb%25?task:Check attempts:1,3", Route("compare", "a?b%", "task:Check attempts:1,3")),
        ("compare/A-1?with:a?b", Route("compare", "A-1", "with:a?b")),
        ("actions", Route("actions")),
    ],
)
def test_a_path_is_a_place_and_back_again(path: str, route: Route) -> None:
    assert parse_route(path) == route
    assert str(route) == path


@pytest.mark.parametrize("area", sorted({*AREAS} - {"compare"}))  # which is of an entry always
def test_each_area_is_a_screen_with_its_own_keys(area: Area) -> None:
    assert make_screen(Route(area), None).keys == area, "wfe_tui.screens.making makes the screens"


@pytest.mark.parametrize("text", ["orders:Orders", "entriesx", "./entries.py:Orders", "x/entries", ""])
def test_what_begins_with_no_area_is_no_path(text: str) -> None:
    assert not is_route(text)
    with pytest.raises(InputError, match="is no place: write entries, errors, runs, actions"):
        parse_route(text)


def test_places_are_gone_through_back_and_forward_and_a_new_one_forgets_those_ahead() -> None:
    places = Places()
    for name in "abc":
        places.go(Route("entries", name))
    assert [places.back(), places.back(), places.back()] == [Route("entries", "b"), Route("entries", "a"), None]
    assert places.forward() == Route("entries", "b")
    places.go(Route("runs"))
    assert places.forward() is None
    assert places.back() == Route("entries", "b")


def test_of_very_many_places_the_oldest_are_forgotten() -> None:
    places = Places()
    for number in range(3 * MOST_PLACES):
        places.go(Route("entries", str(number)))
    while places.back():
        pass
    assert places.current == Route("entries", str(2 * MOST_PLACES))


async def test_the_number_keys_lead_to_the_lists_and_back_leads_to_where_one_was(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.go_to("A-6")
        for key, text in (("2", "1 cause"), ("3", "✓ completed"), ("4", "wfe  actions"), ("1", "8 entries")):
            await operator.press(key)
            await operator.sees(text)
        await operator.press("less_than_sign", "less_than_sign")
        await operator.sees("wfe  runs")
        await operator.press("greater_than_sign")
        await operator.sees("wfe  actions")
        await operator.press("escape")
        await operator.sees("wfe  entries")
        assert operator.entries.row_at_cursor().key == "A-6"


async def test_escape_leads_from_an_entry_to_the_list_that_it_was_opened_from(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.press("2")
        await operator.sees("1 cause")
        await operator.press("enter")
        await operator.sees("seen 3 times")
        await operator.press("enter")
        await operator.sees("raise ValueError")
        await operator.press("escape")
        await operator.sees("seen 3 times")
        await operator.press("escape")
        await operator.sees("1 cause")


async def test_a_filter_is_part_of_the_path_and_comes_back_with_it(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.press("f")
        await operator.sees("entries?state:failed", "3 entries")
        await operator.press("enter")
        await operator.sees("entries/A-")
        await operator.press("less_than_sign")
        await operator.sees("entries?state:failed", "3 entries")


async def test_a_path_that_is_typed_is_gone_to_and_a_wrong_one_said_so(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30)) as operator:
        await operator.press("colon")
        await operator.sees("Go to", "entries?state:failed")
        operator.app.screen.query_one("Input").value = "runs/1"
        await operator.press("enter")
        await operator.sees("wfe  runs/1", "results a second")
        await operator.press("colon")
        operator.app.screen.query_one("Input").value = "nowhere"
        await operator.press("enter")
        await operator.hears("'nowhere' is no place")
        await operator.press("colon")
        operator.app.screen.query_one("Input").value = "runs/99"
        await operator.press("enter")
        await operator.hears("there is no run '99'")
        await operator.sees("wfe  runs/1")


@pytest.mark.parametrize(
    ("route", "texts"),
    [
        (Route("entries", filter="state:failed"), ["3 entries", "✗ 3 failed"]),
        (Route("errors"), ["1 cause, 3 entries failing now"]),
        (Route("runs", "1"), ["orders:Orders", "completed"]),
        (Route("actions"), ["wfe  actions"]),
    ],
)
async def test_a_place_is_opened_from_the_shell(console: Any, place: Any, route: Route, texts: list[str]) -> None:
    async with console(place.store, size=(120, 30), route=route) as operator:
        await operator.sees(f"wfe  {route}", *texts)
        if route.area != "entries":
            await operator.press("escape")
            await operator.sees(f"wfe  {ENTRIES}", "8 entries")


@pytest.mark.parametrize("length", [7, 15])
async def test_a_fingerprint_or_its_beginning_opens_its_group(console: Any, place: Any, length: int) -> None:
    with Store(place.store) as store:
        fingerprint = store.errors.all()[0]["fingerprint"]
    async with console(place.store, size=(120, 30), route=Route("errors", fingerprint[:length])) as operator:
        await operator.sees(f"errors/{fingerprint}", "seen 3 times", "A-7")


@pytest.mark.slow
async def test_places_that_nobody_can_go_back_to_are_taken_down(console: Any, place: Any) -> None:
    async with console(place.store) as operator:
        await operator.sees("8 entries")
        for number in range(2 * MOST_PLACES):
            operator.app.go(Route("entries", f"A-{number % 8 + 1}") if number % 2 else Route("runs", "1"))
            await operator.pilot.pause()
        assert len(operator.app._screens) < 15
