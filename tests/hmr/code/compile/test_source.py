from __future__ import annotations

from pathlib import Path

from instar.hmr.code.compile.source import Source, digest_of


def test_digest_is_twelve_hexadecimal_digits_of_the_content() -> None:
    assert digest_of(b"abc") == "13c9497c2425"
    assert len(digest_of(b"x")) == 12
    assert int(digest_of(b"x"), 16) >= 0
    assert digest_of(b"x") != digest_of(b"y")


def test_package_of_a_file_is_where_its_relative_imports_start() -> None:
    assert Source.of(Path("a.py"), "a", b"").package == ""
    assert Source.of(Path("p/a.py"), "p.a", b"").package == "p"
    assert Source.of(Path("p/__init__.py"), "p", b"").package == "p"
    assert Source.of(Path("p/__init__.py"), "p", b"").is_package
