"""A screen is a path: `entries`, `entries/KEY`, `errors/ERROR_ID`. The header shows it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Route:
    """Where the console is, or is to go: an area, and what is looked at in it; the list of entries has no name."""

    area: Literal["entries", "errors"]
    name: str = ""

    def __str__(self) -> str:
        return f"{self.area}/{self.name}" if self.name else self.area


ENTRIES = Route("entries")
