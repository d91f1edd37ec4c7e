#include "pages.h"

#include <sys/mman.h>
#include <unistd.h>

#if defined(__linux__) && !defined(MADV_POPULATE_WRITE)
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; others refuse it */
#endif

uint64_t instar_page_bytes(void) { return (uint64_t)sysconf(_SC_PAGESIZE); }

int instar_pages_give_back(uint8_t *data, uint64_t bytes) {
    uint64_t page = instar_page_bytes();
    uintptr_t from = ((uintptr_t)data + page - 1) / page * page, to = ((uintptr_t)data + bytes) / page * page;
    if (to <= from) return 0;
#ifdef __linux__
    return madvise((void *)from, to - from, MADV_DONTNEED);
#else
    void *again = mmap((void *)from, to - from, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE | MAP_FIXED, -1, 0);
    return again == MAP_FAILED ? -1 : 0;
#endif
}

void instar_pages_touch(uint8_t *data, uint64_t bytes) {
    uint64_t page = instar_page_bytes();
    uintptr_t from = (uintptr_t)data / page * page, to = ((uintptr_t)data + bytes + page - 1) / page * page;
#ifdef __linux__
    if (madvise((void *)from, to - from, MADV_POPULATE_WRITE) == 0) return;
#endif
    for (uintptr_t at = from; at < to; at += page) __atomic_fetch_or((uint8_t *)at, 0, __ATOMIC_RELAXED);
}
