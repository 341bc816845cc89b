/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clinic: a store with patients, products and orders, the rules that come with the program, and on demand
 * a pharmacist and a technician, for tests that plan and sign. For cmocka: what goes wrong while it is set up
 * fails the test.
 */
#ifndef TESTS_SUPPORT_CLINIC_H
#define TESTS_SUPPORT_CLINIC_H

#include <stdint.h>

#include "controller/intake/reading.h"
#include "controller/plan/plan.h"
#include "controller/plan/policy.h"
#include "controller/user/user.h"
#include "tests/support/scratch.h"

struct conf;
struct store;

#define CLINIC_PASSWORD "correct horse battery"

struct clinic {
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES]; /* of the store */
    struct store *store;
    struct conf *site, *timing, *packing, *jurisdiction;
    struct policy *policy;
    struct user pharmacist; /* "pia", once clinic_people was called */
    struct user technician; /* "tom" */
    struct seal_key *key;   /* the pharmacist's */
};

/* site_lines: what follows `format` and `pharmacy` in the site file, "" for defaults. timing: a whole rule
 * file, NULL for the program's own. */
void clinic_init(struct clinic *clinic, const char *site_lines, const char *timing);
/* Only the rules, for a store that somebody else made and closes: set clinic->store. */
void clinic_rules(struct clinic *clinic, const char *site_lines, const char *timing);
/* Gives back what clinic_rules made. */
void clinic_rules_finish(struct clinic *clinic);
void clinic_finish(struct clinic *clinic);
/* Adds the people; takes the better part of a second, because passwords do. */
void clinic_people(struct clinic *clinic);
/* One statement in a transaction of its own. */
void clinic_exec(struct clinic *clinic, const char *sql);
int64_t clinic_int(struct clinic *clinic, const char *sql);

int64_t clinic_patient(struct clinic *clinic, const char *source_id, const char *name);
/* A checked product "CODE", tablet, halves to be had. */
void clinic_product(struct clinic *clinic, const char *code, const char *name, const char *ingredient);
/* A new version of an order, packable. */
int64_t clinic_order(struct clinic *clinic, int64_t patient, const char *source_id, const char *product,
                     const struct reading *reading);
/* The same with its outcome and reasons as JSON; reading and product may be NULL. */
int64_t clinic_order_as(struct clinic *clinic, int64_t patient, const char *source_id, const char *product,
                        const struct reading *reading, const char *outcome, const char *reasons);
/* "n times a day, each amount_milli", every day from the plan's start. */
struct reading clinic_daily(int times, int64_t amount_milli);

/* plan_make for days from "2026-11-23", a Monday; fails the test on an error. */
struct plan_made clinic_plan(struct clinic *clinic, int64_t patient, int days);
/* The same from another day on. */
struct plan_made clinic_plan_from(struct clinic *clinic, int64_t patient, const char *start, int days);

#endif
