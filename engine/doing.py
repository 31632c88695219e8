"""Does a verb to entries from the shell: asks where a filter chose them, acts, or shows what it would do, and has
workers carry out what it asks for."""

import subprocess
import sys
from collections import Counter
from collections.abc import Collection
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import NoReturn, TextIO

import typer
from tinydb.table import Document

from engine import operations, printing
from engine.clock import utc_now
from engine.exceptions import InputError
from engine.journal import FAILURES
from engine.lookup import find_entries, rows
from engine.operations import Verb
from engine.options import existing, looked_at
from engine.pausing import pause_of
from engine.selecting import Selection, select
from engine.store import Store
from engine.text import counted
from engine.worker import WorkerCommand, wait_for, worker_command


def do(
    verb: Verb,
    words: list[str],
    store: Path | None,
    processor: str | None,
    why: str | None,
    *,
    yes: bool,
    as_json: bool,
    dry_run: bool = False,
) -> NoReturn:
    """Do a verb to the entries that are meant by words, print what became of each, and end the command.

    Args:
        verb: what is done.
        words: keys, and a filter; see `engine.selecting.select`.
        store, processor, why: see `engine.operations.act`.
        yes: do not ask, although a filter chose them.
        as_json: print for programs.
        dry_run: print what would be done, and write nothing.

    Raises:
        typer.Exit: always, with the code of the command.
        InputError: somebody has to be asked, and there is no terminal to do so.
        StoreError: the store cannot be used.
    """
    with looked_at(store) if dry_run else existing(store) as opened:
        chosen = select(words, opened, processor, utc_now())
        if not chosen.count:
            printing.note(f"no entry answers to {chosen.filter}")
            raise typer.Exit(0)
        if dry_run:
            raise typer.Exit(_show(verb, chosen, opened, as_json=as_json))
        if chosen.filter and not yes and not _agreed(verb, chosen):
            printing.note("nothing was done")
            raise typer.Exit(1)
        raise typer.Exit(_act(verb, chosen, opened, why, as_json=as_json))


def _agreed(verb: Verb, chosen: Selection) -> bool:
    entries = counted(chosen.count, "entry", "entries")
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError(
            f"{verb.name} was not done: a filter chose {entries}, and there is no terminal to ask on whether these "
            "are meant; --yes does it without asking"
        )
    try:
        with redirect_stdout(sys.stderr):  # where else a part of the question would go
            return typer.confirm(f"{verb.name} {entries}?", prompt_suffix=" ", err=True)
    except typer.Abort:
        raise typer.Exit(130) from None


def _show(verb: Verb, chosen: Selection, store: Store, *, as_json: bool) -> int:
    """Print what would be done; the exit code of the command."""
    accepted = refused = 0
    fates: Counter[operations.Fate] = Counter()
    for processor, keys in chosen.keys.items():
        for at in range(0, len(keys), _SHOWN):
            page = keys[at : at + _SHOWN]
            seen = operations.preview(verb, page, store=store, processor=processor, shown=_SHOWN)
            for each in seen.entries:
                printing.previewed(verb.name, each, as_json=as_json)
            accepted, refused = accepted + seen.accepted, refused + seen.refused
            fates.update(seen.totals)
    if not as_json:
        printing.foreseen(verb.name, accepted, refused, fates)
    return 0 if accepted else 1


_SHOWN = 500
"""Of how many entries it is found out at once what would be done, so that it takes no more memory for a million."""


def _act(verb: Verb, chosen: Selection, store: Store, why: str | None, *, as_json: bool) -> int:
    """Do it, and have workers carry it out to the end; the exit code of the command."""
    refused = went_wrong = failed = False
    to_run: list[str] = []
    actions: list[int] = []
    entries: list[int] = []
    for processor, keys in chosen.keys.items():
        with printing.portion("entries") if len(keys) > _SHOWN else nullcontext() as progress:
            done = operations.act(verb, keys, store=store, processor=processor, why=why, progress=progress)
        printing.action(done, as_json=as_json)
        refused = refused or bool(done.refused)
        to_run += done.to_run
        actions += done.actions.values()
        if done.to_run:
            found = find_entries(store, done.accepted, processor).values()
            entries += [entry.doc_id for entry in found if isinstance(entry, Document)]
    if to_run:
        went_wrong = _run_workers(verb, dict.fromkeys(to_run), store, sys.stderr if as_json else None)
        wait_for(store, actions)
        failed = any(row.state in FAILURES for row in rows(store, utc_now(), entries))
    return 2 if went_wrong else 1 if failed or refused else 0


def _run_workers(verb: Verb, processors: Collection[str], store: Store, output: TextIO | None) -> bool:
    """Run a worker of each of these processors to its end, if it is not paused; whether one could not do its work."""
    commands = []
    for name in processors:
        if (pause := pause_of(store, name)) is not None:
            printing.note(f"{name} is {pause.words(utc_now())}: this is done after `wfe resume`")
        else:
            commands.append(worker_command(store, name, actions=True))
    codes = [_run_worker(command, verb.name, output) for command in commands]
    return any(code > 1 for code in codes)


def _run_worker(command: WorkerCommand, verb: str, output: TextIO | None) -> int:
    """Run a worker to its end; its exit code, 2 if a signal killed it."""
    try:
        code = subprocess.run(
            command.argv, cwd=command.folder, env=command.environment, stdout=output, check=False
        ).returncode
    except OSError as error:
        raise InputError(
            f"{verb} is recorded, yet no worker can be started ({error.strerror}: {error.filename}): "
            "run the workflow once from where it is now"
        ) from error
    return code if code >= 0 else 2
