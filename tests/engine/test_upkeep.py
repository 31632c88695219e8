"""What `wfe` does to a store as a whole: check, prune, export, import, backup."""

import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from tinydb import TinyDB

from engine.clock import parse_duration, to_text
from engine.exceptions import InputError
from engine.store import Store


@pytest.fixture
def filled(workplace: Any) -> Any:
    """A workplace whose store holds some entries and a run."""
    with Store(workplace.store) as store:
        store.entries.insert_multiple({"key": f"A-{n}", "processor": "m:P", "state": "failed"} for n in range(3))
        store.runs.insert({"processor": "m:P"})
    return workplace


def contents(path: Path) -> tuple[list[Any], list[Any]]:
    with Store(path) as store:
        return store.entries.all(), store.runs.all()


def test_a_store_is_exported_to_stock_tinydb_and_imported_again(filled: Any) -> None:
    exported = filled.folder / "out.json"
    done = filled.wfe("export", str(exported))
    assert (done.returncode, done.stdout) == (0, "")
    assert "documents of" in done.stderr
    with TinyDB(exported) as stock:
        keys = {document["key"] for document in stock.table("entries").all()}
    with Store(filled.store) as store:
        assert keys == {document["key"] for document in store.entries.all()}
    again = filled.folder / "again.db"
    assert filled.wfe("import", str(exported), "--store", str(again)).returncode == 0
    assert contents(again) == contents(filled.store)


def test_a_backup_is_a_store(filled: Any) -> None:
    copy = filled.folder / "copy.db"
    assert filled.wfe("backup", str(copy)).returncode == 0
    assert contents(copy) == contents(filled.store)


@pytest.mark.parametrize("verb", ["export", "backup"])
def test_what_is_there_is_not_overwritten(filled: Any, verb: str) -> None:
    target = filled.folder / "mine"
    target.write_text("mine")
    done = filled.wfe(verb, str(target))
    assert done.returncode == 2
    assert done.stderr == f"wfe: {target} is there already: name another file\n"
    assert target.read_text() == "mine"


def test_what_is_no_export_is_refused_and_leaves_no_store(workplace: Any) -> None:
    source, target = workplace.folder / "bad.json", workplace.folder / "new.db"
    source.write_text('{"entries": {"1": {"key": "A"}, "2": ')
    done = workplace.wfe("import", str(source), "--store", str(target))
    assert done.returncode == 2
    assert done.stderr.startswith(f"wfe: {source} is not JSON at line 1")
    assert done.stderr.count("\n") == 1
    assert not target.exists()


def test_a_sound_store_is_called_sound_and_a_damaged_one_is_not(filled: Any) -> None:
    sound = filled.wfe("check")
    assert (sound.returncode, sound.stderr) == (0, "")
    assert "is sound" in sound.stdout
    with sqlite3.connect(filled.store) as connection:
        connection.execute("UPDATE entries SET doc = '{' WHERE id = 1")
    connection.close()
    damaged = filled.wfe("check", "--json")
    assert damaged.returncode == 1
    report = orjson.loads(damaged.stdout)
    assert report["lost"] == {"entries": [1]}
    assert filled.wfe("check", "--store", __file__).returncode == 2


def test_what_is_finished_and_old_is_pruned(workplace: Any) -> None:
    long_ago = to_text(datetime.now(UTC) - timedelta(days=100))
    with Store(workplace.store) as store:
        store.entries.insert_multiple(
            {"key": f"{n}", "processor": "m:P", "state": "finished", "updated": long_ago} for n in range(5)
        )
    done = workplace.wfe("prune", "--older-than", "90d", "--keep-last", "2", "--json")
    assert done.returncode == 0
    assert orjson.loads(done.stdout)["entries"] == 3
    assert "0 entries" in workplace.wfe("prune", "--older-than", "90d", "--keep-last", "2").stdout


def test_what_is_no_age_is_refused(filled: Any) -> None:
    done = filled.wfe("prune", "--older-than", "soon")
    assert done.returncode == 2
    assert done.stderr == "wfe: 'soon' is no duration: write a number and s, m, h or d, as 30d for thirty days\n"


LOOKS_AS_NOBODY = """
import contextlib, io, os, sys
from engine.cli import main

sys.argv = ["wfe", *sys.argv[1:]]
if os.getuid() == 0:
    # Python may lie where nobody else can read it: all that is needed is loaded before.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main()
    os.setuid(65534)
main()
"""


def test_who_may_not_write_a_store_may_look_at_it_and_is_told_what_may_not_be_done(workplace: Any) -> None:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "folder"
        Path(parent).chmod(0o755)
        store = folder / "wfe.db"
        with Store(store) as opened:
            opened.runs.insert({"processor": "m:P"})
        store.chmod(0o444)
        folder.chmod(0o555)

        def wfe(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-c", LOOKS_AS_NOBODY, *arguments, "--store", store],
                cwd=parent, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip

        looked = wfe("ls", "--json")
        assert (looked.returncode, looked.stdout, looked.stderr) == (0, "", "")
        assert wfe("check").returncode == 0
        refused = wfe("prune", "--older-than", "1d")
        assert refused.returncode == 2
        assert refused.stderr.startswith("wfe: the store")
        assert refused.stderr.count("\n") == 1
        folder.chmod(0o755)


@pytest.mark.parametrize(
    ("text", "length"),
    [("45s", timedelta(seconds=45)), ("5m", timedelta(minutes=5)), ("3h", timedelta(hours=3)), ("0d", timedelta())],
)
def test_a_duration_is_a_number_and_a_unit(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "d", "5", "-5d", "5 d", "1.5h", "5w", "٣d", "9" * 30 + "d"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(InputError, match="duration"):
        parse_duration(text)
