from __future__ import annotations

import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from instar.view.panel import render

ERROR = """hunters.py:31: update raised ZeroDivisionError: division by zero

  30 │     near = space.neighbours(hunters, reach)
  31 │     hunters.speed = 1 / 0
     │                     ^^^^^
The module rests until its next edit."""


def drawn(state: dict[str, Any], width: int, height: int, **options: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=width, legacy_windows=False, **options)
    console.print(render(state, width, height))
    return console.file.getvalue().rstrip("\n").split("\n")  # type: ignore[attr-defined]


def text(*args: Any) -> str:
    return "\n".join(drawn(*args))


def test_everything_there_is_to_know_is_shown(snapshot: Any) -> None:
    shown = text(snapshot(), 100, 40)
    for part in (
        "Hunters and prey  predator",
        "● running",
        "frame  12,345",
        "60.0 / 60 fps",
        "p50    4  p99   31  max  220  µs",
        "missed 0, 0 by edits",
        "5.28 of 16.67 ms",
        "update        4.00    5.00",
        "  prey        3.20    4.00",
        "┊ 8 ms",
        "memory     301 MB of 2.0 GB   history 254 MB   committed 24 MB   live 23 MB",
        "state ms   commit 0.42 0.61   validate 1.20 1.90",
        "prey 9,874   hunters 211",
        "● prey 3fa2c1d0   ◐ hunters 91aa02be probation",
        "watching   /home/ada/predator  inotify",
        "history    last 212 frames  254 MB",
        "12:03:44   ✓ live       prey.py",
        "3.2     8.0      0.1",
        "prey: added energy (f32, default 1.0)",
    ):
        assert part in shown


@pytest.mark.parametrize("errors", [[], [ERROR], [ERROR, "x" * 500], ["\n".join(map(str, range(100)))]])
@pytest.mark.parametrize("picture", [None, ["⠁" * 40] * 15])
@pytest.mark.parametrize(
    ("width", "height"), [(200, 60), (120, 30), (110, 36), (80, 23), (80, 12), (60, 16), (40, 10), (20, 5)]
)
def test_the_panel_keeps_within_its_room(
    snapshot: Any, width: int, height: int, picture: list[str] | None, errors: list[str]
) -> None:
    lines = drawn(snapshot(errors=errors, braille=picture), width, height)
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width


def test_what_matters_least_gives_way_first(snapshot: Any) -> None:
    tall, short, tiny = (text(snapshot(), 80, height) for height in (40, 12, 3))
    for part in ("maintain", "history"):
        assert part in tall
        assert part not in short
    for part in ("update", "hunters 211", "probation", "prey.py"):
        assert part in short
    assert "Hunters and prey" in tiny
    assert "deadline" in tiny


@pytest.mark.parametrize(("width", "height"), [(80, 19), (60, 14)])
def test_an_error_takes_the_room_it_needs(snapshot: Any, width: int, height: int) -> None:
    shown = text(snapshot(errors=[ERROR]), width, height)
    for line in ERROR.splitlines():
        assert line.strip()[:40] in shown
    assert "✗ error" in shown
    assert "frame  12,345" in shown


def test_an_error_too_long_for_the_screen_shows_its_beginning_and_its_end(snapshot: Any) -> None:
    shown = text(snapshot(errors=["first\n" + "\n".join(f"line {n}" for n in range(50)) + "\nlast"]), 80, 20)
    assert "first" in shown
    assert "last" in shown
    assert "line 3" in shown
    assert "lines left out" in shown


def test_several_errors_are_counted_and_control_codes_in_them_are_gone(snapshot: Any) -> None:
    shown = text(snapshot(errors=["one\x1b[2J", "two\x07"]), 80, 24)
    assert "✗ 2 errors" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_over_budget_is_said_by_a_sign_too(snapshot: Any) -> None:
    slow = {"update": {"mean": 9.4, "p99": 11.0, "max": 12.0}, "commit": {"mean": 9.0, "p99": 20.0, "max": 30.0}}
    shown = text(snapshot(phases_ms=slow), 100, 40)
    assert "▲ over 8.00" in shown
    assert "△ p99 > 16.67" in shown
    assert "▲  18.40 of 16.67 ms" in shown


def test_states_and_verdicts_have_signs(snapshot: Any) -> None:
    def edit(verdict: str, **more: Any) -> dict[str, Any]:
        return {"files": ["a.py"], "verdict": verdict, "frame": 7, **more}

    edits = [edit("rejected", error="a.py:3: no\nmore"), edit("rolled_back"), edit("live", event_to_ready_ms=2.0)]
    modules = {"a": {"version": "0123456789", "state": "quarantined", "ms": None}}
    shown = text(snapshot(edits=edits, modules=modules, state="paused at breakpoint"), 100, 40)
    for part in ("✗ rejected", "a.py:3: no", "↶ rolled back", "frame 7", "✗ a 01234567 quarantined", "‖ paused at"):
        assert part in shown
    assert "■ ended" in text(snapshot(state="ended"), 80, 24)


def test_a_receipt_shows_what_the_edit_touched(snapshot: Any) -> None:
    receipt = {
        "files": ["flock.py", "scene.toml"],
        "verdict": "live",
        "frame": 7,
        "event_to_compiled_ms": 1.25,
        "event_to_ready_ms": 2.5,
        "ready_to_swap_ms": 8.0,
        "swap_ms": 0.1,
        "migrated": ["boids: added energy (f32, default 1.0)"],
        "settings": ["fps is now 30, was 60"],
        "rows": 10_000,
        "predicted": "temp file",
        "saved_ms": 3.25,
        "imports": {"scipy": 120.4},
        "superseded": [["flock.py", "0123456789ab"]],
    }
    shown = text(snapshot(edits=[receipt]), 120, 50)
    for part in (
        "boids: added energy",
        "fps is now 30, was 60",
        "compiled   ready    wait  swap ms",
        "1.2     2.5     8.0",
    ):
        assert part in shown
    assert (
        "10,000 agents touched · temp file: 3.2 ms spared · import of scipy 120 ms · 1 earlier save replaced" in shown
    )
    assert "compiled" not in text(snapshot(edits=[receipt]), 80, 50)
    gone = text(snapshot(edits=[{**receipt, "verdict": "rolled_back", "error": "boids.x is nan\nmore"}]), 100, 50)
    assert "boids.x is nan" in gone
    assert "fps is now 30" not in gone


def test_breaches_of_a_budget_stand_beside_it(snapshot: Any) -> None:
    shown = text(snapshot(breaches={"update": {"count": 12}}), 100, 40)
    assert "┊ 8 ms 12×" in shown


def test_late_frames_are_shown_with_their_causes_and_the_way_to_the_last_one(snapshot: Any) -> None:
    spans = [
        {"name": "boundary", "depth": 0, "ms": 0.1},
        {"name": "update", "depth": 0, "ms": 22.0},
        {"name": "flock.update", "depth": 1, "ms": 21.9},
        {"name": "reading", "depth": 2, "ms": 1.0},
        {"name": "path-finding", "depth": 2, "ms": 20.5},
        {"name": "edges", "depth": 3, "ms": 8.0},
        {"name": "grow.update", "depth": 1, "ms": 0.1},
        {"name": "commit", "depth": 0, "ms": 0.5},
    ]
    last = {"frame": 1200, "late_ms": 6.23, "cause": "update", "spans": spans}
    shown = text(snapshot(late={"causes": {"garbage": 1, "update": 12}, "newest": [last]}), 100, 40)
    assert "12 update  1 garbage" in shown
    assert "frame 1,200  6.2 ms late  update › flock.update › path-finding 20.5 ms" in shown
    behind = {**last, "frame": 1201, "cause": "catching up"}
    shown = text(snapshot(late={"causes": {"catching up": 1, "update": 12}, "newest": [last, behind]}), 100, 40)
    assert "frame 1,200  6.2 ms late" in shown
    assert "frame 1,201" not in shown
    bare = {**last, "spans": []}
    assert "6.2 ms late  update" in text(snapshot(late={"causes": {"update": 1}, "newest": [bare]}), 100, 40)
    assert "late for" not in text(snapshot(), 100, 40)


def test_only_the_last_edits_are_shown_the_newest_first(snapshot: Any) -> None:
    edits = [{"files": [f"m{n}.py"], "verdict": "live", "frame": n} for n in range(9)]
    shown = text(snapshot(edits=edits, edit_count=9), 80, 40)
    assert "edits 9" in shown
    assert "m4.py" not in shown
    assert shown.index("m8.py") < shown.index("m5.py")


def test_the_picture_of_the_world_stands_beside_where_there_is_room(snapshot: Any) -> None:
    state = snapshot(braille=["⠁" * 40] * 15)
    wide, narrow = drawn(state, 120, 30), text(state, 100, 30)
    assert sum("│" + "⠁" * 40 + "│" in line for line in wide) == 15
    assert "⠁" not in narrow
    assert "Hunters and prey" in wide[0]


def test_missing_keys_are_no_reason_to_show_nothing() -> None:
    least = {"scene": "boids", "frame": 3, "fps": 60, "errors": [], "edits": [], "modules": {}, "agents": {}}
    assert "boids" in text(least, 80, 24)
    assert "none yet: edit a file and save it" in text(least, 80, 24)
    assert text({}, 80, 24)


def test_no_color_is_respected(snapshot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    state = snapshot(errors=["bad"])
    assert "\x1b[31m" in "\n".join(drawn(state, 80, 24, force_terminal=True, color_system="standard"))
    monkeypatch.setenv("NO_COLOR", "1")
    plain = "\n".join(drawn(state, 80, 24, force_terminal=True, color_system="standard"))
    assert not any(f"\x1b[{colour}m" in plain for colour in (31, 32, 33, 34, 36))


def test_many_tables_take_several_lines_and_long_names_are_cut(snapshot: Any) -> None:
    agents = {f"table_number_{n}": 10**n for n in range(7)}
    modules = {"birds.of.a.feather": {"version": "0", "state": "live", "ms": {"mean": 1.0, "p99": 1.0, "max": 1.0}}}
    shown = text(snapshot(agents=agents, modules=modules, watch={"mode": "poll", "notice": "slow disk"}), 80, 40)
    assert "table_number_6 1,000,000" in shown
    assert "  birds.o…" in shown
    assert "! slow disk" in shown
