"""The commands of `wfe` that say of groups of errors that one is resolved, is put off, or what is known of it."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated

import typer

from engine import operations, repeating
from engine.clock import parse_duration, utc_now
from engine.commands import completing
from engine.commands.options import JsonOption, StoreOption, WhyOption, existing
from engine.commands.printing.acts import print_action
from engine.exceptions import InputError
from engine.lookup.entries import find_fingerprint
from engine.operations import ActionResult
from engine.store import Store

Fingerprints = Annotated[
    list[str],
    typer.Argument(
        metavar="FINGERPRINT",
        help="Fingerprints of groups of errors, or their beginnings.",
        show_default=False,
        autocompletion=completing.fingerprints,
    ),
]


def resolve(
    fingerprints: Fingerprints, store: StoreOption = None, why: WhyOption = None, json: JsonOption = False
) -> None:
    """Say of groups of errors that their cause is gone. One that is seen again has regressed."""
    with existing(store) as opened:
        _end(operations.resolve(_found(opened, fingerprints), store=opened, why=why), as_json=json)


def snooze(
    fingerprints: Fingerprints,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="As 08:00, or '2026-12-24 08:00'.", show_default=False)
    ] = None,
    span: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="As 2h: so long from now.", show_default=False)
    ] = None,
    more: Annotated[
        int | None, typer.Option(metavar="N", help="Until it was seen N times more.", show_default=False)
    ] = None,
    store: StoreOption = None,
    why: WhyOption = None,
    json: JsonOption = False,
) -> None:
    """Put groups of errors off, until a time or until they were seen so many times more."""
    ends = _until(until, span, more)
    with existing(store) as opened:
        found = _found(opened, fingerprints)
        _end(operations.snooze(found, until=ends, more=more, store=opened, why=why), as_json=json)


def note(
    fingerprint: Annotated[
        str,
        typer.Argument(
            metavar="FINGERPRINT",
            help="Of a group, or its beginning.",
            show_default=False,
            autocompletion=completing.fingerprints,
        ),
    ],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be known of it.", show_default=False)],
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Note something of a group of errors, for whoever looks at it next."""
    with existing(store) as opened:
        _end(operations.note(find_fingerprint(opened, fingerprint), text, store=opened), as_json=json)


def _until(until: str | None, span: str | None, more: int | None) -> datetime | None:
    """When a snooze ends. Raises InputError unless exactly one of its options is given."""
    options = {"--until": until, "--for": span, "--more": more}
    given = [name for name, value in options.items() if value is not None]
    if len(given) != 1:
        problem = f"{' and '.join(given)} exclude each other" if given else "it is not said how long"
        raise InputError(f"snooze: {problem}: give one of {', '.join(options)}")
    if until is not None:
        return repeating.at(until, utc_now()).date_time
    if span is not None:
        with suppress(OverflowError):
            return utc_now() + parse_duration(span)
        raise InputError(f"{span!r} is too long a duration: write a shorter one")
    return None


def _found(store: Store, beginnings: Sequence[str]) -> list[str]:
    return [find_fingerprint(store, beginning) for beginning in beginnings]


def _end(done: ActionResult, *, as_json: bool) -> None:
    """Print what became of each group, and end the command."""
    print_action(done, as_json=as_json)
    raise typer.Exit(1 if done.refused else 0)
