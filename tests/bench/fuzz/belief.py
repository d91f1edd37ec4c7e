"""What may run: the rules of edits, applied to what was saved, for every way in which saves may have been noticed together.

Files saved together are one edit, all or nothing; files of edits that were rejected join the next one if that works, and
wait if it does not; what is broken holds up nothing that was not refused because of it. Which saves count as together depends on moments nobody controls, so there may be several worlds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from contents import Content, reached, runs, to_blame

Disk = Mapping[str, Content]
MOST_ORDERS = 3
"""Where more files are wrong it is as if all were found at once."""


@dataclass(frozen=True)
class Rejected:
    """A content that was refused, and the file that was blamed for it."""

    content: Content
    blame: str


@dataclass(frozen=True)
class World:
    """One way in which it may have gone.

    Attributes:
        head: what runs, and the newest content of each other file that was seen.
        refusals: the contents that were refused and are saved still.
    """

    head: tuple[tuple[str, Content], ...]
    refusals: frozenset[Rejected] = frozenset()

    @classmethod
    def of(cls, head: Mapping[str, Content], refusals: Iterable[Rejected] = ()) -> World:
        return cls(tuple(sorted(head.items(), key=lambda item: item[0])), frozenset(refusals))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.head, self.refusals))

    @property
    def running(self) -> dict[str, Content]:
        return dict(self.head)

    @property
    def rejected(self) -> frozenset[Content]:
        return frozenset(one.content for one in self.refusals)

    def after(self, disk: Disk, saved: Collection[Content], again: Collection[Content] = ()) -> set[World]:
        """The worlds there may be after some saves were noticed together, with what the disk held by then.

        What was refused and is saved `again` as it was may be tried anew, or not.
        """
        again = [content for content in again if content in self.rejected]
        worlds = self._tried(disk, saved) if saved or not again else set()
        if again:
            left = World(self.head, frozenset(one for one in self.refusals if one.content not in again))
            worlds |= {self, *left._tried(disk, [*saved, *again])}
        return worlds

    def _tried(self, disk: Disk, saved: Collection[Content]) -> set[World]:
        """All that does not run is tried; as long as it fails for something refused before, without that and what waits for it."""
        running = self.running
        known = {**running, **disk}
        refusals = {one for one in self.refusals if known.get(one.content.file) is one.content}
        refused = {one.content.file: one.blame for one in refusals}
        pending = {file: content for file, content in known.items() if running.get(file) is not content}
        wanted = {file: content for file, content in pending.items() if file not in refused}
        worlds = set()
        waiting, tried = [pending], []
        while waiting:
            attempt = waiting.pop()
            if attempt in tried:
                continue
            tried.append(attempt)
            candidate = {**running, **attempt}
            if attempt and runs(candidate):
                found = reached(candidate)
                assert found is not None
                left = {one for one in refusals if found.get(one.content.file) is not one.content}
                worlds.add(World.of(found, left))
                continue
            blamed = to_blame(candidate)
            outs = {
                file: _waiting_for(file, {one: refused[one] for one in refused.keys() & attempt}) for file in blamed
            }
            if attempt == wanted or not (wanted or all(outs.values())):
                for file in blamed:
                    new = {Rejected(one, file) for one in saved if pending.get(one.file) is one}
                    worlds.add(World.of(running, refusals | new))
                continue
            if not all(outs.values()):
                waiting.append(wanted)
            some = [out for out in outs.values() if out]
            for out in some if len(some) <= MOST_ORDERS else [frozenset().union(*some)]:
                left = {one: attempt[one] for one in attempt.keys() - out}
                if left:
                    waiting.append(left)
                else:
                    worlds.add(World.of(running, refusals))
        return worlds


@dataclass(frozen=True)
class Moment:
    """One moment of a step.

    Attributes:
        saved: what is saved in it.
        gone: the files that are deleted.
        late: nothing tells that a file is complete, so it may be noticed after what is saved later.
        again: it holds that already: only what was refused may be tried anew.
    """

    saved: tuple[Content, ...] = ()
    gone: tuple[str, ...] = ()
    late: bool = False
    again: bool = False


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
                    together = [one for index in noticed if not moments[index].again for one in moments[index].saved]
                    again = [one for index in noticed if moments[index].again for one in moments[index].saved]
                    files = _disk(disk, moments[:stop], left)
                    there = reached_by.setdefault((stop, left), set())
                    there |= {after for world in here for after in world.after(files, together, again)}
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
        back = {World(world.head, world.refusals | {Rejected(content, content.file)}) for world in fitting or start}
        return Outlook([frozenset(back)])

    def passing(self, contents: Sequence[Content]) -> Outlook:
        """The outlook where contents may run in any mix, and be undone, before what must be in the end."""
        heads = {world.head for world in self.last}
        mixed = {world for stage in self.stages for world in stage}
        for content in contents:
            mixed |= {World.of({**world.running, content.file: content}) for world in mixed}
        return Outlook([frozenset(world for world in mixed if world.head not in heads), self.last])

    @property
    def last(self) -> frozenset[World]:
        """The worlds that there may be in the end."""
        return self.stages[-1]

    def moments(self, seen: Mapping[str, int]) -> list[int]:
        """The stages in which a frame with these tags, by file, may have been; other files are not known."""
        return [index for index, stage in enumerate(self.stages) if any(agrees(world.running, seen) for world in stage)]


def _waiting_for(file: str, refused: Mapping[str, str]) -> frozenset[str]:
    """The files that were refused because of a file, or of one that was refused because of it; itself if it was refused."""
    found = {file}
    for _ in refused:
        found |= {one for one in refused if refused[one] in found}
    return frozenset(found & refused.keys())


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
