#include "watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NAME_BYTES = 256 };

struct instar_watchdog {
    double limit, grace, interval; /* seconds */
    int signum;
    pid_t process;
    pthread_t watched, watcher;
    pthread_mutex_t lock; /* of `stopping` */
    pthread_cond_t wake;
    int stopping;
    _Atomic uint64_t call; /* changes with each call, and when time starts anew */
    _Atomic int armed, suspended;
    _Atomic int64_t frame;
    _Atomic char name[NAME_BYTES];
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Waits one interval. Returns whether to stop. */
static int rest(instar_watchdog *watchdog) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t nanoseconds = until.tv_nsec + (int64_t)(watchdog->interval * 1e9);
    until.tv_sec += nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    pthread_mutex_lock(&watchdog->lock);
    if (!watchdog->stopping) pthread_cond_timedwait(&watchdog->wake, &watchdog->lock, &until);
    int stopping = watchdog->stopping;
    pthread_mutex_unlock(&watchdog->lock);
    return stopping;
}

static void end_process(instar_watchdog *watchdog, uint64_t call) {
    char name[NAME_BYTES], committed[64] = "", message[2 * NAME_BYTES + 512];
    for (int i = 0; i < NAME_BYTES; i++) name[i] = atomic_load_explicit(&watchdog->name[i], memory_order_relaxed);
    name[NAME_BYTES - 1] = 0;
    int64_t frame = atomic_load_explicit(&watchdog->frame, memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load(&watchdog->call) != call || !atomic_load(&watchdog->armed) || atomic_load(&watchdog->suspended)) return;
    if (frame >= 0) snprintf(committed, sizeof committed, " The last committed frame was %lld.", (long long)frame);
    int length = snprintf(message, sizeof message,
                          "instar: %s did not end: it ran longer than %g s, was interrupted, and went on for another %g s. It is "
                          "stuck in native code, or catches every exception.%s The run ends here with exit code 1. Look for a "
                          "lock, a blocking call or an endless loop in what it calls.\n",
                          name, watchdog->limit, watchdog->grace, committed);
    ssize_t written = write(STDERR_FILENO, message, (size_t)length);
    (void)written;
    _exit(1);
}

static void *watch(void *argument) {
    instar_watchdog *watchdog = argument;
    uint64_t seen = 0;
    double elapsed = 0.0, last = now();
    while (!rest(watchdog)) {
        double time = now(), passed = time - last, most = 2.0 * watchdog->interval;
        uint64_t call = atomic_load(&watchdog->call);
        last = time;
        if (call != seen || !atomic_load(&watchdog->armed) || atomic_load(&watchdog->suspended)) {
            seen = call;
            elapsed = 0.0;
            continue;
        }
        elapsed += passed < most ? passed : most;
        if (elapsed >= watchdog->limit) pthread_kill(watchdog->watched, watchdog->signum);
        if (elapsed >= watchdog->limit + watchdog->grace) end_process(watchdog, call);
    }
    return NULL;
}

/* The watcher takes no signals: they belong to the threads that the program knows. */
static int start_thread(instar_watchdog *watchdog) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&watchdog->watcher, NULL, watch, watchdog);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

instar_watchdog *instar_watchdog_start(double limit, double grace, int signum) {
    instar_watchdog *watchdog = calloc(1, sizeof *watchdog);
    if (!watchdog) return NULL;
    double shorter = limit < grace ? limit : grace;
    watchdog->limit = limit;
    watchdog->grace = grace;
    watchdog->interval = shorter / 4 < 0.001 ? 0.001 : shorter / 4 > 0.05 ? 0.05 : shorter / 4;
    watchdog->signum = signum;
    watchdog->process = getpid();
    watchdog->watched = pthread_self();
    pthread_mutex_init(&watchdog->lock, NULL);
    pthread_cond_init(&watchdog->wake, NULL);
    int status = start_thread(watchdog);
    if (status == 0) return watchdog;
    pthread_cond_destroy(&watchdog->wake);
    pthread_mutex_destroy(&watchdog->lock);
    free(watchdog);
    errno = status;
    return NULL;
}

void instar_watchdog_arm(instar_watchdog *watchdog, const char *name, size_t bytes, int64_t frame) {
    if (bytes > NAME_BYTES - 1) bytes = NAME_BYTES - 1;
    atomic_store_explicit(&watchdog->armed, 0, memory_order_relaxed);
    atomic_fetch_add(&watchdog->call, 1);
    for (size_t i = 0; i < bytes; i++) atomic_store_explicit(&watchdog->name[i], name[i], memory_order_relaxed);
    atomic_store_explicit(&watchdog->name[bytes], 0, memory_order_relaxed);
    atomic_store_explicit(&watchdog->frame, frame, memory_order_relaxed);
    atomic_store(&watchdog->armed, 1);
}

void instar_watchdog_disarm(instar_watchdog *watchdog) { atomic_store(&watchdog->armed, 0); }

void instar_watchdog_suspend(instar_watchdog *watchdog) { atomic_store(&watchdog->suspended, 1); }

void instar_watchdog_resume(instar_watchdog *watchdog) {
    atomic_fetch_add(&watchdog->call, 1);
    atomic_store(&watchdog->suspended, 0);
}

void instar_watchdog_stop(instar_watchdog *watchdog) {
    if (getpid() == watchdog->process) {
        pthread_mutex_lock(&watchdog->lock);
        watchdog->stopping = 1;
        pthread_cond_signal(&watchdog->wake);
        pthread_mutex_unlock(&watchdog->lock);
        pthread_join(watchdog->watcher, NULL);
        pthread_cond_destroy(&watchdog->wake);
        pthread_mutex_destroy(&watchdog->lock);
    }
    free(watchdog);
}
