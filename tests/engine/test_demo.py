"""The demo finds the faults of its broken distributions, says how to repair them, and finds nothing in sound ones."""

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from tinydb import where
from tinydb.table import Document

from engine import Store, operations
from engine.demo.audit import Audit
from engine.demo.samples import ORIGINALS, unpack_samples

FAULTS = [
    ("changed-file 1.0", "failed", "VerifyFiles", "differs from its hash in RECORD"),
    ("missing-file 1.0", "failed", "VerifyFiles", "is listed in RECORD but not there"),
    ("still-installing 1.0", "waiting", "ReadMetadata", "an installer is still at work"),
    ("syntax-error 1.0", "failed", "CompileSources", "SyntaxError: '(' was never closed"),
    ("undecodable-metadata 1.0", "failed", "ReadMetadata", "UnicodeDecodeError: 'utf-8' codec can't decode"),
    ("unmet-requirement 1.0", "interrupted", "CheckRequirements", "wfe-demo-absent>=2.0 is not installed"),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "with a space" / "wfe.db") as opened:
        yield opened


def audit(store: Store, *folders: Path) -> dict[str, Document]:
    """One run over the broken distributions and those in some folders; the entries by their keys."""
    Audit(store, paths=[str(folder) for folder in folders]).process_entries()
    return {document["key"]: document for document in store.entries.all()}


def said(store: Store, document: Document) -> str:
    """What an operator can read of an entry's newest execution, in full."""
    execution = document["executions"][-1]
    if execution["error_id"] is None:
        return str(execution["status"]["message"])
    error = store.errors.get(where("error_id") == execution["error_id"])
    assert isinstance(error, Document)
    return str(error["text"])


def install(folder: Path, name: str, files: dict[str, str]) -> Path:
    """A distribution as an installer leaves it; `files` are those of its metadata folder."""
    metadata = folder / name
    metadata.mkdir(parents=True)
    for file, content in files.items():
        (metadata / file).write_text(content, encoding="utf-8")
    return metadata


def contents(folder: Path) -> dict[Path, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "__pycache__"]
    return {path.relative_to(folder): path.read_bytes() for path in files}


@pytest.mark.parametrize(("key", "state", "task", "message"), FAULTS)
def test_a_broken_distribution_stops_where_its_fault_is(
    store: Store, key: str, state: str, task: str, message: str
) -> None:
    entry = audit(store)[key]
    assert (entry["state"], entry["task"]) == (state, task)
    assert message in entry["reason"]


@pytest.mark.parametrize(("key", "state", "task", "message"), FAULTS)
def test_the_printed_command_repairs_it_and_a_restart_finishes_it(
    store: Store, key: str, state: str, task: str, message: str
) -> None:
    shipped = contents(ORIGINALS)
    text = said(store, audit(store)[key])
    command = re.search(r"to (?:repair|end it)\b.*?: (cd .+)$", text, re.MULTILINE)
    assert command is not None, text

    subprocess.run(command[1], shell=True, check=True)
    assert operations.restart([key], store=store).accepted == (key,)

    assert audit(store)[key]["state"] == "finished"
    assert contents(ORIGINALS) == shipped


def test_a_repaired_distribution_passes_all_tasks_from_the_start(store: Store) -> None:
    keys = [key for key, *_ in FAULTS]
    for entry in audit(store).values():
        if entry["key"] in keys:
            subprocess.run(entry["data"]["repair"], shell=True, check=True)
    operations.restart(keys, from_start=True, store=store)
    assert {key: audit(store)[key]["state"] for key in keys} == dict.fromkeys(keys, "finished")


def test_each_kind_of_fault_is_a_group_of_errors_of_its_own(store: Store) -> None:
    failed = [key for key, state, *_ in FAULTS if state == "failed"]
    audit(store)
    assert {error["key"] for error in store.errors} == set(failed)
    assert len({error["fingerprint"] for error in store.errors}) == len(failed)


def test_a_trace_shows_the_demo_s_own_functions_with_their_source(store: Store) -> None:
    audit(store)
    error = store.errors.get(where("key") == "changed-file 1.0")
    assert isinstance(error, Document)
    own = [frame for frame in error["frames"] if frame["own"]]
    assert [frame["function"] for frame in own] == ["VerifyFiles.process_entry", "verify", "check_hash"]
    assert any("raise ChangedFileError" in line for line in own[-1]["source"])


def test_what_has_no_sources_skips_their_compilation_and_finishes(store: Store) -> None:
    entry = audit(store)["only-data 1.0"]
    assert entry["state"] == "finished"
    assert entry["reason"] == "no sources to compile"


def test_an_installation_without_a_record_is_skipped_with_a_message(store: Store, tmp_path: Path) -> None:
    install(tmp_path / "lib", "old_style-0.9-py3.11.egg-info", {"PKG-INFO": "Name: old-style\nVersion: 0.9\n"})
    entry = audit(store, tmp_path / "lib")["old-style 0.9"]
    assert entry["state"] == "finished"
    messages = [execution["status"] and execution["status"]["message"] for execution in entry["executions"]]
    assert messages == [None, "no RECORD to verify its files against", None, "no sources to compile"]


def test_of_two_installations_with_one_key_the_first_found_is_audited(store: Store, tmp_path: Path) -> None:
    for folder in ("first", "second"):
        metadata = f"Name: twice\nVersion: 1.0\nSummary: {folder}\n"
        install(tmp_path / folder, "twice-1.0.dist-info", {"METADATA": metadata})
    assert audit(store, tmp_path / "first", tmp_path / "second")["twice 1.0"]["data"]["summary"] == "first"


def test_what_an_interrupted_removal_left_behind_fails_with_a_sentence(store: Store, tmp_path: Path) -> None:
    install(tmp_path / "lib", "leftover-1.0.dist-info", {})
    entry = audit(store, tmp_path / "lib")["leftover 1.0"]
    assert (entry["state"], entry["task"]) == ("failed", "ReadMetadata")
    assert "holds no METADATA that names a distribution; to repair: " in entry["reason"]


def test_a_file_of_another_size_is_told_by_its_bytes(store: Store, tmp_path: Path) -> None:
    record = "grown-1.0.dist-info/METADATA,sha256=x,7\n"
    install(tmp_path / "lib", "grown-1.0.dist-info", {"METADATA": "Name: grown\n", "RECORD": record})
    assert "METADATA has 12 bytes, RECORD says 7" in audit(store, tmp_path / "lib")["grown 1.0"]["reason"]


def test_a_requirement_in_too_old_a_version_interrupts(store: Store, tmp_path: Path) -> None:
    metadata = "Name: greedy\nVersion: 1.0\nRequires-Dist: packaging>=9999\n"
    install(tmp_path / "lib", "greedy-1.0.dist-info", {"METADATA": metadata})
    entry = audit(store, tmp_path / "lib")["greedy 1.0"]
    assert entry["state"] == "interrupted"
    assert f"packaging>=9999 is required, {version('packaging')} is installed" in entry["reason"]


def test_sound_distributions_of_this_machine_finish_with_their_particulars(store: Store) -> None:
    keys = [f"{name} {version(name)}" for name in ("packaging", "rich", "tinydb")]
    result = Audit(store).process_entries(keys)
    assert result.states == {"finished": 3}
    data: dict[str, Any] = next(document["data"] for document in store.entries if document["key"] == keys[0])
    assert data["summary"] == "Core utilities for Python packages"
    assert data["files"] > data["sources"] > 10
    assert data["size"] > 100_000


def test_the_faults_come_first_and_all_else_by_name(store: Store) -> None:
    keys = [entry.key for entry in Audit(store).get_default_entries()]
    assert keys[:7] == [*(key for key, *_ in FAULTS[:2]), "only-data 1.0", *(key for key, *_ in FAULTS[2:])]
    assert keys[7:] == sorted(keys[7:])


def test_a_copy_that_is_there_is_left_alone_and_a_removed_one_comes_back(store: Store) -> None:
    audit(store)
    broken = store.path.parent / "broken"
    (broken / "changed_file-1.0" / "changed_file" / "greeting.txt").write_text("mine")
    (broken / "only_data-1.0").rename(broken.parent / "away")
    audit(store)
    assert (broken / "changed_file-1.0" / "changed_file" / "greeting.txt").read_text() == "mine"
    assert sorted(path.name for path in broken.iterdir()) == sorted(path.name for path in ORIGINALS.iterdir())


def test_demos_that_are_started_at_once_unpack_one_whole_set(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as starters:
        list(starters.map(unpack_samples, [tmp_path / "broken"] * 8))
    assert contents(tmp_path / "broken") == contents(ORIGINALS)
