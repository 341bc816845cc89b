/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sachet-sync/1: cases for the refill synchroniser (scheduler/sync-format.md). Unlike the other formats it is
 * no site's configuration but data, written by programs and tests as often as by people, so the same keys may
 * stand in a case and, once for all, under `defaults`. Whoever reads the cases merges the two
 * (controller/plan/documents/sync_read.h); here stand the types and ranges.
 */
#include "config/conf.h"

static const char *const schedules[] = {"0", "2", "3", "4", "5", NULL};

#define RANGE(least, most) .range = true, .min = (least), .max = (most)
/* What counts where neither a case nor `defaults` says anything stands as the preset under `defaults` only: a
 * preset of the case itself would hide the file's own defaults. */
#define BUILT_IN(value)  .preset = (value)
#define NO_PRESET(value) .example = (value)

/* clang-format off */
#define DAYS(name, least, most, value, text) \
    {.path = (name), .type = CONF_INT, RANGE(least, most), .unit = "days", value, .doc = (text)}
#define COUNT(name, least, most, value, text) \
    {.path = (name), .type = CONF_INT, RANGE(least, most), value, .doc = (text)}
#define MAYBE(name, least, most, value, text) \
    {.path = (name), .type = CONF_INT, .nullable = true, RANGE(least, most), .example = (value), .doc = (text)}
#define MAYBE_DATE(name, text) \
    {.path = (name), .type = CONF_DATE, .nullable = true, .example = "2027-03-01", .doc = (text)}
#define FLAG(name, value, text) \
    {.path = (name), .type = CONF_BOOL, value, .doc = (text)}

#define CASE_KEYS(at, OR_ELSE) \
    DAYS(at "cycle_days", 1, 91, NO_PRESET("28"), "Length of the cycle: one roll of pouches ships each time."), \
    DAYS(at "horizon_days", 0, 1100, OR_ELSE("60"), "How far fills, renewals and claims are listed."), \
    MAYBE_DATE(at "current_anchor", "A date of the cycle that the patient has already; null: free choice."), \
    DAYS(at "max_carry_days", 0, 3660, OR_ELSE("10"), "Most days of supply left over at a fill."), \
    DAYS(at "renewal_lead_days", 0, 3660, OR_ELSE("7"), "Days before a fill at which a renewal is asked for."), \
    DAYS(at "pa_lead_days", 0, 3660, OR_ELSE("14"), "The same for a prior authorisation.")

#define RX_KEYS(at, OR_ELSE) \
    MAYBE_DATE(at "last_fill", "Last paid fill as the payer knows it; null: never."), \
    MAYBE(at "days_supply", 0, 3660, "30", "Days' supply of that fill."), \
    COUNT(at "on_hand_units", 0, 100000000, NO_PRESET("20"), "Units in hand at the start of today."), \
    COUNT(at "units_per_day", 1, 100000000, NO_PRESET("1"), "Units taken a day."), \
    MAYBE_DATE(at "start", "First day on which a dose is due from home supply; null: today."), \
    DAYS(at "usual_days", 0, 3660, NO_PRESET("30"), "Days of an ordinary fill, and the most that one holds."), \
    DAYS(at "min_days", 0, 3660, OR_ELSE("1"), "Least days of a short fill."), \
    MAYBE(at "pack_days", 1, 3660, "28", "Days in a pack that is not split; null: splittable."), \
    MAYBE(at "pack_units", 1, 100000000, "1", "Units in such a pack."), \
    {.path = at "threshold_pct", .type = CONF_INT, RANGE(0, 100), .unit = "per cent", .example = "75", \
     .doc = "The payer pays again after this share of the last days' supply."}, \
    FLAG(at "override_granted", OR_ELSE("false"), "The payer waived refill-too-soon for the next fill."), \
    {.path = at "copay_cents", .type = CONF_INT, RANGE(0, 10000000), .unit = "cents", OR_ELSE("0"), \
     .doc = "What the patient pays for one fill."}, \
    FLAG(at "prorated", OR_ELSE("true"), "The payer reduces the copay of a short fill."), \
    MAYBE(at "qty_left", 0, 100000000, "90", "Units that the prescription still covers; null: no limit."), \
    MAYBE(at "fills_left", 0, 100000000, "3", "Fills that it still covers; null: no limit."), \
    MAYBE_DATE(at "expires", "Last date of a fill on this prescription; null: no limit."), \
    MAYBE_DATE(at "pa_expires", "Last date that the prior authorisation covers; null: no limit."), \
    {.path = at "schedule", .type = CONF_ENUM, .choices = schedules, OR_ELSE("0"), \
     .doc = "Schedule of a controlled substance, 2 to 5; 0: none."}, \
    FLAG(at "prn", OR_ELSE("false"), "Taken when needed."), \
    FLAG(at "stopped", OR_ELSE("false"), "No longer taken.")
/* clang-format on */

static const struct conf_key sync_keys[] = {
    {.path = "defaults", .type = CONF_MAP, .doc = "What counts where a case or a prescription says nothing."},
    {.path = "defaults.case", .type = CONF_MAP, .doc = "For cases."},
    CASE_KEYS("defaults.case.", BUILT_IN),
    {.path = "defaults.rx", .type = CONF_MAP, .doc = "For prescriptions."},
    RX_KEYS("defaults.rx.", BUILT_IN),
    {.path = "cases",
     .type = CONF_MAPS,
     .required = true,
     .items_min = 1,
     .example = "…",
     .doc = "One patient and day each."},
    {.path = "cases[].id",
     .type = CONF_TEXT,
     .required = true,
     .unique = true,
     RANGE(1, 128),
     .example = "S1",
     .doc = "Name of the case; no two are alike."},
    {.path = "cases[].today",
     .type = CONF_DATE,
     .required = true,
     .example = "2027-03-01",
     .doc = "The day on which it is planned. No clock is read."},
    CASE_KEYS("cases[].", NO_PRESET),
    {.path = "cases[].title", .type = CONF_ANY, .example = "one line", .doc = "For people; not looked at."},
    {.path = "cases[].edge", .type = CONF_ANY, .example = "leap day", .doc = "For people; not looked at."},
    {.path = "cases[].why", .type = CONF_ANY, .example = "some lines", .doc = "For people; not looked at."},
    {.path = "cases[].derived", .type = CONF_ANY, .example = "[]", .doc = "For people; not looked at."},
    {.path = "cases[].expect", .type = CONF_ANY, .example = "{}", .doc = "For tests; not looked at."},
    {.path = "cases[].rx",
     .type = CONF_MAPS,
     .required = true,
     .items_max = 64,
     .example = "…",
     .doc = "The prescriptions of the patient."},
    {.path = "cases[].rx[].id",
     .type = CONF_TEXT,
     .required = true,
     .unique = true,
     RANGE(1, 128),
     .example = "A",
     .doc = "Name of the prescription; no two of a case are alike."},
    RX_KEYS("cases[].rx[].", NO_PRESET),
};

const struct conf_schema conf_sync = {
    .format = "sachet-sync/1",
    .title = "Cases for the refill synchroniser, for `sachet sync`.",
    .keys = sync_keys,
    .count = sizeof sync_keys / sizeof sync_keys[0],
};
