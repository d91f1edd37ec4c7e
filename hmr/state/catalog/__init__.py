"""The tables of a world, seen and parked, with their schemas by frame and their references to each other."""

from __future__ import annotations

from instar.hmr.state.catalog.catalog import Catalog
from instar.hmr.state.catalog.layouts import Era, Eras, Form, Layout
from instar.hmr.state.catalog.targets import find_untargeted

__all__ = ["Catalog", "Era", "Eras", "Form", "Layout", "find_untargeted"]
