/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/orders/intake_hits.h"

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/pack/withdraw.h"
#include "controller/store/store.h"

#include <stddef.h>

enum { PLANS_MAX = 64 }; /* signed plans of one patient that hold one order; older ones are superseded */

int intake_withdraw(struct store *store, const char *source_id, const char *actor, int64_t wall_ms,
                    int32_t today, int64_t *pouches, struct error *err)
{
    struct store_rows *rows = NULL;
    struct arena arena;
    int64_t plans[PLANS_MAX];
    int count = 0;
    int rc = store_query(store, &rows, err,
                         "SELECT DISTINCT p.id FROM plan AS p JOIN plan_order AS o ON o.plan_id = p.id AND "
                         "o.included = 1 JOIN order_version AS v ON v.id = o.order_version_id WHERE "
                         "v.source_id = ? AND p.state = 'signed' ORDER BY p.id DESC LIMIT 64",
                         "t", source_id);
    int more = 0;
    while (rc == 0 && count < PLANS_MAX && (more = store_next(rows, err)) > 0)
        plans[count++] = store_int(rows, 0);
    store_done(rows);
    if (rc == 0 && more < 0)
        rc = more;
    arena_init(&arena, 0);
    for (int i = 0; i < count && rc == 0; i++) {
        struct withdraw_result result = {0};
        const struct withdraw_request request = {.plan = plans[i],
                                                 .order = source_id,
                                                 .from_day = today,
                                                 .reason = "an order of the plan changed",
                                                 .actor = actor,
                                                 .wall_ms = wall_ms};
        rc = batch_withdraw(store, &request, &arena, &result, err);
        if (rc == E_NOT_FOUND)
            rc = 0; /* its text holds no dose of the order: nothing was made for it */
        else if (rc == 0)
            *pouches += (int64_t)result.count;
    }
    arena_finish(&arena);
    return rc;
}

int intake_hits(struct store *store, const char *source_id,
                int (*each)(void *data, const struct intake_hit *hit, struct error *err), void *data,
                struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(
        store, &rows, err,
        "SELECT DISTINCT p.id, p.state, coalesce(b.id, 0), coalesce(b.state, ''), "
        "(SELECT count(*) FROM job AS j WHERE j.batch_id = b.id AND j.plan_id = p.id AND j.state IN "
        "('waiting', "
        "'blocked')), "
        "(SELECT count(*) FROM job AS j WHERE j.batch_id = b.id AND j.plan_id = p.id AND j.state = 'sent'), "
        "(SELECT count(*) FROM job AS j WHERE j.batch_id = b.id AND j.plan_id = p.id AND j.state = 'good'), "
        "(SELECT count(*) FROM job AS j WHERE j.batch_id = b.id AND j.plan_id = p.id AND j.state = "
        "'cancelled') "
        "FROM plan AS p JOIN plan_order AS o ON o.plan_id = p.id AND o.included = 1 JOIN order_version AS v "
        "ON "
        "v.id = o.order_version_id LEFT JOIN batch_plan AS bp ON bp.plan_id = p.id LEFT JOIN batch AS b ON "
        "b.id = "
        "bp.batch_id WHERE v.source_id = ? ORDER BY p.id, b.id",
        "t", source_id);
    int more = 0;
    while (rc == 0 && (more = store_next(rows, err)) > 0) {
        const struct intake_hit hit = {.plan = store_int(rows, 0),
                                       .state = store_text(rows, 1),
                                       .batch = store_int(rows, 2),
                                       .batch_state = store_text(rows, 3),
                                       .waiting = store_int(rows, 4),
                                       .in_machine = store_int(rows, 5),
                                       .packed = store_int(rows, 6),
                                       .cancelled = store_int(rows, 7)};
        rc = each(data, &hit, err);
    }
    store_done(rows);
    return rc < 0 ? rc : more < 0 ? more : 0;
}
