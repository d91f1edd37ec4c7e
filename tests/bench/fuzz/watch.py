"""The oracle: compares each frame with what may run in it and with what the agents must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from belief import Outlook, World, agrees
from child import Pass
from contents import BAD_VALUES, MODULES, SETTINGS, Content
from ledger import Ledger


@dataclass
class Defect:
    """Something that must not happen: its kind (torn, stale, lost, crash, …), and where in the storm it did."""

    kind: str
    step: int
    what: str


@dataclass
class Fault:
    """A fault in a hook that has to come.

    Attributes:
        content: what has it.
        rolls_back: whether the old version is to come back after it.
        happened: whether it has come.
        since: the first frame in which the content ran.
        passing: whether it may come, again and again, or not, because what has it is mended soon.
    """

    content: Content
    rolls_back: bool
    passing: bool = False
    happened: bool = False
    since: int | None = None

    @property
    def returns(self) -> bool:
        """Whether it is a value gone bad, so that the world returns to the frame before the swap."""
        return self.content.fault is not None and self.content.fault[0] in BAD_VALUES


@dataclass
class Oracle:
    """Follows a storm frame by frame.

    Attributes:
        worlds: the ways in which it may have gone.
        defects: what was wrong.
        resting: modules in quarantine, with the tag that rests.
        may_rest: modules that may be in it, because an edit in between has confirmed theirs.
        seen: the tags of the last frame, by file.
        frames: how many frames were compared.
        first_seen: when each content was first seen to run in this step, by tag.
    """

    worlds: frozenset[World]
    defects: list[Defect] = field(default_factory=list)
    resting: dict[str, int] = field(default_factory=dict)
    may_rest: set[str] = field(default_factory=set)
    seen: dict[str, int] = field(default_factory=dict)
    frames: int = 0
    first_seen: dict[int, int] = field(default_factory=dict)
    step: int = 0
    fault: Fault | None = None

    def __post_init__(self) -> None:
        self._ledgers = {file: Ledger(file) for file in MODULES}
        self._contents: dict[int, Content] = {}
        self._last: Pass | None = None
        self._low = 0
        self.know(content for world in self.worlds for content in world.running.values())
        self.expect(0, Outlook([self.worlds]))

    def know(self, contents: Iterable[Content]) -> None:
        """Takes up contents that may be seen."""
        self._contents.update({content.tag: content for content in contents})

    def expect(self, step: int, outlook: Outlook, fault: Fault | None = None) -> None:
        """From now on, frames are those of a step."""
        self.step, self.outlook, self.fault = step, outlook, fault
        self._low = 0
        self.first_seen = {}
        self.may_rest.clear()

    def settle(self, *, decided: bool) -> frozenset[World]:
        """The step is over; returns what may still be on its way.

        Args:
            decided: whether what is seen tells which of the worlds it is.
        """
        if not decided:
            self.worlds = self.outlook.last
            return frozenset().union(*self.outlook.stages)
        fitting = frozenset(world for world in self.outlook.last if agrees(world.running, self.seen))
        self.worlds = fitting or self.outlook.last
        return frozenset()

    def start_over(self, world: World) -> None:
        """After a defect: what runs counts from now on."""
        self.worlds = frozenset({world})
        self.resting.clear()
        assert self._last is not None
        for file, said in self._last.said.items():
            self._ledgers[file].start_over(said)

    def frame(self, one: Pass) -> None:
        """Compares a frame."""
        self.frames += 1
        self._follow_frames(one)
        seen = self._tags(one)
        for tag in seen.values():
            self.first_seen.setdefault(tag, one.began_ns)
        self._follow_versions(seen)
        if self.fault is not None and self.fault.since is None and self.fault.content.tag in seen.values():
            self.fault.since = one.frame
        self._follow_rest(one, seen)
        self.seen = seen
        for file, ledger in self._ledgers.items():
            said = one.said.get(file)
            content = None if said is None else self._contents.get(seen[file])
            for what in ledger.frame(one.frame, content, said):
                self._defect("lost", f"frame {one.frame}: {what}")
        self._last = one

    def _follow_frames(self, one: Pass) -> None:
        last = self._last
        if last is None:
            return
        if last.failed is not None:
            self._follow_fault(last, one)
        elif one.frame <= last.frame and self._is_return(one):
            return
        elif one.frame <= last.frame:
            self._defect("void", f"frame {last.frame} was begun, then frame {one.frame}")
        elif one.frame > last.frame + 1:
            self._defect("lost", f"no module ran between frames {last.frame} and {one.frame}")

    def _is_return(self, one: Pass) -> bool:
        """Whether the world is back in the frame before the swap, because a value went bad."""
        fault = self.fault
        if fault is None or fault.happened or not fault.returns or fault.since is None:
            return False
        fault.happened = True
        if one.frame != fault.since:
            self._defect("lost", f"back in frame {one.frame}, not in {fault.since}, where the edit was swapped in")
        self.outlook = self.outlook.undone(fault.content, self.seen)
        self._low = 0
        return True

    def _follow_fault(self, last: Pass, one: Pass) -> None:
        """After a frame in which a hook failed: it was void, and the old version is back or the module rests."""
        assert last.failed is not None
        if one.frame != last.frame:
            self._defect("void", f"frame {last.frame} failed, and frame {one.frame} came next")
        fault = self.fault
        if fault is None or (fault.happened and not fault.passing) or fault.content.file != last.failed:
            self._defect("fault", f"{last.failed} failed, which it must not now")
        elif fault.passing:
            self._low = 0
            self.may_rest.add(last.failed)
        elif fault.rolls_back:
            self.outlook = self.outlook.undone(fault.content, self.seen)
            self._low = 0
        else:
            self.resting[last.failed] = fault.content.tag
        if fault is not None:
            fault.happened = True

    def _tags(self, one: Pass) -> dict[str, int]:
        """The tag of each file that was seen; a file with two is torn, whether within itself or between files."""
        found: dict[str, set[int]] = {}
        for said in one.said.values():
            for file, first, last in said["marks"]:
                found.setdefault(file, set()).update({first, last if last is not None else -1})
        for file, tags in found.items():
            if len(tags) > 1:
                self._defect("torn", f"frame {one.frame}: {file} has the tags {sorted(tags)}")
        return {file: min(tags) for file, tags in found.items()}

    def _follow_versions(self, seen: Mapping[str, int]) -> None:
        moments = [moment for moment in self.outlook.moments(seen) if moment >= self._low]
        if moments:
            self._low = min(moments)
            return
        changed = {file: (self.seen.get(file), tag) for file, tag in seen.items() if self.seen.get(file) != tag}
        if changed:
            went_back = " (it went back)" if self.outlook.moments(seen) else ""
            self._defect("torn", f"these files were never saved together{went_back}: {self._named(seen)}")

    def _follow_rest(self, one: Pass, seen: Mapping[str, int]) -> None:
        for file in list(self.resting):
            if file in one.said:  # it is back
                if seen[file] == self.resting[file] and self._dependents_same(seen):
                    self._defect("void", f"{file} rests since its fault, and runs again unchanged")
                del self.resting[file]
        settings = self._contents.get(seen.get(SETTINGS, -1))
        wanted = [file for file in settings.listed if file not in self.resting] if settings else []
        if one.failed is None and list(one.said) not in (
            wanted,
            [file for file in wanted if file not in self.may_rest],
        ):
            self._defect("lost", f"frame {one.frame}: {', '.join(one.said)} ran, not {', '.join(wanted)}")

    def _dependents_same(self, seen: Mapping[str, int]) -> bool:
        return all(self.seen.get(file, tag) == tag for file, tag in seen.items())

    def _named(self, seen: Mapping[str, int]) -> str:
        return ", ".join(f"{file} {tag}" for file, tag in sorted(seen.items()) if self.outlook_differs(file, tag))

    def outlook_differs(self, file: str, tag: int) -> bool:
        """Whether a file's tag is not the one it has in every world of the step's end."""
        return any(world.running.get(file) is None or world.running[file].tag != tag for world in self.outlook.last)

    def _defect(self, kind: str, what: str) -> None:
        self.defects.append(Defect(kind, self.step, what))

    def counts(self) -> Counter[str]:
        """How many defects there were of each kind."""
        return Counter(defect.kind for defect in self.defects)
