"""What the documentation of public names says, taken apart."""

import re
import textwrap

from public_names import Name, public_names

NAMES = {name.path: name for name in public_names() if not name.is_alias}
"""Those that have documentation, by their paths."""

SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Example)::?\n((?:[ ].*\n?|\n)*)", re.MULTILINE)
REFERENCE = re.compile(r"^([A-Z]\w+(?:, \w+)*(?: and \w+)?): see `([\w.]+)`", re.MULTILINE)
"""As in: Returns and raises: see `act`."""


def referred(path: str, origin: Name) -> Name:
    """The public name that a docstring means, which says more: first one of the same class or module."""
    found = [name for name in NAMES.values() if f".{name.path}".endswith(f".{path}")]
    assert found, f"{origin.path} refers to {path}, which is not public"
    near = origin.path.rpartition(".")[0]
    return min(found, key=lambda name: (not name.path.startswith(near), name.path))


def sections(text: str, origin: Name) -> dict[str, str]:
    """The parts of a docstring that have a heading, as `Args:`, and those that it refers to."""
    found = {heading: textwrap.dedent(body) for heading, body in SECTION.findall(text)}
    for headings, path in REFERENCE.findall(text):
        there = referred(path, origin)
        for heading in {each.capitalize() for each in re.findall(r"\w+", headings)} - {"And"}:
            found[heading] = found.get(heading, "") + sections(there.text, there)[heading]
    return found


def entries(section: str) -> dict[str, str]:
    """What a section says of each name: `a, b: …`, with the lines that are indented below."""
    found = re.findall(r"^([\w.]+(?:, [\w.]+)*): (.*(?:\n .*)*)", section, re.MULTILINE)
    return {name: said for names, said in found for name in names.split(", ")}


def said_of(parameter: str, text: str, origin: Name) -> str | None:
    """What a docstring says of a parameter: its entry, or the whole text if that has its name in backticks."""
    found = sections(text, origin)
    told = entries(found.get("Args", "") + found.get("Attributes", "")).get(parameter)
    if told is None:
        return text if f"`{parameter}`" in text else None
    if elsewhere := re.match(r"see `([\w.]+)`", told):
        there = referred(elsewhere[1], origin)
        return said_of(parameter, there.text, there)
    return told
