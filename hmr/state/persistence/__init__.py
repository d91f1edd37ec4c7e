"""Persisted values: plain Python data that is part of the committed state."""

from __future__ import annotations

from instar.hmr.state.persistence.box import Persisted as Persisted
from instar.hmr.state.persistence.errors import PersistError as PersistError
from instar.hmr.state.persistence.errors import UnknownValueError as UnknownValueError
from instar.hmr.state.persistence.saved import saved_values as saved_values
from instar.hmr.state.persistence.values import PersistedValues as PersistedValues

__all__ = ["Persisted", "PersistError", "UnknownValueError", "PersistedValues", "saved_values"]
