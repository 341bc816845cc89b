/* SPDX-License-Identifier: Apache-2.0 */
/* shared: files beside the checkout (../shared, or the folder in SACHET_SHARED) that a test wants but does
 * not need: it skips where they are absent. */
#ifndef TESTS_SUPPORT_SHARED_H
#define TESTS_SUPPORT_SHARED_H

#include <stddef.h>

enum { SHARED_PATH_BYTES = 1024 };

/* The path of shared/RELATIVE, or NULL when there is none (said on stderr). */
const char *shared_path(const char *relative, char ret_path[SHARED_PATH_BYTES]);
/* The whole file, NUL behind it, for the caller to free; NULL as above. */
char *shared_read(const char *relative, size_t *ret_len);

#endif
