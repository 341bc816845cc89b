/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: the event loop of the daemons. File descriptors, timers and signals, one thread, an injected clock.
 *
 * The caller owns every fd and every `data`; both must live until removed. Callbacks may add and remove
 * anything, themselves included. A timer callback returns the next due time in monotonic ms or
 * LOOP_TIMER_DONE. A callback must not block; the loop keeps the longest one (loop_worst_ms) so that a stall
 * can be named.
 */
#ifndef CONFIG_BASE_LOOP_H
#define CONFIG_BASE_LOOP_H

#include <stdint.h>

struct clock;
struct error;
struct loop;
struct loop_io;
struct loop_timer;

#define LOOP_TIMER_DONE INT64_MIN

struct loop *loop_create(struct clock *clock, struct error *err);
void loop_destroy(struct loop *loop);

/* events, revents: POLLIN and friends of poll(2). NULL when memory is short. */
struct loop_io *loop_add_io(struct loop *loop, int fd, short events, void (*ready)(void *data, short revents),
                            void *data);
void loop_set_events(struct loop_io *io, short events);
void loop_remove_io(struct loop_io *io);

struct loop_timer *loop_add_timer(struct loop *loop, int64_t due_ms,
                                  int64_t (*due)(void *data, int64_t now_ms), void *data);
void loop_set_timer(struct loop_timer *timer, int64_t due_ms);
void loop_remove_timer(struct loop_timer *timer);

/* Blocks signal numbers in this thread and reports them through a signalfd. At most once per loop. */
int loop_add_signals(struct loop *loop, const int *signals, int count, void (*caught)(void *data, int signal),
                     void *data, struct error *err);

/* Runs until loop_stop; 0 or an error code. With a virtual clock use loop_step instead. */
int loop_run(struct loop *loop, struct error *err);
/* One round, waiting at most wait_ms (0: only what is ready now). */
int loop_step(struct loop *loop, int64_t wait_ms, struct error *err);
void loop_stop(struct loop *loop);
/* The next timer's due time, INT64_MAX without one: a virtual clock jumps there. */
int64_t loop_next_due_ms(const struct loop *loop);
/* The longest callback since the last call of this function. */
int64_t loop_worst_ms(struct loop *loop);

#endif
