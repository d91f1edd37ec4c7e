"""What the README says works, in its own words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from instar.hmr.code import EditError
from instar.scene.locate import examples
from instar.world import World

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(label: str) -> str:
    found = re.search(rf"<!-- {label} -->\n```python\n(.*?)```", README, re.DOTALL)
    assert found, label
    return found[1]


@pytest.mark.parametrize("label", ["program", "edits", "state", "keep"])
def test_python_blocks_run(label, capsys):
    exec(compile(block(label), "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_the_tutorial_shows_the_file_as_it_is():
    assert block("tutorial") == (examples()["tutorial"] / "sparks.py").read_text(encoding="utf-8")


def test_the_tutorial_can_be_followed_step_by_step(tmp_path):
    scene = tmp_path / "sparks"
    scene.mkdir()
    for file in examples()["tutorial"].iterdir():
        if file.is_file():
            (scene / file.name).write_bytes(file.read_bytes())
    world = World.open(scene)
    path = scene / "sparks.py"
    text = path.read_text(encoding="utf-8")
    before_fields = None
    steps = re.findall(r"<!-- (edit|break|mend|undo)(?:: (.*?) -> (.*?))? -->", README)
    assert [kind for kind, _, _ in steps] == ["edit", "break", "mend", "edit", "edit", "undo"]

    def save(new: str) -> None:
        world.swap(world.codebase.build(world.program, {path: new.encode()}))
        world.step()

    for kind, old, new in steps:
        if kind == "undo":
            ages = world["sparks"].age.copy()
            save(before_fields)
            assert not hasattr(world["sparks"], "age")
            save(text)
            assert (world["sparks"].age >= ages).all()
            continue
        assert old in text, old
        changed = text.replace(old, new.replace("\\n", "\n"), 1)
        if kind == "break":
            with pytest.raises(EditError, match=r"sparks\.py"):
                save(changed)
            broken = changed
            continue
        if kind == "mend":
            assert broken.replace(old, new, 1) == text
            continue
        if "age: f32" in new:
            before_fields = text
        if "age: f32" in changed and "age += dt" in changed:
            save(changed)
        elif "age" not in changed:
            save(changed)
            assert world.program.modules["sparks"].module.speed == 40
        text = changed
    assert len(world["sparks"]) == 500


def test_the_commands_it_names_exist(capsys):
    from instar.cli.main import main

    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    for command in set(re.findall(r"^\| `instar (\w+)", README, re.MULTILINE)):
        assert command in listed
