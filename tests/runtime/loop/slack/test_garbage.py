from __future__ import annotations

import gc
import weakref

import pytest

from instar.loop.slack import garbage
from instar.loop.slack.garbage import Garbage


class Node:
    def __init__(self):
        self.me = self


@pytest.fixture(autouse=True)
def collector():
    gc.enable()
    yield
    gc.unfreeze()
    gc.enable()


def test_it_takes_the_collector_and_gives_it_back():
    with Garbage():
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_young_cycles_are_collected_and_survivors_frozen():
    with Garbage() as garbage_of_frames:
        dead = weakref.ref(Node())
        kept = [Node() for _ in range(garbage.YOUNG)]
        frozen = gc.get_freeze_count()
        garbage_of_frames.collect()
        assert dead() is None
        assert gc.get_freeze_count() >= frozen + len(kept)


def test_a_few_young_objects_are_left_for_later():
    with Garbage() as garbage_of_frames:
        gc.collect(0)
        dead = weakref.ref(Node())
        garbage_of_frames.collect()
        assert dead() is not None


def test_growth_makes_a_full_collection_due_which_finds_frozen_cycles(monkeypatch):
    monkeypatch.setattr(garbage, "MIN_GROWTH", 0)
    monkeypatch.setattr(garbage, "GROWTH", 0.0)
    with Garbage() as garbage_of_frames:
        nodes = [Node() for _ in range(2 * garbage.YOUNG)]
        seen = weakref.ref(nodes[0])
        garbage_of_frames.collect()
        nodes.clear()
        assert seen() is not None
        assert garbage_of_frames.full_collection_due
        garbage_of_frames.collect()
        assert seen() is None
        assert garbage_of_frames.full_collections == 1
        assert not garbage_of_frames.full_collection_due


def test_what_was_frozen_and_went_by_itself_makes_no_collection_due(monkeypatch):
    monkeypatch.setattr(garbage, "MIN_GROWTH", garbage.YOUNG)
    monkeypatch.setattr(garbage, "GROWTH", 0.0)
    with Garbage() as garbage_of_frames:
        nodes = [[] for _ in range(4 * garbage.YOUNG)]
        garbage_of_frames.collect()
        nodes.clear()
        assert not garbage_of_frames.full_collection_due
