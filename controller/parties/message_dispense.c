/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packed roll as MedicationDispense resources, one a product: what lies in its good pouches, counted from
 * the lines that were packed. Real ones are ready for the patient (in-progress); what a simulated machine
 * packed was dispensed to nobody: status preparation, and the security label of test data on everything.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "controller/parties/message_private.h"
#include "controller/plan/plan_row.h"
#include "controller/store/store.h"

/* What the line says of a plan's pouches. */
struct packed {
    bool *good; /* by pouch number */
    int64_t ready_ms;
    int64_t handed_ms; /* when the last of them left the house; 0: some are here */
    bool simulated;    /* any of them */
};

static int packed_read(struct store *store, int64_t plan, size_t pouches, struct packed *packed,
                       struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT j.pouch, ifnull(f.result_ms, 0), ifnull(b.simulated, 1) FROM job AS j "
                         "JOIN batch AS b ON b.id = j.batch_id "
                         "LEFT JOIN fill AS f ON f.job_id = j.id AND f.state = 'good' "
                         "WHERE j.plan_id = ? AND j.state = 'good'",
                         "i", plan);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        int64_t pouch = store_int(rows, 0);
        if (pouch >= 0 && (size_t)pouch <= pouches)
            packed->good[pouch] = true;
        if (store_int(rows, 1) > packed->ready_ms)
            packed->ready_ms = store_int(rows, 1);
        packed->simulated = packed->simulated || store_int(rows, 2) != 0;
        rc = 0;
    }
    store_done(rows);
    return rc;
}

/* 0 while a good pouch is still in the house. */
static int handed_read(struct store *store, int64_t plan, struct packed *packed, struct error *err)
{
    int64_t here = 0;
    int rc =
        store_get_int(store, &here, err,
                      "SELECT count(*) FROM job AS j WHERE j.plan_id = ? AND j.state = 'good' AND NOT EXISTS "
                      "(SELECT 1 FROM handover_pouch AS p WHERE p.job_id = j.id)",
                      "i", plan);
    if (rc == 0 && here == 0)
        rc = store_get_int(store, &packed->handed_ms, err,
                           "SELECT ifnull(max(h.handed_ms), 0) FROM handover AS h WHERE h.plan_id = ?", "i",
                           plan);
    return rc;
}

static int64_t pieces_of(const struct plan_text *plan, const struct packed *packed, const char *code)
{
    int64_t milli = 0;
    for (size_t p = 0; p < plan->pouch_count; p++) {
        for (size_t i = 0; packed->good[plan->pouches[p].number] && i < plan->pouches[p].item_count; i++) {
            const struct plan_item *item = &plan->pouches[p].items[i];
            if (strcmp(item->code, code) == 0)
                milli += (int64_t)item->count * (item->piece == ROLL_HALF ? QUANTITY_ONE / 2 : QUANTITY_ONE);
        }
    }
    return milli;
}

/* The prescriptions that a product was drawn from, and the concept of the first. */
static int prescriptions(struct message *m, int64_t patient, const struct plan_text *plan, const char *code,
                         json_t *resource, struct error *err)
{
    json_t *list = json_array(), *dosage = NULL;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < plan->order_count; i++) {
        struct message_order order;
        const struct plan_order *row = &plan->orders[i];
        if (row->state != PLAN_INCLUDED || !row->product || strcmp(row->product, code) != 0)
            continue;
        rc = message_order_read(m, patient, row->source_id, row->drug, &order, err);
        if (rc < 0)
            break;
        if (json_array_size(list) == 0) {
            message_set(m, resource, "medicationCodeableConcept", json_incref(order.concept));
            dosage = json_incref(order.dosage);
        }
        if (order.prescription && json_array_append(list, order.prescription) < 0)
            m->failed = true;
        message_order_finish(&order);
    }
    if (json_array_size(list) > 0)
        message_set(m, resource, "authorizingPrescription", list);
    else
        json_decref(list);
    if (dosage)
        message_set(m, resource, "dosageInstruction", dosage);
    return rc;
}

static int product_add(struct message *m, int64_t patient, const struct plan_text *plan,
                       const struct packed *packed, size_t place, int64_t id, struct error *err)
{
    char text[PARTNERS_ID_BYTES];
    const struct plan_product *product = &plan->products[place];
    int64_t milli = pieces_of(plan, packed, product->code);
    if (milli == 0)
        return 0;
    (void)snprintf(text, sizeof text, "%s-dispense-%" PRId64 "-%zu", m->partners->prefix, id, place + 1);
    json_t *resource = message_resource(m, "MedicationDispense", text);
    if (packed->simulated)
        message_set(m, resource, "meta",
                    json_pack("{s:[{s:s, s:s}]}", "security", "system",
                              "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code", "HTEST"));
    message_set_text(m, resource, "status",
                     packed->simulated   ? "preparation"
                     : packed->handed_ms ? "completed"
                                         : "in-progress");
    int rc = prescriptions(m, patient, plan, product->code, resource, err);
    message_set(m, resource, "subject", message_reference(m->patient_ref));
    message_set(m, resource, "performer",
                json_pack("[{s:o}]", "actor", message_organization_ref(m, "pharmacy")));
    /* Thousandths of a piece are halves here, which a double holds exactly. */
    message_set(m, resource, "quantity",
                json_pack("{s:o, s:s}", "value",
                          milli % QUANTITY_ONE == 0 ? json_integer(milli / QUANTITY_ONE)
                                                    : json_real((double)milli / QUANTITY_ONE),
                          "unit", "unit"));
    message_set(m, resource, "daysSupply",
                json_pack("{s:i, s:s, s:s, s:s}", "value", plan->days, "unit", "days", "system",
                          "http://unitsofmeasure.org", "code", "d"));
    message_set(m, resource, "whenPrepared", message_instant(packed->ready_ms));
    if (packed->handed_ms && !packed->simulated) /* never before it was ready (invariant mdd-1) */
        message_set(
            m, resource, "whenHandedOver",
            message_instant(packed->handed_ms > packed->ready_ms ? packed->handed_ms : packed->ready_ms));
    if (packed->simulated)
        message_set(m, resource, "note",
                    json_pack("[{s:s}]", "text", "Packed on a simulated machine: nothing was dispensed."));
    message_add(m, resource);
    return rc;
}

int message_dispense(struct store *store, const struct partners *partners, int64_t plan, struct buf *out,
                     char ret_name[PARTNERS_NAME_BYTES], struct error *err)
{
    struct message m = {.store = store, .partners = partners, .entries = json_array()};
    struct arena arena;
    struct plan_row row;
    struct plan_text *text = NULL;
    struct packed packed = {0};
    char id[PARTNERS_ID_BYTES];
    arena_init(&arena, 0);
    (void)snprintf(id, sizeof id, "%s-dispense-%" PRId64, partners->prefix, plan); /* bounded prefix */
    int rc = m.entries ? plan_row_load(store, plan, &arena, &row, err)
                       : error_set(err, E_MEMORY, "out of memory writing a message");
    if (rc == 0)
        rc = plan_text_parse(row.bytes, row.len, &arena, &text, err);
    if (rc == 0 && !(packed.good = arena_array(&arena, text->pouch_count + 1, sizeof *packed.good)))
        rc = error_set(err, E_MEMORY, "out of memory writing a message");
    if (rc == 0)
        rc = packed_read(store, plan, text->pouch_count, &packed, err);
    if (rc == 0)
        rc = handed_read(store, plan, &packed, err);
    if (rc == 0)
        rc = message_patient(&m, row.patient, err);
    if (rc == 0)
        message_organization(&m, "pharmacy", partners->pharmacy, partners->phone);
    for (size_t i = 0; rc == 0 && i < text->product_count; i++)
        rc = product_add(&m, row.patient, text, &packed, i, plan, err);
    if (rc == 0) {
        int version = packed.handed_ms ? 2 : 1;
        (void)snprintf(ret_name, PARTNERS_NAME_BYTES, "records/dispense-%" PRId64 "-%d.json", plan, version);
        rc = message_finish(&m, id, version, version == 2 ? packed.handed_ms : packed.ready_ms, out, err);
    } else {
        json_decref(m.entries);
        (void)error_prefix(err, "plan %" PRId64, plan);
    }
    arena_finish(&arena);
    return rc;
}
