"""The files that are edited: the same functions for all tools, with the hooks around them that Instar wants.

What runs is told by functions, not by module-level values, because some tools replace nothing else.
"""

from __future__ import annotations

LINES = 300
_FILLER = """\
def filler_{n}(rows, by):
    for row in rows:
        row.x += {n} * by
    return rows

"""
SCENE = 'title = "Peers"\nmodules = ["edited"]\n'
_INSTAR = """\
from instar import Agents, f32

class Boids(Agents):
    x: f32

def setup(boids):
    boids.spawn(1000)

def update(boids):
    run()
"""


def edited(tag: int, *, instar: bool, helper: int = 0, lines: int = LINES, middle: str = "") -> str:
    """`edited.py`: its first and its last function say the same tag.

    Args:
        tag: Names the version.
        instar: Whether it is a module of a scene.
        helper: The version of the helper's signature that it calls.
        lines: How long it is, about.
        middle: What stands between the two halves, at the top level.
    """
    head = f"import peer_probe\nfrom helper import give_{helper} as give\n\ndef top():\n    return {tag}\n\n"
    run = "def run():\n    peer_probe.saw([top(), bottom(), give()])\n\n"
    hooks = _INSTAR if instar else "def update():\n    run()\n"
    filler = "".join(_FILLER.format(n=n) for n in range(max(1, (lines - 30) // 10)))
    return f"{head}{run}{hooks}\n{filler}{middle}\n{filler}def bottom():\n    return {tag}\n"


def helper(tag: int) -> str:
    """`helper.py`: its only function changes its name with its version."""
    return f"def give_{tag}():\n    return {tag}\n"
