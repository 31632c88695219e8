"""An index makes a search cheap and never changes its answer."""

import functools
import operator
import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinydb import Query, where
from tinydb.queries import QueryInstance

from engine.store import Store
from engine.store.conditions import narrow
from engine.store.schema import layout

INDEXED = ("key", "state", "due")
FIELDS = (*INDEXED, "other")

texts = st.sampled_from(
    ["", "a", "b", "[1]", "{}", "1", "true", "null", "é", "😀", 'a"b', "a\\b", "\x01", "\x7f", "Z"]
) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
whole = st.sampled_from([0, 1, -1, 5, 2**49, 2**49 + 1, 2**53, 2**53 + 1, -(2**63), 2**63 - 1, 2**63, 2**64 - 1])
fractions = st.sampled_from(
    [0.0, -0.0, 1.0, 5.0, 0.1, 4.999999999999999, 5.000000000000001, 1e300, 5e-324, 2.0**53]
) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | whole | st.integers(-3, 3) | fractions | texts
values = scalars | st.lists(st.integers(0, 1), max_size=2) | st.dictionaries(st.sampled_from("ab"), scalars, max_size=2)
documents = st.lists(st.dictionaries(st.sampled_from(FIELDS), values, max_size=4), max_size=8)


OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare(field: str, sign: str, value: Any) -> QueryInstance:
    condition: QueryInstance = OPERATORS[sign](where(field), value)
    return condition


comparisons = st.builds(compare, st.sampled_from(FIELDS), st.sampled_from(list(OPERATORS)), values)
choices = st.builds(
    lambda field, items: where(field).one_of(items), st.sampled_from(FIELDS), st.lists(values, max_size=4)
)
conditions = st.recursive(
    comparisons | choices | st.builds(lambda field: where(field).exists(), st.sampled_from(FIELDS)),
    lambda parts: (
        st.builds(lambda a, b: a & b, parts, parts)
        | st.builds(lambda a, b: a | b, parts, parts)
        | st.builds(lambda a: ~a, parts)
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("narrowing") / "wfe.db") as store:
        yield store


def answers(cond: QueryInstance, document: dict[str, Any]) -> bool | None:
    """What a plain scan says, None if the values do not compare."""
    try:
        return bool(cond(document))
    except TypeError:
        return None


@settings(max_examples=300, deadline=None)
@given(contents=documents, cond=conditions)
@pytest.mark.slow
def test_a_search_by_index_answers_as_a_plain_scan(
    shared: Store, contents: list[dict[str, Any]], cond: QueryInstance
) -> None:
    shared.entries.truncate()
    shared.entries.insert_multiple(contents)
    stored = {document.doc_id: document for document in shared.entries.all()}
    assert list(stored.values()) == contents
    plain = {doc_id: answers(cond, dict(document)) for doc_id, document in stored.items()}
    expected = [doc_id for doc_id, answer in plain.items() if answer]
    try:
        found = [document.doc_id for document in shared.entries.search(cond)]
        ids = shared.entries.ids(cond)
    except TypeError:
        # A scan of values that do not compare raises; an index may answer without meeting them.
        assert None in plain.values()
    else:
        assert found == expected
        assert ids == array("q", expected)
        assert shared.entries.count(cond) == len(expected)
        assert sum(shared.entries.counts("state", cond).values()) == len(expected)


@settings(max_examples=100, deadline=None)
@given(contents=documents, text=texts, sign=st.sampled_from(list(OPERATORS)))
def test_texts_and_missing_values_in_an_indexed_field_compare_as_in_a_plain_scan(
    shared: Store, contents: list[dict[str, Any]], text: str, sign: str
) -> None:
    shared.entries.truncate()
    shared.entries.insert_multiple(c for c in contents if isinstance(c.get("key", ""), str))
    cond = compare("key", sign, text)
    assert [d.doc_id for d in shared.entries.search(cond)] == [d.doc_id for d in shared.entries.all() if cond(d)]


class State(StrEnum):
    FAILED = "failed"
    READY = "ready"


FIELDS_WITH_COLUMNS = layout("entries").fields


@pytest.mark.parametrize(
    ("cond", "index"),
    [
        (where("state") == "failed", "entries_state"),
        (where("state") == State.FAILED, "entries_state"),
        (where("state").one_of(["failed", "ready"]), "entries_state"),
        (where("state").one_of(["failed", None]), "entries_state"),
        (where("due") <= "2026-11-23", "entries_due"),
        (where("due") > "2026-11-23", "entries_due"),
        (where("due") != None, "entries_due"),  # noqa: E711
        ((where("state") == "waiting") & (where("due") == None), "entries_state"),  # noqa: E711
        (where("owner") == "me", "entries_owner"),
        (where("owner").one_of(["me", "you"]), "entries_owner"),
        (where("updated") > 0.5, "entries_updated"),
        ((where("key") == "A") & (where("data")["n"] == 1), "entries_key"),
        ((where("processor") == "p") & (where("key") == "A"), "entries_key"),
        ((where("state") == "failed") & (where("error_id") == "A"), "entries_error_id"),
        ((where("state") == "failed") | (where("key") == "A"), "entries_state"),
        ((where("state") == "failed") | (where("key") == "A"), "entries_key"),
        (where("key").one_of([f"{n}" for n in range(1_000)]), "entries_key"),
    ],
)
def test_a_condition_on_an_indexed_field_uses_its_index(
    store: Store, path: Path, cond: QueryInstance, index: str
) -> None:
    narrowing = narrow(cond, FIELDS_WITH_COLUMNS)
    assert narrowing is not None
    steps = " ".join(step for term in narrowing.alternatives for step in planned(path, term.sql, term.parameters))
    assert index in steps
    assert "SCAN entries" not in steps


@pytest.mark.parametrize(
    ("cond", "order"),
    [
        ("true", "updated DESC, id DESC"),
        ("true", "key, id"),
        ("state = 'failed'", "id"),
        ("state = 'failed'", "updated DESC, id DESC"),
        ("state = 'failed'", "key NULLS LAST, id"),
        ("state = 'failed' AND processor = 'p'", "updated NULLS LAST, id"),
        ("processor = 'p'", "updated DESC, id DESC"),
        ("true", "urgency NULLS LAST, id"),
    ],
)
def test_a_list_comes_from_an_index_in_order_and_is_not_sorted(store: Store, path: Path, cond: str, order: str) -> None:
    (step,) = planned(path, f"{cond} ORDER BY {order} LIMIT 50 OFFSET 100", ())
    assert "COVERING INDEX" in step


def planned(path: Path, sql: str, parameters: tuple[Any, ...]) -> list[str]:
    """How SQLite goes about it."""
    connection = sqlite3.connect(path)
    plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT id FROM entries WHERE true AND {sql}", parameters).fetchall()
    connection.close()
    return [step for *_, step in plan]


@pytest.mark.parametrize(
    "cond",
    [
        where("state") == 2**64,
        where("state") < float("nan"),
        where("state") == "\ud800",
        where("state") == ["failed"],
        where("state").one_of("failed"),  # type: ignore[arg-type]
        where("state").one_of([["failed"]]),
        where("state").matches("fail"),
        where("message") == "not indexed",
        (where("state") == "failed") | (where("message") == "not indexed"),
        ~(where("state") == "failed"),
        where("state")["nested"] == "failed",
        Query().noop(),
        where("state").map(str.upper) == "FAILED",
    ],
)
def test_what_an_index_cannot_answer_for_sure_is_left_to_a_scan(cond: QueryInstance) -> None:
    assert narrow(cond, ("state",)) is None


def test_a_long_chain_of_alternatives_or_demands_is_answered(store: Store) -> None:
    store.entries.insert_multiple({"key": f"{n}", "state": "failed"} for n in range(300))
    alternatives = functools.reduce(operator.or_, (where("key") == f"{n}" for n in range(150)))
    demands = functools.reduce(operator.and_, (where("key") != f"{n}" for n in range(150)))
    mixed = where("key") == "0"
    for n in range(1, 40):
        mixed = (mixed | (where("key") == f"{n}")) & (where("state") == "failed")
    assert len(store.entries.search(alternatives)) == store.entries.count(alternatives) == 150
    assert len(store.entries.search(demands)) == 150
    assert len(store.entries.search(mixed)) == 40
    assert len(store.entries.search(where("key").one_of([f"{n}" for n in range(100_000)]))) == 300


def test_an_enum_of_texts_is_found_by_index(store: Store) -> None:
    store.entries.insert_multiple([{"state": State.FAILED}, {"state": State.READY}])
    assert store.entries.search(where("state") == State.FAILED) == [{"state": "failed"}]
    assert list(store.entries.ids(where("state").one_of(list(State)))) == [1, 2]


@pytest.mark.parametrize("field", ["state", "other"])
def test_ids_come_in_order_with_nothing_last_in_both_directions(store: Store, field: str) -> None:
    store.entries.insert_multiple([{field: "b"}, {field: None}, {field: "a"}, {}, {field: "b"}])
    assert list(store.entries.ids(order_by=field)) == [3, 1, 5, 2, 4]
    assert list(store.entries.ids(order_by=field, reverse=True)) == [5, 1, 3, 4, 2]
    assert list(store.entries.ids(order_by=field, limit=2, offset=1)) == [1, 5]
    assert list(store.entries.ids(where(field) == "b", order_by=field, reverse=True, limit=1)) == [5]
    assert list(store.entries.ids(reverse=True, limit=2)) == [5, 4]


@pytest.mark.parametrize("field", ["state", "other"])
def test_documents_are_counted_by_the_value_of_a_field(store: Store, field: str) -> None:
    store.entries.insert_multiple([{field: "b", "n": 1}, {field: None}, {field: "a"}, {"n": 1}, {field: "b"}])
    assert store.entries.counts(field) == {"a": 1, "b": 2, None: 2}
    assert store.entries.counts(field, where("n") == 1) == Counter({"b": 1, None: 1})
    assert store.entries.counts(field, where(field) == "b") == {"b": 2}
    assert store.entries.counts(field, where(field) == "z") == {}


@pytest.mark.parametrize("field", ["state", "other"])
def test_the_least_and_the_greatest_value_of_a_field_are_told(store: Store, field: str) -> None:
    store.entries.insert_multiple([{field: "b", "n": 1}, {field: None}, {field: "a"}, {"n": 2}, {field: "c"}])
    assert store.entries.bounds(field, where(field) != "c") == ("a", "b")
    assert store.entries.bounds(field, where("n") == 1) == ("b", "b")
    assert store.entries.bounds(field, where("n") == 2) == (None, None)
    assert store.entries.bounds(field, where(field) == "z") == (None, None)


def test_a_field_may_have_any_plain_name(store: Store) -> None:
    store.entries.insert_multiple([{"the field's name.x": 2}, {"the field's name.x": 1}])
    assert list(store.entries.ids(order_by="the field's name.x")) == [2, 1]
    assert store.entries.counts("the field's name.x") == {1: 1, 2: 1}


def test_a_group_is_counted_though_one_of_its_parts_has_become_empty(store: Store) -> None:
    number = store.entries.insert({"processor": "orders:Orders", "state": "ready"})
    store.entries.update({"state": "finished"}, doc_ids=[number])
    assert store.entries.counts("processor") == {"orders:Orders": 1}
    assert store.entries.counts("state") == {"finished": 1}
