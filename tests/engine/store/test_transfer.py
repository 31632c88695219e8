"""A store goes to TinyDB's own file and back without a loss, is copied while others write, and nothing half is left."""

import json
import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest
from tinydb import TinyDB
from tinydb.table import Document

from engine.exceptions import EngineError, InputError, StoreError
from engine.store import Store

SPAWN = multiprocessing.get_context("spawn")

ODD = {
    "texts": ["", "é😀", 'a"b\\c\n', "\0", "\u2028", "\x7f"],
    "numbers": [0, -1, 2**63, 2**64 - 1, -(2**63), 0.1, -0.0, 1e300, 5e-324, 1.0],
    "others": [None, True, False, [], {}, {"": [[{}]]}],
    "key": "1",
    "state": None,
}


def contents(store: Store) -> dict[str, dict[int, Any]]:
    return {name: {document.doc_id: document for document in store.db.table(name)} for name in store.db.tables()}


@pytest.fixture
def filled(store: Store) -> Store:
    store.entries.insert_multiple([ODD, {"key": "2", "state": "failed", "executions": [{"n": 1}]}, {}])
    store.entries.remove(doc_ids=[2])
    store.errors.insert_multiple({"error_id": str(n), "text": "é" * n} for n in range(2_500))
    store.runs.insert(Document({"processor": "p"}, doc_id=2**63 - 1))
    store.db.table("mine, and 'quoted'").insert_multiple([Document({"n": -1}, doc_id=-7), Document({"n": 1}, doc_id=0)])
    return store


def test_stock_tinydb_reads_an_export_as_the_store_it_was(filled: Store, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    assert filled.export(target) == 2_505
    with TinyDB(target) as stock:
        assert {name: {d.doc_id: d for d in stock.table(name)} for name in stock.tables()} == contents(filled)
    assert "actions" not in json.loads(target.read_bytes())
    assert oct(target.stat().st_mode & 0o777) == "0o600"


def test_export_import_export_gives_the_same_bytes_and_the_same_store(filled: Store, tmp_path: Path) -> None:
    first, second, other = tmp_path / "1.json", tmp_path / "2.json", tmp_path / "other.db"
    filled.export(first)
    assert Store.import_(first, other) == 2_505
    with Store(other) as store:
        assert contents(store) == contents(filled)
        store.export(second)
        assert store.entries.insert({}) == 4
    assert first.read_bytes() == second.read_bytes()
    assert oct(other.stat().st_mode & 0o777) == "0o600"


def test_an_empty_store_goes_out_and_in(store: Store, tmp_path: Path) -> None:
    assert store.export(tmp_path / "out.json") == 0
    assert Store.import_(tmp_path / "out.json", tmp_path / "other.db") == 0
    with Store(tmp_path / "other.db") as other:
        assert contents(other) == {}


@pytest.mark.parametrize("layout", [{}, {"indent": 4}, {"separators": (",", ":"), "ensure_ascii": False}])
def test_what_stock_tinydb_wrote_is_imported_however_it_is_laid_out(tmp_path: Path, layout: dict[str, Any]) -> None:
    source = tmp_path / "stock.json"
    with TinyDB(source, **layout) as stock:
        stock.insert(ODD)
        # Longer than what is read at once, and of letters that take several bytes.
        stock.table("entries").insert_multiple([{"n": 1}, {"long": "é😀" * 700_000}, {"n": 3}])
        stock.table("entries").remove(doc_ids=[1])
    assert Store.import_(source, tmp_path / "wfe.db") == 3
    with Store(tmp_path / "wfe.db") as store:
        assert contents(store) == {"_default": {1: ODD}, "entries": {2: {"long": "é😀" * 700_000}, 3: {"n": 3}}}


def test_progress_rises_to_its_end(filled: Store, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    filled.export(tmp_path / "out.json", lambda done, total: told.append((done, total)))
    assert told == [(1_000, 2_505), (2_000, 2_505), (2_505, 2_505)]
    told.clear()
    Store.import_(tmp_path / "out.json", tmp_path / "other.db", lambda done, total: told.append((done, total)))
    size = (tmp_path / "out.json").stat().st_size
    assert told[-1] == (size, size)
    assert told == sorted(told)


BAD = [
    ("", "not JSON at line 1, byte 0, in the file .it ends too early"),
    ("hello", "the file is no object"),
    ("[]", "the file is no object"),
    ('{"t": {"1": {}}} x', "byte 17, .*more after its end"),
    ('{"t": {"1": {}},}', "byte 16, .*name"),
    ('{"t": {\n"1": {"a": 1},\n"2": {"é": x}}}', "line 3, byte 35, in document 2 of the table 't' .Expecting value"),
    ('{"t": {"1": {"a": "long', "document 1 of the table 't' .*ends too early"),
    ('{"t": {"1": {"a": 1}', "table 't' .*ends too early"),
    ('{"t": {"1": {"a": 1}}', "the file .*ends too early"),
    ('{"t": 1}', "the table 't' is no object"),
    ('{"t": {"x": {}}}', "the table 't' has the id 'x'"),
    ('{"t": {"01": {}}}', "the table 't' has the id '01'"),
    ('{"t": {"9223372036854775808": {}}}', "the table 't' has the id '9223372036854775808'"),
    ('{"t": {"1": []}}', "document 1 of the table 't' is no object"),
    ('{"t": {"1": {"a": NaN}}}', "document 1 of the table 't' .*NaN"),
    ('{"t": {"1": {"a": -Infinity}}}', "document 1 of the table 't' .*-Infinity"),
    ('{"t": {"1": {"a": 1e999}}}', "document 1 of the table 't' .*1e999"),
    ('{"t": {"1": {"a": 18446744073709551616}}}', "document 1 of t .*64-bit"),
    ('{"t": {"1": {"a": ' + "9" * 5_000 + "}}}", "document 1 of the table 't' .*4300 digits"),
    ('{"t": {"1": {"a": "\\ud800"}}}', "document 1 of t .*surrogates"),
    ('{"t": {"1": {"a": ' + "[" * 100_000, "document 1 of the table 't' is nested too deeply"),
    ('{"t": {"1": {}, "1": {}}}', "in the table 't' .*ID 1 "),
    ('{"t": {"1": {}}, "t": {"2": {}}}', "the table 't' twice"),
    ('{"\\ud800": {"1": {}}}', "the name of the table .*cannot be stored"),
    ('{"\\u0000": {"1": {}}}', "the name of the table .*cannot be stored"),
]


@pytest.mark.parametrize(("text", "sentence"), BAD)
def test_a_file_that_is_not_tinydbs_is_refused_in_a_sentence_and_leaves_nothing(
    tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "bad.json").write_text(text)
    refuse(lambda: Store.import_(tmp_path / "bad.json", tmp_path / "wfe.db"), InputError, sentence)
    assert names(tmp_path) == ["bad.json"]


def test_a_file_of_another_encoding_is_refused_by_its_byte(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b'{"t": {"1": {"a": "' + b"x" * 2_000_000 + b'\xff"}}}')
    refuse(lambda: Store.import_(tmp_path / "bad.json", tmp_path / "wfe.db"), InputError, "not UTF-8 at byte 2000019")
    assert names(tmp_path) == ["bad.json"]


def test_an_error_late_in_a_file_leaves_nothing_either(tmp_path: Path) -> None:
    documents = ", ".join(f'"{n}": {{"n": {n}}}' for n in range(1, 3_000))
    (tmp_path / "bad.json").write_text(f'{{"t": {{{documents}, "7": {{}}}}}}')
    refuse(lambda: Store.import_(tmp_path / "bad.json", tmp_path / "wfe.db"), InputError, "table 't' .*ID 7 ")
    assert names(tmp_path) == ["bad.json"]


@pytest.mark.parametrize("source", ["missing.json", "."])
def test_a_source_that_cannot_be_read_is_refused(tmp_path: Path, source: str) -> None:
    refuse(lambda: Store.import_(tmp_path / source, tmp_path / "wfe.db"), InputError, "cannot be read")
    assert names(tmp_path) == []


def test_what_is_there_already_is_never_overwritten(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text("{}")
    target = tmp_path / "there"
    target.write_text("mine")
    for act in (filled.export, filled.backup, lambda path: Store.import_(tmp_path / "in.json", path)):
        refuse(lambda act=act: act(target), InputError, "there is there already: name another")
    assert target.read_text() == "mine"


def test_a_folder_that_is_missing_is_said(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text("{}")
    target = tmp_path / "no" / "where"
    for act in (filled.export, filled.backup, lambda path: Store.import_(tmp_path / "in.json", path)):
        refuse(lambda act=act: act(target), StoreError, "where cannot be written .No such file")


def test_an_export_that_is_given_up_leaves_nothing(filled: Store, tmp_path: Path) -> None:
    before = names(tmp_path)

    def give_up(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled.export(tmp_path / "out.json", give_up)
    assert names(tmp_path) == before


def test_a_store_that_may_only_be_read_is_exported_and_copied_with_nothing_left_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "fixed"
    with Store(folder / "wfe.db") as store:
        store.entries.insert({"key": "A"})
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with Store(folder / "wfe.db", read_only=True) as store:
        assert store.export(tmp_path / "out.json") == 1
        store.backup(tmp_path / "copy.db")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_backup_is_a_store_like_its_original(filled: Store, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    copy = folder / "wfe.db"
    filled.backup(copy)
    assert names(folder) == ["wfe.db"]
    assert oct(copy.stat().st_mode & 0o777) == "0o600"
    with Store(copy) as store:
        assert contents(store) == contents(filled)
        assert store.seq() == filled.seq()
        store.entries.insert({})
        assert (folder / "wfe.db-wal").exists(), "without its log, readers would stop writers"


def write_pairs(path: Path, begun: Event, ended: Event) -> None:
    with Store(path) as store:
        while not ended.is_set():
            with store.transaction():
                n = store.entries.insert({"text": "x" * 500})
                store.errors.insert({"n": n})
            if n == 200:
                begun.set()


@pytest.fixture
def writer(store: Store) -> Iterator[None]:
    """Another process, which writes an entry and an error in each of its transactions."""
    begun, ended = SPAWN.Event(), SPAWN.Event()
    process = SPAWN.Process(target=write_pairs, args=(store.path, begun, ended))
    process.start()
    assert begun.wait(30)
    yield
    ended.set()
    process.join(30)
    assert process.exitcode == 0


@pytest.mark.usefixtures("writer")
def test_exports_and_backups_show_one_moment_while_another_process_writes(store: Store, tmp_path: Path) -> None:
    before = store.seq()
    for n in range(5):
        exported = store.export(tmp_path / f"{n}.json")
        tables = json.loads((tmp_path / f"{n}.json").read_bytes())
        assert list(tables["entries"]) == list(tables["errors"]) == [str(i + 1) for i in range(exported // 2)]
        store.backup(tmp_path / f"{n}.db")
        with Store(tmp_path / f"{n}.db") as copy:
            assert list(copy.entries.ids()) == list(copy.errors.ids()) == list(range(1, copy.seq() + 1))
    assert store.seq() > before, "nobody wrote meanwhile"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_said_in_a_sentence_and_nothing_half_stays_on_it(
    store: Store, tmp_path: Path, small_disk: Path
) -> None:
    store.entries.insert_multiple({"text": "x" * 10_000} for _ in range(600))
    store.export(tmp_path / "out.json")
    refuse(lambda: store.export(small_disk / "a"), StoreError, "disk/a .*disk is full")
    refuse(lambda: store.backup(small_disk / "b"), StoreError, "disk/b .*disk is full")
    refuse(lambda: Store.import_(tmp_path / "out.json", small_disk / "c"), StoreError, "disk/c .*disk is full")
    assert names(small_disk) == []


@pytest.mark.slow
def test_memory_does_not_grow_with_the_store(tmp_path: Path) -> None:
    with (tmp_path / "big.json").open("w") as file:
        file.write('{"entries": {')
        file.write(", ".join(f'"{n}": {{"key": "{n}", "text": "{"x" * 580}"}}' for n in range(1, 100_001)))
        file.write("}}")
    program = (
        "import resource, sys; from engine.store import Store\n"
        "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = used(); Store.import_('big.json', 'wfe.db')\n"
        "with Store('wfe.db') as store: store.export('out.json'); store.backup('copy.db')\n"
        "print(used() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
    )
    assert int(done.stdout) < 40_000, "kilobytes, for a file of 60,000"


def refuse(act: Callable[[], object], kind: type[EngineError], sentence: str) -> None:
    with pytest.raises(kind, match=sentence) as refusal:
        act()
    assert "\n" not in str(refusal.value)
    assert ".wfe-" not in str(refusal.value)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_store_that_is_made_during_an_import_is_not_overwritten(tmp_path: Path) -> None:
    source, target = tmp_path / "stock.json", tmp_path / "new.db"
    source.write_text('{"entries": {' + ", ".join(f'"{n}": {{"key": "{n}"}}' for n in range(1, 3_000)) + "}}")
    mine: list[int] = []

    def interfere(done: int, of: int) -> None:
        if not mine:
            with Store(target) as store:
                mine.append(store.entries.insert({"key": "mine"}))

    with pytest.raises(InputError, match="was made by somebody else meanwhile"):
        Store.import_(source, target, interfere)
    with Store(target) as store:
        assert store.entries.all() == [{"key": "mine"}]


@pytest.mark.parametrize("end", ["-wal", "-shm"])
def test_a_log_that_another_store_left_is_not_taken_for_the_new_ones(tmp_path: Path, end: str) -> None:
    source, target = tmp_path / "stock.json", tmp_path / "new.db"
    source.write_text('{"entries": {"1": {"key": "A"}}}')
    left = tmp_path / f"new.db{end}"
    left.write_bytes(b"old")
    with pytest.raises(InputError, match="was left by another store"):
        Store.import_(source, target)
    assert not target.exists()
    assert left.read_bytes() == b"old"
