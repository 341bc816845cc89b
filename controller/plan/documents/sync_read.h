/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync_read: cases of sachet-sync/1 from a loaded file (config/conf.h, schema conf_sync), with the file's
 * `defaults` filled in, and locks from the command line. Memory is the caller's arena; texts point into the
 * struct conf, which must live as long. Any thread, never blocks.
 */
#ifndef CONTROLLER_PLAN_DOCUMENTS_SYNC_READ_H
#define CONTROLLER_PLAN_DOCUMENTS_SYNC_READ_H

#include "scheduler/sync.h"

struct conf;

/* All cases of the file, each checked (sync_check). E_INPUT, E_LIMIT with "file:line:column: case ID: ...";
 * E_MEMORY. */
int sync_read_cases(const struct conf *conf, struct arena *arena, struct sync_case **ret_cases,
                    size_t *ret_count, struct error *err);

/* "anchor=DATE", "fill=ID:DATE" or "qty=ID:UNITS". An ID may hold colons. E_ARG, E_MEMORY. */
int sync_read_lock(const char *text, struct arena *arena, struct sync_lock *ret_lock, struct error *err);

#endif
