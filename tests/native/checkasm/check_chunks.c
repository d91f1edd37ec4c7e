#include <string.h>

#include "call.h"
#include "check.h"
#include "chunks.h"
#include "guard.h"
#include "random.h"

/* The delta of a commit in the elements form, so placed that a forbidden page follows; its end is moved there by `bytes`. */
static const uint8_t *elements_at_end(chunk_pair *pair, uint32_t *bytes) {
    static uint8_t *room, delta[INSTAR_ELEMENTS_ROOM];
    if (!room) room = guarded(INSTAR_ELEMENTS_ROOM);
    *bytes = instar_generic.commit_elements(pair->live, pair->committed, delta, &pair->crc).bytes;
    return memcpy(room + INSTAR_ELEMENTS_ROOM - *bytes, delta, *bytes);
}

static void copy(chunk_pair *to, const chunk_pair *from) {
    memcpy(to->live, from->live, INSTAR_CHUNK_BYTES);
    memcpy(to->committed, from->committed, INSTAR_CHUNK_BYTES);
    to->crc = from->crc;
}

/* Undoes a commit, live elsewhere changed or one and the same with committed. */
static const char *apply_elements(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual) {
    uint32_t bytes;
    const uint8_t *delta = elements_at_end(expected, &bytes);
    int one = random_below(2) != 0;
    expected->live[random_below(INSTAR_CHUNK_BYTES)] ^= 1;
    copy(actual, expected);
    instar_generic.apply_elements(one ? expected->committed : expected->live, expected->committed, delta, bytes);
    CALL(path->apply_elements, one ? actual->committed : actual->live, actual->committed, delta, bytes);
    return NULL;
}

static const char *apply_dense(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual) {
    static uint8_t *delta;
    if (!delta) delta = guarded(INSTAR_CHUNK_BYTES);
    int one = random_below(2) != 0;
    instar_generic.commit_dense(expected->live, expected->committed, delta, &expected->crc);
    expected->live[random_below(INSTAR_CHUNK_BYTES)] ^= 1;
    copy(actual, expected);
    instar_generic.apply_dense(one ? expected->committed : expected->live, expected->committed, delta);
    CALL(path->apply_dense, one ? actual->committed : actual->live, actual->committed, delta);
    return NULL;
}

static const char *elements_crc(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual) {
    uint32_t bytes;
    const uint8_t *delta = elements_at_end(expected, &bytes);
    copy(actual, expected);
    expected->crc = instar_generic.elements_crc(delta, bytes);
    actual->crc = (uint64_t)CALL(path->elements_crc, delta, bytes);
    return NULL;
}

static const char *restore_chunk(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual) {
    uint32_t lines = instar_generic.restore_chunk(expected->live, expected->committed);
    uint32_t found = (uint32_t)CALL(path->restore_chunk, actual->live, actual->committed);
    return lines == found ? NULL : "number of lines";
}

static const char *check_chunk(const instar_kernels *path, chunk_pair *expected, chunk_pair *actual) {
    uint32_t lines = instar_generic.check_chunk(expected->live, expected->committed, &expected->crc);
    uint32_t found = (uint32_t)CALL(path->check_chunk, actual->live, actual->committed, &actual->crc);
    return lines == found ? NULL : "number of lines";
}

const char *check_apply_elements(const instar_kernels *path) { return for_all_patterns(path, apply_elements); }
const char *check_apply_dense(const instar_kernels *path) { return for_all_patterns(path, apply_dense); }
const char *check_elements_crc(const instar_kernels *path) { return for_all_patterns(path, elements_crc); }
const char *check_restore_chunk(const instar_kernels *path) { return for_all_patterns(path, restore_chunk); }
const char *check_check_chunk(const instar_kernels *path) { return for_all_patterns(path, check_chunk); }
