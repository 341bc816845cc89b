/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak: hours of packing with everything that goes wrong by chance, on the virtual clock: memory must stay
 * flat, and books and truth must agree at the end. Blocks; prints to standard output.
 */
#ifndef TOOLS_SACHET_RIG_SOAK_H
#define TOOLS_SACHET_RIG_SOAK_H

struct error;

/* The verb: 0 fine, 1 something was found, or an error. */
int soak_verb(int argc, char **argv, struct error *err);

#endif
