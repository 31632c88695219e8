"""The commands of `wfe` on what operators did: list it, tell and await what became of it, take it back."""

import sys
import time
from collections.abc import Iterator
from typing import Annotated

import typer
from tinydb import where

from engine import operations
from engine.clock import utc_now
from engine.commands import completing, printing
from engine.commands.doing import refusals, run_workers
from engine.commands.options import AtOption, JsonOption, StoreOption, WhyOption, existing, looked_at, looked_back_at
from engine.commands.printing.actions import print_actions, print_verdicts
from engine.commands.printing.acts import print_action, print_answer
from engine.exceptions import InputError
from engine.lookup.entries import documents
from engine.lookup.history import ActionRow, read_action
from engine.store import Store
from engine.text import counted
from engine.verdicts import Verdict, settle_abandoned, verdicts_of

Number = Annotated[
    int, typer.Argument(metavar="ACTION", help="Its number.", show_default=False, autocompletion=completing.actions)
]

POLL = 0.2
"""Seconds between two looks whether all verdicts are in."""

actions = typer.Typer(
    help="What operators did: list it, show, await, resume or abandon it.", add_completion=False, rich_markup_mode=None
)


@actions.callback(invoke_without_command=True)
def list_(
    context: typer.Context,
    store: StoreOption = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The newest so many.")] = 50,
    open_: Annotated[bool, typer.Option("--open", help="Only those that wait for something.")] = False,
    at: AtOption = None,
    json: JsonOption = False,
) -> None:
    """List what operators did, the newest first, with what became of it."""
    if context.invoked_subcommand is not None:
        return
    with looked_back_at(store, at) as (opened, now):
        found = _newest(opened, limit, open_=open_)
        print_actions(found, as_json=json, now=now)


@actions.command()
def show(
    action: Number,
    wait: Annotated[bool, typer.Option("--wait", help="Block until each of its entries has its verdict.")] = False,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Show what became of each entry of an action. Exit code 0 only if all are fixed, or nothing was to be executed."""
    with looked_at(store) as opened:
        row = _row(opened, action)
        while wait and row.is_waited_for:
            time.sleep(POLL)
            opened.recover()
            if not opened.read_only:
                settle_abandoned(opened, utc_now())
            row = _row(opened, action)
        document = opened.actions.get(doc_id=action)
        refused = {key: why for key, why in (document or {"results": {}})["results"].items() if why is not None}
        found = documents(opened.verdicts, opened.verdicts.ids(where("action") == action))
        print_verdicts(row, found, refused, as_json=json)
    is_well = not row.refused and set(row.verdicts) <= {Verdict.FIXED, Verdict.DONE}
    raise typer.Exit(0 if is_well else 1)


@actions.command()
def resume(action: Number, store: StoreOption = None, why: WhyOption = None, json: JsonOption = False) -> None:
    """Let a canary restart that has stopped go on with the rest of its entries."""
    with existing(store) as opened:
        with refusals("resume", str(action), as_json=json):
            processor = operations.resume_canary(action, store=opened, why=why)
        try:
            print_answer("resume", str(action), f"action {action} goes on", as_json=json)
        finally:  # it is recorded, and carried out whether or not somebody reads
            went_wrong = run_workers("resume", [processor], opened, sys.stderr if json else None)
        row = _row(opened, action)
        printing.note(f"action {action}: {row.outcome or row.state}")
    raise typer.Exit(2 if went_wrong else 0 if set(row.verdicts) == {Verdict.FIXED} else 1)


@actions.command()
def abandon(action: Number, store: StoreOption = None, why: WhyOption = None, json: JsonOption = False) -> None:
    """End a canary restart: entries that were not executed stay as they were before."""
    with existing(store) as opened, refusals("abandon", str(action), as_json=json):
        left = operations.abandon_canary(action, store=opened, why=why)
    said = f"action {action} is abandoned: {counted(left, 'entry', 'entries')} not executed"
    print_answer("abandon", str(action), said, as_json=json)


def undo(
    action: Annotated[
        int | None,
        typer.Argument(
            metavar="[ACTION]",
            help="Its number; else your newest act.",
            show_default=False,
            autocompletion=completing.actions,
        ),
    ] = None,
    store: StoreOption = None,
    why: WhyOption = None,
    json: JsonOption = False,
) -> None:
    """Take an act back, for each of its entries that no engine has executed and nobody has changed since."""
    with existing(store) as opened, refusals("undo", str(action or "newest"), as_json=json):
        done = operations.undo(action, store=opened, why=why)
        [number] = done.actions.values()
        undone = opened.actions.get(doc_id=number)
    print_action(done, as_json=json)
    if undone is not None:
        said = f"action {undone['undoes']} was undone, by action {number}"
        if json and (done.accepted or done.refused):
            printing.note(said)
        else:  # it was on no entries, whose answers are printed
            print_answer("undo", str(undone["undoes"]), said, as_json=json)
    raise typer.Exit(1 if done.refused else 0)


def _newest(store: Store, limit: int, *, open_: bool) -> Iterator[ActionRow]:
    left = limit
    for number in store.actions.ids(order_by="when", reverse=True):
        row = _row(store, number)
        if row.is_waited_for or not open_:
            yield row
            left -= 1
            if not left:
                return


def _row(store: Store, action: int) -> ActionRow:
    document = store.actions.get(doc_id=action)
    if document is None:
        raise InputError(f"there is no action {action} in {store.path}: `wfe actions` lists them")
    return read_action(document, store.is_alive, verdicts_of(store, action))
