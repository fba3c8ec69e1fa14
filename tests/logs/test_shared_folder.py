"""A folder that several machines write to: what the kernel does not tell is looked for."""

from pathlib import Path

import pytest
from wherry.logs import watch
from wherry.logs.files import FileLogs
from wherry.logs.remote import is_shared

MOUNTS = """\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw
40 22 0:35 / /data rw,relatime shared:9 - nfs4 server:/export rw,vers=4.2
41 40 254:2 / /data/run rw,relatime - ext4 /dev/vdb rw
42 22 0:36 / /with\\040blank rw,relatime - fuse.s3fs s3fs rw
"""


@pytest.mark.parametrize(
    ("folder", "shared"),
    [
        ("/data/logs", True),
        ("/data", True),
        ("/data/run/x", False),
        ("/database", False),
        ("/with blank/logs", True),
        ("/", False),
    ],
)
def test_a_folder_is_shared_when_its_innermost_mount_is(folder: str, shared: bool, tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert is_shared(Path(folder), mounts) is shared


def test_the_folder_of_these_tests_is_this_machines_own(tmp_path: Path) -> None:
    assert not is_shared(tmp_path)


def test_lines_that_the_kernel_did_not_tell_of_are_followed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a shared folder: no event comes for what another machine writes."""
    monkeypatch.setattr(watch, "is_shared", lambda folder: True)
    monkeypatch.setattr(watch.INotify, "add_watch", lambda *args: 1)
    logs = FileLogs(tmp_path)
    follower = logs.follow("build-1", idle=60.0)
    FileLogs(tmp_path).append("build-1", "first")
    assert next(follower) == "first"
    FileLogs(tmp_path).append("build-1", "second")
    assert next(follower) == "second"
    FileLogs(tmp_path).close("build-1", "succeeded")
    assert list(follower) == []
