from __future__ import annotations

import marshal
import sys
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instar.hmr.code.compile.pieces.constants import NAME, REFERENCE, constant_of, dumped, key_of

needs_layout = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="code is marshalled in another way")
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from((0.0, 1.0, 0j, 1j, 0.5)),
    st.sampled_from(("", "a", "1", "None", "ü")),
    st.binary(max_size=2),
    st.just(...),
)
VALUES = st.recursive(PLAIN, lambda inside: st.lists(inside, max_size=3).map(tuple), max_leaves=5)


@needs_layout
@given(VALUES, VALUES)
def test_keys_are_equal_where_the_compiler_makes_one_constant(one: object, other: object) -> None:
    text = f"x = 'first'\ny = {one!r}\nz = {other!r}"
    code = compile(text.replace("Ellipsis", "..."), "", "exec")
    loads = [value for value in code.co_consts[1:] if not isinstance(value, CodeType)]
    shared = sum(key_of(value) in (key_of(one), key_of(other)) for value in loads)
    assert shared == len({key_of(one), key_of(other)})


@pytest.mark.parametrize("value", [float("nan"), complex(0, float("nan")), (1, float("nan"))])
def test_what_is_no_number_has_no_key(value: object) -> None:
    with pytest.raises(ValueError, match="not a number"):
        key_of(value)


@needs_layout
def test_code_is_moved_to_its_line_and_file() -> None:
    text = "def f(a, b=(1, 2)):\n    def g():\n        return lambda: a\n    return g\n"
    [code] = [one for one in compile(f"pass\n{text}", NAME, "exec").co_consts if isinstance(one, CodeType)]
    [there] = [one for one in compile("\n" * 41 + text, "/a/ü.py", "exec").co_consts if isinstance(one, CodeType)]
    constant = constant_of(code, 1)
    name = dumped("/a/ü.py")
    data = constant.at(42)
    whole = data[: constant.name] + bytes((name[0] | 0x80,)) + name[1:] + data[constant.name + len(REFERENCE) :]
    found = marshal.loads(whole)
    assert found == there
    assert [one.co_filename for one in (found, found.co_consts[1])] == ["/a/ü.py"] * 2
    assert found.co_consts[1].co_firstlineno == 43


@needs_layout
def test_code_that_says_the_name_of_its_file_is_not_moved() -> None:
    [code] = [one for one in compile(f"def f(): return {NAME!r}", NAME, "exec").co_consts if isinstance(one, CodeType)]
    with pytest.raises(ValueError, match="somewhere else"):
        constant_of(code, 0)
