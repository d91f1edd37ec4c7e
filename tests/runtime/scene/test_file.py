from __future__ import annotations

from pathlib import Path

import pytest

from instar.scene.file import SceneError, SceneFile, SpaceSettings


def scene(folder: Path, text: str | bytes, *modules: str) -> Path:
    for name in modules or ("flock", "hawk"):
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (folder / "scene.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(SceneError) as caught:
        SceneFile.read(folder)
    return str(caught.value)


FULL = """\
title = "Flocking: 群れ"
seed = 18446744073709551615
fps = 120
preset = "dev"
modules = [
    "flock",
    "birds.hawk",
]
memory = "1.5 GiB"
threads = 2

[space]
kind = "box"
width = 1000
height = 500.5

[params.flock]
cohesion = 0.05
turning = true
mode = "calm"

[params.birds.hawk]
speed = 3

[budget]
update = 8.0
"birds.hawk" = 2
"""


def test_every_key_is_read(tmp_path: Path) -> None:
    found = SceneFile.read(scene(tmp_path, FULL, "flock", "birds/hawk"))
    assert (found.title, found.seed, found.fps, found.preset) == ("Flocking: 群れ", 2**64 - 1, 120, "dev")
    assert found.modules == ("flock", "birds.hawk")
    assert found.file_of("birds.hawk") == tmp_path / "birds" / "hawk.py"
    assert found.space == SpaceSettings("box", 1000.0, 500.5)
    assert found.params == {"flock": {"cohesion": 0.05, "turning": True, "mode": "calm"}, "birds.hawk": {"speed": 3}}
    assert found.budget == {"update": 8.0, "birds.hawk": 2.0}
    assert found.memory == 3 << 29
    assert found.threads == 2
    assert found.path == tmp_path / "scene.toml"
    assert found.folder == tmp_path
    assert found.lines[("modules", 1)] == 7
    assert found.where("params", "birds", "hawk", "speed") == f"{found.path}:23"
    assert found.where("nothing") == str(found.path)


def test_only_modules_are_needed(tmp_path: Path) -> None:
    found = SceneFile.read(scene(tmp_path, '\ufeffmodules = ["flock"]'))
    assert (found.title, found.seed, found.fps, found.preset) == (tmp_path.name, 0, 60, "balanced")
    assert found.space == SpaceSettings("torus", 100.0, 100.0)
    assert found.params == {}
    assert found.budget == {}
    assert found.memory is None
    assert found.threads == 1


def test_params_may_be_those_of_any_python_file(tmp_path: Path) -> None:
    text = "modules = ['flock']\n[params.rules]\na = 1\n[params.birds]\nb = 2\n[params.birds.hawk]\nc = 3\n"
    found = SceneFile.read(scene(tmp_path, text, "flock", "rules", "birds/__init__", "birds/hawk"))
    assert found.params == {"rules": {"a": 1}, "birds": {"b": 2}, "birds.hawk": {"c": 3}}


@pytest.mark.parametrize("name", ["rulez", "birds", "'..'.flock", "'../flock'"])
def test_params_of_no_python_file_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "flock.py").touch()
    text = f"modules = ['flock']\n[params.{name}]\nb = 2\n"
    message = refusal(scene(tmp_path / "in", text, "flock", "rules", "birds/hawk"))
    assert ":2: params." in message
    assert "there is no module" in message
    assert message.endswith("This scene's modules: flock. Its other files: birds.hawk, rules.")
    assert ("Did you mean 'rules'?" in message) == (name == "rulez")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("sead = 1", (":2: sead: unknown key.", "Did you mean 'seed'?", "title, seed, fps")),
        ("title = 3", (":2: title: found 3; allowed is a string",)),
        ('title = ""', (":2: title:", "not empty")),
        ('title = "a\\u001bb"', (":2: title:", "one line")),
        ("seed = -1", (":2: seed: found -1", "from 0 to 18446744073709551615")),
        ("seed = 18446744073709551616", (":2: seed:",)),
        ("seed = true", (":2: seed: found true",)),
        ("fps = 60.0", (":2: fps: found 60.0; allowed is a whole number from 1 to 1000",)),
        ("fps = 0", (":2: fps: found 0",)),
        ("fps = 1001", (":2: fps: found 1001",)),
        ('preset = "blanced"', (":2: preset:", '"dev", "balanced"', "Did you mean 'balanced'?")),
        ("preset = 3", (":2: preset: found 3",)),
        ("space = 3", (":2: space: found 3; allowed is a table",)),
        ("\n[space]\nkind = 'sphere'", (":4: space.kind:", '"torus", "box"')),
        ("[space]\nwith = 3", (":3: space.with: unknown key.", "Did you mean 'width'?", "[space] has: kind")),
        ("[space]\nwidth = 0", (":3: space.width: found 0; allowed is a finite number above 0",)),
        ("[space]\nwidth = inf", (":3: space.width: found inf",)),
        ("[space]\nheight = '9'", (':3: space.height: found "9"',)),
        ("[params]\ncohesion = 1", (":3: params.cohesion:", "[params.flock]")),
        ("[params.flok]\ncohesion = 1", (":2: params.flok:", "no module 'flok'", "Did you mean 'flock'?")),
        ("[params.flock]\ncohesion = [1]", (":3: params.flock.cohesion: found [1]; allowed is a number",)),
        ("[params.flock]\nborn = 1979-05-27", (":3: params.flock.born:", "a number")),
        ("[budget]\nupdat = 1", (":3: budget.updat:", "Did you mean 'update'?", "boundary, input", "Modules: flock")),
        ("[budget]\nupdate = 0", (":3: budget.update: found 0", "milliseconds above 0")),
        ("[budget]\nupdate = true", (":3: budget.update: found true",)),
        ('memory = "2 gb"', (':2: memory: found "2 gb"', "B, KB, MB, GB, KiB, MiB, GiB", 'such as "2GB"')),
        ("memory = 2000000000", (":2: memory: found 2000000000", "a number and one of")),
        ("threads = 0", (":2: threads: found 0", "a whole number from 1 to 64")),
        ('memory = "900KB"', (':2: memory: found "900KB"', "a size of 1.0 MB or more")),
        ("budget = 1", (":2: budget: found 1; allowed is a table",)),
    ],
)
def test_a_wrong_key_is_named_with_its_line_what_was_found_and_what_is_allowed(
    tmp_path: Path, text: str, parts: tuple[str, ...]
) -> None:
    message = refusal(scene(tmp_path, f'modules = ["flock"]\n{text}\n'))
    assert message.startswith(str(tmp_path / "scene.toml"))
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("scene.toml: modules: is missing", "holds: flock, hawk", 'modules = ["flock", "hawk"]')),
        ("\nmodules = []", (":2: modules: is empty", "holds: flock, hawk")),
        ("modules = 'flock'", (":1: modules:", "an array of strings")),
        ("modules = ['flock', 3]", (":1: modules:", "an array of strings")),
        ("modules = [\n'flock',\n'flock']", (":3: modules[1]: 'flock' is named twice",)),
        ("modules = ['flok']", (":1: modules[0]: there is no flok.py", "Did you mean 'flock'?", "holds: flock, hawk")),
        ("modules = ['a.flock']", ("there is no a/flock.py",)),
        ("modules = ['flock.py']", ("write a module without its ending: 'flock'",)),
        ("modules = ['two words']", ("allowed is the name of a Python file",)),
        ("modules = ['class']", ("not a Python keyword",)),
        ("modules = ['../flock']", ("allowed is the name of a Python file",)),
        ("modules = ['']", ("allowed is the name of a Python file",)),
        ("modules = ['update']", ("is a phase of the frame",)),
    ],
)
def test_a_wrong_module_is_named_with_what_the_folder_holds(tmp_path: Path, text: str, parts: tuple[str, ...]) -> None:
    message = refusal(scene(tmp_path, text))
    for part in parts:
        assert part in message


def test_a_folder_without_python_files_says_so(tmp_path: Path) -> None:
    (tmp_path / "scene.toml").write_text("modules = ['flock']")
    assert "holds no Python files" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b"title = 'a'\nfps 60\n", (":2:5: not TOML: Expected '='", "\n    fps 60\n        ^")),
        (b"modules = [", (":1:12: not TOML: ",)),
        (b"fps = 1\nfps = 2\n", (":2:8: not TOML: Cannot overwrite a value",)),
        (b"fps = 1\n# caf\xe9\n", (":2: byte 13 is not UTF-8",)),
        (b"x = " + b"[" * 5000, ("nested too deeply",)),
        (b"seed = " + b"9" * 5000, ("not TOML: Exceeds the limit",)),
    ],
)
def test_text_that_is_not_toml_is_refused_with_line_and_column(
    tmp_path: Path, text: bytes, parts: tuple[str, ...]
) -> None:
    message = refusal(scene(tmp_path, text))
    for part in parts:
        assert part in message


def test_what_is_there_is_listed_when_the_scene_file_is_missing(tmp_path: Path) -> None:
    assert "is empty" in refusal(tmp_path)
    assert "there is no folder" in refusal(tmp_path / "nowhere")
    (tmp_path / "Scene.tml").write_text("")
    (tmp_path / "art").mkdir()
    message = refusal(tmp_path)
    assert "it holds Scene.tml, art/." in message
    assert "instar new NAME" in message
    assert "is a file" in refusal(tmp_path / "Scene.tml")


def test_a_folder_in_place_of_the_scene_file_is_an_error_of_the_scene(tmp_path: Path) -> None:
    (tmp_path / "scene.toml").mkdir()
    assert "scene.toml cannot be read: Is a directory" in refusal(tmp_path)
