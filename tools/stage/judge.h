/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge: compares what really happened in a simulated machine with what the store says of it.
 *
 * What must hold after every run, whatever went wrong on the way:
 *   - every job has at most one good pouch, and exactly one when the batch is done; no number was made twice;
 *   - every pouch that exists and is not good is void in the store, and every good pouch of the store exists;
 *   - what left the machine as good is good in the store: else two pouches of one job would be about;
 *   - a good pouch really holds the pieces that its line of the signed plan asks for, by product and piece,
 *     whole, sealed warm, and bears its own number; its hash is that of the signed line;
 *   - what was counted into pouches is what left the books, and nothing is left open;
 *   - what left a canister in truth is what left its books, but for what the books say that they cannot know
 *     (controller/stock/doubt.h): the truth lies between their bounds, and is equal where no doubt is open;
 *   - the audit chain holds.
 * A pouch that is good by the store and wrong in truth is a slip; slips are counted apart, because some
 * scenarios show a hazard that the present sensors cannot see.
 *
 * Reads only. One thread.
 */
#ifndef TOOLS_STAGE_JUDGE_H
#define TOOLS_STAGE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/base/buf.h"

struct error;
struct store;
struct world;

struct judge_case {
    struct store *store;
    const struct world *world; /* made with keep_truth */
    const char *serial;        /* of the machine */
    int64_t batch;
    bool complete; /* every job must be good */
    bool open;     /* a person has yet to act: numbers may wait for their result, pouches in doubt too */
};

struct judgement {
    int64_t jobs;
    int64_t good;  /* by the store */
    int64_t voids; /* by the store */
    int64_t slips;
    int64_t findings; /* beside the slips */
    int64_t pieces;   /* that really fell into pouches */
    int64_t beyond;   /* pieces by which books and truth differ, all canisters */
    int64_t doubt;    /* pieces between least and most of what the books say that they cannot know */
    int64_t drift;    /* pieces by which the truth lies outside of that */
    struct buf text;  /* a line a finding or slip */
};

/* 0, whatever was found; negative: the store cannot be read. judge_finish in any case. */
int judge(const struct judge_case *c, struct judgement *ret_judgement, struct error *err);
void judge_finish(struct judgement *judgement);

#endif
