"""Runs tests with the oldest versions that pyproject.toml allows, in an environment of their own: the bounds hold.

    python tests/lowest.py            the tests that tell most
    python tests/lowest.py tests      all of them, for as long as it takes

What is not of ours is as new as the oldest of ours bear. Pictures are left out: they change with the terminal library.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent

TELLING = (
    "tests/engine/test_stored.py", "tests/engine/test_demo.py", "tests/engine/test_upkeep.py",
    "tests/engine/test_watching.py", "tests/engine/store/test_documents.py", "tests/engine/executors/test_dask.py",
    "tests/wfe_tui/test_table.py", "tests/wfe_tui/test_trace.py", "tests/wfe_tui/test_runs.py",
    "tests/wfe_tui/test_serve.py",
)  # fmt: skip
"""Between them they need every dependency and every extra."""


def lowest() -> list[str]:
    """Each dependency, those of the extras included, pinned to its lower bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    named = [*project["dependencies"], *(item for extra in ("dask", "otel", "serve") for item in extras[extra])]
    return [f"{item.name}=={bound.version}" for item in map(Requirement, named) for bound in item.specifier
            if bound.operator == ">="]  # fmt: skip


def main(tests: list[str]) -> int:
    """Install, run, and answer with pytest's exit code."""
    with tempfile.TemporaryDirectory(prefix="wfe-lowest-") as folder:
        python = f"{folder}/bin/python"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"{ROOT}[dev]", *lowest()], check=True)
        command = [python, "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider",
                   "--ignore", "tests/wfe_tui/test_snapshots.py", *(tests or TELLING)]  # fmt: skip
        return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
