"""Reads RECORD, in which an installer lists the files of a distribution with their hashes and sizes."""

import csv
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SOURCES = (".py", ".pyw")


@dataclass(frozen=True)
class RecordedFile:
    """One line of RECORD.

    `path` is relative to the folder that holds the metadata folder. `digest` is URL-safe base64; it is empty, and
    `size` (bytes) may be None, for what changes after the installation: RECORD itself, compiled files.
    """

    path: PurePosixPath
    algorithm: str
    digest: str
    size: int | None

    @property
    def is_source(self) -> bool:
        """Whether it is source that can be imported; a template, say, lies under names that are no identifiers."""
        return self.path.suffix in SOURCES and all(part.isidentifier() for part in self.path.with_suffix("").parts)


def read_record(metadata: Path) -> list[RecordedFile] | None:
    """The files that RECORD in the folder `metadata` lists; None where an installer left no RECORD."""
    record = metadata / "RECORD"
    if not record.is_file():
        return None
    with record.open(encoding="utf-8", newline="") as lines:
        return [_recorded(*line) for line in csv.reader(lines) if line]


def _recorded(path: str, checksum: str = "", size: str = "") -> RecordedFile:
    algorithm, _, digest = checksum.partition("=")
    return RecordedFile(PurePosixPath(path), algorithm, digest, int(size) if size else None)
