from __future__ import annotations

import io
import marshal
import subprocess
import sys
from pathlib import Path

from instar.hmr.code.compile import process, serving
from instar.hmr.code.compile.translate import translate


def test_serve_answers_until_the_other_end_closes() -> None:
    request = marshal.dumps(("translate", ("flock.py", b"x = 1\n", 0)))
    replies = io.BytesIO()
    serving.serve(io.BytesIO((len(request).to_bytes(4, "little") + request) * 2), replies)
    reply = marshal.dumps(translate("flock.py", b"x = 1\n", 0))
    assert replies.getvalue() == (len(reply).to_bytes(4, "little") + reply) * 2


def test_the_process_imports_nothing_but_its_folder() -> None:
    program = process._PROGRAM + "print(sorted(name for name in sys.modules if name[:6] in ('instar', 'numpy')))"
    folder = str(Path(serving.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, folder, "0"], input=b"", capture_output=True, check=True
    )
    room = "instar.hmr.code.compile"
    pieces = [f"{room}.pieces{name}" for name in ("", ".constants", ".instructions", ".piece", ".splitting")]
    own = [*pieces, f"{room}.serving", f"{room}.translate"]
    assert done.stdout.decode().strip() == str(["instar", "instar.hmr", "instar.hmr.code", room, *own])
