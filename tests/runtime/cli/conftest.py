from __future__ import annotations

from pathlib import Path

import pytest

from instar.scene import locate


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two examples in place of the packaged ones; the current folder is a new one beside it."""
    folder = tmp_path / "packaged"
    for name in ("tutorial", "boids"):
        (folder / name / "birds" / "__pycache__").mkdir(parents=True)
        (folder / name / "birds" / "__pycache__" / "flock.cpython-311.pyc").write_bytes(b"x")
        (folder / name / "birds" / "flock.py").write_text(f"# {name}\n")
        (folder / name / "scene.toml").write_text(f'title = "{name}"  # a title\nmodules = ["birds.flock"]\n')
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setattr(locate.resources, "files", lambda _: folder)
    return folder
