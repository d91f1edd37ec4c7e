from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

from instar.view.panel import picture


def test_the_picture_is_svg_that_loads_nothing(snapshot: Any) -> None:
    svg = picture(snapshot(braille=["⠿" * 40] * 15), 120, 30)
    assert ET.fromstring(svg).tag.endswith("svg")
    assert "url(http" not in svg
    assert "@font-face" not in svg
    words = re.sub(r"&#160;", " ", svg)
    for part in ("instar run predator", "Hunters and prey", "⠿" * 40):
        assert part in words


def test_the_window_can_have_another_title_and_no_color_does_not_reach_it(snapshot: Any, monkeypatch: Any) -> None:
    coloured = picture(snapshot(), 80, 24, title="a run")
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(snapshot(), 80, 24, title="a run") == coloured
    assert "a&#160;run" in coloured or "a run" in coloured
