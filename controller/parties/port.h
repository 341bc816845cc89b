/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port: where messages leave and arrive. One struct of functions; the first adapter are two folders
 * (port_folder.c). An adapter owns what it opened until destroy. One thread; may block for its disk or wire.
 *
 * Writing: a message has a name; writing it again replaces it by the same bytes. A reader sees it whole or
 * not at all. Reading: each item is handed out until it is settled; what was refused is kept with its reason.
 * What holds a prescription waits in a queue of its own (PORT_ORDER) until it was imported.
 */
#ifndef CONTROLLER_PARTIES_PORT_H
#define CONTROLLER_PARTIES_PORT_H

#include <stdbool.h>
#include <stddef.h>

struct error;

enum {
    PORT_NAME_BYTES = 256,
    PORT_ITEM_BYTES_MAX = 1024 * 1024, /* of one message that is read */
    PORT_ITEMS_MAX = 10000,            /* of one look into the inbox; the rest comes with the next */
};

enum port_fate {
    PORT_DONE,    /* read: put away */
    PORT_REFUSED, /* put aside with its reason, for a person */
    PORT_ORDER,   /* read, and it holds a prescription that the intake must import */
};

struct port_item {
    char name[PORT_NAME_BYTES];
    char *bytes; /* NULL when it cannot be read: then `trouble` says why */
    size_t len;
    const char *trouble;
    bool order; /* from the queue of prescriptions */
};

struct port {
    /* 0 when it is durable. */
    int (*write)(struct port *port, const char *name, const void *bytes, size_t len, struct error *err);
    /* 1: *ret_item is the next one in order of names, valid until the next call; 0: no more. */
    int (*next)(struct port *port, struct port_item *ret_item, struct error *err);
    /* The same for what was settled as PORT_ORDER, in this round or before. */
    int (*next_order)(struct port *port, struct port_item *ret_item, struct error *err);
    /* reason: for PORT_REFUSED. */
    int (*settle)(struct port *port, const struct port_item *item, enum port_fate fate, const char *reason,
                  struct error *err);
    void (*destroy)(struct port *port);
};

/* Folders, made where they are missing: inbox/done, inbox/refused, inbox/orders. NULL: err says why. */
struct port *port_folder_create(const char *outbox, const char *inbox, struct error *err);
/* NULL is allowed. */
void port_destroy(struct port *port);

#endif
