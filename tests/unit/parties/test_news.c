/* SPDX-License-Identifier: Apache-2.0 */
/* Answers with bytes, elements and types changed at random: each is read to something or refused with a
 * reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/rng.h"
#include "config/conf.h"
#include "controller/parties/news.h"

enum { ROUNDS = 20000, SEED = 20261121 };

#define BASE "https://pharmacy.example/fhir"

static const char *const messages[] = {
    "{\"resourceType\":\"ClaimResponse\",\"id\":\"r\",\"meta\":{\"versionId\":\"1\"},\"status\":\"active\","
    "\"outcome\":"
    "\"complete\",\"request\":{\"reference\":\"Claim/"
    "sachet-1\"},\"preAuthRef\":\"X\",\"preAuthPeriod\":{\"start\":"
    "\"2026-11-21\",\"end\":\"2026-11-28\"},\"disposition\":\"fine\",\"error\":[{\"code\":{\"coding\":[{"
    "\"code\":\"S1\"}]}}],"
    "\"extension\":[{\"url\":\"" BASE
    "/StructureDefinition/sachet-earliest-fill\",\"valueDate\":\"2026-11-30\"}],"
    "\"item\":[{\"adjudication\":[{\"category\":{\"coding\":[{\"system\":"
    "\"http://terminology.hl7.org/CodeSystem/"
    "adjudication\",\"code\":\"copay\"}]},\"amount\":{\"value\":3.5}}]}]}",
    "{\"resourceType\":\"Task\",\"id\":\"sachet-1\",\"status\":\"completed\",\"businessStatus\":{\"coding\":["
    "{\"system\":"
    "\"" BASE "/CodeSystem/"
    "sachet-answer\",\"code\":\"changed\"}]},\"output\":[{\"type\":{\"coding\":[{\"system\":\"" BASE
    "/CodeSystem/sachet-fact\",\"code\":\"quantity\"}]},\"valueInteger\":5}],\"note\":[{\"text\":\"no\"}]}",
    "{\"resourceType\":\"MedicationRequest\",\"id\":\"n1\",\"status\":\"active\",\"intent\":\"order\","
    "\"basedOn\":[{"
    "\"reference\":\"MedicationRequest/"
    "sachet-1\"}],\"dispenseRequest\":{\"numberOfRepeatsAllowed\":5,\"quantity\":{"
    "\"value\":28},\"validityPeriod\":{\"end\":\"2027-11-21\"}}}",
    "{\"resourceType\":\"Communication\",\"id\":\"c\",\"status\":\"completed\",\"basedOn\":[{\"reference\":"
    "\"CommunicationRequest/sachet-1\"}],\"payload\":[{\"contentString\":\"I was in hospital\"}]}",
    "{\"resourceType\":\"CoverageEligibilityResponse\",\"id\":\"e\",\"status\":\"active\",\"outcome\":"
    "\"complete\","
    "\"request\":{\"reference\":\"CoverageEligibilityRequest/sachet-1\"},\"insurance\":[{\"inforce\":true}]}",
};

static json_t *other_type(struct rng *rng)
{
    switch (rng_below(rng, 6)) {
    case 0:
        return json_null();
    case 1:
        return json_integer(-1);
    case 2:
        return json_real(1e300);
    case 3:
        return json_array();
    case 4:
        return json_object();
    default:
        return json_string("\xE2\x80\xAE\n");
    }
}

/* Something below the value gets another type, is doubled or goes away. */
static void disturb(struct rng *rng, json_t *value)
{
    if (json_is_array(value) && json_array_size(value) > 0) {
        json_t *first = json_array_get(value, 0);
        uint32_t what = rng_below(rng, 5);
        if (what == 0)
            (void)json_array_append(value, first);
        else if (what == 1)
            (void)json_array_set_new(value, 0, other_type(rng));
        else
            disturb(rng, first);
        return;
    }
    if (!json_is_object(value) || json_object_size(value) == 0)
        return;
    void *at = json_object_iter(value);
    for (uint32_t skip = rng_below(rng, (uint32_t)json_object_size(value)); skip > 0; skip--)
        at = json_object_iter_next(value, at);
    json_t *member = json_object_iter_value(at);
    uint32_t what = rng_below(rng, 6);
    if (what == 0)
        (void)json_object_del(value, json_object_iter_key(at));
    else if (what == 1)
        (void)json_object_iter_set_new(value, at, other_type(rng));
    else if (json_is_string(member) && what == 2 && json_string_length(member) > 0) {
        char *text = strdup(json_string_value(member));
        assert_non_null(text);
        text[rng_below(rng, (uint32_t)strlen(text))] = (char)(1 + rng_below(rng, 127));
        (void)json_string_set(member, text);
        free(text);
    } else {
        disturb(rng, member);
    }
}

static void a_disturbed_answer_is_read_or_refused_with_a_reason(void **state)
{
    static const char site_text[] = "format: sachet-site/1\npharmacy: {name: P, phone: 555 0100}\n"
                                    "partners: {answers: [{code: S1, means: too-soon}]}\n";
    struct conf *site = NULL;
    struct partners partners;
    struct arena arena;
    struct error err = {0};
    struct rng rng;
    int read = 0, refused = 0;
    (void)state;
    print_message("seed %d\n", SEED);
    assert_int_equal(conf_parse(&conf_site, "site.yaml", site_text, strlen(site_text), &site, &err), 0);
    partners_read(site, &partners);
    arena_init(&arena, 0);
    rng_init(&rng, SEED, 1);
    for (int i = 0; i < ROUNDS; i++) {
        struct news news;
        json_t *resource = json_loads(messages[(size_t)i % (sizeof messages / sizeof messages[0])], 0, NULL);
        assert_non_null(resource);
        for (uint32_t n = rng_below(&rng, 4); n > 0; n--)
            disturb(&rng, resource);
        err.message[0] = '\0';
        if (news_read(resource, "0123456789abcdef0123", &partners, &arena, &news, &err) < 0) {
            refused++;
            assert_true(err.message[0] != '\0');
        } else {
            read++;
            if (news.what == NEWS_ANSWER) {
                assert_true(news.task > 0 && news.answer.result < TASK_RESULTS && news.key[0]);
                assert_true(news.answer.result != TASK_TOO_SOON || news.answer.until_day != CIVIL_DAY_NONE ||
                            strncmp(news.key, "Task/", 5) == 0); /* a Task's is looked at when it is taken */
            }
        }
        json_decref(resource);
        arena_reset(&arena);
    }
    assert_true(read > ROUNDS / 10 && refused > ROUNDS / 10);
    arena_finish(&arena);
    conf_destroy(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_disturbed_answer_is_read_or_refused_with_a_reason)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
