"""The compile process's own side.

All that it imports imports nothing but the standard library, so that the process is up in a few milliseconds and knows
nothing of the world it serves. Requests and replies are marshalled, each after its length as 4 bytes, little endian.
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import sys
from typing import Any, BinaryIO

from instar.hmr.code.compile.pieces.piece import made
from instar.hmr.code.compile.translate import translate

_REQUESTS = {"translate": translate, "make": made}


def main(niceness: int) -> None:
    """Serves at the standard streams; what is there already is no garbage, and what comes is when the reply is out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(niceness)
    gc.disable()
    gc.freeze()
    serve(sys.stdin.buffer, sys.stdout.buffer)


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Does what it is asked (what, arguments) until the other end closes."""
    while len(header := requests.read(4)) == 4:
        what, arguments = marshal.loads(requests.read(int.from_bytes(header, "little")))
        asked: Any = _REQUESTS[what]
        reply = marshal.dumps(asked(*arguments))
        replies.write(len(reply).to_bytes(4, "little") + reply)
        replies.flush()
        gc.collect()
