"""Repair: which side of a damaged chunk is wrong, and the source that reproduces it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from instar.hmr.state.validation.sources import Cure, Damage, from_live, from_syndrome
from instar.hmr.state.validation.target import Target
from instar.native import crc64
from instar.native.integrity import mend_committed, mend_crc

Source = Callable[[Damage], Iterator[Cure]]
"""Proposes committed bytes for a chunk; whether they are right, the checksum says."""

OVERWRITTEN = Cure(
    "a commit had put good bytes over the damage, so the checksum was computed anew and the frames before were dropped",
    doubtful=True,
)


@dataclass(slots=True)
class Medic:
    """Finds cures, and carries them out.

    Attributes:
        sources: Further sources, such as kept checkpoints carried forward by the history.
        doubtful: Whether a damage that was mended had gone into a delta of the history.
        untidy: Columns with bytes past their end that are to be cleared.
    """

    sources: Iterable[Source] = ()
    doubtful: bool = False
    untidy: list[Target] = field(default_factory=list)

    def diagnose(self, damage: Damage) -> Cure | None:
        """The cure of a damaged chunk, or None if nothing reproduces its checksum; changes nothing.

        A syndrome of one bit is a flipped bit of the checksum itself: no flipped bit of a chunk gives one. Where live and
        committed agree although the checksum does not, a commit has put live's good bytes over damaged ones: it carried the
        checksum forward by their difference, damage included.
        """
        if damage.syndrome.bit_count() == 1:
            return Cure("one bit of the stored checksum had flipped")
        if damage.live == damage.committed:
            return OVERWRITTEN
        expected = damage.expected
        for source in (from_live, from_syndrome, *self.sources):
            for cure in source(damage):
                if cure.data is not None and crc64(cure.data) == expected:
                    return OVERWRITTEN if damage.agrees(cure.data) else cure
        return None

    def mend(self, damage: Damage, cure: Cure) -> None:
        """Carry out a cure: the committed bytes, or the stored checksum, are good again."""
        if cure.data is None:
            mend_crc(damage.target.column, damage.chunk)
        else:
            mend_committed(damage.target.column, damage.chunk, cure.data)
        self.doubtful |= cure.doubtful

    def clear_past_end(self, target: Target) -> None:
        """Have the bytes past a column's end cleared when the round is complete."""
        self.untidy.append(target)
