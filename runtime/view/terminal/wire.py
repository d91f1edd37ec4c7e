"""Messages between the frame and the process that draws: JSON objects, each after its length in four bytes."""

from __future__ import annotations

import json
import signal
import struct
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]

ENDING = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP)
"""Signals that reach both processes; the frame's alone decides, and the other ends when the messages do."""

_LENGTH = struct.Struct(">I")


def pack(message: Message) -> bytes:
    """One message as bytes; what JSON has no word for is sent as its text."""
    body = json.dumps(message, separators=(",", ":"), default=str).encode("ascii")
    return _LENGTH.pack(len(body)) + body


class Unpacker:
    """Messages out of bytes that arrive in any pieces."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that `data` completes, in order."""
        self._pending += data
        while len(self._pending) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._pending)[0]
            if len(self._pending) < end:
                return
            body = bytes(self._pending[_LENGTH.size : end])
            del self._pending[:end]
            yield json.loads(body)
