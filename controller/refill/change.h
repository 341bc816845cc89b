/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change: what happens in the middle of a cycle, and which pouches it hits.
 *
 * A change is a fact (refill_event) and has its effect in the same transaction: pouches that must not be
 * taken any more are withdrawn, so that packing stops at the next pouch edge, and those that are made are
 * called back (pouch_recall). What is to be packed instead follows from the calendar (cycle_plan): a plan
 * over the rest of the cycle, of which pouches that are made already and read the same are kept and the
 * others are the replacement strip. A pharmacist signs it as any other.
 *
 * Blocks for the store, never for a machine. One thread a store.
 */
#ifndef CONTROLLER_REFILL_CHANGE_H
#define CONTROLLER_REFILL_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/refill/record.h"

struct arena;
struct error;
struct policy;
struct refill_site;
struct store;

/* X(name, word of command and store, of one order: yes/may/no, hits, agree: a pharmacist must inside the
 * freeze days, what the day means and what follows) */
#define CHANGE_TABLE(X)                                                                           \
    X(NEW, "new", CHANGE_ORDER, CHANGE_HITS_NONE, true,                                           \
      "a drug begins: the day on which it is needed; a short fill brings it to the anchor")       \
    X(STOP, "stop", CHANGE_ORDER, CHANGE_HITS_ORDER, true,                                        \
      "a drug is stopped: the first day without it; pouches that hold it are withdrawn")          \
    X(DOSE, "dose", CHANGE_ORDER, CHANGE_HITS_ORDER, true,                                        \
      "a dose changed: the first day of the new one; pouches that hold the drug are withdrawn")   \
    X(HOSPITAL, "hospital", CHANGE_PATIENT, CHANGE_HITS_ALL, false,                               \
      "the patient is in hospital from that day on: nothing is packed or shipped")                \
    X(DISCHARGE, "discharge", CHANGE_PATIENT, CHANGE_HITS_NONE, false,                            \
      "the patient comes home that day: rolls begin again")                                       \
    X(LOST, "lost", CHANGE_MAYBE, CHANGE_HITS_LOST, false,                                        \
      "supply is lost: without an order the pouches from that day on, with one its loose pieces") \
    X(CLAIM_REJECTED, "claim-rejected", CHANGE_ORDER, CHANGE_HITS_NONE, false,                    \
      "the payer rejected the claim as too soon: the day from which it pays")                     \
    X(OVERRIDE_GRANTED, "override-granted", CHANGE_ORDER, CHANGE_HITS_NONE, false,                \
      "the payer waives refill-too-soon for the next fill")                                       \
    X(PRIOR_AUTH, "prior-auth", CHANGE_ORDER, CHANGE_HITS_NONE, false,                            \
      "a prior authorisation covers the drug up to that day")                                     \
    X(RENEWAL_DENIED, "renewal-denied", CHANGE_ORDER, CHANGE_HITS_NONE, false,                    \
      "no new prescription will come: the drug ends with what is covered")                        \
    X(ANCHOR, "anchor", CHANGE_PATIENT, CHANGE_HITS_NONE, true,                                   \
      "the patient wants another day: a day on which a cycle begins")

enum change_kind {
#define CHANGE_ENUM(name, word, of, hits, agree, doc) CHANGE_##name,
    CHANGE_TABLE(CHANGE_ENUM)
#undef CHANGE_ENUM
        CHANGE_KINDS
};
enum change_of { CHANGE_PATIENT, CHANGE_ORDER, CHANGE_MAYBE };
enum change_hits { CHANGE_HITS_NONE, CHANGE_HITS_ORDER, CHANGE_HITS_ALL, CHANGE_HITS_LOST };

struct change_row {
    const char *word;
    enum change_of of;
    enum change_hits hits;
    bool agree;
    const char *doc;
};
extern const struct change_row change_rows[CHANGE_KINDS];
bool change_parse(const char *word, enum change_kind *ret_kind);

/* Where a pouch is. X(name, text) */
#define CHANGE_PLACE_TABLE(X)       \
    X(NOT_PACKED, "not packed")     \
    X(IN_MACHINE, "in the machine") \
    X(ON_SHELF, "on the shelf")     \
    X(SHIPPED, "shipped")
enum change_place {
#define CHANGE_PLACE_ENUM(name, text) CHANGE_PLACE_##name,
    CHANGE_PLACE_TABLE(CHANGE_PLACE_ENUM)
#undef CHANGE_PLACE_ENUM
        CHANGE_PLACES
};
const char *change_place_text(enum change_place place);

struct change_pouch {
    int64_t plan;
    int64_t batch; /* 0: in none */
    int64_t job;   /* 0: in no batch */
    int number;    /* within the roll */
    int32_t day;   /* on the label */
    int minute;
    enum change_place place;
    const char *token;  /* printed number, "" none */
    const char *reason; /* of a recall */
};

struct change_request {
    int64_t patient;
    enum change_kind kind;
    const struct record_order *order; /* as change_row.of says */
    int32_t day;
    const char *source; /* what it came from; the same source is noted once */
    bool pharmacist;    /* the actor is one, and showed it */
    bool imported;      /* an order says so: the prescriber's word needs no agreement */
};

struct change_made {
    int64_t event;
    bool is_new; /* false: it was noted before, nothing was done again */
    const struct change_pouch *pouches;
    size_t count;
    size_t places[CHANGE_PLACES];
};

/*
 * Notes the change, withdraws and calls back; in a write transaction of its own. by->reason is asked for by
 * stop, dose and anchor. E_DENIED inside the freeze days without a pharmacist. E_INPUT, E_NOT_FOUND.
 */
int change_make(struct store *store, const struct refill_site *site, const struct change_request *request,
                const struct record_by *by, struct arena *arena, struct change_made *ret_made,
                struct error *err);

/*
 * Compares the patient's current orders with the last signed plan and notes what imported orders changed:
 * stopped, another dose, new. *ret_made gathers the pouches of all. Asking again changes nothing.
 */
int change_notice(struct store *store, const struct policy *policy, const struct refill_site *site,
                  int64_t patient, const struct record_by *by, struct arena *arena,
                  struct change_made *ret_made, int *ret_changes, struct error *err);

/* change_notice for each patient with an order that was imported at since_ms or later and a signed plan that
 * is not over. */
int change_notice_since(struct store *store, const struct policy *policy, const struct refill_site *site,
                        int64_t since_ms, const struct record_by *by, int64_t *ret_changes,
                        int64_t *ret_pouches, struct error *err);

/*
 * Settles which made pouches serve in the patient's signed plans, each for its days, and calls back those of
 * its days that do not. In a write transaction of its own; again changes nothing. *ret_kept, *ret_called (may
 * be NULL) count what is new.
 */
int change_settle(struct store *store, int64_t patient, const struct record_by *by, int *ret_kept,
                  int *ret_called, struct error *err);
/* The same for every patient with a signed plan that is not packed whole. */
int change_settle_all(struct store *store, const struct record_by *by, struct error *err);

/* Made pouches that must not be taken and that nobody has in hand yet; patient 0: of all. */
int pull_list(struct store *store, int64_t patient, struct arena *arena,
              const struct change_pouch **ret_pouches, size_t *ret_count, struct error *err);
/* Somebody has them, or saw them destroyed. tokens NULL: all of the patient's. E_NOT_FOUND for a token that
 * is not to be pulled. Within the caller's write transaction. */
int pull_done(struct store *store, int64_t patient, const char *const *tokens, size_t token_count,
              const struct record_by *by, int64_t *ret_count, struct error *err);

#endif
