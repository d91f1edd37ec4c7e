/* Pairs of chunks that differ in every way that matters to a kernel. */
#ifndef CHUNKS_H
#define CHUNKS_H

#include "kernels.h"

typedef struct chunk_pair {
    uint8_t *live, *committed; /* each between forbidden pages */
    uint64_t crc;
} chunk_pair;

/* Takes one step with the reference and the path, from equal pairs. Returns NULL, or what differed. */
typedef const char *chunk_step(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual);

/* Takes the step from pairs of every mutation pattern; both bytes and the CRC must be equal afterwards. */
const char *for_all_patterns(const instar_kernels *path, chunk_step *take);

#endif
