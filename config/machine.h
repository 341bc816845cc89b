/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a machine profile file (sachet-machine/1) into the plain struct profile that a backend is handed.
 * Blocks for the disk; for the composition roots and tests.
 */
#ifndef CONFIG_MACHINE_H
#define CONFIG_MACHINE_H

struct conf;
struct error;
struct profile;

/* 0, or what conf_load returns; *ret_profile is untouched on failure. */
int profile_load(const char *file, struct profile *ret_profile, struct error *err);
/* From a file that conf_load(&conf_machine) has read. */
void profile_from_conf(const struct conf *conf, struct profile *ret_profile);

#endif
