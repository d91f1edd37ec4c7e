from __future__ import annotations

from pathlib import Path

import pytest

from instar.scene import locate as locating
from instar.scene.errors import SceneError, UnknownSceneError, nearest
from instar.scene.locate import examples, locate


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of examples in place of the packaged ones: boids and tutorial; `notes` is no scene."""
    folder = tmp_path / "packaged"
    for name in ("tutorial", "boids"):
        (folder / name).mkdir(parents=True)
        (folder / name / "scene.toml").write_text("modules = ['a']")
    (folder / "notes").mkdir()
    monkeypatch.setattr(locating.resources, "files", lambda name: {"instar.examples": folder}[name])
    monkeypatch.chdir(tmp_path)
    return folder


def test_examples_are_the_packaged_folders_with_a_scene_file(packaged: Path) -> None:
    assert list(examples().items()) == [("boids", packaged / "boids"), ("tutorial", packaged / "tutorial")]


def test_an_example_is_found_by_name_but_a_folder_wins(packaged: Path, tmp_path: Path) -> None:
    assert locate("boids") == packaged / "boids"
    (tmp_path / "boids").mkdir()
    assert locate("boids") == tmp_path / "boids"


def test_a_scene_file_stands_for_its_folder(packaged: Path) -> None:
    assert locate("packaged/boids/scene.toml") == packaged / "boids"
    (packaged / "boids" / "a.py").write_text("")
    with pytest.raises(SceneError, match=r"is a file; .* Try its folder: packaged/boids"):
        locate("packaged/boids/a.py")


def test_a_path_may_hold_spaces_and_any_letters(packaged: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my scène 群れ"
    folder.mkdir()
    assert locate("my scène 群れ") == folder


@pytest.mark.parametrize("text", ["boid", ""])
def test_an_unknown_name_lists_the_examples(packaged: Path, text: str) -> None:
    with pytest.raises(UnknownSceneError, match=r"no scene .*Packaged examples: boids, tutorial\."):
        locate(text)


def test_without_installed_examples_the_list_is_empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(locating.resources, "files", missing)
    assert examples() == {}
    with pytest.raises(UnknownSceneError, match="No examples are installed"):
        locate(str(tmp_path / "none"))


def test_the_nearest_name_is_offered_only_when_near() -> None:
    assert nearest("boid", ["boids", "tutorial"]) == " Did you mean 'boids'?"
    assert nearest("zzz", ["boids", "tutorial"]) == ""
