"""Values under random use, beside an oracle that keeps a copy of every frame."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from instar import f32
from instar.hmr.state import Checkpoint, PersistError, StateManager

from .conftest import PLAIN, same

NAMES = st.sampled_from(["a", "b", "game.score", "c"])


class Values(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.state = StateManager(history_bytes=1 << 22)
        self.live: dict[str, Any] = {}
        self.frames: dict[int, dict[str, Any]] = {0: {}}
        self.checkpoints: list[tuple[Checkpoint, dict[str, Any]]] = []
        self.boxes: dict[str, Any] = {}

    @initialize()
    def agents(self) -> None:
        self.state.table("boids", {"x": f32}).spawn(3)
        self.state.commit()
        self.frames[1] = {}

    @rule(name=NAMES, value=PLAIN)
    def begin(self, name: str, value: Any) -> None:
        frame = self.state.frame
        self.boxes[name] = self.state.persisted.begin(name, value)
        if name not in self.live:
            self.live[name] = copy.deepcopy(value)
            self.frames[frame][name] = copy.deepcopy(value)
            self.forget_after(frame)

    @precondition(lambda self: self.live)
    @rule(data=st.data(), value=PLAIN)
    def assign(self, data: st.DataObject, value: Any) -> None:
        name = data.draw(st.sampled_from(sorted(self.live)))
        self.boxes[name].value = value
        self.live[name] = copy.deepcopy(value)

    @rule(value=PLAIN)
    def change_in_place(self, value: Any) -> None:
        for name, mine in self.live.items():
            theirs = self.boxes[name].value
            for one in (mine, theirs):
                if type(one) is list:
                    one.append(copy.deepcopy(value))
                elif type(one) is dict:
                    one[len(one)] = copy.deepcopy(value)
                elif type(one) is set:
                    one.add(len(one))

    @precondition(lambda self: any(type(one) is list for one in self.live.values()))
    @rule()
    def put_in_what_is_no_plain_data(self) -> None:
        name = next(name for name, one in self.live.items() if type(one) is list)
        self.boxes[name].value.append(object())
        try:
            self.state.commit()
        except PersistError as error:
            assert error.key == name  # noqa: PT017
        else:
            raise AssertionError
        self.go(self.state.frame)

    @rule()
    def commit(self) -> None:
        frame = self.state.commit().frame
        self.frames[frame] = copy.deepcopy(self.live)
        self.forget_after(frame)

    @rule(data=st.data())
    def travel(self, data: st.DataObject) -> None:
        self.go(data.draw(st.sampled_from(list(self.state.frames))))

    @rule()
    def spawn(self) -> None:
        self.state["boids"].spawn(1)

    @rule()
    def keep(self) -> None:
        if self.state.uncommitted is None:
            checkpoint = self.state.checkpoint()
            checkpoint.wait()
            self.checkpoints.append((checkpoint, copy.deepcopy(self.live)))

    @precondition(lambda self: self.checkpoints)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        checkpoint, values = data.draw(st.sampled_from(self.checkpoints))
        self.state.restore(checkpoint)
        self.live = copy.deepcopy(values)
        self.frames = {self.state.frame: copy.deepcopy(values)}

    def go(self, frame: int) -> None:
        before = {name: box for name, box in self.state.persisted.items() if type(box) in (list, dict, set)}
        (self.state.rollback if frame <= self.state.frame else self.state.redo)(frame)
        self.live = copy.deepcopy(self.frames[frame])
        assert all(self.state.persisted.get(name) is not value for name, value in before.items())

    def forget_after(self, frame: int) -> None:
        self.frames = {at: values for at, values in self.frames.items() if at <= frame}

    @invariant()
    def values_are_those_of_the_oracle(self) -> None:
        found = dict(self.state.persisted)
        assert found.keys() == self.live.keys()
        assert all(same(found[name], self.live[name]) for name in found)
        assert all(same(self.boxes[name].value, self.live[name]) for name in found if name in self.boxes)

    def teardown(self) -> None:
        self.state.rollback(self.state.frame)
        assert not self.state.validate().faults
        for frame in self.state.frames:
            self.go(frame)
            self.values_are_those_of_the_oracle()


Values.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestValues = Values.TestCase
