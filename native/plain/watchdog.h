/* A thread that watches how long one call takes, whether or not anyone holds the interpreter's lock.
 *
 * The watched thread only stores to atomics; the watcher looks at them several times per limit and keeps the time. Time in which
 * the whole process was stopped does not count.
 */
#ifndef INSTAR_WATCHDOG_H
#define INSTAR_WATCHDOG_H

#include <stddef.h>
#include <stdint.h>

typedef struct instar_watchdog instar_watchdog;

/* Watches the calling thread: `limit` seconds into a call it is sent `signum` until it ends, `grace` seconds later the process ends with
 * a message and exit code 1. Returns NULL with errno set where there is no memory or no thread. */
instar_watchdog *instar_watchdog_start(double limit, double grace, int signum);

/* A call begins; names longer than 255 bytes are cut. `frame` is the last committed frame, negative where there is none. */
void instar_watchdog_arm(instar_watchdog *watchdog, const char *name, size_t bytes, int64_t frame);
void instar_watchdog_disarm(instar_watchdog *watchdog);

/* Nothing is watched between suspend and resume; the call then has its whole limit before it. */
void instar_watchdog_suspend(instar_watchdog *watchdog);
void instar_watchdog_resume(instar_watchdog *watchdog);

/* Ends the thread and frees everything. */
void instar_watchdog_stop(instar_watchdog *watchdog);

#endif
