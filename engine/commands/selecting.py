"""Which entries a command of `wfe` is about: those of the keys that were typed, and those that answer to a filter."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import typer
from tinydb import where
from tinydb.queries import QueryInstance
from tinydb.table import Document

from engine.commands import printing
from engine.filter import FilterError, compile_filter
from engine.filter.fields import FIELDS
from engine.filter.syntax import parse, terms
from engine.lookup.entries import find_entries, keys_of
from engine.store import Store


@dataclass(frozen=True)
class Selection:
    """A frozen set of entries: their keys, by processor; under None, where the key alone has to tell that.

    `filter` has chosen some of them; it is empty where only keys were typed.
    """

    keys: Mapping[str | None, tuple[str, ...]]
    filter: str

    @property
    def count(self) -> int:
        """How many entries."""
        return sum(map(len, self.keys.values()))


def select(words: Sequence[str], store: Store, processor: str | None, moment: datetime) -> Selection:
    """The entries that are meant by words: keys; those that are none, if one of them names a field, are a filter.

    Args:
        words: as they were typed. Without a filter, one that is no key stays one: who acts on it says so.
        store: where the entries are.
        processor: `module:Class`, if only its entries are meant.
        moment: what has become due by then (aware) is ready.

    Raises:
        typer.Exit: with code 2: the filter cannot be understood, and it was said where.
    """
    typed = tuple(dict.fromkeys(words))
    known = {entry["key"] for entry in store.entries.search(where("key").one_of(list(typed)))}
    text = " ".join(word for word in typed if word not in known)
    if not _is_filter(text):
        return Selection({processor: typed}, "")
    chosen: dict[str | None, dict[str, None]] = {}
    for key, found in find_entries(store, [word for word in typed if word in known], processor).items():
        name = found["processor"] if isinstance(found, Document) else processor
        chosen.setdefault(name, {})[key] = None
    for name, own in keys_of(store, matching(text, store, moment, processor)).items():
        chosen.setdefault(name, {}).update(dict.fromkeys(own))
    return Selection({name: tuple(keys) for name, keys in chosen.items()}, text)


def matching(text: str, store: Store, moment: datetime, processor: str | None = None) -> Sequence[int]:
    """The numbers of the entries that a filter lets through, in the order of their keys.

    Args:
        text: the filter.
        store, moment, processor, raises: see `select`.
    """
    return store.entries.ids(condition_of(text, store, moment, processor), order_by="key")


def condition_of(text: str, store: Store, moment: datetime, processor: str | None = None) -> QueryInstance | None:
    """What an entry has to answer to, to be let through by a filter; None lets all through.

    Args and raises: see `matching`.
    """
    with explained(text):
        condition = compile_filter(text, store, moment)
    if processor is not None:
        own = where("processor") == processor
        condition = own if condition is None else condition & own
    return condition


_NAMED = re.compile(
    rf'(?:^|[\s()|"/])-*((?:{"|".join(name for name in FIELDS if not name.endswith("."))}|data\.[\w.-]*)[:=])',
    re.IGNORECASE,
)
"""What may be the name of a field; if it stands in a word or in quotes, it is none."""


def _is_filter(text: str) -> bool:
    """Whether a text names a field, so that it is a filter and no keys; then each field has to have a value.

    A filter that is still being typed may lack one, and asks for less; here, a variable of the shell was empty.
    """
    named = list(_NAMED.finditer(text))
    if not named:
        return False
    with explained(text):
        written = list(terms(parse(text, FIELDS)))
        for each in named:
            if not any(term.start <= each.end() <= term.end for term in written):
                raise FilterError(f"there is no value behind {each.group(1)}", each.start(1), each.end())
    return any(term.field for term in written)


@contextmanager
def explained(text: str) -> Iterator[None]:
    """Say where a filter is wrong, and end the command."""
    try:
        yield
    except FilterError as error:
        printing.wrong_filter(text, error)
        raise typer.Exit(2) from None
