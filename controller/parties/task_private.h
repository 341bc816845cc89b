/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share of tasks; nobody else includes it. */
#ifndef CONTROLLER_PARTIES_TASK_PRIVATE_H
#define CONTROLLER_PARTIES_TASK_PRIVATE_H

#include "controller/parties/task.h"

/* E_ARG outside a write transaction: a programming error of the caller. */
int task_in_write(struct store *store, struct error *err);
/*
 * Writes what the task is now (state, level, revision, sent, note), its history row and its audit row.
 * `action` is the audit's word: "task.open".
 */
int task_store(struct store *store, const struct task_act *act, const struct task *task, const char *action,
               const char *why, struct error *err);
/* The revision was written out: the task is sent that far. */
int task_sent(struct store *store, const struct task_act *act, int64_t task, int revision, struct error *err);

#endif
