/* SPDX-License-Identifier: Apache-2.0 */
/*
 * review: what a pharmacist sees before signing a plan: warnings first, then what changed since the last
 * signed plan, the times, each drug with the order's words, its planned times and the reasons, and what was
 * left out and why.
 *
 * All of it is read from the plan's own text, so that what is shown is what is signed; only the order's words
 * come from the orders' readings. Products that nobody has checked are marked PROVISIONAL wherever they are
 * named. A struct review lives in the caller's arena. Loading blocks for the store, writing is pure.
 */
#ifndef CONTROLLER_REVIEW_REVIEW_H
#define CONTROLLER_REVIEW_REVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/clinical/clinical.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/plan_text.h"
#include "controller/review/delta.h"
#include "controller/review/sign.h"

struct arena;
struct buf;
struct error;
struct store;

enum review_change {
    REVIEW_UNCHANGED,
    REVIEW_NEW,     /* not in the last signed plan's pouches */
    REVIEW_GONE,    /* in the last signed plan's pouches, not in these */
    REVIEW_DOSE,    /* other amounts or days */
    REVIEW_PRODUCT, /* another product, or the same one looks different; its times may be others, too */
    REVIEW_TIMES,   /* same amounts and days at other times */
};

/* One order, drug by drug. The heaviest change counts. */
struct review_drug {
    const char *source_id;
    int64_t order_id;  /* in this plan; of REVIEW_GONE: in the one before */
    const char *drug;  /* the product's name, else the order's words */
    const char *words; /* what the order says of doses and times, "" when nothing could be read */
    enum plan_state state;
    const char *reason; /* why it is left out, "" when included */
    bool provisional;
    const char *planned; /* "1 at 08:00, 2 at 20:00, Mon Thu"; "" when not in the pouches */
    enum review_change change;
    const char *before;             /* planned before, "" for REVIEW_NEW */
    const char *look, *look_before; /* of the product where it is another one or looks different; else "" */
};

struct review {
    struct plan_row row;
    struct plan_text *plan;
    struct plan_text *signed_before; /* the last signed plan of the patient but this one, NULL: none */
    int64_t signed_before_id;
    struct review_drug *drugs; /* by source id; those that are gone come last */
    size_t drug_count;
    struct delta delta; /* against signed_before, when there is one */
    int changes;        /* drugs that are not REVIEW_UNCHANGED; all of them for a first plan */
    bool is_signed;     /* somebody signed it */
    struct review_signature signature;
    bool has_findings; /* the clinical checks were run */
    struct clinical_findings findings;
    int holds;         /* review_verify of a signed plan, review_check of a draft: 0, or the error's code */
    char trouble[512]; /* its message */
};

/* E_NOT_FOUND, E_TAMPERED when the text itself cannot be read, E_MEMORY, store errors. */
int review_load(struct store *store, int64_t plan, const struct review_rules *rules, struct arena *arena,
                struct review *ret_review, struct error *err);

/* Text for a terminal, one drug a paragraph. */
void review_to_text(const struct review *review, struct buf *out);
/* One JSON object on one line, "sachet-review/1", without a newline. E_MEMORY. */
int review_to_json(const struct review *review, struct buf *out, struct error *err);

/* What a plan's pouches hold of an order: "1 at 08:00, 2 at 20:00 Mon Thu"; "" for nothing. times false:
 * without the clock times. NULL: no memory. */
const char *review_planned(struct arena *arena, const struct plan_text *plan, int64_t order_id, bool times);
/* "unchanged", "new", "gone", "dose", "product", "times". */
const char *review_change_text(enum review_change change);

#endif
