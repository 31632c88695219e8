"""`wfe-tui`: the console. `make_app` is the one factory, for the command, the tests and the pictures."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.clock import Clock, utc_now
from engine.exceptions import EngineError, InputError
from engine.printing import refusal
from engine.store import Store, may_write, store_path
from wfe_tui.app import Settings, WfeApp
from wfe_tui.check import check_processor
from wfe_tui.demo import demo_store
from wfe_tui.routes import ENTRIES, Route

command = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def make_app(settings: Settings, clock: Clock = utc_now) -> WfeApp:
    """The console, not yet running.

    Args:
        settings: what it is opened on.
        clock: the moment that states and ages are shown for.
    """
    return WfeApp(settings, clock)


@command.command()
def open_console(
    processor: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODULE:PROCESSOR]", help="What N starts while the store is empty.", show_default=False
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(
            help="The store. Default: $WFE_STORE, else ./wfe.db if there, else the user's data folder.",
            show_default=False,
        ),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Audit the Python packages on this machine, some broken.")
    ] = False,
    error: Annotated[
        str | None, typer.Option(metavar="ERROR_ID", help="Open the stack trace of this error id.", show_default=False)
    ] = None,
    entry: Annotated[str | None, typer.Option(metavar="KEY", help="Open this entry.", show_default=False)] = None,
) -> None:
    """See the entries of a store, why some failed, and restart them."""
    path = demo_store() if demo and store is None else store_path(store)
    route = Route("errors", error) if error else Route("entries", entry) if entry else ENTRIES
    if processor:
        check_processor(processor)
    _check_store(path)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputError("wfe-tui needs a terminal to draw on: in a script or a pipe use `wfe ls`")
    app = make_app(Settings(path, processor, demo, route))
    app.run()
    if app.failure is not None:
        raise app.failure
    raise typer.Exit(app.return_code or 0)


def _check_store(path: Path) -> None:
    """Refuse a store that cannot be used, before the screen is taken; one that is not there yet is none."""
    try:
        if path.exists():
            Store(path, read_only=not may_write(path)).close()
    except OSError as error:
        raise InputError(f"the store {path} cannot be looked for ({error.strerror}): name another") from error


def main() -> None:
    """The command `wfe-tui`."""
    try:
        command()
    except EngineError as error:
        refusal(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
