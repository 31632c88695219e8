"""The commands of `wfe` that show what differs: between failing entries and others, or between two attempts."""

from typing import Annotated

import typer

from engine import comparing
from engine.commands import completing
from engine.commands.options import AtOption, JsonOption, ProcessorOption, StoreOption, looked_back_at
from engine.commands.printing.comparing import print_comparison
from engine.commands.printing.sharing import print_shared
from engine.commands.selecting import explained
from engine.filter.fields import GROUP
from engine.lookup.entries import find_fingerprint
from engine.sharing import FAILED, what_they_share


def share(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILTER | v1:FINGERPRINT]",
            help="Which failing entries, as state:failed task:Send; all that failed, if there is none.",
            show_default=False,
            autocompletion=completing.filters,
        ),
    ] = None,
    store: StoreOption = None,
    at: AtOption = None,
    json: JsonOption = False,
) -> None:
    """Show what failing entries have in common: their fields, task, hour, host, process and code, beside the others."""
    with looked_back_at(store, at) as (opened, now):
        text = " ".join(words or [FAILED])
        if GROUP.fullmatch(text):
            text = f"error:{find_fingerprint(opened, text)}"
        with explained(text):
            found = what_they_share(opened, now, text)
        print_shared(found, as_json=json)


def compare(
    key: Annotated[str, typer.Argument(help="Key of an entry.", autocompletion=completing.keys)],
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="OTHER_KEY",
            help="Another entry of its processor.",
            show_default=False,
            autocompletion=completing.keys,
        ),
    ] = None,
    attempts: Annotated[
        tuple[int, int] | None,
        typer.Option(metavar="N M", help="Two attempts. Default: the newest and the one before.", show_default=False),
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="At which task. Default: where the entry stands.", show_default=False)
    ] = None,
    sibling: Annotated[
        bool, typer.Option("--sibling", help="With its last good sibling; so, too, if there is only one attempt.")
    ] = False,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    at: AtOption = None,
    json: JsonOption = False,
) -> None:
    """Show what differs between two attempts of an entry, or between it and one that went well."""
    with looked_back_at(store, at) as (opened, now):
        asked = comparing.Asked(task, attempts or (), sibling, other)
        found = comparing.compare(opened, key, asked, processor=processor, moment=now)
        print_comparison(found, as_json=json)
