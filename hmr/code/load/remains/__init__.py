"""What is left of versions that no program uses any more: freed at once, or held by somebody who is named."""

from __future__ import annotations

from instar.hmr.code.load.remains.remains import Remains

__all__ = ["Remains"]
