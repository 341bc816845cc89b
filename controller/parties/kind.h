/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: what the pharmacy asks of the four parties it works with, as tables.
 *
 * One row a kind of task: who is asked, as which FHIR R4 resource, by when an answer is wanted, which answers
 * are possible and what a person does next when none comes. The rows make the queue, the messages, the help
 * and the documents. States are those of FHIR Task (hl7.org/fhir/R4/task.html); the words of answers and
 * events are our own. Nothing but tables and pure functions, any thread.
 */
#ifndef CONTROLLER_PARTIES_KIND_H
#define CONTROLLER_PARTIES_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum task_party { PARTY_PRESCRIBER, PARTY_PAYER, PARTY_PATIENT, PARTY_PHARMACY, TASK_PARTIES };

enum task_kind {
    TASK_RENEWAL,     /* a prescription ends: a new one is wanted */
    TASK_CHANGE,      /* another quantity, form or time is wanted of the prescriber */
    TASK_ELIGIBILITY, /* is the patient covered at all */
    TASK_TEST_CLAIM,  /* would this fill be paid on this day */
    TASK_OVERRIDE,    /* pay although it is too soon */
    TASK_PRIOR_AUTH,  /* allow the drug beforehand */
    TASK_NOTICE,      /* tell the patient or caregiver */
    TASK_PRESHIP,     /* ask them what changed before the next roll is packed */
    TASK_PURCHASE,    /* buy */
    TASK_WORK,        /* something that somebody in the house must do */
    TASK_KINDS,
};

/* A FHIR Task's states; see task_next for the ways between them. */
enum task_state {
    TASK_DRAFT,       /* here, not written out yet */
    TASK_REQUESTED,   /* written out */
    TASK_RECEIVED,    /* the other side has it */
    TASK_ACCEPTED,    /* and will do it */
    TASK_IN_PROGRESS, /* and is at it */
    TASK_ON_HOLD,     /* and wants something from us first */
    TASK_REJECTED,    /* they will not deal with it */
    TASK_COMPLETED,   /* answered, whatever the answer is */
    TASK_CANCELLED,   /* not wanted any more */
    TASK_FAILED,      /* could not be delivered or done */
    TASK_STATES,
};

/* What can happen to a task. */
enum task_event {
    TASK_EVENT_SENT,
    TASK_EVENT_RECEIVED,
    TASK_EVENT_ACCEPTED,
    TASK_EVENT_STARTED,
    TASK_EVENT_HELD,
    TASK_EVENT_ANSWERED,
    TASK_EVENT_REFUSED,
    TASK_EVENT_CANCELLED,
    TASK_EVENT_FAILED,
    TASK_EVENTS,
};

/* What an answer says. Silence is none of these: a task without an answer stays open. */
enum task_result {
    TASK_APPROVED,   /* as asked */
    TASK_CHANGED,    /* granted, but otherwise than asked: a person or the planner reads how */
    TASK_DENIED,     /* no */
    TASK_TOO_SOON,   /* not before a date, which the answer names */
    TASK_NEEDS_MORE, /* a question back: the task is held until somebody answers it */
    TASK_DONE,       /* told, delivered, seen to */
    TASK_RESULTS,
};

/* How long a task has waited. It rises by itself, and each rise is told to the other side; nothing else
 * follows from waiting. */
enum task_level {
    TASK_CALM,
    TASK_REMINDED, /* half of the time is over */
    TASK_URGENT,   /* `urgent_days` before the due day */
    TASK_OVERDUE,  /* past the due day */
    TASK_LEVELS,
};

struct task_kind_row {
    const char *word;  /* "renewal", as in commands, JSON and the store */
    const char *title; /* for people */
    enum task_party party;
    const char *resource; /* FHIR type of what the Task is about; "" where the Task says all */
    int due_days;         /* from opening to the due day, where whoever opens it names none */
    int urgent_days;      /* before the due day */
    const char *needs[2]; /* facts without which it says nothing: "text", "order|drug" (one of them) */
    unsigned results;     /* bit 1 << enum task_result of each possible answer */
    unsigned interim;     /* those of them after which the task goes on */
    const char *late[2];  /* what a person does when it is urgent, and when it is overdue */
};

extern const struct task_kind_row task_kinds[TASK_KINDS];

/* Facts of a task or an answer: a flat JSON object of these keys. */
enum task_fact_type { FACT_TEXT, FACT_COUNT, FACT_DAY };
struct task_fact_row {
    const char *key;
    enum task_fact_type type;
    const char *doc;
};
extern const struct task_fact_row task_facts[];
extern const size_t task_fact_count;

const char *task_party_text(enum task_party party);    /* "prescriber" */
const char *task_state_text(enum task_state state);    /* "in-progress" */
const char *task_event_text(enum task_event event);    /* "answered" */
const char *task_result_text(enum task_result result); /* "too-soon" */
const char *task_level_text(enum task_level level);    /* "calm" */
/* False when there is no such word; *ret is left alone then. */
bool task_kind_parse(const char *word, enum task_kind *ret_kind);
bool task_party_parse(const char *word, enum task_party *ret_party);
bool task_state_parse(const char *word, enum task_state *ret_state);
bool task_result_parse(const char *word, enum task_result *ret_result);
bool task_level_parse(const char *word, enum task_level *ret_level);
/* What a person does now. */
const char *task_next_step(enum task_kind kind, enum task_level level);

/* Rejected, completed, cancelled, failed. */
bool task_state_closed(enum task_state state);
/*
 * Where a state goes on an event: another state, the same one (the news is old: nothing happens), or
 * TASK_STATES when the event cannot be (a closed task stays closed).
 */
enum task_state task_next(enum task_state state, enum task_event event);
/* The level on a day, from the days that a task was opened on and is due on. */
enum task_level task_level_on(enum task_kind kind, int32_t opened_day, int32_t due_day, int32_t day);
/* "approved, changed, denied" */
void task_results_list(enum task_kind kind, struct buf *out);

#endif
