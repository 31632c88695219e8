"""What is published: the wheel has all that the packages need and nothing else, and runs where nothing else is."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import orjson
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WFE_", "COV"))}
    return subprocess.run(
        command, cwd=cwd, env={**inherited, "PYTHONUTF8": "1", **environment}, text=True, encoding="utf-8",
        capture_output=True, stdin=subprocess.DEVNULL, timeout=300,
    )  # fmt: skip


def built(folder: Path, *what: str) -> Path:
    """The folder in which `python -m build` has put what was asked for."""
    done = run(sys.executable, "-m", "build", "--outdir", folder, *what, ROOT, cwd=folder.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist."""
    (found,) = built(tmp_path_factory.mktemp("built") / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The folder of the commands of an environment in which the wheel was installed, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    done = run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", wheel, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "bin"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, of a user who has nothing set."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def test_the_wheel_has_the_two_packages_whole_and_nothing_else(wheel: Path) -> None:
    files = [file for package in ("engine", "wfe_tui") for file in (ROOT / package).rglob("*") if file.is_file()]
    expected = {str(file.relative_to(ROOT)) for file in files if "__pycache__" not in file.parts}
    assert {name for name in contents(wheel) if ".dist-info/" not in name or name.startswith("engine/")} == expected
    demo = "engine/demo/broken/missing_file-1.0/missing_file-1.0.dist-info/RECORD"
    styles = "wfe_tui/screens/screens.tcss"
    assert expected >= {"engine/py.typed", "wfe_tui/py.typed", "engine/demo/customers.csv", styles, demo}


def test_the_wheel_of_the_tree_is_the_wheel_of_the_sdist(wheel: Path, tmp_path: Path) -> None:
    (other,) = built(tmp_path / "dist", "--wheel").glob("*.whl")
    assert contents(other) == contents(wheel)


def test_the_commands_run_from_an_empty_folder(commands: Path, empty: Path) -> None:
    version = run(commands / "wfe", "--version", cwd=empty)
    assert (version.returncode, version.stderr) == (0, "")
    assert "0.1.0" in version.stdout
    console = run(commands / "wfe-tui", "--help", cwd=empty)
    assert (console.returncode, console.stderr) == (0, "")
    assert "--read-only" in console.stdout
    imported = run(commands / "python", "-W", "error", "-c", "import engine, wfe_tui; engine.Store", cwd=empty)
    assert (imported.returncode, imported.stderr) == (0, "")


@pytest.mark.parametrize(
    ("workflow", "broken"),
    [("engine.demo.audit:Audit", "changed-file 1.0"), ("engine.demo.migration:Migration", "C-042")],
)
def test_the_examples_run_from_what_was_installed(commands: Path, empty: Path, workflow: str, broken: str) -> None:
    done = run(commands / "wfe", "run", workflow, "--workers", "4", "--store", "wfe.db", cwd=empty)
    assert done.returncode == 1, done.stderr
    listed = run(commands / "wfe", "ls", "--json", cwd=empty)
    assert (listed.returncode, listed.stderr) == (0, "")
    states = {row["key"]: row["state"] for row in map(orjson.loads, listed.stdout.splitlines())}
    assert states[broken] == "failed"
    assert "finished" in states.values()


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("wfe run traced:Traced --dask tcp://localhost:8786", "Dask is not installed: `pip install 'wfe-tui[dask]'`"),
        ("wfe run traced:Traced", "it needs 'opentelemetry', which is not installed: `pip install 'wfe-tui[otel]'`"),
        ("wfe-tui --demo --serve", "textual-serve is not installed: `pip install 'wfe-tui[serve]'`"),
    ],
)
def test_an_extra_that_is_missing_is_asked_for(commands: Path, empty: Path, command: str, sentence: str) -> None:
    (empty / "traced.py").write_text("from opentelemetry import trace")
    name, *arguments = command.split()
    done = run(commands / name, *arguments, cwd=empty)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{sentence} brings it" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_the_oldest_versions_that_are_allowed_pass_the_tests() -> None:
    done = subprocess.run([sys.executable, ROOT / "tests" / "lowest.py"], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
