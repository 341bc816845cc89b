/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/verbs.h"

const struct cli_group *const cli_groups[] = {
    &verbs_site,
    &verbs_schedule,
    &verbs_help,
};
const size_t cli_group_count = sizeof cli_groups / sizeof cli_groups[0];
