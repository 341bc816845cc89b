/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a signature when the world goes on: a new order, another day, the change of plans. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/plan/patient_day.h"
#include "controller/plan/plan_row.h"
#include "controller/review/review.h"
#include "controller/review/sign.h"
#include "controller/store/store.h"
#include "tests/support/clinic.h"

static const int64_t now_ms = 1795219200000;

struct fixture {
    struct clinic clinic;
    struct review_rules rules;
    struct arena arena;
    int64_t patient;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct error err = {0};
    assert_non_null(f);
    clinic_init(&f->clinic, "", NULL);
    clinic_people(&f->clinic);
    arena_init(&f->arena, 0);
    memcpy(f->rules.timing, f->clinic.policy->timing_hash, sizeof f->rules.timing);
    memcpy(f->rules.packing, f->clinic.policy->packing_hash, sizeof f->rules.packing);
    f->rules.day = f->clinic.policy->day;
    f->rules.has_day = true;
    f->patient = clinic_patient(&f->clinic, "p1", "Ann Example");
    clinic_product(&f->clinic, "AMLO", "Amlodipine 5 mg tablet", "amlodipine");
    clinic_product(&f->clinic, "SIMVA", "Simvastatin 20 mg tablet", "simvastatin");
    assert_int_equal(seal_init(&err), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_finish(&f->arena);
    clinic_finish(&f->clinic);
    free(f);
    return 0;
}

static struct reading at_clock(int minute)
{
    struct reading reading = clinic_daily(1, 1000);
    reading.phases[0].doses[0].when = READING_CLOCK;
    reading.phases[0].doses[0].minute = minute;
    return reading;
}

static int sign(struct fixture *f, int64_t plan, struct error *err)
{
    return review_sign(f->clinic.store, plan, &f->rules, &f->clinic.pharmacist, f->clinic.key, now_ms, err);
}

static void sign_or_fail(struct fixture *f, int64_t plan)
{
    struct error err = {0};
    if (sign(f, plan, &err) < 0)
        fail_msg("%s", err.message);
}

/* The plan does not hold, and the message says so with these words. */
static void assert_void(struct fixture *f, int64_t plan, const char *words)
{
    struct error err = {0};
    assert_int_equal(review_verify(f->clinic.store, plan, &f->rules, &err), E_STATE);
    if (!strstr(err.message, words))
        fail_msg("'%s' is not in: %s", words, err.message);
}

static void assert_holds(struct fixture *f, int64_t plan)
{
    struct error err = {0};
    if (review_verify(f->clinic.store, plan, &f->rules, &err) < 0)
        fail_msg("%s", err.message);
}

static void an_order_that_comes_after_the_signature_voids_it(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000), prn = clinic_daily(1, 1000);
    prn.as_needed = true;
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    int64_t plan = clinic_plan(&f->clinic, f->patient, 7).id;
    sign_or_fail(f, plan);
    /* What is over concerns nobody; what is as needed or cannot be packed does. */
    clinic_order_as(&f->clinic, f->patient, "old", "SIMVA", &once, "refused",
                    "[{\"code\":\"STATUS_NOT_ACTIVE\",\"text\":\"stopped\"}]");
    assert_holds(f, plan);
    clinic_order(&f->clinic, f->patient, "o2", "SIMVA", &prn);
    assert_void(f, plan, "o2");
    clinic_order_as(&f->clinic, f->patient, "o3", NULL, NULL, "refused",
                    "[{\"code\":\"ROUTE\",\"text\":\"a spray\"}]");
    assert_void(f, plan, "o2, o3");
    struct plan_made made = clinic_plan(&f->clinic, f->patient, 7);
    assert_int_equal(made.newer_orders, 2);
    assert_int_equal(made.apart, 2);
    sign_or_fail(f, made.id);
    assert_holds(f, made.id);
    assert_int_equal(clinic_plan(&f->clinic, f->patient, 7).newer_orders, 0);
}

static void an_order_that_came_between_draft_and_signature_is_not_signed_away(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000);
    struct error err = {0};
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    int64_t plan = clinic_plan(&f->clinic, f->patient, 7).id;
    clinic_order(&f->clinic, f->patient, "o2", "SIMVA", &once);
    assert_int_equal(sign(f, plan, &err), E_STATE);
    assert_non_null(strstr(err.message, "o2"));
}

static struct regimen_patient day_of(struct fixture *f, const char *json)
{
    struct patient_day day;
    struct regimen_patient ret = {0};
    struct error err = {0};
    if (patient_day_parse(json, &day, &err) < 0 ||
        patient_day_apply(&day, &f->clinic.policy->day, &ret, &err) < 0)
        fail_msg("%s", err.message);
    return ret;
}

static void set_day(struct fixture *f, const struct regimen_patient *day, bool changes)
{
    bool changed = !changes;
    struct error err = {0};
    if (patient_day_set(f->clinic.store, f->patient, day, "pia", now_ms, &changed, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(changed, changes);
}

static void another_day_of_the_patient_voids_the_signature(void **state)
{
    struct fixture *f = *state;
    struct reading bedtime = clinic_daily(1, 1000);
    bedtime.phases[0].doses[0].when = READING_HS;
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &bedtime);
    int64_t plan = clinic_plan(&f->clinic, f->patient, 7).id;
    sign_or_fail(f, plan);
    const struct regimen_patient late = day_of(f, "{\"bed\":\"00:30\"}");
    set_day(f, &late, true);
    assert_void(f, plan, "day changed");
    set_day(f, NULL, true);
    assert_holds(f, plan);
    set_day(f, NULL, false);
    /* The site's day in words of the patient's own is still another statement. */
    set_day(f, &f->clinic.policy->day, true);
    assert_void(f, plan, "day changed");
    set_day(f, &late, true);
    int64_t next = clinic_plan(&f->clinic, f->patient, 7).id;
    sign_or_fail(f, next);
    assert_holds(f, next);
    const struct regimen_patient later = day_of(f, "{\"bed\":\"00:45\"}");
    set_day(f, &later, true);
    assert_void(f, next, "patient's own day changed");
    set_day(f, &late, true);
    assert_holds(f, next);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM audit WHERE action = 'patient.day'"), 6);
    assert_int_equal(
        clinic_int(&f->clinic,
                   "SELECT count(*) FROM audit WHERE action = 'patient.day' AND detail LIKE "
                   "'{\"old\":null,\"new\":{\"start\":\"04:00\",%\"bed\":\"00:30\"}}' AND actor = "
                   "'pia' AND subject = 'patient:1'"),
        1);
}

static void another_ordinary_day_of_the_site_voids_plans_made_for_it(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    int64_t plan = clinic_plan(&f->clinic, f->patient, 7).id;
    sign_or_fail(f, plan);
    f->rules.day.meals[REGIMEN_DINNER] += 30;
    assert_void(f, plan, "site's ordinary day");
}

static void a_change_of_plans_that_comes_too_near_is_not_signed_unanswered(void **state)
{
    struct fixture *f = *state;
    struct reading evening = at_clock(22 * 60), morning = at_clock(8 * 60);
    struct error err = {0};
    struct review review;
    struct buf text;
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &evening);
    sign_or_fail(f, clinic_plan(&f->clinic, f->patient, 14).id);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &morning);
    int64_t next = clinic_plan_from(&f->clinic, f->patient, "2026-12-07", 14).id;
    assert_int_equal(sign(f, next, &err), E_STATE);
    assert_non_null(strstr(err.message, "at least 12 h"));
    if (review_load(f->clinic.store, next, &f->rules, &f->arena, &review, &err) < 0)
        fail_msg("%s", err.message);
    buf_init(&text);
    review_to_text(&review, &text);
    assert_non_null(strstr(buf_string(&text), "TO BE ANSWERED"));
    assert_non_null(strstr(buf_string(&text), "Sun 2026-12-06 22:00"));
    buf_reset(&text);
    assert_int_equal(review_to_json(&review, &text, &err), 0);
    json_t *object = json_loads(buf_string(&text), 0, NULL);
    assert_int_equal(json_array_size(json_object_get(object, "to_answer")), 1);
    json_decref(object);
    buf_finish(&text);
    /* The other way round it is long, which is said and does not stop anybody. */
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &evening);
    sign_or_fail(f, clinic_plan_from(&f->clinic, f->patient, "2026-12-07", 14).id);
}

static void days_without_their_order_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *words;
    } wrong[] = {
        {"{\"wake\":\"09:00\",\"breakfast\":\"08:00\"}", "'breakfast' is not after 'wake'"},
        {"{\"lunch\":\"18:00\"}", "'dinner' is not after 'lunch'"},
        {"{\"start\":\"08:00\"}", "'lunch' is not after 'breakfast'"},
        {"{\"bed\":\"06:50\",\"start\":\"04:00\"}", "'bed' is not after 'dinner'"},
        {"{\"wake\":\"17:30\",\"breakfast\":null,\"lunch\":null}", "6 to 22 hours"},
        {"{\"wake\":\"04:00\",\"bed\":\"03:30\"}", "6 to 22 hours"},
        {"{\"wake\":\"4:00\"}", "no time HH:MM"},
        {"{\"wake\":null}", "no time HH:MM"},
        {"[]", "no JSON object"},
    };
    const struct regimen_patient site = {
        .day_start = 240, .wake = 180, .bed = 1080, .meals = {210, 510, 840}}; /* 07:00 to 22:00 */
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct patient_day day;
        struct regimen_patient ret;
        struct error err = {0};
        int status = patient_day_parse(wrong[i].json, &day, &err);
        if (status == 0)
            status = patient_day_apply(&day, &site, &ret, &err);
        assert_true(status < 0);
        if (!strstr(err.message, wrong[i].words))
            fail_msg("%s: %s", wrong[i].json, err.message);
    }
}

static void night_shifts_and_late_bedtimes_find_their_start(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int start, wake, bed;
    } days[] = {
        {"{\"bed\":\"01:30\"}", 240, 180, 1290},
        {"{\"wake\":\"16:00\",\"breakfast\":\"17:00\",\"lunch\":\"23:00\",\"dinner\":\"04:30\",\"bed\":\"08:"
         "00\"}",
         780, 180, 1140},
        {"{\"start\":\"15:00\",\"wake\":\"16:00\",\"breakfast\":null,\"lunch\":null,\"dinner\":\"04:30\","
         "\"bed\":\"08:00\"}",
         900, 60, 1020},
    };
    const struct regimen_patient site = {
        .day_start = 240, .wake = 180, .bed = 1080, .meals = {210, 510, 840}};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        struct patient_day day;
        struct regimen_patient ret, again;
        struct error err = {0};
        if (patient_day_parse(days[i].json, &day, &err) < 0 || patient_day_apply(&day, &site, &ret, &err) < 0)
            fail_msg("%s: %s", days[i].json, err.message);
        assert_int_equal(ret.day_start, days[i].start);
        assert_int_equal(ret.wake, days[i].wake);
        assert_int_equal(ret.bed, days[i].bed);
        struct plan_day plan = patient_day_of_plan(&ret, true);
        again = patient_day_from_plan(&plan, ret.day_start);
        assert_memory_equal(&again, &ret, sizeof ret);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_order_that_comes_after_the_signature_voids_it, setup, teardown),
        cmocka_unit_test_setup_teardown(an_order_that_came_between_draft_and_signature_is_not_signed_away,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(another_day_of_the_patient_voids_the_signature, setup, teardown),
        cmocka_unit_test_setup_teardown(another_ordinary_day_of_the_site_voids_plans_made_for_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_change_of_plans_that_comes_too_near_is_not_signed_unanswered, setup,
                                        teardown),
        cmocka_unit_test(days_without_their_order_are_refused),
        cmocka_unit_test(night_shifts_and_late_bedtimes_find_their_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
