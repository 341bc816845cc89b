/* SPDX-License-Identifier: Apache-2.0 */
/* states_page: every state machine of the line, the alarms and the stack light as Markdown, drawn from the
 * tables that the program runs on. Any thread. */
#ifndef CONTROLLER_PACK_STATES_PAGE_H
#define CONTROLLER_PACK_STATES_PAGE_H

struct buf;

/* What stands in controller/pack/states.md (a test compares). */
void states_page(struct buf *out);

#endif
