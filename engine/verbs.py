"""The commands of `wfe` that act, on entries, a processor or a run. What they do is in `engine.operations`."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, TextIO

import typer

from engine import operations, printing
from engine.clock import utc_now
from engine.exceptions import InputError
from engine.journal import FAILURES
from engine.lookup import find_entry, rows
from engine.operations import ActionResult, Decision, Refusal
from engine.options import JsonOption, ProcessorOption, StoreOption, existing
from engine.pausing import pause_of
from engine.store import Store
from engine.worker import WorkerCommand, wait_for, worker_command

WhyOption = Annotated[str | None, typer.Option(help="A reason, for the record.", show_default=False)]
Keys = Annotated[list[str], typer.Argument(metavar="KEY...", help="Keys of entries.", show_default=False)]


class Switch(StrEnum):
    """The two positions of a repeat."""

    ON = "on"
    OFF = "off"


def repeat(
    switch: Switch,
    keys: Keys,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    why: WhyOption = None,
    json: JsonOption = False,
) -> None:
    """Set or clear the repeat of entries: the next run executes their failed task again, or not."""
    with existing(store) as opened:
        done = operations.toggle_repeat(keys, switch is Switch.ON, store=opened, processor=processor, why=why)
    printing.action(done, as_json=json)
    raise typer.Exit(1 if done.refused else 0)


def restart(
    keys: Keys,
    from_start: Annotated[bool, typer.Option("--from-start", help="Execute finished tasks again, too.")] = False,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    why: WhyOption = None,
    json: JsonOption = False,
) -> None:
    """Execute entries again now: from the failed task, or from the start."""
    with existing(store) as opened:
        done = operations.restart(keys, from_start, store=opened, processor=processor, why=why)
        code = _carry_out(done, opened, processor, as_json=json)
    raise typer.Exit(code)


def decide(
    verdict: Annotated[Decision, typer.Argument(help="Execute the task again, or take it as done.")],
    keys: Keys,
    store: StoreOption = None,
    processor: ProcessorOption = None,
    why: WhyOption = None,
    json: JsonOption = False,
) -> None:
    """Decide of entries in doubt, whose process died inside a task: again, or done. Then they go on now."""
    with existing(store) as opened:
        done = operations.decide(keys, verdict, store=opened, processor=processor, why=why)
        code = _carry_out(done, opened, processor, as_json=json)
    raise typer.Exit(code)


ProcessorName = Annotated[
    str, typer.Argument(metavar="PROCESSOR", help="MODULE:PROCESSOR, or its class name alone.", show_default=False)
]


def pause(processor: ProcessorName, store: StoreOption = None, why: WhyOption = None) -> None:
    """Let no task of a processor be started, in any run, until it is resumed."""
    with existing(store) as opened, _refusals("pause"):
        made = operations.pause(processor, store=opened, why=why)
    printing.note(f"{made.processor} is paused: it starts no task until `wfe resume`")


def resume(processor: ProcessorName, store: StoreOption = None) -> None:
    """End the pause of a processor."""
    with existing(store) as opened, _refusals("resume"):
        ended = operations.resume(processor, store=opened)
    printing.note(f"{ended.processor} is resumed, it was {ended.words(utc_now())}")


RunNumber = Annotated[int, typer.Argument(metavar="RUN", help="The number of a run that goes on.", show_default=False)]


def stop(run: RunNumber, store: StoreOption = None, why: WhyOption = None) -> None:
    """Let a run begin nothing more: what is under way ends, then the run ends, and its worker."""
    with existing(store) as opened, _refusals("stop"):
        processor = operations.stop(run, store=opened, why=why)
    printing.note(f"run {run} of {processor} begins nothing more, and ends when what is under way has ended")


def drain(run: RunNumber, store: StoreOption = None, why: WhyOption = None) -> None:
    """Let a run take no new entry: those begun go through their tasks, then the run ends, and its worker."""
    with existing(store) as opened, _refusals("drain"):
        processor = operations.drain(run, store=opened, why=why)
    printing.note(f"run {run} of {processor} takes no new entry, and ends when those that it has begun are through")


@contextmanager
def _refusals(verb: str) -> Iterator[None]:
    """Say why a verb was not done to a processor or a run; then the exit code is 1."""
    try:
        yield
    except Refusal as refusal:
        printing.note(f"{verb}: refused: {refusal}")
        raise typer.Exit(1) from None


def _carry_out(done: ActionResult, store: Store, processor: str | None, *, as_json: bool) -> int:
    """Print what was accepted, and run the workers that it asks for to their end; the exit code of the command."""
    printing.action(done, as_json=as_json)
    commands = []
    for name in done.to_run:
        if (pause := pause_of(store, name)) is not None:
            printing.note(f"{name} is {pause.words(utc_now())}: this is done after `wfe resume`")
        else:
            commands.append(worker_command(store, name, actions=True))
    output = sys.stderr if as_json else None
    went_wrong = [code for command in commands if (code := _run_worker(command, done.verb, output)) > 1]
    wait_for(store, done.actions.values())
    entries = [find_entry(store, key, processor).doc_id for key in done.accepted]
    failed = any(row.state in FAILURES for row in rows(store, utc_now(), entries))
    return 2 if went_wrong else 1 if failed or done.refused else 0


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
