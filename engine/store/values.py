"""Pure: a field of a document as a column of the database, so that SQLite compares it exactly as Python would."""

import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

import orjson

Column = str | int | float | bytes | None
"""What a column holds: a text or a number as it is (true is 1), NULL for null, else one of the two below."""

MISSING = b""
"""The document has no such field."""

ODD = b"\x01"
"""What SQLite cannot compare: a list, an object, an integer beyond 64 bits."""


def columns(fields: tuple[str, ...], content: Mapping[str, Any], text: str) -> tuple[Column, ...]:
    """The columns of a document.

    Args:
        fields: the names of the columns.
        content: the document.
        text: the same as JSON. It decides: what JSON makes a text of (a date), the column holds as that text.
    """
    values = _fields(fields, content)
    if not _AS_STORED.issuperset(map(type, values)):
        values = [value.value if isinstance(value, Enum) else value for value in values]
    if not (_AS_STORED.issuperset(map(type, values)) and _TEXT.issuperset(map(type, content))):
        stored = orjson.loads(text)
        values = _fields(fields, stored)
    return tuple([value if type(value) in _AS_THEY_ARE else _column(value) for value in values])


def _fields(names: tuple[str, ...], content: Mapping[str, Any]) -> list[Any]:
    try:
        return [content[name] for name in names]
    except KeyError:
        return [content.get(name, MISSING) for name in names]


def comparable(value: Any) -> Column:
    """A value that documents are compared with, as a column holds it; ODD if SQLite cannot compare it."""
    if isinstance(value, Enum) and isinstance(value, str | int):
        value = value.value
    if type(value) not in _AS_STORED or isinstance(value, bytes) or value != value:  # not a number
        return ODD
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        return ODD
    return _column(value)


_AS_STORED = frozenset((str, int, float, bool, type(None), bytes))
"""Types that JSON gives back as they were; bytes stand for a field that is missing, since JSON has none."""


_AS_THEY_ARE = frozenset((str, type(None), bytes))
_TEXT = frozenset((str,))


def _column(value: Any) -> Column:
    match value:
        case bool():
            return int(value)
        case float():
            return value if math.isfinite(value) else None
        case int():
            return value if -(2**63) <= value < 2**63 else ODD
        case list() | dict():
            return ODD
    known: Column = value
    return known
