/* SPDX-License-Identifier: Apache-2.0 */
/* controlled: the schedules of controlled drugs, as the site's terms of products have them. Blocks for the
 * store. */
#ifndef CONTROLLER_PLAN_CONTROLLED_H
#define CONTROLLER_PLAN_CONTROLLED_H

struct arena;
struct error;
struct plan_text;
struct store;

/* 0: none, or not known; 2..5. */
int controlled_schedule(struct store *store, const char *product, int *ret_schedule, struct error *err);
/* One a product of the plan; they lie in the arena. */
int controlled_schedules(struct store *store, const struct plan_text *plan, struct arena *arena,
                         const int **ret_schedules, struct error *err);

#endif
