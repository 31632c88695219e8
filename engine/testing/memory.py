"""A store in memory: a real one, on a file in a folder that the operating system keeps in memory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.store import Store

_IN_MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory."""


@contextmanager
def memory_store() -> Iterator[Store]:
    """A new store that is gone at the end, and everything in it.

    It is a store like any other, since it is the same code on the same kind of file, in a private folder of `/dev/shm`:
    all threads may share it, and other processes open it by its `path`. So what holds on it holds on a disk, but for a
    power cut, and for the size: a container often has no more than 64 MB there. Where there is no such folder, as on
    macOS, it stands in the system's temporary folder, on the disk, and is removed all the same. A test process that is
    killed leaves it; in memory, until the machine is started anew.

    Example::

        with memory_store() as store:
            Orders(store).process_entries()
            assert len(store.entries) == 3
    """
    folder = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with TemporaryDirectory(prefix="wfe-", dir=folder) as place, Store(Path(place) / "wfe.db") as store:
        yield store
