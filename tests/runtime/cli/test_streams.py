from __future__ import annotations

import os
import subprocess
import sys

import pytest

REPORT = (
    "import os, sys\n"
    "from instar.cli.streams import open_missing_streams\n"
    "open_missing_streams()\n"
    "for fd in (0, 1, 2): os.fstat(fd)\n"
    "sys.stdin.read(); print('out', flush=True); print('err', file=sys.stderr, flush=True)\n"
    "opened = os.open(os.devnull, os.O_RDONLY)\n"
    "os.write(int(sys.argv[1]), b'%d' % opened)\n"
)


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-", ""])
def test_closed_streams_are_open_and_no_file_takes_their_number(closed: str) -> None:
    reading, writing = os.pipe()
    line = f'exec "$0" -c "$1" {writing} {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", line, sys.executable, REPORT],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[writing],
        check=False,
        timeout=30,
    )
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert int(answer.read()) > 2
    assert done.returncode == 0


@pytest.mark.parametrize("words", ["['doctor', '--json']", "['--help']", "['--version']"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_went_away_is_nothing_to_talk_about(words: str, unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    program = f"import sys; from instar.cli.main import main; sys.exit(main({words}))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        text=True,
        check=False,
        timeout=30,
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode in {0, 1}
