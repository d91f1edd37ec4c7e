"""What a state takes, as people ask it."""

from __future__ import annotations

from typing import Any

from instar.hmr.state.aging import Timeline
from instar.hmr.state.memory.account import MemoryAccount, MemoryUse
from instar.hmr.state.memory.limit import MemoryLimit


class Measured:
    """A state whose memory is counted."""

    _account: MemoryAccount
    _limit: MemoryLimit | None
    _history: Timeline

    @property
    def history_bytes(self) -> int:
        """The bytes the history holds now."""
        return self._history.used_bytes

    def memory(self) -> MemoryUse:
        """What all this takes, in bytes by table and purpose. It walks the whole history: a matter of ms where that is long."""
        return self._account.measure(self._limit.limit if self._limit else None)

    def memory_summary(self) -> dict[str, Any]:
        """Total, limit and bytes by purpose as plain JSON values, at once."""
        purposes = self._account.purposes()
        limit = self._limit.limit if self._limit else None
        return {"total": sum(purposes.values()), "limit": limit, "purposes": purposes}

    @property
    def memory_notice(self) -> str | None:
        """What the memory limit made of the history, for people; None if it has its whole budget."""
        return self._limit.notice if self._limit else None
