"""The migration of the demo: each row becomes one customer of the service, whatever the service and the night bring."""

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from tinydb import where
from waiting import until

from engine import Store, operations
from engine.clock import utc_now
from engine.demo import migration, service
from engine.demo.migration import Migration
from engine.demo.on_dask import MigrationOnDask
from engine.lookup.entries import rows

ROWS = 300
BAD = "C-042"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as opened:
        yield opened


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "PATIENCE", 1.0)
    monkeypatch.setattr(service, "TOO_LATE", 1.5)


def run(store: Store, clock: Any, kind: type[Migration] = Migration) -> Counter[str]:
    """One run; how many entries are in each state."""
    kind(store, clock=clock).process_entries(workers=4)
    return Counter(str(row.state) for row in rows(store, clock()))


def run_until_nothing_waits(store: Store, clock: Any, kind: type[Migration] = Migration) -> Counter[str]:
    while (found := run(store, clock, kind))["waiting"]:
        clock.turn(minutes=2)
    return found


def entry(store: Store, key: str) -> Any:
    return store.entries.get(where("key") == key)


def ledger(folder: Path, question: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "service.db", timeout=60)) as connection:
        return [row[0] for row in connection.execute(question)]


def customers(folder: Path) -> Counter[str]:
    """How often each customer was taken in, by the address."""
    return Counter(json.loads(text)["email"] for text in ledger(folder, "SELECT customer FROM customers"))


def taken_in(folder: Path) -> int:
    """How many customers the service has by now; none while it is only about to make its ledger."""
    with suppress(sqlite3.OperationalError):
        return len(customers(folder))
    return 0


def requests(folder: Path) -> Counter[str]:
    """How often each customer was sent, by the key."""
    return Counter(ledger(folder, "SELECT key FROM requests"))


def test_each_row_becomes_one_customer_whatever_the_service_answers(store: Store, tmp_path: Path, clock: Any) -> None:
    assert run_until_nothing_waits(store, clock) == {"finished": ROWS - 1, "failed": 1}
    assert len(customers(tmp_path)) == ROWS - 1
    assert set(customers(tmp_path).values()) == {1}
    assert len([key for key, times in requests(tmp_path).items() if times > 1]) > 40, "not all went well at once"


def test_a_request_that_was_not_answered_is_sent_again_with_its_key(store: Store, tmp_path: Path, clock: Any) -> None:
    run(store, clock)
    late = [each for each in store.entries if each["reason"].endswith("no answer: TimeoutError")]
    assert late, "one in eight"
    run_until_nothing_waits(store, clock)
    again = entry(store, late[0]["key"])
    assert [execution["name"] for execution in again["executions"]] == ["Convert", "Send", "Send", "Verify"]
    assert customers(tmp_path)[again["data"]["email"]] == 1


def test_a_service_that_has_too_much_to_do_is_left_alone_until_the_backoff_is_ripe(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    run(store, clock)
    refused = next(each["key"] for each in store.entries if "503" in each["reason"])
    before = requests(tmp_path)
    run(store, clock)
    assert requests(tmp_path) == before, "five seconds have not passed"
    attempts = []
    for seconds in (6, 12, 24):
        attempts.append(entry(store, refused)["attempts"])
        clock.turn(seconds=seconds)
        run(store, clock)
    assert attempts == [1, 2, 3]
    assert entry(store, refused)["state"] == "finished"


def test_the_bad_row_fails_and_finishes_when_the_file_is_corrected(store: Store, tmp_path: Path, clock: Any) -> None:
    run_until_nothing_waits(store, clock)
    failed = entry(store, BAD)
    assert (failed["state"], failed["task"]) == ("failed", "Convert")
    assert "'31.02.1980' is no day: correct customers.csv" in failed["reason"]
    assert store.errors.get(where("error_id") == failed["error_id"])

    file = tmp_path / "customers.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("31.02.1980", "28.02.1980"), encoding="utf-8")
    operations.restart([BAD], store=store)

    assert run_until_nothing_waits(store, clock) == {"finished": ROWS}
    assert customers(tmp_path)[entry(store, BAD)["data"]["email"]] == 1
    assert entry(store, BAD)["data"]["birthday"] == "1980-02-28"


def test_a_dry_run_asks_nobody(store: Store, tmp_path: Path, clock: Any) -> None:
    result = Migration(store, clock=clock).process_entries(workers=4, dry_run=True)
    assert result.states == {"finished": ROWS - 1, "failed": 1}
    assert not (tmp_path / "service.db").exists()


def most_at_once(store: Store, task: str) -> int:
    """How many executions of a task were under way at one moment."""
    executions = [each for entry in store.entries for each in entry["executions"] if each["name"] == task]
    moments = [(each["execution_time"], 1) for each in executions] + [(each["finished_at"], -1) for each in executions]
    return max(accumulate(change for _, change in sorted(moments)))


def test_requests_wait_by_the_hundred_and_no_more_than_the_service_bears(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LATENCY", 1.0)
    monkeypatch.setattr(migration, "PATIENCE", 20.0)
    run(store, utc_now)
    assert 100 <= most_at_once(store, "Send") <= migration.Send.max_concurrent  # type: ignore[operator]


@pytest.mark.slow
def test_a_migration_that_is_killed_goes_on_and_takes_nobody_in_twice(tmp_path: Path, clock: Any) -> None:
    argv = ["run", "engine.demo.migration:Migration", "--workers", "4", "--store", "wfe.db"]
    for kills in (1, 2):
        with subprocess.Popen([sys.executable, "-m", "engine", *argv], cwd=tmp_path) as process:
            until(lambda least=40 * kills: process.poll() is not None or taken_in(tmp_path) >= least)
            assert process.poll() is None
            process.kill()
    clock.turn_to(utc_now())
    with Store(tmp_path / "wfe.db") as store:
        assert run_until_nothing_waits(store, clock) == {"finished": ROWS - 1, "failed": 1}
    assert len(customers(tmp_path)) == ROWS - 1
    assert set(customers(tmp_path).values()) == {1}


@pytest.mark.slow
@pytest.mark.skipif(find_spec("distributed") is None, reason="the extra wfe-tui[dask] is not installed")
def test_on_dask_it_ends_as_it_does_here(tmp_path: Path, clock: Any) -> None:
    subprocess.run([sys.executable, "-m", "engine.demo.on_dask", "wfe.db"], cwd=tmp_path, check=True, timeout=120)
    clock.turn_to(utc_now())
    with Store(tmp_path / "wfe.db") as store:
        assert len(store.entries.search(where("state") == "finished")) > ROWS / 2
        assert run_until_nothing_waits(store, clock, MigrationOnDask) == {"finished": ROWS - 1, "failed": 1}
    assert len(customers(tmp_path)) == ROWS - 1
    assert set(customers(tmp_path).values()) == {1}
