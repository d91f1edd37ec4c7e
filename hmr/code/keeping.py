"""`keep`: objects of a run that edits leave alone, such as windows and sockets."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

from instar.hmr.code.compile.likeness import likeness
from instar.hmr.code.errors import LoadError
from instar.hmr.code.params import Place, declarations
from instar.hmr.code.persisting import refuse_in_function, refuse_name

T = TypeVar("T")
_LOOK_SECONDS = 0.1
"""How often a loader that waits for the frame thread sees whether there still is one."""


@dataclass(frozen=True, slots=True, eq=False)
class DeclaredObject:
    """One `keep(...)` of a file.

    Attributes:
        key: the module's dotted name and the object's.
        factory: what would make it.
        place: where it stands.
    """

    key: str
    factory: Callable[[], object]
    place: Place

    @property
    def content(self) -> object:
        """What tells its factory from another, wherever it stands; the same for all that are no plain functions."""
        return likeness(self.factory)


@dataclass(slots=True, eq=False)
class _Order:
    """A factory that the frame thread is asked to call."""

    factory: Callable[[], object]
    done: threading.Event = field(default_factory=threading.Event)
    made: object = None
    error: BaseException | None = None
    wanted: bool = True

    def carry_out(self) -> None:
        if not self.wanted:
            return
        try:
            self.made = self.factory()
        except BaseException as error:
            self.error = error  # for the loader
            if isinstance(error, KeyboardInterrupt):  # for whoever runs the frames too
                raise
        finally:
            self.done.set()


class Kept:
    """The kept objects of one run.

    Factories are called by one thread only, since windows want that: the one that loads the scene first, and then, while an
    edit is loaded elsewhere, the one that calls `serve` between two frames. Until it has, the loader waits.
    """

    def __init__(self) -> None:
        self._objects: dict[str, tuple[object, object]] = {}
        self._made: dict[str, tuple[object, object]] = {}
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._loader: int | None = None

    def __contains__(self, key: str) -> bool:
        return key in self._objects

    @property
    def objects(self) -> list[object]:
        """The objects."""
        return [found for found, _ in self._objects.values()]

    def begin(self) -> None:
        """Begin a load: what the one before made for an edit that came to nothing is let go of."""
        self._made = {}

    def accept(self) -> None:
        """Keep what the load has made."""
        self._objects |= self._made
        self._made = {}

    def get(self, declared: DeclaredObject) -> object:
        """The object of a key, made by its factory if there is none.

        Raises:
            BaseException: what the factory raises; nothing is kept.
        """
        key = declared.key
        found = self._objects.get(key) or self._made.get(key)
        if found is None:
            found = self._made[key] = (self._make(declared.factory), declared.content)
        return found[0]

    def notes(self, new: Mapping[str, DeclaredObject], old: Mapping[str, DeclaredObject]) -> list[str]:
        """For people: the objects there were that an edit would have made otherwise.

        Args:
            new: what the edit declares, by key.
            old: what the program before it declared.
        """
        changed = [key for key, one in new.items() if key not in old or old[key].content != one.content]
        return [
            f"kept {key.rpartition('.')[2]} (made by an earlier version)"
            for key in changed
            if key in self._objects and self._objects[key][1] != new[key].content
        ]

    def loads_elsewhere(self, loader: int | None) -> None:
        """From now on a thread loads that must not call factories; None: there is none."""
        self._loader = loader

    def serve(self) -> None:
        """Call the factories that a loader waits for, in the thread that frames are run by."""
        while not self._orders.empty():
            self._orders.get().carry_out()

    def _make(self, factory: Callable[[], object]) -> object:
        if self._loader != threading.get_ident():
            return factory()
        order = _Order(factory)
        self._orders.put(order)
        try:
            while not order.done.wait(_LOOK_SECONDS):
                if self._loader is None:
                    raise LoadError("the run ended before the object was made")
        finally:
            order.wanted = False
        if order.error is not None:
            raise order.error
        return order.made


def keep(name: str, factory: Callable[[], T]) -> T:
    """An object that is made once a run and left alone by edits: a window, a socket, a model that was loaded.

    It stands at the top level of a file and is known by the file's name and its own. It is no part of the world's state: it
    is not rolled back nor saved. A factory that an edit changed is not called again; one that is new is called between two
    frames, by the thread that runs them. What no file names any more is there until the run ends, for an undo. Where edits
    are only tried a stub stands in. Outside of a scene the factory is just called.

    Example:
        ``window = keep("window", open_window)``

    Args:
        name: the object's name in the file, an identifier.
        factory: makes it; called without arguments.

    Raises:
        LoadError: it does not stand at the top level, or the name is none or taken.
        BaseException: what the factory raises; nothing is kept.
    """
    frame = sys._getframe(1)  # noqa: SLF001 - whoever calls it is where the object is declared
    found = declarations()
    place = None if found is None else found.place(frame, f"keep({name!r}, …)")
    if found is None or place is None:
        refuse_in_function("keep", name, frame)
        return factory()
    own = found.objects.setdefault(place.unique_name, {})
    refuse_name("keep", name, place, {other: kept.place for other, kept in own.items()})
    if not callable(factory):
        raise LoadError(
            f"keep({name!r}, …) takes a function that makes the object, not {type(factory).__name__}",
            path=place.path,
            line=place.line,
            advice=f"Write keep({name!r}, lambda: …).",
        )
    declared = own[name] = DeclaredObject(f"{place.module}.{name}", factory, place)
    if found.kept is None:
        return cast("T", _Stub())
    return cast("T", found.kept.get(declared))


class _Stub:
    """Stands in for a kept object where edits are only tried: whatever is asked of it is another one."""

    def __getattr__(self, name: str) -> _Stub:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Stub()

    def __call__(self, *_: object, **__: object) -> _Stub:
        return _Stub()

    def __getitem__(self, _: object) -> _Stub:
        return _Stub()

    def __setitem__(self, _: object, __: object) -> None:
        pass

    def __iter__(self) -> Iterator[_Stub]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __enter__(self) -> _Stub:
        return self

    def __exit__(self, *_: object) -> None:
        pass
