"""What the two ends of a trial say to each other: marshalled values, each after its length as 4 bytes."""

from __future__ import annotations

import marshal
import socket
from typing import Any, NamedTuple

NOT_EXECUTING = 0xFFFFFFFF
"""In the report's first 4 bytes while no file is executed; otherwise they hold the file's place in the request."""
TRACES_AT = 16
"""Where in the report the traces of `faulthandler` begin."""


class Body(NamedTuple):
    """A file whose content the trial process has not seen."""

    path: str
    text: str
    code: bytes
    params: tuple[tuple[int, str], ...]


class Entry(NamedTuple):
    """One file of a program.

    Attributes:
        name: dotted name in the scene.
        key: names the content of the file and all it can reach.
        closure: the dotted names that it can reach.
        is_new: whether it is what is tried, rather than what runs already.
        is_wanted: whether it is executed even if no other file imports it.
        body: its content, None if the process has executed it before or shall not execute it.
    """

    name: str
    key: str
    closure: tuple[str, ...]
    is_new: bool
    is_wanted: bool
    body: Body | None


class Request(NamedTuple):
    """Files to execute, in order, and the values of their Params by declaring file and name."""

    entries: tuple[Entry, ...]
    values: dict[str, dict[str, object]]


class Reply(NamedTuple):
    """What came of a request.

    Attributes:
        executed: the files that the process holds now, by name.
        holders: the files that made the process hold on to something of the machine, and to what ("a socket").
        grown: bytes of memory it has gained since it began.
    """

    executed: tuple[str, ...]
    holders: tuple[tuple[str, str], ...]
    grown: int


def plain(value: tuple[Any, ...]) -> tuple[Any, ...]:
    """Returns a value with exact tuples for named ones, which is what can be marshalled."""
    return tuple(plain(part) if isinstance(part, tuple) else part for part in value)


def request_of(value: Any) -> Request:
    """Returns the request that `plain` was given."""
    entries, values = value
    return Request(tuple(_entry(*entry) for entry in entries), values)


def _entry(*values: Any) -> Entry:
    entry = Entry(*values)
    return entry if entry.body is None else entry._replace(body=Body(*entry.body))


def send(connection: socket.socket, value: Any) -> None:
    """Sends plain data, whole."""
    data = marshal.dumps(value)
    connection.sendall(len(data).to_bytes(4, "little") + data)


def receive(connection: socket.socket) -> Any:
    """Returns plain data from the other end.

    Raises:
        EOFError: it is closed.
    """
    return marshal.loads(_exactly(connection, int.from_bytes(_exactly(connection, 4), "little")))


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    there = 0
    while there < size:
        count = connection.recv_into(memoryview(data)[there:])
        if not count:
            raise EOFError("the other end is closed")
        there += count
    return bytes(data)
