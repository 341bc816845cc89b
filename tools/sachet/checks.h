/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `sachet check` knows beside the YAML formats of config/: JSON formats, and YAML ones whose content
 * says more than its keys, each checked by its room's own reader. A room adds its row to checks.c.
 */
#ifndef TOOLS_SACHET_CHECKS_H
#define TOOLS_SACHET_CHECKS_H

#include "config/conf.h"

struct cli;
struct error;

struct json_check {
    const char *format; /* value of the member "format": "sachet-regimen/1" */
    /* Reports every finding (line and column 0 where the reader knows none), returns their number. */
    int (*check)(const char *file, conf_report *report, void *user);
};

/* Ends with a row whose format is NULL. */
extern const struct json_check json_checks[];

/* tools/sachet/check_files.c: the verb; CLI_FOUND when something was found. */
int run_check(struct cli *cli, struct error *err);

#endif
