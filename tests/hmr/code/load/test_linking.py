from __future__ import annotations

import pytest

from instar.hmr.code import ParamError

from ..conftest import Scene

HEAD = "import functools\nfrom instar import Param\ncohesion = Param(0.3)\n"


def test_all_names_of_all_files_follow(scene: Scene) -> None:
    scene.write("helper.py", "from instar import Param\nstrength = Param(2, min=0)\nagain = strength\n")
    scene.write(
        "flock.py",
        HEAD
        + "import helper\nfrom helper import strength\nfrom helper import strength as power, again\nfrom helper import *\n"
        + "alias = cohesion\ndef update():\n  return cohesion, alias, strength, power, helper.strength, again\n",
    )
    program = scene.load()
    update = program.modules["flock"].module.update
    assert update() == (0.3, 0.3, 2, 2, 2, 2)
    assert {type(value) for value in update()} == {float, int}
    program.params["helper"]["strength"].set(5)
    program.params["flock"]["cohesion"].set(0.5)
    assert update() == (0.5, 0.5, 5, 5, 5, 5)
    assert set(program.modules["flock"].params) == {"cohesion", "alias", "strength", "power", "again"}
    assert program.helpers["helper"].params["again"] is program.params["helper"]["strength"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("def update(dt, k=cohesion): pass\n", "the default of k in update"),
        ("def update(dt, *, k=cohesion): pass\n", "the default of k in update"),
        ("def make(k):\n  def f(): return k\n  return f\nupdate = make(cohesion)\n", "the closure of update"),
        ("class Rule:\n  k = cohesion\n", "Rule.k"),
        ("class Rule:\n  def f(self, k=cohesion): pass\n", "the default of k in Rule.f"),
        ("class Rule:\n  @staticmethod\n  def f(k=cohesion): pass\n", "the default of k in Rule.f"),
        ("class Rule:\n  def __init__(self, k): self.k = k\nrule = Rule(cohesion)\n", "rule.k"),
        ("rules = [1, cohesion]\n", "an element of rules"),
        ("rules = (1, (2, cohesion))\n", "an element of an element of rules"),
        ("rules = {'a': cohesion}\n", "an element of rules"),
        ("rules = {cohesion}\n", "an element of rules"),
        ("rule = functools.partial(max, cohesion)\n", "an argument of rule"),
    ],
)
def test_param_that_went_where_no_link_reaches_is_refused(scene: Scene, text: str, where: str) -> None:
    path = scene.write("flock.py", HEAD + text)
    with pytest.raises(ParamError, match=r"params\.cohesion") as caught:
        scene.load()
    assert where in str(caught.value)
    assert caught.value.path == path
    assert caught.value.line is not None
    assert caught.value.line >= 3


def test_captured_param_of_a_helper_that_is_shared_is_refused_too(scene: Scene) -> None:
    scene.write("helper.py", "from instar import Param\nstrength = Param(2)\n")
    scene.write("flock.py", "from helper import strength\n")
    program = scene.load()
    with pytest.raises(ParamError, match="an element of rules"):
        scene.build(program, {"flock.py": "from helper import strength\nrules = [strength]\n"})


def test_values_computed_from_params_are_free(scene: Scene) -> None:
    scene.write("flock.py", HEAD + "rules = [cohesion * 2, float(cohesion)]\ndef f(k=cohesion + 1): return k\n")
    assert scene.load().modules["flock"].module.rules == [0.6, 0.3]


def test_param_whose_name_is_bound_again_is_refused(scene: Scene) -> None:
    scene.write("flock.py", HEAD + "cohesion = cohesion * 2\n")
    with pytest.raises(ParamError, match="binds the name again"):
        scene.load()


def test_edited_importer_of_a_shared_helper_is_linked(scene: Scene) -> None:
    scene.write("helper.py", "from instar import Param\nstrength = Param(2)\n")
    scene.write("flock.py", "from helper import strength\n")
    program = scene.load()
    program.params["helper"]["strength"].set(3)
    text = "from helper import strength as s\nfrom helper import *\nat_import = s * 10\n"
    newer = scene.build(program, {"flock.py": text})
    module = newer.modules["flock"].module
    assert newer.helpers["helper"] is program.helpers["helper"]
    assert (module.s, module.strength, module.at_import) == (3, 3, 30)
    newer.params["helper"]["strength"].set(4)
    assert (module.s, module.strength, program.modules["flock"].module.strength) == (4, 4, 4)
