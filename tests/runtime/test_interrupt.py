from __future__ import annotations

import os
import signal

import pytest

from instar.interrupt import Interrupt


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_notes_that_the_run_is_to_end_and_leaves_no_handler_behind(number):
    before = signal.getsignal(number)
    with Interrupt(lambda: None) as interrupt:
        os.kill(os.getpid(), number)
        assert interrupt.wanted
    assert signal.getsignal(number) is before


def test_what_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupt(lambda: None) as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interrupt.wanted
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_interrupt_breaks_in():
    with Interrupt(lambda: None) as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.wanted


def test_who_goes_on_after_a_stop_is_told():
    told = []
    with Interrupt(lambda: told.append(1)):
        os.kill(os.getpid(), signal.SIGCONT)
    assert told == [1]
