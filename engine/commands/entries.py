"""The commands of `wfe` that show entries: a list of them, or one."""

from typing import Annotated

import typer

from engine.commands import printing
from engine.commands.options import AtOption, JsonOption, ProcessorOption, StoreOption, looked_back_at
from engine.commands.printing.entries import print_entries, print_entry
from engine.commands.selecting import matching
from engine.lookup.acts import acts_on
from engine.lookup.entries import find_entry, rows
from engine.pausing import pauses
from engine.records import read_plan


def ls(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILTER", help="As state:failed age:>2h; all, if there is none.", show_default=False),
    ] = None,
    store: StoreOption = None,
    at: AtOption = None,
    json: JsonOption = False,
) -> None:
    """List the entries of the store, or those that a filter lets through."""
    with looked_back_at(store, at) as (opened, now):
        print_entries(rows(opened, now, matching(" ".join(words or ()), opened, now)), as_json=json, now=now)
        for pause in () if json else pauses(opened):
            printing.note(f"{pause.processor} is {pause.words(now)}")


def show(
    key: Annotated[str, typer.Argument(help="Key of an entry.")],
    store: StoreOption = None,
    processor: ProcessorOption = None,
    at: AtOption = None,
    json: JsonOption = False,
) -> None:
    """Show one entry: its tasks, what happens next, what operators did to it, and its data."""
    with looked_back_at(store, at) as (opened, now):
        document = find_entry(opened, key, processor)
        row, plan = next(rows(opened, now, [document.doc_id])), read_plan(document, now)
        print_entry(document, row, plan, acts_on(opened, document), as_json=json)
