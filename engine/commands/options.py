"""What the commands of `wfe` share: the options that name a store, and how it is opened."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from engine.clock import parse_past, utc_now
from engine.commands import completing, printing
from engine.exceptions import InputError
from engine.settings import Settings
from engine.store import Store, may_write, store_path

StoreOption = Annotated[
    Path | None,
    typer.Option(
        help="The store. Default: the one that is set, else ./wfe.db if there, else the user's data folder.",
        show_default=False,
    ),
]
ProcessorOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODULE:PROCESSOR",
        help="Needed where two have an entry of one key.",
        show_default=False,
        autocompletion=completing.processors,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Entries = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY", help="Keys of entries; or a filter, as state:failed task:Send, for all that it lets through.",
        show_default=False, autocompletion=completing.keys_or_filters,
    ),
]  # fmt: skip
AtOption = Annotated[
    str | None,
    typer.Option(
        metavar="MOMENT", help="As it was at 02:15, '2026-11-27 02:15', or 2h ago, as far as that is known.",
        show_default=False,
    ),
]  # fmt: skip
WhyOption = Annotated[str | None, typer.Option(help="A reason, for the record.", show_default=False)]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask, although a filter is given.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and write nothing.")]


OutOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="With --dry-run: write the plan into this file.", show_default=False)
]
PlanOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="In place of KEY: the plan in this file. What has changed since is refused.",
        show_default=False,
    ),
]  # fmt: skip


@contextmanager
def existing(option: Path | None) -> Iterator[Store]:
    """The store that a command is about, opened to be written. Raises InputError if there is none."""
    with Store(_path(option)) as store:
        yield store


@contextmanager
def looked_at(option: Path | None) -> Iterator[Store]:
    """The same for a command that only looks: who may not write the store may still read it."""
    path = _path(option)
    with Store(path, read_only=not may_write(path)) as store:
        yield store


@contextmanager
def looked_back_at(option: Path | None, at: str | None) -> Iterator[tuple[Store, datetime]]:
    """The same, and the moment for which it is shown: now, or `at` a moment that has passed, with what is not known of
    then said."""
    with looked_at(option) as store:
        now = utc_now()
        if at is None:
            yield store, now
            return
        from engine.past.looking_back import look_back  # what few ask for

        with look_back(store, parse_past(at, now)) as past:
            for sentence in past.unknown:
                printing.note(sentence)
            yield past.store, past.moment


def named_processor(words: Sequence[str], settings: Settings) -> tuple[str, list[str]]:
    """The processor that words name, and the other words.

    The first one names it if there is a colon in it; else it is the one that is set, and all words are others.

    Raises:
        InputError: there is no word, and none is set.
    """
    if words and (":" in words[0] or settings.processor is None):
        return words[0], list(words[1:])
    if settings.processor is None:
        raise InputError("no workflow is named: write MODULE:PROCESSOR, or set `processor` in wfe.toml")
    return settings.processor, list(words)


def _path(option: Path | None) -> Path:
    path = store_path(option)
    if not path.exists():
        raise InputError(f"there is no store at {path}: `wfe run MODULE:PROCESSOR` makes one, --store names another")
    return path
