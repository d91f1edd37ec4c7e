"""The game is played by posted keys, without a display, and edited while it is played."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from instar.faults import StopRequested
from instar.hmr.code import EditError
from instar.runner import Runtime
from instar.scene.locate import examples
from instar.world import World

os.environ["SDL_VIDEODRIVER"] = "dummy"
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
import pygame


@pytest.fixture(autouse=True)
def display() -> Iterator[None]:
    pygame.display.init()
    pygame.event.clear()
    yield
    pygame.display.quit()


def press(*keys: int) -> None:
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))


def release(*keys: int) -> None:
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYUP, key=key))


def play(world: World, frames: int) -> None:
    for _ in range(frames):
        world.step()


def shown() -> np.ndarray:
    return pygame.surfarray.array3d(pygame.display.get_surface())


def edited(world: World, **files: tuple[str, str]) -> list[str]:
    """Replaces text in modules by other text, as an edit; returns the steps."""
    changes = {}
    for name, (old, new) in files.items():
        path = world.scene.folder / f"{name}.py"
        text = world.program.sources[path].data.decode()
        assert old in text
        changes[path] = text.replace(old, new).encode()
    return world.swap(world.codebase.build(world.program, changes))


def test_it_is_the_same_game_every_time() -> None:
    crcs = []
    for _ in range(2):
        world = World.open("asteroids")
        press(pygame.K_SPACE, pygame.K_LEFT, pygame.K_UP)
        play(world, 240)
        crcs.append((world.state.crc, dict(world.persisted)))
        for table in world.tables.values():
            for field in table.schema.fields:
                assert np.isfinite(getattr(table, field)).all()
    assert crcs[0] == crcs[1]
    assert crcs[0][1]["match.score"] > 0


def test_keys_steer_the_ship() -> None:
    world = World.open("asteroids")
    ships = world["ships"]
    press(pygame.K_RIGHT)
    play(world, 10)
    assert ships.heading[0] > -np.pi / 2 + 0.5
    release(pygame.K_RIGHT)
    press(pygame.K_UP)
    play(world, 20)
    assert np.hypot(ships.vx[0], ships.vy[0]) > 50
    assert len(world["sparks"]) > 0
    release(pygame.K_UP)
    press(pygame.K_SPACE)
    play(world, 1)
    assert len(world["shots"]) == 1


def test_a_rock_that_is_hit_breaks_in_two_and_a_rewind_takes_the_points_back() -> None:
    world = World.open("asteroids")
    play(world, 1)
    rocks, shots = world["rocks"], world["shots"]
    before = len(rocks)
    shots.spawn(1, x=rocks.x[0], y=rocks.y[0], life=1.0)
    play(world, 1)
    assert (len(rocks), len(shots)) == (before + 1, 0)
    score = world.persisted["match.score"]
    assert score > 0
    assert world.persisted["match.best"] == score
    world.rollback(1)
    assert (len(rocks), world.persisted["match.score"]) == (before, 0)


def test_a_wave_that_is_over_is_followed_by_a_larger_one() -> None:
    world = World.open("asteroids")
    play(world, 1)
    first = len(world["rocks"])
    world["rocks"].despawn(slice(None))
    play(world, 2)
    assert (len(world["rocks"]), world.persisted["match.wave"]) == (first + 1, 2)


def test_without_lives_the_match_is_over_until_enter_is_pressed() -> None:
    world = World.open("asteroids", params={"ship": {"shield_time": 0.0}})
    play(world, 1)
    for lives in (2, 1, 0):
        rocks, ships = world["rocks"], world["ships"]
        rocks.x[0], rocks.y[0] = ships.x[0], ships.y[0]
        play(world, 1)
        assert (world.persisted["match.lives"], len(ships)) == (lives, 0)
        rocks.x[:], rocks.y[:] = 0, 0
        play(world, 1)
    assert len(world["ships"]) == 0
    press(pygame.K_RETURN)
    play(world, 2)
    assert (world.persisted["match.lives"], world.persisted["match.score"], len(world["ships"])) == (3, 0, 1)


def test_edits_leave_window_score_and_ship_alone() -> None:
    world = World.open("asteroids")
    press(pygame.K_SPACE, pygame.K_LEFT)
    play(world, 200)
    window, score, heading = pygame.display.get_surface(), world.persisted["match.score"], world["ships"].heading[0]
    held = world.program.helpers["window"].module.held
    before = shown()

    edited(world, screen=("ROCK = (38, 41, 62)", "ROCK = (200, 20, 20)"))
    steps = edited(world, ship=("    shield: f32\n", "    shield: f32\n    fuel: f32\n"))
    assert any("added fuel" in step for step in steps)
    steps = edited(world, window=("(960, 720)", "(640, 480)"), match=('"lives", 3', '"lives", 5'))
    assert {"kept window (made by an earlier version)", "match.lives: keeps 3; its default is now 5"} <= set(steps)

    assert (world.persisted["match.score"], world["ships"].heading[0]) == (score, heading)
    assert world["ships"].fuel.tolist() == [0]
    play(world, 1)
    assert pygame.display.get_surface() is window
    assert window.get_size() == (960, 720)
    assert world.program.helpers["window"].module.window is window
    assert world.program.helpers["window"].module.held is held
    assert world["ships"].heading[0] < heading
    assert not (before == (200, 20, 20)).all(axis=2).any()
    assert (shown() == (200, 20, 20)).all(axis=2).any()


def test_it_is_drawn_in_a_window_of_any_size() -> None:
    world = World.open("asteroids")
    for size in ((320, 200), (1, 1), (400, 1200), (960, 720)):
        pygame.display.set_mode(size, pygame.RESIZABLE)
        play(world, 2)
        assert shown().shape == (*size, 3)


def test_params_are_tuned_while_it_runs() -> None:
    world = World.open("asteroids")
    world.params["ship"].barrels = 5
    press(pygame.K_SPACE)
    play(world, 1)
    assert len(world["shots"]) == 5


def test_closing_the_window_ends_the_run() -> None:
    world = World.open("asteroids")
    play(world, 3)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    with pytest.raises(StopRequested, match="the window was closed"):
        world.step()
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    report = Runtime("asteroids").run(frames=20)
    assert (report["frames"], report["errors"]) == (0, [])


def test_a_saved_game_goes_on(tmp_path: Path) -> None:
    world = World.open("asteroids")
    press(pygame.K_SPACE, pygame.K_RIGHT)
    play(world, 200)
    world.save(tmp_path / "game.instar")
    other = World.load(tmp_path / "game.instar")
    assert other.state.crc == world.state.crc
    assert dict(other.persisted) == dict(world.persisted)
    assert other.persisted["match.score"] > 0


def test_without_pygame_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    scene = shutil.copytree(examples()["asteroids"], tmp_path / "mine")
    with pytest.raises(EditError, match=r'which is not installed: pip install "instar\[game\]"') as refused:
        World.open(scene)
    assert refused.value.path == scene / "window.py"
