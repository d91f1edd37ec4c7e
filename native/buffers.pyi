"""Buffers of callers, checked once at the boundary; nothing here is for Python."""
