/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/stage/switches.h"

#include <stdlib.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/rng.h"
#include "controller/pack/panel.h"
#include "hw/gpio/memory.h"

enum { STREAM = 0x5717C4, FLICKERS = 6 /* in a millisecond, at most */ };

struct switches {
    struct world *world;
    struct clock *clock;
    struct gpio *gpio;
    struct panel *panel;
    struct rng rng;
    bool level[WORLD_SWITCHES];       /* without chatter */
    int64_t until_ms[WORLD_SWITCHES]; /* it chatters until then */
    int64_t flicked_ms;
};

/* Inputs stand first in both tables, in the same order; a panel has a line of each role here. */
_Static_assert((int)PANEL_ESTOP_A == (int)WORLD_SWITCH_ESTOP_A &&
                   (int)PANEL_GUARD_B == (int)WORLD_SWITCH_GUARD_B &&
                   (int)PANEL_START == (int)WORLD_SWITCH_START &&
                   (int)PANEL_RESET == (int)WORLD_SWITCH_RESET &&
                   (int)PANEL_POUCH_OUT == (int)WORLD_SWITCH_POUCH_OUT,
               "a line's number is that of its switch");

struct switches *switches_create(const char *name, struct world *world, struct clock *clock, uint64_t seed,
                                 struct error *err)
{
    struct gpio_line lines[GPIO_LINES_MAX];
    struct panel_config config = {.name = name, .chip = "simulated", .discrepancy_ms = PANEL_DISCREPANCY_MS};
    unsigned count = 0;
    for (int r = 0; r < PANEL_ROLES; r++)
        config.lines[r] = panel_role_key((enum panel_role)r);
    struct switches *s = calloc(1, sizeof *s);
    if (!s) {
        error_set(err, E_MEMORY, "no memory for the switches of a simulated machine");
        return NULL;
    }
    s->world = world;
    s->clock = clock;
    rng_init(&s->rng, seed, STREAM);
    if (panel_lines(&config, lines, &count, err) < 0)
        goto fail;
    s->gpio = gpio_memory_create(lines, count, clock, err);
    if (!s->gpio)
        goto fail;
    for (unsigned i = 0; i < WORLD_SWITCHES; i++) {
        s->level[i] = world_switch(world, (enum world_switch)i);
        gpio_memory_pull(s->gpio, i, s->level[i]);
    }
    s->panel = panel_create(&config, s->gpio, clock_mono_ms(clock), err);
    if (s->panel)
        return s;
fail:
    switches_destroy(s);
    return NULL;
}

void switches_destroy(struct switches *s)
{
    if (!s)
        return;
    panel_destroy(s->panel);
    gpio_destroy(s->gpio);
    free(s);
}

struct panel *switches_panel(struct switches *s)
{
    return s->panel;
}

void switches_follow(struct switches *s)
{
    int64_t now_ms = clock_mono_ms(s->clock), contact_ms = world_params(s->world)->contact_us / 1000;
    for (unsigned i = 0; i < WORLD_SWITCHES; i++) {
        bool level = world_switch(s->world, (enum world_switch)i);
        if (level != s->level[i]) {
            s->level[i] = level;
            s->until_ms[i] = now_ms + (i == WORLD_SWITCH_POUCH_OUT ? 0 : contact_ms); /* light, no contact */
        }
        if (now_ms < s->until_ms[i] && now_ms != s->flicked_ms) {
            for (uint32_t k = rng_below(&s->rng, FLICKERS + 1); k > 0; k--)
                gpio_memory_pull(s->gpio, i, rng_below(&s->rng, 2));
        } else if (now_ms >= s->until_ms[i]) {
            gpio_memory_pull(s->gpio, i, level);
        }
    }
    s->flicked_ms = now_ms;
}

int64_t switches_due_ms(const struct switches *s)
{
    int64_t now_ms = clock_mono_ms(s->clock), due_ms = INT64_MAX;
    for (unsigned i = 0; i < WORLD_SWITCHES; i++) {
        if (s->until_ms[i] >= now_ms && now_ms + 1 < due_ms)
            due_ms = now_ms + 1;
    }
    return due_ms;
}
