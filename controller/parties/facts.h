/* SPDX-License-Identifier: Apache-2.0 */
/*
 * facts: the small JSON objects of tasks and answers, checked against the table task_facts and written in one
 * way (sorted keys, no blanks), so that the same facts are the same bytes. Pure, any thread.
 */
#ifndef CONTROLLER_PARTIES_FACTS_H
#define CONTROLLER_PARTIES_FACTS_H

#include "controller/parties/kind.h"

struct arena;
struct error;

/* The canonical form of a facts object, in the arena; NULL reads as {}. E_INPUT names the key, E_SYNTAX,
 * E_LIMIT, E_MEMORY. */
int facts_read(const char *json, struct arena *arena, const char **ret_facts, struct error *err);
/* What a task of this kind cannot do without. E_INPUT names what is missing. */
int facts_needed(enum task_kind kind, const char *facts, struct error *err);

#endif
