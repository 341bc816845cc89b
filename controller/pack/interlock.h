/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interlock: what two channels of an emergency stop or a guard door say, as a table. Pure: no clock, no
 * lines.
 *
 * The stop itself is hard-wired; this only watches, latches and tells. Each channel is fail-safe: closed
 * means healthy, and a broken wire reads as open. One open channel is a stop at once. Channels that disagree
 * longer than the discrepancy time, or of which one opened alone, are a fault of the switch: it must be seen
 * open on both channels before it is believed again. After every stop a person resets; nothing restarts by
 * itself. Any thread, never blocks.
 */
#ifndef CONTROLLER_PACK_INTERLOCK_H
#define CONTROLLER_PACK_INTERLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name, what a person is told) */
#define INTERLOCK_STATE_TABLE(X)                            \
    X(SAFE, "closed")                                       \
    X(OPENING, "one channel open, waiting for the other")   \
    X(OPEN, "open")                                         \
    X(CLOSING, "one channel closed, waiting for the other") \
    X(TRIPPED, "closed again, waits for Reset by a person") \
    X(FAULT, "the two channels disagree: open it fully; if it returns, call service")

enum interlock_state {
#define INTERLOCK_STATE_ENUM(name, text) INTERLOCK_##name,
    INTERLOCK_STATE_TABLE(INTERLOCK_STATE_ENUM)
#undef INTERLOCK_STATE_ENUM
        INTERLOCK_STATES,
};

/* X(name, what happened) */
#define INTERLOCK_EVENT_TABLE(X)            \
    X(BOTH, "both channels closed")         \
    X(ONE, "exactly one channel closed")    \
    X(NEITHER, "both channels open")        \
    X(LATE, "the discrepancy time is over") \
    X(RESET, "a person presses Reset")

enum interlock_event {
#define INTERLOCK_EVENT_ENUM(name, text) INTERLOCK_EVENT_##name,
    INTERLOCK_EVENT_TABLE(INTERLOCK_EVENT_ENUM)
#undef INTERLOCK_EVENT_ENUM
        INTERLOCK_EVENTS,
};

struct interlock_row {
    enum interlock_state from;
    enum interlock_event event;
    enum interlock_state to;
    const char *why;
};

/* Never NULL: the table is total (test_interlock walks it). */
const struct interlock_row *interlock_step(enum interlock_state from, enum interlock_event event);
const struct interlock_row *interlock_rows(size_t *ret_count);
const char *interlock_state_name(enum interlock_state state);
const char *interlock_state_text(enum interlock_state state);
const char *interlock_event_name(enum interlock_event event);

enum { INTERLOCK_SETTLE_MS = 20 }; /* a closed contact counts after so long; an open one at once */

/* One channel: opens at once, closes when it was closed for INTERLOCK_SETTLE_MS without a break. */
struct channel {
    bool closed;
    bool seen;        /* level as last read */
    int64_t since_ms; /* of that level */
};

struct interlock {
    enum interlock_state state;
    struct channel channels[2];
    uint32_t discrepancy_ms;
    int64_t differ_since_ms; /* in OPENING and CLOSING */
    bool proved;             /* seen open on both channels since the program started */
};

/* Begins with open channels in the state SAFE: the first levels decide. A program that starts again beside a
 * running machine with a closed door does not stop it. */
void interlock_init(struct interlock *interlock, uint32_t discrepancy_ms);
/* The levels as they are now; call it on every edge and on a slow timer. True: the state changed. */
bool interlock_levels(struct interlock *interlock, bool first, bool second, int64_t now_ms);
/* An opening edge of a channel was seen, whatever its level is by now: enough for a stop, as an edge is never
 * enough for an all-clear. */
void interlock_edge(struct interlock *interlock, int channel, int64_t now_ms);
/* True: it is SAFE now. */
bool interlock_reset(struct interlock *interlock);
/* When interlock_levels must be called at the latest for a time to run out; INT64_MAX none. */
int64_t interlock_due_ms(const struct interlock *interlock);

#endif
