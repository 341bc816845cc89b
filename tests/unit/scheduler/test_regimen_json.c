/* SPDX-License-Identifier: Apache-2.0 */
/* Reading regimens: what is refused, with the place in the message, and what is taken for granted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/plan/documents/regimen_json.h"
#include "scheduler/legality.h"

#define PATIENT                                                                                    \
    "\"patient\":{\"day_start\":\"05:00\",\"wake\":120,\"bed\":1080,\"meals\":{\"breakfast\":180," \
    "\"dinner\":840}}"
#define HEAD "{\"format\":\"sachet-regimen/1\",\"id\":\"x\",\"grid\":15," PATIENT ","
#define DOSE "{\"allowed\":[[120,300]]}"

static int read_text(const char *text, struct regimen **ret, struct arena *arena, struct error *err)
{
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    int rc = regimen_from_json(object, arena, ret, err);
    json_decref(object);
    return rc;
}

static void faults_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *says;
    } faults[] = {
        {"{}", E_INPUT, "format"},
        {"{\"format\":\"sachet-regimen/2\",\"id\":\"x\"}", E_VERSION, "sachet-regimen/2"},
        {HEAD "\"drug\":[]}", E_INPUT, "unknown member \"drug\""},
        {HEAD "\"drugs\":{}}", E_INPUT, "drugs"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[]}]}", E_INPUT, "drugs[0]"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"gap_mn\":60,\"doses\":[" DOSE "]}]}", E_INPUT, "gap_mn"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[{\"allowed\":[[300,120]]}]}]}", E_INPUT,
         "drugs[0].doses[0].allowed[0]"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[{\"allowed\":[[0,1440]]}]}]}", E_INPUT, "allowed[0]"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[{\"allowed\":[[0,1.5]]}]}]}", E_INPUT, "allowed[0]"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[{}]}]}", E_INPUT, "window"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[{\"window\":{\"kind\":\"intervals\"}}]}]}", E_INPUT,
         "window"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[{\"window\":{\"kind\":\"noon\"}}]}]}", E_INPUT, "noon"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[{\"window\":{\"kind\":\"or\",\"of\":[]}}]}]}", E_LIMIT,
         "of"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[{\"allowed\":[[0,60]],\"pills\":-1}]}]}", E_INPUT,
         "pills"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[{\"allowed\":[[0,60]],\"pills\":0.3333}]}]}", E_INPUT,
         "pills"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"days\":[1],\"doses\":[" DOSE "]}]}", E_INPUT, "days[0]"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"previous\":[1,2],\"doses\":[" DOSE "]}]}", E_INPUT, "previous"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"gap_min\":90,\"gap_max\":60,\"doses\":[" DOSE "]}]}", E_INPUT,
         "gap_min"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[" DOSE "]},{\"id\":\"a\",\"doses\":[" DOSE "]}]}", E_INPUT,
         "twice"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[" DOSE
              "]}],\"separations\":[{\"id\":\"s\",\"a\":\"a\",\"b\":\"c\","
              "\"after\":60,\"before\":0}]}",
         E_INPUT, "separations[0]"},
        {HEAD "\"drugs\":[{\"id\":\"a\",\"doses\":[" DOSE "]},{\"id\":\"b\",\"doses\":[" DOSE "," DOSE "]}],"
              "\"same_slot\":[{\"id\":\"e\",\"a\":\"a\",\"b\":\"b\"}]}",
         E_INPUT, "same_slot"},
        {"{\"format\":\"sachet-regimen/1\",\"id\":\"x\",\"grid\":7," PATIENT ",\"drugs\":[]}", E_INPUT,
         "grid"},
        {"{\"format\":\"sachet-regimen/1\",\"id\":\"x\",\"period_days\":900," PATIENT ",\"drugs\":[]}",
         E_INPUT, "period_days"},
        {"{\"format\":\"sachet-regimen/"
         "1\",\"id\":\"x\",\"patient\":{\"day_start\":\"25:00\",\"wake\":1,\"bed\":2},"
         "\"drugs\":[]}",
         E_INPUT, "day_start"},
        {"{\"format\":\"sachet-regimen/"
         "1\",\"id\":\"x\",\"patient\":{\"day_start\":\"05:00\",\"wake\":200,\"bed\":2},"
         "\"drugs\":[]}",
         E_INPUT, "bed"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct arena arena;
        struct regimen *regimen;
        struct error err = {0};
        arena_init(&arena, 0);
        int rc = read_text(faults[i].text, &regimen, &arena, &err);
        if (rc != faults[i].code || !strstr(err.message, faults[i].says))
            fail_msg("%s gives %s: %s", faults[i].text, rc ? error_name(rc) : "no error", err.message);
        arena_finish(&arena);
    }
}

/* 65 drugs, 129 doses. */
static void limits_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        int drugs, doses;
        int code;
    } sizes[] = {{64, 2, 0}, {65, 1, E_LIMIT}, {43, 3, E_LIMIT}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct arena arena;
        struct regimen *regimen;
        struct buf text;
        struct error err = {0};
        arena_init(&arena, 0);
        buf_init(&text);
        buf_text(&text, HEAD "\"drugs\":[");
        for (int d = 0; d < sizes[i].drugs; d++) {
            buf_printf(&text, "%s{\"id\":\"d%d\",\"doses\":[", d ? "," : "", d);
            for (int k = 0; k < sizes[i].doses; k++)
                buf_printf(&text, "%s{\"window\":{\"kind\":\"any\"}}", k ? "," : "");
            buf_text(&text, "]}");
        }
        buf_text(&text, "]}");
        int rc = read_text(buf_string(&text), &regimen, &arena, &err);
        if (rc != sizes[i].code)
            fail_msg("%d drugs of %d doses: %s", sizes[i].drugs, sizes[i].doses, err.message);
        assert_true(rc == 0 || strstr(err.message, "more than"));
        buf_finish(&text);
        arena_finish(&arena);
    }
}

static void documents_come_one_by_one_in_all_three_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int count;
        int rc;
        const char *says;
    } forms[] = {
        {"{}", 1, 0, ""}, {" [ {}, {}, {} ] ", 3, 0, ""},        {"{}\n{}\n", 2, 0, ""},
        {"", 0, 0, ""},   {"{}\n{\n\"a\":}", 1, E_SYNTAX, "3:"}, {"{\"a\":1,\"a\":2}", 0, E_SYNTAX, "1:"}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct json_documents *documents;
        struct error err = {0};
        int rc;
        int count = 0;
        assert_int_equal(json_documents_open(&documents, forms[i].text, strlen(forms[i].text), &err), 0);
        while (json_documents_next(documents, &rc, &err))
            count++;
        assert_int_equal(count, forms[i].count);
        assert_int_equal(rc, forms[i].rc);
        if (!strstr(err.message, forms[i].says))
            fail_msg("%s", err.message);
        json_documents_close(documents);
    }
}

/* Each rule of a two-drug regimen broken in turn by the times given. */
static void the_legality_check_names_the_broken_rule(void **state)
{
    (void)state;
    static const struct {
        int times[3];
        size_t count;
        const char *says; /* NULL: legal */
    } cases[] = {
        {{240, 840, 480}, 3, NULL},
        {{240, 840, 480}, 2, "2 doses are scheduled"},
        {{247, 840, 480}, 3, "off the grid"},
        {{840, 240, 480}, 3, "does not come after"},
        {{120, 840, 480}, 3, "outside its window"},
        {{240, 270, 480}, 3, "a gap"},
        {{240, 1080, 480}, 3, "a night"},
        {{240, 840, 270}, 3, "separation \"s\""},
        {{240, 840, 840}, 3, "separation \"s\""},
    };
    struct arena arena;
    struct regimen *regimen;
    arena_init(&arena, 0);
    assert_int_equal(
        read_text(HEAD
                  "\"drugs\":[{\"id\":\"a\",\"gap_min\":120,\"overnight_min\":720,\"doses\":["
                  "{\"allowed\":[[240,900]]},{\"allowed\":[[240,1080]]}]},"
                  "{\"id\":\"b\",\"doses\":[{\"allowed\":[[240,900]]}]}],"
                  "\"separations\":[{\"id\":\"s\",\"a\":\"a\",\"b\":\"b\",\"after\":60,\"before\":120}]}",
                  &regimen, &arena, NULL),
        0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        int rc = legality_check(regimen, cases[i].times, cases[i].count, &err);
        if (cases[i].says ? rc == 0 || !strstr(err.message, cases[i].says) : rc != 0)
            fail_msg("case %zu: %s", i, err.message);
    }
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_refused_with_their_place),
        cmocka_unit_test(limits_are_refused_by_name),
        cmocka_unit_test(documents_come_one_by_one_in_all_three_forms),
        cmocka_unit_test(the_legality_check_names_the_broken_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
