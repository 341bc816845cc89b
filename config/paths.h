/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths: where the files that come with the program are (config/defaults: site files, machine profiles,
 * rules).
 *
 * In this order: $SACHET_DATA_DIR; the installed folder (datadir/sachet); the source tree that the program
 * was built from. Reads the environment, so it is for programs and tests only. Not thread-safe against
 * setenv.
 */
#ifndef CONFIG_PATHS_H
#define CONFIG_PATHS_H

#include <stddef.h>

struct conf;
struct error;

/* Writes the path of `name` ("rules/timing.yaml", "" for the folder itself) into path[0..size-1]. 0 when it
 * can be read; E_NOT_FOUND with the folders that were tried, E_LIMIT when it does not fit. */
int paths_data(const char *name, char *path, size_t size, struct error *err);
/* The rule file of the site's key `rules.NAME`. A site that was made before there were such rules neither
 * names the file nor has it: the program's own counts then. */
int paths_rules(const struct conf *site, const char *name, char *path, size_t size, struct error *err);

#endif
