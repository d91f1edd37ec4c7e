"""What the fuzzer found worth keeping is read again: with a clear error or as a sound world, never otherwise."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
CORPUS = sorted((HERE / "corpus").iterdir())

_spec = importlib.util.spec_from_file_location("fuzz_reader", HERE / "fuzz_reader.py")
assert _spec is not None
assert _spec.loader is not None
fuzz_reader = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fuzz_reader)


def test_there_is_a_corpus():
    assert len(CORPUS) > 20


def test_the_corpus_is_read():
    for path in CORPUS:
        fuzz_reader.both(path.read_bytes())


def test_sealing_leaves_a_sound_file_as_it_is(small_file):
    assert fuzz_reader.seal(small_file) == small_file
    assert fuzz_reader.read(small_file)


def test_random_damage_behind_right_checksums(small_file):
    rng = np.random.default_rng(7)
    sound = 0
    for _ in range(400):
        torn = bytearray(small_file)
        for place in rng.integers(64, len(torn), rng.integers(1, 4)):
            torn[place] = rng.integers(256)
        sound += fuzz_reader.read(fuzz_reader.seal(bytes(torn)))
    assert sound < 400
