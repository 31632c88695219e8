"""Pure: what an index can say of a TinyDB query. It names a few documents that may answer it and never leaves one out.

A query is a closed function; its private hash tells what it was made of. If a later TinyDB makes that differently, the
index is not used and the answer is as right as before.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson
from tinydb.queries import QueryInstance, QueryLike

from engine.store.schema import field_value, quoted


@dataclass(frozen=True)
class Narrowing:
    """An SQL condition that is true of every document that answers the query; if `is_exact`, of no other."""

    sql: str
    parameters: tuple[Any, ...]
    is_exact: bool


_DEEPEST, _MOST = 10, 400
"""How deep and how wide a query may be joined: SQLite's own limits lie above, at some hundred."""


def narrow(cond: QueryLike, table: str, fields: Collection[str]) -> Narrowing | None:
    """The narrowing of a query on a table whose indexed fields are `fields`; None if no index can answer it."""
    if not isinstance(cond, QueryInstance):
        return None
    return _narrow(getattr(cond, "_hash", None), table, fields, 0)


def _narrow(made_of: Any, table: str, fields: Collection[str], depth: int) -> Narrowing | None:
    match made_of:
        case ("and" | "or" as joint, frozenset()):
            parts = _flat(made_of, joint)
            if depth == _DEEPEST or len(parts) > _MOST:
                return None
            found = [_narrow(part, table, fields, depth + 1) for part in parts]
            return _any_of(found, table) if joint == "or" else _all_of(found)
        case (str(operator), (str(field),), value) if field in fields:
            return _compare(operator, field_value(field), value, table)
    return None


def _flat(made_of: Any, joint: str) -> list[Any]:
    """The parts of `a & (b & (c & d))` in one list."""
    flat, rest = [], [made_of]
    while rest:
        match rest.pop():
            case (inner, frozenset() as parts) if inner == joint:
                rest.extend(parts)
            case part:
                flat.append(part)
    return flat


def _compare(operator: str, field: str, value: Any, table: str) -> Narrowing | None:
    if operator == "one_of" and isinstance(value, tuple | frozenset):
        return _one_of(field, value, table)
    if value is None:
        return _compare_with_none(operator, field)
    if (known := _plain(value)) is None:
        return None
    if isinstance(known, str):
        return _compare_text(operator, field, known, table)
    return _compare_int(operator, field, known)


def _compare_with_none(operator: str, field: str) -> Narrowing | None:
    match operator:
        case "==":  # not exact: a field that is missing answers nothing
            return Narrowing(f"{field} IS NULL", (), False)
        case "!=":  # numbers stand before all texts, so this is every value, and a range that the index knows
            return Narrowing(f"{field} >= -9e999", (), True)
    return None


def _compare_text(operator: str, field: str, value: str, table: str) -> Narrowing | None:
    # A list or an object is seen as its JSON text, from which a text cannot be told.
    is_scalar = not value.startswith(("[", "{"))
    match operator:
        case "==":
            return Narrowing(f"{field} = ?", (value,), is_scalar)
        case "!=" if is_scalar:
            sides = (f"{field} < ?", (value,)), (f"{field} > ?", (value,)), (f"{field} IS NULL", ())
            return _any_of([Narrowing(sql, parameters, False) for sql, parameters in sides], table)
        case "<" | "<=":
            return Narrowing(f"({field} >= '' AND {field} {operator} ?)", (value,), value < "[")
        case ">" | ">=":
            return Narrowing(f"{field} {operator} ?", (value,), False)
    return None


def _compare_int(operator: str, field: str, value: int) -> Narrowing | None:
    # Never exact, and the bound itself counts in: SQLite may read a fraction from its text with the last digit wrong.
    match operator:
        case "==":
            return Narrowing(f"{field} = ?", (value,), False)
        case "<" | "<=":
            return Narrowing(f"{field} <= ?", (value,), False)
        case ">" | ">=":
            return Narrowing(f"({field} >= ? AND {field} < '')", (value,), False)
    return None


def _one_of(field: str, items: Collection[Any], table: str) -> Narrowing | None:
    known = [_plain(item) for item in items if item is not None]
    if None in known:
        return None
    is_exact = all(isinstance(item, str) and not item.startswith(("[", "{")) for item in known)
    listed = Narrowing(f"{field} IN (SELECT value FROM json_each(?))", (orjson.dumps(known).decode(),), is_exact)
    return listed if None not in items else _any_of([listed, _compare_with_none("==", field)], table)


def _all_of(parts: list[Narrowing | None]) -> Narrowing | None:
    known = [part for part in parts if part is not None]
    if not known:
        return None
    return Narrowing(
        f"({' AND '.join(part.sql for part in known)})",
        tuple(value for part in known for value in part.parameters),
        len(known) == len(parts) and all(part.is_exact for part in known),
    )


def _any_of(parts: list[Narrowing | None], table: str) -> Narrowing | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    # Each alternative is a query of its own, since SQLite would use no index for an OR.
    each = (f"SELECT id FROM docs WHERE tbl = {quoted(table)} AND {part.sql}" for part in known)
    return Narrowing(
        f"id IN ({' UNION ALL '.join(each)})",
        tuple(value for part in known for value in part.parameters),
        all(part.is_exact for part in known),
    )


def _plain(value: Any) -> str | int | None:
    """The value as SQLite compares it in the same way as Python; None if it might not."""
    if isinstance(value, Enum) and isinstance(value, str | int):
        value = value.value
    if type(value) is bool:
        return int(value)
    if type(value) is int:
        return value if abs(value) <= _SURE else None
    if type(value) is str and "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value):
        return value
    return None


_SURE = 2**49
"""Up to here, SQLite reads a whole number right even when JSON writes it as a fraction (5.0)."""
