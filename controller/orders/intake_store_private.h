/* SPDX-License-Identifier: Apache-2.0 */
/* One run of an import with what it keeps: shared by what imports and what resolves. Private to the intake.
 */
#ifndef CONTROLLER_ORDERS_INTAKE_STORE_PRIVATE_H
#define CONTROLLER_ORDERS_INTAKE_STORE_PRIVATE_H

#include "config/base/arena.h"
#include "controller/intake/keymap.h"
#include "controller/orders/intake_store.h"
#include "controller/orders/worked_private.h"

struct run {
    struct intake_import *import;
    struct store *store;
    struct catalogue *catalogue;
    struct intake *intake;
    struct arena arena;     /* of the run: ids, patients from the store */
    struct keymap patients; /* source id -> struct stored_patient; forgotten now and then (run_forget) */
    struct arena patient_arena;
    struct keymap products; /* product codes that are in the store */
    struct worked worked;   /* of the order in work */
    int batch;              /* orders in the open transaction */
    struct kept_dispense *dispenses, **dispenses_end;
    struct kept_allergy *allergies, **allergies_end;
    bool hold; /* one transaction for the whole run: the caller commits */
    bool any_resolution;
    struct arena said; /* texts of resolution */
    struct intake_resolution resolution;
};

/* run_close also after a run_open that failed; it undoes what is not committed. */
int run_open(struct run *run, struct intake_import *import, struct error *err);
void run_close(struct run *run);
/* A write transaction is open; it is committed now, or when INTAKE_BATCH_ORDERS orders stand in it. */
int run_begin(struct run *run, struct error *err);
int run_end(struct run *run, bool now, struct error *err);
/* Gives back what is known of patients when it is much; not while a patient of the store is in use. */
void run_forget(struct run *run);
/* Inserts (insert) or updates the patient's row; known NULL: only a reference was seen. */
int run_keep_patient(struct run *run, const char *id, const struct intake_patient *known, bool insert,
                     int64_t *ret_id, struct error *err);
/* Stores the fills that the input told of. */
int run_keep_dispenses(struct run *run, struct error *err);
/* For the intake: an allergy of the input. And all of them into the store, their patients too. */
int run_take_allergy(void *data, const struct intake_allergy *allergy, struct error *err);
int run_keep_allergies(struct run *run, struct error *err);
/* Each current order of one patient that the input does not have: first for the index, then read. */
int run_each_known(struct run *run, const char *patient, bool read, struct error *err);

#endif
