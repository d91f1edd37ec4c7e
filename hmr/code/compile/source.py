"""One file of a scene, as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

DIGEST_BYTES = 6


def digest_of(data: bytes) -> str:
    """Returns the short name of a content: 12 hexadecimal digits of BLAKE2b."""
    return blake2b(data, digest_size=DIGEST_BYTES).hexdigest()


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of one file.

    Attributes:
        path: the file, as the scene's folder was given (links are not resolved).
        name: its dotted name inside the scene; a package's `__init__.py` has the package's name.
        data: its content.
        digest: the name of its content, see `digest_of`.
    """

    path: Path
    name: str
    data: bytes
    digest: str

    @classmethod
    def of(cls, path: Path, name: str, data: bytes) -> Source:
        """Makes a source and computes its digest."""
        return cls(path, name, data, digest_of(data))

    @property
    def is_package(self) -> bool:
        """Whether modules can be inside it."""
        return self.path.name == "__init__.py"

    @property
    def package(self) -> str:
        """The dotted name that relative imports start from; empty for files right in the scene's folder."""
        return self.name if self.is_package else self.name.rpartition(".")[0]
