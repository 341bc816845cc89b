/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gpio: the port to digital lines: switches, buttons, lamps. Everything above talks to these functions.
 *
 * A struct gpio is a set of at most GPIO_LINES_MAX lines that were asked for together; line i is bit i of a
 * mask. "Active" is what the wiring means by it, active-low is undone here. Backends: libgpiod (hw/gpio/
 * chips.h, version 1 or 2 as meson finds it) and memory (hw/gpio/memory.h, for simulated machines and tests).
 *
 * Never conclude a level from an event: the kernel keeps some (16 a line with version 1; 16 for each line of
 * the set together with version 2) and then loses the newest (v1) or the oldest (v2). An event says only
 * "look" and leaves a time for the record; gpio_levels reads what is true now. Read the levels on every
 * wake-up and on a slow timer.
 *
 * One thread. Reading and writing take some microseconds in the kernel; nothing waits.
 */
#ifndef HW_GPIO_H
#define HW_GPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum {
    GPIO_LINES_MAX = 32,
    GPIO_NAME_BYTES_MAX = 31, /* of a chip or line; the kernel's limit */
    GPIO_CHIPS_MAX = 8,       /* that one set may span */
};

enum gpio_direction { GPIO_INPUT, GPIO_OUTPUT };
enum gpio_bias { GPIO_BIAS_AS_IS, GPIO_BIAS_PULL_UP, GPIO_BIAS_PULL_DOWN };

struct gpio_line {
    const char *chip; /* label, name ("gpiochip0") or path */
    const char *name; /* of the line, never a number */
    enum gpio_direction direction;
    enum gpio_bias bias; /* of an input */
    bool active_low;
    bool initial;         /* of an output: active from the first moment */
    uint32_t debounce_ms; /* of an input; a backend that cannot do it says so (gpio_debounces) */
};

struct gpio_event {
    unsigned line;
    bool active;   /* as the kernel saw it then: for records only */
    int64_t at_ns; /* CLOCK_MONOTONIC */
    bool gap;      /* edges of this line were lost before it */
};

struct gpio;

/* All methods are mandatory. `gpio` is the first member of a backend's own struct. */
struct gpio_ops {
    const char *name;
    bool debounces;
    int (*levels)(struct gpio *gpio, uint32_t *ret_active, struct error *err);
    int (*set)(struct gpio *gpio, uint32_t mask, uint32_t active, struct error *err);
    int (*event)(struct gpio *gpio, struct gpio_event *ret_event, struct error *err);
    int (*fd)(struct gpio *gpio);
    void (*destroy)(struct gpio *gpio);
};

struct gpio {
    const struct gpio_ops *ops;
    unsigned count;
    uint32_t outputs; /* mask */
};

/* For backends: E_ARG when a line has no name, a number for a name, or stands there twice; E_LIMIT. */
int gpio_check(const struct gpio_line *lines, unsigned count, struct error *err);

/* The levels of all lines now; outputs as they were set. E_DEVICE. */
int gpio_levels(struct gpio *gpio, uint32_t *ret_active, struct error *err);
/* Sets the outputs of `mask` together, as far as they sit on one chip. E_ARG for an input, E_DEVICE. */
int gpio_set(struct gpio *gpio, uint32_t mask, uint32_t active, struct error *err);
/* 1: an edge of an input, 0: none is waiting, negative: E_DEVICE. */
int gpio_event(struct gpio *gpio, struct gpio_event *ret_event, struct error *err);
/* Readable when an event waits; -1: none, look from a timer. */
int gpio_fd(struct gpio *gpio);
bool gpio_debounces(const struct gpio *gpio);
const char *gpio_backend(const struct gpio *gpio);
/* Gives the lines back. NULL is allowed. */
void gpio_destroy(struct gpio *gpio);

#endif
