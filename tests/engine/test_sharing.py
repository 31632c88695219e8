"""What failing entries share: which traits are told, how sure they are, and that each is a filter."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from tinydb import where

from engine.clock import to_text
from engine.filter import FilterError, compile_filter
from engine.sharing import ALL_FAILING, Shared, what_they_share
from engine.state import State, shown_state
from engine.store import Store
from engine.text import literal

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def order(number: int, state: str, began: datetime = NOON, **fields: Any) -> dict[str, Any]:
    """An entry as a run has left it; its fields are its data, but for those that every entry has."""
    own = {name: fields.pop(name) for name in ("run", "task", "processor", "source", "written") if name in fields}
    fails = state in ("failed", "interrupted", "in doubt")
    execution = {"name": "Check", "execution_time": to_text(began), "error_id": f"e-{number}" if fails else None}
    return {
        "key": f"A-{number}", "processor": "shop:Orders", "tasks": ["Fetch", "Check"], "owner": None, "run": None,
        "data": {"key": f"A-{number}", **fields}, "written": [], "due_date": None, "due": None, "finished": None,
        "source": None, "task": "Check" if fails else None, "reason": "", "attempts": 1, "done": 1, "repeat": False,
        "updated": to_text(began), "executions": [execution], "error_id": execution["error_id"],
        **shown_state(State(state)), **own,
    }  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as store:
        yield store


def told(shared: Shared) -> dict[str, str]:
    """The traits that are beyond chance, by `attribute value`, with their counts."""
    return {
        f"{trait.attribute} {trait.value}": f"{trait.failing}/{trait.failing_of} {trait.others}/{trait.others_of}"
        for trait in shared.traits
        if not trait.may_be_chance
    }


def test_a_value_that_failing_entries_have_more_often_is_told_with_both_rates_and_counts(store: Store) -> None:
    store.entries.insert_multiple(order(n, "failed", country="NO" if n < 36 else "DE") for n in range(40))
    store.entries.insert_multiple(order(n, "finished", country="NO" if n % 8 == 0 else "DE") for n in range(40, 440))
    shared = what_they_share(store, NOON, "state:failed data.country:/./")
    assert told(shared) == {"task Check": "40/40 0/400", "data.country NO": "36/40 50/400"}
    country = shared.traits[1]
    assert (country.failing_rate, country.others_rate, country.difference) == (0.9, 0.125, 0.775)
    assert 0.5 < country.least < country.difference < country.most < 0.95
    assert shared.sentences()[0].startswith("40 failing beside 400 others")


def test_of_few_entries_nothing_is_sure_and_that_is_said(store: Store) -> None:
    store.entries.insert_multiple(order(n, "failed", country="NO") for n in range(2))
    store.entries.insert_multiple(order(n, "finished", country="NO" if n == 2 else "DE") for n in range(2, 6))
    shared = what_they_share(store, NOON)
    assert told(shared) == {}
    assert [trait.least_words for trait in shared.traits] == ["by chance?", "by chance?"]
    assert shared.sentences() == ["2 failing beside 4 others; 3 values looked at, none beyond chance",
                                  "not known, and left out there: host of 6, process of 6, code of 6"]  # fmt: skip


def test_what_only_chance_made_different_is_not_taken_for_a_cause(store: Store) -> None:
    lot = random.Random(7)
    store.entries.insert_multiple(
        order(
            n, "failed" if lot.random() < 0.1 else "finished", a=lot.randrange(50), b=lot.randrange(200),
            c=lot.choice("xyz"), d=lot.random(), task="Check",
        )
        for n in range(3_000)
    )  # fmt: skip
    shared = what_they_share(store, NOON)
    assert shared.looked_at > 250
    assert told(shared) == {}


def test_what_names_an_entry_is_no_trait_nor_is_what_all_have_or_a_later_task_has_set(store: Store) -> None:
    def fields(number: int, **more: Any) -> dict[str, Any]:
        return {"shop": "main", "note": f"call {number} before noon", "long": "x" * 100, **more}

    store.entries.insert_multiple(
        order(n, "failed", **fields(n, parcel=None, price=7, written=["price"])) for n in range(30)
    )
    store.entries.insert_multiple(
        order(n, "finished", **fields(n, parcel="P-1", price=9, written=["price", "parcel"])) for n in range(30, 90)
    )
    assert told(what_they_share(store, NOON)) == {"task Check": "30/30 0/60", "data.price 7": "30/30 0/60"}


def test_fields_in_fields_and_elements_of_lists_are_traits_once_an_entry(store: Store) -> None:
    def fields(sku: str, express: bool) -> dict[str, Any]:
        return {"lines": [{"sku": sku}, {"sku": sku}, {"sku": "always"}], "to": {"address": {"express": express}}}

    store.entries.insert_multiple(order(n, "failed", task="", **fields("x-2", True)) for n in range(30))
    store.entries.insert_multiple(order(n, "finished", task="", **fields("x-1", False)) for n in range(30, 60))
    found = told(what_they_share(store, NOON))
    assert found == {"data.lines.sku x-2": "30/30 0/30", "data.to.address.express true": "30/30 0/30"}


def test_many_different_numbers_are_looked_at_in_quarters(store: Store) -> None:
    store.entries.insert_multiple(
        order(n, "failed" if n >= 300 else "finished", task="", price=n + 0.5) for n in range(400)
    )
    assert told(what_they_share(store, NOON)) == {"data.price >=300.5": "100/100 0/300"}


def test_hour_host_process_and_code_are_those_of_the_newest_execution_and_its_run(store: Store, zone: Any) -> None:
    zone("Asia/Kolkata")
    runs = store.runs.insert_multiple(
        {"processor": "shop:Orders", "started": to_text(NOON), "host": host, "pid": pid, "code": code}
        for host, pid, code in (("web-1", 11, "aaaa"), ("web-2", 22, "bbbb"))
    )
    for n in range(60):
        is_night = n < 30
        began = NOON - timedelta(hours=9) if is_night else NOON
        state = "failed" if is_night else "finished"
        store.entries.insert(order(n, state, began, task="", run=runs[0] if is_night else runs[1]))
    found = told(what_they_share(store, NOON))
    rates = "30/30 0/30"
    assert found == {"hour 8": rates, "host web-1": rates, "process 11": rates, "code aaaa": rates}


def test_what_older_runs_do_not_tell_is_left_out_and_said(store: Store) -> None:
    old, new = store.runs.insert_multiple(
        [{"processor": "shop:Orders"}, {"processor": "shop:Orders", "host": "web-1", "pid": 1, "code": None}]
    )
    store.entries.insert_multiple(order(n, "failed", task="", run=new if n < 20 else old) for n in range(30))
    store.entries.insert_multiple(order(n, "finished", task="", run=None) for n in range(30, 40))
    shared = what_they_share(store, NOON)
    assert shared.traits == []
    assert shared.unknown == {"host": 20, "process": 20, "code": 40}
    assert "not known, and left out there: host of 20, process of 20, code of 40" in shared.sentences()


def test_others_are_of_the_same_workflow_were_executed_and_went_well(store: Store) -> None:
    store.entries.insert_multiple(order(n, "failed") for n in range(3))
    store.entries.insert_multiple(order(n, "finished") for n in range(3, 8))
    store.entries.insert(order(8, "finished", processor="shop:Invoices"))
    store.entries.insert({**order(9, "ready"), "executions": None})
    store.entries.insert({**order(10, "failed"), **shown_state(State.READY)})
    shared = what_they_share(store, NOON)
    assert (shared.failing, shared.others_read) == (3, 5)


def test_what_the_filter_says_of_data_holds_for_the_others_too(store: Store) -> None:
    for n in range(200):
        country, express = ("NO", n % 2 == 0) if n < 100 else ("DE", False)
        store.entries.insert(
            order(n, "failed" if n < 100 and express else "finished", country=country, express=express)
        )
    first = what_they_share(store, NOON, "state:failed")
    assert {"data.country NO", "data.express true"} <= told(first).keys()
    further = what_they_share(store, NOON, "state:failed data.country=NO")
    assert (further.failing, further.others_read) == (50, 50)
    assert told(further) == {"task Check": "50/50 0/50", "data.express true": "50/50 0/50"}


@pytest.mark.parametrize("base", ["", "state:failed", "error:e- | state:failed", "data.n:>=0"])
def test_each_trait_is_a_filter_for_exactly_the_entries_that_were_counted(
    store: Store, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.sharing.traits.FILLED_UP", 100)
    odd = ["New York", 'say "x"', "-5", "/a/", "(b)", "a|b", ">3", "back\\slash", "", "tab\tbed", "*", "true", "שלום"]
    runs = store.runs.insert_multiple(
        {"processor": "p", "host": f"web-{n}", "pid": n, "code": f"{n}a"} for n in (1, 12)
    )
    for n in range(len(odd) * 6):
        store.entries.insert(
            order(
                n, "failed" if n % 2 else "finished", NOON + timedelta(hours=n % 5), run=runs[n % 2], n=n,
                text=odd[n // 6] if n % 2 else n, source=odd[n // 6] if n % 2 else None, list=[n % 3, None, n % 2 == 0],
                in_={"Größe": 1.5 * (n % 4)},
            )
        )  # fmt: skip
    shared = what_they_share(store, NOON, base)
    assert {trait.value for trait in shared.traits} >= {literal(text) for text in odd}
    for trait in shared.traits:
        found = store.entries.search(compile_filter(shared.filter_of(trait), store, NOON))  # type: ignore[arg-type]
        assert {entry["state"] for entry in found} == {"failed"}
        assert len(found) == trait.failing, trait


def test_of_very_many_some_are_read_by_lot_the_same_each_time_and_that_is_said(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.sharing.contrast.MOST_READ", 200)
    monkeypatch.setattr("engine.sharing.contrast.MOST_LOOKED_AT", 400)
    store.entries.insert_multiple(order(n, "failed", country="NO") for n in range(500))
    store.entries.insert_multiple(order(n, "finished", country="DE" if n % 2 else "NO") for n in range(500, 2_000))
    shared = what_they_share(store, NOON)
    assert (shared.failing, shared.failing_read, shared.others_read) == (500, 200, 200)
    assert shared.sentences()[0].startswith("500 failing (200 of them by lot) beside 200 others by lot")
    assert what_they_share(store, NOON) == shared
    assert 0.35 < next(trait for trait in shared.traits if trait.value == "NO").others_rate < 0.65


def test_where_there_is_nothing_to_compare_that_is_said(store: Store) -> None:
    assert what_they_share(store, NOON).sentences() == [
        "no entry that this filter lets through is failed, interrupted or in doubt"
    ]
    store.entries.insert(order(1, "in doubt"))
    shared = what_they_share(store, NOON)
    assert (shared.filter, shared.failing) == (ALL_FAILING, 1)
    assert shared.sentences() == ["1 failing, and no other of the same workflow went well: nothing to compare with"]


def test_a_filter_that_is_wrong_is_refused(store: Store) -> None:
    with pytest.raises(FilterError, match="no state 'nonsense'"):
        what_they_share(store, NOON, "state:nonsense")


# --- from the shell, with real runs

COUNTRIES = '''
"""Orders to several countries; customs of one are closed."""

from pathlib import Path

from engine import StoredProcessor, Task, WorkflowModel


class Order(WorkflowModel):
    key: str
    country: str


class Ship(Task):
    def process_entry(self, entry, dry_run=False):
        if entry.country == "NO":
            raise ValueError(f"customs are closed for {entry.key}")


class Orders(StoredProcessor):
    model = Order

    def get_default_entries(self):
        for line in Path("list.txt").read_text().split():
            key, _, country = line.partition(":")
            yield {"key": key, "country": country}

    def get_tasks(self):
        return [Ship(self)]
'''


@pytest.fixture
def shipping(workplace: Any) -> Any:
    """Forty orders, of which the ten to Norway have failed in a real run."""
    (workplace.folder / "shipping.py").write_text(COUNTRIES)
    lines = (f"A-{n}:{'NO' if n % 4 == 0 else 'DE'}" for n in range(40))
    (workplace.folder / "list.txt").write_text("\n".join(lines))
    assert workplace.wfe("run", "shipping:Orders").returncode == 1
    return workplace


def test_the_shell_says_what_failing_entries_share_and_the_filter_for_them(shipping: Any) -> None:
    shown = shipping.wfe("share")
    assert shown.returncode == 0
    assert "10 failing beside 30 others" in shown.stderr
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert ["data.country", "NO", "100%", "10", "of", "10", "0%", "0", "of", "30", "+100%"] in [
        row[:11] for row in rows
    ]
    found = orjson.loads(shipping.wfe("share", "state:failed", "--json").stdout)
    trait = next(each for each in found["traits"] if each["attribute"] == "data.country")
    assert (trait["failing_rate"], trait["others_rate"], trait["may_be_chance"]) == (1.0, 0.0, False)
    listed = shipping.wfe("ls", "--json", "state:failed", trait["filter"]).stdout.splitlines()
    assert {orjson.loads(line)["key"] for line in listed} == {f"A-{n}" for n in range(0, 40, 4)}


def test_the_shell_takes_a_fingerprint_in_place_of_a_filter(shipping: Any) -> None:
    with Store(shipping.store) as store:
        fingerprint = store.errors.all()[0]["fingerprint"]
    found = orjson.loads(shipping.wfe("share", fingerprint[:8], "--json").stdout)
    assert (found["filter"], found["failing"]) == (f"error:{fingerprint}", 10)
    refused = shipping.wfe("share", "v1:0000")
    assert refused.returncode == 2
    assert refused.stderr.startswith("wfe: there is no error with the fingerprint 'v1:0000'")
    wrong = shipping.wfe("share", "state:nonsense")
    assert wrong.returncode == 2
    assert "there is no state 'nonsense'" in wrong.stderr


def test_a_release_that_breaks_what_went_well_shows_as_its_code_version(shipping: Any) -> None:
    module = shipping.folder / "shipping.py"
    module.write_text(COUNTRIES.replace('entry.country == "NO"', 'entry.key.startswith("B")'))
    more = (f"B-{n}:{'NO' if n % 4 == 0 else 'DE'}" for n in range(40))
    (shipping.folder / "list.txt").write_text("\n".join(more))
    assert shipping.wfe("run", "shipping:Orders").returncode == 1
    found = orjson.loads(shipping.wfe("share", "key:B-*", "--json").stdout)
    assert (found["failing"], found["others_read"], found["unknown"]) == (40, 30, {})
    with Store(shipping.store) as store:
        first, second = store.runs.all()
    assert first["code"] != second["code"]
    assert first["host"] == second["host"]
    sure = {each["attribute"]: each["value"] for each in found["traits"] if not each["may_be_chance"]}
    assert sure["code"] == second["code"]
    assert sure["process"] == str(second["pid"])
    assert "host" not in sure
    with Store(shipping.store) as store:
        ran = store.entries.search(compile_filter(f"code={first['code']}", store, NOON))  # type: ignore[arg-type]
        assert {entry["run"] for entry in ran} == {first.doc_id}
        assert not store.entries.search(where("run") == None)  # noqa: E711 - a query, not a test
