"""Edits on probation: who is to blame for a fault, and what is undone for it."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instar.edits.probation import FRAMES
from instar.faults import EditFault, HookFault, HookTimeout, StopRequested
from instar.loop.limit import SIGNAL, HookLimit
from instar.world import World

FAUNA = """\
from instar import Agents, Param, Ref, f32, field, i32
from pace import step

class Boids(Agents, capacity=5_000):
    x: f32
    age: i32 = field(0, min=0, max=10_000)
    target: Ref["boids"]

speed = Param(1.0, min=0.0, max=9.0)

def setup(boids):
    boids.spawn(1_000, x=1)

def update(boids, frame):
    boids.x += step * speed
    boids.age += 1
"""
FLORA = """\
from instar import Agents, f64

class Trees(Agents, capacity=500):
    y: f64

def setup(trees):
    trees.spawn(100)

def update(trees, rng):
    trees.y += rng.random(len(trees))
    if len(trees) < 300:
        trees.spawn(3)
    trees.despawn([0])
"""
WIDER_FLORA = FLORA.replace("    y: f64\n", "    y: f64\n    w: f32\n").replace("f64\n\n", "f32, f64\n\n")
PACE = "step = 1\n"

RAISE = "    if frame == {at}: raise ValueError('no more')\n"
NAN = "    if frame == {at}: boids.x[17] = float('nan')\n"
LOW = "    if frame == {at}: boids.age[17] = -1\n"
STRAY = "    if frame == {at}: boids.target[17] = 999_999\n"
EXIT = "    if frame == {at}: raise SystemExit\n"
VALUES = {"not finite": NAN, "out of bounds": LOW, "broken reference": STRAY}


@pytest.fixture
def world(scene):
    folder = scene("", fauna=FAUNA, flora=FLORA)
    (folder / "pace.py").write_text(PACE, encoding="utf-8")
    world = World.open(folder)
    for _ in range(3):
        world.step()
    return world


def edit(world, **files):
    """Swap in new texts of files; returns the program that ran before."""
    before = world.program
    changes = {world.scene.folder / f"{name}.py": text.encode() for name, text in files.items()}
    world.swap(world.codebase.build(before, changes))
    return before


def contents(world):
    tables = {
        name: (table.schema, table.id.tolist(), *(getattr(table, field).tobytes() for field in table.schema.fields))
        for name, table in world.tables.items()
    }
    return world.frame, world.state.crc, tables


def steps(world, count):
    for _ in range(count):
        world.step()


def state_of(world, module):
    if module in world.resting:
        return "quarantined"
    return "probation" if module in world.verdicts.modules else "live"


EDITS = {
    "the module": lambda bad: {"fauna": FAUNA + bad},
    "another module as well": lambda bad: {"fauna": FAUNA + bad, "flora": FLORA + "# edited\n"},
    "a helper as well": lambda bad: {"fauna": FAUNA + bad, "pace": "step = 2\n"},
    "a field in the same swap": lambda bad: {
        "fauna": FAUNA.replace("    x: f32\n", "    x: f32\n    z: f32 = field(3.0)\n") + bad
    },
    "a field in another module": lambda bad: {"flora": WIDER_FLORA, "fauna": FAUNA + bad},
}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("which", EDITS)
@pytest.mark.parametrize("after", [0, 1, 30, FRAMES - 1])
def test_a_value_gone_bad_brings_the_whole_world_back_within_its_frame(world, kind, which, after):
    before, old = contents(world), world.program
    edit(world, **EDITS[which](VALUES[kind].format(at=3 + after)))
    assert state_of(world, "fauna") == "probation"
    steps(world, after)
    with pytest.raises(EditFault) as caught:
        world.step()
    assert contents(world) == before
    assert world.program is old
    assert state_of(world, "fauna") == state_of(world, "flora") == "live"
    column = {"not finite": "x", "out of bounds": "age", "broken reference": "target"}[kind]
    undone = "1 frame is" if after == 0 else f"{after + 1} frames are"
    parts = (
        f"boids.{column} of row 17 (id 18)",
        f"in frame {4 + after}",
        "back at frame 3",
        undone,
        "fauna.py",
        "Mend it",
    )
    for part in parts:
        assert part in str(caught.value)
    assert world.verdicts.take_undone().error is caught.value
    assert world.verdicts.take_undone() is None
    steps(world, 5)
    assert world.validate().faults == []


@pytest.mark.parametrize("which", EDITS)
@pytest.mark.parametrize("after", [0, 1, FRAMES - 1])
def test_a_hook_that_raises_brings_the_old_version_back_and_its_frame_runs_again(world, which, after):
    twin = [contents(world)]
    old = world.program
    edit(world, **EDITS[which](RAISE.format(at=3 + after)))
    for _ in range(after):
        world.step()
        twin.append(contents(world))
    with pytest.raises(HookFault) as caught:
        world.step()
    assert world.program is old
    assert world.frame == 3 + after
    assert world.resting == {}
    assert state_of(world, "fauna") == "live"
    assert world.tables["boids"].schema == old.schemas["boids"]
    assert world.tables["trees"].schema == old.schemas["trees"]
    assert world["boids"].x[0] == world["boids"].x[-1]
    assert world["boids"].age[0] == 3 + after
    for part in (f"Frame {3 + after} is void", "no more", "fauna.py", "the version before it runs on"):
        assert part in str(caught.value)
    undone = world.verdicts.take_undone()
    assert str(undone.error) == str(caught.value)
    assert undone.error.path.name == "fauna.py"
    assert world.step().frame == 4 + after
    assert world.validate().faults == []


def test_a_fault_before_any_frame_leaves_nothing_of_the_edit(world):
    before = contents(world)
    edit(world, fauna=FAUNA.replace("    x: f32\n", "    x: f32\n    z: f32 = field(3.0)\n") + RAISE.format(at=3))
    with pytest.raises(HookFault):
        world.step()
    assert contents(world) == before
    edit(world, fauna=FAUNA.replace("    x: f32\n", "    x: f32\n    z: f32 = field(4.0)\n"))
    assert set(world["boids"].z) == {4.0}


def test_a_fault_in_a_helper_is_its_edits(world):
    old = world.program
    edit(
        world,
        pace="def twice(): return 1 // 0\nstep = 1\n",
        fauna=FAUNA.replace("import step", "import step, twice") + "    twice()\n",
    )
    with pytest.raises(HookFault, match="ZeroDivisionError") as caught:
        world.step()
    assert world.program is old
    assert caught.value.path.name == "pace.py"
    assert "The edit of fauna.py, pace.py is undone" in str(caught.value)


def test_a_hang_brings_the_old_version_back(world):
    old = world.program
    edit(world, fauna=FAUNA + "    while frame == 4: pass\n")
    world.step()
    limit = HookLimit(seconds=0.05, grace=20.0)
    handler = signal.signal(SIGNAL, limit.interrupt)
    world.hooks.limit = limit
    try:
        with pytest.raises(HookFault, match="was interrupted") as caught:
            world.step()
    finally:
        limit.close()
        signal.signal(SIGNAL, handler)
    assert isinstance(caught.value.__cause__, HookTimeout)
    assert world.program is old
    assert world.resting == {}


def test_after_its_frames_an_edit_is_confirmed(world):
    edit(world, fauna=FAUNA + RAISE.format(at=3 + FRAMES))
    new = world.program
    steps(world, FRAMES - 1)
    assert state_of(world, "fauna") == "probation"
    world.step()
    assert state_of(world, "fauna") == "live"
    with pytest.raises(HookFault, match="fauna rests until its next edit"):
        world.step()
    assert world.program is new
    assert state_of(world, "fauna") == "quarantined"
    assert world.verdicts.take_undone() is None


def test_after_its_frames_bad_values_are_left_to_validation(world):
    edit(world, fauna=FAUNA + LOW.format(at=3 + FRAMES))
    steps(world, FRAMES + 1)
    assert [fault.kind for fault in world.validate().faults] == ["bounds"]


def test_frames_that_are_void_or_rolled_back_do_not_count(world):
    edit(world, fauna=FAUNA + NAN.format(at=3 + FRAMES - 1))
    steps(world, 50)
    world.rollback(20)
    steps(world, FRAMES - 18)
    with pytest.raises(EditFault):
        world.step()
    assert world.frame == 3


def test_going_back_before_the_edit_ends_its_probation(world):
    old = world.program
    edit(world, fauna=FAUNA + NAN.format(at=10))
    steps(world, 3)
    world.rollback(2)
    assert world.program is old
    assert state_of(world, "fauna") == "live"
    steps(world, 12)
    assert world.verdicts.take_undone() is None


def test_a_newer_edit_confirms_the_one_before(world):
    edit(world, fauna=FAUNA + "# 1\n")
    steps(world, 5)
    first, before = world.program, contents(world)
    edit(world, flora=FLORA + "    trees.y[3] = float('inf')\n")
    assert state_of(world, "fauna") == "live"
    with pytest.raises(EditFault, match=r"trees\.y of row 3"):
        world.step()
    assert world.program is first
    assert contents(world) == before


def test_an_old_version_that_raises_as_well_is_quarantined(world):
    old = edit(world, fauna=FAUNA + RAISE.format(at=3 + FRAMES + 5))
    steps(world, FRAMES)
    faulty = world.program
    edit(world, fauna=FAUNA + "# other\n" + RAISE.format(at=3 + FRAMES + 5))
    steps(world, 5)
    with pytest.raises(HookFault, match="the version before it runs on"):
        world.step()
    assert world.program is faulty is not old
    assert world.resting == {}
    with pytest.raises(HookFault, match="fauna rests"):
        world.step()
    assert state_of(world, "fauna") == "quarantined"
    world.step()


def test_what_rested_before_rests_again(world):
    edit(world, fauna=FAUNA + RAISE.format(at=3 + FRAMES))
    steps(world, FRAMES)
    with pytest.raises(HookFault):
        world.step()
    edit(world, fauna=FAUNA + "    1 // 0\n")
    assert state_of(world, "fauna") == "probation"
    with pytest.raises(HookFault, match="ZeroDivisionError"):
        world.step()
    assert state_of(world, "fauna") == "quarantined"
    assert "no more" in str(world.resting["fauna"])
    world.step()


def test_an_edit_is_not_blamed_for_what_the_old_version_raises_too(world):
    edit(world, fauna=FAUNA + RAISE.format(at=3 + FRAMES + 5))
    steps(world, FRAMES)
    old = edit(world, flora=FLORA + "# edited\n")
    innocent = world.program
    steps(world, 5)
    with pytest.raises(HookFault, match="fauna itself was not edited"):
        world.step()
    assert world.program is old
    assert world.verdicts.take_undone() is None
    with pytest.raises(HookFault, match="fauna rests"):
        world.step()
    assert world.program is innocent
    assert (state_of(world, "fauna"), state_of(world, "flora")) == ("quarantined", "probation")
    assert world.verdicts.take_undone() is None
    steps(world, 3)
    assert world.program is innocent


def test_an_edit_is_blamed_for_what_another_module_raises_because_of_it(world):
    careful = FAUNA.replace(
        "def update(boids, frame):", "def update(boids, frame, trees):\n    assert len(trees) < 350"
    )
    edit(world, fauna=careful)
    steps(world, FRAMES)
    old = edit(world, flora=FLORA + "    trees.spawn(400 - len(trees))\n")
    world.step()
    with pytest.raises(HookFault, match="fauna itself was not edited"):
        world.step()
    assert world.program is old
    world["trees"].despawn(slice(100, None))
    world.commit()
    assert world.verdicts.take_undone().program is not old
    steps(world, 3)


def test_exit_is_a_wanted_end_and_ctrl_c_no_fault(world):
    edit(world, fauna=FAUNA + EXIT.format(at=4))
    new = world.program
    world.step()
    with pytest.raises(StopRequested):
        world.step()
    assert world.program is new
    edit(world, fauna=FAUNA + "    if frame == 4: raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        world.step()
    assert state_of(world, "fauna") == "probation"
    assert world.verdicts.take_undone() is None


def test_params_set_meanwhile_are_kept(world):
    edit(world, fauna=FAUNA + NAN.format(at=6))
    steps(world, 2)
    world.params["fauna"].speed = 7.0
    world.step()
    with pytest.raises(EditFault):
        world.step()
    assert world.params["fauna"].speed == 7.0


def test_a_module_that_joined_is_set_up_again_when_it_joins_again(world):
    toml = world.scene.folder / "scene.toml"
    moss = "from instar import Agents, f32\nclass Moss(Agents):\n    w: f32\ndef setup(moss):\n    moss.spawn(7)\ndef update(moss, frame):\n    if frame == 4: moss.w[0] = float('nan')\n"
    (world.scene.folder / "moss.py").write_text(moss, encoding="utf-8")
    before = contents(world)
    joined = {toml: b'modules = ["fauna", "flora", "moss"]\n'}
    world.swap(world.codebase.build(world.program, joined))
    assert len(world["moss"]) == 7
    world.step()
    with pytest.raises(EditFault, match=r"moss\.w"):
        world.step()
    assert contents(world) == before
    mended = {**joined, world.scene.folder / "moss.py": moss.replace("nan", "1").encode()}
    world.swap(world.codebase.build(world.program, mended))
    assert len(world["moss"]) == 7


def test_a_setup_that_spawns_into_older_tables_is_undone_too(world):
    toml = world.scene.folder / "scene.toml"
    more = "def setup(boids):\n    boids.spawn(50, x=5)\n    boids.x[3] = 77\ndef update(boids, frame):\n    if frame == 4: boids.x[0] = float('nan')\n"
    (world.scene.folder / "more.py").write_text(more, encoding="utf-8")
    before = contents(world)
    world.swap(world.codebase.build(world.program, {toml: b'modules = ["fauna", "flora", "more"]\n'}))
    assert len(world["boids"]) == 1050
    world.step()
    with pytest.raises(EditFault):
        world.step()
    assert contents(world) == before
    assert world.validate().faults == []


def test_hooks_that_are_too_slow_bring_the_old_version_back_if_the_scene_asks(scene, monkeypatch):
    world = World.open(scene("[probation]\nbudget_ms = 2.0\n", flora=FLORA))
    times = iter([9.0, 9.0, 1.0, 9.0, 9.0, 9.0])
    old = edit(world, flora=FLORA + "# slow\n")
    run = world.run_hooks

    def slow():
        run()
        world.last_calls[0].ns = round(next(times) * 1e6)

    monkeypatch.setattr(world, "run_hooks", slow)
    steps(world, 5)
    with pytest.raises(
        EditFault, match=r"took more than the 2 ms .* in 3 frames in a row, up to frame 6; all frames are kept"
    ):
        world.step()
    assert world.frame == 6
    assert world.program is old


def test_without_room_for_the_old_world_the_edit_stays_and_people_are_told(scene):
    big = FAUNA.replace("5_000", "40_000").replace("1_000", "30_000").replace("from pace import step\n", "step = 1\n")
    world = World.open(scene('memory = "3MB"\n', fauna=big))
    steps(world, 2)
    before = world.program
    said = world.swap(
        world.codebase.build(before, {world.scene.folder / "fauna.py": (big + NAN.format(at=50)).encode()})
    )
    assert any("no room for a copy of the world" in str(step) for step in said)
    new = world.program
    while world.frame < 50:
        world.step()
    with pytest.raises(EditFault, match="can no longer be returned to"):
        world.step()
    assert world.program is new
    assert world.frame == 51


@given(
    changed=st.lists(st.sampled_from(["fauna", "flora"]), min_size=1, max_size=3),
    kinds=st.lists(st.sampled_from([None, RAISE, *VALUES.values()]), min_size=3, max_size=3),
    after=st.lists(st.sampled_from([0, 1, 2, 9, 30, FRAMES - 1, FRAMES, FRAMES + 2]), min_size=3, max_size=3),
    fields=st.lists(st.booleans(), min_size=3, max_size=3),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_edit_the_world_is_one_that_a_sound_version_made(scene, changed, kinds, after, fields):
    folder = scene("", fauna=FAUNA, flora=FLORA)
    (folder / "pace.py").write_text(PACE, encoding="utf-8")
    world = World.open(folder)
    for name, kind, wait, wider in zip(changed, kinds, after, fields, strict=False):
        before, old = contents(world), world.program
        text = {"fauna": FAUNA, "flora": FLORA}[name]
        if wider:
            text = text.replace("    x: f32\n", "    x: f32\n    z: f32\n").replace(
                "    y: f64\n", "    y: f64\n    z: f64\n"
            )
        bad = "" if kind is None else kind.format(at=world.frame + wait)
        if name == "flora":
            bad = (
                bad.replace("boids", "trees")
                .replace("trees.x", "trees.y")
                .replace("trees.age[17] = -1", "trees.y[17] = float('inf')")
            )
            bad = bad.replace("trees.target[17] = 999_999", "trees.y[3] = -float('inf')")
            text = text.replace("(trees, rng)", "(trees, rng, frame)")
        edit(world, **{name: f"# {world.program.number}\n{text}{bad}"})
        swapped = world.program
        try:
            steps(world, 65)
        except EditFault:
            assert wait < FRAMES
            assert contents(world) == before
            assert world.program is old
        except HookFault:
            assert (world.program is old) == (wait < FRAMES)
            assert world.frame == before[0] + wait
        else:
            assert kind is None or wait >= FRAMES
            assert world.program is swapped
        assert [
            fault for fault in world.validate().faults if fault.kind not in {"not_finite", "bounds", "reference"}
        ] == []
        world["boids"].x[:] = 0
        world["trees"].y[:] = 0
        world["boids"].age[:] = 0
        world["boids"].target[:] = 0
        world.step()
