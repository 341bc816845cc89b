/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/checks.h"

const struct json_check json_checks[] = {
    {.format = NULL},
};
