"""What may go wrong with an edit besides being slow; each returns whether it went right, and what was seen."""

from __future__ import annotations

import time
from collections.abc import Callable

from peer import Peer
from sources import helper

PATIENCE_S = 1.5
"""After so long an edit counts as not seen."""

Result = tuple[bool, str]


def torn_reads(peer: Peer) -> Result:
    """A file is written in two pieces, the first of which is valid Python; its first half must never run alone."""
    saves = 20
    torn = 0
    for number in range(saves):
        tag = 1000 + number
        data = peer.text(tag).encode()
        middle = data.index(b"\n\ndef filler_5") + 2
        known = len(peer.said)
        with (peer.folder / "edited.py").open("wb", buffering=0) as file:
            file.write(data[:middle])
            time.sleep((0.005, 0.02, 0.08, 0.15)[number % 4])
            file.write(data[middle:])
        peer.wait_for((tag, tag), PATIENCE_S)
        torn += any(what[0] == "error" or what[0] != what[1] for _, what in peer.said[known:])
    return torn == 0, f"{torn} of {saves} ran half a file, or raised"


def renames(peer: Peer) -> Result:
    """A temporary file beside it takes its name, as vim, Emacs, PyCharm and git do."""
    saves = 10
    missed = 0
    for tag in range(2000, 2000 + saves):
        beside = peer.folder / "edited.py.tmp"
        beside.write_text(peer.text(tag), encoding="utf-8")
        beside.replace(peer.folder / "edited.py")
        missed += peer.wait_for((tag, tag), PATIENCE_S) is None
    return missed == 0, f"{missed} of {saves} not seen"


def equal_sizes(peer: Peer) -> Result:
    """Saves of the same size within one second: a .pyc of the one before looks fresh."""
    saves = 20
    stale = 0
    for tag in range(3000, 3000 + saves):
        (peer.folder / "edited.py").write_text(peer.text(tag), encoding="utf-8")
        stale += peer.wait_for((tag, tag), PATIENCE_S) is None
    return stale == 0, f"{stale} of {saves} stale"


def raises_at_import(peer: Peer) -> Result:
    """The new file raises in its middle: nothing of it may run."""
    before = peer.said[-1][1]
    known = len(peer.said)
    text = peer.text(4000, middle="raise RuntimeError('in the middle')\n")
    (peer.folder / "edited.py").write_text(text, encoding="utf-8")
    peer.listen(PATIENCE_S)
    seen = [what for _, what in peer.said[known:]]
    half = [what for what in seen if what[0] != "error" and what != before]
    if half:
        whole = half[-1][0] == half[-1][1]
        return False, "its functions run all the same" if whole else "the half before it runs, the rest is old"
    return (True, "the old code goes on") if peer.alive and not seen else (False, f"raised in the loop: {seen}")


def truncated(peer: Peer) -> Result:
    """The file is empty for a while, as when a disk is full or an editor crashes."""
    (peer.folder / "edited.py").write_bytes(b"")
    known = len(peer.said)
    peer.listen(PATIENCE_S)
    errors = [what for _, what in peer.said[known:]]
    (peer.folder / "edited.py").write_text(peer.text(5001), encoding="utf-8")
    came = peer.wait_for((5001, 5001), PATIENCE_S) is not None
    if errors or not peer.alive:
        return False, f"the loop got {errors[0] if errors else 'killed'}"
    return came, "the old code goes on" if came else "the next save is not seen"


def deleted(peer: Peer) -> Result:
    """The file is deleted and comes back with new content."""
    known = len(peer.said)
    (peer.folder / "edited.py").unlink()
    peer.listen(0.4)
    errors = [what for _, what in peer.said[known:]]
    (peer.folder / "edited.py").write_text(peer.text(6001), encoding="utf-8")
    came = peer.wait_for((6001, 6001), PATIENCE_S) is not None
    if errors:
        return False, f"the loop got {errors[0]}"
    return came, "the old code goes on, the new one is seen" if came else "its return is not seen"


def several_files(peer: Peer) -> Result:
    """A helper's signature and its caller change together, 30 ms apart; then the caller first."""
    edits = 10
    mixed = lost = 0
    for number in range(edits):
        tag = 7000 + number
        known = len(peer.said)
        saves = [("helper.py", helper(tag)), ("edited.py", peer.text(tag, helper=tag))]
        for name, text in saves if number % 2 else reversed(saves):
            (peer.folder / name).write_text(text, encoding="utf-8")
            time.sleep(0.03)
        lost += peer.wait_for((tag, tag, tag), PATIENCE_S) is None and (tag, tag, tag) not in [
            what for _, what in peer.said[known:]
        ]
        bad = [what for _, what in peer.said[known:] if what[0] == "error" or len(set(what)) > 1]
        mixed += bool(bad)
    return mixed + lost == 0, f"{mixed} of {edits} raised or mixed versions, {lost} did not arrive"


CHECKS: dict[str, Callable[[Peer], Result]] = {
    "written in pieces": torn_reads,
    "renamed over": renames,
    "equal sizes within a second": equal_sizes,
    "raises at import": raises_at_import,
    "truncated for a while": truncated,
    "deleted, then back": deleted,
    "helper and caller": several_files,
}
