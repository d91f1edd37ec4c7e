from __future__ import annotations

import sys
import types

import numpy as np
import pytest

from instar.hmr.state import Agents, Schema, SchemaError, StateManager, f32, field, i32, snake_case
from instar.hmr.state.fields import make_field


def declare(source: str, tmp_path, name: str = "scene_module") -> dict:
    """Execute a module's source the way a loader would, with a file to point at."""
    path = tmp_path / f"{name}.py"
    path.write_text(source)
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
        return {key: value for key, value in vars(module).items() if isinstance(value, type)}
    finally:
        sys.modules[name] = module


def test_a_class_is_a_table_and_its_annotations_are_fields():
    class FireAnts(Agents, capacity=1_000):
        x: f32
        vel: f32[2]
        energy: f32 = field(1.5)
        kind: i32 = 3
        alive: bool = True

    schema = Schema.of(FireAnts)
    assert schema.table == "fire_ants"
    assert schema.capacity == 1_000
    assert list(schema.fields) == ["x", "vel", "energy", "kind", "alive"]
    assert schema.fields["vel"].type.shape == (2,)
    assert schema.fields["vel"].default == (0.0, 0.0)
    assert schema.fields["energy"].default == 1.5
    assert schema.fields["kind"].default == 3
    assert schema.fields["alive"].type.dtype == np.bool_


def test_annotations_may_be_strings(tmp_path):
    found = declare(
        "from __future__ import annotations\nfrom instar import Agents, f32\nclass A(Agents):\n    x: f32\n", tmp_path
    )
    assert str(Schema.of(found["A"]).fields["x"].type) == "f32"


def test_a_subclass_has_the_fields_of_its_bases_first():
    class Movers(Agents):
        x: f32

    class Hawks(Movers, capacity=5):
        y: f32

    assert list(Schema.of(Hawks).fields) == ["x", "y"]
    assert list(Schema.of(Movers).fields) == ["x"]
    assert Schema.of(Hawks).capacity == 5


@pytest.mark.parametrize(
    ("body", "line", "says"),
    [
        ("class A(Agents):\n    x: float33\n", 2, "float33"),
        ("class A(Agents):\n    x: int\n", 3, "no column type"),
        ("class A(Agents):\n    y: f32\n    id: i32\n", 4, "id is a name of the table itself"),
        ("class A(Agents):\n    y: f32\n    spawn: i32\n", 4, "spawn is a name of the table itself"),
        ("class A(Agents):\n    y: f32\n    _z: i32\n", 4, "underscore"),
        ("class A(Agents):\n    pass\n", 2, "has no fields"),
        ("class A(Agents):\n    y: f32\n    speed = 3\n", 4, "speed is no field"),
        ("class A(Agents):\n    y: f32\n    def go(self): ...\n", 4, "go is no field"),
        ("class A(Agents):\n    y: i32 = 1.5\n", 3, "1.5 does not fit i32"),
        ("class A(Agents):\n    y: f32[2] = (1, 2, 3)\n", 3, "does not fit f32[2]"),
        ("class A(Agents):\n    y: f32 = 'high'\n", 3, "does not fit f32"),
        ("class A(Agents):\n    y: f32\n    z: f32 = field(1, max=0)\n", 4, "A.z: the default 1 is above max=0"),
        ("class A(Agents, capacity=0):\n    y: f32\n", 2, "capacity=0"),
        ("class A(Agents, capacity=2.5):\n    y: f32\n", 2, "capacity=2.5"),
    ],
)
def test_what_is_no_table_says_where_and_why(tmp_path, body, line, says):
    found = declare("from instar import Agents, f32, field, i32\n" + body, tmp_path)
    with pytest.raises(SchemaError) as caught:
        Schema.of(found["A"])
    assert says in str(caught.value)
    assert f"scene_module.py:{line}" in str(caught.value)


def test_unknown_class_options_are_refused(tmp_path):
    with pytest.raises(SchemaError, match=r"takes capacity=… and was=…, not capasity"):
        declare("from instar import Agents, f32\nclass A(Agents, capasity=3):\n    x: f32\n", tmp_path)


def test_a_cell_has_a_reasonable_size():
    with pytest.raises(SchemaError, match="too large"):
        f32[2**40]


@pytest.mark.parametrize("shape", [0, -1, 1.5, (), (2, 0)])
def test_cells_have_positive_lengths(shape):
    with pytest.raises(SchemaError, match="positive lengths"):
        f32[shape]


@pytest.mark.parametrize(
    ("name", "table"), [("Boids", "boids"), ("FireAnts", "fire_ants"), ("HTTPServers", "http_servers"), ("A2B", "a2_b")]
)
def test_table_names_are_snake_case(name, table):
    assert snake_case(name) == table


@pytest.mark.parametrize(
    ("name", "fields", "capacity"),
    [
        (3, {"x": f32}, 5),
        (None, {"x": f32}, 5),
        ("class", {"x": f32}, 5),
        ("boids", None, 5),
        ("boids", ["x"], 5),
        ("boids", {3: f32}, 5),
        ("boids", {"a b": f32}, 5),
        ("boids", {"for": f32}, 5),
        ("boids", {"x": 3}, 5),
        ("boids", {"x": make_field("y", f32)}, 5),
        ("boids", {"x": f32}, "5"),
        ("boids", {"x": f32}, True),
    ],
)
def test_a_table_of_wrong_types_is_refused_in_words(name, fields, capacity):
    with pytest.raises(SchemaError):
        StateManager(history_bytes=1 << 20).table(name, fields, capacity=capacity)


@pytest.mark.parametrize(
    "options",
    [
        {"default": object()},
        {"default": "x"},
        {"default": [1, [2]]},
        {"min": "0"},
        {"max": [1]},
        {"min": True},
        {"finite": 1},
        {"step": "x"},
        {"was": 3},
        {"was": ""},
        {"was": "for"},
    ],
)
def test_options_of_wrong_types_are_refused_in_words(options):
    with pytest.raises(SchemaError):
        make_field("x", f32, **options)
