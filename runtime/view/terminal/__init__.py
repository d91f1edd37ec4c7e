"""The live view in a terminal: the frame's side here, the drawing in a process of its own."""

from instar.view.terminal.view import TerminalView as TerminalView

__all__ = ["TerminalView"]
