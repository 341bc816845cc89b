/* SPDX-License-Identifier: Apache-2.0 */
/* A small format with every type of key, for the tests of the loader. */
#ifndef TESTS_UNIT_CONFIG_SCHEMA_H
#define TESTS_UNIT_CONFIG_SCHEMA_H

#include "config/conf.h"

extern const struct conf_schema schema_zoo;

#endif
