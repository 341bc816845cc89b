/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchor: a signed head of the audit chain for each day, kept outside the store.
 *
 * The chain shows a changed row, but not that the whole chain was written anew, nor that rows are missing at
 * its end because an older copy of the store was put in place. An anchor says "on this day row N had this
 * hash", signed with a key of the site. Anchors stand in the file STORE.anchors, one line each, which only
 * grows and which a site copies elsewhere now and then; the key lies in STORE.anchor-key (0600). Who can read
 * and write all three can forge them: the copy elsewhere is what that one cannot reach.
 *
 * Blocks for the disk and, when an anchor is made, a tenth of a second for the key. One thread a store.
 * seal_init() must have been called.
 */
#ifndef CONTROLLER_STORE_ANCHOR_H
#define CONTROLLER_STORE_ANCHOR_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct store;

enum { ANCHOR_LINES_MAX = 100000, ANCHOR_REASON_MIN = 10, ANCHOR_REASON_MAX = 200 };

#define ANCHOR_CLOCK_WORD "clock.ahead"

struct anchor_report {
    int64_t rows;        /* audit rows that hold */
    int64_t anchors;     /* lines that were checked */
    int32_t last_day;    /* of the newest anchor; CIVIL_DAY_NONE: none */
    int64_t set_back;    /* times that the clock was set back by more than AUDIT_BACK_MS */
    int64_t set_ahead;   /* words of people that it had been set ahead */
    int64_t restored_to; /* a restore that is on record took the rows behind this one away; 0: none did */
};

/*
 * An anchor that was made under a clock set ahead stands for a day that is yet to come, and none of the days
 * before it would get one. A person who saw that the clock was wrong says so: the word is a row of the chain
 * (ANCHOR_CLOCK_WORD, its detail the day that lies ahead and the reason), anchors of later days that are
 * older than it do not count any more for anchor_make, and anchor_verify compares them all the same. In a
 * transaction of its own. E_STATE when no anchor lies ahead, E_INPUT for a reason without 10 to 200 printable
 * characters or with quotes.
 */
int anchor_clock_word(struct store *store, const char *actor, const char *reason, int64_t wall_ms,
                      struct error *err);

/* Anchors the head of the chain unless that day has its anchor; makes the key when there is none. Not in a
 * write transaction. *ret_made (may be NULL) says whether one was made. */
int anchor_make(struct store *store, int64_t wall_ms, bool *ret_made, struct error *err);

/*
 * Walks the chain (audit_verify) and compares every anchor with it. E_TAMPERED: a row or an anchor was
 * changed, the chain was written anew, or it ends before an anchor although no restore is on record.
 */
int anchor_verify(struct store *store, struct anchor_report *ret_report, struct error *err);

#endif
