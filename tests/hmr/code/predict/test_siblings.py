from __future__ import annotations

from pathlib import Path

from instar.hmr.code.predict.siblings import Siblings


def test_what_was_saved_together_and_has_changed_since_is_found(tmp_path: Path) -> None:
    a, b, c = (tmp_path / f"{name}.py" for name in "abc")
    for path in (a, b, c):
        path.write_text("x = 1\n")
    siblings = Siblings()
    siblings.note({a, b})
    siblings.note({c})
    assert siblings.changed({a}) == []
    b.write_text("x = 22\n")
    c.write_text("x = 22\n")
    assert siblings.changed({a}) == [b]
    assert siblings.changed({a, b}) == []
    assert siblings.changed({c}) == []
    siblings.note({b})
    assert siblings.changed({a}) == []
    b.unlink()
    assert siblings.changed({a}) == []


def test_the_most_recent_siblings_are_remembered(tmp_path: Path) -> None:
    path, others = tmp_path / "a.py", [tmp_path / f"b{number}.py" for number in range(30)]
    siblings = Siblings()
    for other in others:
        siblings.note([path, other])
        other.write_text("x")
    assert siblings.changed([path]) == others[-16:]
