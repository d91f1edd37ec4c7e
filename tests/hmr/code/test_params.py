from __future__ import annotations

import copy
import gc
import json
import math
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.code.errors import ParamError
from instar.hmr.code.params import Declaration, Declarations, LiveParam, Param, ParamNumber, declaring, number_of

from .conftest import Scene


def declaration(default: Any, **limits: Any) -> Declaration:
    limits = {"min": None, "max": None, "choices": None, "unit": None, **limits}
    return Declaration("flock", "cohesion", default, **limits, path=Path("flock.py"), line=3)


def live(default: Any, **limits: Any) -> LiveParam:
    return LiveParam(declaration(default, **limits), default, given=False)


def test_outside_of_a_scene_the_default_comes_back_as_it_is() -> None:
    assert type(Param(0.3, min=0.0, max=1.0)) is float
    assert Param(True) is True
    assert type(Param("a", choices=("a", "b"))) is str


@pytest.mark.parametrize(
    ("default", "limits", "problem"),
    [
        (2.0, {"max": 1.0}, "2.0 is not allowed: it takes a finite float up to 1.0"),
        (-1, {"min": 0, "unit": "m"}, r"-1 is not allowed: it takes an int from 0 \(m\)"),
        ("a", {}, "needs its choices"),
        (True, {"min": 0}, "min and max are for numbers"),
        ("a", {"choices": ("b",)}, "'a' is not allowed: it takes one of 'b'"),
        (1, {"choices": (1, 2.0)}, "all choices must be of the type of the default, int"),
        ([1], {}, "not list"),
        (math.nan, {}, "nan is not allowed"),
    ],
)
def test_declarations_that_contradict_themselves(default: Any, limits: dict[str, Any], problem: str) -> None:
    with pytest.raises(ParamError, match=problem) as caught:
        Param(default, **limits)
    assert caught.value.path == Path(__file__)
    assert caught.value.line


@pytest.mark.parametrize(
    ("default", "value", "taken"),
    [(0.5, 1, 1.0), (3, 4.0, 4), (True, False, False), (0.5, 0.25, 0.25)],
)
def test_values_of_the_type_or_as_good_as_that_are_taken(default: Any, value: Any, taken: Any) -> None:
    found = declaration(default).accept(value)
    assert found == taken
    assert type(found) is type(default)


@pytest.mark.parametrize(
    ("default", "value"),
    [
        (0.5, True),
        (3, 3.5),
        (3, True),
        (True, 1),
        (0.5, "1"),
        (0.5, math.inf),
        (3, math.nan),
        (0.5, None),
        (True, "yes"),
    ],
)
def test_values_of_another_type_are_not(default: Any, value: Any) -> None:
    with pytest.raises(ParamError, match="is not allowed"):
        declaration(default).accept(value)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(-5, 5), st.floats(0, 10))
def test_bounds_are_kept(value: float, low: float, width: float) -> None:
    found = declaration(low, min=low, max=low + width)
    if low <= value <= low + width:
        assert found.accept(value) == value
    else:
        with pytest.raises(ParamError, match="is not allowed"):
            found.accept(value)


def test_set_updates_every_linked_name_and_refuses_what_is_not_allowed() -> None:
    found = live(0.3, max=1.0)
    here, there = ModuleType("here"), ModuleType("there")
    found.link(here, ["cohesion", "alias"])
    found.link(there, ["strength"])
    assert (here.cohesion, here.alias, there.strength) == (0.3, 0.3, 0.3)
    found.set(1)
    assert (here.cohesion, here.alias, there.strength, found.value, found.given) == (1.0, 1.0, 1.0, 1.0, True)
    with pytest.raises(ParamError, match=r"flock\.py:3: Param cohesion: 2 is not allowed"):
        found.set(2)
    assert (here.cohesion, found.value) == (1.0, 1.0)
    assert type(here.cohesion) is float


def test_links_do_not_keep_modules_alive() -> None:
    found = live(0.3)
    module = ModuleType("here")
    found.link(module, ["cohesion"])
    del module
    gc.collect()
    found.set(0.5)
    found.link(ModuleType("there"), ["cohesion"])
    assert len(found._links) == 1


@pytest.mark.parametrize("value", [0.5, 7, True, False, "fast"])
def test_numbers_behave_as_their_values_and_copies_are_plain(value: Any) -> None:
    number = number_of(live(value, choices=(value,) if isinstance(value, str) else None))
    assert isinstance(number, ParamNumber)
    assert number == value
    assert hash(number) == hash(value)
    assert repr(number) == repr(value)
    assert str(number) == str(value)
    assert bool(number) == bool(value)
    for made in (copy.copy(number), copy.deepcopy(number), pickle.loads(pickle.dumps(number))):
        assert type(made) is type(value)
        assert made == value


def test_arithmetic_gives_plain_numbers() -> None:
    number: Any = number_of(live(0.5))
    assert type(number * 2) is float
    assert type(-number) is float
    assert json.dumps(number) == "0.5"


def run(text: str, value: Any = None) -> dict[str, Any]:
    """Executes a file that a load expects."""

    def value_of(found: Declaration) -> tuple[Any, bool]:
        return (found.default, False) if value is None else (found.accept(value), True)

    declarations = Declarations(value_of)
    places = [(number, line.split()[0]) for number, line in enumerate(text.split("\n"), 1) if " = Param(" in line]
    declarations.expect("flock@1", "flock", Path("flock.py"), places)
    namespace: dict[str, Any] = {"__name__": "flock@1", "Param": Param}
    with declaring(declarations):
        exec(compile(text, "flock.py", "exec"), namespace)
    return namespace


def test_number_has_the_scenes_value_already_at_import() -> None:
    namespace = run("cohesion = Param(0.3)\ndouble = cohesion * 2\n", 0.4)
    assert namespace["double"] == 0.8
    assert namespace["cohesion"].live.name == "cohesion"
    assert namespace["cohesion"].live.given


@pytest.mark.parametrize(
    "text",
    [
        "\nx = [Param(1)]\n",
        "\ndef make():\n  return Param(1)\nx = make()\n",
        "\nclass A:\n  x = (Param(1))\n",
        "\nParam(1)\n",
        "\nfor i in range(2):\n  x = Param(1)\n",
    ],
)
def test_param_without_a_name_of_its_own_is_refused(text: str) -> None:
    with pytest.raises(ParamError, match="assigned to a name of its own at the top level") as caught:
        run(text)
    assert caught.value.path == Path("flock.py")
    assert caught.value.line in (2, 3)


def test_other_files_are_outside_also_while_a_scene_loads() -> None:
    with declaring(Declarations(lambda found: (found.default, False))):
        assert type(Param(0.3)) is float


class Running:
    """A scene of one file, and the steps of its edits."""

    def __init__(self, scene: Scene, text: str) -> None:
        scene.write("flock.py", "from instar import Param\n" + text)
        self.path = scene.root / "flock.py"
        self.codebase = scene.codebase()
        self.program = self.codebase.load()

    def edit(self, text: str) -> list[str]:
        program = self.codebase.build(self.program, {self.path: b"from instar import Param\n" + text.encode()})
        steps = self.codebase.retire(self.program, program)
        self.program = program
        return steps

    def live(self, name: str = "a") -> LiveParam:
        return self.program.params["flock"][name]

    @property
    def value(self) -> Any:
        assert vars(self.program.modules["flock"].module)["a"] == self.live().value
        return self.live().value


def test_a_value_that_was_given_stays_when_bounds_and_default_change(scene: Scene) -> None:
    run = Running(scene, "a = Param(0.5, min=0.0, max=1.0)\n")
    run.live().set(0.75)
    assert run.edit("a = Param(0.25, min=0.0, max=0.8)\n") == []
    assert run.value == 0.75


def test_a_value_that_nobody_gave_is_the_new_default(scene: Scene) -> None:
    run = Running(scene, "a = Param(0.5)\n")
    assert run.edit("a = Param(0.25)\n") == []
    assert (run.value, run.live().given) == (0.25, False)


@pytest.mark.parametrize(
    ("before", "given", "after", "step", "value"),
    [
        ("0.5", 0.9, "0.03, max=0.2", "a was 0.9, which max=0.2 does not allow; now 0.03", 0.03),
        ("5", 2, "7, min=3", "a was 2, which min=3 does not allow; now 7", 7),
        ("0.5", 2.5, "3", "a was 2.5, which an int cannot be; now 3", 3),
        ("1", 2, "True", "a was 2, which a bool cannot be; now True", True),
        (
            "'x', choices=('x', 'y')", "y", "'x', choices=('x', 'z')",
            "a was 'y', which its choices 'x', 'z' do not allow; now 'x'", "x",
        ),
    ],
)  # fmt: skip
def test_a_value_that_fits_no_longer_is_told_and_the_new_default_holds(
    scene: Scene, before: str, given: Any, after: str, step: str, value: Any
) -> None:
    run = Running(scene, f"a = Param({before})\n")
    run.live().set(given)
    assert run.edit(f"a = Param({after})\n") == [step]
    assert run.value == value
    assert run.edit(f"a = Param({after})\nb = 1\n") == []
    assert run.edit(f"a = Param({before})\n") == [f"a is {given!r} again"]
    assert run.value == given
    assert run.live().given
    assert run.edit(f"a = Param({before})\nb = 1\n") == []


def test_a_value_set_after_one_that_did_not_fit_is_the_one_that_stays(scene: Scene) -> None:
    run = Running(scene, "a = Param(0.5)\n")
    run.live().set(0.9)
    run.edit("a = Param(0.1, max=0.2)\n")
    run.live().set(0.15)
    assert run.edit("a = Param(0.5)\n") == []
    assert run.value == 0.15


@pytest.mark.parametrize(("before", "given", "after", "value"), [("3", 4, "0.5", 4.0), ("0.5", 2.0, "3", 2)])
def test_whole_numbers_change_their_type_with_the_param(
    scene: Scene, before: str, given: Any, after: str, value: Any
) -> None:
    run = Running(scene, f"a = Param({before})\n")
    run.live().set(given)
    assert run.edit(f"a = Param({after})\n") == []
    assert (run.value, type(run.value)) == (value, type(value))


def test_a_param_that_is_removed_comes_back_with_its_value(scene: Scene) -> None:
    run = Running(scene, "a = Param(0.5)\nb = Param(1)\n")
    run.live().set(0.75)
    assert run.edit("c = Param(0.5)\nb = Param(1)\n") == [
        "a is no Param of flock any more; its value 0.75 comes back with it"
    ]
    assert run.live("c").value == 0.5
    assert run.edit("d = 1\nb = Param(1)\n") == []
    assert run.edit("a = Param(0.1)\nseen = a * 2\n") == ["a is 0.75 again"]
    assert run.value == 0.75
    assert vars(run.program.modules["flock"].module)["seen"] == 1.5


def test_a_value_given_while_an_edit_was_made_is_taken_over_or_told(scene: Scene) -> None:
    run = Running(scene, "a = Param(0.5)\n")
    for text, wanted, steps, value in (
        ("a = Param(0.1, max=0.9)\n", 0.7, [], 0.7),
        ("a = Param(0.1, max=0.6)\n", 0.8, ["a was 0.8, which max=0.6 does not allow; now 0.1"], 0.1),
    ):
        program = run.codebase.build(run.program, {run.path: b"from instar import Param\n" + text.encode()})
        run.live().set(wanted)
        assert run.codebase.retire(run.program, program) == steps
        run.program = program
        assert run.value == value
