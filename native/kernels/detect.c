#include "detect.h"

#include "crc64.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#ifndef HWCAP_PMULL
#define HWCAP_PMULL (1 << 4)
#endif
static int has_pmull(void) { return (getauxval(AT_HWCAP) & HWCAP_PMULL) != 0; }
#elif defined(__aarch64__)
static int has_pmull(void) { return 1; } /* every Apple processor has it */
#endif

void instar_detect(const instar_kernels *paths[INSTAR_MAX_PATHS]) {
    instar_crc64_prepare();
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul")) *paths++ = &instar_avx2;
#elif defined(__aarch64__)
    if (has_pmull()) *paths++ = &instar_neon;
    *paths++ = &instar_neon_nopmull;
#endif
    *paths++ = &instar_generic;
    *paths = NULL;
}
