/* Whether memory still is what was committed, and values what the schema says: checks over chunks, none of which writes. */
#ifndef INSTAR_INTEGRITY_H
#define INSTAR_INTEGRITY_H

#include "../ring/frames.h"

/* What is wrong with one chunk. */
typedef struct instar_suspect {
    uint64_t chunk;
    uint64_t syndrome; /* CRC of the committed bytes ^ the CRC that is stored for them: 0 where they agree */
    uint32_t lines;    /* lines in which live differs from committed */
    uint32_t outside;  /* committed elements outside the bounds */
    uint32_t past_end; /* committed bytes past the extent that are not zero */
} instar_suspect;

/* Checks the committed chunks from `first` to `stop` (at most the committed extent's) and notes the suspects, up to `room`.
 * Stops at the chunk for which there is no room. `with_live` asks whether live differs too. Returns the number of suspects;
 * `stop` receives the chunk after the last one checked. */
uint32_t instar_check_chunks(const instar_kernels *kernels, uint64_t zero_chunk_crc, const instar_column *column, uint64_t first,
                             uint64_t *stop, int with_live, const instar_bounds *bounds, instar_suspect *suspects,
                             uint32_t room);

/* The one bit whose flip gives this syndrome in a message of `bytes`, counted from the first byte's lowest bit; -1 if none does. */
int64_t instar_find_flip(uint64_t syndrome, uint64_t bytes);

/* Verifies the records of the frame at `frame` that follow the one at `at`, which is moved on, until `seen` has grown to `bytes`.
 * Returns 1 where the frame ends, 0 where there is more of it, INSTAR_DAMAGED where a record is not whole. */
int instar_frame_verify(const instar_kernels *kernels, const instar_ring *ring, uint64_t frame, uint64_t *at, uint64_t bytes,
                        uint64_t *seen);

#endif
