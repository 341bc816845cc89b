/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/controlled.h"

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/plan/plan_text.h"
#include "controller/store/store.h"

int controlled_schedule(struct store *store, const char *product, int *ret_schedule, struct error *err)
{
    int64_t schedule = 0;
    int status = store_get_int(
        store, &schedule, err,
        "SELECT coalesce((SELECT schedule FROM product_terms WHERE product_code = ?), 0)", "t", product);
    *ret_schedule = (int)schedule;
    return status;
}

int controlled_schedules(struct store *store, const struct plan_text *plan, struct arena *arena,
                         const int **ret_schedules, struct error *err)
{
    int *schedules = arena_array(arena, plan->product_count + 1, sizeof *schedules);
    int status = schedules ? 0 : error_set(err, E_MEMORY, "no memory for the plan's products");
    for (size_t i = 0; status == 0 && i < plan->product_count; i++)
        status = controlled_schedule(store, plan->products[i].code, &schedules[i], err);
    if (status == 0)
        *ret_schedules = schedules;
    return status;
}
