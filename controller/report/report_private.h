/* SPDX-License-Identifier: Apache-2.0 */
/* report_private: what the files of controller/report share. */
#ifndef CONTROLLER_REPORT_REPORT_PRIVATE_H
#define CONTROLLER_REPORT_REPORT_PRIVATE_H

#include "controller/report/report.h"

/* Drugs, sums and the verdict, from the pouches in the report and the signed texts in the store. */
int report_totals(struct store *store, struct report *report, struct arena *arena, struct error *err);

#endif
