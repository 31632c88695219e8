"""`wfe compare`: two attempts of an entry, or the entry and another one, over what real runs have left."""

from typing import Any

import orjson
import pytest

from engine.store import Store

BROKEN = 'raise ValueError(f"no customer in {entry.key}")'
EDITED = 'number = 3\n            raise LookupError(f"no customer {number} in {entry.key}")'


@pytest.fixture
def failed_twice(workplace: Any) -> Any:
    """A workplace where A-2 failed twice, in two ways, since its code was edited in between, and A-3 went well."""
    workplace.extend("\n\nOrders.keep_locals = True\n")
    workplace.orders("A-1 interrupt", "A-2 raise", "A-3")
    assert workplace.wfe("run", "orders:Orders").returncode == 1
    file = workplace.folder / "orders.py"
    file.write_text(file.read_text().replace(BROKEN, EDITED))
    assert workplace.wfe("restart", "A-2").returncode == 1
    assert workplace.ls()["A-2"]["attempts"] == 2
    return workplace


def compared(place: Any, *arguments: str) -> Any:
    done = place.wfe("compare", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return orjson.loads(done.stdout)


def rows(found: Any, title: str) -> dict[str, Any]:
    return {row["label"]: row for part in found["parts"] if part["title"] == title for row in part["rows"]}


def refusal(place: Any, *arguments: str) -> str:
    done = place.wfe("compare", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    return str(done.stderr)


def test_the_newest_attempt_is_compared_with_the_one_before_it(failed_twice: Any) -> None:
    shown = failed_twice.wfe("compare", "A-2").stdout
    for text in (
        "A-2, Check", "attempt 1 and attempt 2: the newest", "≠ other line", 'raise ValueError(f"no', "LookupError(f",
        "attempt 1  no customer in A-2", "attempt 2  no customer 3 in A-2", "≠ process_entry: number", "usually ",
        "an entry's data is not kept with each attempt",
    ):  # fmt: skip
        assert text in shown
    found = compared(failed_twice, "A-2")
    assert (found["kind"], found["numbers"], found["attempts"]) == ("attempts", [1, 2], [1, 2])
    assert rows(found, "How it ended")["error"] == {
        "label": "error", "left": "ValueError", "right": "LookupError", "differs": True
    }  # fmt: skip
    where = rows(found, "Where")
    assert (where["run"]["left"], where["run"]["right"]) == ("1", "2")
    assert not where["host"]["differs"]
    assert compared(failed_twice, "A-2", "--attempts", "2", "1")["numbers"] == [2, 1]


def test_with_one_attempt_alone_it_is_compared_with_its_last_good_sibling_and_that_is_said(failed_twice: Any) -> None:
    found = compared(failed_twice, "A-1")
    assert (found["kind"], found["left"], found["right"]) == ("sibling", "A-1", "A-3")
    assert "of those that executed the same tasks" in found["why"]
    assert rows(found, "How it ended")["status"]["left"] == "the customer does not answer"
    assert rows(found, "Data")["fate"] == {"label": "fate", "left": '"interrupt"', "right": '""', "differs": True}
    assert not rows(found, "Data")["price"]["differs"]
    assert next(row for label, row in rows(found, "Timings").items() if label.startswith("Send"))["left"] is None
    found = compared(failed_twice, "A-2", "--sibling")
    assert (found["right"], found["numbers"]) == ("A-3", [2, 1])
    assert "A-3: none, it is done" in orjson.dumps(found).decode()


def test_a_sibling_one_of_whose_tasks_was_skipped_is_taken_only_if_there_is_no_other(failed_twice: Any) -> None:
    failed_twice.wfe("skip", "A-1")
    failed_twice.wfe("run", "orders:Orders", "A-1")
    assert failed_twice.ls()["A-1"]["state"] == "finished"
    assert compared(failed_twice, "A-2", "--sibling")["right"] == "A-3"
    with Store(failed_twice.store) as store:
        store.entries.update({"state": "held"}, doc_ids=store.entries.ids(order_by="key")[2:])
    found = compared(failed_twice, "A-2", "--sibling")
    assert found["right"] == "A-1"
    assert "none of the last 1 executed all of the same tasks" in found["why"]


def test_two_entries_that_are_named_are_compared_and_another_task_can_be(failed_twice: Any) -> None:
    found = compared(failed_twice, "A-1", "A-2")
    assert (found["kind"], found["left"], found["right"]) == ("entries", "A-1", "A-2")
    assert rows(found, "How it ended")["entry"]["right"] == "failed at Check"
    assert compared(failed_twice, "A-2", "A-3", "--task", "Fetch")["numbers"] == [1, 1]


def test_an_error_that_is_not_in_the_store_any_more_is_said_to_be_gone(failed_twice: Any) -> None:
    with Store(failed_twice.store) as store:
        store.errors.remove(doc_ids=[1])
    found = compared(failed_twice, "A-2")
    (traceback,) = [part for part in found["parts"] if part["title"] == "Traceback"]
    assert "attempt 1: the record of error" in traceback["notes"][0]
    assert rows(found, "How it ended")["message"]["left"] == "no customer in A-2"
    assert rows(found, "Where")["host"]["left"] == "not kept"


@pytest.mark.slow
def test_what_cannot_be_compared_is_refused_in_one_sentence(failed_twice: Any) -> None:
    for arguments, text in (
        (("A-9",), "there is no entry 'A-9'"),
        (("A-2", "A-9"), "there is no entry 'A-9' of orders:Orders to compare 'A-2' with"),
        (("A-2", "A-2"), "'A-2' is to be compared with itself"),
        (("A-2", "--attempts", "1", "3"), "attempt 3 at Check of 'A-2' is not in the store: there are 1, 2"),
        (("A-2", "--attempts", "1", "1"), "attempt 1 is to be compared with itself"),
        (("A-2", "--task", "Fly"), "'A-2' has no task 'Fly': there are Fetch, Check, Send"),
        (("A-2", "A-3", "--sibling"), "name one of them"),
    ):
        assert text in refusal(failed_twice, *arguments)


def test_without_any_good_sibling_that_is_said(workplace: Any) -> None:
    workplace.orders("A-1 raise")
    workplace.wfe("run", "orders:Orders")
    assert "no other entry of orders:Orders has finished" in refusal(workplace, "A-1")


def test_a_hostile_text_is_shown_literally(workplace: Any) -> None:
    workplace.orders("A-1 \x1b[31mred", "A-2")
    workplace.wfe("run", "orders:Orders")
    shown = workplace.wfe("compare", "A-1", "A-2").stdout
    assert "\x1b" not in shown
    assert "[31mred" in shown
