/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share: a roll with the plan that it was packed from. */
#ifndef CONTROLLER_RELEASE_RELEASE_PRIVATE_H
#define CONTROLLER_RELEASE_RELEASE_PRIVATE_H

#include "controller/plan/plan_row.h"
#include "controller/release/release.h"

struct release_loaded {
    struct arena *arena;
    struct plan_row row;
    struct plan_text *text;
    struct release_pouch *pouches;
    bool *alarmed, *withdrawn; /* by place of the pouch */
    struct release_roll roll;
};

int release_loaded_load(struct store *store, int64_t plan, struct arena *arena, struct release_loaded *ret,
                        struct error *err);
/* "1 x Lisinopril 5 mg tablet, 1 x half of ..."; NULL: no memory. */
const char *release_holds(const struct plan_text *plan, const struct plan_item *items, size_t count,
                          struct arena *arena);

/* A pharmacist's write transaction; release_end commits it or, after an error, undoes it. */
int release_begin(struct store *store, const struct user *user, struct error *err);
int release_end(struct store *store, int status, struct error *err);
/* E_STATE when this person's last decision about this roll is less than RELEASE_PACE_MS old. */
int release_pace(struct store *store, int64_t plan, const struct user *user, int64_t wall_ms,
                 struct error *err);

#endif
