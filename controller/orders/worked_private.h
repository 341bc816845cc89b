/* SPDX-License-Identifier: Apache-2.0 */
/* worked: the columns of an order that are worked out, as the store keeps them. Private to the orders. */
#ifndef CONTROLLER_ORDERS_WORKED_PRIVATE_H
#define CONTROLLER_ORDERS_WORKED_PRIVATE_H

#include "config/base/buf.h"
#include "controller/intake/intake.h"

enum { WORKED_READINGS_KEPT = 16 }; /* the same few dosages come again and again */

struct worked_reading {
    struct reading of;
    const char *unit; /* NULL: free */
    struct buf reading, dosage;
};

/* Of the order that was worked out last; texts are valid until the next one. */
struct worked {
    struct buf reasons, codes;
    const char *reading, *dosage; /* NULL without a reading */
    int next;                     /* the place that is taken over next */
    struct worked_reading kept[WORKED_READINGS_KEPT];
};

void worked_init(struct worked *worked);
void worked_finish(struct worked *worked);
/* E_MEMORY. */
int worked_make(struct worked *worked, const struct order *order, struct error *err);

#endif
