"""The store as a whole: what is wrong with it, and what was removed from it."""

from dataclasses import asdict
from pathlib import Path

from engine.commands.printing.tables import json_line, line
from engine.commands.printing.words import note
from engine.store.check import Report
from engine.store.retention import Pruned


def print_written(path: Path, file: Path, documents: int | None, sentence: str, *, as_json: bool) -> None:
    """That a store was written to a file, or made of one; of a copy, nobody counts the documents."""
    if as_json:
        json_line({"store": str(path), "file": str(file), "documents": documents})
    else:
        note(sentence)


def print_check(path: Path, found: Report, *, as_json: bool) -> None:
    """What is wrong with a store."""
    if as_json:
        json_line({"store": str(path), "documents": found.documents, "problems": found.problems, "lost": found.lost})
        return
    for problem in found.problems:
        line(problem)
    lost = sum(map(len, found.lost.values()))
    if found.is_sound:
        line(f"{path} is sound: {found.documents} documents")
    else:
        line(f"{path} is damaged: {found.documents} documents can be read, {lost} are known to be lost")


def print_pruned(path: Path, done: Pruned, *, as_json: bool) -> None:
    """How much was removed from a store."""
    if as_json:
        json_line({"store": str(path), **asdict(done)})
        return
    tables = f"{done.entries} entries, {done.errors} errors, {done.runs} runs and {done.actions} actions"
    removed = f"{tables} were removed, and {done.executions} attempts of entries that stay"
    line(f"{path}: {removed}; the file is {done.bytes_freed / 1e6:.1f} MB smaller")
