"""A screen is a path: `entries?state:failed`, `entries/KEY`, `errors/v1:9f2a`, `runs/12`. The header shows it, the
shell opens it, and those that were visited can be gone through back and forward."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from engine.exceptions import InputError

Area = Literal["entries", "errors", "runs", "actions", "share", "compare", "report"]
AREAS: tuple[Area, ...] = get_args(Area)
LISTS: tuple[Area, ...] = ("entries", "errors", "runs", "actions")
"""The areas that the first line names, each with its key."""

MOST_PLACES = 30
"""So many places can be gone back through; each is kept as it was left."""


@dataclass(frozen=True)
class Route:
    """Where the console is, or is to go: an area, and what is looked at in it, or which filter its list has; of a
    comparison, which two it is of."""

    area: Area
    name: str = ""
    filter: str = ""
    processor: str | None = field(default=None, compare=False)
    """`module:Class`, where the key of an entry alone does not name it. The path does not show it."""

    def __str__(self) -> str:
        if self.area == "compare" and self.name:  # of which two, stands behind the key: that has no `?` of its own here
            key = self.name.replace("%", "%25").replace("?", "%3F")
            return f"compare/{key}?{self.filter}" if self.filter else f"compare/{key}"
        if self.name:
            return f"{self.area}/{self.name}"
        return f"{self.area}?{self.filter}" if self.filter else self.area


ENTRIES = Route("entries")


def is_route(text: str) -> bool:
    """Whether a text is meant as a path: it begins with the name of an area."""
    return _area(text) is not None


def parse_route(text: str) -> Route:
    """The route of a path.

    Raises:
        InputError: it begins with the name of no area.
    """
    area = _area(text)
    if area is None:
        raise InputError(f"{text!r} is no place: write {', '.join(AREAS)}, as entries?state:failed or errors/ERROR_ID")
    rest = text[len(area) :]
    if area == "compare":
        key, _, filter_ = rest.removeprefix("/").partition("?")
        return Route(area, key.replace("%3F", "?").replace("%25", "%"), filter_)
    return Route(area, filter=rest[1:]) if rest.startswith("?") else Route(area, rest[1:])


def _area(text: str) -> Area | None:
    return next((area for area in AREAS if text == area or text.startswith((f"{area}/", f"{area}?"))), None)


class Places:
    """The places that were visited, and which of them the console is at."""

    def __init__(self) -> None:
        self._visited: list[Route] = []
        self._at = -1

    @property
    def current(self) -> Route | None:
        """Where the console is."""
        return self._visited[self._at] if self._visited else None

    @property
    def before(self) -> Route | None:
        """The place that `back` would go to."""
        return self._visited[self._at - 1] if self._at > 0 else None

    def go(self, route: Route) -> None:
        """Visit a place: what lay ahead is forgotten, and so is the oldest of too many."""
        if route == self.current:
            return
        self._visited[self._at + 1 :] = [route]
        del self._visited[:-MOST_PLACES]
        self._at = len(self._visited) - 1

    def back(self) -> Route | None:
        """Go to the place before; None if there is none."""
        return self._move(-1)

    def forward(self) -> Route | None:
        """Go to the place that was left by `back`; None if there is none."""
        return self._move(1)

    def rename(self, route: Route) -> None:
        """The current place has another path now: its filter is another."""
        if self._visited:
            self._visited[self._at] = route

    def __contains__(self, route: Route) -> bool:
        return route in self._visited

    def _move(self, step: int) -> Route | None:
        if not 0 <= self._at + step < len(self._visited):
            return None
        self._at += step
        return self.current
