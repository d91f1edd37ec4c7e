"""Work that is done before a save is complete, where its content is already known."""

from __future__ import annotations

from instar.hmr.code.predict.predictor import Predictor

__all__ = ["Predictor"]
