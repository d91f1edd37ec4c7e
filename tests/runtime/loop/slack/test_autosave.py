from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from instar.hmr.state import Checkpoint, CheckpointError, StateManager, f32
from instar.loop.slack.autosave import Autosave

SECOND = 1_000_000_000


class Saving:
    """A state that is saved every second, by the test's clock."""

    def __init__(self, folder: Path) -> None:
        self.state = StateManager(history_bytes=1 << 20)
        self.state.table("hares", {"x": f32}).spawn(3)
        self.state.commit()
        self.told: list[str] = []
        self.path = folder / ".instar" / "autosave.instar"
        self.autosave = Autosave(self.path, SECOND, self.state.checkpoint, self.told.append)

    def step(self, seconds: float) -> None:
        """A frame at some time."""
        self.state["hares"].x += 1
        self.state.commit()
        self.autosave.maintain(round(seconds * SECOND))

    def settle(self) -> None:
        """Wait until the file is written."""
        if self.autosave._running is not None:
            self.autosave._running.exception()

    @property
    def saved(self) -> int | None:
        return Checkpoint.read(self.path).frame if self.path.exists() else None


@pytest.fixture
def saving(tmp_path: Path) -> Saving:
    return Saving(tmp_path)


def test_a_save_begins_when_one_is_due(saving):
    seen = []
    for tenth in range(35):
        saving.step(tenth / 10)
        saving.settle()
        seen.append(saving.saved)
    assert seen[:10] == [None] * 10
    assert [seen[tenth] for tenth in (10, 19, 20, 29, 30, 34)] == [12, 12, 22, 22, 32, 32]


def test_what_it_tells(saving):
    assert saving.autosave.document() == {
        "path": str(saving.path), "frame": None, "saves": 0, "seconds": 0.0, "every_s": 1.0, "error": None,
    }  # fmt: skip
    saving.step(0)
    saving.step(1)
    saving.settle()
    told = saving.autosave.document()
    assert (told["frame"], told["saves"]) == (3, 1)
    assert told["seconds"] > 0
    assert saving.told == []


def test_never_two_at_once_and_no_frame_waits(saving, monkeypatch):
    gate, begun = threading.Event(), []

    def slow(checkpoint: Checkpoint, path: Any) -> None:
        begun.append(checkpoint.frame)
        gate.wait()

    monkeypatch.setattr(Checkpoint, "save", slow)
    for second in range(10):
        saving.step(second)
    assert saving.state.frame == 11
    gate.set()
    saving.settle()
    assert begun == [3]
    saving.step(11)
    saving.settle()
    assert begun == [3, 12]


def test_the_last_save_is_of_the_last_frame(saving):
    for second in range(3):
        saving.step(second)
    saving.step(2.1)
    saving.autosave.finish()
    assert saving.saved == saving.state.frame == 5
    before = saving.autosave.document()["saves"]
    saving.autosave.finish()
    assert saving.autosave.document()["saves"] == before


def test_an_error_is_told_once_and_the_next_save_may_work(saving, monkeypatch):
    def refuse(checkpoint: Checkpoint, path: Any) -> None:
        raise CheckpointError("the disk is full")

    monkeypatch.setattr(Checkpoint, "save", refuse)
    for second in range(5):
        saving.step(second)
        saving.settle()
    assert saving.told == ["autosave failed: the disk is full. The run goes on, and saving is tried again"]
    assert saving.autosave.document()["error"] == "the disk is full"
    monkeypatch.undo()
    for second in range(5, 8):
        saving.step(second)
        saving.settle()
    assert saving.autosave.document()["error"] is None
    assert saving.saved is not None


def test_what_is_not_committed_is_told(saving):
    saving.step(0)
    saving.state["hares"].x += 1
    saving.autosave.maintain(2 * SECOND)
    assert "hares.x was written" in saving.told[0]


def test_version_control_is_told_to_look_away(saving):
    assert (saving.path.parent / ".gitignore").read_text() == "*\n"


def test_a_folder_that_cannot_be_made_is_said_before_anything_runs(tmp_path):
    (tmp_path / ".instar").write_text("a file in the way")
    with pytest.raises(CheckpointError, match="Nothing was started; run a copy of the scene"):
        Saving(tmp_path)
