"""What comes from outside is shown literally: nothing of it is obeyed, nothing of it is hidden."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text import literal

VISIBLE_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Characters of category Cf that have a glyph: Arabic, Syriac and Kaithi number signs."""


def test_ordinary_text_of_any_language_is_left_alone() -> None:
    for text in ("order-17", "Fehler: Straße ungültig", "注文 42", "e\u0301te\u0301", "😀", "[red]a[/red] [/foo]"):
        assert literal(text) == text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("a\x00b\x7f", "a␀b␡"),
        ("\x9b31m", "«U+009B»31m"),
        ("invoice\u202efdp.exe", "invoice«U+202E»fdp.exe"),
        ("\u2066x\u2069", "«U+2066»x«U+2069»"),
        ("pay\u200bpal", "pay«U+200B»pal"),
        ("\ufeffkey", "«U+FEFF»key"),
        ("so\xadft", "so«U+00AD»ft"),
        ("\ud83d alone", "«U+D83D» alone"),
        ("tag\U000e0041", "tag«U+E0041»"),
        ("star\ufe0f", "star«U+FE0F»"),
    ],
)
def test_what_commands_the_terminal_or_hides_becomes_visible(hostile: str, shown: str) -> None:
    assert literal(hostile) == shown
    assert literal(hostile, lines=True) == shown


def test_several_lines_become_one() -> None:
    assert literal("first\nsecond\r\n\tthird\u2028fourth") == "first␊second␍␊␉third«U+2028»fourth"


def test_lines_are_kept_where_lines_are_wanted() -> None:
    assert literal("first\r\n\tsecond\x1b[0m\nthird", lines=True) == "first\n    second␛[0m\nthird"
    assert literal("overwritten\rby this", lines=True) == "overwritten␍by this"


def test_no_character_of_unicode_escapes() -> None:
    for code in range(0x110000):
        character = chr(code)
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in VISIBLE_FORMATS:
            assert literal(character) != character, f"U+{code:04X}"
            assert literal(character).isprintable(), f"U+{code:04X}"


@given(st.text(st.characters()))
def test_a_safe_text_is_safe_already(text: str) -> None:
    once = literal(text)
    assert literal(once) == once
    assert len(once.splitlines()) <= 1


@given(st.text(st.characters()))
def test_line_breaks_are_all_that_lines_adds(text: str) -> None:
    assert "\t" not in literal(text, lines=True)
    assert literal(literal(text, lines=True).replace("\n", "")) == literal(text, lines=True).replace("\n", "")
