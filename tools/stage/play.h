/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play: runs one scenario on a stage from beginning to end, and says whether what had to come of it did.
 *
 * The store is a small pharmacy of its own in a folder for a while; nothing else is touched. The same
 * scenario and seed give the same event log, byte for byte. One thread; blocks for the folder's disk, so put
 * TMPDIR into memory where many are run.
 */
#ifndef TOOLS_STAGE_PLAY_H
#define TOOLS_STAGE_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/base/buf.h"

struct error;
struct machine;
struct scenario;

enum { PLAY_WHY_BYTES = 600 };

/* How far a long run has come. */
struct play_look {
    int64_t ran_ms; /* mechanics */
    int64_t good;
    int64_t voids;
    unsigned crashes;   /* of the controller */
    uint32_t boots;     /* of the machine */
    unsigned visits;    /* of a person, because the batch had stopped */
    size_t truth_bytes; /* that the hidden truth takes: it grows with the pouches */
};

struct play_options {
    bool other_seed;
    uint64_t seed; /* instead of the scenario's own */
    bool keep_log;
    /* A long run: the batch is made long enough for so much of the mechanics' time and then cancelled; 0: as
     * the scenario says. each_hour is called after each hour of it, and may be NULL. */
    int64_t soak_ms;
    void (*each_hour)(void *data, const struct play_look *look);
    void *data;
    /* For tests of the judge: between packer and machine, and in the store before it is judged. */
    struct machine *(*wrap)(void *data, struct machine *inner);
    void *wrap_data;
    const char *falsify; /* one SQL statement; NULL none */
};

struct play_result {
    bool passed;
    char why[PLAY_WHY_BYTES]; /* the first things that were not as expected; "" passed */
    uint64_t seed;
    int64_t jobs;
    int64_t good;
    int64_t voids;
    int64_t slips;
    int64_t
        drift; /* pieces by which the truth lies outside of what the books hold for possible, at the end */
    int64_t beyond;    /* pieces by which books and truth differ then, within their doubts or not */
    int64_t doubt;     /* width of all doubts then */
    unsigned counts;   /* of all canisters, by a person */
    int64_t corrected; /* pieces that those counts put right */
    int64_t ran_ms;    /* on the virtual clock */
    uint64_t events;   /* of the machine */
    struct play_look end;
    uint64_t requests;
    struct buf log; /* NDJSON, with keep_log */
};

/* 0 when it could be run, passed or not; negative: environment or scenario. play_finish in any case. */
int play(const struct scenario *scenario, const struct play_options *options, struct play_result *ret_result,
         struct error *err);
void play_finish(struct play_result *result);

#endif
