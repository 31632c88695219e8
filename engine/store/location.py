"""Which file is the store: said once here, so that the console, the shell and a script agree without being told."""

import os
from pathlib import Path

from engine.settings import read_settings

_FILE_NAME = "wfe.db"


def store_path(option: str | os.PathLike[str] | None) -> Path:
    """The store's file: as asked for, else as it is set, else `wfe.db` here if it is there, else the user's own.

    `option` is what was given on the command line, None if nothing was. The file need not exist; its path is absolute.

    Raises:
        InputError: what is set cannot be understood; see `engine.settings`.
    """
    asked_for = option or read_settings().store
    if asked_for:
        return Path(asked_for).expanduser().absolute()
    here = Path.cwd() / _FILE_NAME
    if here.exists():
        return here
    from platformdirs import user_data_path  # what a store that is named does without

    return user_data_path("wfe") / _FILE_NAME


def may_write(store: Path) -> bool:
    """Whether a store that is there may be written, or else only be looked at."""
    return os.access(store, os.W_OK) and os.access(store.parent, os.W_OK)
