"""A scene that runs while a test edits its files, as a person with an editor would."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from instar.runner import Runtime
from instar.world import World

PATIENCE = 20.0
T = TypeVar("T")


class Live:
    """The hands of a person: saves files of a running scene and looks at its world between frames.

    Attributes:
        folder: The scene's folder.
        runtime: What runs it.
        over: Set when the run is over.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = Runtime(folder)
        self.over = threading.Event()

    def play(self, scenario: Callable[[Live], None]) -> dict[str, Any]:
        """Run the scene on this thread while the scenario goes on in another; returns the report.

        Raises:
            BaseException: What the scenario raised.
        """
        failed: list[BaseException] = []

        def act() -> None:
            try:
                self.see(lambda world: world.frame > 1)
                scenario(self)
            except BaseException as error:  # noqa: BLE001 - told by the thread of the test
                failed.append(error)
            finally:
                self.runtime.stop()

        person = threading.Thread(target=act, daemon=True)
        person.start()
        try:
            return self.runtime.run()
        finally:
            self.over.set()
            person.join(PATIENCE)
            if failed:
                raise failed[0]

    def save(self, name: str, text: str) -> None:
        """Write a file of the scene in place."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in a file of the scene, which is there once."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, (old, text)
        self.save(name, text.replace(old, new))

    def ask(self, question: Callable[[World], T]) -> T:
        """What a function returns of the world, between two frames."""
        answered = threading.Event()
        answers: list[T] = []

        def answer(world: World) -> None:
            try:
                answers.append(question(world))
            finally:
                answered.set()

        self.runtime.post(answer)
        assert answered.wait(PATIENCE), "the world did not go on"
        assert answers, "the question cannot be asked of this world"
        return answers[0]

    def see(self, wanted: Callable[[World], object]) -> None:
        """Wait until something is so between two frames."""
        seen, tired = threading.Event(), threading.Event()

        def look(world: World) -> None:
            if wanted(world):
                seen.set()
            elif not tired.is_set():
                self.runtime.post(look)

        self.runtime.post(look)
        found = seen.wait(PATIENCE)
        tired.set()
        assert found, f"never came to be; told: {[str(one) for one in self.runtime.receipts]}"

    def verdicts(self) -> list[str]:
        """The verdicts of the edits so far, oldest first."""
        return [receipt.verdict for receipt in self.runtime.receipts]

    def receipt(self, number: int = 1) -> Any:
        """The n-th receipt, once it is there."""
        self.see(lambda _: len(self.runtime.receipts) >= number)
        return self.runtime.receipts[number - 1]
