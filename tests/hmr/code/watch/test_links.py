from __future__ import annotations

from pathlib import Path

from instar.hmr.code.watch.links import targets


def test_every_link_on_the_way_leads_on(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "alias").symlink_to("folder")
    (tmp_path / "a.py").symlink_to("alias/b")
    (tmp_path / "folder" / "b").symlink_to("../c")
    assert list(targets(tmp_path / "a.py")) == [tmp_path / "alias", tmp_path / "folder" / "b", tmp_path / "c"]
    (tmp_path / "c").touch()
    assert list(targets(tmp_path / "c")) == []
    assert list(targets(tmp_path / "nothing")) == []


def test_links_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("b.py")
    (tmp_path / "b.py").symlink_to("a.py")
    assert set(targets(tmp_path / "a.py")) == {tmp_path / "a.py", tmp_path / "b.py"}


def test_folders_on_the_way_count_where_they_are_links(tmp_path: Path) -> None:
    (tmp_path / "..one").mkdir()
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "a.py").symlink_to("..data/a.py")
    (tmp_path / "rules").symlink_to(tmp_path / "..data" / "rules")
    assert list(targets(tmp_path / "a.py")) == [tmp_path / "..data", tmp_path / "..one" / "a.py"]
    assert list(targets(tmp_path / "rules")) == [tmp_path / "..data", tmp_path / "..one" / "rules"]
