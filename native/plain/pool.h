/* Threads that help one thread with a task: they spin for a moment after each, in hope of the next, and then sleep. */
#ifndef INSTAR_POOL_H
#define INSTAR_POOL_H

typedef struct instar_pool instar_pool;

/* A task is called once in each thread that comes in time, with the thread's number; 0 is the caller's. */
typedef void (*instar_task)(void *context, unsigned thread);

/* Starts `threads - 1` helpers. Returns NULL where there is no memory or no thread. */
instar_pool *instar_pool_start(unsigned threads);

unsigned instar_pool_threads(const instar_pool *pool);

/* Runs a task and returns when every thread that took part is done. */
void instar_pool_run(instar_pool *pool, instar_task task, void *context);

/* Ends the helpers and frees everything. */
void instar_pool_stop(instar_pool *pool);

#endif
