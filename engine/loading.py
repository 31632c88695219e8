"""From `MODULE:PROCESSOR`, as the shell takes it, to a processor."""

import importlib
import importlib.util
import inspect
import sys
from datetime import datetime
from pathlib import Path

from engine.errors import one_line
from engine.exceptions import EngineError, InputError
from engine.processor import Processor
from engine.settings import read_settings
from engine.store import Store
from engine.stored import StoredProcessor

EXTRAS = {"dask": "dask", "distributed": "dask", "opentelemetry": "otel"}
"""What an import is missing, and the extra of ours that brings it."""


def load_processor(name: str) -> type[Processor]:
    """The class that `MODULE:PROCESSOR` names; MODULE may be the path of a Python file.

    It is looked for in the current folder, then where the file of the settings lies, then among what is installed.

    Raises:
        InputError: there is no such module or name, it cannot be imported, or it is no processor.
    """
    module_name, colon, class_name = name.rpartition(":")
    if not colon or not module_name or not class_name:
        raise InputError(f"{name!r} names no processor: write MODULE:PROCESSOR, as orders:Orders or orders.py:Orders")
    module = _module(module_name)
    found = getattr(module, class_name, None)
    if found is None:
        near = ", ".join(_processors_in(module)) or "none"
        raise InputError(f"{module_name} has no {class_name!r}; the processors in it: {near}")
    if not (inspect.isclass(found) and issubclass(found, Processor)):
        raise InputError(f"{name} is not a processor, a subclass of engine.Processor or engine.StoredProcessor")
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise InputError(f"{name} is not complete: it must implement {missing}")
    return found


def make_processor(kind: type[Processor], store: Store | None, consider_date: datetime | str | None) -> Processor:
    """An instance of a processor; only a `StoredProcessor` is handed the store.

    Raises:
        InputError: its constructor takes other arguments, or raises.
    """
    arguments: dict[str, object] = {}
    if store is not None and issubclass(kind, StoredProcessor):
        arguments["store"] = store
    if consider_date is not None:
        arguments["consider_date"] = consider_date
    try:
        inspect.signature(kind).bind(**arguments)
    except TypeError as error:
        given = ", ".join(arguments) or "no arguments"
        raise InputError(f"{kind.__name__} cannot be made ({error}): its __init__ must do with {given}") from error
    try:
        return kind(**arguments)  # type: ignore[arg-type]
    except EngineError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"{kind.__name__} cannot be made: {one_line(error)}{raised_at(error)}") from error


def raised_at(error: BaseException) -> str:
    """The place in the code where an exception was raised, to be put behind its text."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f" ({trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno})" if trace else ""


def _module(name: str) -> object:
    folder, file = Path.cwd(), None
    if name.endswith(".py"):
        file = Path(name).resolve()
        if not file.is_file():
            raise InputError(f"there is no file {file}")
        folder, name = file.parent, file.stem
    for place in (read_settings().folder, folder):
        if place is not None and str(place) not in sys.path:
            sys.path.insert(0, str(place))
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise InputError(f"there is no module {name!r} in {folder}, nor is one installed") from error
        extra = EXTRAS.get(str(error.name).partition(".")[0])
        brought = f": `pip install 'wfe-tui[{extra}]'` brings it" if extra else ""
        missing = f"it needs {error.name!r}, which is not installed{brought}"
        raise InputError(f"{name} cannot be imported: {missing}") from error
    except (Exception, SystemExit) as error:
        raise InputError(f"{name} cannot be imported: {one_line(error)}{raised_at(error)}") from error
    if file and Path(module.__file__ or "").resolve() != file:
        raise InputError(f"{file} has the name of another module, {name!r}: rename the file")
    return module


def _processors_in(module: object) -> list[str]:
    own = getattr(module, "__name__", None)
    classes = {name: value for name, value in vars(module).items() if inspect.isclass(value)}
    return sorted(name for name, kind in classes.items() if issubclass(kind, Processor) and kind.__module__ == own)
