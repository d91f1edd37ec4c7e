from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from instar.hmr.state import StateManager, f32, u64
from instar.hmr.state.fields import make_field
from instar.native.integrity import flip, flip_record


def test_slices_come_to_the_same_end(state):
    validator = state.validator(repair=True)
    steps = 0
    progress = [validator.progress]
    while not validator.advance(0.0):
        progress.append(validator.progress)
        steps += 1
    assert steps > 8
    assert progress == sorted(progress)
    assert progress[0] == 0.0
    assert validator.progress == 1.0
    assert validator.report.faults == []
    assert validator.report.bytes == state.validate(repair=True).bytes


def test_a_slice_goes_on_until_the_share_that_is_asked_for(state):
    validator = state.validator(repair=True)
    validator.advance(0.0, least=0.5)
    assert 0.5 <= validator.progress < 1.0


def test_ten_thousand_flips_are_found_and_mended():
    """Each in committed, live or stored checksums of a random column: found, told with its place, and undone bit for bit."""
    state = StateManager(history_bytes=1 << 20)
    boids = state.table("boids", {"x": f32, "n": u64}, capacity=10_000)
    rng = np.random.default_rng(11)
    boids.spawn(3_000, x=rng.random(3_000), n=np.arange(3_000, dtype=np.uint64))
    boids.despawn(rng.choice(3_000, 700, replace=False))
    state.commit()
    boids.despawn([])
    state.commit()
    targets = [target for table in state._catalog.guarded().values() for target in table.targets]
    sound = [(bytes(target.column.live[:65536]), bytes(target.column.committed[:65536])) for target in targets]
    for _ in range(10_000):
        which = int(rng.integers(len(targets)))
        column, place = targets[which].column, str(rng.choice(["live", "committed", "crc"]))
        extent = column.committed_extent
        room = -(-extent // 16384) * 8 if place == "crc" else extent
        byte = int(rng.integers(room))
        flip(column, place, byte, int(rng.integers(8)))
        validator = state.validator(repair=True)
        validator.advance()
        (fault,) = validator.report.faults
        assert fault.column == targets[which].name
        assert fault.chunk == byte // (8 if place == "crc" else 16384)
        assert fault.mended
        assert bytes(column.live[:65536]) == sound[which][0]
        assert bytes(column.committed[:65536]) == sound[which][1]
    assert state.validate(repair=True).faults == []


class Slices(RuleBasedStateMachine):
    """Slices of a validator among everything else that happens to a world: nothing is found but what was planted."""

    @initialize(rows=st.integers(0, 6_000))
    def begin(self, rows):
        self.state = StateManager(history_bytes=1 << 18)
        fields = {"x": make_field("x", f32, 1.0, min=0, max=9, finite=True), "n": u64}
        self.boids = self.state.table("boids", fields, capacity=20_000)
        self.boids.spawn(rows)
        self.state.commit()
        self.planted: list[str] = []
        self.renew()

    def renew(self):
        self.validator = self.state.validator(repair=True)
        self.planted_before = list(self.planted)

    @rule(count=st.integers(0, 3_000))
    def spawn(self, count):
        self.boids.spawn(min(count, 20_000 - len(self.boids)), x=2)
        self.state.commit()

    @rule(part=st.integers(1, 5))
    def despawn(self, part):
        self.boids.despawn(np.arange(0, len(self.boids), part))
        self.state.commit()

    @rule(value=st.floats(0, 9, width=32), step=st.integers(1, 9))
    def write(self, value, step):
        self.boids.x[::step] = value
        self.boids.n[::step] += 1
        self.state.commit()

    @rule(back=st.integers(0, 6))
    def travel(self, back):
        frames = self.state.frames
        self.state.rollback(max(frames[0], self.state.frame - back))
        self.state.redo(min(frames[-1], self.state.frame + back // 2))

    @rule(bounded=st.booleans())
    def edit(self, bounded):
        schemas = {name: table.schema for name, table in self.state.tables.items()}
        fields = dict(schemas["boids"].fields)
        if bounded:
            fields["hunger"] = make_field("hunger", f32, 3.0, max=4)
        else:
            fields.pop("hunger", None)
        self.state.migrate({"boids": type(schemas["boids"]).build("boids", fields, 20_000)})

    @rule(count=st.integers(0, 30))
    def slices(self, count):
        for _ in range(count):
            if self.validator.advance(0.0):
                assert self.validator.report.faults == []
                self.renew()
        assert self.validator.report.faults == []

    @rule(data=st.data(), where=st.sampled_from(["live", "committed", "crc"]))
    def plant(self, data, where):
        """A flip at any moment of a round is found at the latest by the next one, before anything else is done."""
        targets = [t for g in self.state._catalog.guarded().values() for t in g.targets if t.column.committed_extent]
        if not targets:
            return
        target = data.draw(st.sampled_from(targets))
        extent = target.column.committed_extent
        room = -(-extent // 16384) * 8 if where == "crc" else extent
        byte, bit = data.draw(st.integers(0, room - 1)), data.draw(st.integers(0, 7))
        before = bytes(target.column.live[:extent]), bytes(target.column.committed[:extent])
        flip(target.column, where, byte, bit)
        found = []
        for _ in range(2):
            while not self.validator.advance(0.0):
                pass
            found += self.validator.report.faults
            self.renew()
        assert [(fault.kind, fault.column) for fault in found] == [
            ("live_differs" if where == "live" else "crc", target.name)
        ]
        assert found[0].mended
        assert (bytes(target.column.live[:extent]), bytes(target.column.committed[:extent])) == before

    @rule(data=st.data())
    def plant_record(self, data):
        """So is one in the history, but for the unused bytes between its records; nothing else is suspected."""
        held = self.state._history.used_bytes
        if held == 0:
            return
        flip_record(self.state._history, data.draw(st.integers(0, held - 1)), data.draw(st.integers(0, 7)))
        found = []
        for _ in range(2):
            while not self.validator.advance(0.0):
                pass
            found += self.validator.report.faults
            self.renew()
        assert {fault.kind for fault in found} <= {"history"}

    @precondition(lambda self: hasattr(self, "state"))
    @invariant()
    def whole(self):
        assert len(self.boids.x) == len(self.boids)


Slices.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestSlices = Slices.TestCase
