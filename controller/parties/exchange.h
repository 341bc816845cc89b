/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange: one round of messages. Reads what came, lets waiting tasks rise, writes what the others must
 * hear.
 *
 * Each message that is read is one transaction, together with the mark that it was read; a file counts as a
 * whole or not at all. A message that was read before changes nothing. What cannot be read is put aside with
 * its reason, and the round goes on. Each request is written first and marked as sent after; a crash between
 * the two writes the same bytes again. So a round may be cut off anywhere and begun again.
 *
 * Blocks for store and port. One thread a store.
 */
#ifndef CONTROLLER_PARTIES_EXCHANGE_H
#define CONTROLLER_PARTIES_EXCHANGE_H

#include "controller/parties/task.h"

struct error;
struct partners;
struct port;
struct port_item;
struct store;

enum {
    EXCHANGE_DEPTH_MAX = 32,     /* of nested JSON */
    EXCHANGE_RESOURCES_MAX = 64, /* of one Bundle */
    EXCHANGE_WHY_BYTES = 600,
};

/* What happened, for whoever watches; each may be NULL. Texts are valid during the call. */
struct exchange_watch {
    void *data;
    void (*answered)(void *data, const char *file, const struct task *task, const char *what);
    void (*refused)(void *data, const char *file, const char *why);
    void (*wrote)(void *data, const char *name, const struct task *task);
    void (*unwritten)(void *data, const struct task *task, const char *why);
    /* Between reading and writing: what answers do elsewhere, and what must be asked now. Negative: stop. */
    int (*between)(void *data, struct error *err);
};

struct exchange_count {
    int files, answers, events, repeated, refused, orders; /* in */
    int raised;                                            /* levels */
    int written, unwritten;                                /* out */
    int plans;                                             /* care plans and packed rolls */
};

int exchange_run(struct store *store, const struct partners *partners, struct port *port,
                 const struct task_act *act, const struct exchange_watch *watch,
                 struct exchange_count *ret_count, struct error *err);
/* The two halves of a round. */
int exchange_read(struct store *store, const struct partners *partners, struct port *port,
                  const struct task_act *act, const struct exchange_watch *watch,
                  struct exchange_count *count, struct error *err);
int exchange_write(struct store *store, const struct partners *partners, struct port *port,
                   const struct task_act *act, const struct exchange_watch *watch,
                   struct exchange_count *count, struct error *err);

#endif
