/* SPDX-License-Identifier: Apache-2.0 */
/* The dress rehearsal: what it foretells is what happens, and the store is as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/error.h"
#include "config/base/log.h"
#include "config/base/profile.h"
#include "config/machine.h"
#include "config/paths.h"
#include "controller/pack/batch.h"
#include "controller/stock/content.h"
#include "controller/store/store.h"
#include "tests/support/pharmacy.h"
#include "tools/stage/rehearse.h"
#include "tools/stage/stage.h"
#include "tools/stage/trays.h"

enum { PATIENTS = 3, DAYS = 4, POUCHES = PATIENTS * DAYS * 2, POUCH_MM = 75 };

static struct pharmacy pharmacy;
static int64_t batch;

static int open_pharmacy(void **state)
{
    (void)state;
    pharmacy_init(&pharmacy, PATIENTS, DAYS);
    batch = pharmacy_batch(&pharmacy);
    return 0;
}

static int close_pharmacy(void **state)
{
    (void)state;
    pharmacy_finish(&pharmacy);
    return 0;
}

static struct rehearse_request a_request(void)
{
    static struct profile profile;
    char path[4096];
    struct error err = {0};
    if (paths_data("machines/sachet-packer-1.yaml", path, sizeof path, &err) < 0 ||
        profile_load(path, &profile, &err) < 0)
        fail_msg("%s", err.message);
    return (struct rehearse_request){.store = pharmacy.store,
                                     .batch = batch,
                                     .profile = &profile,
                                     .pouches_a_minute = 100,
                                     .seed = 1,
                                     .film_left_mm = -1,
                                     .wall_ms = 1000000};
}

static struct rehearsal rehearse_or_fail(const struct rehearse_request *request)
{
    struct rehearsal r;
    struct error err = {0};
    if (rehearse(request, &r, &err) < 0)
        fail_msg("%s", err.message);
    return r;
}

/* The only row of this kind. */
static struct rehearse_row the_row(const struct rehearsal *r, enum rehearse_kind kind)
{
    struct rehearse_row found = {0};
    assert_int_equal(r->count[kind], 1);
    for (size_t i = 0; i < r->row_count; i++) {
        if (r->rows[i].kind == kind)
            found = r->rows[i];
    }
    return found;
}

static void everything_is_made_and_nothing_is_written(void **state)
{
    (void)state;
    static const char *const tables[] = {"fill", "audit", "stock_move", "command", "alarm", "machine"};
    const struct rehearse_request request = a_request();
    int64_t before[6], version = store_data_version(pharmacy.store);
    char sql[64];
    for (int i = 0; i < 6; i++) {
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]); /* fits */
        before[i] = pharmacy_int(&pharmacy, sql);
    }
    struct rehearsal first = rehearse_or_fail(&request), again = rehearse_or_fail(&request);
    assert_int_equal(first.pouches, POUCHES);
    assert_int_equal(first.good, POUCHES);
    assert_int_equal(first.voids, 0);
    assert_int_equal(first.pieces, PATIENTS * DAYS * 5);
    assert_int_equal(first.film_mm, POUCHES * POUCH_MM);
    assert_int_equal(first.ribbon_mm, POUCHES * POUCH_MM);
    assert_int_equal(first.row_count, 0);
    assert_int_equal(first.duration_ms, again.duration_ms);
    assert_int_equal(store_data_version(pharmacy.store), version);
    for (int i = 0; i < 6; i++) {
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]); /* fits */
        assert_int_equal(pharmacy_int(&pharmacy, sql), before[i]);
    }
    assert_int_equal(pharmacy_int(&pharmacy, "SELECT count(*) FROM job WHERE state = 'waiting'"), POUCHES);
    assert_int_equal(pharmacy_int(&pharmacy, "SELECT count(*) FROM canister WHERE machine = 'm1'"), 5);
    rehearsal_finish(&first);
    rehearsal_finish(&again);
}

/* Pouches 2, 4, 6, ... take two C each: after one there are 3 - 2 left. */
static void a_canister_that_runs_out_is_named_with_its_pouch(void **state)
{
    (void)state;
    pharmacy_exec(&pharmacy, "UPDATE canister SET level = 3 WHERE bay = 3");
    const struct rehearse_request request = a_request();
    struct rehearsal r = rehearse_or_fail(&request);
    const struct rehearse_row row = the_row(&r, REHEARSE_RUNS_OUT);
    assert_int_equal(r.good, POUCHES);
    assert_int_equal(r.row_count, 1);
    assert_int_equal(row.position, 4);
    assert_int_equal(row.pouch, 4);
    assert_string_equal(row.patient, "pat-1");
    assert_int_equal(row.canister, PHARMACY_FIRST_CANISTER + 3);
    assert_int_equal(row.bay, 3);
    assert_string_equal(row.product, "C");
    assert_int_equal(row.left, 1);
    assert_int_equal(row.wanted, 2);
    assert_int_equal(row.next_canister, 0);
    assert_int_equal(row.loaded, REHEARSE_LOAD);
    assert_int_equal(pharmacy_int(&pharmacy, "SELECT level FROM canister WHERE bay = 3"), 3);
    rehearsal_finish(&r);
}

/* Loaded with three each time: C runs out again and again. */
static void a_small_canister_runs_out_more_than_once(void **state)
{
    (void)state;
    pharmacy_exec(&pharmacy, "UPDATE canister SET level = 2 WHERE bay = 3");
    pharmacy_exec(&pharmacy, "INSERT INTO stock_move (canister_id, kind, pieces, actor, moved_ms)"
                             " SELECT id, 'load', 6, 'tech', 0 FROM canister WHERE bay = 3");
    const struct rehearse_request request = a_request();
    struct rehearsal r = rehearse_or_fail(&request);
    /* 12 pouches of two: 1 from what is there, the other 11 need four loads of six. */
    assert_int_equal(r.good, POUCHES);
    assert_int_equal(r.count[REHEARSE_RUNS_OUT], 4);
    assert_int_equal(r.rows[0].position, 4);
    assert_int_equal(r.rows[1].position, 10);
    assert_int_equal(r.rows[2].position, 16);
    assert_int_equal(r.rows[3].position, 22);
    rehearsal_finish(&r);
}

static void the_canister_that_follows_and_its_lot_are_named(void **state)
{
    (void)state;
    struct error err = {0};
    pharmacy_exec(&pharmacy, "UPDATE canister SET level = 5, lot = 'SIM-OLD' WHERE bay = 0");
    if (store_write_begin(pharmacy.store, &err) < 0 ||
        content_seal(pharmacy.store, PHARMACY_FIRST_CANISTER, 5, "test", 1, &err) < 0 ||
        store_write_commit(pharmacy.store, &err) < 0)
        fail_msg("%s", err.message);
    const struct rehearse_request request = a_request();
    struct rehearsal r = rehearse_or_fail(&request);
    const struct rehearse_row out = the_row(&r, REHEARSE_RUNS_OUT);
    const struct rehearse_row lot = the_row(&r, REHEARSE_LOT_CHANGE);
    assert_int_equal(out.position, 11); /* the sixth morning */
    assert_int_equal(out.left, 0);
    assert_int_equal(out.next_canister, PHARMACY_FIRST_CANISTER + 4);
    assert_int_equal(lot.position, 11);
    assert_string_equal(lot.lot, "SIM-OLD");
    assert_string_equal(lot.next_lot, "SIM-1");
    assert_true(lot.at_ms > 0 && lot.at_ms < r.duration_ms);
    rehearsal_finish(&r);
}

static void what_cannot_be_made_is_told_with_its_reason(void **state)
{
    (void)state;
    pharmacy_exec(&pharmacy, "UPDATE canister SET machine = NULL, bay = NULL WHERE bay = 3");
    const struct rehearse_request request = a_request();
    struct rehearsal r = rehearse_or_fail(&request);
    assert_int_equal(r.good, POUCHES / 2);
    assert_int_equal(r.count[REHEARSE_NOT_MADE], POUCHES / 2);
    assert_int_equal(r.rows[0].position, 2);
    assert_non_null(strstr(r.rows[0].note, "no canister of C (whole)"));
    assert_int_equal(r.tray_count, 1);
    assert_int_equal(r.tray_pouches, POUCHES / 2);
    assert_string_equal(r.trays[0].product, "C");
    assert_int_equal(r.trays[0].pieces, POUCHES); /* two each */
    assert_int_equal(r.trays[0].pouches, POUCHES / 2);
    rehearsal_finish(&r);
}

/* Of the two in the morning pouch, and of both kinds of pieces of one product. */
static void a_tray_sheet_goes_by_product_and_piece(void **state)
{
    (void)state;
    pharmacy_exec(&pharmacy, "UPDATE canister SET machine = NULL, bay = NULL WHERE bay IN (1, 2)");
    const struct rehearse_request request = a_request();
    struct rehearsal r = rehearse_or_fail(&request);
    assert_int_equal(r.tray_count, 2);
    assert_int_equal(r.tray_pouches, POUCHES / 2);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(r.trays[i].product, "B");
        assert_int_equal(r.trays[i].piece, i == 0 ? ROLL_WHOLE : ROLL_HALF);
        assert_int_equal(r.trays[i].pieces, POUCHES / 2);
        assert_int_equal(r.trays[i].pouches, POUCHES / 2);
    }
    rehearsal_finish(&r);
}

static void the_reel_ends_before_its_pouch(void **state)
{
    (void)state;
    struct rehearse_request request = a_request();
    request.film_left_mm = 5 * POUCH_MM + 10;
    struct rehearsal r = rehearse_or_fail(&request);
    assert_int_equal(the_row(&r, REHEARSE_NEW_FILM).position, 6);
    assert_int_equal(r.good, POUCHES);
    assert_int_equal(r.holds, 1);
    rehearsal_finish(&r);
}

static void faults_cost_pouches_time_and_film(void **state)
{
    (void)state;
    struct rehearse_request request = a_request();
    struct rehearsal smooth = rehearse_or_fail(&request);
    request.faults_percent = 30000;
    struct rehearsal rough = rehearse_or_fail(&request);
    assert_true(rough.voids > 0);
    assert_int_equal(rough.film_mm, (rough.good + rough.voids) * POUCH_MM);
    assert_true(rough.duration_ms > smooth.duration_ms);
    rehearsal_finish(&smooth);
    rehearsal_finish(&rough);
}

/* Packs the batch on a machine of the same speed until so many pouches are good; then the power goes. */
static int64_t pack_for_real(int64_t good)
{
    struct world_params world;
    struct stage stage;
    struct error err = {0};
    world_params_default(&world, 0);
    world_rates_none(&world.rates);
    world.bays = PHARMACY_BAYS;
    world.fill = PHARMACY_PIECES;
    const struct stage_params params = {.store_path = store_path(pharmacy.store),
                                        .machine = "m1",
                                        .world = &world,
                                        .attend = true,
                                        .wall_ms = 5};
    if (stage_init(&stage, &params, &err) < 0)
        fail_msg("%s", err.message);
    packer_orders(stage.packer);
    int rc = 0;
    for (int i = 0; rc == 0 && i < 100000; i++) {
        struct batch_info info;
        rc = stage_step(&stage, &err);
        if (rc == 0)
            rc = batch_get(stage.store, batch, &info, &err);
        if (rc == 0 && (info.good == good || batch_is_resting(&info)))
            break;
    }
    if (rc < 0)
        fail_msg("%s", err.message);
    int64_t ms = stage.clock.mono_now_ms - STAGE_START_MS;
    stage_finish(&stage);
    return ms;
}

static void the_batch_then_takes_as_long_as_rehearsed(void **state)
{
    (void)state;
    const struct rehearse_request request = a_request();
    struct rehearsal r = rehearse_or_fail(&request);
    int64_t ms = pack_for_real(POUCHES), boot_ms = 8000;
    assert_int_equal(pharmacy_int(&pharmacy, "SELECT count(*) FROM job WHERE state = 'good'"), POUCHES);
    if (llabs(ms - boot_ms - r.duration_ms) > 2000)
        fail_msg("rehearsed %" PRId64 " ms, packed in %" PRId64 " ms and the boot", r.duration_ms,
                 ms - boot_ms);
    rehearsal_finish(&r);
}

static void only_what_is_left_is_rehearsed(void **state)
{
    (void)state;
    struct error err = {0};
    struct rehearsal r;
    const struct rehearse_request request = a_request();
    int64_t good = 7;
    (void)pack_for_real(good);
    assert_int_equal(pharmacy_int(&pharmacy, "SELECT count(*) FROM job WHERE state = 'good'"), good);
    assert_true(pharmacy_int(&pharmacy, "SELECT count(*) FROM job WHERE state = 'sent'") > 0);
    r = rehearse_or_fail(&request);
    assert_int_equal(r.pouches, POUCHES - good);
    assert_int_equal(r.good, r.pouches);
    rehearsal_finish(&r);
    pharmacy_exec(&pharmacy, "UPDATE job SET state = 'cancelled' WHERE state <> 'good'");
    assert_int_equal(rehearse(&request, &r, &err), E_STATE);
    assert_non_null(strstr(err.message, "nothing is left to make"));
    rehearsal_finish(&r);
}

static void an_unsigned_plan_is_not_rehearsed(void **state)
{
    (void)state;
    pharmacy_exec(&pharmacy, "DELETE FROM signature WHERE plan_id = 1");
    struct error err = {0};
    struct rehearsal r;
    const struct rehearse_request request = a_request();
    assert_true(rehearse(&request, &r, &err) < 0 || r.good < POUCHES);
    rehearsal_finish(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, open_pharmacy, close_pharmacy)
        T(everything_is_made_and_nothing_is_written),
        T(a_canister_that_runs_out_is_named_with_its_pouch),
        T(a_small_canister_runs_out_more_than_once),
        T(the_canister_that_follows_and_its_lot_are_named),
        T(what_cannot_be_made_is_told_with_its_reason),
        T(a_tray_sheet_goes_by_product_and_piece),
        T(the_reel_ends_before_its_pouch),
        T(faults_cost_pouches_time_and_film),
        T(the_batch_then_takes_as_long_as_rehearsed),
        T(only_what_is_left_is_rehearsed),
        T(an_unsigned_plan_is_not_rehearsed),
    };
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else the tests are only slower */
    log_init("test", LOG_ERROR, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
