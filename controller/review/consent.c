/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/review/consent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/utf8.h"
#include "controller/plan/jurisdiction.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"

enum { CONSENTS_MAX = 1000 };

const char *const consent_kinds[] = {"packing", "outer", "declined", NULL};
const char *const consent_givers[] = {"patient", "carer", "prescriber", "house", NULL};

static bool giver_known(const char *word)
{
    for (size_t i = 0; consent_givers[i]; i++) {
        if (strcmp(consent_givers[i], word) == 0)
            return true;
    }
    return false;
}

static int check(const struct consent *c, struct error *err)
{
    size_t len = strlen(c->note);
    bool house = strcmp(c->given_by, "house") == 0;
    if (!giver_known(c->given_by) || house != (c->kind == CONSENT_OUTER))
        return error_set(err, E_INPUT,
                         "a consent is given by the patient, a carer or a prescriber; only an outer "
                         "package is the house's word");
    if (len < CONSENT_NOTE_MIN || len > CONSENT_NOTE_MAX || !utf8_printable(c->note, len))
        return error_set(err, E_INPUT, "say in %d to %d printable characters how it was given",
                         CONSENT_NOTE_MIN, CONSENT_NOTE_MAX);
    if (c->until_day != CIVIL_DAY_NONE && c->until_day < c->from_day)
        return error_set(err, E_INPUT, "a consent ends on its first day or later");
    return 0;
}

/* What the audit row says of a consent: words and numbers that need no escapes, and no name. */
static void detail_of(const struct consent *c, char *text, size_t size)
{
    char from[CIVIL_TEXT_BYTES], until[CIVIL_TEXT_BYTES] = "";
    civil_format(c->from_day, from);
    if (c->until_day != CIVIL_DAY_NONE)
        civil_format(c->until_day, until);
    (void)snprintf(text, size, /* fits */
                   "{\"patient\":%" PRId64
                   ",\"kind\":\"%s\",\"given_by\":\"%s\",\"from\":\"%s\",\"until\":\"%s\"}",
                   c->patient, consent_kinds[c->kind], c->given_by, from, until);
}

static int settle(struct store *store, int status, int64_t id, const char *action, const char *detail,
                  const struct user *user, int64_t wall_ms, struct error *err)
{
    char subject[40];
    (void)snprintf(subject, sizeof subject, "consent:%" PRId64, id); /* fits */
    if (status == 0)
        status = audit_add(store, wall_ms, user->login, action, subject, detail, err);
    if (status == 0)
        status = store_write_commit(store, err);
    store_write_rollback(store);
    return status;
}

int consent_add(struct store *store, const struct consent *consent, const struct user *user, int64_t wall_ms,
                int64_t *ret_id, struct error *err)
{
    char detail[200];
    int64_t id = 0;
    int status =
        user->disabled ? error_set(err, E_DENIED, "%s is disabled", user->login) : check(consent, err);
    if (status == 0)
        status = store_write_begin(store, err);
    if (status < 0)
        return status;
    status =
        store_insert(store, err, &id,
                     "INSERT INTO patient_consent (patient_id, kind, given_by, from_day, until_day, note, "
                     "actor, recorded_ms) VALUES (?1, ?2, ?3, ?4, nullif(?5, ?6), ?7, ?8, ?9)",
                     "ittiiitti", consent->patient, consent_kinds[consent->kind], consent->given_by,
                     (int64_t)consent->from_day, (int64_t)consent->until_day, (int64_t)CIVIL_DAY_NONE,
                     consent->note, user->login, wall_ms);
    detail_of(consent, detail, sizeof detail);
    status = settle(store, status, id, "consent.add", detail, user, wall_ms, err);
    if (status == 0)
        *ret_id = id;
    return status;
}

int consent_end(struct store *store, int64_t id, const struct user *user, int64_t wall_ms, struct error *err)
{
    int status = user->disabled ? error_set(err, E_DENIED, "%s is disabled", user->login)
                                : store_write_begin(store, err);
    if (status < 0)
        return status;
    status = store_exec(
        store, err, "UPDATE patient_consent SET ended_ms = ?, ended_by = ? WHERE id = ? AND ended_ms IS NULL",
        "iti", wall_ms, user->login, id);
    if (status == 0 && store_changes(store) == 0)
        status = error_set(err, E_NOT_FOUND,
                           "no consent %" PRId64 " stands: `sachet consent list` shows them", id);
    return settle(store, status, id, "consent.end", "{}", user, wall_ms, err);
}

static const char *kept(struct store_rows *rows, int column, struct arena *arena, bool *failed)
{
    const char *text = store_text(rows, column), *copy = arena_text(arena, text, strlen(text));
    *failed |= !copy;
    return copy ? copy : "";
}

static int row_read(struct store_rows *rows, struct arena *arena, struct consent *c, struct error *err)
{
    bool failed = false;
    *c = (struct consent){.id = store_int(rows, 0),
                          .patient = store_int(rows, 1),
                          .kind = CONSENT_KINDS,
                          .given_by = kept(rows, 3, arena, &failed),
                          .from_day = (int32_t)store_int(rows, 4),
                          .until_day = store_is_null(rows, 5) ? CIVIL_DAY_NONE : (int32_t)store_int(rows, 5),
                          .note = kept(rows, 6, arena, &failed),
                          .actor = kept(rows, 7, arena, &failed),
                          .ended_by = kept(rows, 8, arena, &failed)};
    for (int i = 0; i < CONSENT_KINDS; i++) {
        if (strcmp(consent_kinds[i], store_text(rows, 2)) == 0)
            c->kind = (enum consent_kind)i;
    }
    if (c->kind == CONSENT_KINDS)
        return error_set(err, E_TAMPERED, "consent %" PRId64 " is of no known kind", c->id);
    return failed ? error_set(err, E_MEMORY, "no memory for the consents") : 0;
}

int consent_load(struct store *store, int64_t patient, struct arena *arena, struct consent **ret_consents,
                 size_t *ret_count, struct error *err)
{
    struct store_rows *rows = NULL;
    size_t count = 0;
    int more = 0;
    struct consent *consents = arena_array(arena, CONSENTS_MAX, sizeof *consents);
    if (!consents)
        return error_set(err, E_MEMORY, "no memory for the consents");
    int status = store_query(store, &rows, err,
                             "SELECT id, patient_id, kind, given_by, from_day, until_day, note, actor, "
                             "coalesce(ended_by, CASE WHEN ended_ms IS NULL THEN '' ELSE '?' END) "
                             "FROM patient_consent WHERE patient_id = ? ORDER BY id DESC LIMIT ?",
                             "ii", patient, (int64_t)CONSENTS_MAX);
    while (status == 0 && (more = store_next(rows, err)) > 0) {
        status = row_read(rows, arena, &consents[count], err);
        count++;
    }
    store_done(rows);
    if (status < 0 || more < 0)
        return status < 0 ? status : more;
    *ret_consents = consents;
    *ret_count = count;
    return 0;
}

/* A consent that is relied on says what the chain says of it, and the chain knows of no end. */
static int bound_check(struct store *store, const struct consent *c, struct error *err)
{
    char subject[40], detail[200];
    (void)snprintf(subject, sizeof subject, "consent:%" PRId64, c->id); /* fits */
    detail_of(c, detail, sizeof detail);
    return audit_says(store, subject, "consent.*", "consent.add", detail, err);
}

/* A consent of one of two kinds that holds on the day; days: how long one counts, 0 for ever. */
static int look_for(struct store *store, const struct consent *consents, size_t count, enum consent_kind kind,
                    enum consent_kind other, int days, int32_t day, bool *ret_found, struct error *err)
{
    int status = 0;
    *ret_found = false;
    for (size_t i = 0; status == 0 && i < count && !*ret_found; i++) {
        const struct consent *c = &consents[i];
        if ((c->kind != kind && c->kind != other) || c->ended_by[0] != '\0')
            continue;
        if (day != CIVIL_DAY_NONE &&
            (day < c->from_day || (c->until_day != CIVIL_DAY_NONE && day > c->until_day) ||
             (days > 0 && day >= c->from_day + days)))
            continue;
        status = bound_check(store, c, err);
        *ret_found = status == 0;
    }
    return status;
}

static int missing(const struct jurisdiction_rule *rule, const char *verb, struct error *err)
{
    return error_set(err, E_STATE, "rule %s: no consent that holds is on record (%s): %s", rule->id,
                     rule->text, verb);
}

int consent_check(struct store *store, int64_t patient, const struct jurisdiction *jurisdiction, int32_t day,
                  struct arena *arena, struct error *err)
{
    const struct jurisdiction_rule *packing = &jurisdiction->consent,
                                   *child = &jurisdiction->child_resistance;
    struct consent *consents = NULL;
    size_t count = 0;
    bool found = true;
    if (!packing->id[0] && !child->id[0])
        return 0;
    int status = consent_load(store, patient, arena, &consents, &count, err);
    if (status == 0 && packing->id[0])
        status = look_for(store, consents, count, CONSENT_PACKING, CONSENT_PACKING, packing->days, day,
                          &found, err);
    if (status == 0 && !found)
        return missing(packing, "sachet consent add PATIENT --kind packing", err);
    if (status == 0 && child->id[0])
        status =
            look_for(store, consents, count, CONSENT_OUTER, CONSENT_DECLINED, child->days, day, &found, err);
    if (status == 0 && !found)
        return missing(child, "sachet consent add PATIENT --kind outer or declined", err);
    return status;
}
