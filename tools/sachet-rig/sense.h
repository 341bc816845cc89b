/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sense: how well a simulated machine's sensors see what is wrong with a pouch. Challenge pouches with one
 * planted fault each go through a machine without a controller; caught is what it does not call good.
 * Sensitivity and false alarms are counted in the hidden truth and given per mille with their 95 % interval
 * (Wilson), in whole numbers. Blocks; prints to standard output.
 */
#ifndef TOOLS_SACHET_RIG_SENSE_H
#define TOOLS_SACHET_RIG_SENSE_H

#include <stdint.h>

struct error;

struct sense_interval {
    int rate;  /* per mille, rounded */
    int least; /* rounded down */
    int most;  /* rounded up */
};

/* k of n, n at most 1000000; n 0: 0 to 1000. */
struct sense_interval sense_wilson(int64_t k, int64_t n);

/* The verb: 0 or an error. */
int sense_verb(int argc, char **argv, struct error *err);

#endif
