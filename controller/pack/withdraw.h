/* SPDX-License-Identifier: Apache-2.0 */
/*
 * withdraw: pouches of a signed plan that shall not be made any more, because an order was stopped or changed
 * or a signature is void.
 *
 * A withdrawn pouch stays withdrawn: no later batch makes it; what is wanted instead is a new plan. What has
 * no number yet is cancelled at once. What is in the machine is cancelled at the next pouch edge by sachetd
 * (rule C8), and its result is reconciled as any other. What is made stays a fact: it must be pulled by a
 * person, and withdraw_list shows it until then. A pouch that the machine finished before it heard of the
 * withdrawal raises an alarm with its printed number.
 *
 * Blocks for the store, never for a machine. One thread a store.
 */
#ifndef CONTROLLER_PACK_WITHDRAW_H
#define CONTROLLER_PACK_WITHDRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct error;
struct store;

enum { WITHDRAW_REASON_BYTES_MAX = 256 };

/* X(name, text): where a pouch is. */
#define WITHDRAW_PLACE_TABLE(X)     \
    X(NOT_PACKED, "not packed")     \
    X(IN_MACHINE, "in the machine") \
    X(PACKED, "packed")

enum withdraw_place {
#define WITHDRAW_PLACE_ENUM(name, text) WITHDRAW_##name,
    WITHDRAW_PLACE_TABLE(WITHDRAW_PLACE_ENUM)
#undef WITHDRAW_PLACE_ENUM
        WITHDRAW_PLACES,
};

/* All conditions that are given must hold; with none, every pouch of the plan is meant. */
struct withdraw_request {
    int64_t plan;        /* plan.id */
    const char *product; /* pouches that hold this product code; NULL any */
    const char *order;   /* pouches that hold a dose of this order (its source id); NULL any */
    int32_t from_day;    /* pouches dated from this day on; CIVIL_DAY_NONE: all days */
    bool unmade_only;    /* those that are good already stay: whoever replaces the plan decides about them */
    const char *reason;  /* for people, not empty, no patient's name */
    const char *actor;   /* login */
    int64_t wall_ms;
};

struct withdraw_pouch {
    int number;  /* within the plan, from 1 */
    int32_t day; /* on the label; CIVIL_DAY_NONE when the plan's text cannot be read */
    int minute;  /* clock minute on the label */
    int64_t job; /* 0: in no batch that lives */
    int64_t batch;
    enum withdraw_place place; /* now */
    const char *token;         /* printed number of the pouch that is made or under way, "" none */
    const char *reason;
};

struct withdraw_result {
    const struct withdraw_pouch *pouches; /* by number */
    size_t count;
    size_t places[WITHDRAW_PLACES]; /* how many where */
};

/*
 * Runs inside the caller's write transaction, so that it becomes durable together with its cause. *ret_result
 * (in the arena) holds each pouch that the request meets, those withdrawn before included. Asking twice
 * changes nothing. E_ARG: no reason. E_NOT_FOUND: no such plan, or the plan has no such product or order.
 * A plan whose text cannot be read can only be withdrawn whole.
 */
int batch_withdraw(struct store *store, const struct withdraw_request *request, struct arena *arena,
                   struct withdraw_result *ret_result, struct error *err);
/* Every withdrawn pouch of the plan and where it is now. */
int withdraw_list(struct store *store, int64_t plan, struct arena *arena, struct withdraw_result *ret_result,
                  struct error *err);
const char *withdraw_place_text(enum withdraw_place place);

#endif
