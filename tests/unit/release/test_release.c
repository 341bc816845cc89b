/* SPDX-License-Identifier: Apache-2.0 */
/* A roll leaves the house only when each flagged pouch was decided, the challenges were seen, the strip is
 * whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/pack/token.h"
#include "controller/release/release.h"
#include "controller/review/sign.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tests/support/clinic.h"

enum { REMADE = 4 }; /* the pouch that was made twice */

static struct clinic house;
static struct error err;
static struct user second; /* another pharmacist */
static struct seal_key *second_key;
static int64_t plan, now_ms = 1795219200000;
static struct arena arena;
static const char reason[] = "the void pouch is cut out";

static void ok(int status)
{
    if (status < 0)
        fail_msg("%s", err.message);
}

static int open_house(void **state)
{
    int64_t id;
    (void)state;
    clinic_init(&house, "", NULL);
    clinic_people(&house);
    ok(user_add(house.store, &house.pharmacist, "quinn", "Quinn Pharmacist", USER_PHARMACIST, CLINIC_PASSWORD,
                1, &id, &err));
    ok(user_by_id(house.store, id, &second, &err));
    ok(user_key_open(&second, CLINIC_PASSWORD, &second_key, &err));
    clinic_product(&house, "AMLO", "Amlodipine 5 mg tablet", "amlodipine");
    clinic_product(&house, "SIMVA", "Simvastatin 20 mg tablet", "simvastatin");
    return 0;
}

static int close_house(void **state)
{
    (void)state;
    seal_key_close(second_key);
    clinic_finish(&house);
    return 0;
}

/* Says that a machine made every pouch, one of them twice. */
static void pack_everything(void)
{
    char sql[600], token[TOKEN_BYTES], first[TOKEN_BYTES];
    static int64_t batch = 0, seq = 0;
    int64_t pouches = 0;
    batch++;
    (void)snprintf(sql, sizeof sql, "SELECT pouches FROM plan WHERE id = %lld", (long long)plan);
    pouches = clinic_int(&house, sql);
    assert_true(pouches >= 6);
    clinic_exec(&house, "INSERT OR IGNORE INTO machine VALUES ('SN1', 'packer-1', 0, 1, 1000, 0, 1, 1)");
    clinic_exec(&house,
                "INSERT OR IGNORE INTO canister VALUES (1, 'AMLO', 'whole', 'L1', 30000, 1000, 'packer-1', "
                "1, 1)");
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO batch (id, machine, state, created_by, created_ms, started_by) VALUES (%lld, "
                   "'packer-1', 'done', 'tom', 1, 'tom')",
                   (long long)batch);
    clinic_exec(&house, sql);
    for (int64_t n = 1; n <= pouches; n++) {
        int64_t job = plan * 1000 + n;
        (void)snprintf(
            sql, sizeof sql,
            "INSERT INTO job (id, batch_id, position, plan_id, pouch, pouch_line, pouch_hash, state) "
            "VALUES (%lld, %lld, %lld, %lld, %lld, 'line', x'00', 'good')",
            (long long)job, (long long)batch, (long long)n, (long long)plan, (long long)n);
        clinic_exec(&house, sql);
        assert_true(token_format(batch, n, 0, first));
        if (n == REMADE) {
            (void)snprintf(
                sql, sizeof sql,
                "INSERT INTO fill (serial, seq, job_id, job_hash, token, state, reason, intended_ms) "
                "VALUES ('SN1', %lld, %lld, 1, '%s', 'void', 'wrong count', 1)",
                (long long)++seq, (long long)job, first);
            clinic_exec(&house, sql);
        }
        assert_true(token_format(batch, n, n == REMADE, token));
        (void)snprintf(
            sql, sizeof sql,
            "INSERT INTO fill (serial, seq, job_id, job_hash, token, state, intended_ms) VALUES ('SN1', "
            "%lld, %lld, 1, '%s', 'good', 2)",
            (long long)++seq, (long long)job, token);
        clinic_exec(&house, sql);
        (void)snprintf(
            sql, sizeof sql,
            "INSERT INTO fill_item SELECT max(id), 0, 1, 1, 'AMLO', 'whole', 'L1', 1, 1 FROM fill");
        clinic_exec(&house, sql);
    }
}

static int setup(void **state)
{
    static int number;
    char id[16];
    struct review_rules rules = {0};
    struct reading twice = clinic_daily(2, 1000), once = clinic_daily(1, 1000);
    (void)state;
    arena_init(&arena, 0);
    (void)snprintf(id, sizeof id, "p%d", ++number);
    int64_t patient = clinic_patient(&house, id, "Ann Example");
    (void)snprintf(id, sizeof id, "a%d", number);
    clinic_order(&house, patient, id, "AMLO", &twice);
    (void)snprintf(id, sizeof id, "s%d", number);
    clinic_order(&house, patient, id, "SIMVA", &once);
    plan = clinic_plan(&house, patient, 4).id;
    memcpy(rules.timing, house.policy->timing_hash, sizeof rules.timing);
    memcpy(rules.packing, house.policy->packing_hash, sizeof rules.packing);
    ok(review_sign(house.store, plan, &rules, &house.pharmacist, house.key, now_ms, &err));
    pack_everything();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_finish(&arena);
    return 0;
}

static struct release_roll load(void)
{
    struct release_roll roll;
    ok(release_load(house.store, plan, &arena, &roll, &err));
    return roll;
}

/* Time for a look. */
static int64_t later(void)
{
    return now_ms += RELEASE_PACE_MS;
}

static int decide(int pouch, bool accept, const struct user *user)
{
    return release_decide(house.store, plan, pouch, accept, reason, user, later(), &err);
}

/* Answers the round; right: as it is, else the other way round. */
static void answer_all(const struct user *user, bool right)
{
    struct release_roll roll = load();
    struct release_challenge *list;
    size_t count;
    bool passed, caught;
    ok(release_challenges(house.store, &roll, user, &arena, &list, &count, &passed, &err));
    assert_false(passed);
    for (size_t i = 0; i < count; i++) {
        ok(release_answer(house.store, plan, (int)i + 1, right == !list[i].altered, user, later(), &caught,
                          &err));
        assert_int_equal(caught, right);
    }
}

static int sign_as(const struct user *user, const struct seal_key *key)
{
    struct release_roll roll = load();
    return release_sign(house.store, plan, roll.scans, roll.scan_count, user, key, later(), &err);
}

static int sign(void)
{
    return sign_as(&house.pharmacist, house.key);
}

static void everything_in_order_is_released_and_verifies(void **state)
{
    (void)state;
    assert_int_equal(release_verify(house.store, plan, &err), E_STATE);
    assert_int_equal(sign(), E_STATE); /* nothing is decided */
    ok(decide(REMADE, true, &house.pharmacist));
    assert_int_equal(sign(), E_STATE); /* challenges wait */
    assert_non_null(strstr(err.message, "challenges"));
    answer_all(&house.pharmacist, true);
    ok(sign());
    ok(release_verify(house.store, plan, &err));
    struct release_roll roll = load();
    assert_true(roll.released);
    assert_string_equal(roll.released_by, "pia");
    assert_int_equal(sign(), E_STATE); /* once */
    assert_int_equal(decide(REMADE, false, &house.pharmacist), E_STATE);
}

static void flagged_pouches_stand_out_with_their_reason(void **state)
{
    (void)state;
    struct release_roll roll = load();
    assert_int_equal(roll.flagged, 1);
    const struct release_pouch *pouch = &roll.pouches[REMADE - 1];
    assert_int_equal(pouch->flag, RELEASE_REMADE);
    assert_string_equal(pouch->last_void, "wrong count");
    assert_non_null(strstr(pouch->token, "R1"));                            /* 4 -> 4R1 */
    assert_int_equal(roll.scan_count, 3);                                   /* first, behind the cut, last */
    assert_int_equal(decide(REMADE + 1, true, &house.pharmacist), E_STATE); /* nothing to accept */
    assert_int_equal(release_decide(house.store, plan, REMADE, true, "ok", &house.pharmacist, later(), &err),
                     E_INPUT);
    assert_int_equal(decide(REMADE, true, &house.technician), E_DENIED);
    ok(decide(REMADE, false, &house.pharmacist));
    answer_all(&house.pharmacist, true);
    assert_int_equal(sign(), E_STATE);
    assert_non_null(strstr(err.message, "rejected"));
}

/* Hazard H13. */
static void a_gap_or_a_withdrawn_pouch_cannot_be_accepted_away(void **state)
{
    char sql[200];
    (void)state;
    (void)snprintf(sql, sizeof sql, "UPDATE job SET state = 'blocked' WHERE plan_id = %lld AND pouch = 2",
                   (long long)plan);
    clinic_exec(&house, sql);
    assert_int_equal(decide(2, true, &house.pharmacist), E_STATE);
    ok(decide(REMADE, true, &house.pharmacist));
    answer_all(&house.pharmacist, true);
    assert_int_equal(sign(), E_STATE);
    assert_non_null(strstr(err.message, "gap"));
    (void)snprintf(sql, sizeof sql, "UPDATE job SET state = 'good' WHERE plan_id = %lld", (long long)plan);
    clinic_exec(&house, sql);
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO withdrawn (plan_id, pouch, reason, actor, withdrawn_ms) VALUES "
                   "(%lld, 3, 'stopped', 'pia', 1)",
                   (long long)plan);
    clinic_exec(&house, sql);
    assert_int_equal(decide(3, true, &house.pharmacist), E_STATE);
    assert_int_equal(sign(), E_STATE);
    assert_non_null(strstr(err.message, "withdrawn"));
}

/* Hazard H17. */
static void decisions_need_the_time_of_a_look(void **state)
{
    bool caught;
    (void)state;
    ok(decide(REMADE, true, &house.pharmacist));
    assert_int_equal(
        release_decide(house.store, plan, REMADE, false, reason, &house.pharmacist, now_ms + 10, &err),
        E_STATE);
    assert_non_null(strstr(err.message, "too fast"));
    assert_int_equal(
        release_answer(house.store, plan, 1, true, &house.pharmacist, now_ms + 10, &caught, &err), E_STATE);
    ok(release_decide(house.store, plan, REMADE, false, reason, &second, now_ms + 10,
                      &err)); /* another pair of eyes */
}

/* Hazard H17. */
static void a_missed_lie_asks_again_and_then_for_somebody_else(void **state)
{
    struct release_challenge *list;
    size_t count;
    bool passed;
    (void)state;
    ok(decide(REMADE, true, &house.pharmacist));
    answer_all(&house.pharmacist, false);
    assert_int_equal(sign(), E_STATE);
    answer_all(&house.pharmacist, false); /* the second round */
    struct release_roll roll = load();
    assert_int_equal(
        release_challenges(house.store, &roll, &house.pharmacist, &arena, &list, &count, &passed, &err),
        E_STATE);
    assert_int_equal(sign(), E_STATE);
    assert_non_null(strstr(err.message, "another pharmacist"));
    answer_all(&second, true);
    ok(sign_as(&second, second_key));
    ok(release_verify(house.store, plan, &err));
}

static void a_round_holds_a_lie_and_a_truth_and_is_the_same_each_time(void **state)
{
    struct release_challenge *list, *again;
    size_t count;
    bool passed;
    (void)state;
    struct release_roll roll = load();
    ok(release_challenges(house.store, &roll, &house.pharmacist, &arena, &list, &count, &passed, &err));
    ok(release_challenges(house.store, &roll, &house.pharmacist, &arena, &again, &count, &passed, &err));
    size_t lies = 0;
    for (size_t i = 0; i < count; i++) {
        bool same = strcmp(list[i].shown, roll.pouches[list[i].pouch - 1].holds) == 0;
        lies += list[i].altered;
        assert_int_equal(list[i].altered, !same);
        assert_string_equal(list[i].shown, again[i].shown);
    }
    assert_true(lies >= 1 && lies < count);
}

static void the_strip_is_proved_by_its_ends_and_cuts(void **state)
{
    (void)state;
    ok(decide(REMADE, true, &house.pharmacist));
    answer_all(&house.pharmacist, true);
    struct release_roll roll = load();
    const char *scans[3] = {roll.scans[0], roll.scans[1], roll.scans[2]};
    for (size_t missing = 0; missing < 3; missing++) {
        const char *two[2] = {scans[missing == 0], scans[missing == 2 ? 1 : 2]};
        assert_int_equal(release_sign(house.store, plan, two, 2, &house.pharmacist, house.key, later(), &err),
                         E_STATE);
    }
    const char *other[3] = {scans[0], roll.pouches[1].token, scans[2]}; /* of the roll, but behind no cut */
    assert_int_equal(release_sign(house.store, plan, other, 3, &house.pharmacist, house.key, later(), &err),
                     E_INPUT);
    char torn[TOKEN_BYTES];
    (void)snprintf(torn, sizeof torn, "%s", scans[0]);
    torn[0] = torn[0] == '9' ? '8' : '9';
    other[1] = scans[1];
    other[0] = torn;
    assert_int_equal(release_sign(house.store, plan, other, 3, &house.pharmacist, house.key, later(), &err),
                     E_INPUT);
    ok(sign());
}

static void nobody_releases_what_he_packed_in_any_order(void **state)
{
    char sql[160];
    (void)state;
    (void)snprintf(
        sql, sizeof sql,
        "UPDATE batch SET started_by = 'pia' WHERE id = (SELECT batch_id FROM job WHERE plan_id = %lld LIMIT "
        "1)",
        (long long)plan);
    clinic_exec(&house, sql);
    ok(decide(REMADE, true, &house.pharmacist)); /* looking is not releasing */
    answer_all(&house.pharmacist, true);
    assert_int_equal(sign(), E_DENIED);
    answer_all(&second, true);
    ok(sign_as(&second, second_key));
}

static void every_change_after_the_release_is_noticed(void **state)
{
    static const char *const changes[] = {
        "UPDATE fill_item SET counted = counted + 1 WHERE fill_id = (SELECT max(id) FROM fill)",
        "UPDATE fill_item SET lot = 'L2' WHERE fill_id = (SELECT max(id) FROM fill)",
        "UPDATE fill_item SET requested = 9 WHERE fill_id = (SELECT max(id) FROM fill)",
        "UPDATE fill SET token = '1-00001-X' WHERE id = (SELECT max(id) FROM fill)",
        "UPDATE release_decision SET reason = 'another reason' WHERE id = (SELECT max(id) FROM "
        "release_decision)",
        "UPDATE release_signature SET signed_ms = signed_ms + 1 WHERE plan_id = (SELECT max(plan_id) FROM "
        "release_signature)",
        "UPDATE release_signature SET simulated = 1 - simulated WHERE plan_id = (SELECT max(plan_id) FROM "
        "release_signature)",
        "UPDATE release_signature SET user_id = 3 WHERE plan_id = (SELECT max(plan_id) FROM "
        "release_signature)",
        "UPDATE release_signature SET statement = CAST(replace(CAST(statement AS TEXT), 'pouches', "
        "'pouched') AS BLOB)",
        "UPDATE release_signature SET signature = zeroblob(64)",
        "UPDATE machine SET simulated = 1",
        "UPDATE user SET name = 'Somebody' WHERE login = 'pia'",
    };
    (void)state;
    ok(decide(REMADE, true, &house.pharmacist));
    answer_all(&house.pharmacist, true);
    ok(sign());
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        ok(store_write_begin(house.store, &err));
        ok(store_exec(house.store, &err, changes[i], ""));
        if (release_verify(house.store, plan, &err) != E_TAMPERED)
            fail_msg("not noticed: %s", changes[i]);
        store_write_rollback(house.store);
    }
    ok(release_verify(house.store, plan, &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_in_order_is_released_and_verifies),
        TEST(flagged_pouches_stand_out_with_their_reason),
        TEST(a_gap_or_a_withdrawn_pouch_cannot_be_accepted_away),
        TEST(decisions_need_the_time_of_a_look),
        TEST(a_missed_lie_asks_again_and_then_for_somebody_else),
        TEST(a_round_holds_a_lie_and_a_truth_and_is_the_same_each_time),
        TEST(the_strip_is_proved_by_its_ends_and_cuts),
        TEST(nobody_releases_what_he_packed_in_any_order),
        TEST(every_change_after_the_release_is_noticed),
    };
    return cmocka_run_group_tests(tests, open_house, close_house);
}
