"""The storm: thousands of random saves of a running scene, and an oracle that knows what each of its frames must run.

    python tests/bench/storm.py --saves 10000 --seed 1 --json

Exit status 1 if anything was torn, stale, lost, leaked or crashed. The steps depend on the seed alone, so that what was
found is found again: with the same seed, up to the step that is named (`--until`), printed as they are done (`--trace`).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))

from driver import Driver
from figures import figures, table
from plan import WEIGHTS, Plan

WARM_SAVES = 200
"""What the process holds by then is compared with what it holds in the end."""
MOST_DEFECTS = 25
"""After so many it gives up: they are hardly all different."""


def main() -> int:
    """Runs a storm as the command line says."""
    args = _arguments()
    weights = _weights(args.weights, args.only)
    folder = Path(tempfile.mkdtemp(prefix="instar-storm-"))
    found: dict[str, Any] = {}
    try:
        found = storm(folder, args, weights)
    finally:
        if args.keep or found.get("defects"):
            sys.stderr.write(f"the scene is kept in {folder}\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write((json.dumps(found, indent=2) if args.json else table(found)) + "\n")
    return int(bool(found["defects"]))


def storm(folder: Path, args: argparse.Namespace, weights: dict[str, float]) -> dict[str, Any]:
    """Runs a storm in a folder; returns its figures."""
    plan = Plan(args.seed, weights, args.largest)
    trace = (lambda line: sys.stderr.write(line + "\n")) if args.trace else (lambda _line: None)
    rolls_back = _has("instar.edits.probation") and args.probation
    driver = Driver(folder, plan, bound_s=math.inf if args.untimed else args.bound, rolls_back=rolls_back, trace=trace)
    began = time.monotonic()
    logs: list[dict[str, Any]] = []
    held: list[dict[str, Any]] = []
    looks = [min(WARM_SAVES, args.saves // 2), args.saves // 2]
    status, report = -1, {}
    try:
        if not driver.begin():
            raise SystemExit(f"the scene did not start:\n{driver.child.all_heard()}")
        for step in plan.steps():
            if driver.tally.saves >= args.saves or (args.until and step.number > args.until):
                break
            if args.seconds and time.monotonic() - began > args.seconds:
                break
            if not driver.do(step):
                logs.append(
                    {
                        "step": step.number,
                        "kind": step.kind,
                        "log": driver.log,
                        "said": driver.child.all_heard()[-3000:],
                    }
                )
                if len(driver.oracle.defects) >= MOST_DEFECTS or not driver.child.alive or not driver.recover():
                    break
            if looks and driver.tally.saves >= looks[0]:
                held.append(driver.held())
                looks.pop(0)
        if driver.child.alive:
            driver.recover()
            held.append(driver.held())
            status, report = driver.child.end()
    finally:
        driver.child.close()
    seconds = time.monotonic() - began
    return figures(driver, args, seconds, held, status, report, logs)


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _weights(given: list[str], only: list[str]) -> dict[str, float]:
    weights: dict[str, float] = dict(WEIGHTS) if not only else dict.fromkeys(only, 1.0)
    if not _has("instar.hmr.code.trial"):
        weights.update({"os exit at import": 0, "hang at import": 0})
    if not _has("instar.edits.probation"):
        weights.update({"bad value": 0})
    for one in given:
        kind, _, weight = one.partition("=")
        if kind not in WEIGHTS:
            raise SystemExit(f"--weights {one}: there is no step {kind!r}; there are {', '.join(WEIGHTS)}")
        weights[kind] = float(weight)
    return weights


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--saves", type=int, default=1000, help="how many files are saved (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="what the steps are drawn from")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--bound", type=float, default=1.0, help="seconds until a save must run (default 1)")
    parser.add_argument("--untimed", action="store_true", help="late saves and missed frames are no defects")
    parser.add_argument("--seconds", type=float, help="end after so many seconds")
    parser.add_argument("--until", type=int, help="end after this step")
    parser.add_argument("--largest", type=int, default=5000, help="lines of the largest files")
    parser.add_argument(
        "--weights", nargs="*", default=[], metavar="KIND=WEIGHT", help="how often a kind of step is drawn"
    )
    parser.add_argument("--only", nargs="*", default=[], metavar="KIND", help="these kinds of steps alone")
    parser.add_argument("--trace", action="store_true", help="print each step")
    parser.add_argument("--keep", action="store_true", help="keep the scene's folder")
    parser.add_argument("--no-probation", dest="probation", action="store_false", help="faults quarantine at once")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
