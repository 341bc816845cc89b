/* SPDX-License-Identifier: Apache-2.0 */
/*
 *            one opens            both open             one closes
 *     SAFE ------------> OPENING ------------> OPEN ----------------> CLOSING
 *       ^                   | late, or           ^ ^                    | | late
 *       | Reset             | closes again       | |                    | v
 *     TRIPPED <-------------+--> FAULT ----------+ +--- both open ------+ FAULT
 *       ^                        both open                              |
 *       +------------------------- both close --------------------------+
 *
 * Invariants: SAFE is entered by Reset alone. Reset changes nothing but TRIPPED. FAULT is left only over
 * OPEN.
 */
#include "controller/pack/interlock.h"

#include <assert.h>

#define ROW(from_, event_, to_, why_)                                                                    \
    {                                                                                                    \
        .from = INTERLOCK_##from_, .event = INTERLOCK_EVENT_##event_, .to = INTERLOCK_##to_, .why = why_ \
    }

static const struct interlock_row table[] = {
    ROW(SAFE, BOTH, SAFE, "nothing changed"),
    ROW(SAFE, ONE, OPENING, "one open channel is a stop"),
    ROW(SAFE, NEITHER, OPEN, "stop"),
    ROW(SAFE, LATE, SAFE, "the channels agree"),
    ROW(SAFE, RESET, SAFE, "nothing to reset"),

    ROW(OPENING, BOTH, FAULT, "one channel opened alone: it may have failed"),
    ROW(OPENING, ONE, OPENING, "the other one has its time"),
    ROW(OPENING, NEITHER, OPEN, "both channels agree"),
    ROW(OPENING, LATE, FAULT, "the other channel did not follow"),
    ROW(OPENING, RESET, OPENING, "it is open: Reset does nothing"),

    ROW(OPEN, BOTH, TRIPPED, "closed, but a person decides when to go on"),
    ROW(OPEN, ONE, CLOSING, "the other one has its time"),
    ROW(OPEN, NEITHER, OPEN, "nothing changed"),
    ROW(OPEN, LATE, OPEN, "the channels agree"),
    ROW(OPEN, RESET, OPEN, "it is open: Reset does nothing"),

    ROW(CLOSING, BOTH, TRIPPED, "closed, but a person decides when to go on"),
    ROW(CLOSING, ONE, CLOSING, "the other one has its time"),
    ROW(CLOSING, NEITHER, OPEN, "open again"),
    ROW(CLOSING, LATE, FAULT, "the other channel did not follow"),
    ROW(CLOSING, RESET, CLOSING, "it is not closed: Reset does nothing"),

    ROW(TRIPPED, BOTH, TRIPPED, "it waits for a person"),
    ROW(TRIPPED, ONE, OPENING, "open again"),
    ROW(TRIPPED, NEITHER, OPEN, "open again"),
    ROW(TRIPPED, LATE, TRIPPED, "the channels agree"),
    ROW(TRIPPED, RESET, SAFE, "a person looked; Start is a second, separate word"),

    ROW(FAULT, BOTH, FAULT, "not believed before both channels were seen open"),
    ROW(FAULT, ONE, FAULT, "still disagreeing"),
    ROW(FAULT, NEITHER, OPEN, "both channels work"),
    ROW(FAULT, LATE, FAULT, "known"),
    ROW(FAULT, RESET, FAULT, "a faulty switch cannot be reset"),
};

const struct interlock_row *interlock_rows(size_t *ret_count)
{
    *ret_count = sizeof table / sizeof table[0];
    return table;
}

const struct interlock_row *interlock_step(enum interlock_state from, enum interlock_event event)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].from == from && table[i].event == event)
            return &table[i];
    }
    assert(false && "the interlock's table is not total");
    return NULL;
}

static const struct {
    const char *name;
    const char *text;
} state_names[] = {
#define INTERLOCK_STATE_NAME(name, text) {#name, text},
    INTERLOCK_STATE_TABLE(INTERLOCK_STATE_NAME)
#undef INTERLOCK_STATE_NAME
};

static const char *const event_names[] = {
#define INTERLOCK_EVENT_NAME(name, text) #name,
    INTERLOCK_EVENT_TABLE(INTERLOCK_EVENT_NAME)
#undef INTERLOCK_EVENT_NAME
};

const char *interlock_state_name(enum interlock_state state)
{
    return state_names[state].name;
}

const char *interlock_state_text(enum interlock_state state)
{
    return state_names[state].text;
}

const char *interlock_event_name(enum interlock_event event)
{
    return event_names[event];
}

/* ---- in time ---- */

void interlock_init(struct interlock *interlock, uint32_t discrepancy_ms)
{
    *interlock = (struct interlock){.state = INTERLOCK_SAFE, .discrepancy_ms = discrepancy_ms};
    for (int i = 0; i < 2; i++)
        interlock->channels[i] = (struct channel){.closed = true, .seen = true, .since_ms = INT64_MIN / 2};
}

static void filter(struct channel *channel, bool level, int64_t now_ms)
{
    if (level != channel->seen)
        channel->since_ms = now_ms;
    channel->seen = level;
    if (!level)
        channel->closed = false;
    else if (now_ms - channel->since_ms >= INTERLOCK_SETTLE_MS)
        channel->closed = true;
}

static bool waits(enum interlock_state state)
{
    return state == INTERLOCK_OPENING || state == INTERLOCK_CLOSING;
}

static void happen(struct interlock *interlock, enum interlock_event event, int64_t now_ms)
{
    const struct interlock_row *row = interlock_step(interlock->state, event);
    assert(row->to != INTERLOCK_SAFE || row->from == INTERLOCK_SAFE || event == INTERLOCK_EVENT_RESET);
    if (row->to != row->from && waits(row->to))
        interlock->differ_since_ms = now_ms;
    if (row->to == INTERLOCK_OPEN)
        interlock->proved = true;
    interlock->state = row->to;
}

bool interlock_levels(struct interlock *interlock, bool first, bool second, int64_t now_ms)
{
    enum interlock_state before = interlock->state;
    filter(&interlock->channels[0], first, now_ms);
    filter(&interlock->channels[1], second, now_ms);
    int closed = interlock->channels[0].closed + interlock->channels[1].closed;
    happen(interlock,
           closed == 2   ? INTERLOCK_EVENT_BOTH
           : closed == 1 ? INTERLOCK_EVENT_ONE
                         : INTERLOCK_EVENT_NEITHER,
           now_ms);
    if (waits(interlock->state) && now_ms - interlock->differ_since_ms > interlock->discrepancy_ms)
        happen(interlock, INTERLOCK_EVENT_LATE, now_ms);
    return interlock->state != before;
}

void interlock_edge(struct interlock *interlock, int channel, int64_t now_ms)
{
    interlock->channels[channel].closed = false;
    interlock->channels[channel].since_ms = now_ms;
}

bool interlock_reset(struct interlock *interlock)
{
    happen(interlock, INTERLOCK_EVENT_RESET, interlock->differ_since_ms);
    return interlock->state == INTERLOCK_SAFE;
}

int64_t interlock_due_ms(const struct interlock *interlock)
{
    int64_t due_ms =
        waits(interlock->state) ? interlock->differ_since_ms + interlock->discrepancy_ms + 1 : INT64_MAX;
    for (int i = 0; i < 2; i++) {
        const struct channel *channel = &interlock->channels[i];
        if (channel->seen && !channel->closed && channel->since_ms + INTERLOCK_SETTLE_MS < due_ms)
            due_ms = channel->since_ms + INTERLOCK_SETTLE_MS;
    }
    return due_ms;
}
