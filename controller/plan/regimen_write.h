/* SPDX-License-Identifier: Apache-2.0 */
/* A regimen in memory as one line of JSON, "sachet-regimen/1": windows as compiled intervals. Pure. */
#ifndef CONTROLLER_PLAN_REGIMEN_WRITE_H
#define CONTROLLER_PLAN_REGIMEN_WRITE_H

struct buf;
struct error;
struct regimen;

/* Appends the object without a newline; the regimen must be ready. E_MEMORY. */
int regimen_to_json(const struct regimen *regimen, struct buf *out, struct error *err);

#endif
