/* The kernels: functions on bytes, one readable reference in C and faster twins per instruction set.
 *
 * A chunk is INSTAR_CHUNK_BYTES bytes at a 64-byte boundary, a line is 64 bytes of it, and bit l of a 256-bit bitmap
 * stands for line l. Kernels trust their callers: sizes and alignments have been checked, and no kernel fails.
 */
#ifndef INSTAR_KERNELS_H
#define INSTAR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum {
    INSTAR_LINE_BYTES = 64,
    INSTAR_CHUNK_BYTES = 16384,
    INSTAR_CHUNK_LINES = INSTAR_CHUNK_BYTES / INSTAR_LINE_BYTES,
    INSTAR_CHUNK_WORDS = INSTAR_CHUNK_BYTES / 8,
    INSTAR_BITMAP_WORDS = INSTAR_CHUNK_LINES / 64,
};

typedef struct instar_kernels {
    /* Name of the path, as INSTAR_ISA spells it. */
    const char *isa;

    /* Makes live the committed state of one chunk. `bitmap` receives the changed lines, `delta` their XOR (live ^ committed)
     * one after the other, room for a whole chunk is asked of it. `crc` is the chunk's linear CRC (see crc64.h) and is
     * brought up to date. Returns the number of changed lines. */
    uint32_t (*commit_chunk)(const uint8_t *live, uint8_t *committed, uint8_t *delta,
                             uint64_t bitmap[INSTAR_BITMAP_WORDS], uint64_t *crc);

    /* XORs a delta into the committed chunk and copies the lines it names to live: undo and redo alike. */
    void (*xor_chunk)(uint8_t *live, uint8_t *committed, const uint8_t *delta, const uint64_t bitmap[INSTAR_BITMAP_WORDS]);

    /* Copies the lines of live that differ from committed back. Returns how many. */
    uint32_t (*restore_chunk)(uint8_t *live, const uint8_t *committed);

    /* CRC-64/NVME of any bytes, continued from `crc` (0 to begin). */
    uint64_t (*crc64)(const uint8_t *data, size_t bytes, uint64_t crc);
} instar_kernels;

/* The paths that were compiled in; each is defined in its own folder. */
extern const instar_kernels instar_generic;
#if defined(__x86_64__)
extern const instar_kernels instar_avx2;
#endif
#if defined(__aarch64__)
extern const instar_kernels instar_neon;
extern const instar_kernels instar_neon_nopmull;
#endif

#endif
