"""The workflow of the demo: each installed distribution is an entry, and four tasks look it over for faults."""

import base64
import hashlib
import shlex
import sys
import warnings
from collections.abc import Sequence
from datetime import datetime
from importlib import metadata
from os import PathLike
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from engine import RepeatAfterTime, Status, StatusException, Store, StoredProcessor, Task, WorkflowModel
from engine.clock import Clock, utc_now
from engine.demo.installed import find_installed, key_of
from engine.demo.record import RecordedFile, read_record
from engine.demo.samples import unpack_samples


class Distribution(WorkflowModel):
    """An installed distribution. The first three fields say which one it is, the tasks fill in the others."""

    key: str
    path: Path
    repair: str
    """The shell command that repairs it, if something turns out to be wrong."""

    summary: str | None = None
    requires_python: str | None = None
    installer: str | None = None
    files: int | None = None
    size: int | None = None
    """Of its files together, in bytes."""
    requirements: list[str] = []
    sources: int | None = None

    @property
    def root(self) -> Path:
        """The folder that it is installed in."""
        return self.path.parent

    def get_markdown_info(self) -> str:
        return f"*distribution:* {self.path}\n*to repair:* `{self.repair}`"


class MissingFileError(Exception):
    """A file that RECORD lists is not there."""


class ChangedFileError(Exception):
    """A file is not what RECORD says of it."""


class ReadMetadata(Task):
    """Reads what the distribution says of itself; waits while an installer is still at work on it."""

    def process_entry(self, entry: Distribution, dry_run: bool = False) -> None:
        marker = entry.path / "INSTALLING"
        if marker.exists():
            message = f"an installer is still at work: it removes {marker} when it is done; to end it: {entry.repair}"
            raise StatusException(Status(message=message, repeat=RepeatAfterTime(minutes=1)))
        fields = read_fields(entry)
        entry.summary = fields.get("summary")
        entry.requires_python = fields.get("requires_python")
        entry.installer = (metadata.Distribution.at(entry.path).read_text("INSTALLER") or "").strip() or None


def read_fields(entry: Distribution) -> dict[str, Any]:
    """The fields of METADATA, by their names in lower case."""
    try:
        fields = metadata.Distribution.at(entry.path).metadata.json
    except UnicodeDecodeError as error:
        error.add_note(f"to repair: {entry.repair}")
        raise
    if not fields.get("name"):
        raise ValueError(f"{entry.path} holds no METADATA that names a distribution; to repair: {entry.repair}")
    return fields


class VerifyFiles(Task):
    """Compares every file with the size and the hash that RECORD has of it."""

    def process_entry(self, entry: Distribution, dry_run: bool = False) -> Status | None:
        record = read_record(entry.path)
        if record is None:
            return Status(message="no RECORD to verify its files against")
        entry.files = len(record)
        entry.size = sum(recorded.size or 0 for recorded in record)
        for recorded in record:
            if recorded.digest:
                verify(entry, recorded)
        return None


def verify(entry: Distribution, recorded: RecordedFile) -> None:
    """Raises MissingFileError or ChangedFileError unless the file is as it was recorded."""
    file = entry.root / recorded.path
    if not file.is_file():
        raise MissingFileError(f"{recorded.path} is listed in RECORD but not there; to repair: {entry.repair}")
    size = file.stat().st_size
    if recorded.size not in (None, size):
        sizes = f"{size} bytes, RECORD says {recorded.size}"
        raise ChangedFileError(f"{recorded.path} has {sizes}; to repair: {entry.repair}")
    check_hash(entry, file, recorded)


def check_hash(entry: Distribution, file: Path, recorded: RecordedFile) -> None:
    """Raises ChangedFileError unless the file has the recorded hash."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, recorded.algorithm).digest()
    if base64.urlsafe_b64encode(digest).decode().rstrip("=") != recorded.digest:
        raise ChangedFileError(f"{recorded.path} differs from its hash in RECORD; to repair: {entry.repair}")


class CheckRequirements(Task):
    """Looks whether everything that the distribution requires here is installed, in a version that will do."""

    def process_entry(self, entry: Distribution, dry_run: bool = False) -> None:
        requirements = [Requirement(text) for text in metadata.Distribution.at(entry.path).requires or []]
        needed = [item for item in requirements if item.marker is None or item.marker.evaluate({"extra": ""})]
        entry.requirements = [str(requirement) for requirement in needed]
        unmet = [complaint for requirement in needed if (complaint := check_requirement(requirement))]
        if unmet:
            raise StatusException(Status(message=f"{', '.join(unmet)}; to repair: {entry.repair}"))


def check_requirement(requirement: Requirement) -> str | None:
    """What is wrong with a requirement, or None if it is met."""
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return f"{requirement.name}{requirement.specifier} is not installed"
    if requirement.specifier.contains(version, prereleases=True):
        return None
    return f"{requirement.name}{requirement.specifier} is required, {version} is installed"


class CompileSources(Task):
    """Compiles every Python source, in memory: nothing is executed, nothing is written."""

    def process_entry(self, entry: Distribution, dry_run: bool = False) -> Status | None:
        sources = [recorded.path for recorded in read_record(entry.path) or [] if recorded.is_source]
        entry.sources = len(sources)
        if not sources:
            return Status(message="no sources to compile")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an author's deprecated escape is no fault of the installation
            for source in sources:
                compile_source(entry, entry.root / source)
        return None


def compile_source(entry: Distribution, source: Path) -> None:
    """Raises SyntaxError if the source is not Python."""
    try:
        compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
    except SyntaxError as error:
        error.add_note(f"to repair: {entry.repair}")
        raise


class Audit(StoredProcessor):
    """Looks over the Python distributions of this machine, after a handful of broken ones that come with it.

    The broken ones are copied to the folder `broken` beside the store, where they may be repaired: each failure says
    how. To have one broken again, remove its folder.

    Args:
        store, consider_date, clock: see `StoredProcessor`.
        paths: the folders whose distributions are audited; None: all that Python imports from.
    """

    model = Distribution

    def __init__(
        self,
        store: Store | str | PathLike[str] | None = None,
        consider_date: datetime | str | None = None,
        *,
        paths: Sequence[str] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(store, consider_date, clock=clock)
        self.paths = paths

    def get_default_entries(self) -> list[Distribution]:
        samples = unpack_samples(self.store.path.parent / "broken")
        broken = [Distribution(key=key_of(item.metadata), path=item.metadata, repair=item.repair) for item in samples]
        installed = [
            Distribution(key=key, path=path, repair=reinstall_command(key))
            for key, path in sorted(find_installed(self.paths).items())
        ]
        return broken + installed

    def get_tasks(self) -> list[Task]:
        return [ReadMetadata(self), VerifyFiles(self), CheckRequirements(self), CompileSources(self)]


def reinstall_command(key: str) -> str:
    """The shell command that installs a distribution anew, with what it requires."""
    return f"{shlex.quote(sys.executable)} -m pip install --force-reinstall {key.replace(' ', '==')}"
