from __future__ import annotations

from pathlib import Path

import pytest

from instar.bench.reload.sources import WAYS, source


@pytest.mark.parametrize("lines", [60, 300, 3000])
def test_a_module_has_the_lines_it_should_and_is_whole(lines):
    text = source(7, lines)
    assert abs(text.count("\n") - lines) <= 6
    compile(text, "edited.py", "exec")
    assert "TAG = 7\n" in text
    assert text.endswith("LAST = 7\n")


def test_fields_are_declared_in_the_class():
    assert "    vx: f32\n    more: f32 = field(1.5)\n\n" in source(1, 300, fields=["more: f32 = field(1.5)"])


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_save_leave_the_content_and_nothing_else(way, tmp_path: Path):
    path = tmp_path / "edited.py"
    path.write_text("old = 1\n", encoding="utf-8")
    assert way(path, "new = 2\n") > 0
    assert path.read_text(encoding="utf-8") == "new = 2\n"
    assert [one.name for one in tmp_path.iterdir()] == ["edited.py"]
