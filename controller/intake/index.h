/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index: what the first pass remembers: patients, drugs, last fills, ids of orders, and who has which drug in
 * how many current orders. Private to the intake. Owns copies of all it keeps.
 */
#ifndef CONTROLLER_INTAKE_INDEX_H
#define CONTROLLER_INTAKE_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "config/base/arena.h"
#include "controller/intake/intake.h"
#include "controller/intake/keymap.h"
#include "controller/intake/marks.h"
#include "controller/intake/tree.h"

struct index_drug {
    const char *json; /* the Medication, compact */
    uint64_t hash;
    bool clash;
};

struct index_order {
    bool clash;   /* another order of this id says otherwise */
    bool emitted; /* second pass: handed out */
};

/* A current order whose drug or patient may come later in the input. */
struct index_pending;
/* A patient of the input, or one that an order refers to. */
struct index_touched {
    struct index_touched *next;
    const char *reference; /* of an order; NULL: a Patient of the input */
    const struct intake_patient *patient;
};

struct index {
    struct arena arena;
    struct keymap patients; /* by every way to refer to them */
    struct keymap drugs;
    struct keymap fills;      /* order id -> struct index_day */
    struct keymap references; /* of orders, to patients: told by index_touch */
    struct marks orders;      /* order id -> its content's hash and what was seen of it */
    struct marks taken; /* patient and drug -> counts; two that share a key are counted together: they wait */
    struct index_pending *pending;
    struct index_touched *touched;
    int64_t patient_count, drug_count;
    bool full; /* a limit or memory was reached: nothing more is kept, the run must fail */
};

void index_init(struct index *index);
void index_finish(struct index *index);

void index_add_patient(struct index *index, const struct tree *patient, const char *full_url);
void index_add_drug(struct index *index, const struct tree *medication, const char *full_url);
void index_add_fill(struct index *index, const struct tree *dispense);
/* True when this order was not seen before in this pass, word for word. */
bool index_add_order(struct index *index, const char *id, uint64_t hash);

/* Lets a reference that leads nowhere yet lead to a patient who is known from elsewhere; copies it. */
void index_alias_patient(struct index *index, const char *reference, const struct intake_patient *patient);
/* Remembers the patient of an order, once for each reference. */
void index_touch(struct index *index, const char *reference);

/* "Patient/ID": leads to the patient of that id and to no other, wherever it stands in the input. */
bool index_plain_patient(const char *reference);
/* The id at the end of a reference: "Patient/X", "urn:uuid:X", an address. */
const char *index_reference_id(const char *reference);

const struct intake_patient *index_patient(const struct index *index, const char *reference);
const struct index_drug *index_drug(const struct index *index, const char *reference);
/* False when the input has no such order. */
bool index_order(const struct index *index, const char *id, struct index_order *ret_order);
/* Second pass: the order was handed out. */
void index_emit(struct index *index, const char *id);
/* The order goes into the store now: true the first time. And whether it went. */
bool index_keep_once(struct index *index, const char *id);
bool index_is_kept(const struct index *index, const char *id);
int32_t index_fill(const struct index *index, const char *id);

/*
 * Counts a current order of a patient: the drug as a whole ("a+b"), and unless it is taken as needed each of
 * its ingredients. index_taken: in how many orders the whole, or one of the ingredients, stands.
 */
void index_take(struct index *index, const char *patient, const char *drug, bool as_needed);
int index_taken(const struct index *index, const char *patient, const char *drug, bool as_needed);
/* Remembers an order whose Medication was not seen yet, and calls back for each at the end of the pass. */
void index_defer(struct index *index, const char *patient, const char *drug_reference, bool as_needed);
void index_settle(struct index *index,
                  void (*each)(void *data, const char *patient, const char *drug_reference, bool as_needed),
                  void *data);

/* The patient as intake wants it, texts in arena. */
void index_read_patient(const struct tree *patient, struct arena *arena, struct intake_patient *ret);

#endif
