"""What may run: the rules of edits, applied to what was saved, for every way in which saves may have been noticed together.

Files saved together are one edit, all or nothing; files of edits that were rejected join the next one if that works, and
wait if it does not. Which saves count as together depends on moments nobody controls, so there may be several worlds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

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
class Moment:
    """One moment of a step.

    Attributes:
        saved: what is saved in it.
        gone: the files that are deleted.
        late: nothing tells that a file is complete, so it may be noticed after what is saved later.
    """

    saved: tuple[Content, ...] = ()
    gone: tuple[str, ...] = ()
    late: bool = False


@dataclass(frozen=True)
class Outlook:
    """What may run while a step is done.

    Attributes:
        stages: the worlds there may be, from what was before to what must be in the end.
    """

    stages: Sequence[frozenset[World]]

    @classmethod
    def of(cls, worlds: Iterable[World], disk: Disk, moments: Sequence[Moment]) -> Outlook:
        """Follows a step through all ways in which its moments may be noticed together.

        Args:
            worlds: those there may be before.
            disk: what the files hold before.
            moments: what is done.
        """
        last = len(moments)
        reached_by: dict[tuple[int, frozenset[int]], set[World]] = {(0, frozenset()): set(worlds)}
        for start, missed in _states(moments):
            here = reached_by.get((start, missed))
            if not here:
                continue
            for stop in range(start, last + 1):
                waiting = missed | {index for index in range(start, stop) if moments[index].late}
                for left in _subsets(waiting):
                    if stop == start and left == missed:
                        continue
                    noticed = [i for i in range(start, stop) if i not in waiting] + sorted(waiting - left)
                    together = [content for index in noticed for content in moments[index].saved]
                    files = _disk(disk, moments[:stop], left)
                    there = reached_by.setdefault((stop, left), set())
                    there |= {world.after(files, together) for world in here}
        return cls(_stages(reached_by, last))

    def after_unsettled(self, earlier: Iterable[World]) -> Outlook:
        """The same outlook, where what is still on its way from the step before may be seen at first."""
        return Outlook([self.stages[0] | frozenset(earlier), *self.stages[1:]])

    def undone(self, content: Content, seen: Mapping[str, int]) -> Outlook:
        """The outlook after the edit of a content was undone: what ran before is back, and it waits to be mended."""
        start = self.stages[0]
        fitting = {
            world for world in start if agrees(world.running, {**seen, content.file: world.running[content.file].tag})
        }
        back = {World(world.head, world.rejected | {content}) for world in fitting or start}
        return Outlook([frozenset(back)])

    @property
    def last(self) -> frozenset[World]:
        """The worlds that there may be in the end."""
        return self.stages[-1]

    def moments(self, seen: Mapping[str, int]) -> list[int]:
        """The stages in which a frame with these tags, by file, may have been; other files are not known."""
        return [index for index, stage in enumerate(self.stages) if any(agrees(world.running, seen) for world in stage)]


def agrees(running: Mapping[str, Content], seen: Mapping[str, int]) -> bool:
    """Whether these tags can come from these files."""
    return all(file in running and running[file].tag == tag for file, tag in seen.items())


def _states(moments: Sequence[Moment]) -> Iterable[tuple[int, frozenset[int]]]:
    """How many moments may have passed and which late ones among them were not noticed, in an order that leads on."""
    for stop in range(len(moments) + 1):
        late = frozenset(index for index in range(stop) if moments[index].late)
        for missed in sorted(_subsets(late), key=len, reverse=True):
            yield stop, missed


def _subsets(of: Collection[int]) -> list[frozenset[int]]:
    return [frozenset(some) for size in range(len(of) + 1) for some in combinations(sorted(of), size)]


def _disk(before: Disk, moments: Sequence[Moment], missed: Collection[int]) -> Disk:
    """The files as they are known by then; one that is new is read from disk, noticed or not."""
    files = dict(before)
    for index, moment in enumerate(moments):
        for content in moment.saved:
            if index not in missed or content.file not in before:
                files[content.file] = content
        for file in moment.gone:
            files.pop(file, None)
    return files


def _stages(reached_by: Mapping[tuple[int, frozenset[int]], set[World]], last: int) -> list[frozenset[World]]:
    """The worlds in order; where some moments may be late there is no order between the first and the last."""
    if all(not missed for _, missed in reached_by):
        return [frozenset(reached_by[stop, frozenset()]) for stop in range(last + 1)]
    final = last, frozenset[int]()
    between = {world for state, worlds in reached_by.items() if state != final for world in worlds}
    return [frozenset(reached_by[0, frozenset()]), frozenset(between), frozenset(reached_by[final])]
