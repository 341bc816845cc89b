/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/refill/hand.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/refill/pouch.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

/* Jobs that serve in the plan: its own, and kept ones. */
#define SERVING_SQL                                                                                     \
    "FROM job j LEFT JOIN pouch_recall r ON r.job_id = j.id WHERE j.state = 'good' AND (j.plan_id = ? " \
    "OR j.id IN (SELECT job_id FROM pouch_kept WHERE plan_id = ?))"

int hand_plan_of(struct store *store, int64_t patient, int64_t *ret_plan, struct error *err)
{
    int status = store_get_int(
        store, ret_plan, err,
        "WITH rolls AS (SELECT p.id, p.start_day, p.version, p.pouches > (SELECT count(*) FROM "
        "handover_pouch h "
        "JOIN job j ON j.id = h.job_id WHERE j.plan_id = p.id OR j.id IN (SELECT job_id FROM pouch_kept "
        "WHERE "
        "plan_id = p.id)) + (SELECT count(*) FROM withdrawn w WHERE w.plan_id = p.id) AS waits FROM plan p "
        "WHERE "
        "p.patient_id = ? AND p.state = 'signed') SELECT id FROM rolls ORDER BY waits DESC, CASE WHEN waits "
        "THEN start_day ELSE -version END LIMIT 1",
        "i", patient);
    return status == E_NOT_FOUND ? error_set(err, status, "the patient has no signed plan") : status;
}

static int counts(struct store *store, int64_t plan, int64_t *ret_patient, struct hand_over *over,
                  struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t pouches = 0, made = 0, withdrawn = 0;
    int status =
        store_query(store, &rows, err, "SELECT patient_id, pouches, state FROM plan WHERE id = ?", "i", plan);
    int found = status < 0 ? status : store_next(rows, err);
    if (found == 0)
        found = error_set(err, E_NOT_FOUND, "there is no plan %" PRId64, plan);
    if (found > 0) {
        *ret_patient = store_int(rows, 0);
        pouches = store_int(rows, 1);
        if (strcmp(store_text(rows, 2), "signed") != 0)
            found = error_set(err, E_STATE, "plan %" PRId64 " is %s: only a signed one is handed over", plan,
                              store_text(rows, 2));
    }
    store_done(rows);
    if (found < 0)
        return found;
    status = store_get_int(store, &made, err, "SELECT count(*) " SERVING_SQL, "ii", plan, plan);
    if (status == 0)
        status = store_get_int(store, &over->recalled, err,
                               "SELECT count(*) " SERVING_SQL " AND " POUCH_DEAD_SQL, "ii", plan, plan);
    if (status == 0)
        status =
            store_get_int(store, &withdrawn, err,
                          "SELECT count(*) FROM withdrawn w WHERE w.plan_id = ? AND NOT EXISTS (SELECT 1 "
                          "FROM job j WHERE j.plan_id = w.plan_id AND j.pouch = w.pouch AND j.state <> "
                          "'cancelled' AND j.state = 'good')",
                          "i", plan);
    over->missing = pouches - made - withdrawn;
    return status;
}

int hand_over(struct store *store, int64_t plan, bool part, const struct record_by *by,
              struct hand_over *ret_over, struct error *err)
{
    struct hand_over over = {.plan = plan};
    int64_t patient = 0;
    char subject[32], detail[96];
    int status = counts(store, plan, &patient, &over, err);
    if (status == 0 && over.missing > 0 && !part)
        status =
            error_set(err, E_STATE,
                      "plan %" PRId64 ": %" PRId64 " pouches are not made yet; --part hands over the others",
                      plan, over.missing);
    if (status == 0)
        status =
            store_insert(store, err, &over.id,
                         "INSERT INTO handover (patient_id, plan_id, day, note, actor, handed_ms) VALUES (?, "
                         "?, ?, ?, ?, ?)",
                         "iiitti", patient, plan, (int64_t)by->today, by->reason, by->actor, by->wall_ms);
    if (status == 0)
        status =
            store_exec(store, err,
                       "INSERT INTO handover_pouch (job_id, handover_id) SELECT j.id, ? " SERVING_SQL
                       " AND NOT " POUCH_DEAD_SQL " AND NOT EXISTS (SELECT 1 FROM handover_pouch h WHERE "
                       "h.job_id = j.id)",
                       "iii", over.id, plan, plan);
    over.pouches = store_changes(store);
    if (status == 0 && over.pouches == 0) { /* asked twice: no empty handover */
        status = store_exec(store, err, "DELETE FROM handover WHERE id = ?", "i", over.id);
        over.id = 0;
    } else if (status == 0) {
        (void)snprintf(subject, sizeof subject, "plan:%" PRId64, plan); /* both fit */
        (void)snprintf(detail, sizeof detail, "{\"handover\":%" PRId64 ",\"pouches\":%" PRId64 "}", over.id,
                       over.pouches);
        status = audit_add(store, by->wall_ms, by->actor, "roll.ship", subject, detail, err);
    }
    if (status == 0)
        *ret_over = over;
    return status;
}
