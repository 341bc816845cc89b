/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report: the record of a batch: every pouch with what was expected and what was counted, from which lots,
 * with every attempt that was void and what replaced it, who signed, made and started it, on which machine.
 *
 * Everything comes from the store and is the same bytes for the same store. Times are UTC. A batch packed on
 * a simulated machine says SIMULATED on top. Reading only, blocks for the store. One thread a store.
 */
#ifndef CONTROLLER_REPORT_REPORT_H
#define CONTROLLER_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/pack/batch.h"

struct arena;
struct buf;
struct conf;
struct error;
struct store;

struct report_item {
    const char *code;
    const char *name;
    const char *piece; /* "whole", "half" */
    const char *lot;
    int64_t canister;
    int64_t bay;
    int64_t expected;
    int64_t counted; /* -1 not known yet */
};

/* One attempt at a pouch. */
struct report_fill {
    const char *token;
    const char *serial;
    const char *state; /* "intended", "good", "void", "cancelled" */
    const char *reason;
    const char *remake_of; /* token of the void attempt that it replaces, "" none */
    int64_t seq;
    int64_t intended_ms;
    int64_t result_ms;   /* 0 none */
    int64_t seal_min_dc; /* 0.1 degrees Celsius; with has_seal */
    int64_t seal_max_dc;
    bool has_seal;
    const struct report_item *items;
    size_t item_count;
};

struct report_pouch {
    int64_t position; /* in the batch, from 1 */
    const char *patient;
    const char *patient_name;
    int64_t plan;
    int64_t pouch;    /* in the roll */
    const char *date; /* YYYY-MM-DD */
    const char *time; /* HH:MM */
    const char *slot;
    const char *part; /* "1/2" */
    const char *state;
    const char *note;
    const struct report_fill *fills; /* in the order in which they were begun */
    size_t fill_count;
};

struct report_plan {
    int64_t id;
    int64_t version;
    const char *patient;
    const char *patient_name;
    const char *hash;      /* hex */
    const char *signed_by; /* name, "" none */
    const char *signed_login;
    const char *meaning;
    int64_t signed_ms;
};

/* Pieces of one drug over the whole batch. */
struct report_drug {
    const char *code;
    const char *name;
    const char *piece;
    int64_t expected; /* in good pouches, by the signed texts */
    int64_t counted;  /* in good pouches */
    int64_t voided;   /* counted into pouches that are void */
};

/* Who packed; "" for what the site does not say. */
struct report_pharmacy {
    const char *name, *address, *phone, *license;
};
/* The texts are the conf's. */
struct report_pharmacy report_pharmacy_of(const struct conf *site);

struct report {
    const struct report_pharmacy *pharmacy; /* set by whoever shows the report; NULL: left out */
    struct batch_info batch;
    const char *serials; /* machines that worked on it, by serial, ", " between */
    const struct report_plan *plans;
    size_t plan_count;
    const struct report_pouch *pouches;
    size_t pouch_count;
    const struct report_drug *drugs; /* by code, then piece */
    size_t drug_count;
    int64_t expected; /* pieces in good pouches, by the signed texts */
    int64_t counted;
    bool conserved;      /* each good job has one good pouch that holds what was signed, piece by piece */
    const char *finding; /* the first that does not add up, "" none */
};

/* Everything of one batch, in the arena. E_NOT_FOUND. */
int report_batch(struct store *store, int64_t batch, struct arena *arena, struct report *ret_report,
                 struct error *err);
void report_text(const struct report *report, struct buf *out);
/* One object, format "sachet-batch-record/1". E_MEMORY. */
int report_json(const struct report *report, struct buf *out, struct error *err);
/* Writes FOLDER/batch-N.txt and FOLDER/batch-N.json (the folder is made), each whole or not at all. */
int report_files(struct store *store, int64_t batch, const struct report_pharmacy *pharmacy,
                 const char *folder, struct error *err);

#endif
