/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dosage: dosageInstruction[] of one order turned into a `struct reading`, fully and strictly. Whatever is
 * left out, doubtful or contradictory becomes a reason; a reading comes out only when every dosage has its
 * days, times and an exact amount. Pure; one order at a time.
 */
#ifndef CONTROLLER_INTAKE_DOSAGE_H
#define CONTROLLER_INTAKE_DOSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "controller/intake/catalogue.h"
#include "controller/intake/reading.h"
#include "controller/intake/reason.h"

struct buf;
struct sigtext_table;

/* The grammar for dosages that have words only; table NULL: such dosages wait. */
struct dosage_words {
    const struct sigtext_table *table;
    int language; /* enum sigtext_language */
};

/*
 * list: the dosageInstruction array (NULL: none). notes: the order's own remarks (Annotation array, may be
 * NULL), which may not say otherwise. product: what the order leads to, NULL unknown. Returns true when
 * *ret_reading was made. Amounts are milli-pieces of the product. words may be NULL.
 */
bool dosage_read(const json_t *list, const json_t *notes, const struct catalogue_row *product,
                 const struct dosage_words *words, struct reasons *reasons, struct reading *ret_reading);

/*
 * The last day on which something is taken: from the dates of the reading, or (with *ret_assumed) from
 * order_day where a length has no start. False when it is open, or order_day is needed and CIVIL_DAY_NONE.
 */
bool dosage_last_day(const struct reading *reading, int32_t order_day, int32_t *ret_day, bool *ret_assumed);
/* The first day that the reading names; CIVIL_DAY_NONE when it names none. */
int32_t dosage_first_day(const struct reading *reading);

/* The reading as a FHIR R4 Dosage array, one line. unit: "tablet", "capsule" or "" (counted without a unit).
 */
void dosage_write(const struct reading *reading, const char *unit, struct buf *out);

#endif
