"""Names through edits: which of the things that are there go on under which name. Fields and tables follow the same rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Named:
    """Something that has a name now.

    Attributes:
        shown: Whether the running schema shows it; if not, it is parked.
        formers: The names it had before, oldest first.
    """

    shown: bool
    formers: tuple[str, ...] = ()


def sources(wanted: Mapping[str, str | None], there: Mapping[str, Named]) -> dict[str, str | None]:
    """From what each wanted name goes on: a name of what is there, or None where it begins anew.

    What is shown goes on under its name; `was` is for names that are not shown, so that it applies once. A name that ``was``
    takes away is free: it begins anew beside the one that took it. What is parked comes back. Where an edit takes a rename
    back, so that the new name is no longer wanted and the old one is, the name is the old one again.

    Args:
        wanted: The names that are to be shown, with what their declarations say that they were.
        there: What there is, seen and parked, by its present name.
    """
    found: dict[str, str | None] = {}
    taken: set[str] = set()
    waiting = [name for name in wanted if not _is_shown(name, there)]
    while waiting:
        name = waiting.pop(0)
        was = wanted[name]
        if was is None or was in taken or not _is_shown(was, there) or _is_renamed(name, was, there):
            continue
        found[name] = was
        taken.add(was)
        if was in wanted and was not in found:
            waiting.append(was)
    for name, was in wanted.items():
        if name not in found:
            found[name] = _source(name, was, wanted, there, taken)
            taken |= {found[name] or name}
    return {name: found[name] for name in wanted}


def former_names(name: str, source: str, formers: tuple[str, ...]) -> tuple[str, ...]:
    """The names that something had before, once ``source`` is called ``name``; names after one that it had are undone."""
    if name == source:
        return formers
    return formers[: formers.index(name)] if name in formers else (*formers, source)


def _source(
    name: str, was: str | None, wanted: Mapping[str, str | None], there: Mapping[str, Named], taken: set[str]
) -> str | None:
    if name in there and name not in taken:
        return name
    if was in there and was not in taken and was not in wanted:
        return was
    undone = [one for one, named in there.items() if name in named.formers and one not in taken and one not in wanted]
    return max(undone, key=lambda one: there[one].shown, default=None)


def _is_shown(name: str, there: Mapping[str, Named]) -> bool:
    return name in there and there[name].shown


def _is_renamed(name: str, was: str, there: Mapping[str, Named]) -> bool:
    """Whether something parked got its name by this very rename."""
    return name in there and was in there[name].formers
