"""What the terms of a filter mean, as conditions of TinyDB: where a field is indexed, one that its index answers."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any as Anything

import orjson
from tinydb import where
from tinydb.queries import QueryInstance

from engine.clock import local_hour, parse_duration, to_text
from engine.exceptions import InputError
from engine.filter.syntax import All, Any, FilterError, How, Node, Not, Term, parse, terms
from engine.lookup.entries import stands_in
from engine.lookup.rows import POLICIES, newest_execution
from engine.state import State
from engine.store import Store
from engine.text import literal

WORDS = ("key", "state", "task", "reason", "error_id", "processor")
"""The fields of a document that a plain word is looked for in."""

TEXTS = {"key": "key", "task": "task", "reason": "reason", "processor": "processor", "source": "source"}
NUMBERS = {"attempts": "attempts", "run": "run", "done": "done"}
MOMENTS = {"age": "updated", "due": "due"}
RUNS = {"host": "host", "process": "pid", "code": "code"}
"""What is told of the run that executed an entry last, and the field of its document."""
LASTING = ("source", "hour", *RUNS)
"""The fields, beside a user's own, that say of an entry where it comes from and where it was executed; the others say
which one it is, or how it stands."""
REPEATS = ("on", "off", *POLICIES.values())
FIELDS = ("key", "state", "task", "reason", "error", "repeat", "age", "attempts", "due", "done", "processor", "run",
          "action", "source", "hour", "host", "process", "code", "data.")  # fmt: skip
"""The names of the fields; behind `data.` stands the name of a user's own one, of one in that, and so on."""

LONGEST_SEARCHED = 2_000
"""Characters of a value that a regular expression is tried on, so that none runs away."""

_COMPARISON = re.compile(r"(>=|<=|>|<)(.*)", re.DOTALL)
_COMPARE: Mapping[str, Callable[[Anything, Anything], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "=": operator.eq,
}  # fmt: skip
_TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
GROUP = re.compile(r"v\d+:[0-9a-f]*", re.IGNORECASE)
"""A fingerprint, or its beginning."""


def compile_filter(text: str, store: Store, moment: datetime) -> QueryInstance | None:
    """A filter as the condition that entries of a store answer at `moment` (aware); None if all of them do.

    Raises:
        FilterError: it cannot be understood; it says where.
    """
    return _Compiler(store, moment).compile(parse(text, FIELDS))


def compile_lasting(text: str, store: Store, moment: datetime) -> QueryInstance | None:
    """What a filter asks for on `LASTING` and the user's own fields, as a condition; None if it asks for nothing there.

    It lets through what the whole filter does, and entries that are like these and stand otherwise.

    Args, raises: see `compile_filter`.
    """
    tree = parse(text, FIELDS)
    parts = tree.parts if isinstance(tree, All) else (tree,)
    lasting = tuple(part for part in parts if all(_is_lasting(term.field) for term in terms(part)))
    return _Compiler(store, moment).compile(All(lasting))


def _is_lasting(field: str) -> bool:
    return field in LASTING or field.startswith("data.")


@dataclass(frozen=True)
class _Compiler:
    store: Store
    moment: datetime

    def compile(self, node: Node, negated: bool = False) -> QueryInstance | None:
        match node:
            case Not(part):
                # Carried down to the terms: an index answers "one of the other states", and no "not".
                return self.compile(part, not negated)
            case All(parts) | Any(parts):
                compiled = [query for part in parts if (query := self.compile(part, negated)) is not None]
                join = operator.and_ if isinstance(node, All) is not negated else operator.or_
                return reduce(join, compiled) if compiled else None
            case Term():
                return self._term(node, negated)

    def _term(self, term: Term, negated: bool) -> QueryInstance:
        if term.field == "state":
            return self._state(term, negated)
        if term.field in MOMENTS:
            return self._moment(term, negated)
        query = self._positive(term)
        return ~query if negated else query

    def _positive(self, term: Term) -> QueryInstance:
        if term.field == "":
            return _any_text(WORDS, term)
        if term.field in TEXTS:
            return self._text(TEXTS[term.field], term)
        if term.field in NUMBERS:
            return _number(NUMBERS[term.field], term)
        if term.field == "error":
            return self._error(term)
        if term.field == "action":
            return self._action(term)
        if term.field == "repeat":
            return _repeat(term)
        if term.field == "hour":
            return _hour(term)
        if term.field in RUNS:
            return self._run(RUNS[term.field], term)
        return _data(term)

    def _text(self, field: str, term: Term) -> QueryInstance:
        if term.is_exact and field in ("key", "processor"):  # an index answers this
            return _query(where(field) == term.value)
        if term.how is How.WORD and (prefix := _literal_beginning(term.value)):
            # A range of the index first; beyond the last letter there is, no text that begins so follows.
            near = (where(field) >= prefix) & (where(field) < prefix + chr(0x10FFFF))
            return _query(near & _any_text((field,), term))
        return _any_text((field,), term)

    def _state(self, term: Term, negated: bool) -> QueryInstance:
        wanted = term.value.casefold().replace("_", " ").replace("-", " ")
        states = [state for state in State if state == wanted or (not term.is_exact and state.startswith(wanted))]
        if wanted in list(State):
            states = [State(wanted)]
        if not states:
            raise FilterError(f"there is no state {term.value!r}: {_listed(State)}", term.start, term.end)
        chosen = [state for state in State if (state in states) is not negated]
        return reduce(operator.or_, (stands_in(state, self.store, self.moment) for state in chosen))

    def _moment(self, term: Term, negated: bool) -> QueryInstance:
        """`age:>2h`: longer ago than that; `due:<1h`: within that time from now."""
        sign, text = _compared(term.value, ">=" if term.field == "age" else "<=")
        try:
            span = parse_duration(text)
            at = self.moment - span if term.field == "age" else self.moment + span
        except (InputError, OverflowError):
            message = f"{term.field} is compared with a duration: write {term.field}:{sign}2h, in s, m, h or d"
            raise FilterError(message, term.start, term.end) from None
        if negated:
            sign = {">": "<=", "<": ">=", ">=": "<", "<=": ">"}[sign]
        sign = _TURNED[sign] if term.field == "age" else sign
        return _query(getattr(where(MOMENTS[term.field]), _METHODS[sign])(to_text(at)))

    def _error(self, term: Term) -> QueryInstance:
        has_error = where("error_id") != None  # noqa: E711 - a query, not a test
        if term.how is not How.REGEX and GROUP.fullmatch(term.value):
            first = term.value.lower()
            group = (where("fingerprint") >= first) & (where("fingerprint") < first + "~")
            return _query(where("error_id").one_of(list(self.store.errors.counts("error_id", group))))
        return _query(has_error & _any_text(("error_id", "reason"), term))

    def _action(self, term: Term) -> QueryInstance:
        """The entries that an action was done to, or asked for; those that refused it as well."""
        number = int(term.value) if re.fullmatch(r"\d{1,15}", term.value) else 0
        action = self.store.actions.get(doc_id=number)
        if action is None:
            message = f"there is no action {term.value!r}: write the number of one that `wfe actions` lists"
            raise FilterError(message, term.start, term.end)
        return _query((where("processor") == action["processor"]) & where("key").one_of(action["keys"]))

    def _run(self, field: str, term: Term) -> QueryInstance:
        test = _matching(term)
        has = QueryInstance(lambda run: run.get(field) is not None and test(run[field]), None)
        numbers = frozenset(self.store.runs.ids(has))
        return QueryInstance(lambda entry: entry.get("run") in numbers, ("runs", field, numbers))


_METHODS = {">": "__gt__", ">=": "__ge__", "<": "__lt__", "<=": "__le__"}


def _query(query: Anything) -> QueryInstance:
    """TinyDB does not say what its comparisons answer."""
    assert isinstance(query, QueryInstance)
    return query


def _compared(value: str, otherwise: str) -> tuple[str, str]:
    found = _COMPARISON.fullmatch(value)
    return (found.group(1), found.group(2)) if found else (otherwise, value)


def _number(field: str, term: Term) -> QueryInstance:
    sign, number = _compared_number(term)
    if sign == "=":
        return _query(where(field) == number)
    return _query(getattr(where(field), _METHODS[sign])(number))


def _hour(term: Term) -> QueryInstance:
    """The local hour of the day in which an entry's newest execution began."""
    sign, number = _compared_number(term)

    def test(document: Mapping[str, Anything]) -> bool:
        newest = newest_execution(document)
        return newest is not None and _COMPARE[sign](local_hour(newest["execution_time"]), number)

    return QueryInstance(test, ("hour", sign, number))


def _compared_number(term: Term) -> tuple[str, int]:
    sign, text = _compared(term.value, "=")
    if not re.fullmatch(r"\d{1,15}", text):
        raise FilterError(f"{term.field} is a number: write {term.field}:3 or {term.field}:>3", term.start, term.end)
    return sign, int(text)


def _repeat(term: Term) -> QueryInstance:
    wanted = term.value.casefold()
    if wanted not in REPEATS:
        raise FilterError(f"repeat is one of {', '.join(REPEATS)}", term.start, term.end)

    def test(document: Mapping[str, Anything]) -> bool:
        repeat = document.get("repeat")
        if isinstance(repeat, Mapping):
            return wanted in ("on", POLICIES.get(str(repeat.get("kind"))))
        return bool(repeat) is (wanted == "on") if wanted in ("on", "off") else False

    return QueryInstance(test, ("repeat", wanted))


def _data(term: Term) -> QueryInstance:
    path = tuple(term.field.split(".")[1:])
    if not all(path):
        raise FilterError("data. is followed by the name of a field: write data.country:DE", term.start, term.end)
    sign, text = _compared(term.value, "") if term.how is How.WORD else ("", term.value)
    test = _comparing(sign, text) if sign else _matching(term)

    def answers(document: Mapping[str, Anything]) -> bool:
        return any(map(test, _values(document.get("data"), path)))

    return QueryInstance(answers, ("data", path, term.value, term.how, term.is_exact))


def _values(value: Anything, path: tuple[str, ...]) -> Iterable[Anything]:
    """What stands at the end of a path; of a list, what stands there in each of its elements."""
    if isinstance(value, list):
        for element in value:
            yield from _values(element, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def _comparing(sign: str, text: str) -> Callable[[Anything], bool]:
    compare = _COMPARE[sign]
    try:
        number = float(text)
    except ValueError:
        return lambda value: isinstance(value, str) and compare(value, text)
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and compare(value, number)


def _any_text(fields: tuple[str, ...], term: Term) -> QueryInstance:
    test = _matching(term)

    def answers(document: Mapping[str, Anything]) -> bool:
        return any(value is not None and test(value) for value in map(document.get, fields))

    return QueryInstance(answers, ("text", fields, term.value, term.how, term.is_exact))


def _matching(term: Term) -> Callable[[Anything], bool]:
    """Whether a value is what a term asks for; a text is looked at as lists show it, other values as JSON."""
    if term.how is How.REGEX:
        try:
            pattern = re.compile(term.value, re.IGNORECASE)
        except (re.error, RecursionError, OverflowError) as error:
            raise FilterError(f"this regular expression is wrong: {error}", term.start, term.end) from None
        return lambda value: pattern.search(_shown(value)[:LONGEST_SEARCHED]) is not None
    if term.is_exact:
        return lambda value: term.value in (value, _shown(value))
    if term.how is How.WORD and _has_wildcard(term.value):
        parts = {"*": ".*", "?": "."}
        pattern = re.compile("".join(parts.get(letter) or re.escape(letter) for letter in term.value), re.DOTALL)
        return lambda value: pattern.fullmatch(_shown(value)) is not None
    wanted = term.value.casefold()
    return lambda value: wanted in _shown(value).casefold() if isinstance(value, str) else wanted == _shown(value)


def _has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


def _literal_beginning(text: str) -> str:
    """What everything that a pattern matches begins with; empty if it is no pattern, or begins with any letter."""
    return re.split(r"[*?]", text, maxsplit=1)[0] if _has_wildcard(text) else ""


def _shown(value: Anything) -> str:
    return literal(value) if isinstance(value, str) else orjson.dumps(value).decode()


def _listed(words: Iterable[str]) -> str:
    return "it is one of " + ", ".join(words)
