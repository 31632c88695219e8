"""The commands of `wfe` that look after a store as a whole: export, import, backup, prune, check."""

from pathlib import Path
from typing import Annotated

import typer

from engine.clock import parse_duration
from engine.commands.options import JsonOption, StoreOption, existing, looked_at
from engine.commands.printing.progress import portion
from engine.commands.printing.upkeep import print_check, print_pruned, print_written
from engine.store import Store, store_path
from engine.store.check import check as check_store

NewFile = Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.", show_default=False)]


def export(file: NewFile, store: StoreOption = None, json: JsonOption = False) -> None:
    """Write everything to a JSON file as TinyDB itself has them."""
    with looked_at(store) as opened, portion("documents") as progress:
        done = opened.export(file, progress)
    said = f"{done} documents of {opened.path} are in {file}"
    print_written(opened.path, file, done, said, as_json=json)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A JSON file of TinyDB's.", show_default=False)],
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Make a new store of a JSON file as TinyDB itself has them."""
    path = store_path(store)
    with portion("bytes") as progress:
        done = Store.import_(file, path, progress)
    print_written(path, file, done, f"{done} documents of {file} are in {path}", as_json=json)


def backup(file: NewFile, store: StoreOption = None, json: JsonOption = False) -> None:
    """Copy the store as it is at this moment, while others may write it."""
    with looked_at(store) as opened:
        opened.backup(file)
    print_written(opened.path, file, None, f"{opened.path} is copied to {file}", as_json=json)


def prune(
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="As 90d, 12h: what is older goes.", show_default=False)
    ],
    keep_last: Annotated[
        int, typer.Option(min=0, help="So many of the newest stay: of each workflow, and attempts of each task.")
    ] = 0,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Remove what is finished and old (entries, attempts, errors, runs, actions), and make the file smaller."""
    age = parse_duration(older_than)
    with existing(store) as opened:
        print_pruned(opened.path, opened.prune(age, keep_last), as_json=json)


def check(store: StoreOption = None, json: JsonOption = False) -> None:
    """Say what is damaged and what is lost: everything is read. Nothing is written."""
    path = store_path(store)
    report = check_store(path)
    print_check(path, report, as_json=json)
    raise typer.Exit(0 if report.is_sound else 1)
