/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clinical: what the machine finds in a plan before a pharmacist looks, and what pharmacists answered.
 *
 * Rules are data: one YAML file (sachet-clinical/1, config/clinical.c) and tables of interactions
 * (sachet-interactions/1, table.h). The check itself (clinical_find) is pure: a struct clinical_case goes in,
 * a list of findings in a fixed order comes out. What cannot be checked, such as the daily dose of a product
 * whose strength is unknown, is a finding of its own and never silence.
 *
 * A finding has a key made of its rule, its grade and what it is about (drugs, a dose's amount), not of its
 * words. A pharmacist may answer it with a reason until a day; the answer dies with the day or with the key,
 * so a higher dose asks again. "stop" cannot be answered: the order must be changed. A plan is signed only
 * when no stop and no unanswered serious finding is left (clinical_blocked), and the canonical text of all
 * findings goes into the signature (controller/review/sign.h).
 *
 * Findings live in the caller's arena. Loading rules and cases blocks for disk and store.
 */
#ifndef CONTROLLER_CLINICAL_CLINICAL_H
#define CONTROLLER_CLINICAL_CLINICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/intake/drug_name.h"
#include "controller/seal/seal.h"
#include "scheduler/roll.h"

struct arena;
struct buf;
struct conf;
struct error;
struct store;
struct user;

enum {
    CLINICAL_DRUGS_MAX = 256,    /* orders of one patient that are looked at together */
    CLINICAL_FINDINGS_MAX = 512, /* of one plan */
    CLINICAL_REASON_MIN = 10,    /* characters of an answer's reason */
    CLINICAL_REASON_MAX = 500,
    CLINICAL_ANSWER_DAYS_MAX = 366,
    CLINICAL_KEY_BYTES = 17, /* 16 hexadecimal digits and the NUL */
};

/* In the order of weight; the words are those of rules[].grade. */
enum clinical_grade { CLINICAL_STOP, CLINICAL_SERIOUS, CLINICAL_CAUTION, CLINICAL_NOTE, CLINICAL_GRADES };
const char *clinical_grade_text(enum clinical_grade grade);
bool clinical_grade_parse(const char *text, enum clinical_grade *ret_grade);

struct clinical_rules;
/* The rules that a site names, or those that come with the program where it names none and has none. E_FILE,
 * E_SYNTAX, E_INPUT, E_LIMIT as "file:line:column: ...". */
int clinical_rules_load(const struct conf *site, struct clinical_rules **ret_rules, struct error *err);
/* The same from one file. */
int clinical_rules_read(const char *file, struct clinical_rules **ret_rules, struct error *err);
void clinical_rules_destroy(struct clinical_rules *rules);
const char *clinical_rules_version(const struct clinical_rules *rules);
/* Of the rule file and its tables. */
const uint8_t *clinical_rules_hash(const struct clinical_rules *rules);

/* A dose as planned, or as the order says where it is not in the pouches. */
struct clinical_dose {
    int64_t amount_milli;
    int slot;  /* plan_slot.number; 0: not planned */
    int group; /* phases of one group are taken side by side, groups one after the other */
    struct roll_pattern pattern;
};

struct clinical_drug {
    int64_t order_id;
    const char *source_id;
    const char *name;
    const char *product;    /* code, "" unknown */
    const char *ingredient; /* "a+b"; "" unknown */
    const char *form;
    const char *release;
    int strength_count; /* 0: not known; else one for each part of the ingredient */
    struct measured strengths[DRUG_PARTS_MAX];
    bool included; /* in the pouches */
    bool waiting;  /* nobody has decided yet: what is found with it is a caution at most */
    bool as_needed;
    const struct clinical_dose *doses;
    size_t dose_count; /* 0: not known */
};

struct clinical_slot {
    int minute; /* clock */
    const char *name;
};

struct clinical_case {
    int64_t patient;
    int32_t start_day;
    int days;
    const struct clinical_slot *slots; /* plan_slot.number is the place from 1 */
    size_t slot_count;
    const struct clinical_drug *drugs; /* by source id */
    size_t drug_count;
    const char *const *allergies; /* substances, words */
    size_t allergy_count;
    bool pregnant, breastfeeding;
    int egfr; /* mL/min/1.73 m2; 0: not known */
};

/* Who answered a finding, until when, why. */
struct clinical_answer {
    int64_t id; /* 0: nobody */
    const char *login;
    const char *reason;
    int32_t until_day;
};

struct clinical_finding {
    enum clinical_grade grade;
    char key[CLINICAL_KEY_BYTES];
    const char *rule;
    const char *what;   /* drugs and figures: "Lisinopril 10 mg tablet, Ramipril 5 mg capsule" */
    const char *effect; /* what may happen */
    const char *advice;
    const char *source;
    bool checked; /* somebody compared the rule with its source */
    struct clinical_answer answer;
};

struct clinical_findings {
    struct clinical_finding *rows; /* by grade, rule, key */
    size_t count;
    size_t open[CLINICAL_GRADES]; /* without those that are answered */
    size_t answered;
};

/* Pure and deterministic. E_LIMIT, E_MEMORY. */
int clinical_find(const struct clinical_rules *rules, const struct clinical_case *c, struct arena *arena,
                  struct clinical_findings *ret, struct error *err);

/* The findings of a plan as the store stands, with the answers that hold on `today`. E_NOT_FOUND,
 * E_TAMPERED. */
int clinical_check_plan(struct store *store, const struct clinical_rules *rules, int64_t plan, int32_t today,
                        struct arena *arena, struct clinical_findings *ret, struct error *err);

/* What keeps a plan from being signed: E_STATE with the first stop or unanswered serious finding. */
int clinical_blocked(const struct clinical_findings *findings, struct error *err);

/* Canonical text, one line a finding, "sachet-findings/1": what a signer saw. */
void clinical_write(const struct clinical_rules *rules, const struct clinical_findings *findings,
                    struct buf *out);
/* For people: warnings first, folded by grade; all: notes and answered ones, too. */
void clinical_to_text(const struct clinical_findings *findings, bool all, struct buf *out);
/* A JSON array without a newline. */
int clinical_to_json(const struct clinical_findings *findings, struct buf *out, struct error *err);

/*
 * Answers an open finding of the patient's newest plan. In a transaction of its own with an audit row.
 * E_DENIED (not a pharmacist), E_NOT_FOUND (no such finding now), E_STATE (a stop; answered already), E_INPUT
 * (reason or day outside the limits).
 */
int clinical_answer(struct store *store, const struct clinical_rules *rules, int64_t plan, const char *key,
                    const char *reason, int32_t until_day, int32_t today, const struct user *user,
                    int64_t wall_ms, struct error *err);
int clinical_withdraw(struct store *store, int64_t patient, const char *key, const struct user *user,
                      int64_t wall_ms, struct error *err);

/* What is known of a patient. Each in a transaction of its own with an audit row; needs a pharmacist. */
int clinical_allergy_add(struct store *store, int64_t patient, const char *substance, const struct user *user,
                         int64_t wall_ms, struct error *err);
/* Ends what names the substance; E_NOT_FOUND. */
int clinical_allergy_end(struct store *store, int64_t patient, const char *substance, const char *why,
                         const struct user *user, int64_t wall_ms, struct error *err);
/* One that an import brings. */
struct clinical_allergy {
    const char *source_id; /* of the AllergyIntolerance */
    const char *substance; /* everything that names it */
    const char *codes;     /* JSON array of {system, code} */
    const char *criticality;
    const char *ended_why; /* "" it stands */
};
enum clinical_taken {
    CLINICAL_TAKEN_SAME,
    CLINICAL_TAKEN_NEW,
    CLINICAL_TAKEN_CHANGED,
    CLINICAL_TAKEN_ENDED,
};
/* Keeps it within the open write transaction, with an audit row when something changes. */
int clinical_allergy_take(struct store *store, int64_t patient, const struct clinical_allergy *allergy,
                          const char *actor, int64_t wall_ms, enum clinical_taken *ret_taken,
                          struct error *err);
/* kind: pregnant, breastfeeding, egfr (value 1..200); replaces what was known. until_day CIVIL_DAY_NONE:
 * open. */
int clinical_condition_set(struct store *store, int64_t patient, const char *kind, int value,
                           int32_t until_day, const struct user *user, int64_t wall_ms, struct error *err);
int clinical_condition_end(struct store *store, int64_t patient, const char *kind, const struct user *user,
                           int64_t wall_ms, struct error *err);

#endif
