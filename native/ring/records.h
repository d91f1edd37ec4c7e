/* Records: what one commit leaves in the ring. Lengths are multiples of 8 bytes; a frame record comes first, then one record for
 * each chunk and extent that the frame changed. Deltas are XOR, so the same records lead back and forth. Every record carries a check,
 * so that a damaged one is known before it is used.
 */
#ifndef INSTAR_RECORDS_H
#define INSTAR_RECORDS_H

#include "../kernels/kernels.h"
#include "../plain/bounds.h"

/* What a column is to the ring; owned by the Column. */
typedef struct instar_column {
    uint8_t *live;
    uint8_t *committed; /* NULL while the bytes are packed */
    uint64_t *crcs;  /* linear CRC of each committed chunk (crc64.h) */
    uint64_t capacity, extent, committed_extent;
    uint32_t dense;  /* whether most of the chunk committed last had changed: the guess for the next */
    int64_t compared; /* the last frame that was committed with it, or that a way back or ahead changed it in */
    uint64_t before; /* chunks of the columns before this one, in the commit in hand */
    const instar_bounds *watched; /* what the elements of chunks that commits change are held against; NULL: nothing */
    uint64_t outside, first_outside; /* how many lay outside since this was last asked, and the first chunk with any */
} instar_column;

typedef enum instar_tag {
    INSTAR_PAD = 1,  /* nothing: skip it; its key follows from its length */
    INSTAR_WRAP,     /* what follows is at the beginning of the ring; likewise */
    INSTAR_FRAME,
    INSTAR_EXTENT,
    INSTAR_ELEMENTS, /* a chunk's delta as kernels.h packs it, changed words only */
    INSTAR_DENSE,    /* the XOR of a whole chunk, 64-byte aligned */
} instar_tag;

typedef struct instar_record {
    uint32_t length; /* bytes of the record, its tag in the lowest three bits */
    uint32_t key;    /* of the column */
} instar_record;

typedef struct instar_frame {
    instar_record record;
    int64_t frame, frame_before;
    uint64_t previous; /* where the frame record before this one is */
    uint64_t end;      /* where this frame's last record ends */
    uint64_t lines;
    uint64_t spare;
    uint64_t check;
} instar_frame;

typedef struct instar_extent {
    instar_record record;
    uint64_t before, after, check;
} instar_extent;

typedef struct instar_chunk {
    instar_record record;
    uint32_t chunk, payload; /* bytes of the delta, which follows the header */
    uint64_t check;          /* linear CRC of the chunk that the delta stands for, mixed with the header */
} instar_chunk;

_Static_assert(sizeof(instar_record) == 8 && sizeof(instar_frame) == 64 && sizeof(instar_extent) == 32 && sizeof(instar_chunk) == 24,
               "records are made of words");

enum { INSTAR_PAYLOAD_ROOM = INSTAR_ELEMENTS_ROOM > INSTAR_CHUNK_BYTES ? INSTAR_ELEMENTS_ROOM : INSTAR_CHUNK_BYTES };

static inline uint32_t instar_length(const instar_record *record) { return record->length & ~UINT32_C(7); }
static inline uint32_t instar_tag_of(const instar_record *record) { return record->length & 7; }

/* Fill in a record's header, where its payload is in place. `change` is the chunk's linear CRC before ^ after. Returns its length. */
uint32_t instar_chunk_close(instar_chunk *record, instar_tag tag, uint32_t key, uint32_t chunk, uint32_t payload, uint64_t change);
uint32_t instar_extent_close(instar_extent *record, uint32_t key, uint64_t before, uint64_t after);
void instar_frame_close(instar_frame *record);
void instar_skip_close(instar_record *record, instar_tag tag, uint32_t length);

/* Whether a pad or a wrap is what was written. */
int instar_skip_whole(const instar_record *record);

/* Whether a record that may be as long as `room` is whole: its lengths, its form and its check. */
int instar_record_whole(const instar_kernels *kernels, const instar_record *record, uint64_t room);

/* Looks for the one bit whose flip makes the record whole, and flips it. Returns whether there is one. */
int instar_record_mend(const instar_kernels *kernels, instar_record *record, uint64_t room);

/* The chunks of a column that hold live or committed bytes. */
static inline uint64_t instar_column_chunks(const instar_column *column) {
    uint64_t extent = column->extent > column->committed_extent ? column->extent : column->committed_extent;
    return (extent + INSTAR_CHUNK_BYTES - 1) / INSTAR_CHUNK_BYTES;
}

/* XORs the delta of a whole chunk record into a chunk; does nothing for other records. */
void instar_chunk_xor(const instar_kernels *kernels, const instar_chunk *record, uint8_t *live, uint8_t *committed);

/* XORs a whole record into its column, committed and live. */
void instar_record_apply(const instar_kernels *kernels, const instar_record *record, instar_column *column);

/* The linear CRC that a whole chunk record adds to its chunk's. */
uint64_t instar_chunk_change(const instar_chunk *record);

#endif
