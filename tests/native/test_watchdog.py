"""The watchdog interrupts, or ends, a process of its own; waits end by signals of a second watchdog, never by the clock."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from instar.native import InstarError, Watchdog

PRELUDE = """
import ctypes, signal
from instar.native import Watchdog

class Late(Exception): pass
fired = []
def interrupt(signum, frame): raise Late
def note(signum, frame): fired.append(signum)
def after(seconds):
    "A watchdog as a timer: notes SIGUSR2 once so much time has passed."
    signal.signal(signal.SIGUSR2, note)
    timer = Watchdog(seconds, 600, signal.SIGUSR2)
    timer.arm("timer")
    return timer
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + script], capture_output=True, text=True, timeout=60, check=False
    )


def test_interrupts_a_loop_in_python() -> None:
    done = run("""
signal.signal(signal.SIGALRM, interrupt)
def update():
    while True: pass
watchdog = Watchdog(0.1, 600, signal.SIGALRM)
watchdog.arm("flock.update", 41)
try:
    update()
except Late:
    watchdog.disarm()
    print("interrupted")
watchdog.close()
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


STUCK = """
signal.signal(signal.SIGALRM, interrupt)
libc = ctypes.PyDLL(None)
mutex = ctypes.create_string_buffer(512)
libc.pthread_mutex_init(mutex, None)
libc.pthread_mutex_lock(mutex)
watchdog = Watchdog(0.1, 0.1, signal.SIGALRM)
watchdog.arm({arguments})
libc.pthread_mutex_lock(mutex)
print("unreachable")
"""


def test_ends_a_process_stuck_with_the_interpreter_lock() -> None:
    done = run(STUCK.format(arguments="'flock.update', 41"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("instar: flock.update did not end: it ran longer than 0.1 s")
    assert "The last committed frame was 41." in done.stderr
    assert done.stderr.count("\n") == 1


def test_cuts_long_names_and_leaves_out_no_frame() -> None:
    done = run(STUCK.format(arguments="b'x' * 5000"))
    assert done.returncode == 1
    assert done.stderr.startswith("instar: " + "x" * 255 + " did not end")
    assert "committed frame" not in done.stderr


def test_signals_again_until_the_call_ends() -> None:
    done = run("""
signal.signal(signal.SIGALRM, note)
watchdog = Watchdog(0.02, 600, signal.SIGALRM)
watchdog.arm("one")
while fired.count(signal.SIGALRM) < 3: signal.pause()
watchdog.disarm()
fired.clear()
timer = after(0.3)
while signal.SIGUSR2 not in fired: signal.pause()
print(fired.count(signal.SIGALRM) <= 1)
""")
    assert done.stdout == "True\n", done.stderr


def test_short_calls_are_left_alone() -> None:
    done = run("""
signal.signal(signal.SIGALRM, note)
watchdog = Watchdog(0.2, 0.2, signal.SIGALRM)
timer = after(1.0)
while not fired:
    watchdog.arm(b"short")
    watchdog.disarm()
print(fired == [signal.SIGUSR2])
""")
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("ended", ["watchdog.disarm()", "watchdog.suspend()", "watchdog.close()"])
def test_watches_nothing_once_told_to_stop(ended: str) -> None:
    done = run(f"""
signal.signal(signal.SIGALRM, note)
watchdog = Watchdog(0.1, 0.1, signal.SIGALRM)
watchdog.arm("call")
{ended}
timer = after(0.6)
while not fired: signal.pause()
print(fired == [signal.SIGUSR2])
""")
    assert done.stdout == "True\n", done.stderr


def test_watches_again_after_resume() -> None:
    done = run("""
signal.signal(signal.SIGALRM, note)
watchdog = Watchdog(0.1, 600, signal.SIGALRM)
watchdog.arm("call")
watchdog.suspend()
watchdog.resume()
while not fired: signal.pause()
print(fired == [signal.SIGALRM])
""")
    assert done.stdout == "True\n", done.stderr


def test_a_forked_child_can_close_it() -> None:
    done = run("""
import os
watchdog = Watchdog(0.1, 600, signal.SIGALRM)
child = os.fork()
watchdog.close()
if child == 0: os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""")
    assert done.stdout == "7\n", done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1.0, 14), "limit must be a positive number"),
        ((1.0, float("inf"), 14), "grace must be a positive number"),
        ((1.0, 1.0, 0), "0 is no signal"),
        ((1.0, 1.0, 999), "999 is no signal"),
    ],
)
def test_refuses(arguments: tuple[float, float, int], message: str) -> None:
    with pytest.raises(InstarError, match=message):
        Watchdog(*arguments)


def test_closing_twice_is_fine_and_closed_is_closed() -> None:
    watchdog = Watchdog(60.0, 60.0, 14)
    watchdog.close()
    watchdog.close()
    acts: list[Callable[[], None]] = [lambda: watchdog.arm("call"), watchdog.disarm, watchdog.suspend, watchdog.resume]
    for act in acts:
        with pytest.raises(InstarError, match="was closed"):
            act()
