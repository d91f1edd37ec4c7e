"""Reserved address space: a mapping that never moves and takes memory only where it is written."""

from typing import final

@final
class Mapping:
    """The owner of reserved bytes, zero until they are written; a buffer that lives as long as any view of it.

    Children made by ``fork`` do not inherit the bytes where the
    system can keep them from it (Linux).

    Attributes:
        nbytes: Its size.
        readonly: Whether buffers of it are read-only.
        views: How many buffers of it are alive. Whatever is made of one, at any remove, keeps it alive.
    """

    @property
    def nbytes(self) -> int: ...
    @property
    def readonly(self) -> bool: ...
    @property
    def views(self) -> int: ...
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
