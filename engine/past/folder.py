"""A folder among the temporary files that is gone with its process: by its end, or by the next who looks."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from engine.store.locks import LockFile
from engine.store.owners import Owners

_PREFIX = "wfe-past-"
_LOCK = "alive"


class Folder:
    """A folder for one past, and what shows that its process lives. What dead processes have left is removed first."""

    def __init__(self) -> None:
        for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            _remove_if_left(left)
        self.owners: Owners | None = None
        """Who works on the entries that were running then."""
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
            self._lock = LockFile(self.path / _LOCK)
            self._lock.lock()
            # Between creation and lock, somebody who looked for what the dead have left may have removed it.
            if self._lock.is_in_place():
                return
            self._lock.close()

    def remove(self) -> None:
        """Remove it with all that is in it."""
        if self.owners is not None:
            self.owners.close()
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _remove_if_left(folder: Path) -> None:
    with suppress(OSError):  # it is another user's, or was removed just now
        lock = LockFile(folder / _LOCK, create=False)
        if lock.lock_if_free():
            shutil.rmtree(folder, ignore_errors=True)
        lock.close()
