/* The kernels: functions on bytes, one readable reference in C and faster twins per instruction set.
 *
 * A chunk is INSTAR_CHUNK_BYTES bytes at a 64-byte boundary, a line is 64 bytes of it, a word four bytes. Kernels trust their
 * callers: sizes and alignments have been checked, and no kernel fails, allocates or knows Python.
 *
 * A delta is the XOR of what a chunk was and what it became, so that it leads back and forth. It comes in two forms:
 *   elements  for each line that changed, ascending: its number (1 byte); the set of its words that changed (2 bytes, bit w for
 *             word w, never 0); the XOR of each of those words (4 bytes), ascending. Nothing lies between lines, so most words
 *             are not aligned. One changed float costs 7 bytes.
 *   dense     the XOR of the whole chunk.
 * All numbers are little-endian. Which form suits a chunk is its caller's guess: either is right for any change.
 *
 * A chunk's CRC is its linear CRC-64/NVME (crc64.h). A commit adds the delta's to it and never looks at the whole, so a CRC that
 * did not belong to its chunk before does not belong to it afterwards: a fault is never covered up by a later frame.
 */
#ifndef INSTAR_KERNELS_H
#define INSTAR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum {
    INSTAR_LINE_BYTES = 64,
    INSTAR_CHUNK_BYTES = 16384,
    INSTAR_CHUNK_LINES = INSTAR_CHUNK_BYTES / INSTAR_LINE_BYTES,
    INSTAR_WORD_BYTES = 4,
    INSTAR_LINE_WORDS = INSTAR_LINE_BYTES / INSTAR_WORD_BYTES,

    /* What precedes a line's words in the elements form. */
    INSTAR_ELEMENTS_HEADER_BYTES = 3,
    /* The longest delta in the elements form: every word of every line. */
    INSTAR_ELEMENTS_MOST_BYTES = INSTAR_CHUNK_LINES * (INSTAR_ELEMENTS_HEADER_BYTES + INSTAR_LINE_BYTES),
    /* Room that commit_elements wants: whole vectors are stored where only some words count. */
    INSTAR_ELEMENTS_ROOM = INSTAR_ELEMENTS_MOST_BYTES + INSTAR_LINE_BYTES,
};

/* What a commit found: changed lines, changed words, and the bytes of the delta. All 0 if nothing changed, in both forms. */
typedef struct instar_delta_size {
    uint32_t lines, words, bytes;
} instar_delta_size;

typedef struct instar_kernels {
    /* Name of the path, as INSTAR_ISA spells it. */
    const char *isa;

    /* Makes live the committed state of one chunk and writes its delta in the elements form. `delta` has any alignment and
     * INSTAR_ELEMENTS_ROOM bytes, all of which may be overwritten. Fast where few lines changed. */
    instar_delta_size (*commit_elements)(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc);

    /* The same in the dense form. `delta` is 64-byte aligned, has INSTAR_CHUNK_BYTES bytes and is always written, past the
     * caches where that pays: before another thread reads it, or it is handed on, call fence. Fast where most lines changed. */
    instar_delta_size (*commit_dense)(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc);

    /* Orders the stores of commit_dense before all later ones. */
    void (*fence)(void);

    /* XORs a delta into the committed chunk and copies the lines that it names (all of them if dense) to live, which may be the
     * committed chunk itself: undo and redo alike. `delta` is well formed, ends after `bytes` and is not read beyond; a dense one
     * is 64-byte aligned. */
    void (*apply_elements)(uint8_t *live, uint8_t *committed, const uint8_t *delta, uint32_t bytes);
    void (*apply_dense)(uint8_t *live, uint8_t *committed, const uint8_t *delta);

    /* Linear CRC of the chunk that a well formed delta in the elements form stands for. */
    uint64_t (*elements_crc)(const uint8_t *delta, uint32_t bytes);

    /* Copies the lines of live that differ from committed back. Returns how many. */
    uint32_t (*restore_chunk)(uint8_t *live, const uint8_t *committed);

    /* Reads both once: returns how many lines differ; `crc` receives the CRC-64/NVME (not linear) of the committed chunk. */
    uint32_t (*check_chunk)(const uint8_t *live, const uint8_t *committed, uint64_t *crc);

    /* CRC-64/NVME of any bytes, continued from `crc` (0 to begin). */
    uint64_t (*crc64)(const uint8_t *data, size_t bytes, uint64_t crc);
} instar_kernels;

/* The paths that were compiled in; each is defined in its own folder. */
extern const instar_kernels instar_generic;
#if defined(__x86_64__)
extern const instar_kernels instar_avx512;
extern const instar_kernels instar_avx2;
#endif
#if defined(__aarch64__)
extern const instar_kernels instar_neon;
extern const instar_kernels instar_neon_nopmull;
#endif

#endif
