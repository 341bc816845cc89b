/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dose: one dose as a Dosage states it, and its turning into pieces of a product. Tells R4 (doseAndRate[])
 * from STU3 (doseQuantity beside timing); never reads a missing dose as one. Private to the intake. Pure.
 */
#ifndef CONTROLLER_INTAKE_DOSE_H
#define CONTROLLER_INTAKE_DOSE_H

#include <jansson.h>
#include <stdbool.h>

#include "controller/intake/catalogue.h"
#include "controller/intake/reason.h"

enum { DOSE_PIECES_MAX_MILLI = 10000 }; /* more at once than ten pieces goes to the pharmacist */

struct dose {
    bool given;             /* some dose element stood in the order */
    bool exact;             /* one amount, checked */
    int64_t value_milli;    /* as written */
    struct measured amount; /* kind PIECE for no unit */
    const char *unit;       /* for people; "" none */
};

enum dose_shape { DOSE_SHAPE_NONE, DOSE_SHAPE_STU3, DOSE_SHAPE_R4, DOSE_SHAPE_MIXED };

/* Where the dose stands in one Dosage; has: its kind of JSON has an element of this name. */
enum dose_shape dose_shape_of(bool (*has)(const void *dosage, const char *key), const void *dosage);
void dose_read(const json_t *dosage, struct reasons *reasons, struct dose *ret);
/* A Quantity element; key names it in reasons. */
void dose_quantity_read(const json_t *quantity, const char *key, struct reasons *reasons, struct dose *ret);

/*
 * Milli-pieces of the product; false with a reason when it is no exact number of half pieces, not counted in
 * pieces, or the product's strength is not known. product may be NULL.
 */
bool dose_pieces(const struct dose *dose, const struct catalogue_row *product, struct reasons *reasons,
                 int64_t *ret_milli);

#endif
