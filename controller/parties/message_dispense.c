/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packed roll as MedicationDispense resources, one a product and lot, from what was counted into its good
 * pouches (controller/report/dispense.h): when all of it is packed, and once more when all of it left the
 * house.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/parties/message_private.h"
#include "controller/report/dispense.h"
#include "controller/store/store.h"

struct packed_roll {
    struct message m;
    int64_t plan, patient;
    int64_t ready_ms;
    int64_t handed_ms; /* when the last pouch left the house; 0: some are here */
};

/* 0 while a good pouch is still in the house. */
static int roll_read(struct store *store, struct packed_roll *roll, struct error *err)
{
    int64_t here = 0;
    int rc = store_get_int(store, &roll->patient, err, "SELECT patient_id FROM plan WHERE id = ?", "i",
                           roll->plan);
    if (rc == 0)
        rc = store_get_int(
            store, &here, err,
            "SELECT count(*) FROM job AS j WHERE j.plan_id = ? AND j.state = 'good' AND NOT EXISTS "
            "(SELECT 1 FROM handover_pouch AS p WHERE p.job_id = j.id)",
            "i", roll->plan);
    if (rc == 0 && here == 0)
        rc =
            store_get_int(store, &roll->handed_ms, err,
                          "SELECT ifnull(max(h.handed_ms), 0) FROM handover AS h JOIN handover_pouch AS p ON "
                          "p.handover_id = h.id JOIN job AS j ON j.id = p.job_id WHERE j.plan_id = ?",
                          "i", roll->plan);
    return rc;
}

/* The prescriptions that a product was drawn from, by their numbers, and the dosage of the first. */
static int prescriptions(struct packed_roll *roll, const char *orders, json_t **ret_list, json_t **ret_dosage,
                         struct error *err)
{
    json_t *list = json_array();
    int rc = 0;
    *ret_dosage = NULL;
    for (const char *at = orders; rc == 0 && *at;) {
        struct message_order order;
        char id[600];
        size_t len = strcspn(at, "\n");
        (void)snprintf(id, sizeof id, "%.*s", (int)len, at); /* an order's id is shorter */
        rc = message_order_read(&roll->m, roll->patient, id, "", &order, err);
        if (rc < 0)
            break;
        if (!*ret_dosage)
            *ret_dosage = json_incref(order.dosage);
        if (order.prescription && json_array_append(list, order.prescription) < 0)
            roll->m.failed = true;
        message_order_finish(&order);
        at += len + (at[len] != '\0');
    }
    *ret_list = list;
    return rc;
}

static int row_add(void *data, const struct dispense_row *counted, struct error *err)
{
    struct packed_roll *roll = data;
    struct dispense_row row = *counted;
    char id[PARTNERS_ID_BYTES];
    json_t *list, *dosage;
    row.handed_ms = roll->handed_ms; /* the roll leaves the house as a whole, or is told as being here */
    if (row.prepared_ms > roll->ready_ms)
        roll->ready_ms = row.prepared_ms;
    (void)snprintf(id, sizeof id, "%s-dispense-%" PRId64 "-%d", roll->m.partners->prefix, roll->plan,
                   row.number);
    int rc = prescriptions(roll, row.orders, &list, &dosage, err);
    json_t *resource = dispense_resource(&row, id, roll->m.patient_ref, list);
    if (!resource) {
        json_decref(dosage);
        return error_set(err, E_MEMORY, "out of memory writing a message");
    }
    message_set(&roll->m, resource, "performer",
                json_pack("[{s:o}]", "actor", message_organization_ref(&roll->m, "pharmacy")));
    if (dosage)
        message_set(&roll->m, resource, "dosageInstruction", dosage);
    message_add(&roll->m, resource);
    return rc;
}

int message_dispense(struct store *store, const struct partners *partners, int64_t plan, struct buf *out,
                     char ret_name[PARTNERS_NAME_BYTES], struct error *err)
{
    struct packed_roll roll = {.m = {.store = store, .partners = partners, .entries = json_array()},
                               .plan = plan};
    char id[PARTNERS_ID_BYTES];
    (void)snprintf(id, sizeof id, "%s-dispense-%" PRId64, partners->prefix, plan); /* bounded prefix */
    int rc = roll.m.entries ? roll_read(store, &roll, err)
                            : error_set(err, E_MEMORY, "out of memory writing a message");
    if (rc == 0)
        rc = message_patient(&roll.m, roll.patient, err);
    if (rc == 0) {
        message_organization(&roll.m, "pharmacy", partners->pharmacy, partners->phone);
        rc = dispense_each(store, DISPENSE_PLAN, plan, row_add, &roll, err);
    }
    if (rc < 0) {
        json_decref(roll.m.entries);
        return error_prefix(err, rc, "plan %" PRId64, plan);
    }
    int version = roll.handed_ms ? 2 : 1;
    (void)snprintf(ret_name, PARTNERS_NAME_BYTES, "records/dispense-%" PRId64 "-%d.json", plan, version);
    return message_finish(&roll.m, id, version, version == 2 ? roll.handed_ms : roll.ready_ms, out, err);
}
