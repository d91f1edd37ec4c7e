cdef int borrow_bytes(Py_buffer *view, object source, str name) except -1
cdef int borrow_array(Py_buffer *view, object source, str name, str dtype, bint writable) except -1
