/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a scenario file (sachet-scenario/1) into the plain struct scenario. Blocks for the disk; for the
 * composition roots and tests.
 */
#ifndef CONFIG_SCENARIO_H
#define CONFIG_SCENARIO_H

#include "config/base/scenario.h"

struct error;
struct scenario_file;

/* The file is checked whole; what conf_load returns. */
int scenario_load(const char *file, struct scenario_file **ret_file, struct error *err);
/* NULL is allowed. */
void scenario_close(struct scenario_file *file);
/* Lives as long as the file. */
const struct scenario *scenario_of(const struct scenario_file *file);

#endif
