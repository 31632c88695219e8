"""Which way the packages depend: a script that imports the engine pays for no terminal library, and no screen."""

import ast
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, breaks

import engine
from engine import Store

ENGINE = Path(engine.__file__).parent
TERMINAL = {"textual", "rich", "typer", "click", "wfe_tui"}


def loaded_by(statement: str) -> set[str]:
    program = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement", ["import engine", "from engine import *", "import engine.operations, engine.worker.actions"]
)
def test_importing_the_engine_loads_no_terminal_library(statement: str) -> None:
    assert loaded_by(statement) & TERMINAL == set()


def test_the_shell_loads_no_screen() -> None:
    assert loaded_by("import engine.cli") & {"textual", "wfe_tui"} == set()


def test_the_engine_loads_a_name_when_it_is_asked_for() -> None:
    assert loaded_by("import engine") & {"pydantic", "tinydb", "sqlite3", "asyncio", "logging"} == set()
    assert loaded_by("import engine; engine.Store") & {"pydantic", "asyncio", "multiprocessing"} == set()
    assert {name: getattr(engine, name).__name__ for name in engine.__all__} == {name: name for name in engine.__all__}
    assert set(engine.__all__) < set(dir(engine))
    with pytest.raises(AttributeError, match="has no attribute 'Stoer'"):
        engine.Stoer  # noqa: B018


HEAVY = {
    "pydantic", "asyncio", "multiprocessing", "logging", "importlib.metadata", "email", "platformdirs", "tomllib",
    "rich.console", "engine.model", "engine.planning", "engine.runner", "engine.operations", "engine.report",
}  # fmt: skip
"""What a script that only reads a list has no need of."""


@pytest.mark.parametrize(
    ("words", "may"),
    [
        (["ls"], set()),
        (["ls", "state:failed"], set()),
        (["ls", "--json"], set()),
        (["errors"], set()),
        (["show", "A-1"], {"pydantic", "engine.model", "engine.planning", "importlib.metadata", "email", "logging"}),
    ],
)
def test_a_command_that_looks_loads_no_more_than_it_needs(workplace: Any, words: list[str], may: set[str]) -> None:
    with Store(workplace.store) as store:
        desk = Desk(store, lambda: datetime(2026, 11, 23, 12, tzinfo=UTC))
        desk.entries = [{"key": "A-1"}, {"key": "A-2"}]
        desk.run(breaks)
    program = f"import sys; sys.argv = ['wfe', *{words}]; from engine.cli import main\ntry: main()\nfinally: "
    done = subprocess.run(
        [sys.executable, "-c", program + "print('\\nloaded', *sys.modules)"], capture_output=True, text=True,
        cwd=workplace.folder, env={**os.environ, "WFE_STORE": str(workplace.store)}, check=True, timeout=60,
    )  # fmt: skip
    told, _, loaded = done.stdout.rpartition("\nloaded")
    assert "A-1" in told or words == ["errors"]
    assert set(loaded.split()) & (HEAVY - may) == set()


def test_no_module_of_the_engine_imports_the_console() -> None:
    for file in ENGINE.rglob("*.py"):
        if "broken" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.partition(".")[0] in ("wfe_tui", "textual")], file


def test_what_planning_imports_cannot_touch_the_store_or_the_clock_of_the_system() -> None:
    imported = {
        node.module
        for node in ast.walk(ast.parse((ENGINE / "planning.py").read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    assert not {name for name in imported if name and name.startswith(("engine.store", "engine.clock", "os", "time"))}
