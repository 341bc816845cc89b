/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: facts and locks into the store (see refill.h). Every function runs in the caller's write
 * transaction and writes an audit row beside its own; for record_dispense the import's row speaks. Blocks for
 * the store. One thread a store.
 */
#ifndef CONTROLLER_REFILL_RECORD_H
#define CONTROLLER_REFILL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct store;

/* Who says it, and when. */
struct record_by {
    const char *actor;  /* login or program */
    const char *reason; /* "" where none is needed */
    int32_t today;
    int64_t wall_ms;
};

/* A prescription as a person names it: its source id or number, of this patient, the current version. The
 * texts lie in the caller's buffers. */
enum { RECORD_ORDER_BYTES = 513, RECORD_CODE_BYTES = 65 };
struct record_order {
    int64_t id; /* order_version.id */
    char source_id[RECORD_ORDER_BYTES];
    char product[RECORD_CODE_BYTES]; /* "" none */
};
/* E_NOT_FOUND names what there is. */
int record_order_find(struct store *store, int64_t patient, const char *name, struct record_order *ret_order,
                      struct error *err);

/* What the patient has of the order's product, beside the pouches, at the start of today. E_INPUT for an
 * order without a product, or pieces below 0 or off the half grid. */
int record_onhand(struct store *store, int64_t patient, const struct record_order *order,
                  int64_t pieces_milli, const struct record_by *by, struct error *err);

/* Something handed out apart from the rolls, by hand: a bridge fill, a loose pack. */
int record_dispensed(struct store *store, int64_t patient, const struct record_order *order, int32_t day,
                     int32_t days, int64_t pieces_milli, const struct record_by *by, struct error *err);

/*
 * One record of a dispensing history, as it was sent. The same again changes nothing; one that says something
 * else of the same id is a new version. *ret_new: something was written. The patient is found by the order,
 * or by patient_ref (a source id); E_NOT_FOUND when neither is known.
 */
struct record_dispense {
    const char *source_id;
    const char *patient_ref;
    const char *order_ref; /* "" none */
    const char *product;   /* code, NULL: as the order says */
    const char *status;
    int32_t day;
    int32_t days_supply;  /* SYNC_NONE */
    int64_t pieces_milli; /* SYNC_NONE */
    const char *file;
};
int record_dispense(struct store *store, const struct record_dispense *dispense, const struct record_by *by,
                    bool *ret_new, struct error *err);

/* A word of the table refill_event.kind. order NULL: the patient as a whole. source: what it came from; the
 * same source is noted once (*ret_new false the second time). */
int record_event(struct store *store, int64_t patient, const char *kind, const struct record_order *order,
                 int32_t day, const char *source, const struct record_by *by, int64_t *ret_event,
                 bool *ret_new, struct error *err);

/* A pharmacist's word on the next fill: kind "fill" with its day, or "qty" with its units. It takes the place
 * of the lock of that kind that the order had. */
int record_lock(struct store *store, int64_t patient, const char *kind, const struct record_order *order,
                int64_t value, const struct record_by *by, struct error *err);
/* order NULL: all of the patient's. *ret_count is how many were lifted. */
int record_unlock(struct store *store, int64_t patient, const struct record_order *order,
                  const struct record_by *by, int64_t *ret_count, struct error *err);

/* What the site knows of a product's dispensing; SYNC_NONE where it says nothing. */
struct record_terms {
    char product[RECORD_CODE_BYTES];
    int32_t schedule, usual_days, min_days, pack_days, pack_pieces, threshold_pct, copay_cents;
    bool prorated;
};
/* A CSV file with a header: product, schedule, usual_days, min_days, pack_days, pack_pieces, threshold_pct,
 * copay_cents, prorated; empty: not said. All or nothing: E_INPUT with "file:line: what". */
int record_terms_import(struct store *store, const char *file, const char *text, size_t len,
                        const struct record_by *by, int64_t *ret_rows, struct error *err);

#endif
