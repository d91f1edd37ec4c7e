#include "detect.h"

#include "crc64.h"
#include "words.h"

#if defined(__x86_64__)
static int has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("bmi2");
}
static int has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}
#elif defined(__aarch64__) && defined(__linux__)
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
    instar_words_prepare();
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (has_avx512()) *paths++ = &instar_avx512;
    if (has_avx2()) *paths++ = &instar_avx2;
#elif defined(__aarch64__)
    if (has_pmull()) *paths++ = &instar_neon;
    *paths++ = &instar_neon_nopmull;
#endif
    *paths++ = &instar_generic;
    *paths = NULL;
}
