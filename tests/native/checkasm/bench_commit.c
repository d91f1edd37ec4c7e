#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "check.h"
#include "random.h"

enum { ROUNDS = 41, RING_BYTES = 64 << 20 };

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

static uint8_t *touched(size_t bytes) {
    uint8_t *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (data == MAP_FAILED) exit(2);
    random_fill(data, bytes);
    return data;
}

/* Changes one float of every `step`-th line; the changed lines are in cache afterwards, where they fit. */
static void mutate(uint8_t *live, size_t bytes, size_t step) {
    for (size_t line = 0; line < bytes / INSTAR_LINE_BYTES; line += step) live[line * INSTAR_LINE_BYTES + 4 * random_below(16)] += 1;
}

static size_t commit(const instar_kernels *path, const uint8_t *live, uint8_t *committed, uint8_t *ring, size_t head, size_t bytes,
                     uint64_t *crcs) {
    for (size_t at = 0; at < bytes; at += INSTAR_CHUNK_BYTES) {
        uint64_t *record = (uint64_t *)(ring + head);
        uint32_t lines = path->commit_chunk(live + at, committed + at, ring + head + INSTAR_LINE_BYTES, record,
                                            crcs + at / INSTAR_CHUNK_BYTES);
        if (lines) head += (lines + 1) * (size_t)INSTAR_LINE_BYTES;
        if (head > RING_BYTES - 2 * INSTAR_CHUNK_BYTES) head = 0;
    }
    return head;
}

static void bench_size(const instar_kernels *path, size_t chunks, size_t step) {
    size_t bytes = chunks * INSTAR_CHUNK_BYTES, head = 0;
    static uint8_t *live, *committed, *copy, *ring;
    static uint64_t crcs[4096];
    double commits[ROUNDS], copies[ROUNDS];
    if (!live) live = touched(64 << 20), committed = touched(64 << 20), copy = touched(64 << 20), ring = touched(RING_BYTES);
    commit(path, live, committed, ring, head, bytes, crcs);
    for (int round = 0; round < ROUNDS; round++) {
        if (step) mutate(live, bytes, step);
        double began = seconds();
        memcpy(copy, live, bytes);
        copies[round] = seconds() - began;
        if (step) mutate(live, bytes, step);
        began = seconds();
        head = commit(path, live, committed, ring, head, bytes, crcs);
        commits[round] = seconds() - began;
    }
    double committing = median(commits, ROUNDS), copying = median(copies, ROUNDS);
    printf("%-13s commit %9zu bytes, one float changed in %5.1f %% of lines: %8.1f us, memcpy %8.1f us, ratio %.2f\n", path->isa, bytes,
           step ? 100.0 / (double)step : 0.0, 1e6 * committing, 1e6 * copying, committing / copying);
}

void bench_commit(const instar_kernels *path) {
    static const size_t sizes[] = {4, 391, 3907}, steps[] = {0, 100, 10, 1};
    for (size_t size = 0; size < 3; size++)
        for (size_t step = 0; step < 4; step++) bench_size(path, sizes[size], steps[step]);
}
