"""The commands of `wfe` that execute workflows: run, once, and work, which stays."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NoReturn

import typer

from engine.clock import parse_duration, utc_now
from engine.commands import completing, printing
from engine.commands.ending import end_if_a_thread_hangs
from engine.commands.options import JsonOption, StoreOption, named_processor
from engine.commands.printing.log import log_to_stderr
from engine.commands.printing.progress import progress
from engine.commands.printing.runs import print_summary
from engine.errors import one_line
from engine.exceptions import EngineError, InputError
from engine.executors import Executor, make_executor
from engine.journal.base import Ending, RunResult
from engine.loading import load_processor, make_processor, raised_at
from engine.pausing import pause_of
from engine.processor import Processor
from engine.runner.stopping import stopped_by_signals
from engine.settings import Settings, read_settings
from engine.store import Store, store_path
from engine.stored import StoredProcessor
from engine.worker.actions import execute_actions
from engine.worker.staying import Worker

ProcessorArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="MODULE:PROCESSOR",
        help="As orders:Orders or jobs/orders.py:Orders. Default: the one that is set.",
        show_default=False,
        autocompletion=completing.processors,
    ),
]
WorkersOption = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Execute tasks in N threads.", show_default=False)
]
ProcessesOption = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Execute tasks in N processes.", show_default=False)
]
DaskOption = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Execute tasks on the Dask cluster of this scheduler.", show_default=False),
]
GraceOption = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", min=0, max=86_400, show_default=False,
        help="How long tasks may go on after SIGINT or SIGTERM. Default: 30.",
    ),
]  # fmt: skip
VerboseOption = Annotated[
    int, typer.Option("-v", count=True, help="Log what is done to standard error; -vv logs all.", show_default=False)
]
DateOption = Annotated[
    str | None,
    typer.Option(metavar="DD.MM.YYYY", help="Judge due dates and repeats as at this date.", show_default=False),
]


def run(
    processor: ProcessorArgument = None,
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY", help="Only these entries.", show_default=False, autocompletion=completing.keys),
    ] = None,
    store: StoreOption = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="At most so many eligible entries.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Call the tasks with dry_run=True and write nothing.")
    ] = False,
    consider_date: DateOption = None,
    actions: Annotated[bool, typer.Option("--actions", help="Execute what operators asked for, then end.")] = False,
    workers: WorkersOption = None,
    processes: ProcessesOption = None,
    dask: DaskOption = None,
    grace: GraceOption = None,
    verbose: VerboseOption = 0,
    json: JsonOption = False,
) -> None:
    """Run a workflow once: consider each of its entries, and show a summary.

    SIGINT and SIGTERM let it end in order (exit code 130, 143); a second one breaks it off.
    """
    settings = read_settings()
    name, only = named_processor([*filter(None, [processor]), *(keys or ())], settings)
    if actions and (only or limit is not None or dry_run):
        raise InputError("--actions does what operators asked for, all of it: leave out KEY, --limit and --dry-run")
    executor = _executor(workers, processes, dask, settings)
    kind = load_processor(name)
    if actions and not issubclass(kind, StoredProcessor):
        raise InputError(f"{name} keeps its entries itself: --actions needs a StoredProcessor")
    is_stored = issubclass(kind, StoredProcessor)
    if verbose or not is_stored:  # else the store has the errors, and the summary names them
        log_to_stderr(verbose)
    with ExitStack() as stack:
        opened = stack.enter_context(_store_of_run(store_path(store), dry_run)) if is_stored else None
        made = stack.enter_context(_made(name, kind, opened, consider_date))
        made.observer = stack.enter_context(progress())

        def execute() -> list[RunResult]:
            if actions and isinstance(made, StoredProcessor):
                return execute_actions(made, executor=executor)
            return [made.process_entries(only or None, limit, dry_run, executor=executor)]

        results = _until_stopped(made, settings.grace if grace is None else grace, execute)
        stopped_by = _stopped_by(made, opened)
    if any(result.ending is Ending.ABORTED for result in results):
        printing.note("broken off: what was under way is in doubt, `wfe ls` shows it")
    for result in results:  # after what people have to know: who read this may have been ended by the same ctrl+c
        print_summary(result, as_json=json)
    if made.stopping.signal is not None:
        _end(128 + made.stopping.signal)
    if stopped_by:
        printing.note(stopped_by)
    _end(2 if any(result.refused for result in results) else 1 if any(result.failed for result in results) else 0)


def _stopped_by(processor: Processor, store: Store | None) -> str:
    """What an operator has done that ended the runs of a processor, or keeps it from any; nothing if nobody has."""
    if store is None or not isinstance(processor, StoredProcessor):
        return ""
    if processor.stopping.is_asked:
        return "an operator asked it to end: `wfe stop` or `wfe drain`"
    pause = pause_of(store, processor.name)
    return f"{pause.processor} is {pause.words(utc_now())}: it starts no task until `wfe resume`" if pause else ""


def work(
    processor: ProcessorArgument = None,
    every: Annotated[
        str | None, typer.Option(metavar="TIME", help="As 1m: a run at the start, and so often.", show_default=False)
    ] = None,
    store: StoreOption = None,
    workers: WorkersOption = None,
    processes: ProcessesOption = None,
    dask: DaskOption = None,
    grace: GraceOption = None,
    verbose: VerboseOption = 0,
) -> None:
    """Do what operators ask for and what becomes due, at once, until it is stopped.

    It ends at SIGINT or SIGTERM, as `run` does, when an operator stops its run, and with exit code 2 if the store is
    lost.
    """
    settings = read_settings()
    name, _ = named_processor([*filter(None, [processor])], settings)
    interval = _interval(every or settings.every)
    executor = _executor(workers, processes, dask, settings)
    kind = load_processor(name)
    if not issubclass(kind, StoredProcessor):
        raise InputError(f"{name} keeps its entries itself: to work on it needs a StoredProcessor")
    log_to_stderr(max(verbose, 1))
    path = store_path(store)
    Store(path).close()  # a store that cannot be used is refused before anything else
    with _made(name, kind, None, None) as made:
        assert isinstance(made, StoredProcessor)
        worker = Worker(made, lambda: Store(path), every=interval, executor=executor)
        _until_stopped(made, settings.grace if grace is None else grace, worker.work)
    _end(128 + made.stopping.signal if made.stopping.signal is not None else 0)


def _interval(every: str | None) -> timedelta | None:
    interval = None if every is None else parse_duration(every)
    if interval is not None and not interval:
        raise InputError(f"--every {every} is no pause at all: write a time of at least a second, as 1m")
    return interval


def _executor(workers: int | None, processes: int | None, dask: str | None, settings: Settings) -> Executor | None:
    if (workers, processes, dask) == (None, None, None):
        workers, processes, dask = settings.workers, settings.processes, settings.dask
    given = [name for name, value in (("--workers", workers), ("--processes", processes), ("--dask", dask)) if value]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} exclude each other: give one of them")
    if dask is not None:
        from engine.executors.dask import DaskExecutor  # an extra

        return DaskExecutor(dask)
    return make_executor("processes", processes) if processes else make_executor(None, workers)


@contextmanager
def _made(name: str, kind: type[Processor], store: Store | None, date: str | None) -> Iterator[Processor]:
    """The processor; what it raises outside its entries ends the run, with a sentence in place of its stack trace."""
    try:
        yield make_processor(kind, store, date)
    except EngineError:
        raise
    except (Exception, SystemExit) as error:
        where = " ".join(getattr(error, "__notes__", [])) or raised_at(error)
        raise InputError(f"{name} cannot go on: {one_line(error)}: {where}") from error


def _until_stopped(
    processor: Processor, grace: float, execute: Callable[[], list[RunResult] | None]
) -> list[RunResult]:
    """Execute until it is through, or a signal stops it; what it answers."""
    try:
        with stopped_by_signals(processor.stopping, grace):
            return execute() or []
    except KeyboardInterrupt:  # before the run had begun, or after its end
        return []


@contextmanager
def _store_of_run(path: Path, dry_run: bool) -> Iterator[Store]:
    """The store of a run, made if it is missing; a dry run makes one for itself, which leaves no trace."""
    with ExitStack() as stack:
        if dry_run and not path.exists():
            path = Path(stack.enter_context(TemporaryDirectory())) / path.name
        yield stack.enter_context(Store(path))


def _end(code: int) -> NoReturn:
    end_if_a_thread_hangs(code)
    raise typer.Exit(code)
