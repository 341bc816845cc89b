/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task: what was asked of whom, where it stands and what came back. Tables task, task_history, task_answer.
 *
 * A task is known by its kind, its patient and a key that whoever opens it chooses for its subject (say
 * "order s01-r01, needed 2026-12-07"). Opening the same one again is the same task, so a planner may ask each
 * time it plans. Every change of state or level is a row of task_history and of the audit. The first answer
 * stands; another one that says something else never replaces it by itself but becomes work for a person.
 * Silence is no answer: a task past its due day rises in the queue and stays open.
 *
 * Writing functions run in the caller's write transaction. Structs and texts live in the caller's arena. One
 * thread a store; blocks for it.
 */
#ifndef CONTROLLER_PARTIES_TASK_H
#define CONTROLLER_PARTIES_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/parties/kind.h"

struct arena;
struct error;
struct store;

enum {
    TASK_SUBJECT_BYTES_MAX = 200,
    TASK_FACTS_BYTES_MAX = 16384, /* as canonical JSON */
    TASK_FACT_TEXT_MAX = 2000,
    TASK_NOTE_BYTES_MAX = 2000,
    TASK_DUE_DAYS_MAX = 1100, /* between opening and the due day */
};

/* Who does it and when. */
struct task_act {
    const char *actor; /* login or program */
    int64_t wall_ms;
    int32_t today;
};

struct task_request {
    enum task_kind kind;
    int64_t patient;     /* 0: none; only tasks of the pharmacy's own */
    const char *subject; /* the key, 1..TASK_SUBJECT_BYTES_MAX printable bytes; no names of people */
    int32_t
        due_day; /* last day on which an answer is in time; CIVIL_DAY_NONE: today + due_days of the kind */
    const char *facts; /* JSON object with keys of task_facts; NULL: none */
    bool again;        /* ask once more although an answer is there */
};

enum task_opening {
    TASK_OPENED,   /* new */
    TASK_STANDS,   /* open already */
    TASK_ANSWERED, /* asked before and closed: with task_answer_standing, or rejected without an answer */
};

struct task {
    int64_t id;
    enum task_kind kind;
    enum task_state state;
    enum task_level level;
    int64_t patient; /* 0: none */
    const char *subject;
    const char *facts; /* canonical JSON object */
    int32_t opened_day;
    int32_t due_day;
    int revision;     /* what the other side has or shall have heard, from 1 */
    int sent;         /* the revision last written out; 0: none */
    const char *note; /* why it stands where it stands, for people */
    const char *opened_by;
    int64_t opened_ms;
    int64_t changed_ms;
};

struct task_answer {
    int64_t id;
    int64_t task;
    enum task_result result;
    bool stands;       /* the one that counts */
    int32_t until_day; /* of TASK_TOO_SOON: the first day that is not too soon; else CIVIL_DAY_NONE or until
                          when what was granted holds */
    const char *facts; /* canonical JSON object: what the answer says of quantity, days, copay, ... */
    const char *reference; /* the other side's number for it, "" for none */
    const char *note;      /* their words */
    const char *source;    /* "ClaimResponse/17" or "by hand" */
    const char *actor;
    int64_t answered_ms;
    int32_t answered_day;
};

/*
 * Opens a task or finds it. The newest one of kind, patient and subject decides: an open one stands as it is,
 * an answered one is given back with its answer unless `again`, a cancelled or failed one is followed by a
 * new one. E_INPUT, E_LIMIT for what the request says; E_NOT_FOUND for the patient.
 */
int task_open(struct store *store, const struct task_act *act, const struct task_request *request,
              int64_t *ret_task, enum task_opening *ret_opening, struct error *err);
/* Not wanted any more. An open one is cancelled and, if it was written out, so told; a closed one stays. */
int task_cancel(struct store *store, const struct task_act *act, int64_t task, const char *why,
                struct error *err);
/*
 * An open task says something else now: other facts, another due day (before today: today). Written out
 * before, it gets a new revision, so that the other side hears it. Its level follows the due day, and may
 * fall. E_STATE for a closed one; E_INPUT as task_open.
 */
int task_revise(struct store *store, const struct task_act *act, int64_t task, const char *facts,
                int32_t due_day, const char *why, struct error *err);
/*
 * Takes an answer. answer->task, result, until_day, facts, reference, note, source count. *ret_stands: it
 * counts now. An answer that says the same again changes nothing; one that says something else than the
 * standing one is kept beside it and opens a TASK_WORK, unless overrule: then it stands. E_INPUT for a result
 * that the kind has not, TASK_TOO_SOON without its day; E_STATE for a cancelled task.
 */
int task_answer_put(struct store *store, const struct task_act *act, const struct task_answer *answer,
                    bool overrule, bool *ret_stands, struct error *err);
/* Something happened that is no answer (sent, received, held, ...). Old news change nothing; E_STATE for what
 * cannot be. */
int task_event_put(struct store *store, const struct task_act *act, int64_t task, enum task_event event,
                   const char *note, struct error *err);
/* Lets the levels of all open tasks follow act->today; *ret_raised (may be NULL) is how many rose. A level
 * never falls. */
int task_escalate(struct store *store, const struct task_act *act, int *ret_raised, struct error *err);

/* E_NOT_FOUND. */
int task_get(struct store *store, int64_t id, struct arena *arena, struct task *ret_task, struct error *err);
/* The newest of kind, patient and subject. E_NOT_FOUND. */
int task_find(struct store *store, enum task_kind kind, int64_t patient, const char *subject,
              struct arena *arena, struct task *ret_task, struct error *err);
/* The answer that counts. E_NOT_FOUND: none yet. */
int task_answer_standing(struct store *store, int64_t task, struct arena *arena,
                         struct task_answer *ret_answer, struct error *err);

/* Which tasks: all fields that are not at their "any" must fit. */
struct task_filter {
    int64_t patient; /* 0: any */
    int kind;        /* enum task_kind, -1: any */
    int party;       /* enum task_party, -1: any */
    int32_t due_by;  /* CIVIL_DAY_NONE: any */
    bool closed;     /* closed ones, too */
    bool unsent;     /* only those whose last revision was not written out */
};
#define TASK_FILTER_OPEN ((struct task_filter){.kind = -1, .party = -1, .due_by = CIVIL_DAY_NONE})

/* In the order of the queue: highest level first, then due day, then id. The array lies in the arena. */
int task_list(struct store *store, const struct task_filter *filter, struct arena *arena,
              struct task **ret_tasks, size_t *ret_count, struct error *err);
/* All answers to a task, oldest first. */
int task_answers(struct store *store, int64_t task, struct arena *arena, struct task_answer **ret_answers,
                 size_t *ret_count, struct error *err);

struct task_change {
    int64_t at_ms;
    const char *actor;
    const char *state;
    const char *level;
    int revision;
    const char *why;
};
int task_history(struct store *store, int64_t task, struct arena *arena, struct task_change **ret_changes,
                 size_t *ret_count, struct error *err);

/* One fact of a canonical facts object. False when it is not there. */
bool task_fact_text(const char *facts, const char *key, char *ret_text, size_t size);
bool task_fact_count_of(const char *facts, const char *key, int64_t *ret_count);
bool task_fact_day(const char *facts, const char *key, int32_t *ret_day);

#endif
