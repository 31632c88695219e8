"""Unpacks the small broken distributions that come with the demo, so that a sound machine shows failures, too."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from engine.text import shell_path

ORIGINALS = Path(__file__).parent / "broken"


@dataclass(frozen=True)
class Sample:
    """A broken distribution: its metadata folder, and the shell command that repairs it (empty if nothing is wrong)."""

    metadata: Path
    repair: str


def unpack_samples(folder: Path) -> list[Sample]:
    """Copy the broken distributions into `folder`, where an operator may repair them; those that are there stay."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = []
    for original in sorted(path for path in ORIGINALS.iterdir() if path.is_dir()):
        copy = folder / original.name
        if not copy.exists():
            _copy(original, copy)
        samples.append(Sample(copy / f"{copy.name}.dist-info", _repair(copy)))
    return samples


def _copy(original: Path, copy: Path) -> None:
    """Appears whole or not at all. Modes are not copied: what is installed may be read-only, the copy must not be."""
    with tempfile.TemporaryDirectory(dir=copy.parent) as scratch:
        unfinished = Path(scratch) / copy.name
        for file in original.rglob("*"):
            if file.is_file() and file.parent.name != "__pycache__":
                target = unfinished / file.relative_to(original)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
        try:
            unfinished.rename(copy)
        except OSError:
            if not copy.exists():  # else another process was faster
                raise


def _repair(copy: Path) -> str:
    command = copy / "REPAIR"
    if not command.is_file():
        return ""
    return f"cd {shell_path(copy)} && {command.read_text(encoding='utf-8').strip()}"
