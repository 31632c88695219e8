"""`wfe runs`: the runs, or one of them with its figures."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Annotated

import typer

from engine.commands import completing, printing
from engine.commands.options import AtOption, JsonOption, StoreOption, looked_back_at
from engine.commands.printing.runs import print_run, print_runs
from engine.exceptions import InputError
from engine.lookup.entries import documents
from engine.lookup.history import RunRow, read_run
from engine.store import Store


def runs(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN | FILTER",
            help="The number of a run, to see it with its figures; or words of its processor, ending or start.",
            show_default=False,
            autocompletion=completing.runs,
        ),
    ] = None,
    store: StoreOption = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The newest so many.")] = 20,
    open_: Annotated[bool, typer.Option("--open", help="Only those that go on.")] = False,
    at: AtOption = None,
    json: JsonOption = False,
) -> None:
    """List the runs, the newest first; or show one: how long its tasks took, and its results over time."""
    asked = words or []
    with looked_back_at(store, at) as (opened, now):
        if len(asked) == 1 and asked[0].isdecimal():
            document = opened.runs.get(doc_id=int(asked[0]))
            if document is None:
                raise InputError(f"there is no run {asked[0]} in {opened.path}: `wfe runs` lists them")
            print_run(document, read_run(document, now, opened.is_alive), as_json=json, now=now)
        else:
            answering = (row for row in _newest(opened, now) if row.answers(asked) and (row.is_going_on or not open_))
            found = list(islice(answering, limit))
            print_runs(found, as_json=json, now=now)
            if asked and not found:
                printing.note(f"no run answers to {' '.join(asked)}")


def _newest(store: Store, moment: datetime) -> Iterator[RunRow]:
    for document in documents(store.runs, store.runs.ids(order_by="started", reverse=True), 100):
        yield read_run(document, moment, store.is_alive)
