/* SPDX-License-Identifier: Apache-2.0 */
/* map_rig: the machine profiles, for tests that speak in registers. Header only. */
#ifndef TESTS_UNIT_HW_MAP_RIG_H
#define TESTS_UNIT_HW_MAP_RIG_H

#include "tests/unit/hw/rig.h"

#include "config/machine.h"
#include "config/paths.h"
#include "hw/modbus/map.h"

static inline void rig_profile_named(const char *file, struct profile *ret_profile)
{
    char path[4096];
    struct error err = {0};
    if (paths_data(file, path, sizeof path, &err) < 0 || profile_load(path, ret_profile, &err) < 0 ||
        map_check_profile(ret_profile, &err) < 0)
        fail_msg("%s", err.message);
}

static inline void rig_profile(struct profile *ret_profile)
{
    rig_profile_named("machines/sachet-packer-1.yaml", ret_profile);
}

#endif
