"""A screen is a path."""

import pytest

from engine.exceptions import InputError
from wfe_tui.routes import ENTRIES, Route, parse_route


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("entries", ENTRIES),
        ("entries/", ENTRIES),
        ("entries/A-1", Route("entries", "A-1")),
        ("entries/a/b c", Route("entries", "a/b c")),
        ("errors/5b2c", Route("errors", "5b2c")),
    ],
)
def test_a_path_names_a_screen(path: str, route: Route) -> None:
    assert parse_route(path) == route


@pytest.mark.parametrize("route", [ENTRIES, Route("entries", "A/1"), Route("errors", "5b2c")])
def test_what_the_header_shows_opens_the_same_screen(route: Route) -> None:
    assert parse_route(str(route)) == route


@pytest.mark.parametrize("path", ["", "errors", "errors/", "runs", "Entries", "/entries"])
def test_a_path_to_nowhere_is_refused_with_what_there_is(path: str) -> None:
    with pytest.raises(InputError, match=r"write entries, entries/KEY or errors/ERROR_ID"):
        parse_route(path)
