/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier's own model: plain tables of bytes, one per dose and per pair of doses. */
#ifndef SCHEDULER_PROOF_PROOF_PRIVATE_H
#define SCHEDULER_PROOF_PROOF_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "scheduler/regimen.h"
#include "scheduler/slots.h"

/* Which differences of times two doses may have. */
struct relation {
    size_t a, b;
    uint8_t *ok;       /* [d + cells]: t_b - t_a = d is allowed; d from -cells to cells */
    uint8_t *together; /* [cell]: at d = 0 only here; NULL: wherever ok says */
};

struct model {
    const struct regimen *regimen;
    size_t count; /* doses */
    int cells;
    uint8_t *may;    /* dose * cells + cell: possible times */
    uint8_t *inside; /* drug * cells + cell: same_state times */
    bool *has_state; /* drug */
    size_t *drug;    /* dose -> drug */
    struct relation *relation;
    size_t relation_count;
    bool impossible; /* a rule that no times can keep */
};

/* Rules in force: all when rules is NULL, else only those listed (and the order of doses). False without
 * memory. */
bool model_create(struct model *model, const struct regimen *regimen, const struct slots_rule *rules,
                  size_t rule_count, struct arena *arena);
/* Takes away possible times that have no partner, until nothing changes. False when a dose has none left.
 * fresh: per dose, whether its times changed since the last call; cleared. */
bool model_narrow(const struct model *model, uint8_t *may, uint8_t *fresh);

/* Do the doses of the set need more room than the times that are left to them span? Told from the least
 * distances of any two, which `between` gives, by the least tree over them. */
typedef int distance_of(const void *context, size_t a, size_t b);
bool model_overfull(const struct model *model, const uint8_t *may, const uint64_t set[2],
                    distance_of *between, const void *context);
/* In cells, what the rules say of the two doses alone; of doses of one drug along those between them. */
int model_distance(const struct model *model, size_t a, size_t b);

/* E_TAMPERED when the tree does not show what it should. */
int replay_times(const struct model *model, const struct slots_result *result, struct arena *arena,
                 struct error *err);
int replay_slots(const struct model *model, const struct slots_result *result, int slots, struct arena *arena,
                 struct error *err);
int replay_groups(const struct model *model, const struct slots_result *result, int slots,
                  struct arena *arena, struct error *err);

#endif
