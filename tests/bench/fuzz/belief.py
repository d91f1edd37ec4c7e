"""What may run: the rules of edits, applied to what was saved, for every way in which saves may have been noticed together.

Files saved together are one edit, all or nothing; files of edits that were rejected join the next one if that works, and
wait if it does not. Which saves count as together depends on moments nobody controls, so there may be several worlds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from contents import Content, reached, runs

Disk = Mapping[str, Content]


@dataclass(frozen=True)
class World:
    """One way in which it may have gone.

    Attributes:
        head: what runs, and the newest content of each other file that was seen.
        rejected: the contents that were refused and are saved still.
    """

    head: tuple[tuple[str, Content], ...]
    rejected: frozenset[Content] = frozenset()

    @classmethod
    def of(cls, head: Mapping[str, Content], rejected: Iterable[Content] = ()) -> World:
        return cls(tuple(sorted(head.items(), key=lambda item: item[0])), frozenset(rejected))

    @property
    def running(self) -> dict[str, Content]:
        return dict(self.head)

    def after(self, disk: Disk, saved: Collection[Content]) -> World:
        """The world after some saves were noticed together, with what the disk held by then."""
        running = self.running
        known = {**running, **disk}
        rejected = {content for content in self.rejected if known.get(content.file) is content}
        pending = {file: content for file, content in known.items() if running.get(file) is not content}
        for attempt in (pending, {file: one for file, one in pending.items() if one not in rejected}):
            candidate = {**running, **attempt}
            if attempt and runs(candidate):
                found = reached(candidate)
                assert found is not None
                return World.of(found, rejected - set(found.values()))
        return World.of(running, rejected | {one for one in saved if pending.get(one.file) is one})


@dataclass(frozen=True)
class Outlook:
    """What may run while a step is done.

    Attributes:
        stages: the worlds that there may be when the first so many saves of the step were noticed.
    """

    stages: Sequence[frozenset[World]]

    @classmethod
    def of(cls, worlds: Iterable[World], disks: Sequence[Disk], saved: Sequence[Sequence[Content]]) -> Outlook:
        """Follows a step.

        Args:
            worlds: those there may be before.
            disks: what the disk holds after each of the step's moments.
            saved: what was saved in each moment.
        """
        stages: list[set[World]] = [set(worlds), *(set() for _ in disks)]
        for start in range(len(disks)):
            for stop in range(start + 1, len(disks) + 1):
                together = [content for moment in saved[start:stop] for content in moment]
                stages[stop] |= {world.after(disks[stop - 1], together) for world in stages[start]}
        return cls([frozenset(stage) for stage in stages])

    @property
    def last(self) -> frozenset[World]:
        """The worlds that there may be in the end."""
        return self.stages[-1]

    def moments(self, seen: Mapping[str, int]) -> list[int]:
        """The stages in which a frame with these tags, by file, may have been; other files are not known."""
        return [
            index
            for index, stage in enumerate(self.stages)
            if any(agrees(world.running, seen) for world in stage)
        ]


def agrees(running: Mapping[str, Content], seen: Mapping[str, int]) -> bool:
    """Whether these tags can come from these files."""
    return all(file in running and running[file].tag == tag for file, tag in seen.items())
