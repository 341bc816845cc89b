/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pulse: sachetd's watchdog over itself. The loop says before each call that may take long what it is about
 * to do; a thread of its own looks on and writes into the log when one call takes too long, while it lasts,
 * with its name. systemd is told only by the loop itself (service.h), so a loop that stands still is ended
 * and started anew, and the machine suspends meanwhile by its own watchdog (rule M7).
 *
 * pulse_at and pulse_rest belong to the loop's thread and cost some nanoseconds.
 */
#ifndef TOOLS_SACHETD_PULSE_H
#define TOOLS_SACHETD_PULSE_H

#include <stdint.h>

struct clock;
struct error;
struct pulse;

enum { PULSE_LIMIT_MS = 1000 }; /* of one call; the machines wait for 2 s */

/* Starts the thread. limit_ms 0: PULSE_LIMIT_MS. */
struct pulse *pulse_create(struct clock *clock, uint32_t limit_ms, struct error *err);
/* NULL is allowed. */
void pulse_destroy(struct pulse *pulse);

/* The loop is about to do this. what: a literal; of: lives as long as the pulse, "" for nothing. Ends the
 * call before; one that took too long is told with its length. */
void pulse_at(struct pulse *pulse, const char *what, const char *of);
/* The loop waits for events: nothing is late. */
void pulse_rest(struct pulse *pulse);

/* Calls over the limit so far, and the longest of them. */
uint32_t pulse_stalls(const struct pulse *pulse, int64_t *ret_longest_ms);

#endif
