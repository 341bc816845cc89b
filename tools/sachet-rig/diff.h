/* SPDX-License-Identifier: Apache-2.0 */
/* diff: the first difference of two event logs, in words. Pure, any thread. */
#ifndef TOOLS_SACHET_RIG_DIFF_H
#define TOOLS_SACHET_RIG_DIFF_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* True: they are the same, byte for byte. Else a few lines in out say where and how they part. Texts are
 * NUL-ended NDJSON. */
bool diff_logs(const char *first, const char *second, struct buf *out);

#endif
