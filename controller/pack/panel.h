/* SPDX-License-Identifier: Apache-2.0 */
/*
 * panel: what stands beside one packer: emergency stop and guard door with two channels each, buttons, stack
 * light, buzzer, a sensor where pouches leave. It watches, latches and tells; the stop itself is hard-wired,
 * and nothing here starts anything: a button is a person's wish, and Start is another word than Reset.
 *
 * Roles, wiring and light patterns stand in const tables; the site file names chip and lines. The owner calls
 * panel_poll on every edge (gpio_fd), and by panel_due_ms at the latest: levels are read anew each time.
 * Lines that cannot be read count as open.
 *
 * One thread, the owner's. Never blocks. Allocates at creation only.
 */
#ifndef CONTROLLER_PACK_PANEL_H
#define CONTROLLER_PACK_PANEL_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/pack/interlock.h"
#include "hw/gpio.h"

struct buf;
struct error;
struct panel;

/* X(name, key in the site file, kind): safety inputs are closed and high when healthy, with a pull-down, so
 * that a broken wire reads as open; buttons close to ground; lamps are high when lit. */
#define PANEL_ROLE_TABLE(X)           \
    X(ESTOP_A, "estop_a", SAFETY)     \
    X(ESTOP_B, "estop_b", SAFETY)     \
    X(GUARD_A, "guard_a", SAFETY)     \
    X(GUARD_B, "guard_b", SAFETY)     \
    X(START, "start", BUTTON)         \
    X(STOP, "stop", BUTTON)           \
    X(RESET, "reset", BUTTON)         \
    X(POUCH_OUT, "pouch_out", SENSOR) \
    X(RED, "red", LAMP)               \
    X(AMBER, "amber", LAMP)           \
    X(GREEN, "green", LAMP)           \
    X(BUZZER, "buzzer", LAMP)

enum panel_role {
#define PANEL_ROLE_ENUM(name, key, kind) PANEL_##name,
    PANEL_ROLE_TABLE(PANEL_ROLE_ENUM)
#undef PANEL_ROLE_ENUM
        PANEL_ROLES,
};

/* X(name, red, amber, green, buzzer, what it means): first the worst. */
#define PANEL_MOOD_TABLE(X)                                                                    \
    X(SWITCH_FAULT, FAST, OFF, OFF, CHIRP, "a safety switch is faulty or cannot be read")      \
    X(OPEN, ON, OFF, OFF, OFF, "emergency stop or guard open")                                 \
    X(TRIPPED, SLOW, OFF, OFF, OFF, "closed again, waits for Reset")                           \
    X(DOUBT, SLOW, SLOW, OFF, CHIRP, "the store cannot explain the machine: a person decides") \
    X(NO_MACHINE, OFF, FAST, OFF, OFF, "no connection to the machine")                         \
    X(CALLS, OFF, FAST, OFF, CHIRP, "a batch stopped: a person must look")                     \
    X(PAUSED, OFF, ON, OFF, OFF, "the batch is paused")                                        \
    X(WAITS, OFF, OFF, SLOW, OFF, "a batch runs, no pouch is under way yet")                   \
    X(RUNS, OFF, OFF, ON, OFF, "pouches are made")                                             \
    X(RESTS, OFF, OFF, OFF, OFF, "nothing to do")

enum panel_mood {
#define PANEL_MOOD_ENUM(name, red, amber, green, buzzer, text) PANEL_MOOD_##name,
    PANEL_MOOD_TABLE(PANEL_MOOD_ENUM)
#undef PANEL_MOOD_ENUM
        PANEL_MOODS,
};

enum panel_pattern { PANEL_OFF, PANEL_ON, PANEL_SLOW, PANEL_FAST, PANEL_CHIRP };

enum {
    PANEL_DEBOUNCE_MS = 30, /* of a button */
    PANEL_STUCK_MS = 10000, /* a button pressed longer is stuck and means nothing */
    PANEL_POLL_MS = 50,     /* the slow timer */
    PANEL_DISCREPANCY_MS = 500,
    PANEL_EDGES = 64, /* kept as evidence */
};

struct panel_config {
    const char *name;               /* of the machine */
    const char *chip;               /* label, name or path */
    const char *lines[PANEL_ROLES]; /* name of each line; NULL or "": there is none */
    uint32_t discrepancy_ms;
};

/* E_ARG: no line at all, or a safety switch with one channel. *ret_count of them are filled in. */
int panel_lines(const struct panel_config *config, struct gpio_line ret_lines[GPIO_LINES_MAX],
                unsigned *ret_count, struct error *err);
/* gpio: the lines that panel_lines asked for, in that order; the caller's, and must outlive the panel. */
struct panel *panel_create(const struct panel_config *config, struct gpio *gpio, int64_t now_ms,
                           struct error *err);
void panel_destroy(struct panel *panel);

struct panel_word {
    bool stopped; /* a safety switch opened, or failed, since the last call: stop at once */
    bool start;   /* buttons that were pressed since the last call */
    bool stop;
    bool reset; /* the switches were reset with it, as far as they let themselves */
};

void panel_poll(struct panel *panel, int64_t now_ms, struct panel_word *ret_word);
/* A person says Reset elsewhere than at the button. True: it is safe now. */
bool panel_reset(struct panel *panel);
int64_t panel_due_ms(const struct panel *panel);
/* NULL: every safety switch is closed and was reset. Else the sentence for people, valid until the next
 * call. */
const char *panel_why(const struct panel *panel);
/* The panel's own state goes before `mood`. */
enum panel_mood panel_mood(const struct panel *panel, enum panel_mood mood);
void panel_show(struct panel *panel, enum panel_mood mood, int64_t now_ms);
/* The last edges and the levels as a JSON object: evidence of an alarm. */
void panel_evidence(const struct panel *panel, struct buf *out);

/* ---- the tables, for tests and documents ---- */
const char *panel_role_key(enum panel_role role);
const char *panel_mood_name(enum panel_mood mood);
const char *panel_mood_text(enum panel_mood mood);
/* lamp: PANEL_RED .. PANEL_BUZZER. */
enum panel_pattern panel_pattern(enum panel_mood mood, enum panel_role lamp);
const char *panel_pattern_text(enum panel_pattern pattern);
bool panel_is_lit(enum panel_pattern pattern, int64_t now_ms);

#endif
