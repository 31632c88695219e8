"""What is public in Python, and one line for each name: what users rely on.

Signatures are read from the source, as their authors wrote them: what Python makes of an annotation, or of a default
that is a function, differs from one version of it to the next.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from itertools import zip_longest
from typing import Any

MODULES = (
    "engine",
    "engine.exceptions",
    "engine.executors",
    "engine.executors.dask",
    "engine.operations",
    "engine.planning",
    "engine.store",
    "engine.testing",
)
"""What the `__all__` of these names is public, and of its classes all that has no underscore."""

SPECIAL = ("__init__", "__call__")
"""These are, too."""


@dataclass(frozen=True)
class Name:
    """A public name, and the statement that defines it."""

    path: str
    node: ast.stmt
    text: str = ""
    """What its documentation says: of an attribute, the string behind it."""
    owner: "Name | None" = None
    """The class that it is a member of."""

    @property
    def last(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def is_alias(self) -> bool:
        """It is told of under another path."""
        return self.owner is None and isinstance(self.node, ast.Assign)

    @property
    def is_property(self) -> bool:
        return any(mark.rpartition(".")[2] in ("property", "cached_property") for mark in self.decorators)

    @property
    def decorators(self) -> list[str]:
        return [ast.unparse(node) for node in getattr(self.node, "decorator_list", ())]

    @cached_property
    def signature(self) -> ast.arguments:
        """What a function takes, but for what it is bound to."""
        assert isinstance(self.node, ast.FunctionDef)
        taken = deepcopy(self.node.args)
        if self.owner is not None and "staticmethod" not in self.decorators:
            del (taken.posonlyargs or taken.args)[:1]
        return taken

    @property
    def parameters(self) -> list[ast.arg]:
        taken = self.signature
        rest = [each for each in (taken.vararg, taken.kwarg) if each is not None]
        return [*taken.posonlyargs, *taken.args, *taken.kwonlyargs, *rest]

    def line(self) -> str:
        """What it is, as one reads it in the source."""
        marks = "".join(f"  @{mark}" for mark in self.decorators)
        match self.node:
            case ast.ClassDef(bases=bases, keywords=keywords):
                above = [ast.unparse(each) for each in (*bases, *keywords)]
                return f"{self.path}: class" + (f"({', '.join(above)})" if above else "") + marks
            case ast.FunctionDef(returns=returns):
                taken = "" if self.is_property else f"({ast.unparse(self.signature)})"
                return f"{self.path}{taken}" + (f" -> {ast.unparse(returns)}" if returns else "") + marks
            case ast.AnnAssign(target=ast.Name(), annotation=annotation, value=value):
                return f"{self.path}: {ast.unparse(annotation)}" + (f" = {ast.unparse(value)}" if value else "")
            case ast.Assign(targets=[ast.Name()], value=value):
                return f"{self.path} = {ast.unparse(value)}"
        return self.path  # an attribute of an instance: how it is made is nobody's business


def public_names() -> list[Name]:
    """All of them; what is public in two modules is told of once, and named in the other."""
    modules = [(module, import_module(module)) for module in MODULES]
    found = {f"{name}.{each}": getattr(module, each) for name, module in modules for each in module.__all__}
    names: list[Name] = []
    first: dict[Any, str] = {}
    for path, value in found.items():
        if value in first:
            names.append(Name(path, ast.parse(f"_ = {first[value]}").body[0]))
        else:
            first[value] = path
            names += _with_members(path, value, {each for each in found.values() if isinstance(each, type)})
    return names


def _with_members(path: str, value: Any, public: set[type]) -> Iterator[Name]:
    node = _source(value)
    top = Name(path, node, ast.get_docstring(node) or "")  # its own: Python makes one for a dataclass that has none
    yield top
    if not isinstance(value, type):
        return
    defined = {
        home: list(_members(_source(home))) for home in value.__mro__ if home.__module__.partition(".")[0] == "engine"
    }
    texts: dict[str, str] = {}
    for name, _, text in (member for members in defined.values() for member in members):
        texts[name] = texts.get(name) or text
    seen: set[str] = set()
    for home, members in defined.items():
        if home is value or home not in public:
            for name, node, text in members:
                if name not in seen:
                    foreign = inspect.getdoc(getattr(value, name, None)) if isinstance(node, ast.FunctionDef) else None
                    yield Name(f"{path}.{name}", node, text or texts[name] or foreign or "", top)
            seen |= {name for name, _, _ in members}


def _members(home: ast.stmt) -> Iterator[tuple[str, ast.stmt, str]]:
    """What a class defines, in order: in its body, and then on its instances when they are made."""
    assert isinstance(home, ast.ClassDef)
    declared: set[str] = set()
    made: list[ast.stmt] = []
    for node, text in _documented(home.body):
        if isinstance(node, ast.FunctionDef):
            if not node.name.startswith("_") or node.name in SPECIAL:
                yield node.name, node, ast.get_docstring(node) or ""
            if node.name == "__init__":
                made = node.body
        for name in _assigned(node):
            if not name.startswith("_"):
                declared.add(name)
                yield name, node, text
    for node, text in _documented(made):
        for name in _assigned(node):
            attribute = name.removeprefix("self.")
            if attribute != name and not attribute.startswith("_") and attribute not in declared:
                yield attribute, node, text


def _assigned(node: ast.stmt) -> list[str]:
    """The names, with dots, that a statement assigns to."""
    match node:
        case ast.Assign(targets=targets):
            return [ast.unparse(each) for target in targets for each in getattr(target, "elts", [target])]
        case ast.AnnAssign(target=target):
            return [ast.unparse(target)]
    return []


def _documented(body: Iterable[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Statements, each with the string behind it."""
    statements = list(body)
    for node, after in zip_longest(statements, statements[1:]):
        match after:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node, inspect.cleandoc(text)
            case _:
                yield node, ""


def _source(value: Any) -> ast.ClassDef | ast.FunctionDef:
    node = ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]
    assert isinstance(node, ast.ClassDef | ast.FunctionDef)
    return node
