"""The peers by name, with the promise that each is opened with, and their files, filled before anything is measured."""

import math
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from entries import entry
from peers import OnTinyDB, Ours, Raw
from tinydb import JSONStorage, TinyDB
from tinydb.middlewares import CachingMiddleware

from engine.store import Store
from engine.store.durability import Durability


def _json_file(path: Path) -> OnTinyDB:
    return OnTinyDB(TinyDB(path, storage=JSONStorage))


def _cached_json_file(path: Path) -> OnTinyDB:
    return OnTinyDB(TinyDB(path, storage=CachingMiddleware(JSONStorage)))


@dataclass(frozen=True)
class Contender:
    """A peer by name: how it is opened, the ending of its file, and the most entries that it is asked to bear."""

    name: str
    open: Callable[[Path], Any]
    ending: str = ".db"
    bears: float = math.inf

    def __str__(self) -> str:
        return self.name

    def file(self, folder: Path) -> Path:
        return folder / (self.name.replace(", ", "-") + self.ending)


JSON = Contender("JSONStorage", _json_file, ".json", 100_000)
CACHED = Contender("CachingMiddleware", _cached_json_file, ".json", 100_000)
RAW_PROCESS = Contender("raw, process", partial(Raw, synchronous="NORMAL"))
OURS_PROCESS = Contender("ours, process", partial(Ours, durability=Durability.PROCESS))
RAW_POWER = Contender("raw, power", partial(Raw, synchronous="FULL"))
OURS_POWER = Contender("ours, power", partial(Ours, durability=Durability.POWER))

WRITERS = (JSON, CACHED, RAW_PROCESS, OURS_PROCESS, RAW_POWER, OURS_POWER)
READERS = (JSON, CACHED, RAW_POWER, OURS_POWER)
FOLLOWERS = (RAW_POWER, OURS_POWER)
RAW_OF = {OURS_PROCESS: RAW_PROCESS, OURS_POWER: RAW_POWER}


def fill(folder: Path, size: int, contenders: Iterable[Contender]) -> None:
    """Make each contender's file with the entries 0 to `size`: one of a kind is filled, the others are its copies."""
    filled: dict[str, Path] = {}
    for contender in contenders:
        path = contender.file(folder)
        if contender.ending in filled:
            shutil.copyfile(filled[contender.ending], path)
        else:
            (_fill_store if contender.ending == ".db" else _fill_json)(path, size)
            filled[contender.ending] = path
    os.sync()  # else the disk would be busy with the copies while it is measured


def _fill_store(path: Path, size: int) -> None:
    # Through the indexes, though that takes minutes at 1M: built afterwards, their pages would be full, and the writes
    # that are measured would pay for splitting them.
    entries = map(entry, range(size))
    with Store(path) as store:
        while some := list(islice(entries, 10_000)):
            store.entries.insert_multiple(some)


def _fill_json(path: Path, size: int) -> None:
    path.write_bytes(orjson.dumps({"entries": {str(number + 1): entry(number) for number in range(size)}}))
