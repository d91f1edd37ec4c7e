"""Random numbers that depend on nothing but seed, module, stream and frame.

Philox-4x64 is counter-based (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): keyed by seed, module
and stream, with the frame in the counter's top word, a rewound frame draws the same numbers and nothing needs saving.
"""

from __future__ import annotations

import hashlib

import numpy as np


class Stream:
    """The random numbers of one hook."""

    def __init__(self, seed: int, module: str, stream: str) -> None:
        digest = hashlib.blake2b(f"{seed}\0{module}\0{stream}".encode(), digest_size=16).digest()
        self._philox = np.random.Philox(key=int.from_bytes(digest, "little"), counter=0)
        self._start = self._philox.state
        self._generator = np.random.Generator(self._philox)

    def at(self, frame: int) -> np.random.Generator:
        """The generator, set to the first number of a frame."""
        self._start["state"]["counter"][3] = frame
        self._philox.state = self._start
        return self._generator
