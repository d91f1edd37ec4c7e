"""Ctrl-C at any line of a change: either nothing has changed or all has, and the state goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from edits import asking, everything, is_settled, layout, schema

from instar.hmr.state import Ref, StateManager, f32, f64, i16
from instar.testing import flip_bit


def interrupted(act: Callable[[], object], line: int) -> bool:
    """Do something, and raise KeyboardInterrupt before the line of Instar's state that is run as the n-th; whether it came so far."""
    seen = 0

    def trace(frame, event, argument):
        nonlocal seen
        if "/hmr/state/" not in frame.f_code.co_filename or frame.f_code.co_filename == __file__:
            return None
        if event == "line":
            seen += 1
            if seen == line:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    try:
        with np.errstate():  # One within may not be left, if the interrupt comes at the last line of its `with`.
            sys.settrace(trace)
            act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


def world() -> StateManager:
    state = StateManager(history_bytes=8 << 20)
    state.migrate(layout(schema(x=f32, y=f64), schema("hawks", prey=Ref["boids"])))
    state["boids"].spawn(9, x=range(9), y=0.1)
    state["hawks"].spawn(2, prey=state["boids"].id[:2])
    state.commit()
    state["boids"].despawn(3)
    state["boids"].x += 1
    state.commit()
    return state


def narrow(old, new):
    new.birds.y = old.boids.y
    new.birds.despawn(0)


WANTED = layout(
    schema("birds", was="boids", x=f64, y=f32, age=(i16, {"default": 3}), capacity=8),
    schema("hawks", prey=Ref["birds"]),
    schema("owls", x=f32),
)


def migrates(state: StateManager) -> None:
    state.migrate(WANTED, asking(narrow, "birds"))


def makes_a_table(state: StateManager) -> None:
    state.table("owls", {"x": f32})


def restores(state: StateManager) -> None:
    state.restore(state.kept)


def restores_to_another_schema(state: StateManager) -> None:
    state.restore(state.kept, WANTED, asking(narrow, "birds"))


def rolls_back(state: StateManager) -> None:
    """One frame, past a migration."""
    state.rollback(1)


def validates(state: StateManager) -> None:
    state.validate(repair=True)


def begin(act) -> StateManager:
    state = world()
    if act in (restores, restores_to_another_schema):
        state.kept = state.checkpoint()
        state.kept.wait()
        state["boids"].x += 5
        state["boids"].spawn(1)
        state.commit()
    if act is validates:
        flip_bit(state, "boids", "x", byte=5, bit=1, where="committed")
        flip_bit(state, "boids", "y", byte=5, bit=1, where="live")
    if act is rolls_back:
        state.migrate(layout(schema(x=f32), schema("hawks", prey=Ref["boids"])))
    return state


def without_frames(seen: dict) -> dict:
    return {key: value for key, value in seen.items() if key != "frames"}


ACTS = (migrates, makes_a_table, restores, restores_to_another_schema, rolls_back, validates)


def prove(act: Callable[[StateManager], None]) -> None:
    before = begin(act)
    if act is validates:
        act(before)
    untouched = everything(before)
    done = begin(act)
    act(done)
    after = everything(done)
    line, step = 1, 1
    while True:
        state = begin(act)
        if not interrupted(lambda: act(state), line):  # noqa: B023 - called at once
            break
        if act is validates:
            state.validate(repair=True)
        state.rollback(state.frame)
        found = everything(state)
        assert without_frames(found) in (without_frames(untouched), without_frames(after)), line
        assert is_settled(state)
        for name, table in state.tables.items():
            if len(table) < table.capacity:
                table.spawn(1)
            assert state[name] is table
        state.commit()
        assert is_settled(state)
        state.rollback(state.frame - 1)
        assert without_frames(everything(state)) == without_frames(found)
        line += step
        step = min(step + 3, 97)
    assert line > 10


def prove_over_several_frames() -> None:
    def begin() -> StateManager:
        state = world()
        state.migrate(layout(schema(x=f32), schema("hawks", prey=Ref["boids"])))
        state["boids"].despawn(1)
        state.commit()
        state["boids"].x += 2
        state.commit()
        return state

    state, frames = begin(), {}
    for frame in reversed(state.frames):
        state.rollback(frame)
        frames[frame] = without_frames(everything(state))
    found, line = {}, 1
    while True:
        state = begin()
        if not interrupted(lambda: state.rollback(0), line):  # noqa: B023 - called at once
            break
        state.rollback(state.frame)
        assert without_frames(everything(state)) == frames[state.frame], line
        assert is_settled(state)
        found[state.frame] = line
        state.redo(state.frames[-1])
        assert without_frames(everything(state)) == frames[4], line
        line += 1
    assert set(found) == set(frames)


PROOFS = {**{act.__name__: partial(prove, act) for act in ACTS}, "several_frames": prove_over_several_frames}


@pytest.mark.parametrize("name", PROOFS)
def test_an_interrupt_leaves_a_state_as_it_was_or_as_it_is_to_be(name: str) -> None:
    """In a process of its own, so that nothing that was cut short is left to the tests after it."""
    program = f"import runpy; runpy.run_path({__file__!r})['PROOFS'][{name!r}]()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
