/* SPDX-License-Identifier: Apache-2.0 */
/* dispense: what a MedicationDispense says of a fill. Private to the intake. Pure. */
#ifndef CONTROLLER_INTAKE_DISPENSE_H
#define CONTROLLER_INTAKE_DISPENSE_H

#include <stdbool.h>

#include "controller/intake/intake.h"
#include "controller/intake/tree.h"

/*
 * False when it has no id, no day or no patient: nothing can be said of it then. What is missing or cannot be
 * relied on else is left open: the quantity unless its unit is a piece, the product unless its codes name
 * exactly one. Texts point into the JSON and the catalogue.
 */
bool dispense_read(const struct tree *dispense, const struct catalogue *catalogue,
                   struct intake_dispense *ret_dispense);

#endif
