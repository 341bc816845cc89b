/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trays: what a batch would need laid into pouches by hand, because no canister of the machine holds it.
 *
 * Packers of this class can have a tray with a cell for each pouch, into which a technician lays what has no
 * canister. The machine's interface here (hw/modbus/registers.md) has no such feed, and sachet prints no
 * pouch whose pieces nothing counted: a pouch with such a piece is not made. What is listed here is the tray
 * sheet of it, so that people see what a canister must be loaded for, or what is dispensed outside the
 * pouches. Reads only.
 */
#ifndef TOOLS_STAGE_TRAYS_H
#define TOOLS_STAGE_TRAYS_H

#include <stdint.h>

#include "controller/stock/product.h"
#include "scheduler/roll.h"

struct error;
struct store;

struct tray_load {
    char product[PRODUCT_CODE_BYTES];
    enum roll_piece piece;
    int64_t pouches; /* cells of a tray */
    int64_t pieces;
};

/* Of the jobs of a batch that are not good, by product and piece. *ret_pouches: how many of them need a tray
 * at all. *ret_loads is the caller's to free(). */
int trays_read(struct store *store, int64_t batch, const char *machine, int bays,
               struct tray_load **ret_loads, int *ret_count, int64_t *ret_pouches, struct error *err);

#endif
