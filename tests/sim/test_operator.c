/* SPDX-License-Identifier: Apache-2.0 */
/* What people do at the line, and what the line does not do without them. No stand-in here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "controller/report/report.h"
#include "controller/store/store.h"
#include "hw/machine.h"
#include "tests/sim/rig.h"

enum { MINUTE_MS = 60000 };

static void begin(struct rig *rig, int patients, int days)
{
    rig_init(rig, &(struct rig_params){.patients = patients, .days = days, .seed = 5, .no_attend = true});
}

static enum machine_state state_of(struct rig *rig)
{
    struct machine_status status;
    world_status(rig->world, &status);
    return status.state;
}

/* Until so many pouches of the batch are good. */
static void run_until_good(struct rig *rig, int64_t count)
{
    for (int i = 0; i < 100000; i++) {
        if (pharmacy_int(&rig->pharmacy, "SELECT count(*) FROM job WHERE state = 'good'") >= count)
            return;
        rig_run_ms(rig, 20);
    }
    fail_msg("%d pouches are not made: %s", (int)count, packer_note(rig->packer));
}

/* Until a pouch is begun and not done. */
static void run_until_under_way(struct rig *rig)
{
    struct machine_status status;
    for (int i = 0; i < 10000; i++) {
        world_status(rig->world, &status);
        if (status.started > status.done)
            return;
        rig_run_ms(rig, 1);
    }
    fail_msg("no pouch is begun");
}

static void an_emergency_stop_waits_for_a_person(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 2, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 5);
    world_set_estop(rig.world, false);
    assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
    rig_expect_batch(&rig, batch, "stopped", "emergency stop pressed");
    assert_int_equal(state_of(&rig), MACHINE_STATE_ABORTED);
    world_set_estop(rig.world, true);
    rig_run_ms(&rig, 5 * MINUTE_MS); /* nothing restarts by itself */
    assert_int_equal(state_of(&rig), MACHINE_STATE_ABORTED);
    rig_order(&rig, batch, "start", true); /* a start alone is not enough */
    rig_run_ms(&rig, MINUTE_MS);
    rig_expect_batch(&rig, batch, "stopped", "the machine aborted");
    rig_order(&rig, 0, "clear", false); /* a doubtful pouch lies in it */
    while (pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM alarm WHERE number = 3 AND cleared_ms IS NULL"))
        rig_order(&rig, 0, "confirm", true);
    rig_order(&rig, 0, "clear", true);
    rig_run_ms(&rig, 2000);
    rig_order(&rig, batch, "start", true);
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_check(&rig, batch, true);
    assert_true(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill WHERE state = 'void'") > 0);
    rig_finish(&rig);
}

static void a_power_loss_waits_for_a_person(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 2, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    run_until_under_way(&rig);
    world_power_off(rig.world);
    rig_run_ms(&rig, 10000);
    assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
    rig_expect_batch(&rig, batch, "stopped", "pouch in doubt");
    rig_order(&rig, 0, "confirm", true);
    while (pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM alarm WHERE number = 3 AND cleared_ms IS NULL"))
        rig_order(&rig, 0, "confirm", true);
    rig_order(&rig, 0, "clear", true);
    rig_run_ms(&rig, 2000);
    rig_order(&rig, 0, "start", true); /* of the machine: it finds its batch */
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_check(&rig, batch, true);
    rig_finish(&rig);
}

static void a_controller_that_comes_back_goes_on_where_the_machine_never_stopped(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 2, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    packer_destroy(rig.packer);
    rig.packer = NULL;
    clock_virtual_advance(&rig.clock, 10000); /* silent: the machine suspends (M7) */
    world_advance(rig.world, rig.clock.mono_now_ms * 1000);
    assert_int_equal(state_of(&rig), MACHINE_STATE_SUSPENDED);
    rig_crash(&rig);
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_check(&rig, batch, true);
    rig_finish(&rig);
}

static void a_clean_end_leaves_no_pouch_half_made(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 2, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    packer_close(rig.packer);
    for (int i = 0; i < 1000 && !packer_closed(rig.packer); i++)
        rig_run_ms(&rig, 10);
    assert_true(packer_closed(rig.packer));
    struct machine_status status;
    world_status(rig.world, &status);
    assert_int_equal(status.started, status.done);
    assert_int_equal(status.retired, status.done);
    rig_crash(&rig); /* the next process */
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_check(&rig, batch, true);
    assert_int_equal(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill WHERE state = 'void'"), 0);
    rig_finish(&rig);
}

static void pause_and_resume_lose_nothing(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 2, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    rig_order(&rig, batch, "pause", true);
    rig_run_ms(&rig, 20000);
    int64_t good = pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM job WHERE state = 'good'");
    assert_int_equal(state_of(&rig), MACHINE_STATE_SUSPENDED);
    rig_run_ms(&rig, MINUTE_MS);
    assert_int_equal(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM job WHERE state = 'good'"), good);
    rig_order(&rig, batch, "resume", true);
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_check(&rig, batch, true);
    rig_order(&rig, batch, "pause", false); /* it is over */
    rig_finish(&rig);
}

static void a_cancelled_batch_gives_its_pouches_back(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 2, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    rig_order(&rig, batch, "cancel", true);
    for (int i = 0; i < 1000 && pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM job WHERE state = 'sent'");
         i++)
        rig_run_ms(&rig, 50);
    rig_expect_batch(&rig, batch, "cancelled", "");
    rig_check(&rig, batch, false);
    assert_true(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill WHERE state = 'cancelled'") > 0);
    rig_run_ms(&rig, 10000);
    assert_int_equal(state_of(&rig), MACHINE_STATE_STOPPED); /* no batch: at rest */
    int64_t rest = pharmacy_batch(&rig.pharmacy);
    packer_orders(rig.packer);
    assert_true(rig_run_batch(&rig, rest, 10 * MINUTE_MS));
    rig_check(&rig, rest, true);
    assert_int_equal(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM job WHERE state = 'good'"), 20);
    rig_finish(&rig);
}

static void plant(struct rig *rig, unsigned bay, int64_t until_locked)
{
    for (int i = 0; i < 20000; i++) {
        if (pharmacy_int(&rig->pharmacy, "SELECT count(*) FROM bay WHERE locked = 1") >= until_locked)
            return;
        world_plant(rig->world, bay, WORLD_FAULT_TWINS); /* two pieces for one */
        rig_run_ms(rig, 20);
    }
    fail_msg("bay %u does not lock", bay);
}

static void a_bay_that_counts_wrong_is_locked_and_the_next_canister_takes_over(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 4, 10);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 1);
    plant(&rig, 0, 1);
    world_plant(rig.world, 0, WORLD_FAULT_NONE);
    assert_int_equal(pharmacy_int(&rig.pharmacy, "SELECT bay FROM bay WHERE locked = 1"), 0);
    assert_true(rig_run_batch(&rig, batch, 30 * MINUTE_MS));
    rig_check(&rig, batch, true);
    assert_true(
        pharmacy_int(&rig.pharmacy,
                     "SELECT count(*) FROM fill_item i JOIN fill f ON f.id = i.fill_id WHERE i.bay = 4 AND"
                     " f.state = 'good'") > 0);
    assert_true(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill WHERE remake_of IS NOT NULL") > 0);
    struct error err = {0};
    assert_int_equal(bay_unlock(rig.pharmacy.store, "m1", 0, "tech", 9, &err), 0);
    assert_int_equal(bay_unlock(rig.pharmacy.store, "m1", 0, "tech", 9, &err), E_NOT_FOUND);
    rig_finish(&rig);
}

static void what_no_bay_can_give_is_listed_and_the_rest_is_made(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 4, 10);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    pharmacy_exec(&rig.pharmacy, "UPDATE canister SET level = level - 4990 WHERE bay = 3"); /* the only C */
    assert_true(rig_run_batch(&rig, batch, 30 * MINUTE_MS));
    rig_expect_batch(&rig, batch, "stopped", "could not be made");
    assert_int_equal(
        pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM job WHERE state = 'good' AND pouch % 2 = 1"),
        40); /* every morning pouch */
    assert_int_equal(pharmacy_int(&rig.pharmacy,
                                  "SELECT count(*) FROM job WHERE state = 'blocked' AND note LIKE"
                                  " 'no canister of C (whole)%'"),
                     35); /* five pouches of two */
    pharmacy_exec(&rig.pharmacy, "UPDATE canister SET level = level + 4990 WHERE bay = 3");
    rig_order(&rig, batch, "start", true);
    assert_true(rig_run_batch(&rig, batch, 30 * MINUTE_MS));
    rig_check(&rig, batch, true);
    rig_finish(&rig);
}

static void a_canister_in_a_wrong_bay_fills_no_pouch(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 1, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    world_seat(rig.world, 3, 77, 100);
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_expect_batch(&rig, batch, "stopped", "could not be made");
    assert_int_equal(pharmacy_int(&rig.pharmacy,
                                  "SELECT count(*) FROM job WHERE state = 'blocked' AND note LIKE"
                                  " '%bay 3, the machine reads 77%'"),
                     5);
    assert_int_equal(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill_item WHERE bay = 3"), 0);
    rig_finish(&rig);
}

static void a_late_pill_voids_two_pouches(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 4, 10);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    rig.stock_slack = 1;
    run_until_good(&rig, 2);
    world_plant(rig.world, 1, WORLD_FAULT_LATE);
    assert_true(rig_run_batch(&rig, batch, 30 * MINUTE_MS));
    rig_check(&rig, batch, true);
    assert_true(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill WHERE state = 'void'") >= 2);
    rig_finish(&rig);
}

static void a_restored_backup_stops_and_asks(void **state)
{
    (void)state;
    struct rig rig;
    struct error err = {0};
    char backup[SCRATCH_PATH_BYTES], path[SCRATCH_PATH_BYTES];
    begin(&rig, 2, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    scratch_path(&rig.pharmacy.scratch, "old.db", backup);
    if (store_backup(rig.pharmacy.store, backup, &err) < 0)
        fail_msg("%s", err.message);
    run_until_good(&rig, 12);
    store_close(rig.pharmacy.store); /* the disk fails, yesterday's backup comes back */
    rig.pharmacy.store = NULL;
    (void)unlink(scratch_path(&rig.pharmacy.scratch, "sachet.db-wal", path)); /* gone after a clean close */
    (void)unlink(scratch_path(&rig.pharmacy.scratch, "sachet.db-shm", path));
    assert_int_equal(rename(backup, rig.pharmacy.path), 0);
    rig_crash(&rig);
    assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
    assert_int_equal(packer_line_state(rig.packer), LINE_HALTED);
    rig_expect_batch(&rig, batch, "stopped", "");
    int64_t fills = pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill");
    rig_run_ms(&rig, MINUTE_MS);
    assert_int_equal(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill"), fills);
    rig_order(&rig, 0, "clear", true); /* looking again changes nothing */
    rig_run_ms(&rig, 5000);
    assert_int_equal(packer_line_state(rig.packer), LINE_HALTED);
    rig_order(&rig, 0, "adopt", true); /* a person took the unknown pouches out */
    rig_run_ms(&rig, 5000);
    assert_int_not_equal(packer_line_state(rig.packer), LINE_HALTED);
    rig_order(&rig, batch, "start", true);
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_expect_batch(&rig, batch, "done", "");
    assert_int_equal(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill WHERE state = 'good'"), 20);
    rig_finish(&rig);
}

static void cleared_counters_cannot_be_adopted(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 2, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    pharmacy_exec(&rig.pharmacy, "UPDATE machine SET next_seq = 1000, retired = 999, session = 50");
    rig_crash(&rig);
    rig_run_ms(&rig, 5000);
    assert_int_equal(packer_line_state(rig.packer), LINE_HALTED);
    assert_non_null(strstr(packer_note(rig.packer), "went back"));
    rig_order(&rig, 0, "adopt", true);
    rig_run_ms(&rig, 5000);
    assert_int_equal(packer_line_state(rig.packer), LINE_HALTED);
    rig_expect_batch(&rig, batch, "stopped", "went back");
    rig_finish(&rig);
}

static void a_second_controller_fences_the_first(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 2, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    const struct machine_control other = {.nonce = 1, .session = 999, .heartbeat = 1};
    assert_int_equal(world_control(rig.world, &other), WORLD_TAKEN);
    assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
    assert_int_equal(packer_line_state(rig.packer), LINE_HALTED);
    rig_expect_batch(&rig, batch, "stopped", "another controller");
    rig_finish(&rig);
}

static void a_changed_pouch_is_not_packed(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 1, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    pharmacy_exec(&rig.pharmacy, "UPDATE job SET pouch_line = replace(pouch_line, 'C:whole:2', 'C:whole:3')"
                                 " WHERE position = 4");
    assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
    rig_expect_batch(&rig, batch, "stopped", "not what was signed");
    assert_int_equal(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill"), 0);
    rig_finish(&rig);
}

static void a_changed_plan_is_not_packed(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 1, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    pharmacy_exec(
        &rig.pharmacy,
        "UPDATE plan SET text = CAST(replace(CAST(text AS TEXT), 'Patient 1', 'Patient 2') AS BLOB)");
    assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
    rig_expect_batch(&rig, batch, "stopped", "");
    assert_int_equal(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill"), 0);
    rig_finish(&rig);
}

static void what_changes_after_the_signature_is_not_packed(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *words;
    } changes[] = {
        {"UPDATE signature SET signature = zeroblob(64)", "signature"},
        {"UPDATE order_version SET current = 0 WHERE id = 1", "changed since"},
        {"UPDATE order_version SET drug_name = 'X' WHERE id = 1", "not what it was"},
        {"UPDATE plan SET state = 'superseded'", "no longer the signed one"},
        {"UPDATE patient SET deceased = 1", "died"},
        {"UPDATE user SET role = 'technician'", "no pharmacist"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct rig rig;
        begin(&rig, 1, 5);
        int64_t batch = pharmacy_batch(&rig.pharmacy);
        pharmacy_exec(&rig.pharmacy, changes[i].sql);
        assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
        rig_expect_batch(&rig, batch, "stopped", changes[i].words);
        assert_int_equal(pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM fill"), 0);
        rig_finish(&rig);
    }
}

static void an_order_that_changes_in_mid_batch_ends_its_plan_and_no_other(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, 2, 10);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    pharmacy_exec(&rig.pharmacy,
                  "UPDATE order_version SET current = 0 WHERE id = 1"); /* of the first patient */
    packer_orders(rig.packer); /* as sachetd does when the store has changed */
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_expect_batch(&rig, batch, "stopped", "could not be made");
    assert_true(
        pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM job WHERE state = 'blocked' AND plan_id = 1") >=
        20 - 3 - 8);
    assert_int_equal(
        pharmacy_int(&rig.pharmacy, "SELECT count(*) FROM job WHERE state = 'good' AND plan_id = 2"), 20);
    rig_finish(&rig);
}

static void the_record_tells_every_pouch_and_adds_up(void **state)
{
    (void)state;
    struct rig rig;
    struct arena arena;
    struct report report;
    struct buf text, json;
    struct error err = {0};
    begin(&rig, 2, 5);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 2);
    world_plant(rig.world, 0, WORLD_FAULT_MISSED);
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    arena_init(&arena, 0);
    buf_init(&text);
    buf_init(&json);
    assert_int_equal(report_batch(rig.pharmacy.store, batch, &arena, &report, &err), 0);
    assert_true(report.conserved);
    assert_int_equal(report.expected, 2 * 5 * 5);
    assert_int_equal(report.counted, report.expected);
    assert_int_equal(report.pouch_count, 20);
    assert_int_equal(report.batch.voids, 1);
    assert_int_equal(report.batch.remakes, 1);
    assert_int_equal(report.drug_count, 4);
    report_text(&report, &text);
    assert_int_equal(strncmp(buf_string(&text), "*** SIMULATED", 13), 0);
    assert_non_null(strstr(buf_string(&text), "good 20 of 20, void 1, remade 1"));
    assert_non_null(strstr(buf_string(&text), "replaces SIM1-"));
    assert_int_equal(report_json(&report, &json, &err), 0);
    assert_non_null(strstr(buf_string(&json), "\"format\":\"sachet-batch-record/1\""));
    assert_non_null(strstr(buf_string(&json), "\"simulated\":true"));
    assert_int_equal(report_files(rig.pharmacy.store, batch, NULL, rig.pharmacy.scratch.folder, &err), 0);
    /* A record that does not add up says so. */
    pharmacy_exec(&rig.pharmacy, "UPDATE fill_item SET counted = counted + 1 WHERE fill_id ="
                                 " (SELECT max(id) FROM fill WHERE state = 'good')");
    assert_int_equal(report_batch(rig.pharmacy.store, batch, &arena, &report, &err), 0);
    assert_false(report.conserved);
    assert_non_null(strstr(report.finding, "not what was signed"));
    buf_finish(&json);
    buf_finish(&text);
    arena_finish(&arena);
    rig_finish(&rig);
}

/* Whoever writes into the store past the program is found out by the record. */
static void a_record_of_what_was_never_made_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *finding;
    } rows[] = {
        {"UPDATE job SET state = 'good' WHERE position = 7",
         "pouch 7: called good, and no good pouch was made"},
        {"UPDATE fill SET state = 'void' WHERE state = 'good' AND job_id = 1",
         "pouch 1: called good, and no good pouch was made"},
        {"UPDATE job SET state = 'cancelled' WHERE id = 1", "and the job is not called good"},
        {"UPDATE fill_item SET requested = 7, counted = 7 WHERE fill_id = 1 AND entry = 0",
         "what was counted is not what was signed"},
        {"UPDATE fill_item SET product_code = 'B' WHERE fill_id = 1 AND product_code = 'A'",
         "what was counted is not what was signed"},
        {"DELETE FROM fill_item WHERE fill_id = 1 AND entry = 0", "what was counted is not what was signed"},
        {"UPDATE plan SET text = x'00' WHERE id = 1", "no such pouch in the signed text"},
        {"UPDATE job SET pouch = 999 WHERE id = 1", "no such pouch in the signed text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig rig;
        struct arena arena;
        struct report report;
        struct buf text;
        struct error err = {0};
        begin(&rig, 1, 5);
        int64_t batch = pharmacy_batch(&rig.pharmacy);
        run_until_good(&rig, 2);
        arena_init(&arena, 0);
        buf_init(&text);
        assert_int_equal(report_batch(rig.pharmacy.store, batch, &arena, &report, &err), 0);
        assert_true(report.conserved);
        assert_string_equal(report.finding, "");
        pharmacy_exec(&rig.pharmacy, rows[i].sql);
        assert_int_equal(report_batch(rig.pharmacy.store, batch, &arena, &report, &err), 0);
        if (report.conserved || !strstr(report.finding, rows[i].finding))
            fail_msg("%s: \"%s\"", rows[i].sql, report.finding);
        report_text(&report, &text);
        assert_non_null(strstr(buf_string(&text), report.finding));
        buf_finish(&text);
        arena_finish(&arena);
        rig_finish(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_emergency_stop_waits_for_a_person),
        cmocka_unit_test(a_power_loss_waits_for_a_person),
        cmocka_unit_test(a_controller_that_comes_back_goes_on_where_the_machine_never_stopped),
        cmocka_unit_test(a_clean_end_leaves_no_pouch_half_made),
        cmocka_unit_test(pause_and_resume_lose_nothing),
        cmocka_unit_test(a_cancelled_batch_gives_its_pouches_back),
        cmocka_unit_test(a_bay_that_counts_wrong_is_locked_and_the_next_canister_takes_over),
        cmocka_unit_test(what_no_bay_can_give_is_listed_and_the_rest_is_made),
        cmocka_unit_test(a_canister_in_a_wrong_bay_fills_no_pouch),
        cmocka_unit_test(a_late_pill_voids_two_pouches),
        cmocka_unit_test(a_restored_backup_stops_and_asks),
        cmocka_unit_test(cleared_counters_cannot_be_adopted),
        cmocka_unit_test(a_second_controller_fences_the_first),
        cmocka_unit_test(a_changed_pouch_is_not_packed),
        cmocka_unit_test(a_changed_plan_is_not_packed),
        cmocka_unit_test(what_changes_after_the_signature_is_not_packed),
        cmocka_unit_test(an_order_that_changes_in_mid_batch_ends_its_plan_and_no_other),
        cmocka_unit_test(the_record_tells_every_pouch_and_adds_up),
        cmocka_unit_test(a_record_of_what_was_never_made_says_so),
    };
    /* What a power cut does to the disk is tested elsewhere: here the store may live in memory. */
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else the tests are only slower */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
