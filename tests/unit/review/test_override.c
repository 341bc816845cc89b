/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hazard H8: a product that a packing rule leaves to a pharmacist is packed only on his word, of a red rule
 * only on two persons' word, in whatever order they come; the word ends by its day, by being taken back and
 * by a rule that changes, and what was signed on it ends with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/plan/packing.h"
#include "controller/plan/plan_row.h"
#include "controller/review/override_word.h"
#include "controller/review/sign.h"
#include "controller/stock/product.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user_key.h"
#include "tests/support/clinic.h"

#define NOW   INT64_C(1795348800000) /* 2026-11-22, as clinic_plan plans a day before its first */
#define DAY   INT64_C(86400000)
#define OTHER "another good password"

enum { PEOPLE = 4 };

struct fixture {
    struct clinic clinic;
    struct review_rules rules;
    struct clock_virtual clock;
    struct user people[PEOPLE]; /* pia, paul, petra: pharmacists; tom: technician */
    struct seal_key *keys[PEOPLE];
    int64_t patient;
};

static struct error err;

static void ok(int status)
{
    if (status < 0)
        fail_msg("%s", err.message);
}

static int32_t today(const struct fixture *f)
{
    return instant_day(f->clock.wall_now_ms);
}

static void person(struct fixture *f, int place, const char *login)
{
    int64_t id;
    ok(user_add(f->clinic.store, &f->clinic.pharmacist, login, login, USER_PHARMACIST, OTHER, 1, &id, &err));
    ok(user_by_id(f->clinic.store, id, &f->people[place], &err));
    ok(user_key_open(&f->people[place], OTHER, &f->keys[place], &err));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const struct reading twice = clinic_daily(2, 1000);
    clinic_init(&f->clinic, "", NULL);
    clinic_people(&f->clinic);
    f->people[0] = f->clinic.pharmacist;
    f->people[3] = f->clinic.technician;
    ok(user_key_open(&f->people[0], CLINIC_PASSWORD, &f->keys[0], &err));
    ok(user_key_open(&f->people[3], CLINIC_PASSWORD, &f->keys[3], &err));
    person(f, 1, "paul");
    person(f, 2, "petra");
    clock_virtual_init(&f->clock, 0, NOW);
    ok(packing_create(f->clinic.packing, &f->rules.products, &err));
    memcpy(f->rules.timing, f->clinic.policy->timing_hash, sizeof f->rules.timing);
    memcpy(f->rules.packing, f->clinic.policy->packing_hash, sizeof f->rules.packing);
    f->rules.clock = &f->clock.clock;
    f->rules.today = CIVIL_DAY_NONE;
    clinic_product(&f->clinic, "KCL", "Potassium chloride 600 mg", "potassium chloride"); /* asks */
    clinic_product(&f->clinic, "OXY", "Oxycodone 5 mg", "oxycodone");                     /* asks, red */
    clinic_product(&f->clinic, "DABI", "Dabigatran 150 mg", "dabigatran");                /* never */
    clinic_product(&f->clinic, "AMLO", "Amlodipine 5 mg", "amlodipine");                  /* asks nobody */
    f->patient = clinic_patient(&f->clinic, "p1", "Ann Onymous");
    clinic_order(&f->clinic, f->patient, "o-amlo", "AMLO", &twice);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < PEOPLE; i++)
        seal_key_close(f->keys[i]);
    packing_destroy(f->rules.products);
    clinic_finish(&f->clinic);
    free(f);
    return 0;
}

static int add(struct fixture *f, int who, const char *product, int days, int64_t *ret_id, bool *ret_red)
{
    const struct override_asked asked = {.product = product,
                                         .reason = "foil cannot be fed by this machine",
                                         .from_day = today(f),
                                         .until_day = today(f) + days};
    return override_add(f->clinic.store, f->rules.products, &asked, today(f), &f->people[who], f->keys[who],
                        f->clock.wall_now_ms, ret_id, ret_red, &err);
}

static int second(struct fixture *f, int who, int64_t id)
{
    return override_second(f->clinic.store, f->rules.products, id, today(f), &f->people[who], f->keys[who],
                           f->clock.wall_now_ms, &err);
}

static struct plan_made plan(struct fixture *f)
{
    struct plan_made made;
    struct plan_request request = {.patient = f->patient,
                                   .start_day = instant_day(NOW) + 1,
                                   .days = 7,
                                   .actor = "test",
                                   .wall_ms = f->clock.wall_now_ms};
    ok(plan_make(f->clinic.store, f->clinic.policy, &request, &made, &err));
    return made;
}

static void sign(struct fixture *f, int64_t id)
{
    ok(review_sign(f->clinic.store, id, &f->rules, &f->people[0], f->keys[0], f->clock.wall_now_ms, &err));
    ok(review_verify(f->clinic.store, id, &f->rules, &err));
}

static void assert_void(struct fixture *f, int64_t id, int code, const char *why)
{
    int status = review_verify(f->clinic.store, id, &f->rules, &err);
    if (status != code || !strstr(err.message, why))
        fail_msg("%d, \"%s\" instead of %d, \"%s\"", status, status < 0 ? err.message : "", code, why);
}

static void order(struct fixture *f, const char *product)
{
    const struct reading twice = clinic_daily(2, 1000);
    char id[32];
    (void)snprintf(id, sizeof id, "o-%s", product);
    clinic_order(&f->clinic, f->patient, id, product, &twice);
}

static void what_a_rule_leaves_to_a_pharmacist_waits_for_his_word_and_is_packed_with_it(void **state)
{
    struct fixture *f = *state;
    int64_t id = 0;
    bool red = true;
    order(f, "KCL");
    assert_int_equal(plan(f).waiting, 1);
    ok(add(f, 0, "KCL", 30, &id, &red));
    assert_false(red);
    struct plan_made made = plan(f);
    assert_int_equal(made.waiting, 0);
    assert_int_equal(made.drugs, 2);
    sign(f, made.id);
    assert_int_equal(clinic_int(&f->clinic,
                                "SELECT instr(text, 'override 1 KCL \"hygroscopic-salts\"') > 0 FROM "
                                "plan ORDER BY id DESC LIMIT 1"),
                     1);
}

/* As the importer stores it: waiting, for nothing but this. */
static void an_order_that_waits_for_this_word_alone_needs_no_other(void **state)
{
    struct fixture *f = *state;
    const struct reading twice = clinic_daily(2, 1000);
    int64_t id;
    bool red;
    clinic_order_as(
        &f->clinic, f->patient, "o-kcl", "KCL", &twice, "waiting",
        "[{\"code\":\"PACKING_ASK\",\"text\":\"draws water\"},{\"code\":\"PROVISIONAL\",\"text\":\"\"}]");
    assert_int_equal(plan(f).waiting, 1);
    ok(add(f, 0, "KCL", 30, &id, &red));
    assert_int_equal(plan(f).drugs, 2);
    clinic_order_as(&f->clinic, f->patient, "o-kcl", "KCL", &twice, "waiting",
                    "[{\"code\":\"PACKING_ASK\",\"text\":\"\"},{\"code\":\"ORDER_OLD\",\"text\":\"2003\"}]");
    assert_int_equal(plan(f).waiting, 1); /* it waits for something else, too */
}

static void a_red_rule_needs_two_persons_in_whatever_order_they_come(void **state)
{
    static const struct {
        int first, second;
        int refused; /* of the second */
    } cases[] = {{0, 1, 0},        {1, 0, 0},        {1, 2, 0},        {2, 1, 0},       {0, 0, E_DENIED},
                 {1, 1, E_DENIED}, {0, 3, E_DENIED}, {3, 0, E_DENIED}, {3, 3, E_DENIED}};
    struct fixture *f = *state;
    order(f, "OXY");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t id = 0;
        bool red = false;
        int first = add(f, cases[i].first, "OXY", 10, &id, &red);
        if (cases[i].first == 3) { /* a technician is not even the first */
            assert_int_equal(first, E_DENIED);
            continue;
        }
        ok(first);
        assert_true(red);
        assert_int_equal(plan(f).waiting, 1); /* one person is not enough */
        assert_int_equal(second(f, cases[i].second, id), cases[i].refused);
        struct plan_made made = plan(f);
        assert_int_equal(made.waiting, cases[i].refused ? 1 : 0);
        if (!cases[i].refused) {
            sign(f, made.id);
            assert_int_equal(second(f, 2, id), cases[i].first == 2 ? E_DENIED : E_STATE); /* there are two */
        }
        ok(override_revoke(f->clinic.store, id, "over with this case", &f->people[2], NOW, &err));
        assert_int_equal(second(f, 1, id), E_STATE);
        if (!cases[i].refused)
            assert_void(f, made.id, E_STATE, "was ended by petra");
    }
}

static void a_disabled_person_stands_for_nothing_new_and_what_he_said_before_holds(void **state)
{
    struct fixture *f = *state;
    int64_t id;
    bool red;
    order(f, "OXY");
    ok(add(f, 1, "OXY", 10, &id, &red));
    ok(user_disable(f->clinic.store, &f->people[0], "paul", NOW, &err));
    ok(user_disable(f->clinic.store, &f->people[0], "petra", NOW, &err));
    assert_int_equal(second(f, 2, id), E_DENIED); /* the struct in hand does not know it yet */
    ok(second(f, 0, id));
    struct plan_made made = plan(f);
    sign(f, made.id);
    ok(user_key_revoke(f->clinic.store, &f->people[0], "paul", NOW - 1, "his laptop was stolen", NOW + 1,
                       &err));
    assert_void(f, made.id, E_STATE, "does not count since");
}

static void an_override_ends_with_its_last_day_for_plans_and_for_the_machine(void **state)
{
    struct fixture *f = *state;
    int64_t id;
    bool red;
    order(f, "KCL");
    ok(add(f, 0, "KCL", 3, &id, &red));
    struct plan_made made = plan(f);
    sign(f, made.id);
    clock_virtual_advance(&f->clock, 3 * DAY);
    ok(review_verify(f->clinic.store, made.id, &f->rules, &err)); /* the last day */
    clock_virtual_advance(&f->clock, DAY);
    assert_void(f, made.id, E_STATE, "it has expired");
    assert_int_equal(plan(f).waiting, 1);
    f->clock.wall_now_ms = NOW - DAY; /* set back */
    assert_void(f, made.id, E_STATE, "it does not hold yet");
}

static void nobody_overrides_a_never_and_nothing_that_nobody_asks_for(void **state)
{
    struct fixture *f = *state;
    int64_t id;
    bool red;
    assert_int_equal(add(f, 0, "DABI", 10, &id, &red), E_STATE);
    assert_non_null(strstr(err.message, "nobody overrides"));
    assert_int_equal(add(f, 0, "AMLO", 10, &id, &red), E_STATE);
    assert_int_equal(add(f, 0, "NONE", 10, &id, &red), E_NOT_FOUND);
    assert_int_equal(add(f, 0, "KCL", OVERRIDE_DAYS_MAX + 1, &id, &red), E_INPUT);
    assert_int_equal(add(f, 0, "KCL", -1, &id, &red), E_INPUT);
    ok(add(f, 0, "KCL", 10, &id, &red));
    assert_int_equal(add(f, 1, "KCL", 10, &id, &red), E_EXISTS);
    assert_int_equal(second(f, 1, id), E_STATE); /* not red */
    assert_int_equal(override_revoke(f->clinic.store, id, "short", &f->people[0], NOW, &err), E_INPUT);
    assert_int_equal(override_revoke(f->clinic.store, 99, "long enough", &f->people[0], NOW, &err),
                     E_NOT_FOUND);
    assert_int_equal(override_revoke(f->clinic.store, id, "long enough", &f->people[3], NOW, &err), E_DENIED);
    ok(override_revoke(f->clinic.store, id, "long enough", &f->people[1], NOW, &err));
    assert_int_equal(override_revoke(f->clinic.store, id, "long enough", &f->people[1], NOW, &err), E_STATE);
}

/* The site's file with one text replaced. */
static void rules_become(struct fixture *f, const char *was, const char *is, struct conf **ret_conf,
                         struct packing **ret_packing)
{
    struct buf text;
    size_t len;
    const char *bytes = conf_bytes(f->clinic.packing, &len);
    const char *at = memmem(bytes, len, was, strlen(was));
    assert_non_null(at);
    buf_init(&text);
    buf_add(&text, bytes, (size_t)(at - bytes));
    buf_text(&text, is);
    buf_add(&text, at + strlen(was), len - (size_t)(at - bytes) - strlen(was));
    ok(conf_parse(&conf_packing, "packing.yaml", text.data, text.len, ret_conf, &err));
    buf_finish(&text);
    ok(packing_create(*ret_conf, ret_packing, &err));
}

/* The hash of the file is left out of it here: this is the second lock behind it. */
static void a_rule_that_becomes_stricter_or_says_something_else_ends_its_overrides(void **state)
{
    static const struct {
        const char *was, *is, *why;
    } cases[] = {
        {"policy: PHARMACIST\n    reason: draws water", "policy: NEVER\n    reason: draws water",
         "out of pouches"},
        {"policy: PHARMACIST\n    reason: draws water",
         "policy: PHARMACIST\n    red: true\n    reason: draws water", "says something else"},
        {"reason: draws water and sticks", "reason: sticks, jams and breaks", "says something else"},
        {"ingredients: [dofetilide]\n    policy", "ingredients: [dofetilide, potassium chloride]\n    policy",
         "says something else"},
        {"ingredients: [warfarin]\n    policy", "ingredients: [warfarin, potassium chloride]\n    policy",
         "in a pouch of its own"},
        {"ingredients: [warfarin]\n    policy: ALONE", "ingredients: [amlodipine]\n    policy: ALONE",
         "product AMLO in a pouch of its own"},
        {"ingredients: [pyridostigmine, linaclotide]", "ingredients: [amlodipine]",
         "moisture keeps product AMLO"},
        {"ingredients: [nifedipine, nicorandil]", "ingredients: [amlodipine]",
         "product AMLO has no override"},
    };
    struct fixture *f = *state;
    struct packing *own = f->rules.products;
    int64_t id;
    bool red;
    order(f, "KCL");
    ok(add(f, 0, "KCL", 30, &id, &red));
    struct plan_made made = plan(f);
    sign(f, made.id);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct conf *conf = NULL;
        rules_become(f, cases[i].was, cases[i].is, &conf, &f->rules.products);
        assert_void(f, made.id, E_STATE, cases[i].why);
        packing_destroy(f->rules.products);
        conf_destroy(conf);
        f->rules.products = own;
        ok(review_verify(f->clinic.store, made.id, &f->rules, &err));
    }
}

static void a_product_that_the_formulary_leaves_to_a_pharmacist_is_asked_for_in_the_same_way(void **state)
{
    struct fixture *f = *state;
    struct product product;
    enum product_put put;
    int64_t id;
    bool red;
    ok(product_get(f->clinic.store, "AMLO", &product, &err));
    product.packable = PRODUCT_PACKABLE_PHARMACIST;
    (void)snprintf(product.note, sizeof product.note, "new maker, not tried yet");
    ok(store_write_begin(f->clinic.store, &err));
    ok(product_put(f->clinic.store, &product, NOW, &put, &err));
    ok(store_write_commit(f->clinic.store, &err));
    order(f, "KCL");
    assert_int_equal(plan(f).drugs, 0);
    ok(add(f, 0, "AMLO", 30, &id, &red));
    struct plan_made made = plan(f);
    assert_int_equal(made.drugs, 1);
    sign(f, made.id);
}

static void whoever_changes_a_word_behind_the_back_is_noticed(void **state)
{
    static const struct {
        const char *sql, *why;
    } cases[] = {
        {"UPDATE packing_override SET until_day = until_day + 1", "is not what paul signed"},
        {"UPDATE packing_override SET red = 0", "is not what paul signed"},
        {"UPDATE packing_override SET reason = 'for a better world'", "is not what paul signed"},
        {"UPDATE packing_override SET product_code = 'AMLO'", "is not what paul signed"},
        {"UPDATE packing_override_word SET said_ms = said_ms + 1000 WHERE place = 2",
         "is not what pia signed"},
        {"UPDATE packing_override_word SET user_id = 4 WHERE place = 2", "is not what petra signed"},
        {"UPDATE packing_override_word SET user_id = 2 WHERE place = 1", "who is no pharmacist"},
        {"DELETE FROM packing_override_word WHERE place = 1", "without its person"},
        {"DELETE FROM packing_override_word WHERE place = 2", "not the one that the plan was made with"},
        {"INSERT INTO packing_override_end VALUES (1, 1, 'not so', 1)", "the audit and the store differ"},
    };
    struct fixture *f = *state;
    int64_t id;
    bool red;
    order(f, "OXY");
    ok(add(f, 1, "OXY", 10, &id, &red));
    ok(second(f, 0, id));
    struct plan_made made = plan(f);
    sign(f, made.id);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ok(store_write_begin(f->clinic.store, &err));
        ok(store_exec(f->clinic.store, &err, cases[i].sql, ""));
        /* Within the transaction that is thrown away, so that each case is alone. */
        assert_void(f, made.id, E_TAMPERED, cases[i].why);
        store_write_rollback(f->clinic.store);
    }
    ok(override_revoke(f->clinic.store, id, "taken back after all", &f->people[2], NOW, &err));
    clinic_exec(&f->clinic, "DELETE FROM packing_override_end");
    assert_void(f, made.id, E_TAMPERED, "the audit and the store differ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_a_rule_leaves_to_a_pharmacist_waits_for_his_word_and_is_packed_with_it),
        TEST(an_order_that_waits_for_this_word_alone_needs_no_other),
        TEST(a_red_rule_needs_two_persons_in_whatever_order_they_come),
        TEST(a_disabled_person_stands_for_nothing_new_and_what_he_said_before_holds),
        TEST(an_override_ends_with_its_last_day_for_plans_and_for_the_machine),
        TEST(nobody_overrides_a_never_and_nothing_that_nobody_asks_for),
        TEST(a_rule_that_becomes_stricter_or_says_something_else_ends_its_overrides),
        TEST(a_product_that_the_formulary_leaves_to_a_pharmacist_is_asked_for_in_the_same_way),
        TEST(whoever_changes_a_word_behind_the_back_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
