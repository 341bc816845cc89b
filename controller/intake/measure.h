/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure: units as orders write them (UCUM, SNOMED CT, v3-orderableDrugForm, words), sorted into the few
 * kinds that a pouch packer has to tell apart. One const table. Pure, any thread.
 */
#ifndef CONTROLLER_INTAKE_MEASURE_H
#define CONTROLLER_INTAKE_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum measure {
    MEASURE_UNKNOWN,
    MEASURE_PIECE, /* tablets, capsules: counted */
    MEASURE_MASS,  /* scale: nanograms */
    MEASURE_IU,    /* international units and the like; scale: thousandths */
    MEASURE_MEQ,   /* milliequivalents; scale: thousandths */
    MEASURE_BODY,  /* per kilogram or square metre of body */
    MEASURE_OTHER, /* volumes, puffs, drops, patches: nothing that is counted into a pouch */
};

/* An amount in base units of its kind: MASS nanograms, IU and MEQ thousandths, PIECE milli-pieces. */
struct measured {
    enum measure kind;
    int64_t amount; /* 0 with UNKNOWN, BODY and OTHER */
};

/* The kind of a unit's text or UCUM code; case does not matter but in SNOMED codes, which are digits. "" is
 * MEASURE_PIECE only where the caller knows that no unit means pieces; here it is UNKNOWN. */
enum measure measure_of(const char *unit, size_t len);
/* number (decimal, at most 6 places) of unit; false when the number cannot be read or is too large. */
bool measure_read(const char *number, size_t number_len, const char *unit, size_t unit_len,
                  struct measured *ret);
/* value_milli thousandths of unit; false when too large or, for an unknown unit, not to be measured. */
bool measure_scale(int64_t value_milli, const char *unit, struct measured *ret);

#endif
