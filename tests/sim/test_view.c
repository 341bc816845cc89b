/* SPDX-License-Identifier: Apache-2.0 */
/* The live view of simulated machines, as people see it on wide, narrow and short screens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "hw/sim/world.h"
#include "tools/sachet-sim/view.h"

static struct world *a_machine(unsigned bays)
{
    struct world_params params;
    struct error err = {0};
    world_params_default(&params, 0);
    params.bays = (uint16_t)bays;
    struct world *world = world_create(&params, &err);
    if (!world)
        fail_msg("%s", err.message);
    return world;
}

static void lines_fit_into_the_screen(void **state)
{
    (void)state;
    static const size_t widths[] = {40, 80, 110, 200};
    struct world *world = a_machine(70);
    world_trouble(world, WORLD_TROUBLE_SENSOR_DUST, 3, 1);
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        struct buf text;
        buf_init(&text);
        view_text(&world, 1, widths[i], &text);
        for (const char *line = buf_string(&text); *line; line += strcspn(line, "\n") + 1) {
            bool title = strncmp(line, "machine", 7) == 0; /* one line, whatever the width */
            if (!title && strcspn(line, "\n") > widths[i])
                fail_msg("%d columns: %.*s", (int)widths[i], (int)strcspn(line, "\n"), line);
        }
        assert_null(strchr(buf_string(&text), 033)); /* no colours, no escapes */
        assert_non_null(strstr(buf_string(&text), "sensor-dust bay 3"));
        assert_non_null(strstr(buf_string(&text), "and 10 more"));
        buf_finish(&text);
    }
    world_destroy(world);
}

static void what_matters_stands_in_words(void **state)
{
    (void)state;
    struct world *world = a_machine(4);
    struct buf text;
    buf_init(&text);
    view_text(&world, 1, 80, &text);
    assert_non_null(strstr(buf_string(&text), "SIMULATED  booting"));
    world_advance(world, 9000000);
    world_set_door(world, false);
    world_set_estop(world, false);
    buf_reset(&text);
    view_text(&world, 1, 80, &text);
    assert_non_null(strstr(buf_string(&text), "door OPEN"));
    assert_non_null(strstr(buf_string(&text), "emergency stop PRESSED"));
    assert_non_null(strstr(buf_string(&text), "ALARMS  ESTOP  GUARD_OPEN"));
    world_power_off(world);
    buf_reset(&text);
    view_text(&world, 1, 80, &text);
    assert_non_null(strstr(buf_string(&text), "SIMULATED  no power"));
    buf_finish(&text);
    world_destroy(world);
}

static void a_short_screen_is_cut_and_never_scrolls(void **state)
{
    (void)state;
    struct buf screen;
    buf_init(&screen);
    view_screen("a\nb\nc\nd\n", 3, &screen);
    assert_string_equal(buf_string(&screen), "\033[Ha\033[K\nb\033[K\n...\033[K\033[J");
    buf_reset(&screen);
    view_screen("a\nb\n", 3, &screen);
    assert_string_equal(buf_string(&screen), "\033[Ha\033[K\nb\033[K\n\033[J");
    buf_finish(&screen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_fit_into_the_screen),
        cmocka_unit_test(what_matters_stands_in_words),
        cmocka_unit_test(a_short_screen_is_cut_and_never_scrolls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
