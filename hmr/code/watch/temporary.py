"""Files that editors write first, to move them to a module's name when they are whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

MOST_BYTES = 1 << 20
"""What a module may have to be worth a guess."""

_NEVER = re.compile(r"\.sw[a-p]$|\.pyc$|\.pyo$|~$|^\.#|___jb_old___$|\.(bak|orig|rej|old)$")
"""Swap files, locks, backups: none of them holds what is about to be saved."""
_ANY_MODULE = re.compile(
    r"""^(
        \.goutputstream-\w+         # GLib: gedit, GNOME Builder
        | sed\w{6}                  # sed -i
        | tmp\w{4,}                 # tempfile of Python, atomicwrites
        | \.?\w+\.(tmp|temp|new)    # many
        | \.subl\w+\.tmp            # Sublime Text
        | \.~?\w{5,}                # Helix, rsync, others that name a hidden file at random
    )$""",
    re.VERBOSE,
)


def is_temporary(name: str) -> bool:
    """Returns whether a file of that name, which is no module's, may be about to become one.

    That is one whose name holds a module's (`flock.py.tmp`, `.flock.py.Xy12Ab`, `flock.py___jb_tmp___`, `#flock.py#`), or is
    one that editors choose at random.
    """
    if _NEVER.search(name):
        return False
    return ".py" in name or _ANY_MODULE.match(name) is not None


def meant_by(path: Path, modules: Iterable[Path]) -> Path:
    """Returns the module that a temporary file is likely to become; a wrong guess costs a little time.

    Args:
        path: the temporary file.
        modules: those that there are.
    """
    near = sorted((module for module in modules if module.parent == path.parent), key=lambda module: -len(module.name))
    return next((module for module in near if module.name in path.name), near[0] if near else path)
