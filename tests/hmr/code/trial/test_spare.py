from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from instar.hmr.code import LoadError
from instar.hmr.code.trial import Trial

from ..conftest import PATIENCE, Scene
from .test_trial import LIMIT, Tried, gone, module


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    monkeypatch.setattr("instar.hmr.code.trial.spare.AFTER_SECONDS", 0.0)
    trial = Trial(LIMIT)
    yield trial
    trial.close()


def spare_of(trial: Trial) -> int:
    """Waits for the spare process."""
    spare = trial._spare
    with spare._changed:
        assert spare._changed.wait_for(lambda: spare.pid is not None, PATIENCE)
    assert spare.pid is not None
    return spare.pid


CRASH = "import os\nfrom instar.hmr.code.trial import trying\nif trying():\n    os.abort()\n"
HANG = "from instar.hmr.code.trial import trying\nwhile trying():\n    pass\n"


@pytest.mark.parametrize("text", [CRASH, HANG])
def test_the_spare_takes_the_place_of_a_process_that_was_lost(
    scene: Scene, trial: Trial, tmp_path: Path, text: str
) -> None:
    log = tmp_path / "log"
    scene.write("steady.py", f"import os\nwith open({str(log)!r}, 'a') as file:\n    print(os.getpid(), file=file)\n")
    scene.write("flock.py", "import steady\nx = 1\n")
    tried = Tried(scene, trial)
    tried.edit({"flock.py": "import steady\nx = 2\n"})
    spare = spare_of(trial)
    assert log.read_text().split().count(str(spare)) == 1  # it is warm
    with pytest.raises(LoadError):
        tried.edit({"flock.py": text})
    assert trial.pid == spare
    assert module(tried.edit({"flock.py": "import steady\nx = int('3')\n"})).x == 3
    assert trial.pid == spare
    assert log.read_text().split().count(str(spare)) == 1
    assert spare_of(trial) != spare


def test_there_is_none_before_the_first_edit_and_one_at_most_after(scene: Scene, trial: Trial) -> None:
    scene.write("flock.py", "x = 1\n")
    tried = Tried(scene, trial)
    assert trial._spare._thread is None
    tried.edit({"flock.py": "x = 2\n"})
    spare = spare_of(trial)
    for x in range(3, 6):
        tried.edit({"flock.py": f"x = {x}\n"})
    assert trial._spare.pid == spare


def test_a_spare_that_was_killed_is_not_used(scene: Scene, trial: Trial) -> None:
    scene.write("flock.py", "x = 1\n")
    tried = Tried(scene, trial)
    tried.edit({"flock.py": "x = 2\n"})
    spare = spare_of(trial)
    os.kill(spare, signal.SIGKILL)
    assert isinstance(tried.refusal(CRASH), LoadError)
    assert trial.pid not in (None, spare)
    assert module(tried.edit({"flock.py": "x = int('3')\n"})).x == 3


def test_it_comes_up_without_what_cannot_be_executed_there(scene: Scene, trial: Trial) -> None:
    text = "import os\nfrom instar.hmr.code.trial import trying\nif trying():\n    os._exit(3)\n"
    scene.write("hostile.py", text)
    scene.write("flock.py", "import hostile\nx = 1\n")
    tried = Tried(scene, trial)
    tried.edit({"flock.py": "import hostile\nx = 2\n"})
    assert spare_of(trial)


def test_it_ends_with_the_trial(scene: Scene, trial: Trial) -> None:
    scene.write("flock.py", "x = 1\n")
    Tried(scene, trial).edit({"flock.py": "x = 2\n"})
    spare = spare_of(trial)
    trial.close()
    assert gone(spare)
    trial._spare.want()
    assert trial._spare._thread is not None
    assert not trial._spare._thread.is_alive()
