"""The documentation of every public name says what it is for, what it takes (with units), answers and raises."""

import ast
import builtins
import re
from collections.abc import Iterable, Iterator

import pytest
from public_docs import NAMES, entries, said_of, sections
from public_names import Name

import engine
import engine.exceptions
import engine.operations
import engine.testing

TOP = [name for name in NAMES.values() if name.owner is None]

OURS = {
    name: value
    for module in (engine, engine.exceptions, engine.operations, engine.testing)
    for name in module.__all__
    if isinstance(value := getattr(module, name), type) and issubclass(value, Exception)
}
"""The exceptions that a public name may raise, besides Python's own and pydantic's."""

ANSWERS = {"A", "An", "The", "All", "Each", "Whether", "How", "What", "When", "Where", "Which", "Who", "Why", "Seconds"}
"""With these begins a sentence that says what a function answers; one that does something says so under `Returns:`."""

MOMENT = re.compile(r"\b(UTC|aware|zone|local)\b")
NUMBER = re.compile(r"\b(seconds?|minutes?|hours?|days?|part|factor)\b", re.IGNORECASE)
"""What says the unit of a moment, and of a number that is not a count."""

OF_PYDANTIC = {"model_config", "kind"}
"""Pydantic's own, and what it tells the repeat policies apart by: nobody gives them."""


def members(top: Name) -> list[Name]:
    return [name for name in NAMES.values() if name.owner is top]


def shortfalls(name: Name) -> Iterator[str]:
    """What the documentation of a name does not say."""
    if isinstance(name.node, ast.FunctionDef):
        yield from _of_function(name, name.node)
    elif name.owner is None:
        if not name.text:
            yield "has no docstring"
    elif name.last not in OF_PYDANTIC:
        if said := name.text or said_of(name.last, name.owner.text, name.owner):
            yield from _of_unit(getattr(name.node, "annotation", None), said)
        else:
            yield "is neither named in the docstring of its class nor has one of its own"


def _of_unit(annotation: ast.expr | None, said: str) -> Iterator[str]:
    kinds = set(re.findall(r"\w+", ast.unparse(annotation))) if annotation else set()
    if "datetime" in kinds and not MOMENT.search(said):
        yield f"does not say of a moment whether it is aware, in UTC, or local: {said!r:.60}"
    if "float" in kinds and not NUMBER.search(said):
        yield f"does not say the unit of a number: {said!r:.60}"


def _of_function(name: Name, node: ast.FunctionDef) -> Iterator[str]:
    owner = name.owner or name
    text = owner.text if name.last == "__init__" else name.text
    if not text:
        yield "has no docstring"
    if not text or re.search("^:(param|returns?)", text, re.MULTILINE):
        return  # the latter is TinyDB's own
    for parameter in name.parameters:
        said = said_of(parameter.arg, text, name) or said_of(parameter.arg, owner.text, owner)
        if said is None and (len(name.parameters) > 1 or name.last == "__init__"):
            yield f"does not say what {parameter.arg} is"
        else:
            yield from (f"of {parameter.arg}: {each}" for each in _of_unit(parameter.annotation, said or text))
    told = sections(text, name)
    if name.last != "__init__" and not name.is_property:
        yield from _of_answer(node.returns, text, told.get("Returns"))
    yield from _of_exceptions(node, entries(told.get("Raises", "")))


def _of_answer(returns: ast.expr | None, text: str, told: str | None) -> Iterator[str]:
    if returns is None or ast.unparse(returns) in ("None", "NoReturn"):
        return
    if told is None and not text.startswith("`") and text.split()[0] not in ANSWERS:
        yield f"does not say what it returns: {text!r:.60}"
    yield from _of_unit(returns, told or text)


def _of_exceptions(node: ast.FunctionDef, told: Iterable[str]) -> Iterator[str]:
    for raised in sorted(_raised(node)):
        if not any(issubclass(OURS[raised], OURS[each]) for each in told if each in OURS):
            yield f"does not say that it raises {raised}"
    for each in told:
        if each not in OURS and not hasattr(builtins, each) and each != "pydantic.ValidationError":
            yield f"says that it raises {each}, which is no exception"


def _raised(node: ast.FunctionDef) -> set[str]:
    """Our exceptions that its own body raises."""
    raised = (each.exc for each in ast.walk(node) if isinstance(each, ast.Raise) and each.exc)
    return {ast.unparse(each.func if isinstance(each, ast.Call) else each) for each in raised} & set(OURS)


@pytest.mark.parametrize("top", TOP, ids=lambda name: name.path)
def test_the_documentation_of_a_public_name_says_all_that_its_user_needs(top: Name) -> None:
    found = [f"{name.path} {lack}" for name in [top, *members(top)] for lack in shortfalls(name)]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize(
    ("source", "lack"),
    [
        ("def f(a, b): 'An `a` without the other.'", "does not say what b is"),
        ("def f(a) -> int: 'Do something.'", "does not say what it returns"),
        ("def f(when: datetime) -> int: 'A number.'", "does not say of a moment"),
        ("def f(delay: float): 'Do something so much later.'", "does not say the unit"),
        ("def f(a): raise InputError('no')", "has no docstring"),
        ("def f(a):\n 'Do something.'\n raise InputError('no')", "does not say that it raises InputError"),
        ("def f(a):\n 'Do it.\\n\\nRaises:\\n    Mistake: always.'", "raises Mistake, which is no exception"),
        ("def f(a, b) -> int:\n 'Do it with `a` and `b`.\\n\\nReturns:\\n    A number.'", ""),
    ],
)  # fmt: skip
def test_what_a_docstring_does_not_say_is_told(source: str, lack: str) -> None:
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    found = list(shortfalls(Name("engine.f", node, ast.get_docstring(node) or "")))
    assert (len(found) == 1 and lack in found[0]) if lack else not found
