/* The processor's own clock: read in a few cycles, where clock_gettime takes tens of ns.
 *
 * Ticks are led to CLOCK_MONOTONIC by two moments at which both were read. Where the processor's clock does not run steadily,
 * whatever its frequency and sleep, ticks are that clock's ns.
 */
#ifndef INSTAR_TICKS_H
#define INSTAR_TICKS_H

#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

static inline int64_t instar_monotonic_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Whether the processor's clock runs steadily. */
static inline int instar_ticks_are_steady(void) {
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1);
#elif defined(__aarch64__)
    return 1;
#else
    return 0;
#endif
}

static inline int64_t instar_ticks(int steady) {
    if (!steady) return instar_monotonic_ns();
#if defined(__x86_64__)
    return (int64_t)__rdtsc();
#elif defined(__aarch64__)
    int64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return instar_monotonic_ns();
#endif
}

#endif
