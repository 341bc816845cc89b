/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The panel on a real kernel: lines of a gpio-sim chip, pulled through sysfs, seen through libgpiod. Runs as
 * the only program of a virtual machine (tests/qemu/gpio builds that); prints a line a check and the figures.
 *
 * usage: gpio-trial CHIP-LABEL SYSFS-FOLDER    the folder holds sim_gpioN of the lines, in the order of roles
 * Exit status 0 all held, 1 something did not.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "controller/pack/panel.h"
#include "hw/gpio/chips.h"

enum { ROUNDS = 1000, EDGES = 300, WAIT_MS = 2000 };

static const char *folder;
static int failures;

static void expect(bool holds, const char *what)
{
    printf("%s %s\n", holds ? "ok    " : "FAILED", what);
    failures += !holds;
}

static int64_t now_us(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at); /* cannot fail for this clock */
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static int64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

static void pull(enum panel_role role, bool high)
{
    char path[256];
    const char *word = high ? "pull-up" : "pull-down";
    (void)snprintf(path, sizeof path, "%s/sim_gpio%d/pull", folder, (int)role); /* a short folder */
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, word, strlen(word)) < 0) {
        printf("FAILED %s: %s\n", path, strerror(errno));
        failures++;
    }
    if (fd >= 0)
        (void)close(fd); /* sysfs took the write already */
}

static bool shows(enum panel_role role)
{
    char path[256], value[4] = "";
    (void)snprintf(path, sizeof path, "%s/sim_gpio%d/value", folder, (int)role); /* a short folder */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, value, sizeof value - 1) < 0)
        failures++;
    if (fd >= 0)
        (void)close(fd); /* only read */
    return value[0] == '1';
}

static const struct panel_config config = {
    .name = "trial",
    .chip = NULL, /* from the command line */
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

struct bench {
    struct gpio *gpio;
    struct panel *panel;
};

/* The owner's loop for so long, or until a word is said. */
static struct panel_word loop(struct bench *b, int64_t ms, bool until_stopped)
{
    struct panel_word all = {0};
    int64_t end_ms = now_ms() + ms;
    for (;;) {
        struct panel_word word;
        panel_poll(b->panel, now_ms(), &word);
        all.stopped = all.stopped || word.stopped;
        all.start = all.start || word.start;
        all.reset = all.reset || word.reset;
        if (now_ms() >= end_ms || (until_stopped && all.stopped))
            return all;
        int64_t wait_ms = panel_due_ms(b->panel) - now_ms();
        struct pollfd wanted = {.fd = gpio_fd(b->gpio), .events = POLLIN};
        (void)poll(&wanted, 1, wait_ms > 0 ? (int)wait_ms : 0); /* a signal only wakes earlier */
    }
}

static void reset(struct bench *b)
{
    for (int role = PANEL_ESTOP_A; role <= PANEL_GUARD_B; role++)
        pull((enum panel_role)role, true);
    (void)loop(b, 100, false);
    pull(PANEL_RESET, false); /* buttons close to ground */
    (void)loop(b, 150, false);
    pull(PANEL_RESET, true);
    (void)loop(b, 150, false);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* ---- checks ---- */

static void refusals(const char *chip)
{
    struct error err = {0};
    struct gpio_line line = {.chip = chip, .name = "E1", .bias = GPIO_BIAS_PULL_DOWN};
    expect(gpio_chips_open(&line, 1, "trial", &err) == NULL && err.code == E_DEVICE,
           "a line that somebody holds is refused");
    line.name = "nowhere";
    expect(gpio_chips_open(&line, 1, "trial", &err) == NULL && err.code == E_NOT_FOUND,
           "an unknown line is refused");
    line = (struct gpio_line){.chip = "no-such-chip", .name = "E1"};
    expect(gpio_chips_open(&line, 1, "trial", &err) == NULL && err.code == E_NOT_FOUND,
           "an unknown chip is refused");
    printf("       %s\n", err.message);
}

static void stops(struct bench *b)
{
    expect(panel_why(b->panel) != NULL, "with the pull-downs alone (broken wires) it is open");
    reset(b);
    expect(panel_why(b->panel) == NULL, "closed and reset it is safe");
    pull(PANEL_ESTOP_A, false);
    pull(PANEL_ESTOP_B, false);
    expect(loop(b, WAIT_MS, true).stopped, "the emergency stop is heard");
    (void)loop(b, 700, false);
    expect(panel_mood(b->panel, PANEL_MOOD_RUNS) == PANEL_MOOD_OPEN, "two open channels are no fault");
    reset(b);
    pull(PANEL_GUARD_B, false);
    expect(loop(b, WAIT_MS, true).stopped, "one open channel of the guard is a stop");
    (void)loop(b, 400, false);
    expect(panel_mood(b->panel, PANEL_MOOD_RUNS) == PANEL_MOOD_OPEN, "and no fault within 500 ms");
    (void)loop(b, 200, false);
    expect(panel_mood(b->panel, PANEL_MOOD_RUNS) == PANEL_MOOD_SWITCH_FAULT, "but after it");
    reset(b);
    expect(panel_why(b->panel) != NULL, "a fault is not reset");
    pull(PANEL_GUARD_A, false);
    pull(PANEL_GUARD_B, false);
    (void)loop(b, 100, false);
    reset(b);
    expect(panel_why(b->panel) == NULL, "before both channels were seen open");
}

static void buttons(struct bench *b)
{
    pull(PANEL_START, false);
    expect(loop(b, 300, false).start, "a button that closes to ground is pressed");
    pull(PANEL_START, true);
    expect(!loop(b, 300, false).start, "and is no word when it is released");
}

static void lamps(struct bench *b)
{
    panel_show(b->panel, PANEL_MOOD_RUNS, 0);
    expect(shows(PANEL_GREEN) && !shows(PANEL_RED) && !shows(PANEL_AMBER), "green is lit");
    panel_show(b->panel, PANEL_MOOD_DOUBT, 0);
    expect(!shows(PANEL_GREEN) && shows(PANEL_RED) && shows(PANEL_AMBER) && shows(PANEL_BUZZER),
           "red, amber and buzzer are lit together");
    panel_show(b->panel, PANEL_MOOD_RESTS, 0);
}

/* From the write into sysfs until the panel has said stop. */
static void speed(struct bench *b)
{
    static int64_t took_us[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        struct panel_word word = {0};
        int64_t from_us = now_us();
        pull(PANEL_ESTOP_A, false);
        while (!word.stopped && now_us() - from_us < WAIT_MS * 1000) {
            struct pollfd wanted = {.fd = gpio_fd(b->gpio), .events = POLLIN};
            (void)poll(&wanted, 1, WAIT_MS); /* a signal only wakes earlier */
            panel_poll(b->panel, now_ms(), &word);
        }
        took_us[i] = now_us() - from_us;
        pull(PANEL_ESTOP_B, false);
        panel_poll(b->panel, now_ms(), &word);
        /* Back to safe without the waits of a person's hand. */
        pull(PANEL_ESTOP_A, true);
        pull(PANEL_ESTOP_B, true);
        panel_poll(b->panel, now_ms(), &word);
        panel_poll(b->panel, now_ms() + INTERLOCK_SETTLE_MS + 1, &word);
        panel_reset(b->panel);
        if (panel_why(b->panel)) {
            expect(false, "reset between two rounds");
            return;
        }
    }
    qsort(took_us, ROUNDS, sizeof took_us[0], by_value);
    printf("figure edge to stop, %d times: p50 %" PRId64 " us, p99 %" PRId64 " us, most %" PRId64 " us\n",
           ROUNDS, took_us[ROUNDS / 2], took_us[ROUNDS * 99 / 100], took_us[ROUNDS - 1]);
    expect(took_us[ROUNDS * 99 / 100] < 50000, "99 of 100 stops are heard within 50 ms");
}

static void overflow(struct bench *b)
{
    struct gpio_event event;
    struct panel_word word;
    int64_t first_ns = 0, last_ns = 0;
    int kept = 0;
    bool gap = false, last = true;
    while (gpio_event(b->gpio, &event, NULL) == 1) {
    }
    int64_t from_us = now_us();
    for (int i = 0; i < EDGES; i++) {
        pull(PANEL_ESTOP_A, i % 2);
        pull(PANEL_ESTOP_B, i % 2);
    }
    int64_t to_us = now_us();
    while (gpio_event(b->gpio, &event, NULL) == 1) {
        if (event.line != PANEL_ESTOP_A)
            continue;
        first_ns = kept++ ? first_ns : event.at_ns;
        last_ns = event.at_ns;
        last = event.active;
        gap = gap || event.gap;
    }
    printf("figure %d unread edges of a line: %d kept, the last says %s, the first came after %" PRId64
           " %%, the last after %" PRId64 " %% of the time\n",
           EDGES, kept, last ? "closed" : "open", (first_ns / 1000 - from_us) * 100 / (to_us - from_us),
           (last_ns / 1000 - from_us) * 100 / (to_us - from_us));
    expect(kept < EDGES && kept > 0, "the kernel loses edges that nobody reads");
    expect(gap, "the gap is told");
    uint32_t levels = 0;
    expect(gpio_levels(b->gpio, &levels, NULL) == 0 && (levels & 3) == 3, "the level is true all the same");
    panel_poll(b->panel, now_ms(), &word);
    reset(b);
}

static void debounce(struct bench *b)
{
    struct gpio_event event;
    int seen = 0;
    while (gpio_event(b->gpio, &event, NULL) == 1) {
    }
    for (int i = 0; i < 9; i++) {
        pull(PANEL_START, i % 2);
        (void)usleep(500);
    }
    (void)usleep(200000);
    while (gpio_event(b->gpio, &event, NULL) == 1)
        seen += event.line == PANEL_START;
    printf("figure 9 bounces of a button: %d edges\n", seen);
    expect(gpio_debounces(b->gpio) ? seen == 1 : seen > 1, "the kernel debounces if the backend says so");
    expect(loop(b, 300, false).start, "and the panel hears one word");
    pull(PANEL_START, true);
    (void)loop(b, 200, false);
}

int main(int argc, char **argv)
{
    struct panel_config named = config;
    struct gpio_line lines[GPIO_LINES_MAX];
    struct error err = {0};
    unsigned count = 0;
    if (argc != 3)
        return 2;
    named.chip = argv[1];
    folder = argv[2];
    log_init("gpio-trial", LOG_ERROR, clock_system());
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* only slower if it fails */
    struct bench b = {0};
    if (panel_lines(&named, lines, &count, &err) == 0)
        b.gpio = gpio_chips_open(lines, count, "sachetd", &err);
    if (b.gpio)
        b.panel = panel_create(&named, b.gpio, now_ms(), &err);
    if (!b.panel) {
        printf("FAILED %s\n", err.message);
        return 1;
    }
    printf("       backend %s, %u lines\n", gpio_backend(b.gpio), count);
    refusals(named.chip);
    (void)loop(&b, 100, false);
    stops(&b);
    buttons(&b);
    lamps(&b);
    speed(&b);
    overflow(&b);
    debounce(&b);
    panel_destroy(b.panel);
    gpio_destroy(b.gpio);
    expect(!shows(PANEL_RED) && !shows(PANEL_GREEN), "the lamps are given back");
    return failures ? 1 : 0;
}
