"""A limit on how long one call may take, kept by a thread that needs no interpreter lock."""

from libc.errno cimport errno
from libc.math cimport isfinite
from libc.stdint cimport int64_t
from libc.string cimport strerror

from instar.native.errors import InstarError

cdef extern from "plain/watchdog.h" nogil:
    ctypedef struct instar_watchdog:
        pass

    instar_watchdog *instar_watchdog_start(double limit, double grace, int signum)
    void instar_watchdog_arm(instar_watchdog *watchdog, const char *name, size_t size, int64_t frame)
    void instar_watchdog_disarm(instar_watchdog *watchdog)
    void instar_watchdog_suspend(instar_watchdog *watchdog)
    void instar_watchdog_resume(instar_watchdog *watchdog)
    void instar_watchdog_stop(instar_watchdog *watchdog)

cdef extern from "<signal.h>" nogil:
    enum:
        NSIG


cdef class Watchdog:
    cdef instar_watchdog *watchdog

    def __cinit__(self, double limit, double grace, int signum):
        for name, value in (("limit", limit), ("grace", grace)):
            if not (isfinite(value) and value > 0.0):
                raise InstarError(f"the watchdog's {name} must be a positive number of seconds, got {value}; nothing is watched")
        if not 0 < signum < NSIG:
            raise InstarError(f"{signum} is no signal; nothing is watched")
        self.watchdog = instar_watchdog_start(limit, grace, signum)
        if self.watchdog == NULL:
            raise InstarError(f"the watchdog's thread could not be started: {strerror(errno).decode()}; nothing is watched")

    def __dealloc__(self):
        self._stop()

    def arm(self, name, int64_t frame=-1):
        cdef bytes encoded = name if isinstance(name, bytes) else name.encode(errors="replace")
        instar_watchdog_arm(self._running(), encoded, len(encoded), frame)

    def disarm(self):
        instar_watchdog_disarm(self._running())

    def suspend(self):
        instar_watchdog_suspend(self._running())

    def resume(self):
        instar_watchdog_resume(self._running())

    def close(self):
        self._stop()

    cdef instar_watchdog *_running(self) except NULL:
        if self.watchdog == NULL:
            raise InstarError("the watchdog was closed; nothing is watched. Make a new one")
        return self.watchdog

    cdef void _stop(self) noexcept:
        cdef instar_watchdog *watchdog = self.watchdog
        self.watchdog = NULL
        if watchdog != NULL:
            with nogil:
                instar_watchdog_stop(watchdog)
