"""A screen is a path: `entries`, `entries/KEY`, `errors/ERROR_ID`. The header shows it."""

from dataclasses import dataclass

from engine.exceptions import InputError


@dataclass(frozen=True)
class Route:
    """Where the console is, or is to go: an area, and what is looked at in it; None is its list."""

    area: str
    name: str | None = None

    def __str__(self) -> str:
        return self.area if self.name is None else f"{self.area}/{self.name}"


ENTRIES = Route("entries")
AREAS = ("entries", "errors")


def parse_route(path: str) -> Route:
    """The route that a path names.

    Raises:
        InputError: there is no such screen.
    """
    area, slash, name = path.partition("/")
    if area not in AREAS or (area == "errors" and not name):
        raise InputError(f"there is no screen {path!r}: write entries, entries/KEY or errors/ERROR_ID")
    return Route(area, name if slash and name else None)
