/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_text: the canonical bytes of a plan (`sachet-plan/3`): what a pharmacist signs and what is packed.
 *
 * UTF-8, LF behind every line, no other control character, one space between fields, fixed order, one way to
 * write each plan. A "text" is quoted, with \" \\ and \n (label lines) as its only escapes; `-` stands for
 * none.
 *
 *   sachet-plan/3
 *   patient "SOURCE-ID" "NAME" born=DATE
 *   plan version=N start=DATE days=N day-start=HH:MM limits=PIECES/ENTRIES/LINES
 *   day wake=HH:MM breakfast=HH:MM lunch=- dinner=HH:MM bed=HH:MM own=no
 *   rules timing="VERSION" HASH packing="VERSION" HASH regimen=HASH
 *   jurisdiction CODE "VERSION" HASH
 *   edit ID KIND "SOURCE-ID" "VALUE" reason="TEXT" by=LOGIN
 *   override ID CODE "RULE" HASH red=no from=DATE until=DATE reason="TEXT" by=LOGIN second=-
 *   product CODE "NAME" strength="…" form="…" look="…" alone=no provisional=no row=HASH
 *   order ID "SOURCE-ID" version=N hash=HASH product=CODE state=included begins=DATE "DRUG" reason=""
 *   slot N HH:MM +0 NAME
 *   take ORDER-ID slot=N amount=1.5 first=DATE last=DATE every=1 anchor=DATE weekdays=- days=28
 *   note KIND ORDER-ID "TEXT"
 *   pouch N DATE HH:MM NAME 1/2 label="…" items=CODE:whole:2,CODE:half:1
 *   total CODE amount=42 whole=28 half=28
 *   end pouches=N pieces=N
 *
 * Edits and overrides stand by id, products and totals by code, orders by source id, slots by their time in
 * the logical day, takes by order, slot and first day, notes by kind, order and text, pouches by date, time
 * and part. Texts are sorted as bytes. Plans of the first format, `sachet-plan/1`, have no lines `day` and
 * `edit` and no notes of kind `switch`, those of the first and second no `jurisdiction` and `override`; they
 * are still read and written as they were.
 *
 * plan_text_parse takes exactly what plan_text_write gives. It checks the grammar, the order of the lines,
 * the references, that pouches are numbered 1..N, that pieces in the pouches add up to the totals, and that
 * the totals are what the takes say; last it writes the plan again and compares every byte. What it returns
 * points into the caller's arena. Pure, any thread, never blocks.
 */
#ifndef CONTROLLER_PLAN_PLAN_TEXT_H
#define CONTROLLER_PLAN_PLAN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/roll.h"

struct arena;
struct buf;
struct error;

enum {
    PLAN_TEXT_BYTES_MAX = 16 * 1024 * 1024,
    PLAN_ORDERS_MAX = 1024,
    PLAN_NOTES_MAX = 1024,
    PLAN_EDITS_MAX = 128,
    PLAN_JURISDICTION_BYTES_MAX = 16,
    PLAN_CODE_BYTES_MAX = 64,    /* of a product code: letters, digits and . _ + - */
    PLAN_NAME_BYTES_MAX = 512,   /* of a quoted text */
    PLAN_LABEL_BYTES_MAX = 4096, /* of a pouch's label */
    PLAN_HASH_BYTES = 32,
};

/* Stands in a warning that names a distance to something that is taken beside the pouches. */
#define PLAN_NOTE_OUTSIDE "taken outside the pouches"

#define PLAN_FORMAT_STEM "sachet-plan/"
enum { PLAN_FORMAT_FIRST = 1, PLAN_FORMAT_SECOND = 2, PLAN_FORMAT_NOW = 3 };

/* The patient's day that the times were planned for: clock minutes, REGIMEN_NONE (-1) for a meal that is not
 * eaten. */
struct plan_day {
    int wake, breakfast, lunch, dinner, bed;
    bool own; /* the patient's; else the site's ordinary day */
};

/* What a pharmacist asked of the plan; the kinds and their values stand in edit.h. */
enum plan_edit_kind {
    PLAN_EDIT_PIN,     /* a dose at a time */
    PLAN_EDIT_FORBID,  /* no dose in a span of the day */
    PLAN_EDIT_PRODUCT, /* another product of the same drug */
    PLAN_EDIT_SWITCH,  /* the distance at a change of plans is accepted */
    PLAN_EDIT_KINDS,
};

struct plan_edit {
    int64_t id;
    enum plan_edit_kind kind;
    const char *source_id; /* of the order; "" for all orders */
    const char *value;
    const char *reason;
    const char *login;
};

/* A pharmacist's word that a product may be packed which a packing rule leaves to him (override.h). */
struct plan_override {
    int64_t id;
    const char *product; /* code */
    const char *rule;
    uint8_t rule_hash[PLAN_HASH_BYTES]; /* of what the rule said */
    bool red;                           /* two persons stand for it */
    int32_t from_day, until_day;        /* on which it may be packed, both included */
    const char *reason;
    const char *login, *second; /* "" nobody */
};

struct plan_product {
    const char *code;
    const char *name;
    const char *strength;
    const char *form;
    const char *look;
    bool alone;
    bool provisional; /* derived from orders, nobody checked it */
    uint8_t row_hash[PLAN_HASH_BYTES];
};

/* What became of an order in this plan. */
enum plan_state {
    PLAN_INCLUDED, /* in the pouches */
    PLAN_APART,    /* taken, but not from a pouch: as needed, original pack, not packable */
    PLAN_WAITING,  /* left out until a pharmacist has decided */
    PLAN_STATES,
};

struct plan_order {
    int64_t id; /* order_version.id */
    const char *source_id;
    int version;
    uint8_t hash[PLAN_HASH_BYTES]; /* of the order's row, see order_row.h */
    const char *product;           /* code, or NULL */
    enum plan_state state;
    int32_t begins;     /* where its courses and rhythms count from, kept from plan to plan, so that none
                           begins twice; CIVIL_DAY_NONE only when not included */
    const char *drug;   /* the order's own words for it */
    const char *reason; /* "" only when included */
};

struct plan_slot {
    int number; /* from 1 */
    int minute; /* clock minute */
    int offset; /* 1: its pouch carries the next day's date */
    const char *name;
};

struct plan_take {
    int64_t order_id;
    int slot; /* plan_slot.number */
    int64_t amount_milli;
    struct roll_pattern pattern;
    int days; /* of the pattern within this cycle */
};

/* What the pharmacist is told, and therefore signs to have been told. */
enum plan_note_kind {
    PLAN_SWITCH,  /* the change from the plan before comes too near: must be answered before a signature */
    PLAN_WARNING, /* look at this first */
    PLAN_FLOOR,   /* why not fewer times a day */
    PLAN_WHY,     /* why a drug stands where it stands: rule, source */
    PLAN_NOTE_KINDS,
};

struct plan_note {
    enum plan_note_kind kind;
    int64_t order_id; /* 0: the plan as a whole */
    const char *text;
};

struct plan_item {
    const char *code;
    enum roll_piece piece;
    int count;
};

struct plan_pouch {
    int number;
    int32_t day; /* civil date on the label */
    int minute;  /* clock minute */
    const char *slot;
    int part;
    int parts;
    const char *label; /* lines with \n between them */
    const struct plan_item *items;
    size_t item_count;
    const char *line; /* the pouch's own line in the text, without its LF; NULL before it is written */
    size_t line_len;
};

struct plan_total {
    const char *code;
    int64_t amount_milli; /* from the takes: dose x days */
    int64_t whole;        /* pieces, from the pouches */
    int64_t half;
};

struct plan_text {
    int format;             /* PLAN_FORMAT_FIRST .. PLAN_FORMAT_NOW */
    const char *patient_id; /* patient.source_id */
    const char *patient_name;
    int32_t birth_day; /* or CIVIL_DAY_NONE */
    int version;
    int32_t start_day;
    int days;
    int day_start; /* clock minute at which a logical day begins */
    struct roll_limits limits;
    struct plan_day day; /* from format 2 on */
    const char *timing_version;
    uint8_t timing_hash[PLAN_HASH_BYTES];
    const char *packing_version;
    uint8_t packing_hash[PLAN_HASH_BYTES];
    uint8_t regimen_hash[PLAN_HASH_BYTES];
    const char *jurisdiction; /* code; from format 3 on, "" before */
    const char *jurisdiction_version;
    uint8_t jurisdiction_hash[PLAN_HASH_BYTES];
    const struct plan_edit *edits;
    size_t edit_count;
    const struct plan_override *overrides; /* from format 3 on */
    size_t override_count;
    const struct plan_product *products;
    size_t product_count;
    const struct plan_order *orders;
    size_t order_count;
    const struct plan_slot *slots;
    size_t slot_count;
    const struct plan_take *takes;
    size_t take_count;
    const struct plan_note *notes;
    size_t note_count;
    const struct plan_pouch *pouches;
    size_t pouch_count;
    const struct plan_total *totals;
    size_t total_count;
};

/* Adds the canonical text to out. E_INPUT or E_LIMIT for a plan that plan_text_parse would not take. */
int plan_text_write(const struct plan_text *plan, struct buf *out, struct error *err);
/* E_SYNTAX (message begins with the line's number), E_INPUT, E_LIMIT, E_VERSION, E_MEMORY. text may go away
 * afterwards. */
int plan_text_parse(const char *text, size_t len, struct arena *arena, struct plan_text **ret_plan,
                    struct error *err);

/* The checks behind parse and write, in memory: ranges, order, references, sums. */
int plan_text_check(const struct plan_text *plan, struct error *err);

/* BLAKE2b-256 of a pouch's line; its first four bytes are the machine's job hash. */
void plan_pouch_hash(const char *line, size_t len, uint8_t ret_hash[PLAN_HASH_BYTES]);

/* NULL when no product has the code. */
const struct plan_product *plan_text_product(const struct plan_text *plan, const char *code);

const char *plan_state_text(enum plan_state state);        /* "included", "apart", "waiting" */
const char *plan_note_kind_text(enum plan_note_kind kind); /* "switch", "warning", "floor", "why" */
const char *plan_edit_kind_text(enum plan_edit_kind kind); /* "pin", "forbid", "product", "switch" */
bool plan_edit_kind_parse(const char *text, enum plan_edit_kind *ret_kind);

#endif
