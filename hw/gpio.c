/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/gpio.h"

#include <string.h>

#include "config/base/error.h"

static bool is_name(const char *text)
{
    return text && text[0] && strlen(text) <= GPIO_NAME_BYTES_MAX &&
           strspn(text, "0123456789") != strlen(text);
}

/* A chip may be a path, too. */
static bool is_chip(const char *text)
{
    return text && (text[0] == '/' || is_name(text));
}

int gpio_check(const struct gpio_line *lines, unsigned count, struct error *err)
{
    if (count == 0 || count > GPIO_LINES_MAX)
        return error_set(err, E_LIMIT, "%u lines in one set, 1 to %d are possible", count, GPIO_LINES_MAX);
    for (unsigned i = 0; i < count; i++) {
        if (!is_chip(lines[i].chip) || !is_name(lines[i].name))
            return error_set(err, E_ARG, "line %u: chip and line want names of 1 to %d bytes, never numbers",
                             i, GPIO_NAME_BYTES_MAX);
        for (unsigned k = 0; k < i; k++) {
            if (strcmp(lines[k].name, lines[i].name) == 0 && strcmp(lines[k].chip, lines[i].chip) == 0)
                return error_set(err, E_ARG, "line %s of chip %s is named twice", lines[i].name,
                                 lines[i].chip);
        }
    }
    return 0;
}

int gpio_levels(struct gpio *gpio, uint32_t *ret_active, struct error *err)
{
    return gpio->ops->levels(gpio, ret_active, err);
}

int gpio_set(struct gpio *gpio, uint32_t mask, uint32_t active, struct error *err)
{
    if (mask & ~gpio->outputs)
        return error_set(err, E_ARG, "an input cannot be set");
    return mask ? gpio->ops->set(gpio, mask, active & mask, err) : 0;
}

int gpio_event(struct gpio *gpio, struct gpio_event *ret_event, struct error *err)
{
    return gpio->ops->event(gpio, ret_event, err);
}

int gpio_fd(struct gpio *gpio)
{
    return gpio->ops->fd(gpio);
}

bool gpio_debounces(const struct gpio *gpio)
{
    return gpio->ops->debounces;
}

const char *gpio_backend(const struct gpio *gpio)
{
    return gpio->ops->name;
}

void gpio_destroy(struct gpio *gpio)
{
    if (gpio)
        gpio->ops->destroy(gpio);
}
