"""The live panel: a snapshot as something rich can draw. Imported by the view's own process, never by the frame's."""

from instar.view.panel.layout import render as render
from instar.view.panel.picture import picture as picture

__all__ = ["render", "picture"]
