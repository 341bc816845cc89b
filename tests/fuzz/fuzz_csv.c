/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a CSV file of orders behind a first line with every column. Never a crash or
 * a leak; every row is rejected with a reason or becomes FHIR that the intake reads as one order.
 *
 * The first byte chooses separator, dates and decimal mark. Build with -Dfuzz=true (clang); the unit suite
 * replays tests/fuzz/csv.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/intake/csv_orders.h"
#include "controller/intake/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const titles[] = {"o",  "p",  "n",  "b",  "d", "c", "r",  "f",  "a",  "u",  "t", "s",
                                     "m1", "m2", "m3", "m4", "w", "x", "st", "wr", "sa", "en", "da"};

static const struct conf *mapping(uint8_t choice)
{
    static const char *const separators[] = {"comma", "semicolon", "tab", "bar"};
    static const char *const dates[] = {"YYYY-MM-DD", "YYYYMMDD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY"};
    static struct conf *made[256]; /* for the life of the process */
    char text[1024];
    if (made[choice] == NULL) {
        (void)snprintf(
            text, sizeof text,
            "format: sachet-csv/1\nseparator: %s\ndates: %s\ndecimal: %s\ncolumns: {order: o, patient: p, "
            "patient_name: n, birth_date: b, drug: d, ndc: c, rxnorm: r, form: f, dose: a, unit: u, times: "
            "t, "
            "sig: s, morning: m1, noon: m2, evening: m3, night: m4, route: w, as_needed: x, status: st, "
            "written: wr, start: sa, end: en, days: da}\nvalues: [{column: times, from: zz, to: BID}]\n",
            separators[choice % 4], dates[choice / 4 % 5], choice & 128 ? "comma" : "point");
        int rc = conf_parse(&conf_orders_csv, "map.yaml", text, strlen(text), &made[choice], NULL);
        assert(rc == 0);
    }
    return made[choice];
}

static int on_order(void *data, const struct order *order, struct error *err)
{
    int *count = data;
    (void)err;
    ++*count;
    assert(order->reasons.outcome != OUTCOME_PACKABLE || order->has_reading);
    return 0;
}

static void on_refused(void *data, const char *place, const char *what)
{
    (void)data;
    (void)place;
    (void)what;
    assert(0 && "a row that was not rejected is no FHIR");
}

static int on_text(void *data, const char *place, const char *text, size_t len, struct error *err)
{
    const struct intake_policy policy = {.today = 20778, .max_order_age_days = 366, .derive = true};
    int orders = 0;
    const struct intake_sink sink = {.data = &orders, .order = on_order, .refused = on_refused};
    struct catalogue *catalogue = catalogue_create();
    struct intake *intake = intake_create(&policy, catalogue, &sink);
    (void)data;
    assert(catalogue != NULL && intake != NULL);
    int rc = intake_run_texts(intake, &place, &text, &len, 1, err);
    assert(rc == 0 && orders == 1);
    intake_destroy(intake);
    catalogue_destroy(catalogue);
    return 0;
}

static int on_rejected(void *data, const char *place, int line, const char *reason, const char *const *fields,
                       int count, struct error *err)
{
    (void)data;
    (void)place;
    (void)fields;
    (void)err;
    assert(line >= 2 && count >= 1 && reason[0] != '\0');
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char marks[] = ",;\t|";
    struct csv_orders *orders = NULL;
    struct buf file;
    int64_t rows, rejected;
    if (size == 0)
        return 0;
    buf_init(&file);
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        buf_printf(&file, "%s%c", titles[i], marks[data[0] % 4]);
    buf_text(&file, "more\n");
    buf_add(&file, data + 1, size - 1);
    int rc = csv_orders_parse("fuzz.csv", file.data, file.len, mapping(data[0]), &orders, NULL);
    assert(rc == 0);
    const struct csv_orders_sink sink = {.text = on_text, .rejected = on_rejected};
    rc = csv_orders_walk(orders, &sink, &rows, &rejected, NULL);
    assert(rejected <= rows);
    csv_orders_close(orders);
    buf_finish(&file);
    return 0;
}
