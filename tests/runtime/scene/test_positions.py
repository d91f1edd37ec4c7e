from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from instar.scene.positions import Key, key_lines


def keys_of(value: Any, key: Key = ()) -> set[Key]:
    """All keys of a parsed document, as `key_lines` names them."""
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return set()
    return {(*key, name) for name, _ in items}.union(*(keys_of(item, (*key, name)) for name, item in items))


def test_text_that_looks_like_keys_is_not_taken_for_keys() -> None:
    text = (
        '# a = 1\ntitle = "a = [b] # no" # x = 2\n'
        "'lit.eral' = 'c:\\dir[0]'\n"
        '"quoted \\"key\\" \\u00e9" = 1\n'
        'site."two words".deep = true\n'
        'text = """\ninside = 1\n[not.a.table]\n\\""" still """""\n'
        "raw = '''\nalso = 1\n[x]'''''\n"
        "after = 1979-05-27 07:32:00 # b = 2\n"
    )
    assert key_lines(text) == {
        ("title",): 2,
        ("lit.eral",): 3,
        ('quoted "key" é',): 4,
        ("site",): 5,
        ("site", "two words"): 5,
        ("site", "two words", "deep"): 5,
        ("text",): 6,
        ("raw",): 10,
        ("after",): 13,
    }
    assert keys_of(tomllib.loads(text)) == set(key_lines(text))


def test_arrays_over_several_lines_and_inline_tables_have_lines() -> None:
    text = 'modules = [ # first\n  "a",\n\n  "b", # ]\n  [1, [2]],\n  { x.y = 1, "z" = [{ w = "}" }] },\n]\nend = 0'
    assert key_lines(text) == {
        ("modules",): 1,
        ("modules", 0): 2,
        ("modules", 1): 4,
        ("modules", 2): 5,
        ("modules", 2, 0): 5,
        ("modules", 2, 1): 5,
        ("modules", 2, 1, 0): 5,
        ("modules", 3): 6,
        ("modules", 3, "x"): 6,
        ("modules", 3, "x", "y"): 6,
        ("modules", 3, "z"): 6,
        ("modules", 3, "z", 0): 6,
        ("modules", 3, "z", 0, "w"): 6,
        ("end",): 8,
    }


def test_arrays_of_tables_are_counted() -> None:
    text = "[[a]]\nx = 1\n[a.b]\ny = 1\n[[ a ]]\n[[a.c]]\nz = 1\n[[a.c]]\n"
    lines = key_lines(text)
    assert lines[("a", 0, "b", "y")] == 4
    assert lines[("a", 1)] == 5
    assert lines[("a", 1, "c", 0, "z")] == 7
    assert keys_of(tomllib.loads(text)) == set(lines)


def test_windows_line_ends_count_once() -> None:
    assert key_lines("a = 1\r\n\r\n[b]\r\nc = 2\r\n")[("b", "c")] == 4


bare = st.text("abz09_-", min_size=1, max_size=4)
loose = st.text("ab \"'#=[]{}.,\\é\t", max_size=5)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'


parts = bare | loose.map(quoted) | loose.map(lambda text: "'" + text.replace("'", "") + "'")
dotted = st.lists(parts, min_size=1, max_size=3).map(" . ".join)
scalars = st.one_of(
    st.integers(-99, 99).map(str),
    st.sampled_from(["true", "-1.5e3", "inf", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00", "07:32:00"]),
    loose.map(quoted),
    loose.map(lambda text: '"""\n' + text.replace("\\", "").replace('"', '\\"') + '\nk = 1\n"""'),
    loose.map(lambda text: "'''" + text.replace("'", "") + "\n[k]\n'''"),
)
gaps = st.sampled_from(["", " ", "\n", " # ] , }\n  ", "\t"])


def arrays(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    items = st.lists(st.tuples(gaps, values, gaps).map("".join), max_size=3)
    return st.builds(lambda items, gap: "[" + ",".join(items) + gap + "]", items, gaps)


def inline_tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(dotted, values.filter(lambda value: "\n" not in value)), max_size=2)
    return pairs.map(lambda pairs: "{ " + ", ".join(f"{key} = {value}" for key, value in pairs) + " }")


values = st.recursive(scalars, lambda inner: arrays(inner) | inline_tables(inner), max_leaves=4)
statements = st.one_of(
    st.builds(lambda key, value, gap: f"{key} = {value} {gap}", dotted, values, st.sampled_from(["", "# c = 1"])),
    dotted.map(lambda key: f"[ {key} ]"),
    dotted.map(lambda key: f"[[{key}]] # [no]"),
    st.just(""),
    st.just("# d = [1"),
)


@given(st.lists(statements, max_size=6))
def test_the_keys_are_those_of_tomllib_and_each_is_written_on_its_line(lines: list[str]) -> None:
    """Statements are kept as long as tomllib accepts them, so that every example is a valid text."""
    text = ""
    for line in lines:
        try:
            tomllib.loads(text + line + "\n")
        except tomllib.TOMLDecodeError:
            continue
        text += line + "\n"
    found = key_lines(text)
    assert set(found) == keys_of(tomllib.loads(text))
    rows = text.split("\n")
    for key, line in found.items():
        if isinstance(key[-1], str) and key[-1].isalnum():
            assert key[-1] in rows[line - 1]
