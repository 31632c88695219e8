"""The `wfe` line that does the same as an act: shown with each, to be copied."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from engine.store import Store, store_path
from engine.text import shell_path


def shell_line(
    verb: str | Iterable[str],
    words: Iterable[str],
    store: Store,
    processor: str | None = None,
    why: str | None = None,
) -> str:
    """The `wfe` line that does the same to these keys, or whatever the verb is done to.

    It names the store where `wfe` would not find it, and the processor, if it is given, where the keys do not tell it.

    Args:
        verb: what is typed behind `wfe`: a text of single words, or the words.
        words: the keys.
        store, processor, why: as they were given to the verb.
    """
    return line_of(verb, words, store.path, processor if processor and has_many_processors(store) else None, why)


def has_many_processors(store: Store) -> bool:
    """Whether a key alone may not name an entry."""
    return len(store.entries.counts("processor")) > 1


def line_of(verb: str | Iterable[str], words: Iterable[str], path: Path, processor: str | None, why: str | None) -> str:
    """The same without a look into the store.

    Args:
        verb, words, why: see `shell_line`.
        path: the store's file.
        processor: is named if it is given.
    """
    line = ["wfe", *map(shlex.quote, verb.split() if isinstance(verb, str) else verb)]
    line += store_words(path)
    if processor:
        line += ["--processor", shlex.quote(processor)]
    if why:
        line += ["--why", shlex.quote(why)]
    named = list(words)
    if any(word.startswith("-") for word in named):
        line.append("--")
    return " ".join([*line, *map(shlex.quote, named)])


def store_words(path: Path) -> list[str]:
    """What names a store to `wfe` and `wfe-tui`, as it is typed: nothing for the one that they find by themselves."""
    return [] if store_path(None).resolve() == path else ["--store", shell_path(path)]
