"""The commands of `wfe` that look, and change nothing."""

import sys
from typing import Annotated

import typer

from engine import comparing
from engine.clock import parse_past, utc_now
from engine.commands import printing
from engine.commands.options import AtOption, JsonOption, ProcessorOption, StoreOption, looked_at, looked_back_at
from engine.commands.selecting import explained, matching
from engine.exceptions import InputError
from engine.filter.fields import GROUP
from engine.lookup.acts import acts_on
from engine.lookup.entries import find_entry, find_error, find_fingerprint, rows
from engine.operations.recording import signature
from engine.pausing import pauses
from engine.records import read_plan
from engine.report.figures import figures
from engine.report.page import page
from engine.report.since import SPAN
from engine.report.since import report as make_report
from engine.report.words import markdown
from engine.sharing import FAILED, what_they_share


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
        printing.entries(rows(opened, now, matching(" ".join(words or ()), opened, now)), as_json=json, now=now)
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
        printing.entry(document, row, plan, acts_on(opened, document), as_json=json)


def report(
    since: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="As 8h (ago), 22:00, or '2026-11-27 22:00'; else 12h.", show_default=False),
    ] = None,
    html: Annotated[
        bool, typer.Option("--html", help="As a page with charts, to be mailed or printed: --html > night.html.")
    ] = False,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Write what has happened since, and what waits: as Markdown, for the hand-over."""
    if html and json:
        raise InputError("--html and --json exclude each other: give one of them")
    with looked_at(store) as opened:
        now = utc_now()
        begin = parse_past(since, now) if since else now - SPAN
        made = make_report(opened, begin, now, signature())
        numbers = figures(opened, made)
    if json:
        printing.handover(made, numbers)
    else:
        sys.stdout.write(page(made, numbers) if html else markdown(made, numbers))


def error(
    error_id: Annotated[str, typer.Argument(help="An error id, or its beginning.")],
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Show the stack trace of an error id."""
    with looked_at(store) as opened:
        printing.error(find_error(opened, error_id), as_json=json)


def share(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILTER | v1:FINGERPRINT]",
            help="Which failing entries, as state:failed task:Send; all that failed, if there is none.",
            show_default=False,
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
        printing.shared(found, as_json=json)


def compare(
    key: Annotated[str, typer.Argument(help="Key of an entry.")],
    other: Annotated[
        str | None, typer.Argument(metavar="OTHER_KEY", help="Another entry of its processor.", show_default=False)
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
        printing.comparison(found, as_json=json)
