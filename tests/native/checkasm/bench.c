/* Times of a path's kernels beside memcpy of the same bytes in the same run. The ring of deltas is warm: every page of it was
 * touched. A mutation brings its lines into the caches, where they fit; it comes before memcpy as before the commit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "check.h"
#include "random.h"

enum { MOST_ROUNDS = 401, MOST_BYTES = 64 << 20, RING_BYTES = 128 << 20, HUGE_PAGE = 2 << 20 };

typedef instar_delta_size commit_kernel(const uint8_t *live, uint8_t *committed, uint8_t *delta, uint64_t *crc);

static struct state {
    uint8_t *live, *committed, *copy, *ring;
    size_t bytes, head;
    uint64_t crcs[MOST_BYTES / INSTAR_CHUNK_BYTES], sum;
} state;

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
    uint8_t *data = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (data == MAP_FAILED) exit(2);
    data += HUGE_PAGE - (uintptr_t)data % HUGE_PAGE;
#if defined(MADV_HUGEPAGE)
    madvise(data, bytes, MADV_HUGEPAGE);
#endif
    for (size_t at = 0; at < bytes; at += 8) *(uint64_t *)(data + at) = random_word();
    return data;
}

static void change_one_float_per_line(size_t step) {
    for (size_t line = 0; line < state.bytes / INSTAR_LINE_BYTES; line += step)
        state.live[line * INSTAR_LINE_BYTES + INSTAR_WORD_BYTES * random_below(INSTAR_LINE_WORDS)] += 1;
}

static void change_all_floats(size_t step) {
    (void)step;
    for (size_t at = 0; at < state.bytes; at += INSTAR_WORD_BYTES) state.live[at] += 1;
}

/* What precedes a delta in the ring. */
typedef struct record {
    instar_delta_size size;
    uint32_t chunk;
} record;

static size_t record_bytes(instar_delta_size size) {
    return INSTAR_LINE_BYTES + (size.bytes + INSTAR_LINE_BYTES - 1) / INSTAR_LINE_BYTES * INSTAR_LINE_BYTES;
}

/* Goes back to the ring's beginning where the next commit might not fit. */
static void make_room(void) {
    if (state.head + state.bytes / 8 * 9 + 2 * INSTAR_ELEMENTS_ROOM > RING_BYTES) state.head = 0;
}

static void commit_all(commit_kernel *commit) {
    for (size_t chunk = 0; chunk < state.bytes / INSTAR_CHUNK_BYTES; chunk++) {
        size_t at = chunk * INSTAR_CHUNK_BYTES;
        uint8_t *place = state.ring + state.head;
        instar_delta_size size = commit(state.live + at, state.committed + at, place + INSTAR_LINE_BYTES, &state.crcs[chunk]);
        if (!size.lines) continue;
        *(record *)place = (record){size, (uint32_t)chunk};
        state.head += record_bytes(size);
    }
}

/* Undoes or redoes the commit whose records begin at `at`. */
static void apply_all(const instar_kernels *path, int dense, size_t at) {
    while (at != state.head) {
        const record *of = (const record *)(state.ring + at);
        const uint8_t *delta = state.ring + at + INSTAR_LINE_BYTES;
        size_t place = (size_t)of->chunk * INSTAR_CHUNK_BYTES;
        if (dense)
            path->apply_dense(state.live + place, state.committed + place, delta);
        else
            path->apply_elements(state.live + place, state.committed + place, delta, of->size.bytes);
        at += record_bytes(of->size);
    }
}

/* Fewer rounds for more bytes, but always an odd number. */
static int rounds(void) {
    size_t count = (size_t)MOST_BYTES * 16 / state.bytes;
    return (int)(count > MOST_ROUNDS ? MOST_ROUNDS : count) | 1;
}

static double time_since(double began) { return seconds() - began; }

static void bench_commit(const instar_kernels *path, int dense, const char *pattern, void (*change)(size_t), size_t step) {
    commit_kernel *commit = dense ? path->commit_dense : path->commit_elements;
    double commits[MOST_ROUNDS], copies[MOST_ROUNDS], undos[MOST_ROUNDS];
    int count = rounds();
    state.head = 0;
    commit_all(commit);
    for (int round = 0; round < count; round++) {
        make_room();
        size_t begin = state.head;
        if (step) change(step);
        double began = seconds();
        memcpy(state.copy, state.live, state.bytes);
        copies[round] = time_since(began);
        if (step) change(step);
        began = seconds();
        commit_all(commit);
        path->fence();
        commits[round] = time_since(began);
        began = seconds();
        apply_all(path, dense, begin);
        undos[round] = time_since(began);
        apply_all(path, dense, begin);
    }
    double committing = median(commits, (size_t)count), copying = median(copies, (size_t)count);
    printf("%-13s commit_%-9s %9zu bytes, %-18s in %5.1f %% of lines: %8.1f us, memcpy %8.1f us, ratio %.2f, undo %.2f\n", path->isa,
           dense ? "dense" : "elements", state.bytes, pattern, step ? 100.0 / (double)step : 0.0, 1e6 * committing, 1e6 * copying,
           committing / copying, median(undos, (size_t)count) / copying);
}

static void bench_commits(const instar_kernels *path) {
    static const size_t steps[] = {0, 100, 10, 1};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        bench_commit(path, 0, "one_float_per_line", change_one_float_per_line, steps[i]);
    bench_commit(path, 0, "all_floats", change_all_floats, 1);
    bench_commit(path, 1, "one_float_per_line", change_one_float_per_line, 1);
    bench_commit(path, 1, "all_floats", change_all_floats, 1);
}

static void crc_all(const instar_kernels *path) { state.sum ^= path->crc64(state.live, state.bytes, state.sum); }

static void check_all(const instar_kernels *path) {
    for (size_t at = 0; at < state.bytes; at += INSTAR_CHUNK_BYTES) {
        uint64_t crc;
        state.sum += path->check_chunk(state.live + at, state.committed + at, &crc) + crc;
    }
}

static void bench_reading(const instar_kernels *path, const char *kernel, void (*read_all)(const instar_kernels *)) {
    double times[MOST_ROUNDS];
    int count = rounds();
    for (int round = 0; round < count; round++) {
        double began = seconds();
        read_all(path);
        times[round] = seconds() - began;
    }
    double reading = median(times, (size_t)count);
    printf("%-13s %-16s %9zu bytes: %8.1f us, %.1f GB/s\n", path->isa, kernel, state.bytes, 1e6 * reading,
           1e-9 * (double)state.bytes / reading);
}

void bench_path(const instar_kernels *path) {
    static const size_t chunks[] = {1, 4, 391, 3907};
    if (!state.live) {
        state.live = touched(MOST_BYTES), state.committed = touched(MOST_BYTES), state.copy = touched(MOST_BYTES);
        state.ring = touched(RING_BYTES);
    }
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        state.bytes = chunks[i] * INSTAR_CHUNK_BYTES;
        bench_commits(path);
        bench_reading(path, "crc64", crc_all);
        bench_reading(path, "check_chunk", check_all);
    }
}
