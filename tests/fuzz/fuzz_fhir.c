/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a FHIR text. Never a crash or a leak; the totals add up; an order that is
 * packable has a reading whose stored form reads back the same, and whatever is printed is JSON.
 *
 * Build with -Dfuzz=true (clang); the unit suite replays tests/fuzz/fhir.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/intake/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reading(const struct order *order)
{
    struct reading back;
    struct error err = {0};
    struct buf out, again;
    buf_init(&out);
    buf_init(&again);
    reading_write(&order->reading, &out);
    int rc = reading_parse(buf_string(&out), &back, &err);
    /* A reading with a reason against it may be outside the limits of the stored form; a packable one not. */
    assert(rc == 0 || order->reasons.outcome != OUTCOME_PACKABLE);
    if (rc == 0) {
        reading_write(&back, &again);
        assert(strcmp(buf_string(&out), buf_string(&again)) == 0);
    }
    buf_finish(&out);
    buf_finish(&again);
}

static int on_order(void *data, const struct order *order, struct error *err)
{
    int *count = data;
    struct buf out;
    json_error_t where;
    (void)err;
    ++*count;
    assert(order->reasons.outcome != OUTCOME_PACKABLE || order->has_reading);
    if (order->has_reading)
        check_reading(order);
    buf_init(&out);
    order_write(order, &out);
    json_t *root = json_loads(buf_string(&out), JSON_REJECT_DUPLICATES, &where);
    assert(root != NULL);
    json_decref(root);
    buf_finish(&out);
    return 0;
}

static void on_refused(void *data, const char *place, const char *what)
{
    (void)data;
    assert(place[0] != '\0' && what[0] != '\0' && strchr(what, '\n') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int count = 0;
    struct error err = {0};
    const struct intake_policy policy = {
        .today = 20778, .max_order_age_days = INTAKE_ORDER_AGE_DAYS, .derive = true};
    const struct intake_sink sink = {.data = &count, .order = on_order, .refused = on_refused};
    const char *place = "fuzz.json", *text = (const char *)data;
    struct catalogue *catalogue = catalogue_create();
    struct intake *intake = intake_create(&policy, catalogue, &sink);
    assert(catalogue != NULL && intake != NULL);
    int rc = intake_run_texts(intake, &place, &text, &size, 1, &err);
    const struct intake_totals *totals = intake_totals(intake);
    assert(rc == 0 || err.message[0] != '\0');
    assert(totals->requests == count);
    assert(totals->requests == totals->outcomes[0] + totals->outcomes[1] + totals->outcomes[2]);
    intake_destroy(intake);
    catalogue_destroy(catalogue);
    return 0;
}
