/* SPDX-License-Identifier: Apache-2.0 */
/* A signed cycle as a CarePlan: one activity a drug, in the pouches or beside them, read from the signed
 * text. */
#include <inttypes.h>
#include <stdio.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/parties/message_private.h"
#include "controller/plan/plan_row.h"
#include "controller/store/store.h"

static json_t *period_of(struct message *m, int32_t first, int32_t last)
{
    json_t *period = json_object();
    message_set_day(m, period, "start", first);
    message_set_day(m, period, "end", last);
    return period;
}

/* Times of the day at which an order stands in the pouches, for people. */
static void times_text(const struct plan_text *plan, int64_t order, char *ret_text, size_t size)
{
    struct buf text;
    buf_init_fixed(&text, ret_text, size);
    int last = 0;
    for (size_t s = 0; s < plan->slot_count; s++) {
        for (size_t t = 0; t < plan->take_count; t++) {
            char time[TOD_TEXT_BYTES];
            if (plan->takes[t].order_id != order || plan->takes[t].slot != plan->slots[s].number ||
                last == plan->slots[s].number)
                continue;
            last = plan->slots[s].number;
            tod_format(plan->slots[s].minute, time);
            buf_printf(&text, "%s%s", text.len ? ", " : "", time);
        }
    }
}

static void activity_add(struct message *m, json_t *list, const struct plan_text *plan,
                         const struct plan_order *order)
{
    char times[600], words[1200];
    json_t *detail = json_object();
    const char *status = order->state == PLAN_WAITING ? "on-hold" : "scheduled";
    message_set_text(m, detail, "kind", "MedicationRequest");
    message_set(m, detail, "code", json_pack("{s:s}", "text", order->drug));
    message_set_text(m, detail, "status", status);
    message_set(m, detail, "scheduledPeriod",
                period_of(m, plan->start_day, plan->start_day + plan->days - 1));
    message_set(m, detail, "productCodeableConcept", json_pack("{s:s}", "text", order->drug));
    if (order->state == PLAN_INCLUDED) {
        times_text(plan, order->id, times, sizeof times);
        (void)snprintf(words, sizeof words, "In the pouches at %s", times);
    } else {
        (void)snprintf(words, sizeof words, "Not in the pouches: %.1000s", order->reason);
    }
    message_set_text(m, detail, "description", words);
    if (json_array_append_new(list, json_pack("{s:o}", "detail", detail)) < 0)
        m->failed = true;
}

static int plan_entries(struct message *m, const struct plan_row *row, const struct plan_text *plan,
                        const char *id, int version, struct error *err)
{
    char number[16], title[120], start[CIVIL_TEXT_BYTES];
    int rc = message_patient(m, row->patient, err);
    if (rc)
        return rc;
    message_organization(m, "pharmacy", m->partners->pharmacy, m->partners->phone);
    json_t *resource = message_resource(m, "CarePlan", id);
    (void)snprintf(number, sizeof number, "%d", version);
    message_set(m, resource, "meta", json_pack("{s:s}", "versionId", number));
    message_set_text(m, resource, "status", version == 1 ? "active" : "revoked");
    message_set_text(m, resource, "intent", "plan");
    civil_format(plan->start_day, start);
    (void)snprintf(title, sizeof title, "Pouches from %s, %d days", start, plan->days);
    message_set_text(m, resource, "title", title);
    message_set(m, resource, "subject", message_reference(m->patient_ref));
    message_set(m, resource, "period", period_of(m, plan->start_day, plan->start_day + plan->days - 1));
    message_set(m, resource, "created", message_instant(row->created_ms));
    message_set(m, resource, "author", message_organization_ref(m, "pharmacy"));
    json_t *list = json_array();
    for (size_t i = 0; i < plan->order_count; i++)
        activity_add(m, list, plan, &plan->orders[i]);
    if (json_array_size(list) > 0)
        message_set(m, resource, "activity", list);
    else
        json_decref(list);
    message_add(m, resource);
    return 0;
}

int message_care_plan(struct store *store, const struct partners *partners, int64_t plan, struct buf *out,
                      char ret_name[PARTNERS_NAME_BYTES], struct error *err)
{
    struct message m = {.store = store, .partners = partners, .entries = json_array()};
    struct arena arena;
    struct plan_row row;
    struct plan_text *text = NULL;
    char id[PARTNERS_ID_BYTES];
    arena_init(&arena, 0);
    (void)snprintf(id, sizeof id, "%s-plan-%" PRId64, partners->prefix, plan); /* bounded prefix */
    int rc = m.entries ? plan_row_load(store, plan, &arena, &row, err)
                       : error_set(err, E_MEMORY, "out of memory writing a message");
    if (rc == 0)
        rc = plan_text_parse(row.bytes, row.len, &arena, &text, err);
    int version = rc == 0 && row.state == PLAN_ROW_SUPERSEDED ? 2 : 1;
    if (rc == 0)
        rc = plan_entries(&m, &row, text, id, version, err);
    if (rc == 0) {
        (void)snprintf(ret_name, PARTNERS_NAME_BYTES, "patient/care-plan-%" PRId64 "-%d.json", plan, version);
        rc = message_finish(&m, id, version, row.created_ms, out, err);
    } else {
        json_decref(m.entries);
        (void)error_prefix(err, rc, "plan %" PRId64, plan);
    }
    arena_finish(&arena);
    return rc;
}
