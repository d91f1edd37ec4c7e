"""The table of persisted values: rows of bytes that no schema of a scene names."""

from __future__ import annotations

import numpy as np

from instar.hmr.state.dtypes import ColumnType
from instar.hmr.state.fields import make_field
from instar.hmr.state.schema import Schema

ROW_BYTES = 256
_ROW = ColumnType("u8", np.dtype(np.uint8), (ROW_BYTES,))
SCHEMA = Schema.build("__persisted__", {"data": make_field("data", _ROW)}, 1 << 20)
