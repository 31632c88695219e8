"""What is kept of an unexpected exception: who was hit, where in the code, and which others have the same cause."""

import importlib.util
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import CONTEXT_LINES, MAX_FRAMES, MAX_MEMBERS, error_record, one_line

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

CODE = """\
import json


def check(order):
    customers = {}
    total = 1
    return total + lookup(order, customers)


def lookup(order, customers):
    return customers[order]


def read(text):
    return json.loads(text)


def wrap(order):
    try:
        check(order)
    except KeyError as error:
        raise RuntimeError("no customer") from error


def handle(order):
    try:
        check(order)
    except KeyError:
        raise RuntimeError("while handling")


def dive(depth):
    return dive(depth + 1)


def check_all(*orders):
    failures = []
    for order in orders:
        try:
            wrap(order)
        except RuntimeError as error:
            failures.append(error)
    raise ExceptionGroup("some orders", failures)


def straße(order): return {"größe": 1}, check(order), "done"
"""


def load(folder: Path, code: str = CODE) -> ModuleType:
    file = folder / "shop_code.py"
    file.write_text(code)
    spec = importlib.util.spec_from_file_location("shop_code", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def record(act: Callable[[], Any], task: str = "Check", key: str | None = "A-1") -> dict[str, Any]:
    try:
        act()
    except BaseException as error:
        return error_record(error, uuid4(), task=task, key=key, processor="shop:Orders", at=NOON)
    raise AssertionError("nothing was raised")


@pytest.fixture
def code(tmp_path: Path) -> ModuleType:
    return load(tmp_path)


def test_the_record_says_what_happened_where_to_whom_and_when(code: ModuleType) -> None:
    kept = record(lambda: code.check("A-1"))
    assert UUID(kept["error_id"])
    assert (kept["type"], kept["message"]) == ("KeyError", "'A-1'")
    assert (kept["task"], kept["key"], kept["processor"]) == ("Check", "A-1", "shop:Orders")
    assert (kept["host"], kept["pid"]) == (socket.gethostname(), os.getpid())
    assert datetime.fromisoformat(kept["time"]) == NOON
    assert kept["fingerprint"].startswith("v1:")
    assert "Traceback" in kept["text"]
    assert "in lookup" in kept["text"]


def test_each_frame_has_its_file_line_function_and_source_lines(code: ModuleType) -> None:
    raising = record(lambda: code.check("A-1"))["frames"][-1]
    assert raising["file"] == code.__file__
    assert (raising["line"], raising["function"], raising["module"]) == (11, "lookup", "shop_code")
    assert raising["first"] == 11 - CONTEXT_LINES
    assert raising["source"] == CODE.splitlines()[10 - CONTEXT_LINES : 11 + CONTEXT_LINES]
    assert raising["source"][raising["line"] - raising["first"]] == "    return customers[order]"


def test_source_lines_stay_inside_the_file(tmp_path: Path) -> None:
    module = load(tmp_path, "def check():\n    raise ValueError")
    raising = record(module.check)["frames"][-1]
    assert (raising["first"], raising["source"]) == (1, ["def check():", "    raise ValueError"])


def test_the_users_own_code_is_told_from_libraries(code: ModuleType) -> None:
    frames = record(lambda: code.read("{"))["frames"]
    assert {frame["function"]: frame["own"] for frame in frames[2:]} == {
        "read": True,
        "loads": False,
        "JSONDecoder.decode": False,
        "JSONDecoder.raw_decode": False,
    }


def test_the_exceptions_before_it_are_kept_with_how_they_led_to_it(code: ModuleType) -> None:
    for act, relation in ((code.wrap, "cause"), (code.handle, "context")):
        (before,) = record(lambda act=act: act("A-1"))["causes"]
        assert (before["relation"], before["type"], before["message"]) == (relation, "KeyError", "'A-1'")
        assert before["frames"][-1]["function"] == "lookup"


def test_a_frame_tells_which_characters_of_its_line_it_was_at(code: ModuleType) -> None:
    frames = {frame["function"]: frame for frame in record(lambda: code.straße("A-1"))["frames"]}
    for function, at in (("straße", "check(order)"), ("check", "lookup(order, customers)")):
        frame = frames[function]
        begin, end = frame["columns"]
        assert frame["source"][frame["line"] - frame["first"]][begin:end] == at


def test_the_exceptions_of_a_group_are_kept_each_with_its_frames_and_causes(code: ModuleType) -> None:
    kept = record(lambda: code.check_all("A-1", "A-2"))
    assert (kept["type"], kept["message"]) == ("ExceptionGroup", "some orders (2 sub-exceptions)")
    for order, one in zip(("A-1", "A-2"), kept["exceptions"], strict=True):
        assert (one["type"], one["message"]) == ("RuntimeError", "no customer")
        assert [frame["function"] for frame in one["frames"]] == ["check_all", "wrap"]
        (before,) = one["causes"]
        assert (before["relation"], before["type"], before["message"]) == ("cause", "KeyError", repr(order))
    assert "omitted" not in kept
    assert "exceptions" not in kept["exceptions"][0]


def test_groups_in_groups_and_groups_that_led_to_an_error_are_kept_too() -> None:
    group = ExceptionGroup("outer", [ValueError("one"), ExceptionGroup("inner", [KeyError("two")])])
    error = RuntimeError("it failed")
    error.__cause__ = group
    (before,) = record(raising(error))["causes"]
    one, inner = before["exceptions"]
    assert (one["message"], [each["type"] for each in inner["exceptions"]]) == ("one", ["KeyError"])


def test_of_a_great_group_so_many_are_kept_and_the_others_counted(code: ModuleType) -> None:
    inner = ExceptionGroup("inner", [ValueError(str(number)) for number in range(30)])
    kept = record(raising(ExceptionGroup("outer", [KeyError("one"), inner, KeyError("two")])))
    assert kept["omitted"] == 1
    first, second = kept["exceptions"]
    assert (first["message"], second["omitted"]) == ("'one'", 30 - (MAX_MEMBERS - 2))
    assert len(second["exceptions"]) == MAX_MEMBERS - 2


def test_a_group_that_led_to_one_of_its_own_exceptions_is_kept_once() -> None:
    one = ValueError("one")
    group = ExceptionGroup("group", [one, KeyError("two")])
    one.__context__ = group
    first, _ = record(raising(group))["exceptions"]
    assert first["causes"] == []
    (before,) = record(raising(one))["causes"]
    assert [each["message"] for each in before["exceptions"]] == ["'two'"]


def test_a_fingerprint_does_not_depend_on_how_many_a_group_has(code: ModuleType) -> None:
    prints = {record(lambda keys=keys: code.check_all(*keys))["fingerprint"] for keys in (("A-1",), ("A-1", "A-2"))}
    assert len(prints) == 1


def test_exceptions_that_cause_each_other_are_each_kept_once() -> None:
    first, second, third = ValueError("first"), ValueError("second"), ValueError("third")
    first.__cause__, second.__cause__, third.__cause__ = second, third, second
    assert [cause["message"] for cause in record(raising(first))["causes"]] == ["second", "third"]


def test_a_runaway_recursion_keeps_its_beginning_and_its_end(code: ModuleType) -> None:
    kept = record(lambda: code.dive(0))
    assert len(kept["frames"]) == MAX_FRAMES
    assert len(orjson.dumps(kept)) < 200_000


def test_a_fingerprint_groups_what_one_line_of_code_does_to_many_entries(code: ModuleType) -> None:
    prints = {record(lambda key=key: code.check(key), key=key)["fingerprint"] for key in ("A-1", "A-2", "B-77")}
    assert len(prints) == 1


def test_a_fingerprint_survives_an_edit_elsewhere_in_the_file(tmp_path: Path, code: ModuleType) -> None:
    before = record(lambda: code.check("A-1"))
    edited = load(tmp_path, "# a comment\n\n\n" + CODE)
    after = record(lambda: edited.check("A-1"))
    assert after["frames"][-1]["line"] == before["frames"][-1]["line"] + 3
    assert after["fingerprint"] == before["fingerprint"]


def test_a_fingerprint_tells_another_cause(code: ModuleType) -> None:
    acts = [lambda: code.check("A-1"), lambda: code.lookup("A-1", {}), lambda: code.read("{"), lambda: code.wrap("A-1")]
    assert len({record(act)["fingerprint"] for act in acts}) == len(acts)


def test_without_own_code_the_message_tells_causes_apart_but_for_its_numbers_and_quotes() -> None:
    def error(message: str) -> str:
        kept = error_record(ValueError(message), uuid4(), task="Check", key=None, processor="p", at=NOON)
        return str(kept["fingerprint"])

    assert error("row 17 of 'a.csv' is short") == error("row 4 of 'b.csv' is short")
    assert error("row 17 of 'a.csv' is short") != error("row 17 of 'a.csv' is long")


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_an_exception_whose_text_raises_is_kept_all_the_same() -> None:
    kept = record(raising(UnprintableError()))
    assert kept["type"].endswith("UnprintableError")
    assert "RuntimeError" in kept["message"]
    assert one_line(UnprintableError()).startswith("UnprintableError: ")


@given(st.text(st.characters()))
@example(os.fsdecode(b"caf\xe9.csv"))
@example("\ud83d")
@example("\x00")
def test_whatever_a_message_holds_its_record_is_json(message: str) -> None:
    kept = record(raising(ValueError(message)))
    assert orjson.loads(orjson.dumps(kept)) == kept
    assert orjson.dumps(one_line(ValueError(message)))


def test_one_line_is_one_line_of_bounded_length() -> None:
    assert one_line(ValueError("first\n  second")) == "ValueError: first second"
    assert one_line(ValueError()) == "ValueError"
    assert len(one_line(ValueError("x" * 1000))) == 300


def test_a_very_long_message_is_bounded() -> None:
    assert len(orjson.dumps(record(raising(ValueError("x" * 10_000_000))))) < 100_000
