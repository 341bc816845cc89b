/* SPDX-License-Identifier: Apache-2.0 */
/* The groups of verbs; each is defined in the verb_*.c of its name and listed in verbs.c. */
#ifndef TOOLS_SACHET_VERBS_H
#define TOOLS_SACHET_VERBS_H

#include "tools/sachet/cli.h"

extern const struct cli_group verbs_alarms;
extern const struct cli_group verbs_batch;
extern const struct cli_group verbs_calendar;
extern const struct cli_group verbs_edit;
extern const struct cli_group verbs_forecast;
extern const struct cli_group verbs_change;
extern const struct cli_group verbs_formulary;
extern const struct cli_group verbs_help;
extern const struct cli_group verbs_import;
extern const struct cli_group verbs_exceptions;
extern const struct cli_group verbs_export;
extern const struct cli_group verbs_line;
extern const struct cli_group verbs_machine;
extern const struct cli_group verbs_site;
extern const struct cli_group verbs_override;
extern const struct cli_group verbs_patient;
extern const struct cli_group verbs_plan;
extern const struct cli_group verbs_review;
extern const struct cli_group verbs_clinical;
extern const struct cli_group verbs_rules;
extern const struct cli_group verbs_refill;
extern const struct cli_group verbs_schedule;
extern const struct cli_group verbs_sig;
extern const struct cli_group verbs_stock;
extern const struct cli_group verbs_audit;
extern const struct cli_group verbs_release;
extern const struct cli_group verbs_store;
extern const struct cli_group verbs_sync;
extern const struct cli_group verbs_tasks;
extern const struct cli_group verbs_user;

#endif
