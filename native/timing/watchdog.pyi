"""A limit on how long one call may take, kept by a thread that needs no interpreter lock."""

from typing import final

@final
class Watchdog:
    """Watches the calls that the thread which makes it announces.

    A call that takes longer than the limit has its thread sent a signal, again and again, for a Python handler to raise in
    it. If the call has not ended a grace later, it is stuck where Python cannot reach it: one message naming it is written to
    file descriptor 2 and the process ends at once with exit code 1. Time in which the process was stopped does not count;
    the limit is kept to within a twentieth of a second. Close it before that thread ends.

    Args:
        limit: Seconds that a call may take.
        grace: Seconds from the signal to the end.
        signum: The signal; its handler must be in place.

    Raises:
        InstarError: If a number is not possible, or no thread can be started.
    """

    def __init__(self, limit: float, grace: float, signum: int) -> None: ...
    def arm(self, name: str | bytes, frame: int = -1) -> None:
        """A call begins.

        Args:
            name: Names the call in the message; bytes are UTF-8 and spare the encoding. Cut after 255 bytes.
            frame: The last committed frame, for the message; negative for none.
        """
    def disarm(self) -> None:
        """The call has ended."""
    def suspend(self) -> None:
        """Watch nothing until `resume`, as while a person is at a breakpoint."""
    def resume(self) -> None:
        """Watch again; the call has its whole limit before it."""
    def close(self) -> None:
        """End the watch; closing again does nothing."""
