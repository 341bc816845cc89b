/* SPDX-License-Identifier: Apache-2.0 */
/* What pharmacists answer to findings, and what is known of a patient: rows of the store, each with its audit
 * row. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/utf8.h"
#include "controller/clinical/clinical_private.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"

static int answers_load(struct store *store, int64_t patient, int32_t today, struct arena *arena,
                        struct clinical_findings *findings, struct error *err)
{
    struct store_rows *rows = NULL;
    int more = 0;
    int status =
        store_query(store, &rows, err,
                    "SELECT a.id, a.finding, a.reason, a.until_day, u.login FROM clinical_answer a JOIN "
                    "user u ON u.id = a.user_id WHERE a.patient_id = ? AND a.withdrawn_ms IS NULL AND "
                    "a.until_day >= ? ORDER BY a.id",
                    "ii", patient, (int64_t)today);
    while (status == 0 && (more = store_next(rows, err)) > 0) {
        for (size_t i = 0; i < findings->count; i++) {
            struct clinical_finding *row = &findings->rows[i];
            if (row->grade == CLINICAL_STOP || row->answer.id || strcmp(row->key, store_text(rows, 1)) != 0)
                continue;
            const char *reason = store_text(rows, 2), *login = store_text(rows, 4);
            row->answer.reason = arena_text(arena, reason, strlen(reason));
            row->answer.login = arena_text(arena, login, strlen(login));
            if (!row->answer.reason || !row->answer.login)
                status = error_set(err, E_MEMORY, "no memory for the answers");
            row->answer.id = store_int(rows, 0);
            row->answer.until_day = (int32_t)store_int(rows, 3);
            findings->open[row->grade]--;
            findings->answered++;
        }
    }
    store_done(rows);
    return status < 0 ? status : more;
}

int clinical_check_plan(struct store *store, const struct clinical_rules *rules, int64_t plan, int32_t today,
                        struct arena *arena, struct clinical_findings *ret, struct error *err)
{
    struct clinical_case c;
    int status = clinical_case_load(store, plan, today, arena, &c, err);
    if (status == 0)
        status = clinical_find(rules, &c, arena, ret, err);
    if (status == 0)
        status = answers_load(store, c.patient, today, arena, ret, err);
    return status;
}

/* ---- writing: one transaction, one audit row ---- */

static int pharmacist_only(const struct user *user, struct error *err)
{
    return user_is_pharmacist(user) && !user->disabled
               ? 0
               : error_set(err, E_DENIED, "%s may not do this: only an enabled pharmacist may", user->login);
}

/* Printable words within limits; what asks for them stands in the message. */
static int words_check(const char *text, size_t least, size_t most, const char *what, struct error *err)
{
    size_t len = strlen(text);
    if (len < least || len > most || !utf8_printable(text, len))
        return error_set(err, E_INPUT, "%s has %zu to %zu printable characters", what, least, most);
    return 0;
}

/* Ends the transaction that `status` speaks of; the audit row belongs to it. detail is freed. */
static int settle(struct store *store, int status, int64_t patient, const char *action, json_t *detail,
                  const struct user *user, int64_t wall_ms, struct error *err)
{
    char subject[32];
    char *text = detail ? json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(detail);
    (void)snprintf(subject, sizeof subject, "patient:%" PRId64, patient); /* fits */
    if (status == 0 && !text)
        status = error_set(err, E_MEMORY, "no memory for the audit row");
    if (status == 0)
        status = audit_add(store, wall_ms, user->login, action, subject, text, err);
    free(text);
    if (status < 0)
        store_write_rollback(store);
    return status < 0 ? status : store_write_commit(store, err);
}

static int changed_one(struct store *store, struct error *err, const char *what)
{
    return store_changes(store) > 0 ? 0 : error_set(err, E_NOT_FOUND, "there is no such %s", what);
}

static int find_key(const struct clinical_findings *findings, const char *key,
                    const struct clinical_finding **ret, struct error *err)
{
    size_t len = strlen(key), matches = 0;
    for (size_t i = 0; len >= 4 && i < findings->count; i++) {
        if (strncmp(findings->rows[i].key, key, len) == 0) {
            *ret = &findings->rows[i];
            matches++;
        }
    }
    if (matches == 1)
        return 0;
    return error_set(err, E_NOT_FOUND,
                     matches
                         ? "%s: several findings begin so, give more digits"
                         : "%s: no such finding in the newest plan; `sachet checks show PATIENT` lists them",
                     key);
}

int clinical_answer(struct store *store, const struct clinical_rules *rules, int64_t plan, const char *key,
                    const char *reason, int32_t until_day, int32_t today, const struct user *user,
                    int64_t wall_ms, struct error *err)
{
    struct arena arena;
    struct clinical_case c;
    struct clinical_findings findings;
    const struct clinical_finding *row = NULL;
    char until[CIVIL_TEXT_BYTES];
    int status = pharmacist_only(user, err);
    if (status == 0)
        status = words_check(reason, CLINICAL_REASON_MIN, CLINICAL_REASON_MAX, "a reason", err);
    if (status == 0 && (until_day < today || until_day > today + CLINICAL_ANSWER_DAYS_MAX))
        status = error_set(err, E_INPUT, "an answer holds until a day from today on, at most %d days",
                           CLINICAL_ANSWER_DAYS_MAX);
    if (status < 0)
        return status;
    arena_init(&arena, 0);
    status = store_write_begin(store, err);
    if (status < 0) {
        arena_finish(&arena);
        return status;
    }
    status = clinical_case_load(store, plan, today, &arena, &c, err);
    if (status == 0)
        status = clinical_find(rules, &c, &arena, &findings, err);
    if (status == 0)
        status = answers_load(store, c.patient, today, &arena, &findings, err);
    if (status == 0)
        status = find_key(&findings, key, &row, err);
    if (status == 0 && row->grade == CLINICAL_STOP)
        status = error_set(err, E_STATE, "check %s cannot be answered: the order must be changed", row->rule);
    if (status == 0 && row->answer.id)
        status = error_set(err, E_STATE, "%s answered it already", row->answer.login);
    if (status == 0) /* an answer whose day is over makes room for the new one */
        status =
            store_exec(store, err,
                       "UPDATE clinical_answer SET withdrawn_ms = ? WHERE patient_id = ? AND finding = ? "
                       "AND withdrawn_ms IS NULL",
                       "iit", wall_ms, c.patient, row->key);
    if (status == 0)
        status = store_exec(
            store, err,
            "INSERT INTO clinical_answer (patient_id, finding, text, reason, until_day, user_id, "
            "answered_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
            "itttiii", c.patient, row->key, row->what, reason, (int64_t)until_day, user->id, wall_ms);
    civil_format(until_day, until);
    json_t *detail = status < 0 ? NULL
                                : json_pack("{s:s,s:s,s:s,s:s}", "finding", row->key, "rule", row->rule,
                                            "reason", reason, "until", until);
    status = settle(store, status, status < 0 ? 0 : c.patient, "checks.answer", detail, user, wall_ms, err);
    arena_finish(&arena);
    return status;
}

int clinical_withdraw(struct store *store, int64_t patient, const char *key, const struct user *user,
                      int64_t wall_ms, struct error *err)
{
    int status = pharmacist_only(user, err);
    if (status == 0)
        status = store_write_begin(store, err);
    if (status < 0)
        return status;
    status =
        store_exec(store, err,
                   "UPDATE clinical_answer SET withdrawn_ms = ?1 WHERE patient_id = ?2 AND withdrawn_ms IS "
                   "NULL AND length(?3) >= 4 AND substr(finding, 1, length(?3)) = ?3",
                   "iit", wall_ms, patient, key);
    if (status == 0)
        status = changed_one(store, err, "answer");
    if (status == 0 && store_changes(store) > 1) /* settle undoes it */
        status = error_set(err, E_INPUT, "%s: several answers begin so, give more digits", key);
    return settle(store, status, patient, "checks.withdraw", json_pack("{s:s}", "finding", key), user,
                  wall_ms, err);
}

int clinical_allergy_add(struct store *store, int64_t patient, const char *substance, const struct user *user,
                         int64_t wall_ms, struct error *err)
{
    int64_t id = 0;
    int status = pharmacist_only(user, err);
    if (status == 0)
        status = words_check(substance, 2, 120, "a substance", err);
    if (status == 0)
        status = store_write_begin(store, err);
    if (status < 0)
        return status;
    status =
        store_insert(store, err, &id,
                     "INSERT INTO patient_allergy (patient_id, source_id, substance, codes, criticality, "
                     "actor, recorded_ms) VALUES (?1, 'local:' || ?1 || ':' || lower(?2), ?2, '[]', "
                     "'unable-to-assess', ?3, ?4)",
                     "itti", patient, substance, user->login, wall_ms);
    if (status == E_EXISTS)
        status = error_set(err, E_EXISTS, "the allergy is on the patient's list already");
    return settle(store, status, patient, "patient.allergy", json_pack("{s:I}", "allergy", (json_int_t)id),
                  user, wall_ms, err);
}

int clinical_allergy_end(struct store *store, int64_t patient, const char *substance, const char *why,
                         const struct user *user, int64_t wall_ms, struct error *err)
{
    int status = pharmacist_only(user, err);
    if (status == 0)
        status = words_check(why, CLINICAL_REASON_MIN, CLINICAL_REASON_MAX, "a reason", err);
    if (status == 0)
        status = store_write_begin(store, err);
    if (status < 0)
        return status;
    status =
        store_exec(store, err,
                   "UPDATE patient_allergy SET ended_ms = ?, ended_why = ? WHERE patient_id = ? AND ended_ms "
                   "IS NULL AND substance = ? COLLATE NOCASE",
                   "itit", wall_ms, why, patient, substance);
    if (status == 0)
        status = changed_one(store, err, "allergy on the patient's list");
    return settle(store, status, patient, "patient.allergy.end", json_pack("{s:s}", "reason", why), user,
                  wall_ms, err);
}

static int condition_end(struct store *store, int64_t patient, const char *kind, int64_t wall_ms,
                         struct error *err)
{
    return store_exec(
        store, err,
        "UPDATE patient_condition SET ended_ms = ? WHERE patient_id = ? AND kind = ? AND ended_ms "
        "IS NULL",
        "iit", wall_ms, patient, kind);
}

int clinical_condition_set(struct store *store, int64_t patient, const char *kind, int value,
                           int32_t until_day, const struct user *user, int64_t wall_ms, struct error *err)
{
    bool egfr = strcmp(kind, "egfr") == 0;
    int status = pharmacist_only(user, err);
    if (status == 0 && !egfr && strcmp(kind, "pregnant") != 0 && strcmp(kind, "breastfeeding") != 0)
        status = error_set(err, E_INPUT, "%s: a condition is pregnant, breastfeeding or egfr", kind);
    if (status == 0 && egfr && (value < 1 || value > 200))
        status = error_set(err, E_INPUT, "egfr is 1 to 200 mL/min/1.73 m2");
    if (status == 0)
        status = store_write_begin(store, err);
    if (status < 0)
        return status;
    status = condition_end(store, patient, kind, wall_ms, err);
    if (status == 0)
        status = store_exec(store, err,
                            "INSERT INTO patient_condition (patient_id, kind, value, until_day, actor, "
                            "recorded_ms) VALUES (?1, ?2, ?3, nullif(?4, ?5), ?6, ?7)",
                            "itiiiti", patient, kind, (int64_t)(egfr ? value : 1), (int64_t)until_day,
                            (int64_t)CIVIL_DAY_NONE, user->login, wall_ms);
    return settle(store, status, patient, "patient.condition", json_pack("{s:s}", "kind", kind), user,
                  wall_ms, err);
}

int clinical_condition_end(struct store *store, int64_t patient, const char *kind, const struct user *user,
                           int64_t wall_ms, struct error *err)
{
    int status = pharmacist_only(user, err);
    if (status == 0)
        status = store_write_begin(store, err);
    if (status < 0)
        return status;
    status = condition_end(store, patient, kind, wall_ms, err);
    if (status == 0)
        status = changed_one(store, err, "condition of the patient");
    return settle(store, status, patient, "patient.condition.end", json_pack("{s:s}", "kind", kind), user,
                  wall_ms, err);
}
