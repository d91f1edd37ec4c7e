"""`instar new`: a scene of one's own, copied from a packaged example."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from instar.cli.errors import UsageError
from instar.scene.errors import SceneError, nearest
from instar.scene.file import SceneFile
from instar.scene.locate import SCENE_FILE, examples
from instar.scene.positions import key_lines

_LONGEST_NAME = 255
_LEFT_OUT = {"__pycache__", ".DS_Store", ".instar"}


def new(args: argparse.Namespace) -> int:
    """Copies `args.example` into the folder `args.name` and says what to do next.

    Raises:
        UsageError: the name cannot be a folder's, or there is no such example.
        SceneError: the folder exists and holds something, or cannot be made; nothing is left behind.
    """
    packaged = examples()
    if args.example not in packaged:
        raise UsageError(
            f"there is no example '{args.example}'.{nearest(args.example, packaged)} "
            f"Packaged examples: {', '.join(packaged) or 'none'}."
        )
    folder = _target(args.name)
    with _made_at_once(folder) as draft:
        _copy(packaged[args.example], draft)
        _entitle(draft / SCENE_FILE, folder.name)
    scene = SceneFile.read(folder)
    name = f"./{args.name}" if args.name.startswith("-") else args.name
    shown = shlex.quote(name)
    first = shlex.quote(os.path.join(name, scene.file_of(scene.modules[0]).relative_to(folder)))  # noqa: PTH118
    sys.stdout.write(
        f"Made {args.name} from the example {args.example}.\n\n"
        f"  instar run {shown}\n\n"
        f"Then edit {first} and save: the running world takes the change at its next frame.\n"
    )
    return 0


def _target(name: str) -> Path:
    """The folder to make, checked as far as can be without making it."""
    path = Path(name)
    last = path.name
    if last != last.strip() or last in {"", ".."} or last.startswith(".") or not name.isprintable():
        raise UsageError(f"{name!r} cannot name a scene. Give the new folder a name, such as: instar new mine")
    folder = path.absolute()
    if len(os.fsencode(last)) > _LONGEST_NAME:
        raise UsageError(
            f"{last[:40]}… is too long a name for a folder ({len(last)} characters). Choose a shorter one."
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise SceneError(f"{name} exists and is not empty; nothing was changed. Choose another name.")
    if os.path.lexists(folder) and not folder.is_dir():
        raise SceneError(f"{name} exists and is not a folder; nothing was changed. Choose another name.")
    if not folder.parent.is_dir():
        raise SceneError(f"there is no folder {folder.parent}. Make it first: mkdir -p {shlex.quote(str(path.parent))}")
    return folder


@contextmanager
def _made_at_once(folder: Path) -> Iterator[Path]:
    """A folder to fill, which takes its name when all went well and is gone otherwise."""
    try:
        workshop = Path(tempfile.mkdtemp(prefix=".instar-new-", dir=folder.parent))
        try:
            draft = workshop / "scene"
            draft.mkdir()
            yield draft
            draft.rename(folder)
        finally:
            shutil.rmtree(workshop, ignore_errors=True)
    except OSError as error:
        raise SceneError(f"{folder} cannot be made: {error.strerror}. Nothing was changed.") from None


def _copy(source: Path, target: Path) -> None:
    """Contents without modes: the example may be installed read-only, the copy is to be edited."""
    for entry in sorted(source.iterdir()):
        if entry.name in _LEFT_OUT or entry.suffix == ".pyc":
            continue
        if entry.is_dir():
            (target / entry.name).mkdir()
            _copy(entry, target / entry.name)
        else:
            shutil.copyfile(entry, target / entry.name)


def _entitle(path: Path, title: str) -> None:
    """Puts the title into a scene file in place of its own."""
    text = path.read_text(encoding="utf-8")
    line = f"title = {json.dumps(title, ensure_ascii=False)}"
    lines = text.split("\n")
    place = key_lines(text).get(("title",))
    if place is None:
        lines.insert(0, line)
    else:
        lines[place - 1] = line
    path.write_text("\n".join(lines), encoding="utf-8")
