#include <string.h>

#include "call.h"
#include "check.h"
#include "chunks.h"
#include "crc64.h"
#include "guard.h"
#include "random.h"

enum { CANARY = 0xa5, MOST_OFFSET = 64 };

static const char *compare_sizes(instar_delta_size a, instar_delta_size b) {
    if (a.lines != b.lines) return "number of lines";
    if (a.words != b.words) return "number of words";
    return a.bytes != b.bytes ? "number of bytes" : NULL;
}

static int is_filled(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != CANARY) return 0;
    return 1;
}

/* A delta of the whole chunk's change may be followed by anything, but only in the room that was given. */
static const char *commit_elements(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual) {
    static uint8_t *right, *room;
    if (!right) right = guarded(INSTAR_ELEMENTS_ROOM), room = guarded(INSTAR_ELEMENTS_ROOM + MOST_OFFSET);
    size_t offset = random_below(MOST_OFFSET + 1);
    memset(room, CANARY, INSTAR_ELEMENTS_ROOM + MOST_OFFSET);
    instar_delta_size size = instar_generic.commit_elements(expected->live, expected->committed, right, &expected->crc);
    instar_delta_size found = CALL_SIZE(path->commit_elements, actual->live, actual->committed, room + offset, &actual->crc);
    const char *fault = compare_sizes(size, found);
    if (fault) return fault;
    if (memcmp(right, room + offset, size.bytes)) return "delta";
    if (!is_filled(room, offset) || !is_filled(room + offset + INSTAR_ELEMENTS_ROOM, MOST_OFFSET - offset)) return "bytes around the delta";
    return NULL;
}

static const char *commit_dense(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual) {
    static uint8_t *right, *delta;
    if (!right) right = guarded(INSTAR_CHUNK_BYTES), delta = guarded(INSTAR_CHUNK_BYTES);
    memset(delta, CANARY, INSTAR_CHUNK_BYTES);
    instar_delta_size size = instar_generic.commit_dense(expected->live, expected->committed, right, &expected->crc);
    instar_delta_size found = CALL_SIZE(path->commit_dense, actual->live, actual->committed, delta, &actual->crc);
    path->fence();
    const char *fault = compare_sizes(size, found);
    return !fault && memcmp(right, delta, INSTAR_CHUNK_BYTES) ? "delta" : fault;
}

/* The reference itself: its CRC is the chunk's, by a way of its own, and both its forms stand for the same. */
static const char *commit_by_definition(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual) {
    static uint8_t elements[INSTAR_ELEMENTS_ROOM];
    static _Alignas(64) uint8_t dense[INSTAR_CHUNK_BYTES];
    expected->crc = actual->crc = instar_crc64_linear(expected->committed, INSTAR_CHUNK_BYTES, 0);
    instar_delta_size size = path->commit_elements(expected->live, expected->committed, elements, &expected->crc);
    path->commit_dense(actual->live, actual->committed, dense, &actual->crc);
    if (memcmp(expected->committed, expected->live, INSTAR_CHUNK_BYTES)) return "committed bytes";
    if (expected->crc != instar_crc64_linear(expected->live, INSTAR_CHUNK_BYTES, 0)) return "crc";
    if (path->elements_crc(elements, size.bytes) != instar_crc64_linear(dense, INSTAR_CHUNK_BYTES, 0)) return "two forms of delta";
    return NULL;
}

const char *check_commit_elements(const instar_kernels *path) {
    const char *fault = for_all_patterns(path, commit_by_definition);
    return fault ? fault : for_all_patterns(path, commit_elements);
}

const char *check_commit_dense(const instar_kernels *path) { return for_all_patterns(path, commit_dense); }
