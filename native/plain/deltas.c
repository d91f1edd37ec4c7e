#include "deltas.h"

#include <string.h>

typedef enum tag { TAG_PAD = 1, TAG_FRAME, TAG_EXTENT, TAG_LINES } tag;

typedef struct pad_record {
    uint32_t unused[2], tag;
} pad_record;

typedef struct frame_record {
    uint32_t unused[2], tag, reserved;
    int64_t frame, frame_before;
    uint64_t previous; /* where the frame record before this one is */
    uint64_t end;      /* where this frame's last record ends */
    uint64_t padding[2];
} frame_record;

typedef struct extent_record {
    uint32_t key, unused, tag, reserved;
    uint64_t before, after;
    uint64_t padding[4];
} extent_record;

/* Followed by the delta in the elements form. */
typedef struct lines_record {
    uint32_t key, chunk, tag, bytes;
    uint64_t padding[4];
    uint64_t crc_before, crc_after;
} lines_record;

_Static_assert(sizeof(frame_record) == 64 && sizeof(extent_record) == 64 && sizeof(lines_record) == 64, "headers are one line");

static void *record_at(const instar_deltas *deltas, uint64_t place) { return deltas->ring + place; }

static uint32_t tag_at(const instar_deltas *deltas, uint64_t place) { return ((const pad_record *)record_at(deltas, place))->tag; }

/* Where the record that follows `place` really is. */
static uint64_t settle(const instar_deltas *deltas, uint64_t place) {
    return place == deltas->bytes || tag_at(deltas, place) == TAG_PAD ? 0 : place;
}

static void forget(instar_deltas *deltas) {
    deltas->tail = deltas->head = deltas->at = deltas->held = deltas->behind = 0;
    deltas->open = 0;
    deltas->oldest = deltas->newest = deltas->current;
}

void instar_deltas_reset(instar_deltas *deltas, int64_t frame) {
    deltas->current = frame;
    forget(deltas);
}

static void evict_oldest(instar_deltas *deltas) {
    const frame_record *frame = record_at(deltas, deltas->tail);
    deltas->oldest = frame->frame;
    deltas->held--;
    deltas->behind--;
    if (deltas->held == 0)
        deltas->tail = deltas->head = 0;
    else
        deltas->tail = settle(deltas, frame->end);
}

/* Moves head to where `bytes` fit in one piece, if they do without eviction. The tail is never met, so head == tail means empty. */
static int fit(instar_deltas *deltas, uint64_t bytes) {
    if (deltas->held == 0) return 1;
    if (deltas->head < deltas->tail) return deltas->tail - deltas->head > bytes;
    if (deltas->bytes - deltas->head >= bytes) return 1;
    if (deltas->tail <= bytes) return 0;
    if (deltas->head < deltas->bytes) ((pad_record *)record_at(deltas, deltas->head))->tag = TAG_PAD;
    deltas->head = 0;
    return 1;
}

/* Room for a record of the open frame, made by evicting older frames. Where even that is too little the frame is no longer held,
 * and its records go to the spare room behind the ring. */
static void *reserve(instar_deltas *deltas, uint64_t bytes) {
    while (deltas->open && !fit(deltas, bytes)) {
        if (deltas->held > 1)
            evict_oldest(deltas);
        else
            forget(deltas);
    }
    return record_at(deltas, deltas->open ? deltas->head : deltas->bytes);
}

static void append(instar_deltas *deltas, uint64_t bytes) {
    if (deltas->open) deltas->head += bytes;
}

static void drop_redo(instar_deltas *deltas) {
    deltas->newest = deltas->current;
    deltas->held = deltas->behind;
    if (deltas->held == 0)
        forget(deltas);
    else
        deltas->head = ((const frame_record *)record_at(deltas, deltas->at))->end;
}

static void open_frame(instar_deltas *deltas, int64_t frame) {
    while (!fit(deltas, sizeof(frame_record))) evict_oldest(deltas);
    frame_record *record = record_at(deltas, deltas->head);
    *record = (frame_record){.tag = TAG_FRAME, .frame = frame, .frame_before = deltas->current, .previous = deltas->at};
    deltas->at = deltas->head;
    deltas->head += sizeof *record;
    deltas->held++;
    deltas->behind++;
    deltas->open = 1;
    deltas->current = deltas->newest = frame;
}

void instar_deltas_begin(instar_deltas *deltas, int64_t frame) {
    drop_redo(deltas);
    if (frame == deltas->current)
        deltas->open = deltas->held > 0;
    else
        open_frame(deltas, frame);
}

void instar_deltas_end(instar_deltas *deltas) {
    if (deltas->open) ((frame_record *)record_at(deltas, deltas->at))->end = deltas->head;
    deltas->open = 0;
}

static uint64_t used_chunks(const instar_column *column) {
    uint64_t extent = column->extent > column->committed_extent ? column->extent : column->committed_extent;
    return (extent + INSTAR_CHUNK_BYTES - 1) / INSTAR_CHUNK_BYTES;
}

static void commit_extent(instar_deltas *deltas, uint32_t key, instar_column *column) {
    extent_record *record = reserve(deltas, sizeof *record);
    *record = (extent_record){.key = key, .tag = TAG_EXTENT, .before = column->committed_extent, .after = column->extent};
    append(deltas, sizeof *record);
    column->committed_extent = column->extent;
}

static uint64_t whole_lines(uint64_t bytes) { return (bytes + INSTAR_LINE_BYTES - 1) / INSTAR_LINE_BYTES * INSTAR_LINE_BYTES; }

static uint32_t commit_chunk(instar_deltas *deltas, uint32_t key, instar_column *column, uint64_t chunk) {
    uint64_t at = chunk * INSTAR_CHUNK_BYTES, before = column->crcs[chunk], after = before;
    lines_record *record = reserve(deltas, INSTAR_CHUNK_RECORD_BYTES);
    instar_delta_size size =
        deltas->kernels->commit_elements(column->live + at, column->committed + at, (uint8_t *)(record + 1), &after);
    if (size.lines == 0) return 0;
    record->key = key;
    record->chunk = (uint32_t)chunk;
    record->tag = TAG_LINES;
    record->bytes = size.bytes;
    record->crc_before = before ^ deltas->zero_chunk_crc;
    record->crc_after = after ^ deltas->zero_chunk_crc;
    column->crcs[chunk] = after;
    append(deltas, sizeof *record + whole_lines(size.bytes));
    return size.lines;
}

uint64_t instar_deltas_commit(instar_deltas *deltas, uint32_t key, instar_column *column) {
    uint64_t lines = 0, chunks = used_chunks(column);
    if (column->extent != column->committed_extent) commit_extent(deltas, key, column);
    for (uint64_t chunk = 0; chunk < chunks; chunk++) lines += commit_chunk(deltas, key, column, chunk);
    return lines;
}

static uint64_t apply_extent(const extent_record *record, instar_column *column) {
    column->committed_extent ^= record->before ^ record->after;
    column->extent = column->committed_extent;
    return sizeof *record;
}

static uint64_t apply_lines(const instar_kernels *kernels, const lines_record *record, instar_column *column) {
    uint64_t at = (uint64_t)record->chunk * INSTAR_CHUNK_BYTES;
    kernels->apply_elements(column->live + at, column->committed + at, (const uint8_t *)(record + 1), record->bytes);
    column->crcs[record->chunk] ^= record->crc_before ^ record->crc_after;
    return sizeof *record + whole_lines(record->bytes);
}

/* XORs the frame whose record is at `place` into the columns. A frame that was added to may name a chunk or an extent twice;
 * XOR does not mind the order. */
static const frame_record *apply_frame(instar_deltas *deltas, uint64_t place, instar_column *const *columns) {
    const frame_record *frame = record_at(deltas, place);
    place += sizeof *frame;
    while (place != frame->end) {
        const lines_record *record = record_at(deltas, place);
        if (settle(deltas, place) != place)
            place = 0;
        else if (record->tag == TAG_EXTENT)
            place += apply_extent((const extent_record *)record, columns[record->key]);
        else
            place += apply_lines(deltas->kernels, record, columns[record->key]);
    }
    return frame;
}

int instar_deltas_undo(instar_deltas *deltas, instar_column *const *columns) {
    if (deltas->behind == 0) return -1;
    const frame_record *frame = apply_frame(deltas, deltas->at, columns);
    deltas->current = frame->frame_before;
    deltas->at = frame->previous;
    deltas->behind--;
    return 0;
}

int instar_deltas_redo(instar_deltas *deltas, instar_column *const *columns) {
    if (deltas->behind == deltas->held) return -1;
    uint64_t next = deltas->tail;
    if (deltas->behind > 0) next = settle(deltas, ((const frame_record *)record_at(deltas, deltas->at))->end);
    deltas->current = apply_frame(deltas, next, columns)->frame;
    deltas->at = next;
    deltas->behind++;
    return 0;
}

uint64_t instar_deltas_used(const instar_deltas *deltas) {
    if (deltas->held == 0) return 0;
    return deltas->head > deltas->tail ? deltas->head - deltas->tail : deltas->bytes - deltas->tail + deltas->head;
}

void instar_column_restore(const instar_kernels *kernels, instar_column *column) {
    uint64_t bytes = used_chunks(column) * INSTAR_CHUNK_BYTES;
    for (uint64_t at = 0; at < bytes; at += INSTAR_CHUNK_BYTES) kernels->restore_chunk(column->live + at, column->committed + at);
    column->extent = column->committed_extent;
}
