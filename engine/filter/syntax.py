"""Pure: a filter's text as a tree, or where it is wrong.

    filter  = every ("|" every)*
    every   = part*                      all of them
    part    = "-" part | "(" filter ")" | term
    term    = [name (":" | "=")] value   `name` is one of the fields; any other word with a colon is a plain word
    value   = word | "quoted" | /regular expression/

A value that is not there yet, as in `state:`, asks for nothing.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from engine.exceptions import InputError

DEEPEST = 50
"""How deep parentheses may stand in one another."""


class FilterError(InputError):
    """A filter that cannot be understood. `start` and `end` are the place in its text that is meant."""

    def __init__(self, sentence: str, start: int, end: int) -> None:
        super().__init__(sentence)
        self.start = start
        self.end = end


class How(Enum):
    """How a value was written."""

    WORD = "word"
    QUOTED = "quoted"
    REGEX = "regex"


@dataclass(frozen=True)
class Term:
    """One condition. `field` is empty for a plain word; `is_exact` if `=` joined it. The place is that of the value."""

    field: str
    value: str
    how: How
    is_exact: bool
    start: int
    end: int


@dataclass(frozen=True)
class Not:
    """What its part does not let through."""

    part: "Node"


@dataclass(frozen=True)
class All:
    """What each of its parts lets through; without parts, everything."""

    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Any:
    """What one of its parts lets through."""

    parts: tuple["Node", ...]


Node = Term | Not | All | Any


def parse(text: str, fields: Collection[str]) -> Node:
    """The tree of a filter.

    Args:
        text: as somebody typed it.
        fields: the names of the fields; one that ends with a dot begins a path, as `data.` does.

    Raises:
        FilterError: it cannot be understood.
    """
    return _Parser(text, fields).parse()


def terms(node: Node) -> Iterator[Term]:
    """All terms of a tree, in the order in which they were written."""
    match node:
        case Term():
            yield node
        case Not(part):
            yield from terms(part)
        case All(parts) | Any(parts):
            for part in parts:
                yield from terms(part)


def as_typed(value: str) -> str:
    """A value as it is typed into a filter: quoted where it would be read as something else."""
    if value and not re.search(r"[\s()|\"]", value) and value[0] not in "/-<>":
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def joined(*filters: str) -> str:
    """A filter that lets through what each of these does; an empty one lets through everything."""
    return " ".join(f"({text})" if "|" in text else text for text in map(str.strip, filters) if text)


_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"([A-Za-z_][\w.-]*)([:=])")
_WORD = re.compile(r"[^\s()|]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/")
_PATH = re.compile(r"/[^/\s]*/[^\s()|]")
"""A word that begins as a regular expression does, and goes on behind its second slash."""


class _Parser:
    def __init__(self, text: str, fields: Collection[str]) -> None:
        self.text = text
        self.fields = fields
        self.at = 0
        self.depth = 0

    def parse(self) -> Node:
        tree = self._any()
        if self.at < len(self.text):
            raise FilterError("this parenthesis closes none: take it away, or quote it", self.at, self.at + 1)
        return tree

    def _any(self) -> Node:
        parts = [self._all()]
        while self._next() == "|":
            self.at += 1
            parts.append(self._all())
        # A side that is not there yet asks for nothing: it does not let everything through.
        there = tuple(part for part in parts if part != All(()))
        return there[0] if len(there) == 1 else Any(there) if there else All(())

    def _all(self) -> Node:
        parts = []
        while self._next() not in ("", "|", ")"):
            if (part := self._part()) is not None:
                parts.append(part)
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _part(self) -> Node | None:
        if self._next() == "-":
            self.at += 1
            if self.at == len(self.text) or self.text[self.at].isspace():
                return None
            part = self._part()
            return None if part is None else Not(part)
        if self._next() == "(":
            return self._group()
        return self._term()

    def _group(self) -> Node | None:
        start = self.at
        self.at += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise FilterError(f"parentheses stand in one another more than {DEEPEST} deep", start, start + 1)
        inner = self._any()
        if self._next() != ")":
            raise FilterError("this parenthesis is not closed: close it, or quote it", start, start + 1)
        self.at += 1
        self.depth -= 1
        return None if inner == All(()) else inner

    def _term(self) -> Term | None:
        field, is_exact = "", False
        if named := self._named():
            field, is_exact = named.group(1).lower(), named.group(2) == "="
            if field.startswith("data."):
                field = named.group(1)  # the names of a user's own fields are theirs
            self.at = named.end()
        start = self.at
        first = self.text[start : start + 1]
        if first == '"':
            value, how = self._closed(_QUOTED, "this quotation mark is not closed"), How.QUOTED
        elif first == "/" and not _PATH.match(self.text, start):
            value, how = self._closed(_REGEX, "this regular expression has no second /"), How.REGEX
        elif found := _WORD.match(self.text, start):
            value, how, self.at = found.group(), How.WORD, found.end()
        else:
            return None  # the value is not there yet
        return Term(field, value, how, is_exact, start, self.at)

    def _named(self) -> re.Match[str] | None:
        named = _NAME.match(self.text, self.at)
        if named is None:
            return None
        name = named.group(1).lower()
        if name in self.fields or any(field.endswith(".") and name.startswith(field) for field in self.fields):
            return named
        near = get_close_matches(name, self.fields, n=1, cutoff=0.75)
        if near:
            sentence = f"there is no field {named.group(1)!r}: write {near[0]}, or quote the word"
            raise FilterError(sentence, named.start(1), named.end(1))
        return None

    def _closed(self, pattern: re.Pattern[str], complaint: str) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise FilterError(f"{complaint}: close it", self.at, len(self.text))
        self.at = found.end()
        return found.group(1) if pattern is _REGEX else re.sub(r"\\(.)", r"\1", found.group(1))

    def _next(self) -> str:
        """The next character that is no space; empty at the end."""
        space = _SPACE.match(self.text, self.at)
        assert space is not None, "it matches nothing as well"
        self.at = space.end()
        return self.text[self.at : self.at + 1]
