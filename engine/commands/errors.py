"""The commands of `wfe` that show errors: all by their cause, or one."""

from typing import Annotated

import typer

from engine.commands import completing, printing
from engine.commands.options import AtOption, JsonOption, StoreOption, looked_at, looked_back_at
from engine.commands.printing.errors import print_error, print_groups
from engine.groups import dealt_with, error_groups, matching_groups
from engine.lookup.entries import find_error


def errors(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILTER",
            help="Words of state, type, message, tasks or fingerprint.",
            show_default=False,
            autocompletion=completing.fingerprints,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Those dealt with that nothing fails of, too.")] = False,
    store: StoreOption = None,
    at: AtOption = None,
    json: JsonOption = False,
) -> None:
    """List the errors by their cause: how each group stands, and what restarts of it have led to."""
    with looked_back_at(store, at) as (opened, now):
        found = matching_groups(error_groups(opened, now), " ".join(words or ()))
        print_groups([group for group in found if every or not group.is_quiet], as_json=json, now=now)
        if not json:
            printing.note(dealt_with(opened, now).words())


def error(
    error_id: Annotated[
        str,
        typer.Argument(help="An error id, or a fingerprint, or its beginning.", autocompletion=completing.error_ids),
    ],
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Show the stack trace of an error id; of a fingerprint, that of the newest of its errors."""
    with looked_at(store) as opened:
        print_error(find_error(opened, error_id), as_json=json)
