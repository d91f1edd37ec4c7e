from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from instar.telemetry.log import EventLog, LogError


def test_each_receipt_is_a_line_and_what_was_there_stays(receipt, told, log_file):
    log_file.write_text('{"old": true}\n')
    for _ in range(2):
        with EventLog(log_file, "/scenes/flock", told.append) as log:
            log.put(receipt.document())
            log.put(receipt.roll_back("x is not finite", 50).document())
    old, *lines = map(json.loads, log_file.read_text(encoding="utf-8").splitlines())
    assert old == {"old": True}
    assert [line["verdict"] for line in lines] == ["live", "rolled_back"] * 2
    assert {line["number"] for line in lines} == {receipt.number}
    assert {line["scene"] for line in lines} == {"/scenes/flock"}
    assert lines[0].items() >= receipt.document().items()
    assert told == []


def test_a_line_is_in_the_file_at_once(receipt, told, log_file):
    with EventLog(log_file, "flock", told.append) as log:
        log.put(receipt.document())
        assert log._outbox.flush(10)
        assert log_file.read_text().endswith("}\n")


@pytest.mark.parametrize("place", ["nowhere/log", ".", "fifo", "nul\0"])
def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path, told, place):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(LogError, match=r"the log cannot be written: .*Nothing was started"):
        EventLog(tmp_path / place, "flock", told.append)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a file that is full")
def test_a_disk_that_fills_up_is_told_once(receipt, told):
    with EventLog("/dev/full", "flock", told.append) as log:
        log.put(receipt.document())
        log.put(receipt.document())
    (text,) = told
    assert "/dev/full: the log cannot be written any more: No space left" in text
