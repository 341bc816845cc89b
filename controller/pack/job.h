/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job: what becomes of one pouch that is wanted, as a table. A job is a pouch line of a signed plan; each
 * attempt at it is a fill with a number of its own. Pure, any thread.
 */
#ifndef CONTROLLER_PACK_JOB_H
#define CONTROLLER_PACK_JOB_H

#include <stddef.h>

/* X(name, word in the store, what it means) */
#define JOB_STATE_TABLE(X)                                                                  \
    X(WAITING, "waiting", "not begun: it has no open number")                               \
    X(SENT, "sent", "a number is given out; what the machine did with it is not known yet") \
    X(GOOD, "good", "made, counted and sealed right: a fact")                               \
    X(BLOCKED, "blocked", "set aside with a reason, until a person has mended it")          \
    X(CANCELLED, "cancelled", "not wanted any more")

enum job_state {
#define JOB_STATE_ENUM(name, word, text) JOB_##name,
    JOB_STATE_TABLE(JOB_STATE_ENUM)
#undef JOB_STATE_ENUM
        JOB_STATES,
};

/* X(name, what happened) */
#define JOB_EVENT_TABLE(X)                                                       \
    X(INTENDED, "it gets a number, durable before it is sent (C1)")              \
    X(UNMAKEABLE, "no canister, or its text is not what was signed")             \
    X(MADE, "a good result (C6)")                                                \
    X(VOIDED, "a void result, or none because the machine was adopted")          \
    X(VOIDED_OFTEN, "void too often in a row")                                   \
    X(RETURNED, "answered CANCELLED and still wanted")                           \
    X(DROPPED, "a result that is not good, and nobody wants the pouch any more") \
    X(CALLED_OFF, "its pouch is withdrawn or its batch cancelled")               \
    X(STARTED, "a person starts the batch again")

enum job_event {
#define JOB_EVENT_ENUM(name, text) JOB_EVENT_##name,
    JOB_EVENT_TABLE(JOB_EVENT_ENUM)
#undef JOB_EVENT_ENUM
        JOB_EVENTS,
};

struct job_row {
    enum job_state from;
    enum job_event event;
    enum job_state to;
    const char *why;
};

/* Never NULL: the table is total. A row that leads nowhere says why it must not. */
const struct job_row *job_step(enum job_state from, enum job_event event);
const struct job_row *job_rows(size_t *ret_count);
const char *job_state_word(enum job_state state);
const char *job_state_text(enum job_state state);
const char *job_event_name(enum job_event event);
const char *job_event_text(enum job_event event);

#endif
