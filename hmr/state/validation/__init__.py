"""Whether tables still are what was committed, and values what schemas say; and the mending of what is not."""

from __future__ import annotations

from instar.hmr.state.validation.lost import DamageError
from instar.hmr.state.validation.report import Fault, Report
from instar.hmr.state.validation.validator import Validator

__all__ = ["Validator", "Report", "Fault", "DamageError"]
