"""The values of local variables as texts: short, and without what is secret by its name.

What a name says is all there is to go by: the value of `password`, of `{"password": …}`, of a field or keyword argument
of that name and what stands behind it in a text is masked; a secret that is called `value` is not.
"""

import dataclasses
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel

from engine.model import WorkflowModel
from engine.text import encodable

MAX_NAMES = 30
MAX_CHARACTERS = 200
"""Of the text of one value."""
MASK = "••••"

_MAX_DEPTH = 6
_CUT = 1_000
"""Characters of one text that are looked at: longer than what is shown, since to mask may shorten it."""

_NAMES = r"password|passwd|secret|token|api[_-]?key|authorization|credential|cookie|session"
_SECRET = re.compile(_NAMES, re.IGNORECASE)

# A name, what separates it from its value, and that: quoted, a single word, or whatever follows.
_IN_TEXT = re.compile(
    rf"""((?:{_NAMES})[\w-]*(?:\\*['"]?\s*(?:=|:)|\\*['"]\s*,)\s*)"""
    r"""(?:b?'(?:[^'\\]|\\.)*'?|b?"(?:[^"\\]|\\.)*"?|[^\s,;&()\[\]{}'"]+(?=[,;&)\]}'"]|$)|.+)""",
    re.IGNORECASE | re.DOTALL,
)
_IN_ADDRESS = re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)")


def shown_locals(values: Mapping[str, Any]) -> dict[str, str]:
    """Local variables, the first thirty, as texts of at most 200 characters. Those that Python itself makes
    (`__name__`) are left out.

    A value whose `repr` raises is told to do so.
    """
    names = [name for name in values if not name.startswith("__")][:MAX_NAMES]
    return {encodable(name): MASK if _is_secret(name) else _shown(values[name]) for name in names}


def _shown(value: object) -> str:
    text = ""
    try:
        for piece in _pieces(value, 0):
            text += piece
            if len(text) > MAX_CHARACTERS:
                return encodable(text[: MAX_CHARACTERS - 1] + "…")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"<its repr raised {type(error).__name__}>"
    return encodable(text)


def _pieces(value: Any, depth: int) -> Iterator[str]:
    """The parts of a text as Python would print it; whoever has enough of them asks for no more."""
    if depth > _MAX_DEPTH:
        yield "…"
    elif (fields := _fields(value)) is not None:
        yield f"{type(value).__name__}("
        yield from _joined(_named(name, "=", field, depth) for name, field in fields)
        yield ")"
    elif isinstance(value, Mapping):
        yield "{"
        yield from _joined(_named(key, ": ", each, depth) for key, each in value.items())
        yield "}"
    elif (brackets := _BRACKETS.get(type(value).__repr__)) is not None:
        begin, end = brackets
        yield begin
        yield from _joined(_pieces(each, depth + 1) for each in _pair_masked(value))
        yield end
    else:
        yield _masked(_text(value))


def _fields(value: Any) -> Iterable[tuple[str | None, Any]] | None:
    """The names and values with which a value prints itself; None if it does so in another way, which may well be to
    hide something."""
    kind: Any = type(value)
    if kind.__repr__ is BaseModel.__repr__:
        # An entry's progress, which is long and known from elsewhere, comes after what is the user's own.
        return sorted(value.__repr_args__(), key=lambda each: each[0] in WorkflowModel.model_fields)
    if dataclasses.is_dataclass(kind) and "__create_fn__" in _maker_of(kind.__repr__):
        return ((field.name, getattr(value, field.name)) for field in dataclasses.fields(kind) if field.repr)
    if isinstance(value, tuple) and getattr(kind.__repr__, "__module__", "") == "collections":
        return zip(kind._fields, value, strict=True)
    return vars(value).items() if kind.__repr__ is SimpleNamespace.__repr__ else None


def _maker_of(function: Any) -> str:
    return getattr(getattr(function, "__wrapped__", None), "__qualname__", "")


def _named(name: object, separator: str, value: object, depth: int) -> Iterator[str]:
    if isinstance(name, str) and separator == "=":
        yield name
    else:
        yield from _pieces(name, depth + 1)
    yield separator
    if _is_secret(name):
        yield MASK
    else:
        yield from _pieces(value, depth + 1)


def _joined(parts: Iterable[Iterator[str]]) -> Iterator[str]:
    for number, part in enumerate(parts):
        if number:
            yield ", "
        yield from part


def _pair_masked(values: Iterable[Any]) -> Iterable[Any]:
    """As they are; of a pair of a secret name and its value, as headers come in, that is masked."""
    if isinstance(values, (tuple, list)) and len(values) == 2 and _is_secret(values[0]):
        return values[0], _Mask()
    return values


class _Mask:
    def __repr__(self) -> str:
        return MASK


def _is_secret(name: object) -> bool:
    text = name.decode(errors="replace") if isinstance(name, bytes) else name
    return isinstance(text, str) and _SECRET.search(text) is not None


def _text(value: Any) -> str:
    kind: Any = type(value)
    return repr(value[:_CUT]) if kind.__repr__ in (str.__repr__, bytes.__repr__) else repr(value)[:_CUT]


def _masked(text: str) -> str:
    return _IN_ADDRESS.sub(rf"\1{MASK}", _IN_TEXT.sub(rf"\1{MASK}", text))


_BRACKETS: dict[Any, tuple[str, str]] = {
    list.__repr__: ("[", "]"),
    tuple.__repr__: ("(", ")"),
    set.__repr__: ("{", "}"),
    frozenset.__repr__: ("frozenset({", "})"),
    deque.__repr__: ("deque([", "])"),
}
