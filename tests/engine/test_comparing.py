"""What differs between two attempts, or two entries: tracebacks, values, data and times, and how they are laid out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from engine.clock import to_text
from engine.comparing.comparison import LONGEST, Comparison, Kind, Part, Row
from engine.comparing.layout import ROOM, Look, body, head
from engine.comparing.parts import MOST_ALIKE, Side, flattened, parts_of_attempts, parts_of_entries
from engine.comparing.tracebacks import traceback_rows, value_rows

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def frame(function: str, line: int, *source: str, first: int = 1, own: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "file": "/srv/orders.py", "line": line, "function": function, "module": "orders", "own": own, "first": first,
        "source": list(source), "columns": None, **more,
    }  # fmt: skip


def error(*frames: Any, kind: str = "ValueError", message: str = "", **more: Any) -> dict[str, Any]:
    return {
        "type": kind, "message": message, "notes": [], "frames": list(frames), "causes": [], "host": "a", "pid": 1,
        **more,
    }  # fmt: skip


def attempt(task: str, number: int = 1, *, took: float = 1.0, **fields: Any) -> dict[str, Any]:
    begun, ended = to_text(NOON), to_text(NOON + timedelta(seconds=took))
    return {
        "name": task, "run_count": number, "execution_time": begun, "finished_at": ended, "processed": True,
        "error_id": None, "status": None, "error": None, **fields,
    }  # fmt: skip


def side(name: str, *executions: Any, data: Any = None, **more: Any) -> Side:
    entry = {
        "key": name, "executions": list(executions), "tasks": ["Fetch", "Check"], "data": data or {},
        "due_date": None, "source": None, "error_id": None,
    }  # fmt: skip
    return Side(name, entry, "finished", executions[-1] if executions else None, **more)


def by_label(parts: tuple[Part, ...], title: str) -> dict[str, Row]:
    return {row.label: row for part in parts if part.title == title for row in part.rows}


def said(parts: tuple[Part, ...], title: str) -> str:
    return " ".join(note for part in parts if part.title == title for note in part.notes)


# --- tracebacks


def test_frames_that_are_alike_are_folded_into_one_line_and_those_that_differ_are_kept_in_full() -> None:
    before = [frame(name, 1, f"call {name}") for name in ("run", "each", "one")]
    left = error(*before, frame("check", 3, "def check():", "    total = 1", "    raise ValueError"))
    right = error(*before, frame("check", 2, "def check():", "    assert False"))
    folded, changed = traceback_rows(left, right)
    assert (folded.left, folded.right, folded.differs) == ("3 frames alike", "3 frames alike", False)
    assert (changed.label, changed.differs) == ("other line", True)
    assert changed.left == "orders:3 in check\n  1 def check():\n  2     total = 1\n❱ 3     raise ValueError"
    assert changed.right == "orders:2 in check\n  1 def check():\n❱ 2     assert False"


def test_a_line_that_has_another_number_alone_is_shown_as_moved_without_the_source_around_it() -> None:
    left = error(frame("check", 2, "def check():", "    raise ValueError"))
    right = error(frame("check", 12, "def check():", "    raise ValueError", first=11))
    (moved,) = traceback_rows(left, right)
    assert (moved.label, moved.left, moved.right) == (
        "moved", "orders:2 in check\n❱ 2 raise ValueError", "orders:12 in check\n❱ 12 raise ValueError"
    )  # fmt: skip


def test_a_frame_that_one_side_alone_has_does_not_set_the_others_against_one_another() -> None:
    left = error(frame("run", 1, "a"), frame("retry", 1, "b"), frame("check", 1, "c"))
    right = error(frame("run", 1, "a"), frame("check", 1, "c"))
    rows = list(traceback_rows(left, right))
    assert [(row.label, row.differs) for row in rows] == [("", False), ("only here", True), ("", False)]
    assert rows[1].right is None
    assert rows[0].left == "1 frame alike"


def test_of_a_library_the_line_alone_is_shown_and_of_two_files_their_paths() -> None:
    left = error(frame("get", 2, "def get():", "    send()", own=False))
    right = error(frame("get", 1, "send()", own=False, file="/opt/orders.py"))
    (row,) = traceback_rows(left, right)
    assert (row.label, row.left, row.right) == (
        "moved", "orders:2 in get\n/srv/orders.py\n❱ 2 send()", "orders:1 in get\n/opt/orders.py\n❱ 1 send()"
    )  # fmt: skip


def test_causes_and_members_of_groups_are_compared_in_their_order() -> None:
    cause = {**error(frame("load", 1, "x"), kind="KeyError", message="'a'"), "relation": "cause"}
    other = {**cause, "message": "'b'"}
    member = error(kind="OSError", message="gone")
    rows = list(traceback_rows(error(causes=[cause], exceptions=[member]), error(causes=[other], exceptions=[member])))
    assert [(row.label, row.left, row.differs) for row in rows] == [
        ("in the group", "OSError: gone", False), ("caused by", "KeyError: 'a'", True), ("", "1 frame alike", False)
    ]  # fmt: skip
    assert next(traceback_rows(error(causes=[cause]), error())).right is None


def test_values_are_compared_name_by_name_and_the_address_of_an_object_is_no_difference() -> None:
    left = error(frame("C.check", 1, "x", locals={"n": "1", "task": "<Check object at 0x7f01>", "gone": "'a'"}))
    right = error(frame("C.check", 1, "x", locals={"n": "2", "task": "<Check object at 0x7f99>"}))
    rows = {row.label: row for row in value_rows(left, right)}
    assert {label: row.differs for label, row in rows.items()} == {
        "check: n": True, "check: task": False, "check: gone": True
    }  # fmt: skip
    assert rows["check: gone"].right is None


def test_values_of_two_functions_are_not_set_against_one_another() -> None:
    left, right = error(frame("a", 1, "x", locals={"n": "1"})), error(frame("b", 1, "x", locals={"n": "1"}))
    assert [(row.label, row.left, row.right) for row in value_rows(left, right)] == [
        ("a: n", "1", None), ("b: n", None, "1")
    ]  # fmt: skip


# --- attempts


def test_what_ended_two_attempts_is_told_and_that_their_data_is_not_known() -> None:
    broken = attempt("Check", error_id="e1", error="ValueError: no customer", processed=False)
    waits = attempt("Check", 2, status={"message": "not now"}, processed=False)
    record = error(frame("check", 1, "x"), message="no customer")
    parts = parts_of_attempts((side("attempt 1", broken, error=record), side("attempt 2", waits)), {})
    rows = by_label(parts, "How it ended")
    assert (rows["attempt"].left, rows["attempt"].right) == ("failed", "interrupted")
    assert (rows["error"].left, rows["error"].right) == ("ValueError", None)
    assert (rows["message"].left, rows["status"].right) == ("no customer", "not now")
    assert "not kept with each attempt" in said(parts, "Data")
    assert not by_label(parts, "Data")
    assert said(parts, "Traceback") == "attempt 2: none, it is interrupted"
    assert "keep_locals" in said(parts, "Local values")


def test_an_error_whose_record_was_pruned_is_said_to_be_gone_and_told_by_what_is_left_of_it() -> None:
    broken = attempt("Check", error_id="e1", error="ValueError: no: customer", processed=False)
    parts = parts_of_attempts((side("attempt 1", broken), side("attempt 2", broken)), {})
    assert "attempt 1: the record of error e1 is not in the store any more" in said(parts, "Traceback")
    row = by_label(parts, "How it ended")["message"]
    assert (row.left, row.differs) == ("no: customer", False)
    assert said(parts, "Where") == "host and process are kept with errors alone"


def test_where_nothing_failed_there_is_no_traceback_to_speak_of() -> None:
    parts = parts_of_attempts((side("attempt 1", attempt("Check")), side("attempt 2", attempt("Check", 2))), {})
    assert [part.title for part in parts] == ["How it ended", "Data", "Timings", "Where"]


@pytest.mark.parametrize(
    ("one", "other", "differs"), [(1.0, 1.9, False), (1.0, 2.0, True), (0.001, 0.01, False), (9.0, 1.0, True)]
)
def test_a_duration_differs_only_beyond_chance(one: float, other: float, differs: bool) -> None:
    pair = side("1", attempt("Check", took=one)), side("2", attempt("Check", 2, took=other))
    row = by_label(parts_of_attempts(pair, {"Check": 0.5}), "Timings")["took, usually 500ms"]
    assert row.differs is differs


def test_moments_processes_and_runs_always_differ_and_are_not_marked() -> None:
    one = side("1", attempt("Check", execution_time=to_text(NOON - timedelta(days=1))), error=error(), run=1)
    other = side("2", attempt("Check", 2), error=error(pid=2, host="b"), run=2)
    parts = parts_of_attempts((one, other), {})
    rows = {**by_label(parts, "Timings"), **by_label(parts, "Where")}
    assert rows["began"].left != rows["began"].right
    assert {label for label, row in rows.items() if row.differs} == {"took", "host"}


# --- entries


def test_data_is_compared_by_its_paths_and_by_type() -> None:
    left = side("A", attempt("Check"), data={"n": 1, "lines": [{"price": 1}, {"price": 2}], "same": None, "a.b": 1})
    right = side("B", attempt("Check"), data={"n": "1", "lines": [{"price": 1}], "same": None, "a": {"b": 1}})
    parts = parts_of_entries((left, right), {})
    (data,) = [part for part in parts if part.title == "Data"]
    assert [(row.label, row.left, row.right) for row in data.rows if row.differs] == [
        ("n", "1", '"1"'), ("lines.1.price", "2", None), ("a.b", "1", None), ("a.b", None, "1")
    ]  # fmt: skip
    assert by_label(parts, "Data")["same"] == Row("same", "null", "null", False)


def test_of_very_much_data_what_differs_is_kept_and_what_is_alike_is_counted() -> None:
    wide = {f"f{number}": number for number in range(MOST_ALIKE + 50)}
    pair = side("A", data=wide), side("B", data={**wide, "last": 1, f"f{MOST_ALIKE + 49}": "x"})
    parts = parts_of_entries(pair, {})
    assert said(parts, "Data") == "49 more are alike"
    assert [label for label, row in by_label(parts, "Data").items() if row.differs] == [f"f{MOST_ALIKE + 49}", "last"]


@given(st.recursive(st.none() | st.integers() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)))
def test_no_value_of_any_data_is_lost(data: Any) -> None:
    def leaves(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return sum(map(leaves, inner)) if inner else 1

    assert len(list(flattened({"data": data}))) == leaves(data)


def test_each_task_is_timed_and_the_number_of_attempts_is_a_difference() -> None:
    one = side("A", attempt("Fetch"), attempt("Check", 3, took=2.0, processed=False, error_id="e"))
    other = side("B", attempt("Fetch"), attempt("Check", took=2.0))
    rows = by_label(parts_of_entries((one, other), {"Fetch": 1.0}), "Timings")
    assert (rows["Check"].left, rows["Check"].right, rows["Check"].differs) == ("2s, attempt 3", "2s", True)
    assert not rows["Fetch, usually 1s"].differs


def test_an_entry_that_was_not_executed_can_stand_beside_one_that_was() -> None:
    parts = parts_of_entries((side("A"), side("B", attempt("Fetch"))), {})
    assert by_label(parts, "How it ended")["attempt"].left == "not executed"
    assert by_label(parts, "Timings")["Fetch"].left is None


# --- how it is laid out


def comparison(*rows: Row, left: str = "attempt 1", right: str = "attempt 2") -> Comparison:
    part = Part("Data", rows, ("so much is not known",))
    return Comparison(Kind.ATTEMPTS, "m:P", "A-1", "Check", left, right, "", (1, 2), (1, 2), (part,))


def plain(found: Comparison, width: int, *, everything: bool = True) -> list[str]:
    lines = [*head(found, width), *body(found, width, everything=everything)]
    return ["".join(text for text, _ in line) for line in lines]


def test_where_there_is_room_the_two_stand_beside_one_another_else_below() -> None:
    found = comparison(Row("price", "1", "2", True), Row("key", "x", "x", False))
    wide, narrow = plain(found, ROOM), plain(found, ROOM - 1)
    assert [line.split() for line in wide[-2:]] == [["≠", "price", "1", "│", "2"], ["key", "x", "│", "x"]]
    assert [line.strip() for line in narrow[-4:]] == ["≠ price", "attempt 1  1", "attempt 2  2", "key           x"]
    assert "so much is not known" in "\n".join(wide)


def test_what_is_alike_is_counted_while_only_what_differs_is_shown() -> None:
    found = comparison(Row("price", "1", "2", True), Row("key", "x", "x", False))
    lines = plain(found, 120, everything=False)
    assert "Data  1 alike" in lines
    assert not [line for line in lines if "key" in line]


def test_the_words_that_differ_stand_out_without_a_colour() -> None:
    found = comparison(Row("message", "no customer in A-1", "no supplier in A-1", True))
    changed = [text for line in body(found, 120, everything=False) for text, look in line if look is Look.CHANGED]
    assert changed == ["customer", "supplier"]


def test_of_long_texts_the_piece_is_shown_where_they_begin_to_differ() -> None:
    row = Row("note", "x" * 5_000 + "left" + "y" * 5_000, "x" * 5_000 + "right" + "y" * 5_000, True)
    left, right = row.excerpts()
    assert left is not None
    assert right is not None
    assert left.startswith("…x")
    assert "xleft" in left
    assert "xright" in right
    assert len(left) == LONGEST + 2
    assert Row("note", "x" * 5_000, None, True).excerpts() == ("x" * LONGEST + "…", None)


@given(
    st.text(st.characters(exclude_categories=("Cs",))),
    st.none() | st.text("ab \n\t表\u0301\x1b[", max_size=300),
    st.sampled_from([20, 80, ROOM, 160]),
)
def test_no_line_is_wider_than_there_is_room_and_nothing_commands_the_terminal(
    label: str, text: str | None, width: int
) -> None:
    found = comparison(Row(label, text, "ab", text != "ab"), left=label or "x")
    for line in plain(found, width):
        assert cell_len(line) <= width, line
        assert "\x1b" not in line
        assert "\n" not in line


@given(st.text("xy 表", max_size=200))
def test_a_text_that_is_laid_out_has_lost_no_letter(text: str) -> None:
    shown = "".join(plain(comparison(Row("", text, None, True)), 40)[4:])
    assert [shown.count(letter) for letter in "xy表"] == [text.count(letter) for letter in "xy表"]
