from __future__ import annotations

import importlib
import sysconfig
from types import SimpleNamespace

import pytest

from instar.cli.checks import machine


def settings(monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    """Answers for kernel settings by the last part of their path; others do not exist."""
    monkeypatch.setattr(machine, "setting", lambda path: files.get(path.rsplit("/", 1)[-1]))


def test_the_path_in_use_is_named_and_a_narrowed_one_is_questioned(monkeypatch: pytest.MonkeyPatch) -> None:
    native = SimpleNamespace(isa=lambda: "generic", isas=lambda: ("generic", "avx2"))
    monkeypatch.setattr(machine.importlib, "import_module", lambda _: native)
    monkeypatch.delenv("INSTAR_ISA", raising=False)
    (check,) = machine.native()
    assert (check.verdict, check.found) == ("ok", "generic in use; this processor can run: generic, avx2")
    monkeypatch.setenv("INSTAR_ISA", "generic")
    (check,) = machine.native()
    assert check.verdict == "warn"
    assert "unset INSTAR_ISA" in check.advice


def test_native_code_that_does_not_load_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ImportError(f"no {name}")

    monkeypatch.setattr(importlib, "import_module", missing)
    (check,) = machine.native()
    assert (check.verdict, check.found) == ("broken", "no instar.native")


@pytest.mark.parametrize(("slack", "verdict"), [("50000", "ok"), ("4000000", "warn")])
def test_a_timer_that_may_be_late_is_noticed(monkeypatch: pytest.MonkeyPatch, slack: str, verdict: str) -> None:
    settings(monkeypatch, timerslack_ns=slack)
    (check,) = machine.timer_slack()
    assert check.verdict == verdict


def test_a_system_without_these_settings_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    settings(monkeypatch)
    assert list(machine.timer_slack()) == []
    assert [check.name for check in machine.memory()] == ["memory"]


def test_memory_settings_that_hinder_come_with_the_line_that_mends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    settings(monkeypatch, overcommit_memory="2", enabled="always madvise [never]")
    _, overcommit, pages = machine.memory()
    assert (overcommit.verdict, pages.verdict) == ("warn", "warn")
    assert "sysctl vm.overcommit_memory=0" in overcommit.advice
    assert "transparent_hugepage" in pages.advice
    settings(monkeypatch, overcommit_memory="0", enabled="always [madvise] never")
    assert [check.verdict for check in machine.memory()][1:] == ["ok", "ok"]


def test_an_interpreter_without_a_global_lock_is_questioned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: int(name == "Py_GIL_DISABLED"))
    (check,) = machine.interpreter()
    assert check.verdict == "warn"
    assert "free-threaded" in check.found
