"""Which way the packages depend: a script that imports the engine pays for no terminal library, and no screen."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import engine

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
