"""CRC-64/NVME of whole buffers."""

from typing import Any

import numpy.typing as npt
from typing_extensions import Buffer

def crc64(data: Buffer | npt.NDArray[Any], crc: int = 0) -> int:
    """CRC-64/NVME, whose check value for ``b"123456789"`` is 0xae8b14860a799888.

    Args:
        data: Any contiguous buffer; its bytes count, not its items.
        crc: What `crc64` gave for the bytes before these, 0 to begin: ``crc64(b, crc64(a)) == crc64(a + b)``.

    Raises:
        InstarError: If ``data`` is no contiguous buffer.
    """
