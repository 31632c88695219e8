"""Does a verb to entries from the shell: asks where a filter chose them, acts, or shows what it would do, and has
workers carry out what it asks for."""

import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TextIO

import typer

from engine import operations
from engine.clock import utc_now
from engine.commands import printing
from engine.commands.options import existing, looked_at
from engine.commands.printing.acts import (
    print_action,
    print_advice,
    print_answer,
    print_foreseen,
    print_outcome,
    print_preview,
)
from engine.commands.printing.progress import portion
from engine.commands.selecting import Selection, select
from engine.exceptions import InputError
from engine.groups import most_frequent
from engine.operations import Basis, Refusal, Verb
from engine.pausing import pause_of
from engine.store import Store
from engine.text import counted
from engine.verdicts import Verdict, verdicts_of
from engine.worker.actions import WorkerCommand, wait_for, worker_command
from engine.worker.canary import Canary


@dataclass(frozen=True)
class Planned:
    """Whether an act is done or only shown: `dry_run` shows it and writes it into the file `out`, `plan` is a file with
    what is to be done."""

    dry_run: bool = False
    out: Path | None = None
    plan: Path | None = None


def do(
    verb: Verb,
    words: list[str] | None,
    store: Path | None,
    processor: str | None,
    why: str | None,
    *,
    yes: bool,
    as_json: bool,
    planned: Planned = Planned(),
    canary: Canary | None = None,
) -> NoReturn:
    """Do a verb to the entries that are meant by words, print what became of each, and end the command.

    Args:
        verb: what is done.
        words: keys, and a filter; see `engine.commands.selecting.select`.
        store, processor, why: see `engine.operations.act`.
        yes: do not ask, although a filter chose them.
        as_json: print for programs.
        planned: whether it is done.
        canary: how a few entries are tried first.

    Raises:
        typer.Exit: always, with the code of the command.
        InputError: no entry is named, somebody has to be asked and there is no terminal to do so, or the plan is none.
        StoreError: the store cannot be used.
    """
    if planned.out is not None and not planned.dry_run:
        raise InputError("--out writes what --dry-run shows: give both, or neither")
    if planned.plan is not None and (words or planned.dry_run):
        raise InputError("--plan says what is done to which entries: leave out KEY and --dry-run")
    if not words and planned.plan is None:
        raise InputError(f"{verb.name} needs to know which entries are meant: give keys, or a filter as state:failed")
    basis = Basis.read(planned.plan, verb.name) if planned.plan is not None else None
    with looked_at(store) if planned.dry_run else existing(store) as opened:
        if basis is not None:
            chosen = Selection({processor: keys for processor, keys in basis.keys().items()}, "")  # noqa: C416
        else:
            chosen = select(words or [], opened, processor, utc_now())
        if not chosen.count:
            printing.note(f"no entry answers to {chosen.filter}" if chosen.filter else "the plan has no entry")
            raise typer.Exit(0)
        if planned.dry_run:
            raise typer.Exit(_show(verb, chosen, opened, planned.out, as_json=as_json))
        if chosen.filter and not yes and not _agreed(verb, chosen):
            printing.note("nothing was done")
            raise typer.Exit(1)
        raise typer.Exit(_act(verb, chosen, opened, why, basis, canary, as_json=as_json))


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


def _show(verb: Verb, chosen: Selection, store: Store, out: Path | None, *, as_json: bool) -> int:
    """Print what would be done; the exit code of the command."""
    accepted = refused = 0
    basis = Basis(verb.name, tuple(verb.words), utc_now())
    fates: Counter[operations.Fate] = Counter()
    causes: Counter[str] = Counter()
    for processor, keys in chosen.keys.items():
        for at in range(0, len(keys), _SHOWN):
            page = keys[at : at + _SHOWN]
            seen = operations.preview(verb, page, store=store, processor=processor, shown=_SHOWN)
            for each in seen.entries:
                print_preview(verb.name, each, as_json=as_json)
            accepted, refused = accepted + seen.accepted, refused + seen.refused
            fates.update(seen.totals)
            causes.update(seen.causes)
            basis.stamps.update(seen.basis.stamps)
    if not as_json:
        print_foreseen(verb.name, accepted, refused, fates)
        print_advice(most_frequent(store, causes))
    if out is not None:
        basis.save(out)
        printing.note(f"plan {basis.fingerprint} is in {out}")
    return 0 if accepted else 1


_SHOWN = 500
"""Of how many entries it is found out at once what would be done, so that it takes no more memory for a million."""


def _act(
    verb: Verb, chosen: Selection, store: Store, why: str | None, basis: Basis | None, canary: Canary | None, *,
    as_json: bool,
) -> int:  # fmt: skip
    """Do it, and have workers carry it out to the end; the exit code of the command."""
    refused = went_wrong = failed = False
    unread: OSError | None = None
    to_run: list[str] = []
    actions: list[int] = []
    for processor, keys in chosen.keys.items():
        with portion("entries") if len(keys) > _SHOWN else nullcontext() as progress:
            done = operations.act(
                verb, keys, store=store, processor=processor, why=why, progress=progress, basis=basis, canary=canary
            )
        try:
            print_action(done, as_json=as_json)
        except OSError as error:  # what is recorded is carried out, whether or not somebody reads
            unread = error
        refused = refused or bool(done.refused)
        to_run += done.to_run
        actions += done.actions.values()
    if to_run:
        went_wrong = run_workers(verb.name, dict.fromkeys(to_run), store, sys.stderr if as_json else None)
        wait_for(store, actions)
        for action in actions:
            verdicts = verdicts_of(store, action)
            print_outcome(action, verdicts)
            failed = failed or bool(verdicts.keys() & {Verdict.SAME_ERROR, Verdict.NEW_ERROR})
    if unread is not None:
        raise unread
    return 2 if went_wrong else 1 if failed or refused else 0


def run_workers(verb: str, processors: Collection[str], store: Store, output: TextIO | None) -> bool:
    """Run a worker of each of these processors to its end, if it is not paused; whether one could not do its work.

    Args:
        verb: the name of what was asked for.
        processors: `module:Class`.
        store: where it was asked for.
        output: where the workers print; None is standard output.

    Raises:
        InputError: a worker cannot be started.
    """
    commands = []
    for name in processors:
        if (pause := pause_of(store, name)) is not None:
            printing.note(f"{name} is {pause.words(utc_now())}: this is done after `wfe resume`")
        else:
            commands.append(worker_command(store, name, actions=True))
    with suppress(OSError):  # that nobody reads it is told at the end, and keeps nothing from being done
        sys.stdout.flush()  # what was printed stands before what the workers print
    codes = [_run_worker(command, verb, output) for command in commands]
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


@contextmanager
def refusals(verb: str, key: str, *, as_json: bool) -> Iterator[None]:
    """Say why a verb was not done to something that is no entry, but is named by a key; then the exit code is 1."""
    try:
        yield
    except Refusal as refusal:
        print_answer(verb, key, f"{verb}: refused: {refusal}", as_json=as_json, refused=str(refusal))
        raise typer.Exit(1) from None
