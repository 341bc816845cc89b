/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory: digital lines in memory, on a clock that the caller gives. A test, or a simulated machine, plays
 * the world: it pulls inputs and looks at outputs. Keeps as many edges a line as the kernel does and loses
 * the newest beyond, as version 1 of its interface, so that whoever trusts edges fails here. One thread, no
 * file descriptor: look from a timer.
 */
#ifndef HW_GPIO_MEMORY_H
#define HW_GPIO_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "hw/gpio.h"

struct clock;

enum { GPIO_MEMORY_EDGES = 16 };

/* Inputs begin inactive. NULL: gpio_check, E_MEMORY. */
struct gpio *gpio_memory_create(const struct gpio_line *lines, unsigned count, struct clock *clock,
                                struct error *err);
/* The world pulls an input to active or not; a change leaves an edge. */
void gpio_memory_pull(struct gpio *gpio, unsigned line, bool active);
/* What an output shows. */
bool gpio_memory_shows(const struct gpio *gpio, unsigned line);
/* From now on every reading and writing fails, as with a chip that was unplugged; false: it is back. */
void gpio_memory_break(struct gpio *gpio, bool broken);

#endif
