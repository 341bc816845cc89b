/* SPDX-License-Identifier: Apache-2.0 */
/* What the two files of the forecast share. */
#ifndef CONTROLLER_PARTIES_FORECAST_PRIVATE_H
#define CONTROLLER_PARTIES_FORECAST_PRIVATE_H

#include "controller/parties/forecast.h"

/* The row of a product, made where it is missing. NULL: no memory. */
struct forecast_product *forecast_product_of(struct forecast *forecast, const char *code);
/* forecast_cover.c: spends canisters and open purchases on the needs, and says what is left to buy. */
int forecast_cover(struct store *store, const struct forecast_options *options, struct forecast *forecast,
                   struct error *err);

#endif
