/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refill_private: the accounts of products behind a case, shared by the files of this room. All memory is the
 * arena's of the refill.
 */
#ifndef CONTROLLER_REFILL_REFILL_PRIVATE_H
#define CONTROLLER_REFILL_REFILL_PRIVATE_H

#include "config/base/civil.h"
#include "controller/refill/refill.h"

enum {
    REFILL_PRODUCTS_MAX = SYNC_DRUGS_MAX,
    REFILL_STAYS_MAX = 32, /* hospital stays that are looked at */
};

/* Pieces that came or lie on a day. */
struct supply_in {
    int32_t day;
    int32_t days; /* that it is meant for; SYNC_NONE */
    int64_t milli;
    int64_t at_ms; /* when it was recorded */
    int64_t plan;  /* of a pouch or a fill */
    int nth;       /* of a fill: which bill of its order and day it is, from 0 */
    const char *order;
};

struct supply_list {
    struct supply_in *item;
    size_t count, cap;
};

struct account {
    const char *code;
    enum refill_basis basis;
    int32_t basis_day;
    int64_t basis_milli;
    int32_t basis_until; /* ASSUMED */
    int64_t basis_ms;
    struct supply_list apart;   /* dispensed apart: goes home loose */
    struct supply_list fills;   /* for rolls */
    struct supply_list pouches; /* live ones */
    struct supply_list made;    /* in good pouches that were not called back: live and lost ones */
    int32_t *due;               /* [day - book.first_day]: milli-pieces of all its orders */
    int64_t loose_milli;        /* at the start of today, see supply_settle */
    int64_t held_milli;
    int64_t late_milli; /* of what is held: dated ahead, */
    int32_t late_day;   /* and not to be had before that day */
};

struct stay {
    int32_t from, until; /* until: the day of discharge, INT32_MAX: not known */
};

/* One thing told about an order, newest last. */
struct told {
    const char *kind;
    const char *order;
    int32_t day, recorded_day;
    int64_t recorded_ms;
};

struct book {
    struct store *store;
    struct arena *arena;
    struct error *err;
    const struct refill_site *site;
    struct refill *refill;
    int64_t patient;
    int32_t today;
    bool rolls;        /* some roll was made for the patient, whatever became of it */
    int32_t first_day; /* of the due tables */
    int day_count;
    struct account *accounts;
    size_t account_count;
    struct stay stays[REFILL_STAYS_MAX];
    size_t stay_count;
    struct told *told;
    size_t told_count, told_cap;
};

/* facts.c: everything that the store knows, into the accounts and the list of what was told. */
int facts_load(struct book *book);
struct account *account_of(const struct book *book, const char *code);
/* How many bills of the order on the day are facts. */
int bill_count(const struct account *account, const char *order, int32_t day);
/* The newest thing of a kind that was told of an order, NULL: none. */
const struct told *told_of(const struct book *book, const char *kind, const char *order);
/* Where the courses of an order count from. */
int32_t order_begins(const struct book *book, const struct input_order *order);

/* supply.c: the due tables of all accounts; then loose and held supply at the start of today. */
int supply_settle(struct book *book);
/*
 * A look ahead, day by day. A day with a pouch needs nothing else. The others are taken from what is loose,
 * and from what comes loose on its day, up to the first dose for which that is not enough: from there on
 * pouches are packed of what is held, and a rest at home that is less than a dose stays there.
 */
enum supply_source { SUPPLY_NOT_DUE, SUPPLY_POUCH, SUPPLY_HOME, SUPPLY_HELD, SUPPLY_NOTHING };
struct supply_walk {
    const struct book *book;
    const struct account *account;
    int64_t loose_milli, held_milli, late_milli;
    const struct supply_list *apart, *rolls; /* what will come, loose or for rolls; NULL: nothing */
    int32_t held_from;                       /* nothing is packed for the days before */
    bool from_home;
};
struct supply_walk supply_walk(const struct book *book, const struct account *account, int64_t loose_milli,
                               int64_t held_milli);
/* Days in order, none left out. */
enum supply_source supply_step(struct supply_walk *walk, int32_t day);
/* The first day from `from` on for which there is nothing; first_day + day_count when it lasts that long. */
int32_t supply_end(const struct book *book, const struct account *account, int32_t from, int64_t loose_milli,
                   int64_t held_milli);
/* The day from which a new drug is needed, CIVIL_DAY_NONE: nobody spoke of one, or the product was there
 * before. */
int32_t supply_begins(const struct book *book, const struct account *account, const char *order);
/* The day on which an order was stopped by somebody's word, and not begun anew since; CIVIL_DAY_NONE. */
int32_t supply_stops(const struct book *book, const char *order);
int32_t supply_due(const struct book *book, const struct account *account, int32_t day);

bool supply_add(struct arena *arena, struct supply_list *list, struct supply_in in);

#endif
