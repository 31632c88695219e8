"""`wfe`: runs workflows, and every operator's verb from a shell.

Results go to standard output, people's words to standard error. Exit code 0: nothing failed; 1: entries failed, were
interrupted, or refused an act; 2: the command could not run, or was given an entry that it cannot accept; 130: stopped
by ctrl+c.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from engine import printing, upkeep, verbs
from engine.clock import utc_now
from engine.errors import one_line
from engine.exceptions import EngineError, InputError
from engine.journal import RunResult
from engine.loading import load_processor, make_processor, raised_at
from engine.lookup import find_entry, find_error, rows
from engine.options import JsonOption, ProcessorOption, StoreOption, looked_at
from engine.pausing import pauses
from engine.records import read_plan
from engine.store import Store, store_path
from engine.stored import StoredProcessor
from engine.worker import execute_actions

app = typer.Typer(
    help="Runs workflows, and repairs what failed.", no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    pretty_exceptions_enable=False,
)  # fmt: skip


@app.command()
def run(
    processor: Annotated[
        str, typer.Argument(metavar="MODULE:PROCESSOR", help="As orders:Orders or jobs/orders.py:Orders.")
    ],
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY]...", help="Only these entries.", show_default=False)
    ] = None,
    store: StoreOption = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="At most so many eligible entries.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Call the tasks with dry_run=True and write nothing.")
    ] = False,
    consider_date: Annotated[
        str | None,
        typer.Option(metavar="DD.MM.YYYY", help="Judge due dates and repeats as at this date.", show_default=False),
    ] = None,
    actions: Annotated[bool, typer.Option("--actions", help="Execute what operators asked for, then end.")] = False,
) -> None:
    """Run a workflow once: consider each of its entries, and show a summary."""
    if actions and (keys or limit is not None or dry_run):
        raise InputError("--actions does what operators asked for, all of it: leave out KEY, --limit and --dry-run")
    kind = load_processor(processor)
    if not issubclass(kind, StoredProcessor):
        if actions:
            raise InputError(f"{processor} keeps its entries itself: --actions needs a StoredProcessor")
        logging.basicConfig(level=logging.ERROR, handlers=[printing.log_handler()])
        with _workflow_errors(processor), printing.progress() as observe:
            made = make_processor(kind, None, consider_date)
            made.observer = observe
            result = made.process_entries(keys or None, limit, dry_run)
        _finish([result])
        return
    with _store_of_run(store_path(store), dry_run) as opened, _workflow_errors(processor):
        made = make_processor(kind, opened, consider_date)
        assert isinstance(made, StoredProcessor)
        with printing.progress() as observe:
            made.observer = observe
            results = execute_actions(made) if actions else [made.process_entries(keys or None, limit, dry_run)]
    _finish(results)


@app.command()
def ls(store: StoreOption = None, json: JsonOption = False) -> None:
    """List the entries of the store."""
    with looked_at(store) as opened:
        printing.entries(rows(opened, utc_now()), as_json=json, now=utc_now())
        for pause in () if json else pauses(opened):
            printing.note(f"{pause.processor} is {pause.words(utc_now())}")


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="Key of an entry.")],
    store: StoreOption = None,
    processor: ProcessorOption = None,
    json: JsonOption = False,
) -> None:
    """Show one entry: its tasks, what happens next, and its data."""
    with looked_at(store) as opened:
        document = find_entry(opened, key, processor)
        now = utc_now()
        printing.entry(document, next(rows(opened, now, [document.doc_id])), read_plan(document, now), as_json=json)


@app.command()
def error(
    error_id: Annotated[str, typer.Argument(help="An error id, or its beginning.")],
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Show the stack trace of an error id."""
    with looked_at(store) as opened:
        printing.error(find_error(opened, error_id), as_json=json)


for _verb in (
    verbs.repeat, verbs.restart, verbs.decide, verbs.pause, verbs.resume,
    upkeep.export, upkeep.import_, upkeep.backup, upkeep.prune, upkeep.check,
):  # fmt: skip
    app.command(_verb.__name__.rstrip("_"))(_verb)


def main() -> None:
    """The command `wfe`."""
    try:
        app()
    except EngineError as error:
        printing.refusal(str(error))
        sys.exit(2)


@contextmanager
def _workflow_errors(name: str) -> Iterator[None]:
    """What a workflow raises outside its entries ends the run, with a sentence in place of its stack trace."""
    try:
        yield
    except EngineError:
        raise
    except (Exception, SystemExit) as error:
        where = " ".join(getattr(error, "__notes__", [])) or raised_at(error)
        raise InputError(f"{name} cannot go on: {one_line(error)}: {where}") from error


@contextmanager
def _store_of_run(path: Path, dry_run: bool) -> Iterator[Store]:
    """The store of a run, made if it is missing; a dry run makes one for itself, which leaves no trace."""
    with ExitStack() as stack:
        if dry_run and not path.exists():
            path = Path(stack.enter_context(TemporaryDirectory())) / path.name
        yield stack.enter_context(Store(path))


def _finish(results: list[RunResult]) -> None:
    for result in results:
        printing.summary(result)
    if any(result.refused for result in results):
        raise typer.Exit(2)
    raise typer.Exit(1 if any(result.failed for result in results) else 0)
