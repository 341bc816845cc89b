/* SPDX-License-Identifier: Apache-2.0 */
/*
 * patient_day: a patient's own day (getting up, meals, going to bed), where it is known. It is kept as JSON
 * in patient.day_template:
 *
 *   {"start":"04:00","wake":"07:00","breakfast":"07:30","lunch":null,"dinner":"18:00","bed":"00:30"}
 *
 * Clock times "HH:MM"; a meal that is not eaten is null, a key that is absent is as in the site's ordinary
 * day. `start` is where the logical day begins: all others follow it in the order above, so that a bedtime
 * after midnight and a night shift are ordinary days. Without a start of its own a day that does not fit
 * behind the site's begins as long before waking as the site's does.
 *
 * A plan holds the day that it was made for; another day asks for another plan and another signature.
 * Reading and checking are pure; what takes a store blocks for it.
 */
#ifndef CONTROLLER_PLAN_PATIENT_DAY_H
#define CONTROLLER_PLAN_PATIENT_DAY_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/plan/plan_text.h"
#include "scheduler/regimen.h"

struct buf;
struct error;
struct store;

enum {
    PATIENT_DAY_AWAKE_MIN = 6 * 60,  /* minutes from wake to bed, at least */
    PATIENT_DAY_AWAKE_MAX = 22 * 60, /* at most: nobody's night is shorter than two hours */
    PATIENT_DAY_KEYS = 6,
};

enum { PATIENT_DAY_AS_SITE = -2 }; /* a key that says nothing */

/* The keys' names, `start` first, then in the order of the day. */
extern const char *const patient_day_keys[PATIENT_DAY_KEYS];

/* What may be said of a day: clock minutes, REGIMEN_NONE for a meal that is not eaten, or
 * PATIENT_DAY_AS_SITE. */
struct patient_day {
    int clock[PATIENT_DAY_KEYS];
};

/* E_SYNTAX, E_INPUT. */
int patient_day_parse(const char *json, struct patient_day *ret_day, struct error *err);
/* Over the site's day. E_INPUT names what is out of order or out of bounds. */
int patient_day_apply(const struct patient_day *day, const struct regimen_patient *site,
                      struct regimen_patient *ret_day, struct error *err);
/* All six keys, so that it stays what it is when the site's ordinary day changes. */
void patient_day_write(const struct regimen_patient *day, struct buf *out);

/* A patient's day as a plan says it, and the other way round. */
struct plan_day patient_day_of_plan(const struct regimen_patient *day, bool own);
struct regimen_patient patient_day_from_plan(const struct plan_day *day, int day_start);

/*
 * Stores a day (NULL: the site's again) with an audit row of old and new, in a transaction of its own. The
 * day must be one that patient_day_apply gave. *ret_changed false: it was so already. E_NOT_FOUND.
 */
int patient_day_set(struct store *store, int64_t patient, const struct regimen_patient *day,
                    const char *actor, int64_t wall_ms, bool *ret_changed, struct error *err);

#endif
