/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a file of HL7 v2 messages. Never a crash or a leak; every message is
 * accepted with a Bundle or turned down with a code and one line of text; an accepted one is read as FHIR,
 * and its answer is itself a message.
 *
 * Build with -Dfuzz=true (clang); the unit suite replays tests/fuzz/hl7.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/intake/hl7/hl7.h"
#include "controller/intake/hl7/hl7_message.h"
#include "controller/intake/intake.h"
#include "controller/orders/hl7_feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_order(void *data, const struct order *order, struct error *err)
{
    (void)data;
    (void)err;
    assert(order->reasons.outcome != OUTCOME_PACKABLE || order->has_reading);
    return 0;
}

static void on_refused(void *data, const char *place, const char *what)
{
    (void)data;
    (void)place;
    (void)what;
    assert(0 && "a message that was accepted is not FHIR");
}

static void read_bundle(const json_t *bundle)
{
    const struct intake_policy policy = {.today = 20778, .max_order_age_days = 366, .derive = true};
    const struct intake_sink sink = {.order = on_order, .refused = on_refused};
    struct catalogue *catalogue = catalogue_create();
    struct intake *intake = intake_create(&policy, catalogue, &sink);
    char *text = json_dumps(bundle, JSON_COMPACT);
    const char *place = "fuzz";
    size_t len = text != NULL ? strlen(text) : 0;
    assert(catalogue != NULL && intake != NULL && text != NULL);
    assert(intake_run_texts(intake, &place, (const char *const *)&text, &len, 1, NULL) == 0);
    free(text);
    intake_destroy(intake);
    catalogue_destroy(catalogue);
}

static void read_message(const char *bytes, size_t len)
{
    struct hl7_result result;
    struct hl7 back;
    struct hl7_fault fault;
    struct buf answer;
    assert(hl7_convert(bytes, len, HL7_PROCESSING_FILES, NULL, &result, NULL) == 0);
    assert((result.answer == HL7_AA) == (result.fault.code == HL7_ACCEPTED));
    assert((result.answer == HL7_AA) == (result.bundle != NULL));
    assert(result.answer == HL7_AA || result.fault.text[0] != '\0');
    if (result.bundle != NULL)
        read_bundle(result.bundle);
    buf_init(&answer);
    hl7_answer_write(&result, NULL, 0, "S1", 1795219200000, &answer);
    if (!hl7_parse(buf_string(&answer), answer.len, &back, &fault))
        assert(strstr(fault.text, "template") != NULL); /* a sender may call itself so */
    hl7_finish(&back);
    buf_finish(&answer);
    hl7_result_finish(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hl7_cursor cursor = {0};
    const char *bytes;
    size_t len, last = 0;
    int line;
    while (hl7_next_message((const char *)data, size, &cursor, &bytes, &len, &line)) {
        assert(cursor.at > last && cursor.at <= size && line > 0);
        last = cursor.at;
        read_message(bytes, len);
    }
    return 0;
}
