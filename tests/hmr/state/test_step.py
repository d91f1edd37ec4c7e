from __future__ import annotations

import copy
import pickle

from instar.hmr.state import StateManager, Step, f32
from instar.hmr.state.fields import make_field
from instar.hmr.state.schema import Schema


def _layout(**tables: tuple[str, ...]) -> dict[str, Schema]:
    return {
        table: Schema.build(table, {name: make_field(name, f32) for name in names}, 100)
        for table, names in tables.items()
    }


def test_steps_say_what_they_were_done_to() -> None:
    state = StateManager()
    made = state.migrate(_layout(boids=("x",)))
    state["boids"].spawn(3)
    state.commit()
    changed = state.migrate(_layout(boids=("x", "energy")))
    parked = state.migrate(_layout(hawks=("x",)))
    back = state.migrate(_layout(boids=("energy",), hawks=("x",)))
    assert [(step.table, step.column, step.rows) for step in (*made, *changed, *parked, *back)] == [
        ("boids", None, 0),
        ("boids", "energy", 3),
        ("hawks", None, 0),
        ("boids", None, 3),
        ("boids", None, 3),
        ("boids", "x", 3),
    ]
    assert all(step.startswith(f"{step.table}: ") for step in (*made, *changed, *parked, *back))


def test_a_step_is_its_text() -> None:
    step = Step("boids: parked x", "boids", "x", 7)
    assert step == "boids: parked x"
    assert {step: 1}["boids: parked x"] == 1


def test_copies_and_pickles_are_steps_too():
    step = Step("boids: parked x", "boids", "x", 3)
    for other in (copy.deepcopy(step), pickle.loads(pickle.dumps(step))):
        assert (other, other.table, other.column, other.rows) == (step, "boids", "x", 3)
