"""Who lives: each owner holds an operating system's lock on a file of its own, which ends with its process.

No clock is asked and no time-out guessed, so an owner that is merely slow or stopped is never taken for dead.
"""

import os
import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from engine.exceptions import StoreError
from engine.store.locks import LockFile
from engine.store.recording import Recording


class Owners:
    """The owners of one store, in the folder `<store>.owners` beside it."""

    def __init__(self, store: Path, *, read_only: bool = False) -> None:
        self._store = store
        self._folder = store.with_name(store.name + ".owners")
        self._read_only = read_only
        self._mine: LockFile | None = None
        self._claiming = threading.Lock()

    def mine(self) -> str:
        """This object's owner, alive from the first call until `close`. Raises StoreError if it cannot be recorded."""
        if self._read_only:
            raise StoreError(f"the store {self._store} is opened to be read only: who owns entries has to write it")
        with self._claiming:
            if self._mine is None:
                try:
                    self._folder.mkdir(mode=0o700, exist_ok=True)
                    self._mine = self._claim()
                except OSError as error:
                    raise StoreError(
                        f"no owner can be recorded in {self._folder} ({error.strerror}): see that you may write there"
                    ) from error
                for other in self._folder.iterdir():
                    self._is_locked(other.name)
            return self._mine.path.name

    def introduce(self, name: str) -> None:
        """Say for whom this object's owner stands. Raises StoreError if it cannot be recorded."""
        self.mine()
        assert self._mine is not None
        os.pwrite(self._mine.fileno(), name.encode(), 0)

    def introduced(self) -> list[str]:
        """For whom the other living owners stand, of those that have said it, and that one may look at."""
        mine = self._mine.path.name if self._mine is not None else None
        found = []
        with suppress(OSError):
            for file in self._folder.iterdir():
                name = file.read_text("utf-8", "replace") if file.name != mine and _NAME.fullmatch(file.name) else ""
                if name and self._is_locked(file.name):
                    found.append(name)
        return sorted(found)

    def is_alive(self, owner: str) -> bool:
        """Whether an owner lives: until its process has ended, and what it recorded last is brought into its entries.

        Who may not look cannot tell, and says that it does. Who may not write does not wait for the bringing in.
        """
        return self._is_locked(owner) or (not self._read_only and self._has_recorded(owner))

    def _has_recorded(self, owner: str) -> bool:
        try:
            with os.scandir(self._folder) as files:
                return any(file.name.startswith(owner + ".") for file in files)
        except FileNotFoundError:
            return False

    def _is_locked(self, owner: str) -> bool:
        """Whether an owner's process lives. What a dead one left of its lock is removed."""
        if not _NAME.fullmatch(owner):
            return False
        mine = self._mine
        if mine is not None and owner == mine.path.name and mine.is_in_place():
            return True
        try:
            file = LockFile(self._folder / owner, create=False)
        except FileNotFoundError:
            return False
        except PermissionError:
            return True
        try:
            if file.is_locked():
                return True
            if not self._read_only:
                file.path.unlink(missing_ok=True)
            return False
        finally:
            file.close()

    def recording(self, *, forced: bool) -> Recording:
        """A new file for what this object's owner begins and ends before it writes its entries."""
        return Recording(self._folder / f"{self.mine()}.{next(_numbers)}", forced=forced)

    def lifeline(self) -> int:
        """The open file whose lock is this object's owner."""
        self.mine()
        assert self._mine is not None
        return self._mine.fileno()

    def left_behind(self) -> "list[tuple[Dead, list[Path]]]":
        """The dead owners that left recordings, and these, in the order in which they were begun."""
        left: dict[str, list[Path]] = {}
        try:
            files = sorted(self._folder.iterdir(), key=lambda file: int(f"0{file.suffix[1:]}"))
        except (OSError, ValueError):
            return []  # there is no folder yet, or it holds what is none of ours
        for file in files:
            if file.suffix and _NAME.fullmatch(file.stem):
                left.setdefault(file.stem, []).append(file)
        boot = _boot()
        return [
            (Dead(name, name.rsplit("-", 3)[0] != boot), own) for name, own in left.items() if not self._is_locked(name)
        ]

    def close(self) -> None:
        """Let this object's owner die."""
        mine, self._mine = self._mine, None
        if mine is not None:
            if mine.is_in_place():  # in a forked child it is not: it is the parent's
                with suppress(OSError):  # somebody else finds it dead, and removes it
                    mine.path.unlink()
            mine.close()

    def _claim(self) -> LockFile:
        while True:
            file = LockFile(self._folder / _new_name())
            file.lock()
            # Between creation and lock, somebody who looked for the dead may have removed it.
            if file.is_in_place():
                return file
            file.close()


@dataclass(frozen=True)
class Dead:
    """An owner whose process has ended; `booted_since` tells whether the machine was started anew after that."""

    name: str
    booted_since: bool


_NAME = re.compile(r"[0-9a-f]+(-[0-9a-f]+)+")
_numbers = count(1)


def _new_name() -> str:
    """The boot, the process, its start and chance: the first three for people who look, the last to be the only one."""
    return f"{_boot()}-{os.getpid():x}-{_start():x}-{os.urandom(8).hex()}"


def _boot() -> str:
    file = Path("/proc/sys/kernel/random/boot_id")
    return file.read_text().strip() if file.exists() else "0"


def _start() -> int:
    """The ticks after boot at which this process started."""
    file = Path("/proc/self/stat")
    # The name of the program stands in brackets and may hold anything, brackets too.
    return int(file.read_text().rpartition(")")[2].split()[19]) if file.exists() else 0
