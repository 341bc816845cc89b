/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewed: a file with prescriptions that answer our requests, made ready for the intake.
 *
 * A prescription that renews or changes another one takes its place: the intake reads it as the next version
 * of that order, under that order's id, with its own id kept as an identifier (NamingSystem/prescription). So
 * nothing is planned twice, what was made for the same doses stays good, and repeats count from the answer on
 * (RENEWED_URL; controller/refill/authority.c). The intake may find that it cannot go into a pouch as it
 * stands; then the caller lets it come in as an order of its own (as_next), which waits for a person, and the
 * old one holds as long as it does.
 *
 * Only answers that stand are taken. Memory is the caller's arena until renewed_finish; blocks for the store.
 */
#ifndef CONTROLLER_PARTIES_RENEWED_H
#define CONTROLLER_PARTIES_RENEWED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct error;
struct partners;
struct store;

/* On a MedicationRequest: valueString is the instant, in ms since 1970, from which its repeats count. */
#define RENEWED_URL "urn:sachet:renewed"

enum { RENEWED_MAX = 64 };

struct renewed_one {
    int64_t task;
    const char *old_id; /* source id of the order it answers for; "" none is there */
    const char *new_id; /* its own */
    bool as_next;       /* as the next version of old_id */
    int64_t answered_ms;
};

struct renewed {
    struct renewed_one items[RENEWED_MAX];
    size_t count;
    void *root; /* json_t */
    const struct partners *partners;
};

/* E_SYNTAX, E_INPUT: no prescription for a task of ours whose answer it is and stands. */
int renewed_read(struct store *store, const struct partners *partners, const char *bytes, size_t len,
                 struct arena *arena, struct renewed *ret_renewed, struct error *err);
/* The file as the intake shall read it. E_MEMORY. */
int renewed_write(const struct renewed *renewed, struct buf *out, struct error *err);
void renewed_finish(struct renewed *renewed);

#endif
