"""Pure: a TinyDB query as SQL on the columns, as far as they can answer it. It never leaves out what may answer.

A query is a closed function; its private hash tells what it was made of. If a later TinyDB makes that differently, no
index is used and the answer is as right as before.
"""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import product
from typing import Any

import orjson
from tinydb.queries import QueryInstance, QueryLike

from engine.store.schema import named
from engine.store.values import ODD, Column, comparable


@dataclass(frozen=True)
class Term:
    """An SQL condition and the values of its placeholders."""

    sql: str
    parameters: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Narrowing:
    """SQL that is true of every document that answers a query; if `is_exact`, of no other.

    A document has to answer one of the `alternatives`, each of which one index can put in order. All of it holds only
    as long as none of the `unsure` fields is ODD in any document.
    """

    alternatives: tuple[Term, ...]
    fields: frozenset[str]
    unsure: frozenset[str]
    is_exact: bool = True


_DEEPEST, _MOST_TERMS = 10, 400
"""How deep and of how many comparisons a query may be made. SQLite's own limits lie above: at 1,000 of both."""

_MOST_ALTERNATIVES = 16


def narrow(cond: QueryLike, fields: Collection[str]) -> Narrowing | None:
    """The narrowing of a query on documents of which `fields` stand in columns; None if these tell nothing of it."""
    if not isinstance(cond, QueryInstance):
        return None
    made_of = getattr(cond, "_hash", None)
    return _narrow(made_of, fields, 0) if _size(made_of) <= _MOST_TERMS else None


def _narrow(made_of: Any, fields: Collection[str], depth: int) -> Narrowing | None:
    match made_of:
        case ("and" | "or" as joint, frozenset()):
            parts = _flat(made_of, joint)
            if depth == _DEEPEST:
                return None
            found = [_narrow(part, fields, depth + 1) for part in parts]
            return _any_of(found) if joint == "or" else _all_of(found)
        case (str(operator), (str(field),), value) if field in fields:
            terms = _one_of(field, value) if operator == "one_of" else _compare(operator, named(field), value)
            if terms is None:
                return None
            asked = frozenset((field,))
            return Narrowing(terms, asked, frozenset() if _is_sure(operator, value) else asked)
    return None


def _is_sure(operator: str, value: Any) -> bool:
    """Whether nothing ODD can answer: none is null, or equal to a text."""
    values = value if operator == "one_of" else (value,) if operator == "==" else (0,)
    return all(item is None or isinstance(item, str) for item in values)


def _size(made_of: Any) -> int:
    """Of how many comparisons a query is made."""
    size, rest = 0, [made_of]
    while rest:
        match rest.pop():
            case ("and" | "or", frozenset() as parts):
                rest.extend(parts)
            case _:
                size += 1
    return size


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


def _compare(operator: str, column: str, value: Any) -> tuple[Term, ...] | None:
    """SQLite sorts NULL before numbers, these before texts, and BLOBs (no field, or none that it can compare) last."""
    known = comparable(value)
    if known == ODD:
        return None
    match operator:
        case "==":
            return (_equal(column, known),)
        case "!=" if known is None:
            return (Term(f"{column} < x''"),)
        case "!=":
            # Mostly nearly all documents answer: to look at each one's column is no worse than any index.
            return (Term(f"({column} IS NOT ? AND {column} IS NOT x'')", (known,)),)
        case "<" | "<=" | ">" | ">=" if known is not None:
            is_text = isinstance(known, str)
            if operator in ("<", "<="):
                least = f"{column} >= '' AND " if is_text else ""
                return (Term(f"({least}{column} {operator} ?)", (known,)),)
            beyond = "x''" if is_text else "''"
            return (Term(f"({column} {operator} ? AND {column} < {beyond})", (known,)),)
    return None


def _equal(column: str, known: Column) -> Term:
    return Term(f"{column} IS NULL") if known is None else Term(f"{column} = ?", (known,))


def _one_of(field: str, items: Any) -> tuple[Term, ...] | None:
    if not isinstance(items, tuple | frozenset):
        return None
    known = {comparable(item) for item in items}
    if ODD in known:
        return None
    column = named(field)
    if len(known) <= _MOST_ALTERNATIVES:
        return tuple(_equal(column, value) for value in known) or (Term("false"),)
    if all(type(value) is int or (type(value) is str and "\0" not in value) for value in known):
        return (Term(f"{column} IN (SELECT value FROM json_each(?))", (orjson.dumps(list(known)).decode(),)),)
    return None


def _all_of(parts: list[Narrowing | None]) -> Narrowing | None:
    known = [part for part in parts if part is not None]
    if not known:
        return None
    # One that is already joined of alternatives is multiplied out, so that each alternative can be put in order.
    many = 1
    for part in known:
        many *= len(part.alternatives)
    sides = [part.alternatives if many <= _MOST_ALTERNATIVES else (either(part.alternatives),) for part in known]
    return Narrowing(
        tuple(
            Term(" AND ".join(term.sql for term in terms), tuple(value for term in terms for value in term.parameters))
            for terms in product(*sides)
        ),
        frozenset().union(*(part.fields for part in known)),
        frozenset().union(*(part.unsure for part in known)),
        len(known) == len(parts) and all(part.is_exact for part in known),
    )


def _any_of(parts: list[Narrowing | None]) -> Narrowing | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return Narrowing(
        _few(tuple(term for part in known for term in part.alternatives)),
        frozenset().union(*(part.fields for part in known)),
        frozenset().union(*(part.unsure for part in known)),
        all(part.is_exact for part in known),
    )


def _few(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    return terms if len(terms) <= _MOST_ALTERNATIVES else (either(terms),)


def either(terms: tuple[Term, ...]) -> Term:
    """Alternatives as one term."""
    if len(terms) == 1:
        return terms[0]
    joined = " OR ".join(f"({term.sql})" for term in terms)
    return Term(f"({joined})", tuple(value for term in terms for value in term.parameters))
