"""A file that carries an operating system's lock: the lock ends with its process, however that ends."""

import fcntl
import os
import weakref
from pathlib import Path


class LockFile:
    """An open lock file, created (mode 0600) if it is missing. Raises OSError if it cannot be opened.

    Two of them on one path exclude each other even within a process. A forked child does not share its parent's: else
    it would hold the lock after the parent's death.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        how = os.O_RDWR | os.O_CREAT if create else os.O_RDONLY
        self._file = os.open(path, how | os.O_CLOEXEC, 0o600)
        self._close = weakref.finalize(self, os.close, self._file)
        _open_files.add(self)

    def lock(self) -> None:
        """Take the lock for oneself, waiting as long as another holds it."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def lock_if_free(self) -> bool:
        """Take the lock for oneself if nobody has it; whether it was taken."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # held by another, or there are no locks
            return False
        return True

    def unlock(self) -> None:
        """Let the lock go, and let the next one have it at once."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def is_locked(self) -> bool:
        """Whether somebody else holds the lock. If nobody does, those who ask share it, until `close`."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False

    def fileno(self) -> int:
        """The open file. Who holds a copy of it holds the lock, too."""
        return self._file

    def is_in_place(self) -> bool:
        """Whether the path still leads to this very file, as far as one may look."""
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(self.path))  # noqa: PTH116 - asked before every write
        except OSError:
            return False

    def close(self) -> None:
        """Close the file, which lets its lock go; at any time, more than once."""
        self._close()

    def _leave_to_parent(self) -> None:
        if self._close.alive:
            nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            os.dup2(nothing, self._file, inheritable=False)
            os.close(nothing)


_open_files: weakref.WeakSet[LockFile] = weakref.WeakSet()


def _leave_all_to_parent() -> None:
    for file in list(_open_files):
        file._leave_to_parent()


os.register_at_fork(after_in_child=_leave_all_to_parent)
