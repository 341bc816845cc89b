/* SPDX-License-Identifier: Apache-2.0 */
/* route: does a Dosage say that the drug is swallowed? Private to the intake. Pure. */
#ifndef CONTROLLER_INTAKE_ROUTE_H
#define CONTROLLER_INTAKE_ROUTE_H

#include <jansson.h>

#include "controller/intake/reason.h"

/* Adds ROUTE, METHOD or SITE when route, method or site are given and say something else. */
void route_check(const json_t *dosage, struct reasons *reasons);

#endif
