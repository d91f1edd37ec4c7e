from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator

import pytest

from instar.cli import doctor
from instar.cli.checks import Check
from instar.cli.main import main

GOOD = Check("clock", "ok", "resolution 1 ns")
WORSE = Check("memory", "warn", "0.5 GB", "Keep capacities small.")
BROKEN = Check("native", "broken", "no", "Build it again.")


def checks(monkeypatch: pytest.MonkeyPatch, *found: Check) -> None:
    def examine() -> Iterator[Check]:
        yield from found

    monkeypatch.setattr(doctor, "ALL", (examine,))


def test_each_finding_has_a_sign_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checks(monkeypatch, GOOD, WORSE)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "✓ clock              resolution 1 ns",
        "! memory             0.5 GB",
        "                     Keep capacities small.",
    ]


def test_only_what_is_needed_and_broken_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checks(monkeypatch, GOOD, BROKEN)
    assert main(["doctor"]) == 1
    assert "✗ native" in capsys.readouterr().out


def test_json_is_alone_on_standard_output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    checks(monkeypatch, GOOD, BROKEN)
    assert main(["doctor", "--json"]) == 1
    shown = capsys.readouterr()
    assert shown.err == ""
    document = json.loads(shown.out)
    assert document["ok"] is False
    assert document["checks"][1] == {
        "name": "native",
        "verdict": "broken",
        "found": "no",
        "advice": "Build it again.",
    }


def test_a_terminal_without_unicode_gets_plain_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    checks(monkeypatch, GOOD, WORSE, Check("slack", "broken", "50 µs"))
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "ascii"))
    assert main(["doctor"]) == 1
    assert [line.split()[0] for line in raw.getvalue().decode().splitlines()] == ["ok", "!", "Keep", "X"]


def test_this_machine_can_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    names = {check["name"] for check in document["checks"]}
    assert {"python", "system", "native", "clock", "memory", "temporary folder", "current folder"} <= names
    assert document["ok"] == (code == 0)
    assert all(check["advice"] for check in document["checks"] if check["verdict"] != "ok")
