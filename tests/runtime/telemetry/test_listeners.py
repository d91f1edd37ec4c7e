from __future__ import annotations

import pytest

from instar.telemetry.listeners import Listeners


def test_all_are_called_in_their_order(receipt, told):
    heard = []
    found = Listeners("edit")
    found.add(lambda one: heard.append(("a", one)))
    found.add(lambda one: heard.append(("b", one)))
    found.call(receipt, told.append)
    assert heard == [("a", receipt), ("b", receipt)]
    assert told == []


@pytest.mark.parametrize("error", [ValueError("too much"), SystemExit("enough")])
def test_one_that_raises_is_told_and_removed(receipt, told, error):
    heard = []

    def broken(one):
        heard.append("broken")
        raise error

    found = Listeners("edit")
    found.add(broken)
    found.add(lambda one: heard.append("sound"))
    found.call(receipt, told.append)
    found.call(receipt, told.append)
    assert heard == ["broken", "sound", "sound"]
    (text,) = told
    assert "test_listeners.py:" in text
    assert f"broken raised {type(error).__name__}: {error}" in text


def test_ctrl_c_passes_through(receipt, told):
    def interrupted(one):
        raise KeyboardInterrupt

    found = Listeners("edit")
    found.add(interrupted)
    with pytest.raises(KeyboardInterrupt):
        found.call(receipt, told.append)


def test_a_cell_that_is_run_again_renews_its_function(receipt, told):
    cell = "def note(receipt): heard.append(word)"
    heard, found = [], Listeners("edit")
    for word in ("first", "second"):
        scope = {"heard": heard, "word": word, "__name__": "__main__"}
        exec(cell, scope)
        found.add(scope["note"])
    found.call(receipt, told.append)
    assert heard == ["second"]


def test_one_that_is_added_twice_is_called_once(receipt, told):
    heard = []
    found = Listeners("edit")
    for _ in range(2):
        found.add(heard.append)
    found.call(receipt, told.append)
    assert heard == [receipt]


def test_methods_of_two_objects_are_two(receipt, told):
    class Note:
        def __init__(self):
            self.heard = []

        def take(self, receipt):
            self.heard.append(receipt)

    found, notes = Listeners("edit"), [Note(), Note()]
    for note in notes:
        found.add(note.take)
    found.call(receipt, told.append)
    assert [note.heard for note in notes] == [[receipt], [receipt]]
