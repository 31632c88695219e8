"""`wfe watch`: what is written to a store, as it happens: for other tools, and for people."""

import select
import sys
import time
from typing import Annotated

import typer

from engine.clock import utc_now
from engine.commands.options import JsonOption, StoreOption, looked_at
from engine.commands.printing.events import EventPrinter, print_start
from engine.commands.selecting import explained
from engine.filter import compile_filter
from engine.lookup.following import INTERVAL, Follower, Kind, read_cursor
from engine.store import Place


def watch(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILTER", help="Of which entries, as state:failed; of all.", show_default=False),
    ] = None,
    kind: Annotated[
        list[Kind] | None,
        typer.Option(
            "--kind",  # typer 0.27 would take the metavar for it, since it is the same word
            metavar="KIND",
            help=f"Only {', '.join(Kind)}; may be given again. Default: all of them, with a filter entries.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="CURSOR",
            help="Go on behind this cursor, or seq, of an earlier line. Default: from now on.",
            show_default=False,
        ),
    ] = None,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Tell what is written to the store, as it happens, until it is stopped.

    A filter says which entries are told of. The first line of --json tells where it begins.
    """
    text = " ".join(words or ())
    kinds = kind or ([Kind.ENTRY] if text else list(Kind))
    with looked_at(store) as opened, explained(text):
        compile_filter(text, opened, utc_now())  # one that is wrong is said to be so at once
        seq = opened.seq()
        after = Place(seq + 1) if since is None else read_cursor(since)
        follower = Follower(opened, after, kinds, lambda moment: compile_filter(text, opened, moment))
        print_start(opened.path, seq, after, as_json=json)
        tell = EventPrinter(as_json=json)
        while True:
            for event in follower.look():
                tell(event)
            time.sleep(INTERVAL)
            _check_reader()


def _check_reader() -> None:
    """End if nobody reads any more: while nothing is written, nothing else would tell."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    if any(what & (select.POLLERR | select.POLLHUP) for _, what in output.poll(0)):
        raise BrokenPipeError
