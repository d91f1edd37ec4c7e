"""The memory limit: tables come first, the history takes what they leave, and a spawn that has no room is refused."""

from __future__ import annotations

from collections.abc import Iterable

from instar.hmr.state.errors import MemoryLimitError
from instar.hmr.state.memory.account import MemoryAccount, bytes_of_rows
from instar.hmr.state.memory.units import shown_size
from instar.hmr.state.table import Table
from instar.native import History

LEAST_LIMIT = 10**6
"""A limit below this leaves no room for any world."""

LEAST_HISTORY = 1 << 16
"""What a history is never cut below."""

_STEPS = 64
"""The history is cut by whole parts of its budget, this many of them, so that growth cuts it seldom."""


class MemoryLimit:
    """Keeps a state within a number of bytes.

    Between two counts it only adds up what is spawned, so that a spawn costs next to nothing.

    Attributes:
        limit: The most bytes there may be.
        notice: What became of the history, for people; None as long as it has its whole budget.

    Args:
        limit: The most bytes there may be.
        account: Counts them.
        history: What is cut first.

    Raises:
        MemoryLimitError: If no world could live within the limit.
    """

    def __init__(self, limit: int, account: MemoryAccount, history: History) -> None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < LEAST_LIMIT:
            raise MemoryLimitError(
                f"memory_limit={limit!r} must be a whole number of bytes, {LEAST_LIMIT:,} or more; nothing was made"
            )
        self.limit = limit
        self.notice: str | None = None
        self._account = account
        self._history = history
        self._room = 0
        self.fit()

    def watch(self, tables: Iterable[Table]) -> None:
        """Have these tables ask before they spawn, and count anew."""
        for table in tables:
            table.__dict__["_admit"] = self.admit
        self.fit()

    def lift(self, tables: Iterable[Table]) -> None:
        """Have these tables spawn without asking, and give the history its whole budget."""
        for table in tables:
            table.__dict__["_admit"] = None
        self._history.limit_bytes = self._history.budget_bytes

    def admit(self, table: Table, count: int) -> None:
        """Make room for rows that a table is about to spawn.

        Raises:
            MemoryLimitError: If there is none, even with the shortest history; says which table is how large.
        """
        rows = len(table)
        needed = bytes_of_rows(table, rows + count) - bytes_of_rows(table, rows)
        if needed > self._room and not self.fit(needed):
            own = shown_size(bytes_of_rows(table, rows + count))
            everything = shown_size(self._account.needed() + needed)
            raise MemoryLimitError(
                f"{table.name} cannot spawn {count:,} rows: with {rows + count:,} rows it takes {own}, and all tables and "
                f"checkpoints {everything} even without any history; memory is limited to {shown_size(self.limit)}. "
                f"Nothing was spawned, and all agents and the history are kept. Despawn some, let go of checkpoints, or raise "
                f'the limit: memory = "…" in scene.toml, or StateManager(memory_limit=…)'
            )
        self._room -= needed

    def fit(self, extra: int = 0) -> bool:
        """Count anew, and give the history what is left when tables, checkpoints and ``extra`` bytes have theirs.

        Returns:
            Whether there is room for the extra bytes; if not, the history keeps what it has.
        """
        left = self.limit - self._account.needed() - extra
        if extra and left < LEAST_HISTORY:
            return False
        budget = self._history.budget_bytes
        step = max(LEAST_HISTORY, budget // _STEPS)
        allowed = budget if left >= budget else max(LEAST_HISTORY, left // step * step)
        if allowed != self._history.limit_bytes:
            self._history.limit_bytes = allowed
        if allowed < budget:
            self.notice = (
                f"memory: the history is cut to {shown_size(allowed)} of {shown_size(budget)}, as all may take "
                f"{shown_size(self.limit)}; frames {self._history.oldest} to {self._history.newest} can be returned to"
            )
        self._room = max(0, left + extra - allowed)
        return True
