"""The docstring of each package is its map: it names each of its modules once, and nothing that is not there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    ".".join(file.parent.relative_to(ROOT).parts): file.parent
    for name in ("engine", "wfe_tui")
    for file in sorted((ROOT / name).rglob("__init__.py"))
    if "broken" not in file.parts  # what the demo finds fault with
}
WORDS = {"engine", "wfe", "wfe-tui"}
"""What any of them may name: the engine itself, and the commands."""


def modules(package: Path) -> set[str]:
    """The modules and packages in a package, but for what Python itself asks for by its name."""
    files = {file.stem for file in package.glob("*.py")} | {file.parent.name for file in package.glob("*/__init__.py")}
    return files - {"__init__", "__main__"}


def faults(name: str) -> Iterator[str]:
    """What is wrong with the map of a package."""
    package = PACKAGES[name]
    named = re.findall(r"`([^`\s]+)`", ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or "")
    for module in sorted(modules(package)):
        if named.count(module) != 1:
            yield f"it names `{module}` {named.count(module)} times: name it once, where a reader looks for it"
    for word in sorted(set(named) - modules(package) - WORDS):
        if not (package / word).exists() and not any(map(_is_there, (f"{name}.{word}", f"engine.{word}", word))):
            yield f"it names `{word}`, which is not there"


def _is_there(path: str) -> bool:
    if not path.startswith(("engine.", "wfe_tui.")):
        return False
    try:
        resolve_name(path)
    except (ImportError, AttributeError):
        return False
    return True


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_names_each_of_its_modules_once_and_nothing_that_is_not_there(name: str) -> None:
    if found := list(faults(name)):
        pytest.fail("\n".join([f"The docstring of {name} is no map of it:", *found]), pytrace=False)
