"""`instar`: reads the command line and hands it to the command it names."""

from __future__ import annotations

import argparse
import importlib
import math
import re
import sys
from collections.abc import Callable, Sequence

from instar.cli.streams import abandon_output, flush_output, open_missing_streams

_COMMANDS = {
    "run": "instar.cli.run",
    "new": "instar.cli.new",
    "inspect": "instar.cli.inspect",
    "bench": "instar.cli.bench",
    "doctor": "instar.cli.doctor",
}
"""Where each command lives: in a function of its own name."""

_INTERRUPTED = 130
_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_SECONDS = 30 * 86400.0


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command of `instar`.

    Args:
        argv: the words after `instar`; those of the process unless given.

    Returns:
        The exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted outside a run.
    """
    open_missing_streams()
    if sys.platform == "win32":
        return _fail("Windows is not supported; Linux and macOS are, and so is Windows' own Linux (WSL).")
    try:
        code = _run(_parser().parse_args(argv))
    except SystemExit as finished:  # from argparse: help, version, wrong usage
        code = finished.code if isinstance(finished.code, int) else 0
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        abandon_output()
        return 1
    except OSError as error:
        abandon_output()
        return _fail(f"the system refused: {error}. Nothing more was done.")
    return code if flush_output() else 1


def _run(args: argparse.Namespace) -> int:
    """Runs the command; errors that a person can cause become a message."""
    try:
        from instar.cli.errors import InstarError, UsageError  # noqa: PLC0415  loads native code, which help needs not
        from instar.scene.errors import UnknownSceneError  # noqa: PLC0415
    except ImportError as error:
        return _fail(f"the native part cannot be loaded ({error}). Build it again: pip install --force-reinstall .")
    except Exception as error:  # noqa: BLE001  an InstarError from native code, whose class cannot be imported now
        return _fail(str(error))
    try:
        command = getattr(importlib.import_module(_COMMANDS[args.command]), args.command)
        return int(command(args))
    except InstarError as error:
        return _fail(str(error), 2 if isinstance(error, UsageError | UnknownSceneError) else 1)


def _fail(message: str, code: int = 1) -> int:
    sys.stderr.write(f"instar: {message}\n")
    return code


class _Version(argparse.Action):
    """Prints the version, which is looked up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"instar {importlib.import_module('instar').__version__}\n")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="instar",
        description="Games and agent simulations whose code you edit while the world runs.",
        epilog="Begin with: instar run tutorial",
    )
    parser.add_argument("--version", action=_Version, nargs=0, dest=argparse.SUPPRESS, help="print the version and end")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_run(commands.add_parser("run", help="run a scene; edits of its files take effect at the next frame"))
    _add_new(commands.add_parser("new", help="start a scene of your own from an example"))
    _add_inspect(commands.add_parser("inspect", help="show what a saved world holds, and verify it"))
    _add_bench(commands.add_parser("bench", help="measure frames, edits or commits on this machine"))
    _add_doctor(commands.add_parser("doctor", help="check what this machine offers and what is missing"))
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.description = "Run a scene. Ctrl-C ends it."
    parser.add_argument("scene", metavar="SCENE", help="a folder with a scene.toml, or the name of a packaged example")
    parser.add_argument("--frames", metavar="N", type=_whole(1, 2**63 - 1), help="end after N frames")
    parser.add_argument("--fps", metavar="F", type=_whole(1, 1000), help="frames per second, instead of the scene's")
    parser.add_argument(
        "--speed", metavar="X", type=_speed, default=1.0, help="so many times faster than the world's own time, or max"
    )
    parser.add_argument("--seed", metavar="S", type=_whole(0, 2**64 - 1), help="seed, instead of the scene's")
    parser.add_argument(
        "--set",
        metavar="MODULE.PARAM=VALUE",
        action="append",
        default=[],
        help="a parameter's value, over the scene's; may be repeated",
    )
    parser.add_argument(
        "--autosave",
        metavar="TIME",
        type=_seconds,
        help="save the world so often, such as 5s, 2m or 500ms, and when the run ends, in SCENE/.instar/autosave.instar",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the autosave, if there is one")
    parser.add_argument(
        "--reload-log", metavar="FILE", help="append what each edit did to FILE, one line of JSON for each"
    )
    parser.add_argument(
        "--log", metavar="FILE", help="append edits, late frames, faults and repairs to FILE, one line of JSON for each"
    )
    parser.add_argument("--headless", action="store_true", help="one line a second instead of the live view")
    parser.add_argument("--json", action="store_true", help="print what happened as JSON at the end")


def _add_new(parser: argparse.ArgumentParser) -> None:
    parser.description = "Copy a packaged example into a new folder, to be run and edited."
    parser.add_argument("name", metavar="NAME", help="the folder to make; its last part is the scene's title")
    parser.add_argument("--from", metavar="EXAMPLE", dest="example", default="tutorial", help="default: tutorial")


def _add_inspect(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show what a saved world holds, decompress all of it and compare it with its checksums."
    parser.add_argument("file", metavar="FILE", help="what World.save or an autosave wrote")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.description = "Measure this machine: frame pacing, the way of an edit, or the commit of a frame."
    parser.add_argument("what", metavar="WHAT", choices=("loop", "reload", "state"), help="loop, reload or state")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.description = "Check what this machine offers, what is missing, and how to get it."
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def _seconds(text: str) -> float:
    """A duration: a number and its unit."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(f"'{text}' is no time such as 5s, 2m or 500ms")
    return seconds


def _speed(text: str) -> float:
    """A factor, or as fast as can be."""
    if text == "max":
        return math.inf
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0.001 <= factor <= 1000:
        raise argparse.ArgumentTypeError(f"'{text}' is neither a number from 0.001 to 1000 nor 'max'")
    return factor


def _whole(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers within [low, high]."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {low} to {high}")
        return number

    return read
