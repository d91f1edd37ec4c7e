"""Which of the compiled paths this process runs: the best that the processor has, or what INSTAR_ISA says."""

CHUNK_BYTES: int
"""Bytes of a chunk: the unit of commit, checksum and repair."""
LINE_BYTES: int
"""Bytes of a line: the unit of change."""

def isa() -> str:
    """The path in use: ``avx512``, ``avx2``, ``neon``, ``neon-nopmull`` or ``generic``.

    The environment variable INSTAR_ISA, read when this module is imported, narrows the choice; an `InstarError` is raised
    then if this processor cannot run what it names.
    """

def isas() -> tuple[str, ...]:
    """The paths that this processor can run, best first; ``generic``, the reference in C, is always the last."""
