/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agenda: one cycle as patient and caregiver need it: when the roll starts, what is in each pouch, what is
 * taken beside the pouches. As an iCalendar file (RFC 5545), as a page to print and as text.
 *
 * All of it is read from the plan's own text through the review, so that it says what was signed. Doses are
 * at floating local times: seven in the morning is seven wherever the patient is. An event's UID is made of
 * patient, date and time, its SEQUENCE is the plan's version, so that a newer version replaces the events of
 * an older one; those that it has no more are sent once again as cancelled.
 *
 * Memory is the caller's arena; agenda_load blocks for the store, the writers are pure.
 */
#ifndef CONTROLLER_PARTIES_AGENDA_H
#define CONTROLLER_PARTIES_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/review/review.h"

struct arena;
struct buf;
struct conf;
struct error;
struct store;

/* "Friday 27 November 2026" */
enum { AGENDA_DATE_BYTES = 40 };
void agenda_date(int32_t day, char ret_text[AGENDA_DATE_BYTES]);

struct agenda_item {
    const char *name;
    const char *look;
    int whole, half;
};

/* What is taken from the pouches at one time of one day. */
struct agenda_event {
    int32_t day; /* civil date */
    int minute;
    const char *slot;
    int pouches;
    struct agenda_item *items;
    size_t item_count;
    bool gone; /* of an older version that was signed, not of this one */
};

struct agenda {
    struct review review;
    const char *pharmacy, *phone;
    const char *host;            /* of UIDs */
    int32_t next_day;            /* first day of the roll after this one; CIVIL_DAY_NONE: none is known */
    const char **instructions;   /* [drug of the review]: the prescriber's own words, "" none */
    struct agenda_event *events; /* by day and minute */
    size_t event_count;
};

/* "" for a signed plan that holds; else what stands on top of it: a draft, or one that is out of date. */
const char *agenda_banner(const struct agenda *agenda);

/* The cycle of a plan. */
int agenda_load(struct store *store, const struct conf *site, int64_t plan, struct arena *arena,
                struct agenda *ret_agenda, struct error *err);

/* wall_ms: DTSTAMP. E_MEMORY shows as out->failed in all three. */
void agenda_to_ics(const struct agenda *agenda, int64_t wall_ms, struct buf *out);
/* One file without anything from elsewhere; prints on A4 and Letter. */
void agenda_to_html(const struct agenda *agenda, struct buf *out);
void agenda_to_text(const struct agenda *agenda, struct buf *out);

#endif
