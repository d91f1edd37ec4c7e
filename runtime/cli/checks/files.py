"""Whether a saved file is noticed."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from instar.cli.checks.check import Check, setting
from instar.scene.locate import examples

_PATIENCE = 2.0
_FEW_WATCHES = 8192
_FEW_INSTANCES = 16


def watch_limits() -> Iterator[Check]:
    """How many folders and programs Linux lets watch at once."""
    inotify = Path("/proc/sys/fs/inotify")
    watches = setting(str(inotify / "max_user_watches"))
    instances = setting(str(inotify / "max_user_instances"))
    if watches is None or instances is None:
        return
    used = _instances_in_use()
    scarce = int(watches) < _FEW_WATCHES or int(instances) - used < _FEW_INSTANCES
    yield Check(
        "watch limits",
        "warn" if scarce else "ok",
        f"{int(watches):,} folders; {used} of {int(instances):,} watchers seen in use",
        "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512" if scarce else "",
    )


def write_events() -> Iterator[Check]:
    """Whether a file written in a temporary folder and in the current one is heard of."""
    logging.getLogger("watchdog").addHandler(logging.NullHandler())  # it warns of events that come after the probe
    places = [("temporary folder", Path(tempfile.gettempdir())), ("current folder", _current())]
    for name, folder in places:
        if folder is None:
            yield Check(name, "warn", "is gone", "Change to a folder that exists.")
        else:
            yield _probe(name, folder)


def examples_installed() -> Iterator[Check]:
    """Whether the packaged examples are there."""
    names = ", ".join(examples())
    advice = "" if names else "Install again: pip install --force-reinstall ."
    yield Check("examples", "ok" if names else "warn", names or "none are installed", advice)


class _Heard(FileSystemEventHandler):
    """Notes that something happened to the probe."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def on_any_event(self, event: FileSystemEvent) -> None:
        if str(event.src_path).endswith("probe.py"):
            self.event.set()


def _probe(name: str, folder: Path) -> Check:
    """Writes a file into a folder of its own below `folder` and waits for the news of it."""
    observer, heard = Observer(), _Heard()
    try:
        with tempfile.TemporaryDirectory(prefix=".instar-doctor-", dir=folder) as made:
            try:
                observer.schedule(heard, made)
                observer.start()
                (Path(made) / "probe.py").write_text("pass\n", encoding="utf-8")
                arrived = heard.event.wait(_PATIENCE)
            finally:
                if observer.is_alive():
                    observer.stop()
                    observer.join()
    except OSError as error:
        advice = "Scenes here can be run but not edited, unless the folder is made writable."
        return Check(name, "warn", f"{folder}: {error.strerror}", advice)
    if arrived:
        return Check(name, "ok", f"{folder}: a saved file is noticed")
    return Check(name, "warn", f"{folder}: no news of a saved file", "Edits here are found by polling, a little later.")


def _current() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


def _instances_in_use() -> int:
    """Watchers among the processes that may be looked at."""
    used = 0
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            used += sum(str(entry.readlink()) == "anon_inode:inotify" for entry in folder.iterdir())
        except OSError:
            continue
    return used
