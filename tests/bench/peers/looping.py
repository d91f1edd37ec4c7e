"""A 60 Hz loop in a process of its own, whose code one of the tools reloads, used as its README says.

    python looping.py TOOL FOLDER

It calls `edited.update()` of the folder in each frame and goes on when that raises, as a game would.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import peer_probe


def jurigged_loop(folder: Path) -> Callable[[], None]:
    """README, "Jurigged API": `watch(path)` before the modules are imported; the default debounce of 50 ms."""
    import jurigged

    jurigged.watch(str(folder / "*.py"), logger=lambda _event: None)
    edited = importlib.import_module("edited")
    return lambda: edited.update()  # noqa: PLW0108 - looked up in each frame


def ipython_loop(_folder: Path) -> Callable[[], None]:
    """`%load_ext autoreload`, `%autoreload 2`: what changed is reloaded before each cell; each frame is a cell."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance(history_length=0)
    shell.history_manager.enabled = False
    shell.run_line_magic("load_ext", "autoreload")
    shell.run_line_magic("autoreload", "2")
    shell.run_cell("import edited")

    def frame() -> None:
        shell.run_cell("edited.update()", store_history=False).raise_error()

    return frame


def naive_loop(folder: Path) -> Callable[[], None]:
    """What people write first: watchdog's `on_modified`, and `importlib.reload` in the next frame."""
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    changed: set[str] = set()

    class Handler(FileSystemEventHandler):
        def on_modified(self, event: object) -> None:
            changed.add(Path(str(event.src_path)).stem)  # type: ignore[attr-defined]

    observer = Observer()
    observer.schedule(Handler(), str(folder))
    observer.start()
    importlib.import_module("edited")

    def frame() -> None:
        while changed:
            module: ModuleType | None = sys.modules.get(changed.pop())
            if module is not None:
                importlib.reload(module)
        sys.modules["edited"].update()

    return frame


TOOLS = {"jurigged": jurigged_loop, "IPython autoreload": ipython_loop, "watchdog + importlib.reload": naive_loop}


def main(tool: str, folder: Path) -> None:
    """Runs until it is ended."""
    sys.path.insert(0, str(folder))
    frame = TOOLS[tool](folder)
    due = time.monotonic()
    while True:
        try:
            frame()
        except Exception as error:  # noqa: BLE001 - a loop that goes on is what is compared
            peer_probe.saw(["error", type(error).__name__])
        due = max(due + 1 / 60, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
