"""The cases of `instar bench reload`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from instar.bench.reload.running import running
from instar.bench.reload.saving import Saves, receipts_of, save_all, spread, times
from instar.bench.reload.sources import source

SAVES = 200
LINES = 300
LONG_LINES = 3000
AGENTS = 1_000_000


def measure(saves: int = SAVES, agents: int = AGENTS) -> dict[str, Any]:
    """Save modules again and again; how long until their code is ready, and until it runs.

    Args:
        saves: How often the module of 300 lines is saved; half as often the one of 3,000 lines and known versions, and a
            tenth as often the one with many agents.
        agents: How many there are where the swap is measured.
    """
    usual = measure_lines(LINES, saves)
    return {
        **usual,
        "long": measure_lines(LONG_LINES, max(2, saves // 2)),
        "undo": measure_undo(max(2, saves // 2)),
        "agents": measure_agents(agents, max(2, saves // 10)),
    }


def measure_lines(lines: int, saves: int) -> dict[str, Any]:
    """Save versions of a module of so many lines, each of them new; the first of a run counts for itself."""
    with running(source(0, lines)) as run:
        first = save_all(run, [(saves + 1, source(saves + 1, lines))])
        found = save_all(run, [(tag, source(tag, lines)) for tag in range(1, saves + 1)])
        run.end()
    _, receipts = receipts_of(run.report["edits"], first, found)
    return {
        "lines": lines,
        "saves": saves,
        **times(found, receipts),
        "first_visible_ms": round((first.visible[0] - first.saved[0]) / 1e6, 3) if first.visible else None,
        **_outcome(found, run.report),
        "predicted": _predictions(receipts),
    }


def measure_undo(saves: int, lines: int = LINES) -> dict[str, Any]:
    """Save versions that have run before, as undo, redo and a branch's return do."""
    texts = {tag: source(tag, lines) for tag in (1, 2, 3)}
    known = [tag for number in range(saves) for tag in (1, 2, 3, 2)[number % 4 : number % 4 + 1]]
    with running(source(0, lines)) as run:
        first = save_all(run, list(texts.items()))
        found = save_all(run, [(tag, texts[tag]) for tag in known])
        run.end()
    _, receipts = receipts_of(run.report["edits"], first, found)
    return {
        "lines": lines,
        "saves": saves,
        **times(found, receipts),
        **_outcome(found, run.report),
        "predicted": _predictions(receipts),
    }


def measure_agents(agents: int, saves: int) -> dict[str, Any]:
    """Save a module that has very many agents: with the schema it had, and each time with a field more."""
    unchanged = [(tag, source(tag, LINES, agents)) for tag in range(1, saves + 1)]
    fields = [f"more_{number}: f32 = field({0.0 if number % 2 else 1.5})" for number in range(saves)]
    added = [(saves + n, source(saves + n, LINES, agents, fields[:n])) for n in range(1, saves + 1)]
    with running(source(0, LINES, agents)) as run:
        first = save_all(run, [(2 * saves + 1, source(2 * saves + 1, LINES, agents))])
        same = save_all(run, unchanged)
        more = save_all(run, added)
        run.end()
    _, receipts, grown = receipts_of(run.report["edits"], first, same, more)
    return {
        "agents": agents,
        "saves": 2 * saves,
        "unchanged": times(same, receipts),
        "field_added": times(more, grown),
        "missed_by_edits": run.report["missed_by_edits"],
        "torn": same.torn + more.torn,
        "stale": same.stale + more.stale,
        "rows": run.report["agents"],
    }


def _outcome(found: Saves, report: Mapping[str, Any]) -> dict[str, Any]:
    rejected = sum(receipt["verdict"] != "live" for receipt in report["edits"])
    return {
        "missed": report["missed"],
        "missed_by_edits": report["missed_by_edits"],
        "frames": report["frames"],
        "torn": found.torn + rejected,
        "stale": found.stale,
    }


def _predictions(receipts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many edits were begun before their save was complete, by what told, and what that spared."""
    hits = Counter(receipt["predicted"] for receipt in receipts if receipt.get("predicted"))
    saved = [receipt["saved_ms"] for receipt in receipts if receipt.get("predicted")]
    found = {"edits": len(receipts), "hits": hits.total(), "by": dict(hits)}
    return {**found, "saved_ms": spread(saved)} if saved else found
