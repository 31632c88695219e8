"""The language of filters: what each form lets through, and where one is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinydb import where

from engine.clock import to_text
from engine.filter import FilterError, compile_filter
from engine.filter.completion import complete
from engine.filter.fields import FIELDS
from engine.filter.syntax import parse
from engine.state import State, shown_state
from engine.store import Store

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def entry(key: str, **fields: Any) -> dict[str, Any]:
    common = {
        "key": key, "processor": "shop:Orders", "tasks": ["fetch", "check", "send"], "data": {}, "executions": [],
        "due_date": None, "finished": None, "source": None, "task": "fetch", "reason": "", "error_id": None,
        "repeat": False, "attempts": 0, "done": 0, "due": None, "updated": to_text(NOON), "owner": None, "run": 1,
    }  # fmt: skip
    return {**common, **fields, **shown_state(State(fields.get("state", "ready")))}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "wfe.db") as store:
        yield store


@pytest.fixture
def filled(store: Store) -> Store:
    store.entries.insert_multiple(
        [
            entry("a-1", data={"country": "DE", "price": 7, "lines": [{"sku": "x-1"}, {"sku": "x-2"}]}),
            entry(
                "a-2", state="failed", task="check", reason="Timeout after 30 s", error_id="5f0c-77", attempts=3,
                updated=to_text(NOON - timedelta(hours=3)), data={"country": "FR", "price": 12.5},
            ),
            entry("b-1", state="interrupted", task="send", reason="timeout, failed twice", repeat=True),
            entry(
                "b-2", state="in doubt", reason="died at 10:30", processor="shop:Invoices", source="night.csv",
                repeat={"kind": "after_time", "seconds": 5}, due=to_text(NOON + timedelta(minutes=30)), run=12,
            ),
        ]
    )  # fmt: skip
    store.errors.insert({"error_id": "5f0c-77", "fingerprint": "v1:9f2a11", "key": "a-2", "time": to_text(NOON)})
    return store


def shown(store: Store, text: str) -> list[str]:
    condition = compile_filter(text, store, NOON)
    found = store.entries.all() if condition is None else store.entries.search(condition)
    return [document["key"] for document in found]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", "a-1 a-2 b-1 b-2"),
        ("a-", "a-1 a-2"),
        ("A-", "a-1 a-2"),
        ("timeout", "a-2 b-1"),
        ("timeout send", "b-1"),
        ("state:failed", "a-2"),
        ("STATE:Failed", "a-2"),
        ("state:fail", "a-2"),
        ("state:in_doubt", "b-2"),
        ("state:in-doubt", "b-2"),
        ('state:"in doubt"', "b-2"),
        ("state=failed", "a-2"),
        ("-state:failed", "a-1 b-1 b-2"),
        ("failed", "a-2 b-1"),
        ("reason:failed", "b-1"),
        ("task:send", "b-1"),
        ("error:5f0c", "a-2"),
        ("error:timeout", "a-2"),
        ("error:v1:9f2a", "a-2"),
        ("error:v1:0000", ""),
        ("5F0C", "a-2"),
        ("processor:invoices", "b-2"),
        ("source:night", "b-2"),
        ("key:b state:interrupted", "b-1"),
        ("key:a-*", "a-1 a-2"),
        ("key:?-2", "a-2 b-2"),
        ("key:A-*", ""),
        ("key=a-1", "a-1"),
        ("key=a-", ""),
        ("state: b-", "b-1 b-2"),
        ("10:30", "b-2"),
        ("nothing-like-this", ""),
        ("a-1 | b-2", "a-1 b-2"),
        ("state:failed | state:interrupted timeout", "a-2 b-1"),
        ("(a-1 | b-2) processor:orders", "a-1"),
        ("-(a-1 | b-2)", "a-2 b-1"),
        ("-(timeout state:failed)", "a-1 b-1 b-2"),
        ("--a-1", "a-1"),
        ('"failed twice"', "b-1"),
        ("/^a-[2-9]$/", "a-2"),
        ("key:/^B/", "b-1 b-2"),
        ("reason:/timeout.*(30|twice)/", "a-2 b-1"),
        ("age:>2h", "a-2"),
        ("age:<2h", "a-1 b-1 b-2"),
        ("-age:>2h", "a-1 b-1 b-2"),
        ("due:<1h", "b-2"),
        ("attempts:3", "a-2"),
        ("attempts:>=1", "a-2"),
        ("run:12", "b-2"),
        ("repeat:on", "b-1 b-2"),
        ("repeat:time", "b-2"),
        ("repeat:off", "a-1 a-2"),
        ("data.country:DE", "a-1"),
        ("data.country:d", "a-1"),
        ("-data.country:DE", "a-2 b-1 b-2"),
        ("data.price:7", "a-1"),
        ("data.price:>7", "a-2"),
        ("data.lines.sku:x-2", "a-1"),
        ("data.nothing:x", ""),
    ],
)
def test_a_filter_lets_through_what_it_says(filled: Store, text: str, keys: str) -> None:
    assert shown(filled, text) == keys.split()


@pytest.mark.parametrize(
    ("text", "sentence", "at"),
    [
        ("a (b", "not closed", 2),
        ("a) b", "closes none", 1),
        ('x "abc', "quotation mark is not closed", 2),
        ("x /abc", "no second /", 2),
        ("x /a(/", "regular expression is wrong", 2),
        ("stat:failed", "there is no field 'stat': write state", 0),
        ("a state:nonsense", "there is no state 'nonsense': it is one of ready, waiting", 8),
        ("age:soon", "compared with a duration: write age:>=2h", 4),
        ("attempts:many", "attempts is a number", 9),
        ("repeat:maybe", "repeat is one of on, off", 7),
        ("(" * 60 + "a" + ")" * 60, "more than 50 deep", 50),
        ("data.:x", "followed by the name of a field", 6),
    ],
)
def test_a_filter_that_is_wrong_says_what_and_where(filled: Store, text: str, sentence: str, at: int) -> None:
    with pytest.raises(FilterError, match=sentence.replace("(", r"\(").replace(")", r"\)")) as refused:
        compile_filter(text, filled, NOON)
    assert refused.value.start == at


def test_what_is_half_typed_lets_everything_through(store: Store) -> None:
    for text in ("", "  state: ", "-", "()", "| "):
        assert compile_filter(text, store, NOON) is None


def test_half_an_alternative_is_none(filled: Store) -> None:
    assert shown(filled, "a-1 |") == ["a-1"]


def test_keys_times_addresses_and_paths_are_plain_words(filled: Store) -> None:
    filled.entries.insert_multiple([entry("http://host/x"), entry("/srv/orders/7")])
    assert shown(filled, "http://host") == ["http://host/x"]
    assert shown(filled, "/srv/orders") == ["/srv/orders/7"]


@pytest.mark.parametrize(
    "text", ["state:failed", "-state:finished", "key=a-1", "age:>2h", "state:failed age:>2h", "state:failed | key=b-1"]
)
def test_on_an_indexed_field_an_index_answers_alone(filled: Store, text: str) -> None:
    condition = compile_filter(text, filled, NOON)
    assert condition is not None
    assert filled.entries.is_indexed(condition)


def test_a_whole_state_is_the_very_condition_that_an_index_answers(store: Store) -> None:
    assert compile_filter("state:failed", store, NOON) == (where("state") == "failed")


@given(st.text(alphabet='ab:=()|-"/\\*?<> .0\x1b\u202e', max_size=40))
def test_whatever_is_typed_is_understood_or_refused_with_a_place_in_it(text: str) -> None:
    refused: list[FilterError] = []
    try:
        parse(text, FIELDS)
    except FilterError as error:
        refused.append(error)
    assert all(0 <= error.start <= error.end <= len(text) for error in refused)


# Completion


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("sta", ["state:"]),
        ("a sta", ["state:"]),
        ("-(sta", ["state:"]),
        ("state:f", ["failed", "finished"]),
        ("state:failed task:", ["fetch", "check", "send"]),
        ("task:s", ["send"]),
        ("processor:", ["shop:Invoices", "shop:Orders"]),
        ("key:a", ["a-1", "a-2"]),
        ("repeat:o", ["on", "off"]),
        ("data.", ["country:", "price:", "lines:"]),
        ("data.country:", ["DE", "FR"]),
        ("error:V", ["ValueError", "v1:9f2a11"]),
        ("nonsense:", []),
        ("", []),
    ],
)
def test_fields_and_values_found_in_the_store_are_offered(filled: Store, text: str, offered: list[str]) -> None:
    filled.errors.update({"type": "ValueError"})
    assert sorted(each.text for each in complete(text, filled)) == sorted(offered)


def test_a_completion_that_would_be_read_as_something_else_is_quoted(store: Store) -> None:
    store.entries.insert_multiple([entry("a b"), entry('a"c')])
    assert [each.text for each in complete("key:a", store)] == ['"a b"', '"a\\"c"']
    assert [each.start for each in complete("x key:a", store)] == [6, 6]


def test_no_more_than_twenty_are_offered_of_a_great_store(store: Store) -> None:
    store.entries.insert_multiple(entry(f"k-{number:04}") for number in range(500))
    assert len(complete("key:k-", store)) == 20
