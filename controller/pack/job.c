/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pack/job.h"

#include <assert.h>
#include <stdbool.h>

#define ROW(from_, event_, to_, why_)                                                  \
    {                                                                                  \
        .from = JOB_##from_, .event = JOB_EVENT_##event_, .to = JOB_##to_, .why = why_ \
    }

static const struct job_row table[] = {
    ROW(WAITING, INTENDED, SENT, "C1: intent before action"),
    ROW(WAITING, UNMAKEABLE, BLOCKED, "the rest of the batch does not wait for it"),
    ROW(WAITING, MADE, WAITING, "impossible: it has no number"),
    ROW(WAITING, VOIDED, WAITING, "impossible: it has no number"),
    ROW(WAITING, VOIDED_OFTEN, WAITING, "impossible: it has no number"),
    ROW(WAITING, RETURNED, WAITING, "impossible: it has no number"),
    ROW(WAITING, DROPPED, WAITING, "impossible: it has no number"),
    ROW(WAITING, CALLED_OFF, CANCELLED, "nothing was begun"),
    ROW(WAITING, STARTED, WAITING, "it waits already"),

    ROW(SENT, INTENDED, SENT, "impossible: one open number a job"),
    ROW(SENT, UNMAKEABLE, SENT, "impossible: it was intended"),
    ROW(SENT, MADE, GOOD, "C4: result, stock and job in one commit, wanted or not"),
    ROW(SENT, VOIDED, WAITING, "made again under a new number"),
    ROW(SENT, VOIDED_OFTEN, BLOCKED, "a person must look at the machine first"),
    ROW(SENT, RETURNED, WAITING, "cancelled with another one: made again under a new number"),
    ROW(SENT, DROPPED, CANCELLED, "void or cancelled, and not made again"),
    ROW(SENT, CALLED_OFF, SENT, "C8: its result decides; the machine is asked to cancel it"),
    ROW(SENT, STARTED, SENT, "its number is open"),

    ROW(GOOD, INTENDED, GOOD, "never twice"),
    ROW(GOOD, UNMAKEABLE, GOOD, "it is made"),
    ROW(GOOD, MADE, GOOD, "never twice"),
    ROW(GOOD, VOIDED, GOOD, "a late result of a replaced machine changes no verdict"),
    ROW(GOOD, VOIDED_OFTEN, GOOD, "a late result of a replaced machine changes no verdict"),
    ROW(GOOD, RETURNED, GOOD, "a late result of a replaced machine changes no verdict"),
    ROW(GOOD, DROPPED, GOOD, "a late result of a replaced machine changes no verdict"),
    ROW(GOOD, CALLED_OFF, GOOD, "made ones stay facts: it is taken out of the roll by hand"),
    ROW(GOOD, STARTED, GOOD, "it is made"),

    ROW(BLOCKED, INTENDED, BLOCKED, "impossible: it waits for a person"),
    ROW(BLOCKED, UNMAKEABLE, BLOCKED, "known"),
    ROW(BLOCKED, MADE, BLOCKED, "impossible: it has no number"),
    ROW(BLOCKED, VOIDED, BLOCKED, "impossible: it has no number"),
    ROW(BLOCKED, VOIDED_OFTEN, BLOCKED, "known"),
    ROW(BLOCKED, RETURNED, BLOCKED, "impossible: it has no number"),
    ROW(BLOCKED, DROPPED, BLOCKED, "impossible: it has no number"),
    ROW(BLOCKED, CALLED_OFF, CANCELLED, "nothing was begun"),
    ROW(BLOCKED, STARTED, WAITING, "a person mended it"),

    ROW(CANCELLED, INTENDED, CANCELLED, "not wanted"),
    ROW(CANCELLED, UNMAKEABLE, CANCELLED, "not wanted"),
    ROW(CANCELLED, MADE, CANCELLED, "impossible: its number was answered"),
    ROW(CANCELLED, VOIDED, CANCELLED, "impossible: its number was answered"),
    ROW(CANCELLED, VOIDED_OFTEN, CANCELLED, "impossible: its number was answered"),
    ROW(CANCELLED, RETURNED, CANCELLED, "impossible: its number was answered"),
    ROW(CANCELLED, DROPPED, CANCELLED, "impossible: its number was answered"),
    ROW(CANCELLED, CALLED_OFF, CANCELLED, "known"),
    ROW(CANCELLED, STARTED, CANCELLED, "a new batch makes it, if it is still signed and not withdrawn"),
};

const struct job_row *job_rows(size_t *ret_count)
{
    *ret_count = sizeof table / sizeof table[0];
    return table;
}

const struct job_row *job_step(enum job_state from, enum job_event event)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].from == from && table[i].event == event)
            return &table[i];
    }
    assert(false && "the job's table is not total");
    return NULL;
}

static const struct {
    const char *word;
    const char *text;
} states[] = {
#define JOB_STATE_ROW(name, word, text) {word, text},
    JOB_STATE_TABLE(JOB_STATE_ROW)
#undef JOB_STATE_ROW
};

static const struct {
    const char *name;
    const char *text;
} events[] = {
#define JOB_EVENT_ROW(name, text) {#name, text},
    JOB_EVENT_TABLE(JOB_EVENT_ROW)
#undef JOB_EVENT_ROW
};

const char *job_state_word(enum job_state state)
{
    return states[state].word;
}

const char *job_state_text(enum job_state state)
{
    return states[state].text;
}

const char *job_event_name(enum job_event event)
{
    return events[event].name;
}

const char *job_event_text(enum job_event event)
{
    return events[event].text;
}
