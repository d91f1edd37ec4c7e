"""What the room promises as a whole: names, stubs, and their documentation."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import instar.native

ROOM = Path(instar.native.__file__).parent
STUBS = sorted(ROOM.glob("*.pyi"))


def test_public_names() -> None:
    assert set(instar.native.__all__) <= set(vars(instar.native))


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.stem)
def test_every_stub_has_its_module_and_documents_its_names(stub: Path) -> None:
    __import__(f"instar.native.{stub.stem}")
    tree = ast.parse(stub.read_text())
    assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            assert ast.get_docstring(node), f"{stub.name}: {node.name} has no docstring"


def test_every_error_is_documented() -> None:
    for name in ("InstarError", "ReservationError", "HistoryError"):
        assert getattr(instar.native, name).__doc__
        assert issubclass(getattr(instar.native, name), instar.native.InstarError)
