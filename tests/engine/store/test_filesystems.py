"""A folder on another machine is known by the system's own list of mounts, and no store is made on it."""

from pathlib import Path

import pytest

from engine.store.filesystems import is_network, kind_of

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:35 / /home rw shared:5 - nfs4 server:/home rw,vers=4.2
41 40 0:36 / /home/ann/local rw - ext4 /dev/vdb rw
42 22 0:37 / /mnt/a\\040share rw - cifs //server/share rw
43 22 0:38 / /mnt/over rw - nfs server:/over rw
44 43 0:39 / /mnt/over rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/srv/jobs", "ext4"),
        ("/home", "nfs4"),
        ("/home/ann", "nfs4"),
        ("/homeless", "ext4"),
        ("/home/ann/local/jobs", "ext4"),
        ("/mnt/a share/jobs", "cifs"),
        ("/mnt/over", "tmpfs"),
    ],
)
def test_the_innermost_and_latest_mount_counts(folder: str, kind: str) -> None:
    assert kind_of(Path(folder), MOUNTS) == kind


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph"])
def test_what_another_machine_lends_is_a_network(kind: str) -> None:
    assert is_network(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "apfs", "fuse.mergerfs", "vfat"])
def test_what_lies_here_is_none(kind: str) -> None:
    assert not is_network(kind)


def test_without_a_list_of_mounts_nothing_is_known() -> None:
    assert kind_of(Path("/home"), "") is None
