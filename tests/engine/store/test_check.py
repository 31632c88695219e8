"""A check says what is damaged and which documents are lost, and leaves the file as it is."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tinydb.table import Document

from engine.exceptions import StoreError
from engine.store import Store
from engine.store.check import Report, check

PAGE = 4_096


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("filled") / "wfe.db"
    with Store(path) as store:
        store.entries.insert_multiple(
            {"key": f"K{n}", "processor": "p", "state": "failed", "text": "x" * 500} for n in range(3_000)
        )
        store.errors.insert_multiple({"error_id": str(n), "text": "long " * 2_000} for n in range(30))
        store.runs.insert({"processor": "p", "started": "2026"})
        store.db.table("mine").insert_multiple({"n": n} for n in range(50))
    return path.read_bytes()


@pytest.fixture
def filled(path: Path, content: bytes) -> Path:
    """The file of a store that is closed."""
    path.write_bytes(content)
    return path


def damage(path: Path, change: Callable[[bytearray], None]) -> Report:
    """Check a file after a change of its bytes, and see that the check changed none."""
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    before = files(path)
    report = check(path)
    assert files(path) == before
    return report


def files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}


def readable(path: Path, table: str) -> set[int]:
    """The ids from 1 to 3,000 whose documents SQLite still reads, each asked for by itself."""
    found = set()
    with closing(sqlite3.connect(path)) as connection:
        for doc_id in range(1, 3_001):
            try:
                found.update(connection.execute(f"SELECT id FROM {table} WHERE id = ? AND doc <> ''", (doc_id,)))
            except sqlite3.DatabaseError:
                continue
    return {doc_id for (doc_id,) in found}


def overwrite(*pages: int, by: bytes | None = None) -> Callable[[bytearray], None]:
    chance = random.Random(1)

    def change(data: bytearray) -> None:
        for page in pages:
            data[page * PAGE : (page + 1) * PAGE] = by or chance.randbytes(PAGE)

    return change


def test_a_sound_store_is_sound_and_stays_as_it_is(filled: Path) -> None:
    before = files(filled)
    assert check(filled) == Report(3_081, (), {})
    assert check(filled).is_sound
    assert files(filled) == before


def test_a_new_store_is_sound(store: Store) -> None:
    assert check(store.path) == Report(0, (), {})


def test_a_store_in_use_is_checked_with_what_its_log_holds(store: Store) -> None:
    store.entries.insert_multiple([{"key": "A", "state": [1], "due": 2**64 - 1, "urgency": 0.5}, {"state": None}])
    store.entries.update({"state": "failed", "processor": "é"}, doc_ids=[1])
    store.entries.insert(Document({}, doc_id=-(2**63)))
    assert check(store.path) == Report(3, (), {})
    store.entries.insert({})
    assert check(store.path).documents == 4


def test_a_torn_log_is_no_damage(store: Store, tmp_path: Path) -> None:
    for n in range(10):
        store.entries.insert({"n": n})
    copy = tmp_path / "copy" / "wfe.db"
    copy.parent.mkdir()
    copy.write_bytes(store.path.read_bytes())
    log = store.path.with_name("wfe.db-wal").read_bytes()
    copy.with_name("wfe.db-wal").write_bytes(log[: len(log) - 6_000] + b"garbage" * 100)
    before = files(copy)
    assert check(copy) == Report(9, (), {}), "the last transaction was never written whole"
    assert files(copy) == before


@pytest.mark.parametrize("by", [None, bytes(PAGE), b"\xff" * PAGE])
def test_overwritten_pages_cost_the_documents_that_are_named_and_no_other(filled: Path, by: bytes | None) -> None:
    report = damage(filled, overwrite(*range(200, 230), by=by))
    assert not report.is_sound
    lost = report.lost["entries"]
    assert 100 < len(lost) < 300
    assert lost == sorted(set(range(1, 3_001)) - readable(filled, "entries"))
    assert report.documents == 3_081 - sum(map(len, report.lost.values()))
    assert any(f"entries: {len(lost)} documents ({lost[0]}-{lost[-1]}) cannot be read" in p for p in report.problems)


@pytest.mark.parametrize("seed", range(5))
def test_damage_all_over_the_file_is_sorted_out_page_by_page(filled: Path, seed: int) -> None:
    pages = random.Random(seed).sample(range(60, filled.stat().st_size // PAGE), 20)
    report = damage(filled, overwrite(*pages))
    assert report.lost["entries"] == sorted(set(range(1, 3_001)) - readable(filled, "entries"))
    assert report.documents == 3_081 - sum(map(len, report.lost.values()))


def test_a_text_that_is_damaged_within_is_lost_alone(filled: Path) -> None:
    def change(data: bytearray) -> None:
        at = data.index(b'"key":"K1500"')
        data[at - 1 : at + 1] = b"\xff\xff"

    report = damage(filled, change)
    assert report.lost == {"entries": [1_501]}
    assert report.problems == ("entries: document 1501 cannot be understood any more, being no JSON object",)
    assert report.documents == 3_080


def test_a_truncated_file_is_read_as_far_as_it_goes(filled: Path) -> None:
    def cut(data: bytearray) -> None:
        del data[300 * PAGE :]

    report = damage(filled, cut)
    assert 1_000 < report.documents < 2_000
    assert report.lost["entries"]
    assert any(problem.startswith("entries: at least what is named is lost") for problem in report.problems)


@pytest.mark.parametrize("length", [16, 100, PAGE])
def test_a_header_that_is_gone_is_said_in_a_sentence(filled: Path, length: int) -> None:
    report = damage(filled, lambda data: data.__setitem__(slice(0, length), b"?" * length))
    assert report == Report(0, (f"the header of {filled} is gone, so nothing of it can be read: restore a backup",), {})


def test_a_list_of_tables_that_is_gone_is_said_in_a_sentence(filled: Path) -> None:
    report = damage(filled, lambda data: data.__setitem__(slice(100, PAGE), b"?" * (PAGE - 100)))
    (problem,) = report.problems
    assert "the list of the tables" in problem


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        (
            "UPDATE entries SET doc = json_set(doc, '$.key', 'other') WHERE id IN (5, 6, 9)",
            "entries: 3 documents (5-6, 9) cannot be found by the field key, whose column says something else",
        ),
        (
            "UPDATE entries SET doc = json_remove(doc, '$.key') WHERE id = 5",
            "entries: document 5 cannot be found by the field key, whose column says something else",
        ),
        (
            "UPDATE runs SET started = NULL",
            "runs: document 1 cannot be found by the field started, whose column says something else",
        ),
        (
            "UPDATE tally SET n = n + 2",
            "entries: the count of processor 'p' in state 'failed' is kept as 3002, and there are 3000",
        ),
        (
            "DELETE FROM tally",
            "entries: the count of processor 'p' in state 'failed' is kept as 0, and there are 3000",
        ),
    ],
)
def test_what_was_changed_by_hand_is_reported_and_nothing_is_lost(filled: Path, sql: str, problem: str) -> None:
    by_hand(filled, sql)
    assert check(filled) == Report(3_081, (problem,), {})


@pytest.mark.parametrize("doc", ["", "[1]", "{", "null", '{"a": NaN}'])
def test_a_document_that_is_no_json_object_is_lost(filled: Path, doc: str) -> None:
    by_hand(filled, "UPDATE others SET doc = ? WHERE id IN (3, 4)", doc)
    assert check(filled) == Report(
        3_079, ("mine: 2 documents (3-4) cannot be understood any more, being no JSON object",), {"mine": [3, 4]}
    )


def test_what_is_no_store_is_refused_in_a_sentence(tmp_path: Path, filled: Path) -> None:
    (tmp_path / "text").write_text("hello\n" * 1_000)
    (tmp_path / "empty").touch()
    with closing(sqlite3.connect(tmp_path / "foreign")) as connection:
        connection.execute("CREATE TABLE songs(name)")
    by_hand(filled, "PRAGMA user_version = 99")
    refuse(tmp_path / "missing", "there is no store .*missing: name another")
    refuse(tmp_path, "is a folder")
    refuse(tmp_path / "text", "is not a store")
    refuse(tmp_path / "empty", "is empty")
    refuse(tmp_path / "foreign", "a database of another program")
    refuse(filled, "newer version")


def by_hand(path: Path, sql: str, *parameters: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql, parameters)


def refuse(path: Path, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence) as refusal:
        check(path)
    assert "\n" not in str(refusal.value)
