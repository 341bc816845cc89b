/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line: what the controller of one machine does next, as a table. Pure: no clock, no store, no machine.
 *
 * The packer (controller/pack/packer.h) fills in a struct line_view from the machine's status mirror, from
 * the store and from what people asked for, tells an event, and carries out the effect of the row that comes
 * back. Drawing, numbered invariants and the table itself stand in line.c. Any thread, never blocks.
 */
#ifndef CONTROLLER_PACK_LINE_H
#define CONTROLLER_PACK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw/machine.h"

#define LINE_STATE_TABLE(X)                                                 \
    X(DOWN, "no connection")                                                \
    X(IDENTIFY, "asking who the machine is")                                \
    X(SURVEY, "first look at the counters")                                 \
    X(CLAIM, "taking the session")                                          \
    X(COMPARE, "comparing the counters with the store")                     \
    X(READY, "connected, nothing outstanding")                              \
    X(STATUS, "reading the status mirror")                                  \
    X(CONTROL, "writing the control block")                                 \
    X(PUT, "writing a job")                                                 \
    X(FETCH, "reading a result")                                            \
    X(BAYS, "reading which canister sits where")                            \
    X(HALTED, "stopped: what the machine did is unknown, a person decides") \
    X(CLOSED, "ended")

enum line_state {
#define LINE_STATE_ENUM(name, text) LINE_##name,
    LINE_STATE_TABLE(LINE_STATE_ENUM)
#undef LINE_STATE_ENUM
        LINE_STATES,
};

/* X(name, what happened) */
#define LINE_EVENT_TABLE(X)                              \
    X(TICK, "time to decide")                            \
    X(ANSWERED, "the outstanding request was done")      \
    X(REFUSED, "the machine answered with an exception") \
    X(LOST, "no or a damaged answer; connection closed") \
    X(FENCED, "another session owns the machine")        \
    X(MISMATCHED, "not the machine that is expected")    \
    X(ASKED, "a person asks the line to look once more") \
    X(END, "the program ends now")

enum line_event {
#define LINE_EVENT_ENUM(name, text) LINE_EVENT_##name,
    LINE_EVENT_TABLE(LINE_EVENT_ENUM)
#undef LINE_EVENT_ENUM
        LINE_EVENTS,
};

/* X(name, part in the store, request to the machine): an effect is carried out as first the one, durable,
 * then the other. */
#define LINE_EFFECT_TABLE(X)      \
    X(NONE, false, false)         \
    X(REJECT, false, false)       \
    X(WAIT, false, false)         \
    X(CONNECT, false, true)       \
    X(ENROL, true, true)          \
    X(CLAIM, false, true)         \
    X(ASK_STATUS, false, true)    \
    X(ADOPT, true, false)         \
    X(LOOK, false, false)         \
    X(NOTE, true, false)          \
    X(ASK_RESULT, false, true)    \
    X(KEEP_RESULT, false, false)  \
    X(ASK_BAYS, false, true)      \
    X(KEEP_BAYS, false, false)    \
    X(RECORD, true, false)        \
    X(INTEND, true, false)        \
    X(PUT_JOB, false, true)       \
    X(WRITE_CONTROL, false, true) \
    X(TAKE_ORDERS, true, false)   \
    X(STOP_BATCH, true, false)    \
    X(END_BATCH, true, false)     \
    X(BACK_OFF, false, false)     \
    X(HALT, true, false)          \
    X(MAKE_SAFE, false, false)

enum line_effect {
#define LINE_EFFECT_ENUM(name, store, request) LINE_DO_##name,
    LINE_EFFECT_TABLE(LINE_EFFECT_ENUM)
#undef LINE_EFFECT_ENUM
        LINE_EFFECTS,
};

/* What the line is there for now. */
enum line_want {
    LINE_REST,  /* no batch */
    LINE_RUN,   /* a batch is running */
    LINE_PAUSE, /* a batch is paused */
};

struct line_view {
    struct machine_identity identity;
    struct machine_status mirror; /* as last read */
    bool mirror_due;              /* something was written or time has passed: read before deciding */

    /* The book: the store's numbers of this machine (its serial). */
    uint32_t session;  /* ours, durable before it is written */
    uint32_t issued;   /* N: the last number that belongs to a job */
    uint32_t kept;     /* results read and checked up to it, in memory */
    uint32_t recorded; /* results in the store up to it: what W may be */
    uint32_t boot;     /* boot counter as last stored */
    /* Lowest and highest unrecorded number that shall not be made any more: its batch was cancelled, its
     * pouch withdrawn, or another canister sits in its bay; 0 none. */
    uint32_t cancel_from;
    uint32_t cancel_to;
    bool adopting;       /* a person accepts the machine's counters as they are */
    const char *tripped; /* why the panel's switches forbid motion; NULL they do not */
    const char *doubt;   /* why a result or identity was not believed; NULL none */

    /* Wishes. */
    enum line_want want;
    bool orders;                /* command rows wait in the store */
    bool jobs;                  /* the running batch has jobs without a number */
    bool batch_new;             /* the running batch's signatures were not checked yet in this process */
    bool over;                  /* nothing of the running batch is waiting or under way */
    bool permit;                /* a person started it and the machine has not left running since */
    bool attend;                /* a stand-in for the operator acts (SIMULATED machines only) */
    bool bays_due;              /* which canisters are seated must be read before a number is given out */
    bool frozen;                /* the machine answers, and its own heartbeat stands still */
    bool closing;               /* SIGTERM: finish what is started and end */
    enum machine_command spent; /* answered a moment ago in this very state: not asked for again at once */
    uint32_t cancelled_from;    /* numbers that the spent Cancel was for, and A when it was written */
    uint32_t cancelled_to;
    uint32_t cancelled_accepted;
    enum machine_command person; /* asked for by a person and not yet written; 0 none */

    /* Time, as the packer sees it. */
    bool back_off_over; /* the next connection may be tried */
    bool control_due;   /* heartbeat, or the answer to the last command is overdue */
    bool command_open;  /* a command was written and the mirror does not show it yet */
    bool put_due;       /* the same number was not written just now */
    bool poll_due;
    bool news; /* alarms, boot counter or the outcome of a command that the store does not have yet */
};

struct line_row {
    enum line_state from;
    enum line_event event;
    bool (*guard)(const struct line_view *view); /* NULL: always */
    enum line_state to;
    enum line_effect effect;
    const char *why;
};

/* The first row of (from, event) whose guard holds. Never NULL: the table is total (test_line walks it). */
const struct line_row *line_step(enum line_state from, enum line_event event, const struct line_view *view);
/* NULL, or the invariant that carrying out `row` now would break. Asserted by the packer after each step. */
const char *line_violation(const struct line_row *row, const struct line_view *view);
/* The PackML command that brings the machine closer to what is wanted; NONE when it is there or must not be
 * moved. A pure function of the view (C3), so a crash at any point leads to the same command again. */
enum machine_command line_command(const struct line_view *view);
/* C7: why the counters of the mirror cannot be explained by the store; NULL when they can. */
const char *line_contradiction(const struct line_view *view);
/* C8: a number that shall not be made any more is not begun yet. Until that is settled no new one is given
 * out, since Cancel takes every later number with it. */
bool line_cancels(const struct line_view *view);
/* A person must act at the machine before the batch can go on; the text says why, NULL otherwise. */
const char *line_standstill(const struct line_view *view);

bool line_effect_stores(enum line_effect effect);
bool line_effect_requests(enum line_effect effect);
const char *line_state_name(enum line_state state);
const char *line_state_text(enum line_state state);
const char *line_event_name(enum line_event event);
const char *line_effect_name(enum line_effect effect);
/* The table, for tests and documents. */
const struct line_row *line_rows(size_t *ret_count);

#endif
