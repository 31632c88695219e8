"""Compare: what differs between two attempts of an entry, or between it and one that went well, on the screen."""

from pathlib import Path
from typing import Any

import pytest

from engine.comparing import Asked, Comparison, Kind
from engine.comparing.comparison import Part, Row
from engine.exceptions import InputError
from engine.store import Store
from wfe_tui.routes import Route, parse_route
from wfe_tui.screens.compare import CompareScreen, parse_words, words
from wfe_tui.widgets.comparison import markdown

BROKEN = 'raise ValueError(f"no customer in {entry.key}")'
EDITED = 'raise LookupError(f"no number in {entry.key}")'
AGAIN = 'raise OSError(f"no carrier for {entry.key}")'


@pytest.fixture(scope="module")
def failed_thrice(ran: Path, tmp_path_factory: pytest.TempPathFactory, copied_to: Any) -> Path:
    """A folder where A-2 failed three times, each time in another way: its code was edited in between."""
    place = copied_to(tmp_path_factory.mktemp("failed"), ran)
    file = place.folder / "orders.py"
    for before, after in ((BROKEN, EDITED), (EDITED, "\n            " + AGAIN)):
        file.write_text(file.read_text().replace(before, after))
        assert place.wfe("restart", "A-2").returncode == 1
    assert place.ls()["A-2"]["attempts"] == 3
    return Path(place.folder)


@pytest.fixture
def failed(failed_thrice: Path, tmp_path: Path, copied_to: Any) -> Any:
    """A place of one's own like that."""
    return copied_to(tmp_path, failed_thrice)


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 48)])
async def test_an_entry_that_failed_again_is_compared_with_itself_and_then_with_one_that_went_well(
    console: Any, failed: Any, size: tuple[int, int]
) -> None:
    async with console(failed.store, size=size, route=Route("entries", "A-2")) as operator:
        await operator.sees("Attempts, newest first")
        await operator.press("equals_sign")
        await operator.sees(
            "wfe  compare/A-2", "attempt 2 and attempt 3: the newest", "≠ error", "LookupError", "OSError",
            "≠ other line",
        )  # fmt: skip
        beside = [line for line in operator.lines if "LookupError" in line and "OSError" in line]
        assert bool(beside) is (size[0] >= 100)
        await operator.press("left_square_bracket")
        await operator.sees("compare/A-2?task:Check attempts:1,3", "attempt 1 and attempt 3", "no customer in A-2")
        await operator.press("left_square_bracket")
        await operator.hears("there is no other attempt before")
        await operator.press("left_curly_bracket")
        await operator.sees("attempts:1,2", "no number in A-2")
        await operator.press("s")
        await operator.sees("task:Check sibling", "of those that executed the", "failed at Check", "finished")
        await operator.press("left_square_bracket")
        await operator.hears("two entries are compared")
        await operator.press("G")
        await operator.sees("Where")
        await operator.press("g", "s")
        await operator.sees("attempt 2 and attempt 3")
        await operator.press("backspace")
        await operator.sees("wfe  entries/A-2", "Attempts, newest first")


async def test_what_is_alike_is_shown_by_a_key_and_what_is_shown_is_copied_as_markdown(
    console: Any, failed: Any
) -> None:
    async with console(failed.store, size=(160, 48), route=parse_route("compare/A-2")) as operator:
        await operator.sees("How it ended  1 alike")
        assert not [line for line in operator.lines if line.strip().startswith("attempt  ")]
        await operator.press("y")
        await operator.hears("copied the comparison")
        assert "| ≠ | error | `LookupError` | `OSError` |" in operator.app.clipboard
        assert "| | process |" not in operator.app.clipboard
        await operator.press("a")
        await operator.sees("began", "process")
        await operator.no_longer_sees("1 alike\n")
        await operator.press("y")
        await operator.until(lambda: "|  | process |" in operator.app.clipboard)


async def test_a_trace_is_compared_with_the_attempt_before_it(console: Any, failed: Any) -> None:
    with Store(failed.store) as store:
        error_id = next(each["error_id"] for each in store.errors.all() if each["attempt"] == 2)
    async with console(failed.store, size=(120, 40), route=Route("errors", error_id)) as operator:
        await operator.sees("raise LookupError")
        await operator.press("equals_sign")
        await operator.sees("compare/A-2?task:Check attempts:2", "attempt 1 and attempt 2")


async def test_the_entry_at_the_cursor_is_compared_or_two_that_are_marked(console: Any, place: Any) -> None:
    async with console(place.store, size=(160, 48)) as operator:
        await operator.go_to("A-3")
        await operator.press("equals_sign")
        await operator.sees("wfe  compare/A-3", "the customer does not answer", "finished last at")
        await operator.press("s")
        await operator.hears("A-3 has no two attempts at Check")
        await operator.press("backspace")
        await operator.go_to("A-2")
        await operator.press("space")
        await operator.go_to("A-6")
        await operator.press("space", "equals_sign")
        await operator.sees("wfe  compare/A-2?with:A-6", "no customer in A-6")


async def test_it_follows_the_store(console: Any, failed: Any) -> None:
    async with console(failed.store, size=(120, 40), route=parse_route("compare/A-2")) as operator:
        await operator.sees("attempt 2 and attempt 3")
        failed.repair()
        assert failed.wfe("restart", "A-2").returncode == 0
        await operator.sees("attempt 3 and attempt 4", "attempt 4: none, it is done")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("compare/A-99", "there is no entry 'A-99'"),
        ("compare", "name the entry that is to be compared"),
        ("compare/A-2?attempts:1,9", "attempt 9 at Check of 'A-2' is not in the store"),
        ("compare/A-2?else", "'else' names no two to compare"),
    ],
)
async def test_a_path_that_names_nothing_to_compare_is_answered_and_one_stays(
    console: Any, place: Any, path: str, text: str
) -> None:
    async with console(place.store, size=(120, 30), route=parse_route(path)) as operator:
        await operator.hears(text)
        await operator.sees("8 entries")
        assert not isinstance(operator.app.screen, CompareScreen)


async def test_an_entry_that_goes_while_it_is_looked_at_is_said_to_be_gone(console: Any, place: Any) -> None:
    async with console(place.store, size=(120, 30), route=parse_route("compare/A-2")) as operator:
        await operator.sees("How it ended")
        with Store(place.store) as store:
            store.entries.remove(doc_ids=store.entries.ids(order_by="key")[1:2])
        await operator.sees("there is no entry 'A-2'")
        await operator.press("s", "a", "y", "left_square_bracket")
        await operator.sees("there is no entry 'A-2'")


@pytest.mark.parametrize(
    "asked",
    [
        Asked(), Asked("Check"), Asked("Check", (1, 3)), Asked(attempts=(2,)), Asked(sibling=True),
        Asked("Check", sibling=True), Asked(other="a?b with:c"), Asked("T", other="x\ny"), Asked("a b"),
    ],
)  # fmt: skip
def test_which_two_are_compared_stands_in_the_path(asked: Asked) -> None:
    route = Route("compare", "A-1?%", words(asked))
    assert parse_route(str(route)) == route
    assert parse_words(parse_route(str(route)).filter) == asked


@pytest.mark.parametrize("text", ["attempts:", "attempts:1,2,3", "attempts:a", "sibling with:x", "task:"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="names no two to compare"):
        parse_words(text)


def test_in_markdown_nothing_of_a_text_is_obeyed() -> None:
    row = Row("a|b*", "x`y|z\nnext", None, True)
    part = Part("Data", (row, Row("same", "1", "1", False)), ("*not* known",))
    found = Comparison(Kind.ENTRIES, "m:P", "A|1", "Check", "A|1", "B", "", (), (None, None), (part,))
    text = markdown(found, everything=False)
    assert "| ≠ | a\\|b\\* | `x'y\\|z`<br>`next` | — |" in text
    assert "\\*not\\* known" in text
    assert "same" not in text
    assert "|  | same | `1` | `1` |" in markdown(found, everything=True)
