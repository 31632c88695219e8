"""`wfe plan`: what happens next, to entries or in the next run, and why."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from engine.clock import parse_duration, utc_now
from engine.commands import completing, printing
from engine.commands.options import JsonOption, ProcessorOption, StoreOption, looked_at
from engine.commands.selecting import select
from engine.exceptions import InputError
from engine.lookup.entries import find_entries, find_processor
from engine.lookup.rows import read_row
from engine.store import Store


def plan(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY",
            help="Keys of entries, or a filter, as state:failed; or MODULE:PROCESSOR. None: all that have run here.",
            show_default=False,
            autocompletion=completing.keys_or_filters,
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="MOMENT", help="In a run at 02:00, '2026-12-24 02:00', or in 8h; else now.", show_default=False
        ),
    ] = None,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    json: JsonOption = False,
) -> None:
    """Tell what happens next and why: of each entry that is meant, task by task; else of the next run, in numbers.

    No code of a workflow is imported, and nothing is written. What its source will have new is not known here.

    `wfe show` has the same steps of one entry, with its data and what was done to it. What an act would do is told by
    that act with --dry-run; `restart --dry-run --out FILE` keeps it, and `restart --plan FILE` does it.
    """
    with looked_at(store) as opened:
        now = utc_now()
        moment = _moment(at, now)
        known = opened.entries.counts("processor")
        named = words or ([find_processor(opened, processor)] if processor else sorted(known))
        if all(name in known for name in named):
            _tell_runs(opened, named, moment, now, as_json=json)
        elif words:
            raise typer.Exit(_tell_entries(opened, words, processor, moment, as_json=json))


def _tell_runs(store: Store, processors: Sequence[str], moment: datetime, now: datetime, *, as_json: bool) -> None:
    from engine.commands.printing.plans import print_outlook
    from engine.lookup.outlook import outlook

    if not processors:
        printing.note(f"there is no entry in {store.path} yet: the first run takes what its workflow gives it")
    for name in processors:
        print_outlook(outlook(store, name, moment), as_json=as_json, now=now)


def _tell_entries(store: Store, words: Sequence[str], processor: str | None, moment: datetime, *, as_json: bool) -> int:
    """Tell of entries; the exit code of the command, 2 if one that was named is not there."""
    from engine.commands.printing.plans import print_plan
    from engine.records import read_plan

    chosen = select(words, store, processor, moment)
    if not chosen.count:
        printing.note(f"no entry answers to {chosen.filter}")
    code = 0
    for name, keys in chosen.keys.items():
        for at in range(0, len(keys), _PAGE):
            for found in find_entries(store, keys[at : at + _PAGE], name).values():
                if isinstance(found, InputError):
                    printing.refusal(str(found))
                    code = 2
                else:
                    row = read_row(found, moment, store.is_alive)
                    print_plan(row, read_plan(found, moment), as_json=as_json)
    return code


_PAGE = 500
"""So many entries are read at once."""


def _moment(text: str | None, now: datetime) -> datetime:
    """The moment of a run to come. Raises InputError if it is none, or has passed."""
    if text is None:
        return now
    if re.fullmatch(r"\d+[smhd]", text):
        return now + parse_duration(text)
    from engine.repeating import at

    moment = at(text, now).date_time
    if moment < now:
        raise InputError(f"{text} has passed: a plan is of what comes; `wfe ls --at` shows what was")
    return moment
