/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/verbs.h"

/* In the order of help, one a line. */
/* clang-format off */
const struct cli_group *const cli_groups[] = {
    &verbs_site,
    &verbs_user,
    &verbs_import,
    &verbs_exceptions,
    &verbs_formulary,
    &verbs_stock,
    &verbs_patient,
    &verbs_plan,
    &verbs_edit,
    &verbs_review,
    &verbs_clinical,
    &verbs_override,
    &verbs_rules,
    &verbs_schedule,
    &verbs_sync,
    &verbs_tasks,
    &verbs_forecast,
    &verbs_calendar,
    &verbs_refill,
    &verbs_change,
    &verbs_sig,
    &verbs_batch,
    &verbs_machine,
    &verbs_line,
    &verbs_release,
    &verbs_alarms,
    &verbs_audit,
    &verbs_export,
    &verbs_store,
    &verbs_help,
};
/* clang-format on */
const size_t cli_group_count = sizeof cli_groups / sizeof cli_groups[0];
