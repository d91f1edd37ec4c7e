"""`instar run`: a scene, its view and its report."""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from instar.cli.errors import UsageError
from instar.runner import Runtime
from instar.saves import AUTOSAVE
from instar.view.capture import captured
from instar.view.choice import choose


def run(args: argparse.Namespace) -> int:
    """Run a scene until it ends; 1 if a module is quarantined then, or the world could not be saved."""
    params = parse_settings(args.set or ())
    view = choose(sys.stderr, headless=args.headless)
    with captured(view):
        document: dict[str, Any] = {}
        try:
            runtime = Runtime(
                args.scene,
                fps=args.fps,
                seed=args.seed,
                params=params,
                view=view,
                autosave=args.autosave,
                resume=args.resume,
                reload_log=args.reload_log,
                log=args.log,
                speed=args.speed,
            )
            if args.resume:
                view.message(_beginning(runtime))
            if runtime.set_aside is not None:
                view.message(
                    f"an earlier run's save is kept as {runtime.set_aside}; --resume would have gone on from it"
                )
            view.message(f"{runtime.world.scene.title} runs; edit its files in {runtime.world.scene.folder}")
            document = runtime.run(args.frames)
        finally:
            view.close(document)
    if args.json:
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    quarantined = any(module["state"] == "quarantined" for module in document["modules"].values())
    unsaved = document["autosave"] is not None and document["autosave"]["error"] is not None
    return int(quarantined or unsaved)


def _beginning(runtime: Runtime) -> str:
    """Where a run with `--resume` begins, for people."""
    if runtime.resumed is None:
        return f"nothing was saved in {runtime.world.scene.folder / AUTOSAVE}: it starts anew"
    return f"goes on from frame {runtime.resumed}, saved in {runtime.world.scene.folder / AUTOSAVE}"


def parse_settings(settings: Iterable[str]) -> dict[str, dict[str, Any]]:
    """`--set module.param=value` → values by module and parameter: numbers and true/false as such, the rest as text.

    Raises:
        UsageError: If a setting has another form.
    """
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for setting in settings:
        name, equals, value = setting.partition("=")
        module, dot, param = name.strip().rpartition(".")
        if not (equals and dot and module and param):
            raise UsageError(f"--set {setting}: write --set module.param=value, such as --set flock.cohesion=0.05")
        found[module][param] = _value(value.strip())
    return dict(found)


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text
