from __future__ import annotations

import os
import subprocess
import sys

import pytest

from instar.native import InstarError
from instar.native.memory import Mapping

CHILD = """
import os
import numpy as np
from instar.native import Column

live = np.frombuffer(Column(1).live, np.uint8)
child = os.fork()
if child == 0:
    live[0] = 1
    os._exit(0)
status = os.waitpid(child, 0)[1]
print(os.WTERMSIG(status), live[0])
"""


def test_is_not_made_by_hand() -> None:
    with pytest.raises(InstarError, match="cannot be made by hand"):
        Mapping()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can keep memory from children")
def test_children_do_not_inherit_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=60, check=False, env=os.environ
    )
    assert done.stdout.split() == ["11", "0"], done.stderr
