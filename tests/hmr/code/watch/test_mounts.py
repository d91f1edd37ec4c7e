from __future__ import annotations

from pathlib import Path

import pytest

from instar.hmr.code.watch.feed import Kind, Touch
from instar.hmr.code.watch.mounts import hears, remote_kind

MOUNTS = """\
1 0 254:0 / / rw,relatime - ext4 /dev/vda rw
2 1 0:40 / {root}/far rw - nfs4 server:/ rw
3 2 0:41 / {root}/far/near rw - tmpfs tmpfs rw
4 1 0:42 / {root}/with\\040space rw shared:7 - fuse.sshfs host: rw
5 1 0:43 / {root}/desk rw - fuseblk /dev/sdb1 rw
6 1 0:44 / {root}/host rw - 9p host rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("here", None),
        ("far", "nfs4"),
        ("far/scene", "nfs4"),
        ("far/near/scene", None),
        ("faraway", None),
        ("with space", "fuse.sshfs"),
        ("desk", None),
        ("host/scene", "9p"),
        ("link", "9p"),
    ],
)
def test_folders_that_others_can_change_unnoticed(tmp_path: Path, folder: str, kind: str | None) -> None:
    (tmp_path / "mounts").write_text(MOUNTS.format(root=tmp_path))
    (tmp_path / "link").symlink_to("host")
    assert remote_kind(tmp_path / folder, tmp_path / "mounts") == kind


def test_systems_that_do_not_list_their_mounts_have_none(tmp_path: Path) -> None:
    assert remote_kind(tmp_path, tmp_path / "nothing") is None


class Scripted:
    folders = ()

    def __init__(self, root: Path, *, deaf: bool) -> None:
        self._root = root
        self._deaf = deaf

    def wait(self, seconds: float | None) -> list[Touch]:
        return [] if self._deaf else [Touch(path, Kind.ASIDE) for path in self._root.iterdir()]

    def wake(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize("deaf", [True, False])
def test_probe_tells_whether_there_are_events_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaf: bool
) -> None:
    monkeypatch.setattr("instar.hmr.code.watch.mounts._PROBE_SECONDS", 0.01)
    assert hears(Scripted(tmp_path, deaf=deaf), tmp_path) is not deaf
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_written_to_is_not_probed(tmp_path: Path) -> None:
    assert hears(Scripted(tmp_path, deaf=True), tmp_path / "nothing")
