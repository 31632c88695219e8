"""Names: what an entry's key is, what a processor is called, and how another process starts it again."""

import hashlib
import os
import socket
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from engine.exceptions import EntryError, WorkflowError
from engine.model import WorkflowModel
from engine.task import Task


def entry_key(entry: WorkflowModel) -> str | None:
    """The entry's `key` as text; None when its model has none, as those of a processor with its own storage may."""
    key = getattr(entry, "key", None)
    return None if key is None or key == "" else str(key)


def required_key(entry: WorkflowModel) -> str:
    """The entry's `key`.

    Raises:
        EntryError: it has none, or one that no store can look up.
    """
    key = entry_key(entry)
    if key is None:
        given = {name: value for name, value in entry.model_dump(exclude_defaults=True).items() if name != "key"}
        raise EntryError(f"{type(entry).__name__} with {given!r:.120} has no key: give every entry a key of its own")
    if "\0" in key:
        raise EntryError(f"the key {key!r} has a NUL character: remove it where the entry comes from")
    return key


@cache
def processor_name(processor: type) -> str:
    """`module:Class`, as `wfe run` takes it. A script is named by its file, as if it were imported."""
    return f"{_module_of(processor)}:{processor.__qualname__}"


def home_of(processor: type) -> dict[str, str]:
    """How another process can start this processor: the interpreter, the working folder, and where its module lies."""
    module = sys.modules[processor.__module__]
    file = getattr(module, "__file__", None)
    depth = _module_of(processor).count(".")
    if file and Path(file).name == "__init__.py":
        depth += 1
    path = Path(file).resolve().parents[depth] if file else Path.cwd()
    return {"python": sys.executable, "folder": os.getcwd(), "path": str(path)}  # noqa: PTH109


def place_of(processor: type, tasks: Iterable[type]) -> dict[str, str | int | None]:
    """Where this process runs a processor: `host`, `pid`, and `code`, the version of its code.

    That is a digest of the source files of the modules of the processor and of its tasks; None if they have none.
    """
    modules = {kind.__module__ for kind in (processor, *tasks)}
    digests = sorted(digest for name in modules if (digest := _digest_of(name)) is not None)
    code = hashlib.sha256(" ".join(digests).encode()).hexdigest()[:10] if digests else None
    return {"host": socket.gethostname(), "pid": os.getpid(), "code": code}


@cache
def _digest_of(module: str) -> str | None:
    """Of a module's source, as it was when this was first asked: what is written later, this process does not run."""
    file = getattr(sys.modules.get(module), "__file__", None)
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else None
    except OSError:
        return None


def _module_of(kind: type) -> str:
    """The name under which a class's module is imported; of a script, its file's."""
    if kind.__module__ != "__main__":
        return kind.__module__
    main = sys.modules["__main__"]
    return main.__spec__.name if main.__spec__ else Path(getattr(main, "__file__", None) or "__main__").stem


def task_names(tasks: Sequence[Task]) -> list[str]:
    """The names of a workflow's tasks, in order.

    Raises:
        WorkflowError: two tasks have one name; their executions could not be told apart.
    """
    names = [type(task).__name__ for task in tasks]
    for name in names if len(set(names)) < len(names) else ():
        if names.count(name) > 1:
            raise WorkflowError(f"get_tasks() names the task {name} more than once: give each a class name of its own")
    return names
