/* SPDX-License-Identifier: Apache-2.0 */
/* Safety switches, buttons and lamps beside a packer, on lines in memory and a virtual clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "config/base/buf.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "config/base/rng.h"
#include "controller/pack/panel.h"
#include "hw/gpio/memory.h"

struct bench {
    struct clock_virtual clock;
    struct gpio *gpio;
    struct panel *panel;
    struct panel_word word; /* everything that was said since the last look() */
};

static const struct panel_config all_lines = {
    .name = "m1",
    .chip = "panel",
    .lines = {[PANEL_ESTOP_A] = "E1",
              [PANEL_ESTOP_B] = "E2",
              [PANEL_GUARD_A] = "G1",
              [PANEL_GUARD_B] = "G2",
              [PANEL_START] = "START",
              [PANEL_STOP] = "STOP",
              [PANEL_RESET] = "RESET",
              [PANEL_POUCH_OUT] = "OUT",
              [PANEL_RED] = "RED",
              [PANEL_AMBER] = "AMBER",
              [PANEL_GREEN] = "GREEN",
              [PANEL_BUZZER] = "HORN"},
};

/* The owner's loop for so long. */
static void pass(struct bench *b, int64_t ms)
{
    int64_t end_ms = b->clock.mono_now_ms + ms;
    for (;;) {
        struct panel_word word;
        panel_poll(b->panel, b->clock.mono_now_ms, &word);
        b->word.stopped = b->word.stopped || word.stopped;
        b->word.start = b->word.start || word.start;
        b->word.stop = b->word.stop || word.stop;
        b->word.reset = b->word.reset || word.reset;
        int64_t due_ms = panel_due_ms(b->panel);
        if (due_ms > end_ms)
            break;
        clock_virtual_advance(&b->clock, due_ms > b->clock.mono_now_ms ? due_ms - b->clock.mono_now_ms : 1);
    }
    clock_virtual_advance(&b->clock, end_ms - b->clock.mono_now_ms);
}

static struct panel_word look(struct bench *b, int64_t ms)
{
    b->word = (struct panel_word){0};
    pass(b, ms);
    return b->word;
}

static void pull(struct bench *b, enum panel_role role, bool active)
{
    gpio_memory_pull(b->gpio, (unsigned)role, active); /* all lines are there: the place is the role */
}

static void pull_both(struct bench *b, enum panel_role first, bool active)
{
    pull(b, first, active);
    pull(b, first + 1, active);
}

static void begin(struct bench *b)
{
    struct gpio_line lines[GPIO_LINES_MAX];
    struct error err = {0};
    unsigned count = 0;
    *b = (struct bench){0};
    log_init("test", LOG_ERROR, NULL);
    clock_virtual_init(&b->clock, 100000, 0);
    assert_int_equal(panel_lines(&all_lines, lines, &count, &err), 0);
    assert_int_equal(count, PANEL_ROLES);
    b->gpio = gpio_memory_create(lines, count, &b->clock.clock, &err);
    b->panel = panel_create(&all_lines, b->gpio, b->clock.mono_now_ms, &err);
    assert_non_null(b->panel);
    pull_both(b, PANEL_ESTOP_A, true);
    pull_both(b, PANEL_GUARD_A, true);
    struct gpio_event event;
    while (gpio_event(b->gpio, &event, NULL) == 1) {
    }
    assert_false(look(b, 1000).stopped); /* closed switches at the start stop nothing */
    assert_null(panel_why(b->panel));
}

static void end(struct bench *b)
{
    panel_destroy(b->panel);
    gpio_destroy(b->gpio);
}

static void tap(struct bench *b, enum panel_role button)
{
    pull(b, button, true);
    pass(b, 100);
    pull(b, button, false);
    pass(b, 100);
}

/* ---- tables ---- */

static void every_interlock_state_and_event_has_one_row(void **state)
{
    (void)state;
    size_t count = 0;
    const struct interlock_row *rows = interlock_rows(&count);
    assert_int_equal(count, INTERLOCK_STATES * INTERLOCK_EVENTS);
    for (unsigned s = 0; s < INTERLOCK_STATES; s++) {
        for (unsigned e = 0; e < INTERLOCK_EVENTS; e++) {
            unsigned found = 0;
            for (size_t i = 0; i < count; i++)
                found += rows[i].from == s && rows[i].event == e;
            if (found != 1)
                fail_msg("%s + %s has %u rows", interlock_state_name((enum interlock_state)s),
                         interlock_event_name((enum interlock_event)e), found);
        }
    }
}

static void nothing_but_reset_leads_back_to_safe(void **state)
{
    (void)state;
    size_t count = 0;
    const struct interlock_row *rows = interlock_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].to == INTERLOCK_SAFE && rows[i].from != INTERLOCK_SAFE) {
            assert_int_equal(rows[i].event, INTERLOCK_EVENT_RESET);
            assert_int_equal(rows[i].from, INTERLOCK_TRIPPED);
        }
        if (rows[i].from == INTERLOCK_FAULT && rows[i].to != INTERLOCK_FAULT)
            assert_int_equal(rows[i].to, INTERLOCK_OPEN);
    }
}

static void every_mood_shows_something_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < PANEL_MOODS; a++) {
        for (int b = 0; b < a; b++) {
            bool same = true;
            for (int lamp = PANEL_RED; lamp <= PANEL_BUZZER; lamp++)
                same = same && panel_pattern((enum panel_mood)a, (enum panel_role)lamp) ==
                                   panel_pattern((enum panel_mood)b, (enum panel_role)lamp);
            if (same)
                fail_msg("%s and %s look the same", panel_mood_name((enum panel_mood)a),
                         panel_mood_name((enum panel_mood)b));
        }
    }
}

/* ---- switches ---- */

static void a_stop_is_heard_at_once_and_ends_by_reset_alone(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    pull_both(&b, PANEL_ESTOP_A, false);
    assert_true(look(&b, 0).stopped);
    assert_non_null(strstr(panel_why(b.panel), "emergency stop"));
    assert_int_equal(panel_mood(b.panel, PANEL_MOOD_RUNS), PANEL_MOOD_OPEN);
    tap(&b, PANEL_RESET); /* it is still pressed */
    assert_non_null(panel_why(b.panel));
    pull_both(&b, PANEL_ESTOP_A, true);
    assert_false(look(&b, 600000).stopped);
    assert_int_equal(panel_mood(b.panel, PANEL_MOOD_RUNS), PANEL_MOOD_TRIPPED);
    tap(&b, PANEL_START); /* Start is no Reset */
    assert_non_null(panel_why(b.panel));
    tap(&b, PANEL_RESET);
    assert_null(panel_why(b.panel));
    end(&b);
}

static void a_bouncing_switch_is_one_stop_and_no_fault(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    for (int i = 0; i < 9; i++) { /* bounces: the channels do not follow each other */
        pull(&b, PANEL_ESTOP_A, i % 2);
        pass(&b, 1);
        pull(&b, PANEL_ESTOP_B, i % 2);
        pass(&b, 2);
    }
    pass(&b, 1000);
    assert_int_equal(panel_mood(b.panel, PANEL_MOOD_RUNS), PANEL_MOOD_OPEN);
    for (int i = 0; i < 9; i++) {
        pull(&b, PANEL_ESTOP_A, i % 2 == 0);
        pass(&b, 1);
        pull(&b, PANEL_ESTOP_B, i % 2 == 0);
        pass(&b, 2);
    }
    pass(&b, 1000);
    assert_int_equal(panel_mood(b.panel, PANEL_MOOD_RUNS), PANEL_MOOD_TRIPPED);
    end(&b);
}

/* H21: each channel stuck high or low. */
static void channels_that_disagree_too_long_are_a_fault(void **state)
{
    (void)state;
    for (int role = PANEL_ESTOP_A; role <= PANEL_GUARD_B; role++) {
        struct bench b;
        enum panel_role first = role < PANEL_GUARD_A ? PANEL_ESTOP_A : PANEL_GUARD_A;
        begin(&b);
        pull(&b, (enum panel_role)role, false);
        assert_true(look(&b, 0).stopped); /* one open channel is a stop */
        pass(&b, PANEL_DISCREPANCY_MS - 10);
        assert_int_equal(panel_mood(b.panel, PANEL_MOOD_RUNS), PANEL_MOOD_OPEN);
        pass(&b, 20);
        assert_int_equal(panel_mood(b.panel, PANEL_MOOD_RUNS), PANEL_MOOD_SWITCH_FAULT);
        pull(&b, (enum panel_role)role, true);
        pass(&b, 1000);
        tap(&b, PANEL_RESET);
        assert_non_null(strstr(panel_why(b.panel), "disagree"));
        pull_both(&b, first, false); /* seen open on both, it is believed again */
        pass(&b, 100);
        pull_both(&b, first, true);
        pass(&b, 100);
        tap(&b, PANEL_RESET);
        assert_null(panel_why(b.panel));
        end(&b);
    }
}

static void a_wire_that_broke_for_a_moment_is_a_fault(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    pull(&b, PANEL_GUARD_B, false);
    pull(&b, PANEL_GUARD_B, true); /* back before anybody looked: the edges tell */
    assert_true(look(&b, 0).stopped);
    pass(&b, 100);
    assert_int_equal(panel_mood(b.panel, PANEL_MOOD_RUNS), PANEL_MOOD_SWITCH_FAULT);
    end(&b);
}

static void lost_edges_do_not_hide_a_level(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    for (int i = 0; i < 99; i++) /* the queue keeps 16 of them, the last one it keeps says "closed" */
        pull_both(&b, PANEL_ESTOP_A, i % 2);
    assert_true(look(&b, 0).stopped);
    pass(&b, 1000);
    assert_int_equal(panel_mood(b.panel, PANEL_MOOD_RUNS), PANEL_MOOD_OPEN);
    end(&b);
}

static void lines_that_cannot_be_read_are_open(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    gpio_memory_break(b.gpio, true);
    assert_true(look(&b, 0).stopped);
    assert_non_null(strstr(panel_why(b.panel), "cannot be read"));
    assert_int_equal(panel_mood(b.panel, PANEL_MOOD_RUNS), PANEL_MOOD_SWITCH_FAULT);
    gpio_memory_break(b.gpio, false);
    pass(&b, 1000);
    assert_non_null(panel_why(b.panel)); /* back, but nobody looked */
    tap(&b, PANEL_RESET);
    assert_null(panel_why(b.panel));
    end(&b);
}

/* Whatever the lines do, the panel is safe only with closed channels and after a Reset. */
static void no_random_walk_ends_safe_without_a_person(void **state)
{
    (void)state;
    struct bench b;
    struct rng rng;
    unsigned safe = 0;
    print_message("seed 20261121\n");
    rng_init(&rng, 20261121, 3);
    begin(&b);
    bool safe_before = true;
    for (int i = 0; i < 40000; i++) {
        enum panel_role role = (enum panel_role)rng_below(&rng, PANEL_POUCH_OUT);
        bool active = role == PANEL_RESET ? rng_below(&rng, 2) : rng_below(&rng, 8) != 0;
        if (role <= PANEL_GUARD_B && rng_below(&rng, 8))
            pull_both(&b, role < PANEL_GUARD_A ? PANEL_ESTOP_A : PANEL_GUARD_A, active);
        else
            pull(&b, role, active);
        struct panel_word word = look(&b, rng_below(&rng, 4) ? rng_below(&rng, 8) : rng_below(&rng, 900));
        bool is_safe = panel_why(b.panel) == NULL;
        if (is_safe && !safe_before)
            assert_true(word.reset);
        uint32_t levels = 0;
        assert_int_equal(gpio_levels(b.gpio, &levels, NULL), 0);
        if (is_safe && word.stopped)
            assert_true(word.reset);
        struct panel_word now = look(&b, 0);
        if (panel_why(b.panel) == NULL && !now.stopped)
            assert_int_equal(levels & 15, 15);
        safe_before = panel_why(b.panel) == NULL;
        safe += safe_before;
    }
    assert_in_range(safe, 1000, 39000); /* the walk came by both */
    end(&b);
}

/* ---- buttons and lamps ---- */

static void a_button_is_one_word_and_a_stuck_one_is_none(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    pull(&b, PANEL_START, true);
    assert_false(look(&b, PANEL_DEBOUNCE_MS - 5).start);
    assert_true(look(&b, 100).start);
    assert_false(look(&b, 100).start); /* held is no second word */
    assert_false(look(&b, PANEL_STUCK_MS).start);
    for (int i = 0; i < 5; i++) { /* it bounces on release */
        pull(&b, PANEL_START, i % 2);
        assert_false(look(&b, 3).start);
    }
    assert_false(look(&b, 100).start);
    pull(&b, PANEL_START, true);
    assert_true(look(&b, 100).start);
    assert_false(look(&b, 100).stop);
    end(&b);
}

static void a_button_held_at_the_start_means_nothing(void **state)
{
    (void)state;
    struct bench b;
    struct error err = {0};
    begin(&b);
    pull(&b, PANEL_START, true);
    panel_destroy(b.panel);
    b.panel = panel_create(&all_lines, b.gpio, b.clock.mono_now_ms, &err);
    assert_false(look(&b, 5000).start);
    pull(&b, PANEL_START, false);
    assert_false(look(&b, 100).start);
    tap(&b, PANEL_START);
    assert_true(b.word.start);
    end(&b);
}

static void lamps_follow_the_table(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    panel_show(b.panel, PANEL_MOOD_RUNS, 1000);
    assert_true(gpio_memory_shows(b.gpio, PANEL_GREEN));
    assert_false(gpio_memory_shows(b.gpio, PANEL_RED));
    panel_show(b.panel, PANEL_MOOD_TRIPPED, 1000);
    assert_true(gpio_memory_shows(b.gpio, PANEL_RED));
    panel_show(b.panel, PANEL_MOOD_TRIPPED, 1600);
    assert_false(gpio_memory_shows(b.gpio, PANEL_RED));
    assert_false(gpio_memory_shows(b.gpio, PANEL_GREEN));
    panel_show(b.panel, PANEL_MOOD_CALLS, 2050);
    assert_true(gpio_memory_shows(b.gpio, PANEL_BUZZER));
    panel_show(b.panel, PANEL_MOOD_CALLS, 2150);
    assert_false(gpio_memory_shows(b.gpio, PANEL_BUZZER));
    end(&b);
}

static void evidence_holds_the_last_edges_and_the_levels(void **state)
{
    (void)state;
    struct bench b;
    struct buf out;
    begin(&b);
    buf_init(&out);
    pull_both(&b, PANEL_ESTOP_A, false);
    pass(&b, 10);
    panel_evidence(b.panel, &out);
    assert_non_null(strstr(buf_string(&out), "\"safe\":false"));
    assert_non_null(strstr(buf_string(&out), "\"estop_a\":0,\"estop_b\":0,\"guard_a\":1"));
    assert_non_null(strstr(buf_string(&out), "{\"line\":\"estop_a\",\"active\":0,\"at_ms\":101000}"));
    buf_finish(&out);
    end(&b);
}

static void a_switch_with_one_channel_and_numbers_for_names_are_refused(void **state)
{
    (void)state;
    struct gpio_line lines[GPIO_LINES_MAX];
    struct error err = {0};
    unsigned count = 0;
    struct panel_config config = {.name = "m1", .chip = "panel"};
    assert_int_equal(panel_lines(&config, lines, &count, &err), E_ARG);
    config.lines[PANEL_GUARD_A] = "G1";
    assert_int_equal(panel_lines(&config, lines, &count, &err), E_ARG);
    assert_non_null(strstr(err.message, "guard_b"));
    config.lines[PANEL_GUARD_B] = "7";
    assert_int_equal(panel_lines(&config, lines, &count, &err), 0);
    assert_null(gpio_memory_create(lines, count, NULL, &err));
    assert_non_null(strstr(err.message, "never numbers"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_interlock_state_and_event_has_one_row),
        cmocka_unit_test(nothing_but_reset_leads_back_to_safe),
        cmocka_unit_test(every_mood_shows_something_of_its_own),
        cmocka_unit_test(a_stop_is_heard_at_once_and_ends_by_reset_alone),
        cmocka_unit_test(a_bouncing_switch_is_one_stop_and_no_fault),
        cmocka_unit_test(channels_that_disagree_too_long_are_a_fault),
        cmocka_unit_test(a_wire_that_broke_for_a_moment_is_a_fault),
        cmocka_unit_test(lost_edges_do_not_hide_a_level),
        cmocka_unit_test(lines_that_cannot_be_read_are_open),
        cmocka_unit_test(no_random_walk_ends_safe_without_a_person),
        cmocka_unit_test(a_button_is_one_word_and_a_stuck_one_is_none),
        cmocka_unit_test(a_button_held_at_the_start_means_nothing),
        cmocka_unit_test(lamps_follow_the_table),
        cmocka_unit_test(evidence_holds_the_last_edges_and_the_levels),
        cmocka_unit_test(a_switch_with_one_channel_and_numbers_for_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
