"""`wfe-tui`: the console. `make_app` is the one factory, for the command, the tests and the pictures."""

import gc
import os
import sys
from pathlib import Path
from typing import Annotated

gc.disable()  # until the app has what stays: to look through what is imported would hold up the first rows

import typer

from engine.clock import Clock, parse_past, utc_now
from engine.exceptions import EngineError, InputError
from engine.settings import read_settings
from engine.store import Store, may_write, store_path
from wfe_tui.app import Settings, WfeApp
from wfe_tui.check import check_processor
from wfe_tui.config import config_path, read_config
from wfe_tui.demo import demo_store
from wfe_tui.memory import memory_path
from wfe_tui.routes import Route, is_route, parse_route

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
    place: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PLACE] [MODULE:PROCESSOR]",
            help="Where to open it, as entries?state:failed, errors/v1:9f2a or runs/12; what N starts while the store "
            "is empty, and whose entry --entry means.",
            show_default=False,
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(
            help="The store. Default: the one that is set, else ./wfe.db if there, else the user's data folder.",
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
    read_only: Annotated[bool, typer.Option("--read-only", help="Look, and change nothing.")] = False,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="MOMENT", help="As it was at 02:15, '2026-11-27 02:15', or 2h ago; read only.", show_default=False
        ),
    ] = None,
    ascii_only: Annotated[
        bool | None, typer.Option("--ascii/--no-ascii", help="Draw with ASCII alone.", show_default=False)
    ] = None,
    mouse: Annotated[
        bool, typer.Option("--mouse/--no-mouse", help="Leave the mouse to the terminal, which selects text with it.")
    ] = True,
    serve: Annotated[
        bool, typer.Option("--serve", help="Show it in a browser on this machine, read only unless --writable.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where --serve listens; 0 is any that is free.")] = 0,
    writable: Annotated[bool, typer.Option("--writable", help="Let the browser act, too.")] = False,
) -> None:
    """See the entries of a store, why some failed, and repair, restart, skip or hold them."""
    path = demo_store() if demo and store is None else store_path(store)
    settings = read_settings()
    route, processor = _places(place or [], error, entry)
    moment = parse_past(at, utc_now()) if at else None
    config = read_config(config_path())
    if ascii_only is not None:
        config = config.model_copy(update={"ascii": ascii_only})
    if processor:
        check_processor(processor)
    _check_store(path)
    if serve:
        gc.enable()
        from wfe_tui.serve import serve as serve_console

        words = [*([str(route)] if route else []), *([processor] if processor else [])]
        where = [] if store is None else ["--store", str(path.absolute())]
        flags = [*where, *(["--demo"] if demo else []), *(["--at", at] if at else [])]
        serve_console([*flags, "--", *words], port=port, writable=writable and not read_only)
        return
    if "TEXTUAL_DRIVER" not in os.environ and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputError("wfe-tui needs a terminal to draw on: in a script or a pipe use `wfe ls`")
    default = None if demo else settings.processor
    is_protected = settings.protected and not demo
    app = make_app(
        Settings(path, processor or default, demo, route, read_only, config, memory_path(), moment, is_protected)
    )
    app.run(mouse=mouse)
    if app.failure is not None:
        raise app.failure
    raise typer.Exit(app.return_code or 0)


def _places(words: list[str], error: str | None, entry: str | None) -> tuple[Route | None, str | None]:
    """Where to open the console, if that was said, and the processor that was named."""
    routes = [word for word in words if is_route(word)]
    processors = [word for word in words if not is_route(word)]
    asked = [*routes, *(f"--error {id_}" for id_ in [error] if id_), *(f"--entry {key}" for key in [entry] if key)]
    if len(asked) > 1 or len(processors) > 1:
        raise InputError(f"{' and '.join(asked if len(asked) > 1 else processors)}: name one of them")
    processor = processors[0] if processors else None
    if error:
        return Route("errors", error), processor
    if entry:
        return Route("entries", entry, processor=processor), processor
    return (parse_route(routes[0]) if routes else None), processor


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
        from engine.commands.printing import refusal

        refusal(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
