#include "pool.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum { SPINS = 20000 };

/* `gate` is twice the number of helpers inside a task, and one more while the task takes helpers in. */
struct instar_pool {
    unsigned threads, started;
    uint64_t round, gate;
    int sleepers, ended;
    instar_task task;
    void *context;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct helper {
        instar_pool *pool;
        unsigned number;
        pthread_t thread;
    } helpers[];
};

static void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint64_t load(const uint64_t *value) { return __atomic_load_n(value, __ATOMIC_ACQUIRE); }

static int enter(instar_pool *pool) {
    uint64_t gate = load(&pool->gate);
    while (gate & 1)
        if (__atomic_compare_exchange_n(&pool->gate, &gate, gate + 2, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return 1;
    return 0;
}

static int is_over(const instar_pool *pool, uint64_t seen) { return load(&pool->round) != seen || __atomic_load_n(&pool->ended, __ATOMIC_ACQUIRE); }

/* Returns when a round after `seen` has begun, or the pool has ended. */
static void wait_for_round(instar_pool *pool, uint64_t seen) {
    for (int spin = 0; spin < SPINS; spin++) {
        if (is_over(pool, seen)) return;
        relax();
    }
    pthread_mutex_lock(&pool->mutex);
    pool->sleepers++;
    while (!is_over(pool, seen)) pthread_cond_wait(&pool->wake, &pool->mutex);
    pool->sleepers--;
    pthread_mutex_unlock(&pool->mutex);
}

static void *help(void *argument) {
    struct helper *helper = argument;
    instar_pool *pool = helper->pool;
    for (uint64_t seen = 0;;) {
        wait_for_round(pool, seen);
        if (__atomic_load_n(&pool->ended, __ATOMIC_ACQUIRE)) return NULL;
        seen = load(&pool->round);
        if (!enter(pool)) continue;
        pool->task(pool->context, helper->number);
        __atomic_fetch_sub(&pool->gate, 2, __ATOMIC_ACQ_REL);
    }
}

static int start_helpers(instar_pool *pool) {
    for (unsigned i = 0; i + 1 < pool->threads; i++) {
        pool->helpers[i] = (struct helper){.pool = pool, .number = i + 1};
        if (pthread_create(&pool->helpers[i].thread, NULL, help, &pool->helpers[i])) return -1;
        pool->started++;
    }
    return 0;
}

instar_pool *instar_pool_start(unsigned threads) {
    instar_pool *pool = calloc(1, sizeof *pool + (threads - 1) * sizeof(struct helper));
    if (!pool) return NULL;
    pool->threads = threads;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    if (start_helpers(pool)) {
        instar_pool_stop(pool);
        return NULL;
    }
    return pool;
}

unsigned instar_pool_threads(const instar_pool *pool) { return pool->threads; }

static void announce(instar_pool *pool) {
    pthread_mutex_lock(&pool->mutex);
    __atomic_fetch_add(&pool->round, 1, __ATOMIC_ACQ_REL);
    int asleep = pool->sleepers;
    pthread_mutex_unlock(&pool->mutex);
    if (asleep) pthread_cond_broadcast(&pool->wake);
}

void instar_pool_run(instar_pool *pool, instar_task task, void *context) {
    pool->task = task;
    pool->context = context;
    __atomic_store_n(&pool->gate, 1, __ATOMIC_RELEASE);
    announce(pool);
    task(context, 0);
    __atomic_fetch_sub(&pool->gate, 1, __ATOMIC_ACQ_REL);
    while (load(&pool->gate)) relax();
}

void instar_pool_stop(instar_pool *pool) {
    pthread_mutex_lock(&pool->mutex);
    __atomic_store_n(&pool->ended, 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    for (unsigned i = 0; i < pool->started; i++) pthread_join(pool->helpers[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}
