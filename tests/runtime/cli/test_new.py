from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from instar.cli.main import main
from instar.scene.file import SceneFile

Capture = pytest.CaptureFixture[str]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_scene_of_ones_own_is_made_from_the_tutorial(packaged: Path, capsys: Capture) -> None:
    assert main(["new", "mine"]) == 0
    assert files(Path("mine")) == ["birds", "birds/flock.py", "scene.toml"]
    assert SceneFile.read(Path("mine")).title == "mine"
    assert Path("mine/birds/flock.py").read_text() == "# tutorial\n"
    shown = capsys.readouterr().out
    assert "instar run mine\n" in shown
    assert "edit mine/birds/flock.py" in shown
    assert files(Path.cwd()) == ["mine", "mine/birds", "mine/birds/flock.py", "mine/scene.toml"]


def test_another_example_any_path_and_any_letters(packaged: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["new", f'{tmp_path}/my "scène" \\ 群れ', "--from", "boids"]) == 0
    made = tmp_path / 'my "scène" \\ 群れ'
    assert SceneFile.read(made).title == made.name
    assert (made / "birds" / "flock.py").read_text() == "# boids\n"
    assert f"instar run '{made}'\n" in capsys.readouterr().out


def test_an_empty_folder_becomes_the_scene(packaged: Path) -> None:
    Path("mine").mkdir()
    assert main(["new", "mine"]) == 0
    assert Path("mine/scene.toml").is_file()


def test_an_example_without_a_title_gets_one(packaged: Path) -> None:
    (packaged / "tutorial" / "scene.toml").write_text('modules = ["birds.flock"]\n[space]\nwidth = 9\n')
    assert main(["new", "mine"]) == 0
    assert SceneFile.read(Path("mine")).title == "mine"


def test_a_read_only_example_becomes_a_scene_that_can_be_edited(packaged: Path) -> None:
    (packaged / "tutorial" / "birds" / "flock.py").chmod(0o444)
    (packaged / "tutorial" / "birds").chmod(0o555)
    try:
        assert main(["new", "mine"]) == 0
    finally:
        (packaged / "tutorial" / "birds").chmod(0o755)
    assert Path("mine/birds/flock.py").stat().st_mode & 0o200
    assert Path("mine/birds").stat().st_mode & 0o200


@pytest.mark.parametrize("name", ["", ".", "..", "a/..", ".hidden", " ", "a ", "a\nb", "/"])
def test_a_name_that_is_none_is_wrong_usage(packaged: Path, capsys: Capture, name: str) -> None:
    assert main(["new", name]) == 2
    assert "cannot name a scene" in capsys.readouterr().err


def test_an_unknown_example_is_wrong_usage_and_the_examples_are_listed(packaged: Path, capsys: Capture) -> None:
    assert main(["new", "mine", "--from", "boid"]) == 2
    shown = capsys.readouterr().err
    assert "there is no example 'boid'. Did you mean 'boids'?" in shown
    assert "Packaged examples: boids, tutorial." in shown


def test_what_is_there_is_never_written_over(packaged: Path, capsys: Capture) -> None:
    Path("full").mkdir()
    Path("full/notes.txt").write_text("precious")
    Path("file").write_text("precious")
    Path("link").symlink_to("nowhere")
    for name, reason in (("full", "is not empty"), ("file", "is not a folder"), ("link", "is not a folder")):
        assert main(["new", name]) == 1
        assert f"{name} exists and {reason}; nothing was changed" in capsys.readouterr().err
    assert files(Path.cwd()) == ["file", "full", "full/notes.txt", "link"]


def test_a_parent_that_is_missing_is_not_made(packaged: Path, capsys: Capture) -> None:
    assert main(["new", "deep/er/mine"]) == 1
    assert "Make it first: mkdir -p deep/er" in capsys.readouterr().err
    assert files(Path.cwd()) == []


def test_a_parent_that_cannot_be_written_is_named(
    packaged: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("instar.cli.new.tempfile.mkdtemp", refuse)
    assert main(["new", "mine"]) == 1
    assert "mine cannot be made: Permission denied. Nothing was changed." in capsys.readouterr().err


def test_a_failure_half_way_leaves_nothing(packaged: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    assert main(["new", "mine"]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert files(Path.cwd()) == []
