"""The files of the storm's scene: every content that is ever saved, and what is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

FIRST_TAG = 1_000_000
"""Tags have the same number of digits, so that two versions of a file can have the same size."""
FLORA, FAUNA, HERD = "flora.py", "fauna.py", "life/herd.py"
BASE, SHARED, PACKAGE, DEEP, YIN, YANG = "base.py", "shared.py", "life/__init__.py", "life/deep.py", "yin.py", "yang.py"
SETTINGS = "scene.toml"
MODULES = (FLORA, FAUNA, HERD)
NAMES = {"flora": FLORA, "fauna": FAUNA, "life.herd": HERD}
HELPERS = (BASE, SHARED, PACKAGE, DEEP, YIN, YANG)
ROWS = 256
MEMORY_MB = 64
"""What the world may take."""
HATCH = 2
"""Agents of the fauna that come and go in each frame."""

ERRORS = (
    "syntax",
    "raise",
    "exit",
    "unknown hook argument",
    "os exit",
    "hang",
    "signal",
    "unknown key",
    "out of bounds",
)
"""Ways in which a file alone cannot run."""
BAD_VALUES = ("nan", "bounds", "reference")
"""Faults that do not fail: not finite, out of bounds, a reference to an agent that never was."""
NARROWER = {"i32": ("i16",), "i64": ("i32", "i16"), "f64": ("f32",)}
"""What a column can only become where `migrate` says how."""


@dataclass(frozen=True)
class Column:
    """A field of the flora: its name and type, the value of new rows, and the name that it had before.

    Those whose names begin with f hold halves, which no whole number can keep.
    """

    name: str
    dtype: str
    whole: int = 0
    was: str | None = None

    @property
    def default(self) -> float:
        return self.whole + half(self.name)

    def declaration(self) -> str:
        was = f", was={self.was!r}" if self.was else ""
        return f"    {self.name}: {self.dtype} = field({self.default}{was})\n"


@dataclass(frozen=True)
class Content:
    """One content of one file.

    Attributes:
        file: its place in the scene.
        tag: names the content; stands in its first and its last line.
        lines: how many it has, about.
        error: why it cannot run by itself, one of `ERRORS`.
        fault: what its `update` does, and in which call of it: ("raise", 3), ("hang", 0), ("nan", 2).
        rates: the file that the rates come from, for their users; its own name for the rates themselves.
        contract: the version of the rates' signature that it needs, or gives.
        columns: the fields of the flora besides those it always has.
        writes: those of them that it writes.
        migrates: whether it says what becomes of columns that are narrowed.
        capacity: of the flora.
        modules: those that run, in their order, where it is the scene's settings.
    """

    file: str
    tag: int
    lines: int = 40
    error: str | None = None
    fault: tuple[str, int] | None = None
    rates: str = "rates"
    contract: int = FIRST_TAG
    columns: tuple[Column, ...] = ()
    writes: tuple[str, ...] = ()
    migrates: bool = False
    capacity: int = 8192
    modules: tuple[str, ...] = tuple(NAMES)

    def __hash__(self) -> int:
        return self.tag

    @property
    def listed(self) -> tuple[str, ...]:
        """The files of the modules that it lists, where it is the scene's settings."""
        return tuple(NAMES[name] for name in self.modules)

    @property
    def marker(self) -> str:
        """What an error about this content says and no other."""
        return f"storm-{self.tag}"

    @property
    def imports(self) -> tuple[str, ...]:
        """The files that it imports."""
        return {
            FLORA: (f"{self.rates}.py", DEEP),
            FAUNA: (f"{self.rates}.py", SHARED),
            HERD: (DEEP, PACKAGE, YIN),
            BASE: (),
            SHARED: (BASE,),
            PACKAGE: (),
            DEEP: (PACKAGE,),
            YIN: (YANG,),
            YANG: (YIN,),
            SETTINGS: (),
        }.get(self.file, (BASE,))

    @property
    def needs_contract(self) -> bool:
        return self.file in (FLORA, FAUNA)

    @cached_property
    def data(self) -> bytes:
        """Its bytes."""
        if self.file == SETTINGS:
            return _settings(self).encode()
        head, tail = _text(self)
        filler = _filler(self.lines - head.count("\n") - tail.count("\n"))
        return f"{head}{filler}{tail}LAST = {self.tag}\n".encode()


def rates_file(vector: Mapping[str, Content]) -> str:
    """The rates' file in a set of files: they are renamed now and then."""
    return f"{vector[FLORA].rates}.py"


def reached(vector: Mapping[str, Content]) -> dict[str, Content] | None:
    """Those of the files that the modules reach; None if one is missing."""
    found, missing = _reach(vector)
    return None if missing else found


def to_blame(vector: Mapping[str, Content]) -> set[str]:
    """The files that an error may name where they cannot run together."""
    found, missing = _reach(vector)
    blamed = {file for file, content in found.items() if content.error}
    for file, content in found.items():
        rates = found.get(f"{content.rates}.py")
        mismatched = content.needs_contract and rates is not None and rates.contract != content.contract
        if mismatched or any(one in missing for one in content.imports):
            blamed.add(file)
    return blamed or {SETTINGS}


def _reach(vector: Mapping[str, Content]) -> tuple[dict[str, Content], set[str]]:
    found: dict[str, Content] = {}
    missing = set()
    waiting = [PACKAGE, SETTINGS, *vector[SETTINGS].listed] if SETTINGS in vector else [SETTINGS]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        if file not in vector:
            missing.add(file)
            continue
        found[file] = vector[file]
        waiting += vector[file].imports
    return found, missing


def runs(vector: Mapping[str, Content]) -> bool:
    """Whether the files can run together."""
    found = reached(vector)
    if found is None or any(content.error for content in found.values()):
        return False
    users = [content for content in found.values() if content.needs_contract]
    return all(found[f"{user.rates}.py"].contract == user.contract for user in users)


def _filler(lines: int) -> str:
    part = "def filler_{n}(rows, by):\n    for row in rows:\n        row.x += {n} * by\n    return rows\n\n"
    return "".join(part.format(n=n) for n in range(max(0, lines // 5)))


def _settings(content: Content) -> str:
    lines = ['title = "Storm"', f'memory = "{MEMORY_MB}MB"', f"modules = [{', '.join(map(repr, content.modules))}]"]
    match content.error:
        case "syntax":
            lines.append(f"broken = = {content.marker}")
        case "unknown key":
            lines.append(f"storm_{content.tag} = 1")
    stamp = -content.tag if content.error == "out of bounds" else content.tag
    lines += [f'[params."{name}"]\nstamp = {stamp}' for name in content.modules]
    return "\n".join([*lines, *(f"# filler {n}" for n in range(content.lines - len(lines) - 3))]) + "\n"


def _text(content: Content) -> tuple[str, str]:
    """What stands before the filler, and after it."""
    head = f"TAG = {content.tag}\nimport storm_probe as probe\nprobe.born(__name__)\n"
    tail = ""
    match content.error:
        case "syntax":
            tail = f"broken = ( {content.marker} = :\n"
        case "raise":
            tail = f'raise RuntimeError("{content.marker}")\n'
        case "exit":
            tail = f'import sys\nsys.exit("{content.marker}")\n'
        case "os exit":
            tail = f"import os\nos._exit(7)  # {content.marker}\n"
        case "signal":
            tail = f"import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)  # {content.marker}\n"
        case "hang":
            tail = f"while True:  # {content.marker}\n    pass  # {content.marker}\n"
    if content.file in MODULES:
        return head + _module(content), tail
    return head + _helper(content), tail


def _helper(content: Content) -> str:
    own = f'    return [["{content.file}", TAG, globals().get("LAST")]'
    known = {
        BASE: f'__all__ = ["base_mark"]\ndef base_mark():\n{own}]\n',
        SHARED: f"from base import *\ndef mark():\n{own}, *base_mark()]\n",
        PACKAGE: f"def above():\n{own}]\n",
        DEEP: f"from . import above\ndef mark():\n{own}, *above()]\n",
        YIN: f"import yang\ndef alone():\n{own}]\ndef mark():\n    return alone() + yang.alone()\n",
        YANG: f"import yin\ndef alone():\n{own}]\ndef mark():\n    return alone() + yin.alone()\n",
    }
    grow = f"growth_{content.contract}"
    rates = f"import base\ndef {grow}(k):\n    return k\ndef mark():\n{own}, *base.base_mark()]\n"
    return known.get(content.file, rates)


def _module(content: Content) -> str:
    growth = f"from {content.rates} import growth_{content.contract} as growth, mark as rates_mark\n"
    imports, marks, table = {
        FLORA: (growth + "from life.deep import mark as deep_mark\n", "*rates_mark(), *deep_mark()", "Flora"),
        FAUNA: (growth + "import shared\n", "*rates_mark(), *shared.mark()", "Fauna"),
        HERD: ("from .deep import mark\nfrom . import above\nimport yin\n", "*mark(), *above(), *yin.mark()", "Herd"),
    }[content.file]
    name = table.lower()
    fails = f"_calls == {content.fault[1]}" if content.fault and content.fault[0] not in BAD_VALUES else "False"
    names = tuple(column.name for column in content.columns)
    own = (
        f'["{content.file}", TAG, globals().get("LAST")], ["{content.file}", TAG, drift], ["{SETTINGS}", stamp, stamp]'
    )
    grow = "growth(" + name + ".k)" if content.file != HERD else name + ".k"
    asked = f"{name}, frame" + (f", storm_{content.tag}" if content.error == "unknown hook argument" else "")
    declared = "".join(column.declaration() for column in content.columns)
    written = "".join(f"    {name}.{one} = {_written(one, name + '.uid')}\n" for one in content.writes)
    return (
        f"import numpy as np\nfrom instar import Agents, Param, Ref, field, keep, persist, f32, f64, i16, i32, i64, u64\n{imports}\n"
        f"drift = Param({content.tag}, min={content.tag - 1 - content.lines}, max={content.tag + content.lines})\n"
        f"stamp = Param({FIRST_TAG}, min={FIRST_TAG}, max={100 * FIRST_TAG})\n"
        f'count = persist("count", 0)\nkept = keep("kept", probe.Kept)\n\n'
        f"class {table}(Agents, capacity={content.capacity}):\n    uid: i64\n    x: f64\n"
        f"    k: f64 = field(0.0, min=-1, max=1000)\n    n: i64\n    own: u64\n    pal: Ref[{name!r}]\n{declared}\n"
        f"def setup({name}):\n    {name}.spawn({ROWS}, uid=np.arange({ROWS}), k=np.arange({ROWS}) % 97 + 1)\n"
        f"    {name}.own = {name}.id\n\n"
        f"_calls = 0\n\ndef update({asked}):\n    global _calls\n"
        f"    probe.report(frame, {name}, [{own}, {marks}], {names!r}, {fails}, count.value, kept)\n    count.value += 1\n"
        f"    {name}.x += {grow}\n    {name}.n += 1\n{written}{_churn(content)}{_fault(content, name)}    _calls += 1\n\n"
        f"{_migration(content)}"
    )


def _migration(content: Content) -> str:
    """One more than it was, so that it shows whether it was done once."""
    if not content.migrates:
        return ""
    names = tuple(column.name for column in content.columns)
    return (
        f"def migrate(old, new):\n    for name in {names!r}:\n        try:\n"
        "            before, after = getattr(old.flora, name), getattr(new.flora, name)\n"
        "        except Exception:\n            continue\n"
        "        if before.dtype.itemsize > after.dtype.itemsize:\n"
        "            setattr(new.flora, name, before + 1)\n\n"
    )


def _written(column: str, uid: str) -> str:
    return f"({uid} + {salt(column)}) % 101 + {half(column)}"


def half(column: str) -> float:
    return 0.5 if column.startswith("f") else 0


def salt(column: str) -> int:
    """What makes the values of one column others than those of the next."""
    return sum(map(ord, column)) % 89


def _churn(content: Content) -> str:
    if content.file != FAUNA:
        return ""
    return (
        f"    n = int(fauna.n[0])\n    uid = {ROWS} + {HATCH} * (n - 1) + np.arange({HATCH})\n"
        f"    new = fauna.spawn({HATCH}, uid=uid, k=uid % 97 + 1, n=n)\n    fauna.own[new] = fauna.id[new]\n"
        f"    fauna.despawn(fauna.uid < {HATCH} * n)\n"
    )


def _fault(content: Content, name: str) -> str:
    if content.fault is None:
        return ""
    what, call = content.fault
    does = {
        "raise": f'raise RuntimeError("{content.marker}")',
        "hang": f'while True: storm = "{content.marker}"',
        "nan": f"{name}.x[0] = float('nan')  # {content.marker}",
        "bounds": f"{name}.k[0] = 5000  # {content.marker}",
        "reference": f"{name}.pal[0] = 1 << 60  # {content.marker}",
    }[what]
    return f"    if _calls == {call}:\n        {does}\n"
