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
#include "controller/plan/edit.h"
#include "controller/plan/patient_day.h"
#include "controller/plan/plan_row.h"
#include "controller/review/review.h"
#include "controller/review/sign.h"
#include "controller/stock/product.h"
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

/* Hazard H6. */
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

/* ---- edits ---- */

static const struct plan_edit *edit_of(struct fixture *f, enum plan_edit_kind kind, const char *source_id,
                                       const char *value)
{
    static struct plan_edit edit;
    struct error err = {0};
    edit = (struct plan_edit){
        .kind = kind, .source_id = source_id, .value = value, .reason = "asked for", .login = "pia"};
    assert_int_equal(edit_next_id(f->clinic.store, &edit.id, &err), 0);
    return &edit;
}

static int try_edit(struct fixture *f, const struct plan_edit *edit, int64_t end, struct plan_made *ret_made,
                    struct error *err)
{
    const struct plan_request request = {.patient = f->patient,
                                         .start_day = 20780, /* 2026-11-23 */
                                         .days = 7,
                                         .actor = "pia",
                                         .wall_ms = now_ms,
                                         .edit = edit,
                                         .end_edit = end};
    return plan_make(f->clinic.store, f->clinic.policy, &request, ret_made, err);
}

static struct plan_made edit_or_fail(struct fixture *f, enum plan_edit_kind kind, const char *source_id,
                                     const char *value)
{
    struct plan_made made;
    struct error err = {0};
    if (try_edit(f, edit_of(f, kind, source_id, value), 0, &made, &err) < 0)
        fail_msg("%s", err.message);
    return made;
}

static void assert_edit_refused(struct fixture *f, enum plan_edit_kind kind, const char *source_id,
                                const char *value, const char *words)
{
    struct plan_made made;
    struct error err = {0};
    int64_t plans = clinic_int(&f->clinic, "SELECT count(*) FROM plan"),
            edits = clinic_int(&f->clinic, "SELECT count(*) FROM plan_edit");
    assert_true(try_edit(f, edit_of(f, kind, source_id, value), 0, &made, &err) < 0);
    if (!strstr(err.message, words))
        fail_msg("'%s' is not in: %s", words, err.message);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM plan"), plans);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM plan_edit"), edits);
}

static struct review load_or_fail(struct fixture *f, int64_t plan)
{
    struct review review;
    struct error err = {0};
    if (review_load(f->clinic.store, plan, &f->rules, &f->arena, &review, &err) < 0)
        fail_msg("%s", err.message);
    return review;
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

static void edits_are_kept_in_the_plan_show_their_cost_and_void_what_was_signed_without_them(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000), evening = at_clock(18 * 60);
    struct plan_made made;
    struct error err = {0};
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    clinic_order(&f->clinic, f->patient, "o2", "SIMVA", &evening);
    struct plan_made first = clinic_plan(&f->clinic, f->patient, 7);
    assert_int_equal(first.times_planned, 1);
    sign_or_fail(f, first.id);
    struct plan_made pinned = edit_or_fail(f, PLAN_EDIT_PIN, "o1", "1@09:00");
    assert_int_equal(pinned.times_planned, 2);
    assert_void(f, first.id, "edit was added or ended");
    struct review review = load_or_fail(f, pinned.id);
    assert_string_equal(drug_of(&review, "o1")->planned, "1 at 09:00");
    assert_int_equal(review.plan->edit_count, 1);
    assert_string_equal(review.plan->edits[0].value, "1@09:00");
    sign_or_fail(f, pinned.id);
    assert_holds(f, pinned.id);
    /* Planned again, it stays what it is. */
    assert_int_equal(clinic_plan(&f->clinic, f->patient, 7).outcome, PLAN_SAME);
    /* Ended, the signature does not hold. */
    assert_int_equal(try_edit(f, NULL, review.plan->edits[0].id, &made, &err), 0);
    assert_int_equal(made.times_planned, 1);
    assert_void(f, pinned.id, "edit was added or ended");
    assert_int_equal(try_edit(f, NULL, review.plan->edits[0].id, &made, &err), E_NOT_FOUND);
    struct plan_made forbidden = edit_or_fail(f, PLAN_EDIT_FORBID, "", "17:15-18:15");
    review = load_or_fail(f, forbidden.id);
    assert_string_not_equal(drug_of(&review, "o2")->planned, "1 at 18:00");
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM audit WHERE action = 'plan.edit'"), 2);
    assert_int_equal(clinic_int(&f->clinic, "SELECT count(*) FROM audit WHERE action = 'plan.edit.end'"), 1);
}

static void edits_that_nothing_can_keep_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000), evening = at_clock(18 * 60), prn = clinic_daily(1, 1000);
    prn.as_needed = true;
    clinic_product(&f->clinic, "SIMVA-B", "Simvastatin 20 mg tablet B", "simvastatin");
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    clinic_order(&f->clinic, f->patient, "o2", "SIMVA", &evening);
    clinic_order(&f->clinic, f->patient, "o3", "AMLO", &prn);
    (void)clinic_plan(&f->clinic, f->patient, 7);
    assert_edit_refused(f, PLAN_EDIT_PIN, "o2", "1@08:00", "only times from 17:00 to 19:00");
    assert_edit_refused(f, PLAN_EDIT_PIN, "o1", "1@08:07", "multiples of 15");
    assert_edit_refused(f, PLAN_EDIT_PIN, "o1", "2@08:00", "has 1 dose a day");
    assert_edit_refused(f, PLAN_EDIT_PIN, "o1", "1@26:00", "1@08:00 are wanted");
    assert_edit_refused(f, PLAN_EDIT_PIN, "o3", "1@08:00", "not be in the pouches");
    assert_edit_refused(f, PLAN_EDIT_PIN, "o9", "1@08:00", "no current order o9");
    assert_edit_refused(f, PLAN_EDIT_PIN, "", "1@08:00", "needs an order");
    assert_edit_refused(f, PLAN_EDIT_FORBID, "", "16:00-20:00", "only times from 17:00 to 19:00");
    assert_edit_refused(f, PLAN_EDIT_FORBID, "", "16:00", "12:00-14:00 is wanted");
    assert_edit_refused(f, PLAN_EDIT_PRODUCT, "o1", "SIMVA", "needs another order");
    assert_edit_refused(f, PLAN_EDIT_PRODUCT, "o2", "NOTHING", "not in the formulary");
    struct plan_made made = edit_or_fail(f, PLAN_EDIT_PRODUCT, "o2", "SIMVA-B");
    struct review review = load_or_fail(f, made.id);
    assert_string_equal(drug_of(&review, "o2")->drug, "Simvastatin 20 mg tablet B");
}

static void an_edit_that_an_order_outgrows_leaves_it_to_the_pharmacist(void **state)
{
    struct fixture *f = *state;
    struct reading once = clinic_daily(1, 1000), evening = at_clock(18 * 60);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &once);
    clinic_order(&f->clinic, f->patient, "o2", "SIMVA", &once);
    (void)clinic_plan(&f->clinic, f->patient, 7);
    (void)edit_or_fail(f, PLAN_EDIT_PIN, "o1", "1@09:00");
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &evening);
    struct plan_made made = clinic_plan(&f->clinic, f->patient, 7);
    assert_int_equal(made.waiting, 1);
    struct review review = load_or_fail(f, made.id);
    assert_int_equal(drug_of(&review, "o1")->state, PLAN_WAITING);
    assert_non_null(strstr(drug_of(&review, "o1")->reason, "edit 1 by pia, pin 1@09:00"));
}

static void a_pharmacists_reason_answers_a_change_of_plans(void **state)
{
    struct fixture *f = *state;
    struct reading evening = at_clock(22 * 60), morning = at_clock(8 * 60);
    struct error err = {0};
    struct plan_made made;
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &evening);
    sign_or_fail(f, clinic_plan(&f->clinic, f->patient, 14).id);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &morning);
    int64_t next = clinic_plan_from(&f->clinic, f->patient, "2026-12-07", 14).id;
    assert_int_equal(sign(f, next, &err), E_STATE);
    const struct plan_request request = {
        .patient = f->patient,
        .start_day = 20780 + 14,
        .days = 14,
        .actor = "pia",
        .wall_ms = now_ms,
        .edit = edit_of(f, PLAN_EDIT_SWITCH, "o1", "2026-12-07"),
    };
    assert_int_equal(plan_make(f->clinic.store, f->clinic.policy, &request, &made, &err), 0);
    struct review review = load_or_fail(f, made.id);
    bool said = false;
    for (size_t i = 0; i < review.plan->note_count; i++) {
        assert_true(review.plan->notes[i].kind != PLAN_SWITCH);
        said |= review.plan->notes[i].kind == PLAN_WARNING &&
                strstr(review.plan->notes[i].text, "Accepted by pia: asked for") != NULL;
    }
    assert_true(said);
    sign_or_fail(f, made.id);
    assert_holds(f, made.id);
    /* It was an answer to this change alone: at the next one nobody has been asked yet. */
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &evening);
    sign_or_fail(f, clinic_plan_from(&f->clinic, f->patient, "2026-12-21", 14).id);
    clinic_order(&f->clinic, f->patient, "o1", "AMLO", &morning);
    next = clinic_plan_from(&f->clinic, f->patient, "2027-01-04", 14).id;
    review = load_or_fail(f, next);
    assert_int_equal(review.plan->edit_count, 0);
    assert_int_equal(sign(f, next, &err), E_STATE);
}

/* ---- delta ---- */

static void set_look(struct fixture *f, const char *code, const char *look)
{
    struct product product;
    enum product_put put;
    struct error err = {0};
    assert_int_equal(product_get(f->clinic.store, code, &product, &err), 0);
    (void)snprintf(product.look, sizeof product.look, "%s", look);
    assert_int_equal(store_write_begin(f->clinic.store, &err), 0);
    assert_int_equal(product_put(f->clinic.store, &product, 2, &put, &err), 0);
    assert_int_equal(store_write_commit(f->clinic.store, &err), 0);
}

static void what_changed_stands_first_and_the_rest_is_folded(void **state)
{
    struct fixture *f = *state;
    struct reading evening = at_clock(18 * 60), morning = at_clock(8 * 60), noon = at_clock(12 * 60);
    struct buf text;
    clinic_product(&f->clinic, "PARA", "Paracetamol 500 mg tablet", "paracetamol");
    clinic_product(&f->clinic, "ZINC", "Zinc 50 mg tablet", "zinc");
    clinic_order(&f->clinic, f->patient, "look", "AMLO", &morning);
    clinic_order(&f->clinic, f->patient, "moved", "PARA", &evening);
    clinic_order(&f->clinic, f->patient, "same", "ZINC", &morning);
    int64_t first = clinic_plan(&f->clinic, f->patient, 14).id;
    sign_or_fail(f, first);
    set_look(f, "AMLO", "white oval");
    clinic_order(&f->clinic, f->patient, "moved", "PARA", &noon);
    struct plan_made made = clinic_plan_from(&f->clinic, f->patient, "2026-12-07", 14);
    struct review review = load_or_fail(f, made.id);
    assert_string_equal(drug_of(&review, "look")->look, "white oval");
    assert_string_equal(drug_of(&review, "look")->look_before, "white round");
    assert_string_equal(drug_of(&review, "same")->look, "");
    /* The morning's pouches hold the same as before, two weeks earlier. */
    assert_int_equal(review.delta.same, 14);
    assert_int_equal(review.delta.group_count, 2);
    assert_int_equal(review.delta.groups[0].count, 14);
    assert_int_equal(review.delta.groups[0].minute, 12 * 60);
    assert_string_equal(review.delta.groups[0].was, "");
    assert_string_equal(review.delta.groups[0].is, "1 Paracetamol 500 mg tablet");
    assert_int_equal(review.delta.groups[1].minute, 18 * 60);
    assert_string_equal(review.delta.groups[1].is, "");
    buf_init(&text);
    review_to_text(&review, &text);
    const char *look = strstr(buf_string(&text), "white oval, was white round"),
               *moved = strstr(buf_string(&text), "times: Paracetamol"),
               *rest = strstr(buf_string(&text), "1 drugs unchanged");
    assert_true(look && moved && rest && look < moved && moved < rest);
    assert_non_null(strstr(buf_string(&text), "12:00: new time"));
    assert_non_null(strstr(buf_string(&text), "18:00: no more"));
    buf_finish(&text);
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
        cmocka_unit_test_setup_teardown(
            edits_are_kept_in_the_plan_show_their_cost_and_void_what_was_signed_without_them, setup,
            teardown),
        cmocka_unit_test_setup_teardown(edits_that_nothing_can_keep_change_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_edit_that_an_order_outgrows_leaves_it_to_the_pharmacist, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_pharmacists_reason_answers_a_change_of_plans, setup, teardown),
        cmocka_unit_test_setup_teardown(what_changed_stands_first_and_the_rest_is_folded, setup, teardown),
        cmocka_unit_test(days_without_their_order_are_refused),
        cmocka_unit_test(night_shifts_and_late_bedtimes_find_their_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
