/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON piece by piece into a buf. */
#ifndef CONTROLLER_PLAN_DOCUMENTS_JSON_WRITE_H
#define CONTROLLER_PLAN_DOCUMENTS_JSON_WRITE_H

struct buf;

/* The text in quotes, escaped. It must be UTF-8. */
void json_write_text(struct buf *out, const char *text);

#endif
