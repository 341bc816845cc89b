/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay: a machine port that plays a trace (trace.h) back. The k-th request must be the trace's k-th, value
 * for value (ids aside); it is answered as then, after as long as then on the clock it is given.
 *
 * The first request that differs is answered NOT_DONE with E_MISMATCH, as is every one after it, and
 * replay_difference says what differs. Behind the trace's end every request is answered NOT_DONE with E_LINK.
 * make_safe calls off what waits, as every backend does. One thread, nothing blocks but the loading.
 */
#ifndef HW_WRAP_REPLAY_H
#define HW_WRAP_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct error;
struct machine;

enum { REPLAY_REQUESTS_MAX = 200000, REPLAY_LINE_MAX = 65536 };

/* NULL: E_FILE, E_INPUT with file:line, E_VERSION, E_LIMIT, E_MEMORY. */
struct machine *replay_create(const char *file, struct clock *clock, struct error *err);
/* A sentence about the first request that was not the trace's; NULL: none. */
const char *replay_difference(const struct machine *machine);
/* Every request of the trace was made and answered. */
bool replay_is_over(const struct machine *machine);
/* The clock's monotonic time of the next answer; INT64_MAX: none waits. */
int64_t replay_next_due_ms(const struct machine *machine);

#endif
