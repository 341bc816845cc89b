/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roll: the pouches of one cycle, laid out from slots, products and what is taken when.
 *
 * Days are logical days: they begin at `day_start`, and a slot after midnight belongs to the day before but
 * its pouch carries the civil date on which it is taken. What falls into one slot of one day goes into one
 * pouch, or into several parts of that slot when a limit is reached; never into another slot. The dose of one
 * product in one slot stays together unless it alone is more than a pouch holds. A product that must be alone
 * has its own pouch. Halves are pieces of their own: 1.5 is one whole and one half piece.
 *
 * All memory comes from the caller's arena. Pure, deterministic, any thread, never blocks.
 */
#ifndef SCHEDULER_ROLL_H
#define SCHEDULER_ROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct error;

enum {
    ROLL_DAYS_MAX = 366,
    ROLL_SLOTS_MAX = 96,
    ROLL_PRODUCTS_MAX = 64,
    ROLL_TAKES_MAX = 256,
    ROLL_POUCHES_MAX = 20000,
    ROLL_PARTS_MAX = 64,            /* pouches of one slot on one day */
    ROLL_AMOUNT_MILLI_MAX = 100000, /* of one take: 100 pieces */
};

enum roll_piece { ROLL_WHOLE, ROLL_HALF };

/* "whole", "half". */
const char *roll_piece_text(enum roll_piece piece);

/* What one pouch holds at most. */
struct roll_limits {
    int pieces_max;  /* > 0 */
    int entries_max; /* > 0; an entry is one product in one kind of piece: one bay of the machine */
    int lines_max;   /* label lines for products; 0: no limit */
};

/* The days on which something is taken. */
struct roll_pattern {
    int32_t first_day;
    int32_t last_day;   /* inclusive */
    int32_t anchor_day; /* every_days counts from here */
    int every_days;     /* >= 1 */
    unsigned weekdays;  /* bit 0 Monday .. bit 6 Sunday; 0: any */
};

struct roll_slot {
    int minute; /* after day_start, 0..1439; strictly rising from slot to slot */
};

struct roll_product {
    bool alone; /* shares its pouch with nothing else */
    int lines;  /* label lines that it needs in a pouch, 0..lines_max */
};

/* amount_milli of the product in the slot on each day of the pattern; a multiple of 500. */
struct roll_take {
    int product;
    int slot;
    int64_t amount_milli;
    struct roll_pattern pattern;
};

struct roll_request {
    int32_t start_day;
    int days;
    int day_start; /* clock minute 0..1439 */
    struct roll_limits limits;
    const struct roll_slot *slots;
    int slot_count;
    const struct roll_product *products; /* their order is the order within a pouch */
    int product_count;
    const struct roll_take *takes;
    int take_count;
};

struct roll_item {
    int product;
    enum roll_piece piece;
    int count;
};

struct roll_pouch {
    int number;  /* from 1, by civil date, time, part */
    int32_t day; /* civil date on which it is taken */
    int minute;  /* clock minute */
    int slot;
    int part;  /* 1..parts */
    int parts; /* pouches of this slot on this day */
    const struct roll_item *items;
    int item_count;
};

struct roll {
    const struct roll_pouch *pouches;
    int pouch_count;
};

bool roll_pattern_has(const struct roll_pattern *pattern, int32_t day);
/* Days of the pattern among start_day .. start_day + days - 1. */
int roll_pattern_count(const struct roll_pattern *pattern, int32_t start_day, int days);

/* Clock minute and the days after the logical day's date (0 or 1) of a slot. */
int roll_slot_clock(int day_start, int minute, int *ret_day_offset);

/*
 * Lays out the roll. E_ARG for a request outside its ranges, E_INPUT for an amount off the half grid, E_LIMIT
 * when a product's label lines or the number of pouches are over a limit, E_MEMORY. An empty roll is a valid
 * one.
 */
int roll_build(const struct roll_request *request, struct arena *arena, struct roll *ret_roll,
               struct error *err);

#endif
