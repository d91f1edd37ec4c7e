"""Prints how many cycles the ARM64 kernels take for a line of 64 bytes, by llvm-mca's models of three processors.

Run from the checkout: python tests/native/checkasm/mca.py. Wants aarch64-linux-gnu-gcc, its objdump, and llvm-mca of LLVM 19
(Debian: gcc-aarch64-linux-gnu llvm-19). The models know no caches: every load hits the first level.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ARM64 = Path(__file__).parents[3] / "native" / "kernels" / "arm64"
PROCESSORS = ("neoverse-n1", "neoverse-v1", "apple-m1")
LOOPS = {
    "instar_pmull_commit_elements": (("compare", 16), ("commit a changed line", 1)),
    "instar_neon_commit_elements": (("compare", 16), ("commit a changed line", 1)),
    "instar_pmull_commit_dense": (("commit", 4),),
    "instar_neon_commit_dense": (("commit", 4),),
    "instar_pmull_check_chunk": (("compare and fold", 4),),
    "instar_pmull_crc64": (("fold", 2),),
    "instar_neon_apply_elements": (("apply", 1),),
    "instar_pmull_elements_crc": (("multiply", 1),),
    "instar_neon_apply_dense": (("apply", 1),),
}
"""What the innermost loops of each function do, and lines a turn."""

Code = list[tuple[int, str]]
"""Addresses and instructions."""


def functions(source: Path, folder: str) -> dict[str, Code]:
    """The disassembled functions of one file."""
    subprocess.run(["aarch64-linux-gnu-gcc", "-c", source, "-o", f"{folder}/kernel.o"], check=True)
    listing = subprocess.run(
        ["aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", f"{folder}/kernel.o"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found: dict[str, Code] = {}
    for line in listing.splitlines():
        if name := re.match(r"[0-9a-f]+ <(\w+)>:", line):
            code = found.setdefault(name[1], [])
        elif instruction := re.match(r"\s+([0-9a-f]+):\s+(.*)", line):
            code.append((int(instruction[1], 16), re.sub(r"\s*//.*", "", instruction[2])))
    return found


def innermost_loops(code: Code) -> list[list[str]]:
    """Instructions from where a branch leads back to, if no other does so between, to the branch."""
    found, after = [], -1
    for address, instruction in code:
        target = re.search(r"([0-9a-f]+) <", instruction)
        if target and after < int(target[1], 16) <= address:
            body = [text for at, text in code if int(target[1], 16) <= at < address]
            found.append(["turn:", *body, re.sub(r"[0-9a-f]+ <.*", "turn", instruction)])
            after = address
    return found


def cycles(mca: str, loop: list[str], processor: str) -> float:
    """Cycles of one turn, once it goes round and round."""
    command = [mca, "-mtriple=aarch64", f"-mcpu={processor}", "-iterations=400", "-all-views=false", "-summary-view"]
    done = subprocess.run(command, input="\n".join([*loop, ""]), check=False, capture_output=True, text=True)
    report = done.stdout
    total = re.search(r"Total Cycles:\s+(\d+)", report)
    if total is None:
        sys.exit(f"llvm-mca gave no summary:\n{done.stderr}")
    return int(total[1]) / 400


def write_row(title: str, columns: Iterable[str]) -> None:
    """Write one line of the table."""
    sys.stdout.write(f"{title:55}" + "".join(f"{column:>13}" for column in columns) + "\n")


def main() -> None:
    """Print the table."""
    mca = shutil.which("llvm-mca-19") or shutil.which("llvm-mca")
    if mca is None:
        sys.exit("llvm-mca is not installed; on Debian: apt-get install llvm-19")
    write_row("cycles per 64 bytes", PROCESSORS)
    with tempfile.TemporaryDirectory() as folder:
        for source in sorted(ARM64.glob("*.S")):
            for name, code in functions(source, folder).items():
                for (what, lines), loop in zip(LOOPS.get(name, ()), innermost_loops(code), strict=False):
                    turns = [cycles(mca, loop, processor) / lines for processor in PROCESSORS]
                    write_row(f"{name}: {what}", [f"{turn:.1f}" for turn in turns])


if __name__ == "__main__":
    main()
