/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forecast: what must be on the shelf by which week, and what of it must be bought.
 *
 * Units are whole pieces of a product (a half counts as half a unit), by the week in which a roll is packed:
 * the lead days before its first dose, today at the earliest. Four kinds of need, from certain to open:
 *
 *   firm     pouches of signed plans that are still to be packed
 *   draft    pouches of newest plans that nobody signed yet, on days that no signed plan has
 *   ahead    the cycles after them, as the current orders say, for orders that go into pouches
 *   renewal  the same where the prescription must be renewed first: past the end of its validity, or from the
 *            day that an open renewal task names; a denied one needs nothing any more
 *
 * The last three are conditional. Canisters that are good on the day of packing (shortest expiry first) and
 * open purchase tasks that arrive in time cover firm needs first, then conditional ones, each in order of
 * weeks. What is taken outside the pouches is not counted.
 *
 * Time grows with the patients, memory with products and weeks alone. Blocks for the store. One thread a
 * store.
 */
#ifndef CONTROLLER_PARTIES_FORECAST_H
#define CONTROLLER_PARTIES_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/stock/product.h"

struct error;
struct store;

enum { FORECAST_WEEKS_MAX = 53 };

enum forecast_need { FORECAST_FIRM, FORECAST_DRAFT, FORECAST_AHEAD, FORECAST_RENEWAL, FORECAST_NEEDS };

struct forecast_options {
    int32_t today;
    int weeks;      /* 1..FORECAST_WEEKS_MAX, the running one included */
    int cycle_days; /* of cycles that nobody planned yet */
    int lead_days;
    bool simulated; /* simulated canisters count instead of real ones */
    const char
        *proposals_of; /* purchases that he opened and nobody acted on count as nothing; NULL: all count */
};

/* All in thousandths of a unit. */
struct forecast_week {
    int64_t need[FORECAST_NEEDS];
    int64_t stock;  /* of the canisters that goes there */
    int64_t orders; /* of open purchases */
    int64_t buy_firm, buy_conditional;
};

struct forecast_product {
    char code[PRODUCT_CODE_BYTES];
    char name[PRODUCT_NAME_BYTES];
    struct forecast_week *weeks; /* options.weeks of them */
    int64_t stock;               /* in canisters, good today */
    int64_t orders;              /* open purchases */
};

struct forecast {
    int32_t monday; /* of the first week */
    int weeks;
    struct forecast_product *products; /* by code; those that are needed, in stock or on order */
    size_t count, cap;
    int patients;  /* with a plan */
    int unplanned; /* with orders that could be packed, but no plan */
    int unread;    /* orders whose days could not be laid out */
};

/* *ret_forecast is the caller's until forecast_finish. E_ARG, store errors; E_TAMPERED or E_SYNTAX for a plan
 * that cannot be read. */
int forecast_make(struct store *store, const struct forecast_options *options, struct forecast *ret_forecast,
                  struct error *err);
void forecast_finish(struct forecast *forecast);

const char *forecast_need_text(enum forecast_need need); /* "firm" */
/* "2026-W48" of a Monday (ISO 8601). */
enum { FORECAST_WEEK_BYTES = 32 };
void forecast_week_text(int32_t monday, char ret_text[FORECAST_WEEK_BYTES]);

#endif
