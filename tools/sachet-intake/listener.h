/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener: HL7 v2 over MLLP on one port of this machine's own loopback.
 *
 * MLLP has neither encryption nor login, so no other address is taken: a sender elsewhere comes through a TLS
 * tunnel (stunnel) that ends here. One message at a time on each connection: it is stored, read, answered;
 * only then is the next one taken from the socket. A message that could not be stored gets no answer, and its
 * connection is closed: the sender sends again. Limits are named below; who passes one is told why in the log
 * and disconnected.
 *
 * Lives in the caller's event loop; a callback blocks for the store. One thread.
 */
#ifndef TOOLS_SACHET_INTAKE_LISTENER_H
#define TOOLS_SACHET_INTAKE_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct error;
struct intake_import;
struct listener;
struct loop;

enum {
    LISTENER_CONNECTIONS_MAX = 16,
    LISTENER_FRAME_MS = 30000,  /* from a frame's first byte to its last */
    LISTENER_ANSWER_MS = 30000, /* until the sender took the answer */
    LISTENER_IDLE_MS = 3600000, /* between messages: senders keep their connections */
};

struct listener_params {
    struct loop *loop;
    struct clock *clock;
    const char *address; /* numeric, loopback */
    int port;            /* 0: any free one */
    const char *processing;
    int64_t frame_ms, answer_ms, idle_ms; /* 0: the limits above */
    /* The import of one message: store, policy and actor are set; time and day are set for each. */
    struct intake_import *import;
    int32_t (*today)(void); /* the site's day now */
    /* What follows from a message that was stored, before it is answered; NULL: nothing. */
    int (*stored)(void *data, const struct intake_import *import, struct error *err);
    void *data;
};

struct listener *listener_create(const struct listener_params *params, struct error *err);
/* Closes everything. NULL is allowed. */
void listener_destroy(struct listener *listener);
int listener_port(const struct listener *listener);
/* The store is broken: nothing more may be taken, the program must end. */
bool listener_broken(const struct listener *listener);
int64_t listener_answered(const struct listener *listener);

#endif
