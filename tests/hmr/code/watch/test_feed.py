from __future__ import annotations

from pathlib import Path

from instar.hmr.code.watch.feed import is_module, is_package, modules_below


def test_names() -> None:
    assert [
        name for name in ("a.py", "größe.py", ".a.py", "a.b.py", "a.pyc", "a.py~", "1.py", ".py") if is_module(name)
    ] == [
        "a.py",
        "größe.py",
    ]
    assert [name for name in ("rules", "__pycache__", ".git", "a-b", "_x") if is_package(name)] == ["rules", "_x"]


def test_modules_below(tmp_path: Path) -> None:
    for name in ("a.py", "p/b.py", "p/q/c.py", "__pycache__/d.py", ".git/e.py", "p/f.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "p" / "loop").symlink_to(tmp_path)
    assert set(modules_below(tmp_path)) == {tmp_path / name for name in ("a.py", "p/b.py", "p/q/c.py")}
    (tmp_path / "p" / "scene.toml").write_text("")
    (tmp_path / "scene.toml").write_text("")
    assert set(modules_below(tmp_path, [tmp_path / "scene.toml"])) == {
        tmp_path / name for name in ("a.py", "p/b.py", "p/q/c.py", "scene.toml")
    }
    assert list(modules_below(tmp_path / "nothing")) == []
