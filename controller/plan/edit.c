/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/utf8.h"
#include "controller/plan/course.h"
#include "controller/plan/plan_text_private.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

static int pin_parse(const char *text, struct edit_value *value, struct error *err)
{
    char *end;
    long dose = strtol(text, &end, 10);
    if (end == text || *end != '@' || dose < 1 || dose > COURSE_DOSES_MAX ||
        !tod_parse(end + 1, &value->from))
        return error_set(err, E_INPUT, "'%s': a dose and a time like 1@08:00 are wanted", text);
    value->dose = (int)dose - 1;
    value->to = value->from;
    return 0;
}

static int span_parse(const char *text, struct edit_value *value, struct error *err)
{
    char from[TOD_TEXT_BYTES] = "";
    size_t len = strcspn(text, "-");
    if (len < sizeof from)
        memcpy(from, text, len);
    if (text[len] == '\0' || !tod_parse(from, &value->from) || !tod_parse(text + len + 1, &value->to))
        return error_set(err, E_INPUT, "'%s': a span of the day like 12:00-14:00 is wanted", text);
    return 0;
}

int edit_parse(const struct plan_edit *edit, struct edit_value *ret_value, struct error *err)
{
    struct edit_value value = {.day = CIVIL_DAY_NONE};
    size_t len = strlen(edit->reason);
    int status = 0;
    if (edit->source_id[0] == '\0' && edit->kind != PLAN_EDIT_FORBID)
        return error_set(err, E_INPUT, "an edit of kind %s needs an order", plan_edit_kind_text(edit->kind));
    if (len < EDIT_REASON_BYTES_MIN || len > EDIT_REASON_BYTES_MAX || !utf8_printable(edit->reason, len))
        return error_set(err, E_INPUT, "the reason of an edit has %d to %d printable bytes",
                         EDIT_REASON_BYTES_MIN, EDIT_REASON_BYTES_MAX);
    switch (edit->kind) {
    case PLAN_EDIT_PIN:
        status = pin_parse(edit->value, &value, err);
        break;
    case PLAN_EDIT_FORBID:
        status = span_parse(edit->value, &value, err);
        break;
    case PLAN_EDIT_PRODUCT:
        value.code = edit->value;
        if (!plan_code_ok(edit->value))
            status = error_set(err, E_INPUT, "'%s' is no product code", edit->value);
        break;
    case PLAN_EDIT_SWITCH:
        if (!civil_parse(edit->value, &value.day))
            status = error_set(err, E_INPUT, "'%s' is no date YYYY-MM-DD", edit->value);
        break;
    case PLAN_EDIT_KINDS:
        status = error_set(err, E_INPUT, "an unknown kind of edit");
        break;
    }
    if (status == 0)
        *ret_value = value;
    return status;
}

bool edit_applies(const struct plan_edit *edit, const struct plan_order *orders, size_t order_count,
                  int32_t start_day)
{
    char start[CIVIL_TEXT_BYTES];
    civil_format(start_day, start);
    bool applies = edit->source_id[0] == '\0';
    for (size_t i = 0; i < order_count && !applies; i++)
        applies = strcmp(orders[i].source_id, edit->source_id) == 0;
    return applies && (edit->kind != PLAN_EDIT_SWITCH || strcmp(edit->value, start) == 0);
}

static const char *kept(struct arena *arena, const char *text)
{
    return arena_text(arena, text, strlen(text));
}

int edit_load(struct store *store, int64_t patient, struct arena *arena, struct plan_edit **ret_edits,
              size_t *ret_count, struct error *err)
{
    struct store_rows *rows = NULL;
    struct plan_edit *edits = arena_array(arena, PLAN_EDITS_MAX, sizeof *edits);
    size_t count = 0;
    if (!edits)
        return error_set(err, E_MEMORY, "no memory for the edits");
    int status = store_query(store, &rows, err,
                             "SELECT id, kind, order_source, value, reason, login FROM plan_edit WHERE "
                             "patient_id = ? AND ended_ms IS NULL ORDER BY id",
                             "i", patient);
    int more = 0;
    while (status == 0 && (more = store_next(rows, err)) > 0) {
        if (count == PLAN_EDITS_MAX) {
            status = error_set(err, E_LIMIT, "a patient has at most %d edits that stand", PLAN_EDITS_MAX);
            break;
        }
        struct plan_edit *edit = &edits[count++];
        *edit = (struct plan_edit){.id = store_int(rows, 0),
                                   .source_id = kept(arena, store_text(rows, 2)),
                                   .value = kept(arena, store_text(rows, 3)),
                                   .reason = kept(arena, store_text(rows, 4)),
                                   .login = kept(arena, store_text(rows, 5))};
        if (!edit->source_id || !edit->value || !edit->reason || !edit->login)
            status = error_set(err, E_MEMORY, "no memory for the edits");
        else if (!plan_edit_kind_parse(store_text(rows, 1), &edit->kind))
            status = error_set(err, E_INPUT, "edit %lld is of an unknown kind", (long long)edit->id);
    }
    store_done(rows);
    if (status < 0 || more < 0)
        return status < 0 ? status : more;
    *ret_edits = edits;
    *ret_count = count;
    return 0;
}

int edit_next_id(struct store *store, int64_t *ret_id, struct error *err)
{
    return store_get_int(store, ret_id, err, "SELECT coalesce(max(id), 0) + 1 FROM plan_edit", "");
}

/* Ids only: the reason is the pharmacist's text and may say more than an id. */
static int audit_edit(struct store *store, int64_t patient, int64_t id, const char *action, const char *login,
                      int64_t wall_ms, struct error *err)
{
    char subject[32], detail[64];
    (void)snprintf(subject, sizeof subject, "patient:%lld", (long long)patient); /* both fit */
    (void)snprintf(detail, sizeof detail, "{\"edit\":%lld}", (long long)id);
    return audit_add(store, wall_ms, login, action, subject, detail, err);
}

int edit_add(struct store *store, int64_t patient, const struct plan_edit *edit, int64_t wall_ms,
             struct error *err)
{
    struct edit_value value;
    int status = edit_parse(edit, &value, err);
    if (status == 0)
        status =
            store_exec(store, err,
                       "INSERT INTO plan_edit (id, patient_id, kind, order_source, value, reason, login, "
                       "made_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                       "iittttti", edit->id, patient, plan_edit_kind_text(edit->kind), edit->source_id,
                       edit->value, edit->reason, edit->login, wall_ms);
    return status < 0 ? status : audit_edit(store, patient, edit->id, "plan.edit", edit->login, wall_ms, err);
}

int edit_end(struct store *store, int64_t patient, int64_t id, const char *login, int64_t wall_ms,
             struct error *err)
{
    int status = store_exec(store, err,
                            "UPDATE plan_edit SET ended_ms = ?, ended_by = ? WHERE id = ? AND patient_id = ? "
                            "AND ended_ms IS NULL",
                            "itii", wall_ms, login, id, patient);
    if (status == 0 && store_changes(store) == 0)
        return error_set(err, E_NOT_FOUND, "the patient has no edit %lld that stands", (long long)id);
    return status < 0 ? status : audit_edit(store, patient, id, "plan.edit.end", login, wall_ms, err);
}
