/* SPDX-License-Identifier: Apache-2.0 */
/* Hazards H20 and H21: switches and buttons of a panel beside a machine that packs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "controller/pack/panel.h"
#include "controller/store/store.h"
#include "hw/gpio/memory.h"
#include "hw/machine.h"
#include "tests/sim/rig.h"

enum { MINUTE_MS = 60000 };

static void begin(struct rig *rig, bool attended)
{
    rig_init(rig, &(struct rig_params){
                      .patients = 2, .days = 5, .seed = 5, .panel = true, .no_attend = !attended});
}

static void pull_both(struct rig *rig, enum panel_role first, bool active)
{
    gpio_memory_pull(rig->gpio, (unsigned)first, active);
    gpio_memory_pull(rig->gpio, (unsigned)first + 1, active);
}

static void press(struct rig *rig, enum panel_role button)
{
    gpio_memory_pull(rig->gpio, (unsigned)button, true);
    rig_run_ms(rig, 100);
    gpio_memory_pull(rig->gpio, (unsigned)button, false);
    rig_run_ms(rig, 500);
}

static int64_t count(struct rig *rig, const char *sql)
{
    return pharmacy_int(&rig->pharmacy, sql);
}

static void run_until_good(struct rig *rig, int64_t wanted)
{
    for (int i = 0; i < 100000; i++) {
        if (count(rig, "SELECT count(*) FROM job WHERE state = 'good'") >= wanted)
            return;
        rig_run_ms(rig, 20);
    }
    fail_msg("%d pouches are not made: %s", (int)wanted, packer_note(rig->packer));
}

static enum machine_state state_of(struct rig *rig)
{
    struct machine_status status;
    world_status(rig->world, &status);
    return status.state;
}

static void is_refused(struct rig *rig, int64_t batch, const char *verb)
{
    rig_order(rig, batch, verb, false);
    assert_int_equal(count(rig, "SELECT count(*) FROM command WHERE id = (SELECT max(id) FROM command) AND"
                                " result LIKE 'refused: %: %'"),
                     1);
}

/* The whole way of a person: open, closed, Reset, confirm, Clear, Start; each step alone starts nothing. */
static void a_stop_at_the_panel_aborts_and_waits_for_a_person(void **state)
{
    (void)state;
    static const enum panel_role switches[] = {PANEL_ESTOP_A, PANEL_GUARD_A};
    for (int s = 0; s < 2; s++) {
        struct rig rig;
        begin(&rig, false);
        int64_t batch = pharmacy_batch(&rig.pharmacy);
        run_until_good(&rig, 5);
        assert_true(gpio_memory_shows(rig.gpio, PANEL_GREEN));
        pull_both(&rig, switches[s], false);
        assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
        rig_expect_batch(&rig, batch, "stopped", s == 0 ? "emergency stop: open" : "guard door: open");
        rig_run_ms(&rig, 2000);
        assert_int_equal(state_of(&rig), MACHINE_STATE_ABORTED);
        assert_true(gpio_memory_shows(rig.gpio, PANEL_RED));
        assert_int_equal(count(&rig, "SELECT count(*) FROM alarm WHERE number = 904 AND cleared_ms IS NULL"),
                         1);
        is_refused(&rig, batch, "start");
        is_refused(&rig, 0, "clear");
        pull_both(&rig, switches[s], true);
        rig_run_ms(&rig, 5 * MINUTE_MS); /* nothing restarts by itself */
        is_refused(&rig, batch, "start");
        press(&rig, PANEL_START);
        assert_int_equal(state_of(&rig), MACHINE_STATE_ABORTED);
        while (count(&rig, "SELECT count(*) FROM alarm WHERE number = 3 AND cleared_ms IS NULL"))
            rig_order(&rig, 0, "confirm", true);
        press(&rig, PANEL_RESET); /* the switches, and Clear for the machine */
        rig_run_ms(&rig, 2000);
        assert_int_equal(count(&rig, "SELECT count(*) FROM alarm WHERE number = 904 AND cleared_ms IS NULL"),
                         0);
        assert_int_equal(state_of(&rig), MACHINE_STATE_STOPPED);
        rig_expect_batch(&rig, batch, "stopped", "");
        press(&rig, PANEL_START);
        assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
        rig_check(&rig, batch, true);
        assert_true(count(&rig, "SELECT count(*) FROM fill WHERE state = 'void'") > 0);
        rig_finish(&rig);
    }
}

static void the_stand_in_does_not_reset_a_switch(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, true);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    gpio_memory_pull(rig.gpio, PANEL_GUARD_B, false);
    assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
    rig_run_ms(&rig, 5 * MINUTE_MS);
    rig_expect_batch(&rig, batch, "stopped", "guard door");
    assert_int_equal(state_of(&rig), MACHINE_STATE_ABORTED);
    rig_finish(&rig);
}

static void a_stop_is_kept_over_the_controllers_death(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, false);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    pull_both(&rig, PANEL_ESTOP_A, false);
    rig_round(&rig);
    rig_crash(&rig);
    assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
    rig_run_ms(&rig, 3000);
    rig_expect_batch(&rig, batch, "stopped", "emergency stop");
    assert_int_equal(state_of(&rig), MACHINE_STATE_ABORTED);
    rig_finish(&rig);
}

static void buttons_are_rows_like_any_other_wish(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, false);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    press(&rig, PANEL_STOP);
    assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
    rig_expect_batch(&rig, batch, "stopped", "stopped by a person");
    press(&rig, PANEL_START);
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_check(&rig, batch, true);
    assert_int_equal(
        count(&rig, "SELECT count(*) FROM command WHERE actor = 'panel' AND result LIKE 'taken%'"), 2);
    assert_int_equal(count(&rig, "SELECT count(*) FROM audit WHERE actor = 'panel'"), 2);
    rig_finish(&rig);
}

/* Registers of the last seconds, and the edges. */
static void an_alarm_holds_its_evidence(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, false);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 5);
    pull_both(&rig, PANEL_ESTOP_A, false);
    assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
    assert_int_equal(count(&rig, "SELECT count(*) FROM alarm WHERE number IN (901, 904) AND"
                                 " json_extract(evidence, '$.format') = 'sachet-evidence/1' AND"
                                 " json_array_length(evidence, '$.seen') > 10 AND"
                                 " evidence LIKE '%\"state\":\"Execute\"%' AND"
                                 " json_array_length(evidence, '$.panel.edges') = 2 AND"
                                 " json_extract(evidence, '$.panel.levels.estop_a') = 0"),
                     count(&rig, "SELECT count(*) FROM alarm WHERE number IN (901, 904)"));
    assert_true(count(&rig, "SELECT count(*) FROM alarm WHERE number IN (901, 904)") >= 2);
    rig_finish(&rig);
}

/* A machine whose program hangs behind a gateway: an alarm that stays open, once, until its heart beats
 * again. */
static void a_heartbeat_that_stands_still_is_an_alarm_until_it_goes_on(void **state)
{
    (void)state;
    static const char open[] = "SELECT count(*) FROM alarm WHERE number = 905 AND cleared_ms IS NULL";
    struct rig rig;
    begin(&rig, true);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 3);
    rig.hung = true;
    rig_run_ms(&rig, 10000);
    assert_int_equal(count(&rig, open), 1);
    assert_non_null(strstr(packer_note(rig.packer), "heartbeat"));
    rig_crash(&rig); /* a new process finds it open and raises no second one */
    rig_run_ms(&rig, 10000);
    assert_int_equal(count(&rig, "SELECT count(*) FROM alarm WHERE number = 905"), 1);
    assert_int_equal(count(&rig, open), 1);
    rig.hung = false;
    rig_run_ms(&rig, 5000);
    assert_int_equal(count(&rig, open), 0);
    assert_true(rig_run_batch(&rig, batch, 10 * MINUTE_MS));
    rig_check(&rig, batch, true);
    rig_finish(&rig);
}

/* The evidence of a stop names the pouches that were begun, and the alarm the first of them. */
static void an_alarm_names_the_pouches_that_it_touches(void **state)
{
    (void)state;
    struct rig rig;
    begin(&rig, false);
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    run_until_good(&rig, 5);
    struct machine_status mirror;
    do {
        rig_run_ms(&rig, 1);
        world_status(rig.world, &mirror);
    } while (mirror.started == mirror.done);
    world_power_off(rig.world);
    assert_true(rig_run_batch(&rig, batch, MINUTE_MS));
    rig_run_ms(&rig, 5000);
    world_status(rig.world, &mirror);
    assert_true(mirror.started > mirror.done); /* nobody has confirmed yet */
    assert_int_equal(
        count(&rig, "SELECT count(*) FROM alarm a JOIN fill f ON f.id = a.fill_id WHERE a.number = 3 AND"
                    " json_extract(a.evidence, '$.pouches[0]') = f.token"),
        1);
    assert_int_equal(
        count(&rig, "SELECT json_array_length(evidence, '$.pouches') FROM alarm WHERE number = 3"),
        mirror.started - mirror.done);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_at_the_panel_aborts_and_waits_for_a_person),
        cmocka_unit_test(the_stand_in_does_not_reset_a_switch),
        cmocka_unit_test(a_stop_is_kept_over_the_controllers_death),
        cmocka_unit_test(buttons_are_rows_like_any_other_wish),
        cmocka_unit_test(an_alarm_holds_its_evidence),
        cmocka_unit_test(a_heartbeat_that_stands_still_is_an_alarm_until_it_goes_on),
        cmocka_unit_test(an_alarm_names_the_pouches_that_it_touches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
