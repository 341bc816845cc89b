/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intake_store: orders into the store. An order is kept by the id it came with; each change of what it says,
 * or of what it is read as (another formulary, other rules), makes a new version and moves `current`.
 * Importing the same again writes nothing but its audit row. Patients are kept when an order refers to them.
 *
 * Writes go in transactions of INTAKE_BATCH_ORDERS; a run that is cut off can be run again. Blocks for files
 * and the store. One thread.
 */
#ifndef CONTROLLER_ORDERS_INTAKE_STORE_H
#define CONTROLLER_ORDERS_INTAKE_STORE_H

#include <stdint.h>

#include "controller/intake/intake.h"

struct store;

enum {
    INTAKE_BATCH_ORDERS = 1024,  /* about a tenth of a second of other writers' waiting */
    INTAKE_CACHE_KIB = 8 * 1024, /* holds what a batch writes */
    INTAKE_PATIENTS_KEPT = 8192, /* rows of the store that a run remembers */
};

struct intake_stored {
    int64_t orders_new, orders_changed, orders_same;
    int64_t orders_read_anew; /* same words, another outcome, product or reading */
    int64_t orders_unkept;    /* without an id: cannot be kept */
    int64_t patients_new, patients_changed;
    int64_t products_new;      /* provisional ones */
    int64_t pouches_withdrawn; /* of signed plans, because an order changed */
};

struct intake_import {
    struct store *store;
    struct intake_policy policy; /* derive: provisional products are stored */
    const char *actor;
    int64_t wall_ms;
    /* For people; data goes to each. May be NULL. */
    void *data;
    void (*refused)(void *data, const char *place, const char *what);
    void (*progress)(void *data, int64_t bytes);
    void (*order)(void *data, const struct order *order);
    /* Keeps a fill within the open write transaction, after all orders. NULL: fills are not kept. */
    int (*dispense)(void *data, const struct intake_dispense *dispense, struct error *err);
    /* The same for an allergy, before all orders; its patient's row is there. NULL: they are not kept. */
    int (*allergy)(void *data, int64_t patient, const struct intake_allergy *allergy, struct error *err);
    struct intake_totals totals; /* added to */
    struct intake_stored stored; /* added to */
};

/* Products of the store as a catalogue; E_STORE, E_MEMORY. The caller destroys it. */
int catalogue_load(struct store *store, struct catalogue **ret_catalogue, struct error *err);

/* Reads files and folders and stores what they hold. With an audit row "intake.import". */
int intake_import(struct intake_import *import, const char *const *paths, int count, struct error *err);
/* The same for one FHIR text in memory; place names it. */
int intake_import_text(struct intake_import *import, const char *place, const char *text, size_t len,
                       struct error *err);
/* What gives FHIR texts one by one, the same ones each time it is asked. */
struct intake_texts {
    void *data;
    int (*walk)(void *data,
                int (*text)(void *to, const char *place, const char *text, size_t len, struct error *err),
                void *to, struct error *err);
};
/* The same for texts that are made on the way; walk is called twice. */
int intake_import_texts(struct intake_import *import, const struct intake_texts *texts, struct error *err);
/* Both passes over such texts without a store. */
int intake_run_walk(struct intake *intake, const struct intake_texts *texts, struct error *err);
/* Reads every current order of the store again with today's formulary and rules. Audit "intake.again". */
int intake_import_again(struct intake_import *import, struct error *err);

#endif
