"""What a person can cause in Instar, from its lowest room up."""

from __future__ import annotations


class InstarError(Exception):
    """Something a person can cause and mend; the message says what was wrong, what was kept and what to do next."""


class ReservationError(InstarError, MemoryError):
    """The system did not give the address space that was asked for."""


class HistoryError(InstarError, LookupError):
    """The history holds no frame to go to."""
