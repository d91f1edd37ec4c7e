"""Buffers of callers, checked once at the boundary: what is wrong is said as an InstarError."""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer

from instar.native.errors import InstarError


cdef int borrow_bytes(Py_buffer *view, object source, str name) except -1:
    """Any contiguous buffer, as bytes. The caller releases it."""
    try:
        PyObject_GetBuffer(source, view, PyBUF_SIMPLE)
    except (TypeError, ValueError, BufferError) as error:
        raise InstarError(f"{name} must be contiguous bytes, got {type(source).__name__}: {error}. Nothing was read") from None
    return 0


cdef int borrow_array(Py_buffer *view, object source, str name, str dtype, bint writable) except -1:
    """A one-dimensional contiguous array of float32, int32, int64 or uint64. The caller releases it."""
    formats, itemsize = {"float32": (b"f", 4), "int32": (b"i", 4), "int64": (b"lq", 8), "uint64": (b"LQ", 8)}[dtype]
    try:
        PyObject_GetBuffer(source, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (PyBUF_WRITABLE if writable else 0))
    except (TypeError, ValueError, BufferError) as error:
        raise InstarError(
            f"{name} must be a contiguous {'writable ' if writable else ''}array of {dtype}, got {type(source).__name__}: {error}. "
            f"Nothing was changed; pass np.ascontiguousarray({name}, np.{dtype})"
        ) from None
    code = view.format.lstrip(b"@=<") if view.format != NULL else b"B"
    if view.ndim != 1 or view.itemsize != itemsize or len(code) != 1 or code not in formats:
        shape = f"{view.ndim}-dimensional array of format {code.decode()!r}"
        PyBuffer_Release(view)
        raise InstarError(f"{name} must be a one-dimensional array of {dtype}, got a {shape}. Nothing was changed")
    return 0
