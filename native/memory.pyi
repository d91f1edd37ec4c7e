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
    """

    @property
    def nbytes(self) -> int: ...
    @property
    def readonly(self) -> bool: ...
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
