"""What the console remembers from one start to the next: how each store's lists were shown, views with a name, and
when each store was looked at."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Lock

from platformdirs import user_state_path
from pydantic import BaseModel, Field, ValidationError


def memory_path() -> Path:
    """Where it is kept."""
    return user_state_path("wfe") / "console.json"


class Shown(BaseModel):
    """How a list is shown. `columns` are the names of those shown, from left to right, each with its width in cells,
    None for its own; None where the user has chosen none."""

    filter: str = ""
    order: str = "arrival"
    reverse: bool = False
    columns: list[tuple[str, int | None]] | None = None


class OfStore(BaseModel):
    """What is remembered of one store: by area, and the named views of its entries; when it was looked at last (UTC),
    and when in the look before: see `wfe_tui.looking`."""

    lists: dict[str, Shown] = Field(default_factory=dict)
    views: dict[str, Shown] = Field(default_factory=dict)
    looked: datetime | None = None
    looked_before: datetime | None = None


class Remembered(BaseModel):
    """The whole file. Stores are named by their paths."""

    theme: str | None = None
    stores: dict[str, OfStore] = Field(default_factory=dict)


class Memory:
    """Remembers, in a file that only its user may read.

    Args:
        path: of the file; None: nothing outlives this console.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known = self._read()
        self._changing = Lock()

    @property
    def theme(self) -> str | None:
        """The theme that was chosen last."""
        return self._known.theme

    def of(self, store: Path) -> OfStore:
        """What is known of a store."""
        return self._known.stores.get(str(store)) or OfStore()

    def keep(self, store: Path, change: Callable[[OfStore], None]) -> None:
        """Change what is known of a store, and write it. Another console may have written meanwhile: what it knows of
        other stores stays."""
        with self._changing:
            self._known = self._read() if self._path else self._known
            change(self._known.stores.setdefault(str(store), OfStore()))
            self._write()

    def keep_theme(self, theme: str) -> None:
        """Remember a theme."""
        with self._changing:
            self._known = self._read() if self._path else self._known
            self._known.theme = theme
            self._write()

    def _read(self) -> Remembered:
        if self._path is not None:
            # What cannot be read is as good as nothing remembered: it is of no value that is worth a complaint.
            with suppress(OSError, ValidationError):
                return Remembered.model_validate_json(self._path.read_bytes())
        return Remembered()

    def _write(self) -> None:
        if self._path is None:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".console")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(self._known.model_dump_json(indent=1))
            Path(name).replace(self._path)
