from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from instar.hmr.code.errors import HookError
from instar.hmr.code.hooks import Hook, every, find_hooks

PATH = Path("flock.py")
KNOWN = ("boids", "hawks", "dt", "frame", "rng", "space", "params", "world")


def hooks(text: str) -> list[Hook]:
    module = ModuleType("flock@1")
    module.__dict__["every"] = every
    exec(compile(text, "flock.py", "exec"), module.__dict__)
    return list(find_hooks(module, "flock", PATH, KNOWN))


def hook(text: str) -> Hook:
    [found] = hooks(text)
    return found


def test_kinds_and_order() -> None:
    found = hooks(
        "@every(frames=5)\ndef tick(dt): pass\ndef update(boids): pass\ndef setup(): pass\ndef other(): pass\n"
        "@every(3)\ndef late(): pass\n"
    )
    assert [(one.name, one.kind, one.every, one.line) for one in found] == [
        ("tick", "every", 5, 1),
        ("update", "update", 1, 3),
        ("setup", "setup", 1, 4),
        ("late", "every", 3, 6),
    ]
    assert {(one.module, one.path) for one in found} == {("flock", PATH)}


def test_update_can_be_marked() -> None:
    found = hook("@every(frames=2)\ndef update(dt): pass\n")
    assert (found.kind, found.every) == ("update", 2)


@pytest.mark.parametrize(
    ("signature", "names", "keywords"),
    [
        ("", (), ()),
        ("boids, dt", ("boids", "dt"), ()),
        ("boids, /, dt, *, rng", ("boids", "dt"), ("rng",)),
        ("boids, k=3", ("boids",), ()),
        ("boids, dt=None", ("boids", "dt"), ()),
        ("boids, k=3, dt=None", ("boids",), ("dt",)),
        ("*, k=3, space, wolves=None", (), ("space",)),
    ],
)
def test_parameters_are_bound_by_name(signature: str, names: tuple[str, ...], keywords: tuple[str, ...]) -> None:
    found = hook(f"def update({signature}): return True\n")
    assert (found.names, found.keywords) == (names, keywords)
    assert found.function(*found.names, **{name: name for name in found.keywords})


def test_wraps_is_followed() -> None:
    text = """
import functools
def timed(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return ('timed', function(*args, **kwargs))
    return wrapper
@timed
def update(boids, *, dt): return boids, dt
"""
    found = hook(text)
    assert (found.names, found.keywords) == (("boids",), ("dt",))
    assert found.function(1, dt=2) == ("timed", (1, 2))


def test_functions_of_other_files_are_no_hooks() -> None:
    module = ModuleType("flock@1")

    def update(nonsense: Any) -> None: ...

    module.__dict__["update"] = update
    assert find_hooks(module, "flock", PATH, KNOWN) == ()


def test_the_same_function_under_two_names_is_one_hook() -> None:
    assert hook("@every(frames=2)\ndef tick(): pass\nother = tick\n").name == "tick"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def update(biods): pass", "asks for 'biods', which there is not; did you mean boids?"),
        ("def update(*args): pass", r"\*args names nothing"),
        ("def update(**kwargs): pass", r"\*\*kwargs names nothing"),
        ("async def update(): pass", "it is async"),
        ("async def update():\n  yield", "it is async"),
        ("def update():\n  yield", "contains yield"),
        ("@every(frames=2)\ndef setup(): pass", "setup runs once"),
        ("def update(boids, k=1, dt=2, /): pass", "dt comes after a parameter that is not passed"),
    ],
)
def test_hooks_that_cannot_be_called(text: str, problem: str) -> None:
    with pytest.raises(HookError, match=problem) as caught:
        hooks("\n" + text + "\n")
    assert (caught.value.path, caught.value.line) == (PATH, 2)


def test_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(HookError, match="A hook can ask for: boids, dt, frame, hawks, params, rng, space, world"):
        hooks("def update(nothing): pass\n")


@pytest.mark.parametrize(
    "text",
    [
        "import functools\nupdate = functools.partial(print)\n",
        "class Rule:\n  def __call__(self): pass\nupdate = Rule()\n",
    ],
)
def test_objects_are_no_hooks(text: str) -> None:
    with pytest.raises(HookError, match="a hook is a function defined in the file"):
        hooks(text)


@pytest.mark.parametrize("frames", [0, -1, 1.5, True, "3", print])
def test_every_takes_a_number_of_frames(frames: Any) -> None:
    with pytest.raises(HookError, match=r"such as @every\(frames=60\)"):
        every(frames)


def test_every_marks_functions_only() -> None:
    with pytest.raises(HookError, match="marks functions"):
        every(2)(3)  # type: ignore[type-var]


def test_migrate_takes_old_and_new_and_runs_in_no_frame() -> None:
    found = hook("def migrate(old, new): pass\n")
    assert (found.kind, found.names, found.keywords) == ("migrate", ("old", "new"), ())


@pytest.mark.parametrize(
    "text",
    [
        "def migrate(): pass",
        "def migrate(new, old): pass",
        "def migrate(old, new, boids): pass",
        "def migrate(old, *, new): pass",
        "def migrate(*args): pass",
        "def migrate(boids): pass",
        "@every(3)\ndef migrate(old, new): pass",
        "async def migrate(old, new): pass",
    ],
)
def test_another_migrate_is_refused(text: str) -> None:
    with pytest.raises(HookError, match="hook migrate"):
        hooks(text)
