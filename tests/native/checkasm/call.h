/* Calls a kernel and sees whether it kept the registers that the calling convention leaves to its caller. */
#ifndef CALL_H
#define CALL_H

#include <stdint.h>
#include <string.h>

#include "kernels.h"

/* Nonzero once a kernel called through CALL has changed such a register. */
extern uint64_t registers_damaged;

#if defined(__aarch64__)

/* What a function returns in x0 and x1. */
typedef struct call_result {
    uint64_t low, high;
} call_result;

/* Fills x19 to x28 and d8 to d15 with marks, calls `kernel`, and adds to `*damaged` what has changed, x18 and sp included. */
call_result call_marked(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t kernel, uint64_t *damaged);

static inline uint64_t word_in(call_result result) { return result.low; }

static inline instar_delta_size size_in(call_result result) {
    instar_delta_size size;
    memcpy(&size, &result, sizeof size);
    return size;
}

#define CALL_FOUR(kernel, a, b, c, d, ...)                                                                                     \
    call_marked((uintptr_t)(a), (uintptr_t)(b), (uintptr_t)(c), (uintptr_t)(d), (uintptr_t)(kernel), &registers_damaged)
#define CALL(kernel, ...) word_in(CALL_FOUR(kernel, __VA_ARGS__, 0, 0, 0, 0))
#define CALL_SIZE(kernel, ...) size_in(CALL_FOUR(kernel, __VA_ARGS__, 0, 0, 0, 0))

#else

#define CALL(kernel, ...) (kernel)(__VA_ARGS__)
#define CALL_SIZE(kernel, ...) (kernel)(__VA_ARGS__)

#endif
#endif
