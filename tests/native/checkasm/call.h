/* Calls a kernel and sees whether it kept the registers that the calling convention leaves to its caller. */
#ifndef CALL_H
#define CALL_H

#include <stdint.h>

/* Nonzero once a kernel called through CALL has changed such a register. */
extern uint64_t registers_damaged;

#if defined(__aarch64__)

/* Fills x19 to x28 and d8 to d15 with marks, calls `kernel`, and adds to `*damaged` what has changed, x18 and sp included. */
uint64_t call_marked(uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, uintptr_t kernel, uint64_t *damaged);

#define CALL_FIVE(kernel, a, b, c, d, e, ...)                                                                                  \
    call_marked((uintptr_t)(a), (uintptr_t)(b), (uintptr_t)(c), (uintptr_t)(d), (uintptr_t)(e), (uintptr_t)(kernel),           \
                &registers_damaged)
#define CALL(kernel, ...) CALL_FIVE(kernel, __VA_ARGS__, 0, 0, 0, 0, 0)

#else

#define CALL(kernel, ...) (kernel)(__VA_ARGS__)

#endif
#endif
