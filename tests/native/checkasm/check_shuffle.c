#include <string.h>

#include "call.h"
#include "check.h"
#include "guard.h"
#include "random.h"
#include "shuffle.h"

enum { MOST_COUNT = 4096, MOST_BYTES = 8 * MOST_COUNT, ROUNDS = 300, SHORT_ROUNDS = 100 };

static uint8_t *data_room, *out_room, *back_room, expected[MOST_BYTES];

static void transform(const instar_shuffles *with, int back, const uint8_t *data, uint8_t *out, size_t count, size_t size) {
    if (size > 1)
        CALL(back ? with->unshuffle : with->shuffle, data, out, count, size);
    else
        CALL(back ? with->gather_bits : with->spread_bits, data, out, count);
}

/* Elements of one byte stand for bits. Buffers end at pages nobody may touch, at any alignment. */
static int same(const instar_shuffles *twin, size_t count, size_t size) {
    size_t bytes = count * size;
    uint8_t *data = data_room + MOST_BYTES - bytes, *out = out_room + MOST_BYTES - bytes, *again = back_room + MOST_BYTES - bytes;
    random_fill(data, bytes);
    transform(&instar_shuffles_generic, 0, data, expected, count, size);
    transform(twin, 0, data, out, count, size);
    if (memcmp(out, expected, bytes) != 0) return 0;
    transform(twin, 1, out, again, count, size);
    return memcmp(again, data, bytes) == 0;
}

const char *check_shuffle(const instar_kernels *path) {
    const instar_shuffles *twin = instar_shuffles_of(path->isa);
    if (!data_room) {
        data_room = guarded(MOST_BYTES);
        out_room = guarded(MOST_BYTES);
        back_room = guarded(MOST_BYTES);
    }
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = round < SHORT_ROUNDS ? (size_t)round : random_below(MOST_COUNT + 1);
        for (size_t size = 2; size <= 8; size *= 2)
            if (!same(twin, count, size)) return "bytes";
        if (!same(twin, count / 8 * 8, 1)) return "bits";
    }
    return NULL;
}
