/* SPDX-License-Identifier: Apache-2.0 */
/* plan_row: plans as they lie in the store, for whoever reads, signs or packs them. Blocks for the store. */
#ifndef CONTROLLER_PLAN_PLAN_ROW_H
#define CONTROLLER_PLAN_PLAN_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/plan/plan_text.h"

struct arena;
struct error;
struct store;

/* What a row of the table `plan` says beside its text. */
struct plan_row {
    int64_t id;
    int64_t patient;
    int version;
    enum { PLAN_ROW_DRAFT, PLAN_ROW_SIGNED, PLAN_ROW_SUPERSEDED } state;
    int times_written;
    int times_planned;
    int64_t created_ms;
    uint8_t hash[PLAN_HASH_BYTES]; /* as stored */
    const char *bytes;             /* the text as stored */
    size_t len;
    const char *regimen;  /* JSON */
    const char *schedule; /* JSON */
};

/* Reads a plan's row into the arena, without a look at what the text says. E_NOT_FOUND. */
int plan_row_load(struct store *store, int64_t plan, struct arena *arena, struct plan_row *ret_row,
                  struct error *err);
/* The patient's newest plan, signed: the newest signed one. E_NOT_FOUND. */
int plan_newest(struct store *store, int64_t patient, bool is_signed, int64_t *ret_plan, struct error *err);
/* The plan that was followed before start_day: the newest one that was ever signed and begins earlier, also
 * when a newer one has superseded it. E_NOT_FOUND. */
int plan_before(struct store *store, int64_t patient, int32_t start_day, int64_t *ret_plan,
                struct error *err);
/* "draft", "signed", "superseded". */
const char *plan_row_state_text(const struct plan_row *row);

#endif
