/* SPDX-License-Identifier: Apache-2.0 */
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
#include "controller/plan/roll_text.h"
#include "controller/review/review.h"
#include "controller/stock/product.h"
#include "controller/store/store.h"
#include "tests/support/clinic.h"

struct fixture {
    struct clinic clinic;
    struct arena arena;
    int64_t patient;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    clinic_init(&f->clinic, "", NULL);
    clinic_people(&f->clinic);
    arena_init(&f->arena, 0);
    f->patient = clinic_patient(&f->clinic, "p1", "Ann Example");
    clinic_product(&f->clinic, "AMLO", "Amlodipine 5 mg tablet", "amlodipine");
    clinic_product(&f->clinic, "LEVO", "Levothyroxine 50 ug tablet", "levothyroxine");
    clinic_product(&f->clinic, "PARA", "Paracetamol 500 mg tablet", "paracetamol");
    clinic_product(&f->clinic, "SIMVA", "Simvastatin 20 mg tablet", "simvastatin");
    clinic_product(&f->clinic, "ZINC", "Zinc 50 mg tablet", "zinc");
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

static struct review load_or_fail(struct fixture *f, int64_t plan)
{
    struct review review;
    struct error err = {0};
    if (review_load(f->clinic.store, plan, NULL, &f->arena, &review, &err) < 0)
        fail_msg("%s", err.message);
    return review;
}

static void sign_or_fail(struct fixture *f, int64_t plan)
{
    struct error err = {0};
    if (review_sign(f->clinic.store, plan, NULL, &f->clinic.pharmacist, f->clinic.key, 1795219200000, &err) <
        0)
        fail_msg("%s", err.message);
}

static const struct review_drug *drug_of(const struct review *review, const char *source_id)
{
    for (size_t i = 0; i < review->drug_count; i++) {
        if (strcmp(review->drugs[i].source_id, source_id) == 0)
            return &review->drugs[i];
    }
    fail_msg("%s is not in the review", source_id);
    return NULL;
}

static struct reading at_clock(int minute, int64_t amount)
{
    struct reading reading = clinic_daily(1, amount);
    reading.phases[0].doses[0].when = READING_CLOCK;
    reading.phases[0].doses[0].minute = minute;
    return reading;
}

static void each_change_is_called_by_its_name(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000), more = clinic_daily(1, 2000), nine = at_clock(540, 1000),
                   four = at_clock(960, 1000);
    clinic_order(&f->clinic, f->patient, "dose", "AMLO", &once);
    clinic_order(&f->clinic, f->patient, "gone", "LEVO", &once);
    clinic_order(&f->clinic, f->patient, "look", "SIMVA", &once);
    clinic_order(&f->clinic, f->patient, "times", "PARA", &nine);
    int64_t first = clinic_plan(&f->clinic, f->patient, 14).id;
    struct review review = load_or_fail(f, first);
    assert_null(review.signed_before);
    assert_int_equal(review.changes, 4);
    assert_int_equal(drug_of(&review, "dose")->change, REVIEW_NEW);
    sign_or_fail(f, first);
    review = load_or_fail(f, first);
    assert_true(review.is_signed && review.holds == 0);

    clinic_order(&f->clinic, f->patient, "dose", "AMLO", &more);
    clinic_exec(&f->clinic, "UPDATE order_version SET current = 0 WHERE source_id = 'gone'");
    clinic_order(&f->clinic, f->patient, "times", "PARA", &four);
    clinic_order(&f->clinic, f->patient, "zinc", "ZINC", &once);
    struct product product;
    enum product_put put;
    struct error err = {0};
    assert_int_equal(product_get(f->clinic.store, "SIMVA", &product, &err), 0);
    (void)snprintf(product.look, sizeof product.look, "pink oval");
    assert_int_equal(store_write_begin(f->clinic.store, &err), 0);
    assert_int_equal(product_put(f->clinic.store, &product, 2, &put, &err), 0);
    assert_int_equal(store_write_commit(f->clinic.store, &err), 0);
    review = load_or_fail(f, first);
    assert_true(review.is_signed && review.holds < 0); /* and the old signature does not hold any more */

    review = load_or_fail(f, clinic_plan(&f->clinic, f->patient, 14).id);
    assert_int_equal(review.signed_before_id, first);
    assert_int_equal(drug_of(&review, "dose")->change, REVIEW_DOSE);
    assert_int_equal(drug_of(&review, "gone")->change, REVIEW_GONE);
    assert_int_equal(drug_of(&review, "look")->change, REVIEW_PRODUCT);
    assert_int_equal(drug_of(&review, "times")->change, REVIEW_TIMES);
    assert_int_equal(drug_of(&review, "zinc")->change, REVIEW_NEW);
    assert_int_equal(review.changes, 5);
    assert_string_equal(drug_of(&review, "gone")->planned, "");
    assert_true(drug_of(&review, "gone")->before[0] != '\0');
}

static void a_plan_that_did_not_change_shows_no_change(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000), other = clinic_daily(1, 500);
    other.phases[0].every_days = 2;
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    clinic_order(&f->clinic, f->patient, "o2", "LEVO", &other);
    int64_t first = clinic_plan(&f->clinic, f->patient, 14).id;
    sign_or_fail(f, first);
    struct plan_made made;
    struct plan_request request = {.patient = f->patient, .days = 14, .actor = "test", .wall_ms = 1};
    request.start_day = load_or_fail(f, first).plan->start_day + 14;
    assert_int_equal(plan_make(f->clinic.store, f->clinic.policy, &request, &made, NULL), 0);
    assert_int_equal(made.outcome, PLAN_MADE);
    struct review review = load_or_fail(f, made.id);
    assert_int_equal(review.changes, 0);
}

static void the_text_shows_warnings_first_and_marks_what_nobody_checked(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000);
    struct product product;
    enum product_put put;
    struct error err = {0};
    assert_int_equal(product_get(f->clinic.store, "ZINC", &product, &err), 0);
    (void)snprintf(product.code, sizeof product.code, "PROV");
    (void)snprintf(product.name, sizeof product.name, "Provided 5 mg tablet");
    (void)snprintf(product.ingredient, sizeof product.ingredient, "provided");
    product.provisional = true;
    assert_int_equal(store_write_begin(f->clinic.store, &err), 0);
    assert_int_equal(product_put(f->clinic.store, &product, 2, &put, &err), 0);
    assert_int_equal(store_write_commit(f->clinic.store, &err), 0);
    clinic_order(&f->clinic, f->patient, "o1", "PROV", &once);
    clinic_order(&f->clinic, f->patient, "o2", "LEVO", &once);
    clinic_order_as(&f->clinic, f->patient, "o3", NULL, NULL, "waiting",
                    "[{\"code\":\"X\",\"text\":\"two or three?\"}]");
    struct plan_made made = clinic_plan(&f->clinic, f->patient, 14);
    assert_true(made.provisional);
    struct review review = load_or_fail(f, made.id);
    struct buf text;
    buf_init(&text);
    review_to_text(&review, &text);
    const char *all = buf_string(&text);
    assert_non_null(strstr(all, "Provided 5 mg tablet [PROVISIONAL]"));
    const char *warnings = strstr(all, "\nWARNINGS\n"), *drugs = strstr(all, "\nDRUGS\n");
    assert_true(warnings && drugs && warnings < drugs);
    assert_non_null(strstr(all, "1 provisional product, derived from orders"));
    assert_non_null(strstr(all, "two or three?"));
    assert_non_null(strstr(all, "30 to 60 minutes before breakfast"));
    assert_non_null(strstr(review.plan->pouches[0].label, "PRODUCT DATA NOT CHECKED"));
    buf_reset(&text);
    assert_int_equal(review_to_json(&review, &text, &err), 0);
    json_t *json = json_loads(buf_string(&text), 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "format")), "sachet-review/1");
    assert_int_equal(json_array_size(json_object_get(json, "drugs")), 3);
    assert_true(json_is_true(json_object_get(json, "holds")));
    json_decref(json);
    buf_finish(&text);
}

static void the_picture_of_a_roll_shows_every_day(void **state)
{
    struct fixture *f = *state;
    struct reading twice = clinic_daily(2, 1500);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &twice);
    struct review review = load_or_fail(f, clinic_plan(&f->clinic, f->patient, 3).id);
    struct buf text;
    buf_init(&text);
    roll_to_text(review.plan, 0, &text);
    assert_non_null(strstr(buf_string(&text), "| 1 and 1/2 x Amlodipine 5 mg"));
    assert_non_null(strstr(buf_string(&text), "Mon 11-23  [o']"));
    assert_non_null(strstr(buf_string(&text), "Wed 11-25  [o']"));
    buf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_change_is_called_by_its_name, setup, teardown),
        cmocka_unit_test_setup_teardown(a_plan_that_did_not_change_shows_no_change, setup, teardown),
        cmocka_unit_test_setup_teardown(the_text_shows_warnings_first_and_marks_what_nobody_checked, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_picture_of_a_roll_shows_every_day, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
