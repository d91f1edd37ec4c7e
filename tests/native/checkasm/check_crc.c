#include "call.h"
#include "check.h"
#include "guard.h"
#include "random.h"

enum { MOST_BYTES = 70000, ROUNDS = 300 };

/* The definition, bit by bit. */
static uint64_t crc_by_definition(const uint8_t *data, size_t bytes, uint64_t crc) {
    crc = ~crc;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? UINT64_C(0x9a6c9329ac4bc9b5) : 0);
    }
    return ~crc;
}

static uint64_t crc_of(const instar_kernels *path, const uint8_t *data, size_t bytes, uint64_t crc) {
    return (uint64_t)CALL(path->crc64, data, bytes, crc);
}

const char *check_crc64(const instar_kernels *path) {
    static uint8_t *buffer;
    if (!buffer) random_fill(buffer = guarded(MOST_BYTES), MOST_BYTES);
    const uint8_t *end = buffer + MOST_BYTES;
    if (crc_of(path, (const uint8_t *)"123456789", 9, 0) != UINT64_C(0xae8b14860a799888)) return "check value";
    for (size_t bytes = 0; bytes < 1000; bytes++) {
        uint64_t before = random_word();
        if (crc_of(path, end - bytes, bytes, before) != crc_by_definition(end - bytes, bytes, before)) return "short buffer";
    }
    for (int round = 0; round < ROUNDS; round++) {
        size_t bytes = random_below(MOST_BYTES), split = random_below(bytes + 1), start = random_below(MOST_BYTES - bytes + 1);
        const uint8_t *data = buffer + start;
        uint64_t whole = instar_generic.crc64(data, bytes, 0);
        if (crc_of(path, data, bytes, 0) != whole) return "long buffer";
        if (crc_of(path, data + split, bytes - split, crc_of(path, data, split, 0)) != whole) return "split buffer";
    }
    return NULL;
}
