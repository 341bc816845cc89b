/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pack/panel.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/base/log.h"

enum role_kind { KIND_SAFETY, KIND_BUTTON, KIND_SENSOR, KIND_LAMP };

static const struct {
    const char *key;
    enum role_kind kind;
} roles[] = {
#define ROLE_ROW(name, key_, kind_) {.key = key_, .kind = KIND_##kind_},
    PANEL_ROLE_TABLE(ROLE_ROW)
#undef ROLE_ROW
};

static const struct {
    const char *name;
    enum panel_pattern lamps[4]; /* red, amber, green, buzzer */
    const char *text;
} moods[] = {
#define MOOD_ROW(name_, red, amber, green, buzzer, text_) \
    {.name = #name_, .lamps = {PANEL_##red, PANEL_##amber, PANEL_##green, PANEL_##buzzer}, .text = text_},
    PANEL_MOOD_TABLE(MOOD_ROW)
#undef MOOD_ROW
};

static const struct {
    const char *text;
    int64_t period_ms;
    int64_t lit_ms;
} patterns[] = {
    [PANEL_OFF] = {"off", 1, 0},
    [PANEL_ON] = {"on", 1, 1},
    [PANEL_SLOW] = {"1 flash a second", 1000, 500},
    [PANEL_FAST] = {"4 flashes a second", 250, 125},
    [PANEL_CHIRP] = {"0.1 s every 2 s", 2000, 100},
};

/* Two switches of two channels; their lines stand beside each other in the table of roles. */
enum { SWITCH_ESTOP, SWITCH_GUARD, SWITCHES };

static const struct {
    enum panel_role first;
    const char *name;
} switches[SWITCHES] = {
    [SWITCH_ESTOP] = {PANEL_ESTOP_A, "emergency stop"},
    [SWITCH_GUARD] = {PANEL_GUARD_A, "guard door"},
};

static const enum panel_role buttons[] = {PANEL_START, PANEL_STOP, PANEL_RESET};
enum { BUTTONS = sizeof buttons / sizeof buttons[0] };

struct button {
    bool pressed; /* debounced */
    bool seen;    /* level as last read */
    bool mute;    /* pressed since the program started, or stuck: means nothing before it is released */
    int64_t since_ms;
};

struct edge {
    enum panel_role role;
    bool active;
    bool gap;
    int64_t at_ms;
};

struct panel {
    const char *name;
    struct gpio *gpio;
    int places[PANEL_ROLES]; /* line of the set, -1 none */
    enum panel_role of_line[GPIO_LINES_MAX];
    struct interlock interlocks[SWITCHES];
    struct button buttons[BUTTONS];
    bool unreadable;
    bool broken; /* said so in the log */
    uint32_t levels;
    uint32_t shown; /* lamps as last set, by line */
    bool shown_known;
    struct edge edges[PANEL_EDGES];
    unsigned edge_count; /* ever */
    int64_t polled_ms;
    char why[128];
};

/* ---- tables ---- */

const char *panel_role_key(enum panel_role role)
{
    return roles[role].key;
}

const char *panel_mood_name(enum panel_mood mood)
{
    return moods[mood].name;
}

const char *panel_mood_text(enum panel_mood mood)
{
    return moods[mood].text;
}

enum panel_pattern panel_pattern(enum panel_mood mood, enum panel_role lamp)
{
    assert(lamp >= PANEL_RED && lamp <= PANEL_BUZZER);
    return moods[mood].lamps[lamp - PANEL_RED];
}

const char *panel_pattern_text(enum panel_pattern pattern)
{
    return patterns[pattern].text;
}

bool panel_is_lit(enum panel_pattern pattern, int64_t now_ms)
{
    return now_ms % patterns[pattern].period_ms < patterns[pattern].lit_ms;
}

/* ---- lines ---- */

static bool has(const struct panel_config *config, enum panel_role role)
{
    return config->lines[role] && config->lines[role][0];
}

int panel_lines(const struct panel_config *config, struct gpio_line ret_lines[GPIO_LINES_MAX],
                unsigned *ret_count, struct error *err)
{
    unsigned count = 0;
    for (int s = 0; s < SWITCHES; s++) {
        enum panel_role first = switches[s].first, second = first + 1;
        if (has(config, first) != has(config, second))
            return error_set(err, E_ARG, "machine %s: the %s wants both channels, %s and %s", config->name,
                             switches[s].name, roles[first].key, roles[second].key);
    }
    for (int r = 0; r < PANEL_ROLES; r++) {
        if (!has(config, (enum panel_role)r))
            continue;
        bool button = roles[r].kind == KIND_BUTTON, lamp = roles[r].kind == KIND_LAMP;
        ret_lines[count++] = (struct gpio_line){
            .chip = config->chip,
            .name = config->lines[r],
            .direction = lamp ? GPIO_OUTPUT : GPIO_INPUT,
            .bias = lamp     ? GPIO_BIAS_AS_IS
                    : button ? GPIO_BIAS_PULL_UP
                             : GPIO_BIAS_PULL_DOWN,
            .active_low = button,
            .debounce_ms = button ? PANEL_DEBOUNCE_MS : 0, /* a safety switch is heard at once */
        };
    }
    *ret_count = count;
    return count ? 0 : error_set(err, E_ARG, "machine %s: its panel names no line", config->name);
}

static bool line_of(const struct panel *panel, enum panel_role role, uint32_t levels)
{
    return panel->places[role] >= 0 && (levels >> panel->places[role] & 1) != 0;
}

struct panel *panel_create(const struct panel_config *config, struct gpio *gpio, int64_t now_ms,
                           struct error *err)
{
    struct panel *panel = calloc(1, sizeof *panel);
    if (!panel) {
        error_set(err, E_MEMORY, "no memory for the panel of machine %s", config->name);
        return NULL;
    }
    panel->name = config->name;
    panel->gpio = gpio;
    int place = 0;
    for (int r = 0; r < PANEL_ROLES; r++) {
        panel->places[r] = has(config, (enum panel_role)r) ? place : -1;
        if (panel->places[r] >= 0)
            panel->of_line[place++] = (enum panel_role)r;
    }
    for (int s = 0; s < SWITCHES; s++)
        interlock_init(&panel->interlocks[s],
                       config->discrepancy_ms ? config->discrepancy_ms : PANEL_DISCREPANCY_MS);
    for (int b = 0; b < BUTTONS; b++)
        panel->buttons[b] = (struct button){.pressed = true, .seen = true, .mute = true, .since_ms = now_ms};
    panel->polled_ms = now_ms;
    return panel;
}

void panel_destroy(struct panel *panel)
{
    free(panel);
}

/* ---- looking ---- */

static void take_edge(struct panel *panel, const struct gpio_event *event, int64_t now_ms)
{
    enum panel_role role = panel->of_line[event->line];
    panel->edges[panel->edge_count++ % PANEL_EDGES] = (struct edge){
        .role = role, .active = event->active, .gap = event->gap, .at_ms = event->at_ns / 1000000};
    if (roles[role].kind == KIND_SAFETY && (!event->active || event->gap))
        interlock_edge(&panel->interlocks[role >= PANEL_GUARD_A ? SWITCH_GUARD : SWITCH_ESTOP],
                       (role - PANEL_ESTOP_A) % 2, now_ms);
}

/* True: everything that waited was read. */
static bool take_edges(struct panel *panel, int64_t now_ms, struct error *err)
{
    struct gpio_event event;
    int rc = 0;
    for (int i = 0; i < 16 * GPIO_LINES_MAX && (rc = gpio_event(panel->gpio, &event, err)) == 1; i++)
        take_edge(panel, &event, now_ms);
    return rc >= 0;
}

/* True: it was pressed, as a word of a person. */
static bool press(struct panel *panel, int number, bool level, int64_t now_ms)
{
    struct button *button = &panel->buttons[number];
    if (level != button->seen) {
        button->seen = level;
        button->since_ms = now_ms;
    }
    int64_t steady_ms = now_ms - button->since_ms;
    if (button->pressed && level && steady_ms >= PANEL_STUCK_MS && !button->mute) {
        button->mute = true;
        log_warning("panel", "machine=%s button=%s is stuck", panel->name, roles[buttons[number]].key);
    }
    if (level == button->pressed || steady_ms < (gpio_debounces(panel->gpio) ? 0 : PANEL_DEBOUNCE_MS))
        return false;
    button->pressed = level;
    bool word = level && !button->mute;
    if (!level)
        button->mute = false;
    return word;
}

static bool is_safe(const struct panel *panel)
{
    for (int s = 0; s < SWITCHES; s++) {
        if (panel->interlocks[s].state != INTERLOCK_SAFE)
            return false;
    }
    return !panel->unreadable;
}

static bool watch_switches(struct panel *panel, int64_t now_ms)
{
    bool stopped = false;
    for (int s = 0; s < SWITCHES; s++) {
        struct interlock *interlock = &panel->interlocks[s];
        bool was_safe = interlock->state == INTERLOCK_SAFE;
        if (panel->places[switches[s].first] < 0)
            continue;
        bool first = line_of(panel, switches[s].first, panel->levels);
        bool second = line_of(panel, switches[s].first + 1, panel->levels);
        if (interlock_levels(interlock, first, second, now_ms))
            log_warning("panel", "machine=%s %s: %s", panel->name, switches[s].name,
                        interlock_state_text(interlock->state));
        stopped = stopped || (was_safe && interlock->state != INTERLOCK_SAFE);
    }
    return stopped;
}

static void say_why(struct panel *panel)
{
    if (panel->unreadable)
        (void)snprintf(panel->why, sizeof panel->why, "%s",
                       "the safety switches cannot be read; look at the chip and its cable");
    for (int s = 0; s < SWITCHES && !panel->unreadable; s++) {
        if (panel->interlocks[s].state == INTERLOCK_SAFE)
            continue;
        (void)snprintf(panel->why, sizeof panel->why, "%s: %s", switches[s].name,
                       interlock_state_text(panel->interlocks[s].state)); /* all of them fit */
        return;
    }
}

void panel_poll(struct panel *panel, int64_t now_ms, struct panel_word *ret_word)
{
    struct error err = {0};
    struct panel_word word = {0};
    bool pressed[BUTTONS];
    bool was_readable = !panel->unreadable;
    uint32_t levels = 0;
    panel->polled_ms = now_ms;
    panel->unreadable = !take_edges(panel, now_ms, &err) || gpio_levels(panel->gpio, &levels, &err) < 0;
    if (panel->unreadable && was_readable) {
        log_error("panel", "machine=%s %s: counts as an emergency stop", panel->name, err.message);
        word.stopped = true;
    }
    /* Lines that cannot be read are open. */
    panel->levels = panel->unreadable ? 0 : levels;
    word.stopped = watch_switches(panel, now_ms) || word.stopped;
    for (int b = 0; b < BUTTONS; b++)
        pressed[b] = press(panel, b, line_of(panel, buttons[b], panel->levels), now_ms);
    word.start = pressed[0];
    word.stop = pressed[1];
    word.reset = pressed[2];
    if (word.reset)
        (void)panel_reset(panel); /* an open switch stays open */
    say_why(panel);
    *ret_word = word;
}

bool panel_reset(struct panel *panel)
{
    for (int s = 0; s < SWITCHES; s++)
        (void)interlock_reset(&panel->interlocks[s]); /* is_safe tells */
    say_why(panel);
    return is_safe(panel);
}

int64_t panel_due_ms(const struct panel *panel)
{
    int64_t due_ms = panel->polled_ms + PANEL_POLL_MS;
    for (int s = 0; s < SWITCHES; s++) {
        int64_t at_ms = interlock_due_ms(&panel->interlocks[s]);
        if (at_ms < due_ms)
            due_ms = at_ms;
    }
    return due_ms;
}

const char *panel_why(const struct panel *panel)
{
    return is_safe(panel) ? NULL : panel->why;
}

/* ---- telling ---- */

enum panel_mood panel_mood(const struct panel *panel, enum panel_mood mood)
{
    bool open = false, tripped = false;
    if (panel->unreadable)
        return PANEL_MOOD_SWITCH_FAULT;
    for (int s = 0; s < SWITCHES; s++) {
        enum interlock_state state = panel->interlocks[s].state;
        if (state == INTERLOCK_FAULT)
            return PANEL_MOOD_SWITCH_FAULT;
        tripped = tripped || state == INTERLOCK_TRIPPED;
        open = open || (state != INTERLOCK_SAFE && state != INTERLOCK_TRIPPED);
    }
    return open ? PANEL_MOOD_OPEN : tripped ? PANEL_MOOD_TRIPPED : mood;
}

void panel_show(struct panel *panel, enum panel_mood mood, int64_t now_ms)
{
    uint32_t mask = 0, lit = 0;
    struct error err = {0};
    for (int r = PANEL_RED; r <= PANEL_BUZZER; r++) {
        if (panel->places[r] < 0)
            continue;
        uint32_t bit = UINT32_C(1) << panel->places[r];
        mask |= bit;
        if (panel_is_lit(panel_pattern(mood, (enum panel_role)r), now_ms))
            lit |= bit;
    }
    if (mask == 0 || (panel->shown_known && panel->shown == lit))
        return;
    panel->shown_known = gpio_set(panel->gpio, mask, lit, &err) == 0;
    panel->shown = lit;
    if (!panel->shown_known && !panel->broken)
        log_error("panel", "machine=%s lamps: %s", panel->name, err.message);
    panel->broken = !panel->shown_known;
}

void panel_evidence(const struct panel *panel, struct buf *out)
{
    buf_text(out, "{\"safe\":");
    buf_text(out, is_safe(panel) ? "true" : "false");
    buf_printf(out, ",\"backend\":\"%s\",\"levels\":{", gpio_backend(panel->gpio));
    bool first = true;
    for (int r = 0; r < PANEL_ROLES; r++) {
        if (panel->places[r] < 0)
            continue;
        buf_printf(out, "%s\"%s\":%d", first ? "" : ",", roles[r].key,
                   line_of(panel, (enum panel_role)r, panel->levels));
        first = false;
    }
    buf_text(out, "},\"edges\":[");
    unsigned count = panel->edge_count < PANEL_EDGES ? panel->edge_count : PANEL_EDGES;
    for (unsigned i = 0; i < count; i++) {
        const struct edge *edge = &panel->edges[(panel->edge_count - count + i) % PANEL_EDGES];
        buf_printf(out, "%s{\"line\":\"%s\",\"active\":%d,\"at_ms\":%" PRId64 "%s}", i ? "," : "",
                   roles[edge->role].key, edge->active, edge->at_ms, edge->gap ? ",\"gap\":1" : "");
    }
    buf_text(out, "]}");
}
