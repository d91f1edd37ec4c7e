/* Bundles: the records of consecutive frames, taken apart into streams of like values, which compress well, and put together again.
 *
 * Headers are a table of counts and then, each padded to whole words of eight bytes: the frames' numbers, the numbers before them,
 * their lines and counts of records; the extents before and after; the records' tags, keys, chunks (less the one before) and payloads;
 * the masks of changed lines; their numbers (less the one before in the same chunk). Words are the changed words. Checks are left out:
 * records are whole when they are taken apart, and are checked anew when they are put together.
 */
#ifndef INSTAR_BUNDLE_H
#define INSTAR_BUNDLE_H

#include "frames.h"

typedef struct instar_counts {
    uint64_t frames, records, extents, lines, words;
} instar_counts;

/* Adds what the frame at `place` holds. Returns 0, or INSTAR_DAMAGED where it is not whole. */
int instar_bundle_count(const instar_kernels *kernels, const instar_ring *ring, uint64_t place, instar_counts *counts);

/* Bytes of the two buffers. */
uint64_t instar_bundle_headers(const instar_counts *counts);
static inline uint64_t instar_bundle_words(const instar_counts *counts) { return counts->words * INSTAR_WORD_BYTES; }

/* Takes the counted frames apart, the first of which is at `place`. Returns where what follows the last one is. */
uint64_t instar_bundle_take(const instar_ring *ring, uint64_t place, const instar_counts *counts, uint8_t *headers, uint8_t *words);

/* The most bytes that the records of a bundle fill; 0 where its headers make no sense. */
uint64_t instar_bundle_room(const uint8_t *headers, uint64_t headers_bytes, uint64_t words_bytes);

/* Puts the frames together in an empty ring that has that room. Returns their number. */
uint64_t instar_bundle_join(const instar_kernels *kernels, const uint8_t *headers, const uint8_t *words, instar_ring *ring);

#endif
