/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/intake/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/intake/dosage.h"
#include "controller/orders/hl7_feed.h"
#include "tests/support/scratch.h"

static void add_name(char *list, const char *name)
{
    size_t used = strlen(list);
    (void)snprintf(list + used, CAUGHT_BYTES - used, "%s%s", used > 0 ? " " : "", name);
}

static int catch_order(void *data, const struct order *order, struct error *err)
{
    struct run *run = data;
    (void)err;
    if (run->count == CAUGHT_MAX)
        return 0; /* whole data sets are only counted */
    struct caught *row = &run->orders[run->count++];
    struct buf out;
    (void)snprintf(row->source, sizeof row->source, "%s", order->source_id);
    (void)snprintf(row->patient, sizeof row->patient, "%s", order->patient != NULL ? order->patient->id : "");
    (void)snprintf(row->place, sizeof row->place, "%s", order->place);
    (void)snprintf(row->product, sizeof row->product, "%s",
                   order->product != NULL ? order->product->code : "");
    row->outcome = order->reasons.outcome;
    for (int i = 0; i < order->reasons.count; i++) {
        const struct reason *reason = &order->reasons.rows[i];
        bool note = reason_class_of(reason->code) == REASON_NOTE;
        if (!note && !has_reason(row, reason_name(reason->code)))
            add_name(row->reasons, reason_name(reason->code));
        if (note && reason->code != REASON_CODE_PROVISIONAL) {
            add_name(row->notes, reason_name(reason->code));
            add_name(row->notes, reason->text);
        }
    }
    row->has_reading = order->has_reading;
    if (order->has_reading) {
        row->reading = order->reading;
        buf_init_fixed(&out, row->text, sizeof row->text);
        reading_describe(&order->reading, order_unit(order), &out);
        buf_init_fixed(&out, row->dosage, sizeof row->dosage);
        dosage_write(&order->reading, order_unit(order), &out);
    }
    /* What the dry run prints is whole JSON for every order. */
    buf_init(&out);
    order_write(order, &out);
    assert_false(out.failed);
    buf_finish(&out);
    return 0;
}

static void catch_refused(void *data, const char *place, const char *what)
{
    struct run *run = data;
    if (run->refused_count < 16)
        (void)snprintf(run->refused[run->refused_count], sizeof run->refused[0], "%s: %s", place, what);
    run->refused_count++;
}

static const struct sigtext_table *given_words;

void run_set_words(const struct sigtext_table *words)
{
    given_words = words;
}

static struct intake *make(struct run *run, struct catalogue *catalogue, int32_t today, int max_age,
                           const struct conf *packing)
{
    const struct intake_policy policy = {.today = today,
                                         .max_order_age_days = max_age,
                                         .derive = true,
                                         .packing = packing,
                                         .words = given_words};
    const struct intake_sink sink = {.data = run, .order = catch_order, .refused = catch_refused};
    memset(run, 0, sizeof *run);
    assert_non_null(catalogue);
    struct intake *intake = intake_create(&policy, catalogue, &sink);
    assert_non_null(intake);
    return intake;
}

static void finish(struct run *run, struct intake *intake, struct catalogue *catalogue)
{
    run->totals = *intake_totals(intake);
    const struct intake_totals *totals = &run->totals;
    assert_int_equal(totals->requests, totals->outcomes[0] + totals->outcomes[1] + totals->outcomes[2]);
    intake_destroy(intake);
    catalogue_destroy(catalogue);
}

void run_texts(struct run *run, const char *const *texts, int count)
{
    const char *places[8];
    size_t lens[8];
    struct error err = {0};
    struct catalogue *catalogue = catalogue_create();
    struct intake *intake = make(run, catalogue, TEST_TODAY, INTAKE_ORDER_AGE_DAYS, NULL);
    assert_true(count <= 8);
    for (int i = 0; i < count; i++) {
        places[i] = "test.json";
        lens[i] = strlen(texts[i]);
    }
    if (intake_run_texts(intake, places, texts, lens, count, &err) != 0)
        fail_msg("%s", err.message);
    finish(run, intake, catalogue);
}

void run_text(struct run *run, const char *text)
{
    run_texts(run, &text, 1);
}

void run_paths(struct run *run, const char *const *paths, int count, int32_t today, int max_age, bool packing)
{
    char file[512];
    struct error err = {0};
    struct conf *conf = NULL;
    if (packing && (paths_data("rules/packing.yaml", file, sizeof file, &err) != 0 ||
                    conf_load(&conf_packing, file, &conf, &err) != 0))
        fail_msg("%s", err.message);
    struct catalogue *catalogue = catalogue_create();
    struct intake *intake = make(run, catalogue, today, max_age, conf);
    if (intake_run(intake, paths, count, &err) != 0)
        fail_msg("%s", err.message);
    finish(run, intake, catalogue);
    conf_destroy(conf);
}

void run_hl7_paths(struct run *run, const char *const *paths, int count)
{
    const struct intake_policy policy = {
        .today = TEST_TODAY, .max_order_age_days = INTAKE_ORDER_AGE_DAYS, .derive = true};
    const struct intake_sink sink = {.data = run, .order = catch_order, .refused = catch_refused};
    struct error err = {0};
    struct catalogue *catalogue = catalogue_create();
    assert_non_null(catalogue);
    memset(run, 0, sizeof *run);
    if (hl7_dry_run(&policy, catalogue, &sink, NULL, paths, count, &run->totals, &err) != 0)
        fail_msg("%s", err.message);
    catalogue_destroy(catalogue);
}

void run_hl7(struct run *run, const char *const *messages, int count)
{
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    struct buf all;
    buf_init(&all);
    scratch_init(&scratch);
    for (int i = 0; i < count; i++)
        buf_text(&all, messages[i]);
    const char *paths[] = {scratch_write(&scratch, "messages.hl7", buf_string(&all), path)};
    run_hl7_paths(run, paths, 1);
    scratch_finish(&scratch);
    buf_finish(&all);
}

static const struct caught *run_one(struct run *run, const char *drug, const char *dosages, const char *more)
{
    static char text[16384];
    int len =
        snprintf(text, sizeof text,
                 "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
                 "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\",\"birthDate\":\"1950-01-01\","
                 "\"name\":[{\"family\":\"Test\"}]}},"
                 "{\"resource\":{\"resourceType\":\"MedicationRequest\",\"id\":\"r\",\"status\":\"active\","
                 "\"intent\":\"order\",\"subject\":{\"reference\":\"Patient/p\"},"
                 "\"authoredOn\":\"2026-11-01\",\"medicationCodeableConcept\":{\"text\":\"%s\"},"
                 "\"dosageInstruction\":%s%s}}]}",
                 drug, dosages, more);
    assert_true(len > 0 && (size_t)len < sizeof text);
    run_text(run, text);
    if (run->count != 1)
        fail_msg("%d orders for %s: %s", run->count, dosages, run->refused[0]);
    return &run->orders[0];
}

const struct caught *run_dosage(struct run *run, const char *dosages, const char *more)
{
    return run_one(run, "Lisinopril 10 MG Oral Tablet", dosages, more);
}

const struct caught *run_drug(struct run *run, const char *drug, const char *dosages)
{
    return run_one(run, drug, dosages, "");
}

bool has_reason(const struct caught *order, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = order->reasons; (p = strstr(p, name)) != NULL; p += len) {
        if ((p == order->reasons || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
            return true;
    }
    return false;
}
