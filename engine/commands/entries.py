"""The commands of `wfe` that show entries: a list of them, or one."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from tinydb.queries import QueryInstance

from engine.commands import completing, printing
from engine.commands.options import AtOption, JsonOption, ProcessorOption, StoreOption, looked_back_at
from engine.commands.printing.entries import print_entries, print_entry
from engine.commands.selecting import condition_of
from engine.lookup.acts import acts_on
from engine.lookup.entries import PAGE, find_entry, rows
from engine.lookup.logs import execution_logs
from engine.pausing import pauses
from engine.store import Store

SHOWN = 100
"""So many entries are listed for people who do not say how many."""


def ls(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILTER",
            help="As state:failed age:>2h; all, if there is none.",
            show_default=False,
            autocompletion=completing.filters,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="The first N. Default: 100, with --json all.", show_default=False),
    ] = None,
    store: StoreOption = None,
    at: AtOption = None,
    json: JsonOption = False,
) -> None:
    """List the entries of the store, or those that a filter lets through: first what failed, last what is finished."""
    with looked_back_at(store, at) as (opened, now):
        condition = condition_of(" ".join(words or ()), opened, now)
        if json:
            print_entries(rows(opened, now, _by_urgency(opened, condition, limit)), as_json=True, now=now)
            return
        ids, count = _first(opened, condition, limit or SHOWN)
        print_entries(rows(opened, now, ids), as_json=False, now=now)
        if count > len(ids):
            printing.note(f"{len(ids)} of {count} entries: --limit {count} shows all, a filter as state:failed fewer")
        for pause in pauses(opened):
            printing.note(f"{pause.processor} is {pause.words(now)}")


def _first(store: Store, condition: QueryInstance | None, most: int) -> tuple[Sequence[int], int]:
    """The numbers of the first entries that answer a condition, in the order of urgency, and how many do."""
    if condition is None or store.entries.is_indexed(condition):
        ids = store.entries.ids(condition, order_by="urgency", limit=most)
        if len(ids) < most:
            return ids, len(ids)
        return ids, len(store.entries) if condition is None else store.entries.count(condition)
    ids = store.entries.ids(condition, order_by="urgency")  # each had to be read for it
    return ids[:most], len(ids)


def _by_urgency(store: Store, condition: QueryInstance | None, limit: int | None) -> Iterator[int]:
    """The same numbers one after the other, all without a limit; the first at once, if an index knows them."""
    if limit is not None or not (condition is None or store.entries.is_indexed(condition)):
        yield from store.entries.ids(condition, order_by="urgency", limit=limit)
        return
    first = store.entries.ids(condition, order_by="urgency", limit=PAGE)
    yield from first
    if len(first) == PAGE:
        begun = frozenset(first)
        yield from (number for number in store.entries.ids(condition, order_by="urgency") if number not in begun)


def show(
    key: Annotated[str, typer.Argument(help="Key of an entry.", autocompletion=completing.keys)],
    logs: Annotated[bool, typer.Option("--logs", help="With what its executions have logged.")] = False,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    at: AtOption = None,
    json: JsonOption = False,
) -> None:
    """Show one entry: its tasks, what happens next, what operators did to it, and its data."""
    with looked_back_at(store, at) as (opened, now):
        from engine.records import read_plan  # the models of entries, which a list does without

        document = find_entry(opened, key, processor)
        row, plan = next(rows(opened, now, [document.doc_id])), read_plan(document, now)
        kept = execution_logs(opened, document["processor"], key) if logs or json else []
        print_entry(document, row, plan, acts_on(opened, document), kept, as_json=json)
