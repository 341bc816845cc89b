/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch: a folder of its own for a test, under TMPDIR or /tmp, gone afterwards. For cmocka: a folder that
 * cannot be made fails the test.
 */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

enum { SCRATCH_PATH_BYTES = 256 };

struct scratch {
    char folder[SCRATCH_PATH_BYTES];
};

void scratch_init(struct scratch *scratch);
/* Removes the folder and all in it. */
void scratch_finish(struct scratch *scratch);
/* FOLDER/name in ret_path[SCRATCH_PATH_BYTES]. */
const char *scratch_path(const struct scratch *scratch, const char *name, char ret_path[SCRATCH_PATH_BYTES]);
/* Writes text into FOLDER/name and gives its path as scratch_path. */
const char *scratch_write(const struct scratch *scratch, const char *name, const char *text,
                          char ret_path[SCRATCH_PATH_BYTES]);

#endif
