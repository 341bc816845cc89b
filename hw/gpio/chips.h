/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chips: digital lines of the kernel's GPIO chips, through libgpiod. chips_v1.c is built against version 1,
 * chips_v2.c against version 2; meson picks by what pkg-config finds.
 *
 * Lines are found by chip and name at creation and held until gpio_destroy; a line that another program
 * holds, that does not exist, or a name that stands on a chip twice is refused. Debounce is the kernel's with
 * version 2; version 1 has none.
 */
#ifndef HW_GPIO_CHIPS_H
#define HW_GPIO_CHIPS_H

#include "hw/gpio.h"

/* consumer: who holds the lines, as other programs see it. NULL: gpio_check, E_NOT_FOUND for a chip or line,
 * E_DEVICE, E_MEMORY. */
struct gpio *gpio_chips_open(const struct gpio_line *lines, unsigned count, const char *consumer,
                             struct error *err);

#endif
