"""Finds the distributions that are installed on this machine, as `importlib.metadata` does."""

from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name


def find_installed(folders: Sequence[str] | None) -> dict[str, Path]:
    """The metadata folder of each distribution, by its key.

    Args:
        folders: where to look; None: where Python imports from. Of two that have one key the first found wins, as it
            does for an import. What lies in an archive is left out.
    """
    found: dict[str, Path] = {}
    for distribution in distributions() if folders is None else distributions(path=list(folders)):
        # Asked for so, since a library that was imported may have put finders of its own in the place of Python's.
        path = getattr(distribution, "_path", None)
        if isinstance(path, Path):
            path = path.absolute()
            found.setdefault(key_of(path), path)
    return found


def key_of(path: Path) -> str:
    """`rich 15.0.0` for …/rich-15.0.0.dist-info: told from the name alone, since what is inside may be unreadable."""
    folder = path.parent if path.name == "EGG-INFO" else path
    name, _, version = folder.stem.partition("-")
    return f"{canonicalize_name(name)} {version.partition('-')[0]}".strip()
