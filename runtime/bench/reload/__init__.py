"""`instar bench reload`: real saves of real files, seen by real processes."""

from instar.bench.reload.measure import measure
from instar.bench.reload.table import table

__all__ = ["measure", "table"]
