"""What a project has set for `wfe` and `wfe-tui`: in the environment, or in a file that lies with the project.

The command line goes first, then the environment (`WFE_STORE`), then the nearest file in the current folder or above:
`wfe.toml`, or the table `[tool.wfe]` of a `pyproject.toml`; then the default.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from engine.clock import parse_duration
from engine.exceptions import InputError


class Kind(NamedTuple):
    """What a setting may be: in words, how a text of the environment is read, and whether a value is such a one."""

    allowed: str
    of_text: Callable[[str], Any]
    suits: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_time(value: Any) -> bool:
    try:
        return _is_text(value) and bool(parse_duration(value))
    except InputError:
        return False


TEXT = Kind("a text", str, _is_text)
PATH = Kind("a path", str, _is_text)
PROCESSOR = Kind("MODULE:PROCESSOR", str, lambda value: _is_text(value) and all(value.rpartition(":")))
NUMBER = Kind("a whole number from 1", int, lambda value: type(value) is int and value >= 1)
SECONDS = Kind("seconds, from 0 to 86400", float, lambda value: type(value) in (int, float) and 0 <= value <= 86_400)
TIME = Kind("a time, as 10m", str, _is_time)
SWITCH = Kind("true or false", {"true": True, "false": False}.get, lambda value: isinstance(value, bool))


class Origin(NamedTuple):
    """Where a value was set: `source` is `environment` or `file`, `place` the variable, or the file and the key."""

    source: str
    place: str


@dataclass(frozen=True)
class Settings:
    """What counts where the command line says nothing. Each setting has a default."""

    store: Annotated[Path | None, PATH] = None
    """The store's file; None: see `engine.store.store_path`."""

    processor: Annotated[str | None, PROCESSOR] = None
    """The processor that is meant where none is named."""

    workers: Annotated[int | None, NUMBER] = None
    """So many threads execute the tasks of a run."""

    processes: Annotated[int | None, NUMBER] = None
    """So many processes do."""

    dask: Annotated[str | None, TEXT] = None
    """The Dask cluster of the scheduler with this address does."""

    grace: Annotated[float, SECONDS] = 30.0
    """Seconds that tasks may go on after SIGINT or SIGTERM."""

    every: Annotated[str | None, TIME] = None
    """How often `wfe work` makes a run; None: never by itself."""

    protected: Annotated[bool, SWITCH] = False
    """Whether the console asks for the store's name before what cannot be undone."""

    folder: Path | None = None
    """Where the file lies in which some of it may be set, if there is one."""

    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Where each of those is set that are."""


KINDS: Mapping[str, Kind] = {
    name: hint.__metadata__[0] for name, hint in Settings.__annotations__.items() if hasattr(hint, "__metadata__")
}
"""What each setting may be, by its name."""

EXECUTORS = ("workers", "processes", "dask")
"""They exclude each other: the one that is set nearest to the command line counts alone."""


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"WFE_{name.upper()}"


def read_settings() -> Settings:
    """What is set for who stands in the current folder.

    Raises:
        InputError: a file cannot be read, or it or the environment holds what is no setting.
    """
    here = Path.cwd()
    found = _from_environment(here)
    file = next((file for folder in (here, *here.parents) if (file := _in_folder(folder)) is not None), None)
    if file is not None:
        is_executor_set = not found.keys().isdisjoint(EXECUTORS)
        for name, value in _from_file(*file).items():
            if not (name in found or (is_executor_set and name in EXECUTORS)):
                found[name] = value
    values = {name: value for name, (value, _) in found.items()}
    origins = {name: origin for name, (_, origin) in found.items()}
    return Settings(**values, folder=file[0].parent if file is not None else None, origins=origins)


_Found = dict[str, tuple[Any, Origin]]


def _from_environment(here: Path) -> _Found:
    found: _Found = {}
    for name, kind in KINDS.items():
        if text := os.environ.get(variable(name)):
            try:
                value = kind.of_text(text)
            except ValueError:
                value = None
            found[name] = _checked(name, text, value, here, Origin("environment", variable(name)))
    return _with_one_executor(found)


def _from_file(file: Path, table: object, prefix: str) -> _Found:
    if not isinstance(table, Mapping):
        raise InputError(f"{file}: {prefix.rstrip('.')} is no table: write [{prefix.rstrip('.')}]")
    found: _Found = {}
    for name, value in table.items():
        if name not in KINDS:
            raise InputError(f"{file}: there is no setting {prefix}{name}; {_near(name)} {', '.join(KINDS)}")
        found[name] = _checked(name, value, value, file.parent, Origin("file", f"{file}: {prefix}{name}"))
    return _with_one_executor(found)


def _checked(name: str, given: Any, value: Any, folder: Path, origin: Origin) -> tuple[Any, Origin]:
    """A value as it counts: what a relative path in it starts from is `folder`."""
    if not KINDS[name].suits(value):
        raise InputError(f"{origin.place} is {given!r}: it has to be {KINDS[name].allowed}")
    if name == "store":
        value = folder / Path(value).expanduser()
    elif name == "processor" and (parts := value.rpartition(":"))[0].endswith(".py"):
        value = f"{folder / Path(parts[0]).expanduser()}:{parts[2]}"
    return value, origin


def _with_one_executor(found: _Found) -> _Found:
    places = [found[name][1].place for name in EXECUTORS if name in found]
    if len(places) > 1:
        raise InputError(f"{' and '.join(places)} exclude each other: set one of them")
    return found


def _in_folder(folder: Path) -> tuple[Path, object, str] | None:
    """The file of a folder in which something may be set, what is there, and what stands before a key to name it."""
    file = folder / "wfe.toml"
    if (text := _text(file)) is not None:
        return file, _parsed(file, text), ""
    file = folder / "pyproject.toml"
    # Most know nothing of us, and to read TOML costs more than all else here.
    if (text := _text(file)) is not None and b"wfe" in text:
        tool = _parsed(file, text).get("tool")
        if isinstance(tool, Mapping) and "wfe" in tool:
            return file, tool["wfe"], "tool.wfe."
    return None


def _text(file: Path) -> bytes | None:
    if not os.access(file, os.F_OK):
        return None
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"the settings {file} cannot be read ({error.strerror}): see to it, or remove it") from error


def _parsed(file: Path, text: bytes) -> Mapping[str, Any]:
    import tomllib  # what few folders need

    try:
        return tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"the settings {file} are not TOML ({error}): repair it") from error


def _near(name: str) -> str:
    from difflib import get_close_matches  # what only a slip needs

    near = get_close_matches(name, KINDS, 1)
    return f"did you mean {near[0]}? There are" if near else "there are"
