/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libgpiod 1.6. Inputs are asked for one by one, since each has a descriptor of its own for its edges;
 * outputs in one bulk a chip, so that they change together. All descriptors hang on one epoll descriptor.
 */
#include "hw/gpio/chips.h"

#include <errno.h>
#include <gpiod.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "config/base/error.h"

enum { KERNEL_EDGES = 16 }; /* kept a line; as many at one reading: some may have been lost */

struct group {
    struct gpiod_chip *chip;
    const char *asked; /* name that was asked for; only while opening */
    struct gpiod_line_bulk outputs;
    unsigned numbers[GPIO_LINES_MAX]; /* line of ours for each of them */
};

struct chips {
    struct gpio gpio;
    int epoll_fd;
    unsigned group_count;
    struct group groups[GPIO_CHIPS_MAX];
    struct gpiod_line *lines[GPIO_LINES_MAX];
    uint32_t shown;                  /* outputs as set */
    unsigned streak[GPIO_LINES_MAX]; /* edges read without the queue ever being empty */
};

static struct chips *chips_of(struct gpio *gpio)
{
    return (struct chips *)gpio; /* its first member */
}

static int v1_levels(struct gpio *gpio, uint32_t *ret_active, struct error *err)
{
    struct chips *c = chips_of(gpio);
    uint32_t active = c->shown;
    for (unsigned i = 0; i < gpio->count; i++) {
        if (gpio->outputs >> i & 1)
            continue;
        int value = gpiod_line_get_value(c->lines[i]);
        if (value < 0)
            return error_set_errno(err, E_DEVICE, errno, "line %s cannot be read",
                                   gpiod_line_name(c->lines[i]));
        active |= value ? UINT32_C(1) << i : 0;
    }
    *ret_active = active;
    return 0;
}

static int v1_set(struct gpio *gpio, uint32_t mask, uint32_t active, struct error *err)
{
    struct chips *c = chips_of(gpio);
    uint32_t shown = (c->shown & ~mask) | active;
    for (unsigned g = 0; g < c->group_count; g++) {
        struct group *group = &c->groups[g];
        int values[GPIOD_LINE_BULK_MAX_LINES];
        uint32_t touched = 0;
        for (unsigned i = 0; i < group->outputs.num_lines; i++) {
            values[i] = (int)(shown >> group->numbers[i] & 1);
            touched |= UINT32_C(1) << group->numbers[i];
        }
        if ((touched & mask) && gpiod_line_set_value_bulk(&group->outputs, values) < 0)
            return error_set_errno(err, E_DEVICE, errno, "outputs of chip %s cannot be set",
                                   gpiod_chip_label(group->chip));
    }
    c->shown = shown;
    return 0;
}

static int v1_event(struct gpio *gpio, struct gpio_event *ret_event, struct error *err)
{
    struct chips *c = chips_of(gpio);
    struct epoll_event ready;
    struct gpiod_line_event edge;
    int n = epoll_wait(c->epoll_fd, &ready, 1, 0);
    if (n < 0 && errno != EINTR)
        return error_set_errno(err, E_DEVICE, errno, "edges cannot be waited for");
    if (n <= 0) {
        memset(c->streak, 0, sizeof c->streak);
        return 0;
    }
    unsigned line = ready.data.u32;
    if (gpiod_line_event_read(c->lines[line], &edge) < 0)
        return error_set_errno(err, E_DEVICE, errno, "edges of line %s cannot be read",
                               gpiod_line_name(c->lines[line]));
    *ret_event = (struct gpio_event){.line = line,
                                     .active = edge.event_type == GPIOD_LINE_EVENT_RISING_EDGE,
                                     .at_ns = (int64_t)edge.ts.tv_sec * 1000000000 + edge.ts.tv_nsec,
                                     .gap = ++c->streak[line] >= KERNEL_EDGES};
    return 1;
}

static int v1_fd(struct gpio *gpio)
{
    return chips_of(gpio)->epoll_fd;
}

static void v1_destroy(struct gpio *gpio)
{
    struct chips *c = chips_of(gpio);
    for (unsigned g = 0; g < c->group_count; g++)
        gpiod_chip_close(c->groups[g].chip); /* gives its lines back */
    if (c->epoll_fd >= 0)
        (void)close(c->epoll_fd); /* nothing was written */
    free(c);
}

static const struct gpio_ops v1_ops = {
    .name = "libgpiod 1",
    .debounces = false,
    .levels = v1_levels,
    .set = v1_set,
    .event = v1_event,
    .fd = v1_fd,
    .destroy = v1_destroy,
};

/* ---- opening ---- */

static struct group *group_of(struct chips *c, const char *chip, struct error *err)
{
    for (unsigned g = 0; g < c->group_count; g++) {
        if (strcmp(c->groups[g].asked, chip) == 0)
            return &c->groups[g];
    }
    if (c->group_count == GPIO_CHIPS_MAX) {
        error_set(err, E_LIMIT, "lines of more than %d chips in one set", GPIO_CHIPS_MAX);
        return NULL;
    }
    struct gpiod_chip *opened = gpiod_chip_open_lookup(chip);
    if (!opened) {
        error_set_errno(err, E_NOT_FOUND, errno, "chip %s cannot be opened; 'gpiodetect' lists all", chip);
        return NULL;
    }
    struct group *group = &c->groups[c->group_count++];
    *group = (struct group){.chip = opened, .asked = chip};
    gpiod_line_bulk_init(&group->outputs);
    return group;
}

static int flags_of(const struct gpio_line *line)
{
    static const int biases[] = {0, GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP,
                                 GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN};
    return (line->active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0) |
           (line->direction == GPIO_INPUT ? biases[line->bias] : 0);
}

static int hold_input(struct chips *c, const struct gpio_line *line, unsigned number, const char *consumer,
                      struct error *err)
{
    const struct gpiod_line_request_config config = {
        .consumer = consumer, .request_type = GPIOD_LINE_REQUEST_EVENT_BOTH_EDGES, .flags = flags_of(line)};
    struct epoll_event wanted = {.events = EPOLLIN, .data.u32 = number};
    if (gpiod_line_request(c->lines[number], &config, 0) < 0 ||
        epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, gpiod_line_event_get_fd(c->lines[number]), &wanted) < 0)
        return error_set_errno(err, E_DEVICE, errno, "line %s of chip %s cannot be had", line->name,
                               line->chip);
    return 0;
}

/* A bulk of version 1 has one set of flags, so the outputs of a chip must agree on active-low. */
static int hold_outputs(struct group *group, const struct gpio_line *lines, const char *consumer,
                        struct error *err)
{
    int values[GPIOD_LINE_BULK_MAX_LINES];
    if (group->outputs.num_lines == 0)
        return 0;
    const struct gpio_line *first = &lines[group->numbers[0]];
    for (unsigned i = 0; i < group->outputs.num_lines; i++) {
        const struct gpio_line *line = &lines[group->numbers[i]];
        if (line->active_low != first->active_low)
            return error_set(err, E_ARG, "outputs %s and %s of chip %s must both be active-low or neither",
                             first->name, line->name, line->chip);
        values[i] = line->initial;
    }
    const struct gpiod_line_request_config config = {
        .consumer = consumer, .request_type = GPIOD_LINE_REQUEST_DIRECTION_OUTPUT, .flags = flags_of(first)};
    if (gpiod_line_request_bulk(&group->outputs, &config, values) < 0)
        return error_set_errno(err, E_DEVICE, errno, "outputs of chip %s cannot be had", first->chip);
    return 0;
}

static int hold_line(struct chips *c, const struct gpio_line *lines, unsigned number, const char *consumer,
                     struct error *err)
{
    const struct gpio_line *line = &lines[number];
    struct group *group = group_of(c, line->chip, err);
    if (!group)
        return err->code;
    struct gpiod_line *found = NULL;
    for (unsigned offset = 0; offset < gpiod_chip_num_lines(group->chip); offset++) {
        struct gpiod_line *at = gpiod_chip_get_line(group->chip, offset);
        const char *name = at ? gpiod_line_name(at) : NULL;
        if (!name || strcmp(name, line->name) != 0)
            continue;
        if (found)
            return error_set(err, E_EXISTS, "chip %s has two lines %s; give them names of their own",
                             line->chip, line->name);
        found = at;
    }
    if (!found)
        return error_set(err, E_NOT_FOUND, "chip %s has no line %s; 'gpioinfo' lists all", line->chip,
                         line->name);
    c->lines[number] = found;
    if (line->direction == GPIO_INPUT)
        return hold_input(c, line, number, consumer, err);
    c->gpio.outputs |= UINT32_C(1) << number;
    c->shown |= line->initial ? UINT32_C(1) << number : 0;
    group->numbers[group->outputs.num_lines] = number;
    gpiod_line_bulk_add(&group->outputs, found);
    return 0;
}

struct gpio *gpio_chips_open(const struct gpio_line *lines, unsigned count, const char *consumer,
                             struct error *err)
{
    struct error local = {0};
    err = err ? err : &local;
    if (gpio_check(lines, count, err) < 0)
        return NULL;
    struct chips *c = calloc(1, sizeof *c);
    if (!c) {
        error_set(err, E_MEMORY, "no memory for lines");
        return NULL;
    }
    c->gpio = (struct gpio){.ops = &v1_ops, .count = count};
    c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int rc = c->epoll_fd < 0 ? error_set_errno(err, E_SYSTEM, errno, "no descriptor for edges") : 0;
    for (unsigned i = 0; i < count && rc == 0; i++)
        rc = hold_line(c, lines, i, consumer, err);
    for (unsigned g = 0; g < c->group_count && rc == 0; g++)
        rc = hold_outputs(&c->groups[g], lines, consumer, err);
    if (rc < 0) {
        v1_destroy(&c->gpio);
        return NULL;
    }
    return &c->gpio;
}
