"""`wfe report`: what has happened and what waits, for the hand-over."""

import sys
from typing import Annotated

import typer

from engine.clock import parse_past, utc_now
from engine.commands.options import JsonOption, StoreOption, looked_at
from engine.commands.printing.tables import json_line
from engine.exceptions import InputError
from engine.operations.recording import signature
from engine.report.figures import figures
from engine.report.markdown import markdown
from engine.report.page import page
from engine.report.since import SPAN
from engine.report.since import report as make_report


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
        json_line({**made.to_json(), "figures": numbers.to_json()})
    else:
        sys.stdout.write(page(made, numbers) if html else markdown(made, numbers))
