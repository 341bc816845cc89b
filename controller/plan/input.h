/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input: what the store knows of one patient before a plan is made: the patient, the current orders with
 * their readings, the products, and the plans so far. Read in one go; everything lies in the caller's arena.
 * Blocks for the store.
 */
#ifndef CONTROLLER_PLAN_INPUT_H
#define CONTROLLER_PLAN_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/intake/reading.h"
#include "controller/plan/plan_text.h"
#include "controller/stock/product.h"
#include "scheduler/regimen.h"

struct arena;
struct buf;
struct error;
struct policy;
struct store;

enum input_outcome { INPUT_PACKABLE, INPUT_WAITING, INPUT_REFUSED };

struct plan_span;

struct input_order {
    int64_t id;
    const char *source_id;
    int version;
    uint8_t hash[PLAN_HASH_BYTES]; /* of the row, see order_row.h */
    enum input_outcome outcome;
    const char *drug;              /* the order's words, made printable */
    const char *product_code;      /* NULL: none */
    const struct product *product; /* NULL: none, or not in the store any more */
    const struct reading *reading; /* NULL: nothing could be read */
    const char *reasons;           /* why it is not packable, for people; "" for a packable one */
    bool same_reading;             /* the last signed plan has it, and with the same doses and times */
    bool planned_before;           /* some signed plan had it in its pouches */
    bool asks;                     /* it waits for nothing but a pharmacist's word on its product */
    int schedule;                  /* of a controlled product: 2..5, else 0 */
    const struct plan_span *span;  /* only these days go into pouches; NULL: all */
};

struct input {
    int64_t patient;
    const char *source_id;
    const char *name;
    int32_t birth_day;
    bool deceased;
    struct regimen_patient day; /* the patient's own where known, else the site's */
    bool own_day;
    const struct input_order *orders; /* by source id; without those that are over or were never begun */
    size_t order_count;
    size_t past_count; /* orders left out of `orders` because they are over, stopped or not begun */

    const struct plan_edit *edits; /* what pharmacists asked of this patient's plans, by id */
    size_t edit_count;
    int64_t tried_edit; /* the edit of `edits` that is only being tried, 0 none */

    const struct plan_override *overrides; /* of packing rules, that nobody ended, by id */
    size_t override_count;
    int32_t today; /* CIVIL_DAY_NONE: overrides count whatever their days are */

    const struct plan_text *signed_plan; /* the newest signed one, NULL: none */
    int64_t newest_id;                   /* 0: there is no plan yet */
    int newest_version;
    uint8_t newest_hash[PLAN_HASH_BYTES];
    bool newest_signed;
};

/* E_NOT_FOUND for an unknown patient; E_INPUT for a row that cannot be used, with its name. */
int input_load(struct store *store, const struct policy *policy, int64_t patient, struct arena *arena,
               struct input *ret_input, struct error *err);
/*
 * The same as if an edit were there (NULL: none) and another were ended (0: none). An order with an edit of
 * kind `product` has that product: one that is not of the same ingredient, strength and release is E_INPUT.
 */
int input_load_edited(struct store *store, const struct policy *policy, int64_t patient,
                      const struct plan_edit *add, int64_t end, struct arena *arena, struct input *ret_input,
                      struct error *err);

/*
 * The patient that a person means: by source id, else by number. E_NOT_FOUND.
 */
int input_find_patient(struct store *store, const char *text, int64_t *ret_patient, struct error *err);

/*
 * Current orders of the patient that a plan does not list, neither in the pouches nor apart: they came after
 * it was made. Orders that are over, stopped or not begun do not count. names gets the first of their ids.
 */
int input_unlisted(struct store *store, int64_t patient, const struct plan_text *plan, struct buf *names,
                   int *ret_count, struct error *err);

#endif
