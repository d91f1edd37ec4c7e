/* Buffers that end and begin at pages nobody may touch, so that a kernel that reads or writes outside is killed. */
#ifndef GUARD_H
#define GUARD_H

#include <stddef.h>
#include <stdint.h>

/* `bytes` bytes that end at a forbidden page; for whole pages, one lies directly before them too. Never freed. */
uint8_t *guarded(size_t bytes);

#endif
