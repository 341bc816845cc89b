/* SPDX-License-Identifier: Apache-2.0 */
/*
 * life: one patient's days through the real program, and a ledger of its own that looks at every one of them.
 *
 * The program's side is a store on disk: orders, counts, plans by the calendar, signatures, batches,
 * handover, changes. Only the machine is left out: a batch is packed by marking its jobs made. The ledger's
 * side knows nothing of plans and calendars. It holds what therapy the script says, what pieces came into the
 * house (loose) and which pouches lie there, and each day asks: is every dose there, is it there once, and
 * was anything billed too early, or packed that was never billed. Breaches are counted and told; a test
 * decides.
 */
#ifndef TESTS_UNIT_REFILL_LIFE_H
#define TESTS_UNIT_REFILL_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/refill/change.h"
#include "controller/refill/cycle.h"
#include "controller/refill/refill.h"
#include "tests/support/clinic.h"

enum { LIFE_DRUGS_MAX = 12, LIFE_DAYS_MAX = 400, LIFE_BILLS_MAX = 400, LIFE_TEXT_BYTES = 200 };

/* What may go wrong in the ledger. */
enum life_breach {
    LIFE_GAP,    /* a dose is due and is not there, and nothing but the program stands in its way */
    LIFE_SILENT, /* a dose is due and is not there, and the program did not say so before */
    LIFE_WRONG,  /* a pouch holds another amount than the dose, or a drug that is not taken */
    LIFE_DOUBLE, /* the dose is there twice: in pouches, or in a pouch while loose supply was to be used up */
    LIFE_EARLY,  /* a controlled drug was billed before its time, without an override */
    LIFE_UNBILLED,     /* more was packed than was billed */
    LIFE_UNAUTHORISED, /* billed beyond what the prescriptions allow */
    LIFE_BREACHES,
};
const char *life_breach_text(enum life_breach breach);

/* The checker must see these: what goes wrong in the house, and what the program would do if it forgot one of
 * its facts (the row that holds it is taken away). */
enum life_mutant {
    LIFE_AS_IS,
    LIFE_LOSE_A_POUCH,
    LIFE_TAKE_RECALLED,
    LIFE_PACK_TWICE,
    LIFE_BILL_EARLY,
    LIFE_SHIP_LATE,
    LIFE_FORGET_BRIDGE,
    LIFE_FORGET_HANDOVER,
    LIFE_FORGET_RECALL, /* pouches that a change hit stay good */
    LIFE_FORGET_BILL,   /* what is held of a fill is packed again without a new one */
    LIFE_COUNT_TWICE,   /* what is at home counts twice */
    LIFE_MUTANTS,
};

struct life_drug {
    char order[24], product[24];
    int pieces;          /* a day */
    int32_t from, until; /* therapy, until exclusive; from INT32_MAX: never begun */
    bool controlled;
    int32_t fills; /* authority in fills of fill_days; 0: no limit */
    int fill_days;
    int64_t loose;       /* milli-pieces at home beside the pouches */
    int64_t override_ms; /* when the last one was granted */
    int64_t authorised;  /* pieces, all prescriptions; 0: no limit */
    int64_t billed;      /* milli-pieces */
    int idle_days, gap_days;
    bool denied;
    bool payer_is_hard;                     /* grants no override */
    int32_t asked_for;                      /* the day for which an override was asked last */
    int32_t told_from, told_until, told_on; /* a gap that the product tells of, and since when */
};

struct life {
    struct clinic clinic;
    struct refill_site site;
    int64_t patient;
    int32_t first_day, today;
    int64_t moment;
    struct life_drug drugs[LIFE_DRUGS_MAX];
    int drug_count;
    int32_t hospital_from, hospital_until; /* INT32_MAX: not known */
    int32_t wanted_from;                   /* pouches, by the calendar */
    bool dirty, disturbed;                 /* something happened that was not looked at; today */
    enum life_mutant mutant;
    int plans, batches, handovers, bridges;
    int breaches[LIFE_BREACHES];
    char first_breach[LIFE_TEXT_BYTES];
    bool verbose;
};

void life_init(struct life *life, const char *first_day, int cycle_days);
void life_finish(struct life *life);
/* After the last one. */
void life_end(void);

/* A drug as prescribed, and taken by the patient from `from` on. loose: pieces that the patient has and that
 * are counted; -1: nobody knows, and there is enough until the first roll. */
struct life_drug *life_prescribe(struct life *life, const char *name, int pieces, int32_t from, int fills,
                                 int fill_days, bool controlled, int loose);
/* Events of today; each does what people and program would do. */
void life_stop(struct life *life, struct life_drug *drug, int32_t day);
void life_dose(struct life *life, struct life_drug *drug, int pieces);
void life_hospital(struct life *life);
void life_discharge(struct life *life);
void life_lose_pouches(struct life *life);
void life_anchor(struct life *life, int32_t day);
void life_reject(struct life *life, struct life_drug *drug, int32_t until);
void life_override(struct life *life, struct life_drug *drug);
void life_renew(struct life *life, struct life_drug *drug, int fills);
void life_deny(struct life *life, struct life_drug *drug);

/* The rest of the day: plan, sign, pack and ship what is due, hand out bridges, then live the day. */
void life_day(struct life *life);
int life_breaches(const struct life *life);

#endif
