"""Which folders lie on another machine: SQLite's log needs memory that processes share, so it works on none of them."""

import re
from pathlib import Path

_NETWORK = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.davfs2", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs",
    "fuse.sshfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "smb3", "smbfs",
})  # fmt: skip

_MOUNTS = Path("/proc/self/mountinfo")


def network_folder(path: Path) -> str | None:
    """The kind of the network file system that a file (it need not exist) lies on, None if it lies on a local disk.

    Where the system has no list of its mounts, it is None.
    """
    try:
        mounts = _MOUNTS.read_text()
    except OSError:
        return None
    kind = kind_of(path.parent.resolve(), mounts)
    return kind if kind is not None and is_network(kind) else None


def is_network(kind: str) -> bool:
    """Whether a kind of file system lies on another machine."""
    return kind in _NETWORK


def kind_of(folder: Path, mounts: str) -> str | None:
    """The kind of file system of a folder (absolute), by the text of Linux's `mountinfo`."""
    best, found = -1, None
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        # A blank, a tab, a line end and a backslash in a name stand as octal numbers.
        point = re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), before.split()[4])
        length = len(point)
        if length >= best and Path(point) in (folder, *folder.parents):
            best, found = length, after.split()[0]
    return found
