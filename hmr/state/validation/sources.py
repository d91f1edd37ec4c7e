"""Sources: from where the committed bytes of a damaged chunk can be had again, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from instar.hmr.state.validation.target import Target
from instar.native import CHUNK_BYTES, LINE_BYTES, crc64
from instar.native.integrity import find_flip, linear_crc

Bytes = bytes | bytearray


@dataclass(frozen=True, slots=True)
class Damage:
    """A chunk whose committed bytes and stored checksum disagree.

    Attributes:
        target: The column.
        chunk: The chunk.
        syndrome: CRC-64/NVME of the bytes ^ the one stored.
        committed: The bytes as they are.
        live: The live bytes.
    """

    target: Target
    chunk: int
    syndrome: int
    committed: bytes
    live: bytes

    @classmethod
    def of(cls, target: Target, chunk: int, syndrome: int) -> Damage:
        """The damage as it is in memory now."""
        part = slice(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES)
        live, committed = bytes(target.column.live[part]), bytes(target.column.committed[part])
        return cls(target, chunk, syndrome, committed, live)

    def agrees(self, data: Bytes) -> bool:
        """Whether live is as committed wherever other bytes would differ from committed."""
        return all(
            live == committed
            for live, committed, other in zip(self.live, self.committed, data, strict=True)
            if other != committed
        )

    @property
    def expected(self) -> int:
        """The checksum that is stored."""
        return crc64(self.committed) ^ self.syndrome


@dataclass(frozen=True, slots=True)
class Cure:
    """How a damaged chunk is mended.

    Attributes:
        how: The source, for people.
        data: The committed bytes, or None where they are good and the checksum is not.
        doubtful: Whether an earlier commit took the damage for a change, so that a delta of the history holds it.
    """

    how: str
    data: Bytes | None = None
    doubtful: bool = False


def from_live(damage: Damage) -> Iterator[Cure]:
    """The live copy of the chunk, or of the one line that is damaged where others have been written since the commit."""
    yield Cure("from the live copy", damage.live)
    for at in range(0, CHUNK_BYTES, LINE_BYTES):
        line, other = damage.committed[at : at + LINE_BYTES], damage.live[at : at + LINE_BYTES]
        if line == other:
            continue
        difference = bytes(a ^ b for a, b in zip(line, other, strict=True))
        if linear_crc(difference + bytes(CHUNK_BYTES - LINE_BYTES - at)) == damage.syndrome:
            yield Cure(
                "from one line of the live copy", damage.committed[:at] + other + damage.committed[at + LINE_BYTES :]
            )


def from_syndrome(damage: Damage) -> Iterator[Cure]:
    """The chunk with the one bit flipped back that the checksum tells of."""
    bit = find_flip(damage.syndrome, CHUNK_BYTES)
    if bit is not None:
        data = bytearray(damage.committed)
        data[bit >> 3] ^= 1 << (bit & 7)
        yield Cure(f"bit {bit & 7} of byte {bit >> 3:,} of the chunk was flipped back, as the checksum tells", data)
