"""Reads the JSON file that stock TinyDB writes, piece by piece, so that its size does not matter."""

import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

from tinydb.table import Document

from engine.exceptions import InputError


class StockFile:
    """A stock file as it is read, piece by piece: what was used is forgotten. Whatever is wrong is an InputError."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self.size = os.fstat(file.fileno()).st_size
        self._file = file
        self._path = path
        self._decode = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse).raw_decode
        self._text, self._at = "", 0
        self._bytes, self._lines = 0, 0  # of what is forgotten
        self._what = "the file"

    def tables(self) -> Iterator[str]:
        """The names of the tables; the documents of each are to be read before the next."""
        seen = set()
        for name in self._fields():
            if name in seen:
                raise self._not_tinydb(f"it has the table {_shown(name)} twice")
            if "\0" in name or any("\ud800" <= letter <= "\udfff" for letter in name):
                raise self._not_tinydb(f"the name of the table {_shown(name)} has a character that cannot be stored")
            seen.add(name)
            self._what = f"the table {_shown(name)}"
            yield name

    def documents(self, table: str) -> Iterator[Document]:
        """The documents of the table that `tables` named last."""
        for name in self._fields():
            if not (_INTEGER.fullmatch(name) and -(2**63) <= int(name) < 2**63):
                raise self._not_tinydb(f"the table {_shown(table)} has the id {_shown(name)}: no integer of 64 bits")
            self._what = f"document {name} of the table {_shown(table)}"
            if self._peek() not in ("{", ""):
                raise self._not_tinydb(f"{self._what} is no object")
            yield Document(self._value(), int(name))

    def end(self) -> None:
        """See that nothing follows."""
        if self._peek():
            raise self._not_json("there is more after its end")

    @property
    def position(self) -> int:
        """About how many characters were used."""
        return self._bytes + self._at

    @property
    def read(self) -> int:
        """How many bytes were read from the file."""
        return self._file.buffer.tell()

    def _fields(self) -> Iterator[str]:
        """The names of an object's fields; the value of each is to be read before the next."""
        what = self._what
        if self._peek() not in ("{", ""):
            raise self._not_tinydb(f"{what} is no object")
        self._take("{")
        is_more = self._peek() != "}"
        while is_more:
            if self._peek() != '"':
                raise self._not_json("a name in quotes is missing")
            name = self._value()
            self._take(":")
            yield name
            self._what = what
            is_more = self._peek() != "}"
            if is_more:
                self._take(",")
        self._take("}")

    def _peek(self) -> str:
        """The next character that is no space, "" at the end of the file."""
        while True:
            sign = self._text[self._at : self._at + 1]
            if sign == "":
                if not self._more():
                    return ""
            elif sign in " \t\r\n":
                self._at += 1
            else:
                return sign

    def _take(self, sign: str) -> None:
        if self._peek() != sign:
            raise self._not_json(f"{sign!r} is missing")
        self._at += 1

    def _value(self) -> Any:
        while True:
            try:
                value, self._at = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                is_open = error.msg.startswith("Unterminated string")
                # A word or number that is cut off counts as wrong from where it begins.
                begins = error.pos - self._at
                if (is_open or error.pos > len(self._text) - _LONGEST_WORD) and self._more():
                    continue
                self._at = len(self._text) if is_open else self._at + begins
                raise self._not_json(error.msg) from error
            except RecursionError as error:
                raise self._not_tinydb(f"{self._what} is nested too deeply") from error
            except ValueError as error:
                raise self._not_tinydb(f"{self._what} cannot be kept ({str(error).partition(';')[0]})") from error
            return value

    def _more(self) -> bool:
        """Read on, and forget what was used; False at the end of the file."""
        self._bytes += len(self._text[: self._at].encode())
        self._lines += self._text.count("\n", 0, self._at)
        rest, self._at = self._text[self._at :], 0
        try:
            more = self._file.read(max(_PIECE, len(rest)))  # twice as much, so that a long document is not tried often
        except UnicodeDecodeError as error:
            byte = self._file.buffer.tell() - len(error.object) + error.start
            raise InputError(f"{self._path} is not UTF-8 at byte {byte}: name TinyDB's JSON file") from error
        except OSError as error:
            raise InputError(f"{self._path} cannot be read ({error.strerror}): check its disk") from error
        self._text = rest + more
        return bool(more)

    def _not_json(self, reason: str) -> InputError:
        used = self._text[: self._at]
        line, byte = self._lines + used.count("\n") + 1, self._bytes + len(used.encode())
        if self._at == len(self._text):
            reason = "it ends too early"
        return InputError(
            f"{self._path} is not JSON at line {line}, byte {byte}, in {self._what} ({reason}): name a whole JSON file"
        )

    def _not_tinydb(self, reason: str) -> InputError:
        return InputError(f"{self._path} is not a file of TinyDB's, since {reason}: repair it, or name another")


_PIECE = 1_000_000
"""How many characters are read at once."""

_LONGEST_WORD = len("-Infinity")

_INTEGER = re.compile("0|-?[1-9][0-9]{0,18}")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too great a number")
    return number


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON")


def _shown(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:60] + "…")
