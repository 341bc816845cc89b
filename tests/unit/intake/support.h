/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the intake tests: run texts through the intake and keep what came out. For cmocka. */
#ifndef TESTS_UNIT_INTAKE_SUPPORT_H
#define TESTS_UNIT_INTAKE_SUPPORT_H

#include <stdbool.h>

#include "controller/intake/intake.h"

enum { CAUGHT_MAX = 64, CAUGHT_BYTES = 2048, TEST_TODAY = 20778 /* 2026-11-21 */ };

struct caught {
    char source[128];
    char patient[128];
    enum outcome outcome;
    char reasons[CAUGHT_BYTES]; /* names of codes that are no notes, each once, one space between */
    char notes[CAUGHT_BYTES];
    char text[CAUGHT_BYTES];   /* the reading in words, "" none */
    char dosage[CAUGHT_BYTES]; /* FHIR R4 again, "" none */
    char place[256];
    char product[64];
    bool has_reading;
    struct reading reading;
};

struct run {
    int count;
    struct caught orders[CAUGHT_MAX];
    int refused_count;
    char refused[16][512]; /* "place: what" */
    struct intake_totals totals;
};

/* Derives provisional products, no packing rules, TEST_TODAY. */
void run_texts(struct run *run, const char *const *texts, int count);
void run_text(struct run *run, const char *text);
void run_paths(struct run *run, const char *const *paths, int count, int32_t today, int max_age,
               bool packing);

/* Dosages in words alone are read with these words from now on; NULL (as at first): they wait. */
void run_set_words(const struct sigtext_table *words);

/* HL7 v2 messages, one after the other; texts, or files and folders. As run_texts else. */
void run_hl7(struct run *run, const char *const *messages, int count);
void run_hl7_paths(struct run *run, const char *const *paths, int count);

/*
 * One active order of "Lisinopril 10 MG Oral Tablet", written 2026-11-01, for a living patient, with the
 * given dosageInstruction list. more: further members of the request, each with a comma in front.
 */
const struct caught *run_dosage(struct run *run, const char *dosages, const char *more);
/* The same with another drug name. */
const struct caught *run_drug(struct run *run, const char *drug, const char *dosages);

/* True when the name stands in the list of reasons. */
bool has_reason(const struct caught *order, const char *name);

#endif
