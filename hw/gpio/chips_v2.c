/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libgpiod 2. All lines of a chip are one request: values come and go in one call, edges through one
 * descriptor with numbers that show what was lost. All descriptors hang on one epoll descriptor.
 */
#include "hw/gpio/chips.h"

#include <dirent.h>
#include <errno.h>
#include <gpiod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "config/base/error.h"

enum { PATH_BYTES = 64 };

struct group {
    struct gpiod_chip *chip;
    struct gpiod_line_request *request;
    const char *asked; /* name that was asked for; only while opening */
    unsigned count;
    unsigned offsets[GPIO_LINES_MAX];
    unsigned numbers[GPIO_LINES_MAX];     /* line of ours */
    unsigned long seqnos[GPIO_LINES_MAX]; /* of the last edge */
};

struct chips {
    struct gpio gpio;
    int epoll_fd;
    unsigned group_count;
    struct group groups[GPIO_CHIPS_MAX];
    struct gpiod_edge_event_buffer *buffer;
    uint32_t shown; /* outputs as set */
};

static struct chips *chips_of(struct gpio *gpio)
{
    return (struct chips *)gpio; /* its first member */
}

static int v2_levels(struct gpio *gpio, uint32_t *ret_active, struct error *err)
{
    struct chips *c = chips_of(gpio);
    uint32_t active = c->shown;
    for (unsigned g = 0; g < c->group_count; g++) {
        struct group *group = &c->groups[g];
        enum gpiod_line_value values[GPIO_LINES_MAX];
        if (gpiod_line_request_get_values(group->request, values) < 0)
            return error_set_errno(err, E_DEVICE, errno, "lines of a chip cannot be read");
        for (unsigned i = 0; i < group->count; i++) {
            uint32_t bit = UINT32_C(1) << group->numbers[i];
            if (!(gpio->outputs & bit))
                active |= values[i] == GPIOD_LINE_VALUE_ACTIVE ? bit : 0;
        }
    }
    *ret_active = active;
    return 0;
}

static int v2_set(struct gpio *gpio, uint32_t mask, uint32_t active, struct error *err)
{
    struct chips *c = chips_of(gpio);
    for (unsigned g = 0; g < c->group_count; g++) {
        struct group *group = &c->groups[g];
        unsigned offsets[GPIO_LINES_MAX];
        enum gpiod_line_value values[GPIO_LINES_MAX];
        size_t count = 0;
        for (unsigned i = 0; i < group->count; i++) {
            if (!(mask >> group->numbers[i] & 1))
                continue;
            offsets[count] = group->offsets[i];
            values[count++] =
                active >> group->numbers[i] & 1 ? GPIOD_LINE_VALUE_ACTIVE : GPIOD_LINE_VALUE_INACTIVE;
        }
        if (count && gpiod_line_request_set_values_subset(group->request, count, offsets, values) < 0)
            return error_set_errno(err, E_DEVICE, errno, "outputs of a chip cannot be set");
    }
    c->shown = (c->shown & ~mask) | active;
    return 0;
}

static int v2_event(struct gpio *gpio, struct gpio_event *ret_event, struct error *err)
{
    struct chips *c = chips_of(gpio);
    struct epoll_event ready;
    int n = epoll_wait(c->epoll_fd, &ready, 1, 0);
    if (n < 0 && errno != EINTR)
        return error_set_errno(err, E_DEVICE, errno, "edges cannot be waited for");
    if (n <= 0)
        return 0;
    struct group *group = &c->groups[ready.data.u32];
    if (gpiod_line_request_read_edge_events(group->request, c->buffer, 1) < 1)
        return error_set_errno(err, E_DEVICE, errno, "edges of a chip cannot be read");
    struct gpiod_edge_event *edge = gpiod_edge_event_buffer_get_event(c->buffer, 0);
    unsigned offset = gpiod_edge_event_get_line_offset(edge);
    unsigned at = 0;
    while (at + 1 < group->count && group->offsets[at] != offset)
        at++;
    unsigned long seqno = gpiod_edge_event_get_line_seqno(edge);
    *ret_event =
        (struct gpio_event){.line = group->numbers[at],
                            .active = gpiod_edge_event_get_event_type(edge) == GPIOD_EDGE_EVENT_RISING_EDGE,
                            .at_ns = (int64_t)gpiod_edge_event_get_timestamp_ns(edge),
                            .gap = seqno != group->seqnos[at] + 1};
    group->seqnos[at] = seqno;
    return 1;
}

static int v2_fd(struct gpio *gpio)
{
    return chips_of(gpio)->epoll_fd;
}

static void v2_destroy(struct gpio *gpio)
{
    struct chips *c = chips_of(gpio);
    for (unsigned g = 0; g < c->group_count; g++) {
        if (c->groups[g].request)
            gpiod_line_request_release(c->groups[g].request);
        gpiod_chip_close(c->groups[g].chip);
    }
    if (c->buffer)
        gpiod_edge_event_buffer_free(c->buffer);
    if (c->epoll_fd >= 0)
        (void)close(c->epoll_fd); /* nothing was written */
    free(c);
}

static const struct gpio_ops v2_ops = {
    .name = "libgpiod 2",
    .debounces = true,
    .levels = v2_levels,
    .set = v2_set,
    .event = v2_event,
    .fd = v2_fd,
    .destroy = v2_destroy,
};

/* ---- opening ---- */

static bool is_called(struct gpiod_chip *chip, const char *asked)
{
    struct gpiod_chip_info *info = gpiod_chip_get_info(chip);
    bool called = info && (strcmp(gpiod_chip_info_get_name(info), asked) == 0 ||
                           strcmp(gpiod_chip_info_get_label(info), asked) == 0);
    if (info)
        gpiod_chip_info_free(info);
    return called;
}

/* Version 2 opens by path only. */
static struct gpiod_chip *find_chip(const char *asked)
{
    if (asked[0] == '/')
        return gpiod_chip_open(asked);
    DIR *folder = opendir("/dev");
    struct gpiod_chip *found = NULL;
    if (!folder)
        return NULL;
    for (struct dirent *entry; !found && (entry = readdir(folder));) {
        char path[PATH_BYTES];
        if (strncmp(entry->d_name, "gpiochip", 8) != 0 ||
            snprintf(path, sizeof path, "/dev/%s", entry->d_name) >= PATH_BYTES ||
            !gpiod_is_gpiochip_device(path))
            continue;
        found = gpiod_chip_open(path);
        if (found && !is_called(found, asked)) {
            gpiod_chip_close(found);
            found = NULL;
        }
    }
    (void)closedir(folder); /* only read */
    if (!found)
        errno = ENOENT;
    return found;
}

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
    struct gpiod_chip *opened = find_chip(chip);
    if (!opened) {
        error_set_errno(err, E_NOT_FOUND, errno, "chip %s cannot be opened; 'gpiodetect' lists all", chip);
        return NULL;
    }
    struct group *group = &c->groups[c->group_count++];
    *group = (struct group){.chip = opened, .asked = chip};
    return group;
}

static int find_line(struct group *group, const struct gpio_line *line, unsigned *ret_offset,
                     struct error *err)
{
    struct gpiod_chip_info *info = gpiod_chip_get_info(group->chip);
    size_t lines = info ? gpiod_chip_info_get_num_lines(info) : 0, found = 0;
    if (info)
        gpiod_chip_info_free(info);
    for (unsigned offset = 0; offset < lines; offset++) {
        struct gpiod_line_info *at = gpiod_chip_get_line_info(group->chip, offset);
        const char *name = at ? gpiod_line_info_get_name(at) : NULL;
        if (name && strcmp(name, line->name) == 0) {
            *ret_offset = offset;
            found++;
        }
        if (at)
            gpiod_line_info_free(at);
    }
    if (found > 1)
        return error_set(err, E_EXISTS, "chip %s has two lines %s; give them names of their own", line->chip,
                         line->name);
    return found ? 0
                 : error_set(err, E_NOT_FOUND, "chip %s has no line %s; 'gpioinfo' lists all", line->chip,
                             line->name);
}

static int add_settings(struct gpiod_line_config *config, const struct gpio_line *line, unsigned offset,
                        struct error *err)
{
    static const enum gpiod_line_bias biases[] = {GPIOD_LINE_BIAS_AS_IS, GPIOD_LINE_BIAS_PULL_UP,
                                                  GPIOD_LINE_BIAS_PULL_DOWN};
    struct gpiod_line_settings *settings = gpiod_line_settings_new();
    if (!settings)
        return error_set(err, E_MEMORY, "no memory for lines");
    bool input = line->direction == GPIO_INPUT;
    gpiod_line_settings_set_active_low(settings, line->active_low);
    int rc = gpiod_line_settings_set_direction(settings, input ? GPIOD_LINE_DIRECTION_INPUT
                                                               : GPIOD_LINE_DIRECTION_OUTPUT);
    if (rc == 0 && input)
        rc = gpiod_line_settings_set_bias(settings, biases[line->bias]);
    if (rc == 0 && input)
        rc = gpiod_line_settings_set_edge_detection(settings, GPIOD_LINE_EDGE_BOTH);
    if (input)
        gpiod_line_settings_set_debounce_period_us(settings, line->debounce_ms * 1000UL);
    if (rc == 0 && !input)
        rc = gpiod_line_settings_set_output_value(settings, line->initial ? GPIOD_LINE_VALUE_ACTIVE
                                                                          : GPIOD_LINE_VALUE_INACTIVE);
    if (rc == 0)
        rc = gpiod_line_config_add_line_settings(config, &offset, 1, settings);
    int why = errno;
    gpiod_line_settings_free(settings);
    return rc == 0 ? 0
                   : error_set_errno(err, E_DEVICE, why, "line %s of chip %s cannot be set up", line->name,
                                     line->chip);
}

/* One request for all lines of the chip. */
static int hold(struct chips *c, unsigned number, const struct gpio_line *lines, const char *consumer,
                struct error *err)
{
    struct group *group = &c->groups[number];
    struct gpiod_line_config *config = gpiod_line_config_new();
    struct gpiod_request_config *request = gpiod_request_config_new();
    int rc = config && request ? 0 : error_set(err, E_MEMORY, "no memory for lines");
    for (unsigned i = 0; rc == 0 && i < group->count; i++)
        rc = add_settings(config, &lines[group->numbers[i]], group->offsets[i], err);
    if (rc == 0) {
        gpiod_request_config_set_consumer(request, consumer);
        group->request = gpiod_chip_request_lines(group->chip, request, config);
        if (!group->request)
            rc = error_set_errno(err, E_DEVICE, errno, "lines of chip %s cannot be had", group->asked);
    }
    struct epoll_event wanted = {.events = EPOLLIN, .data.u32 = number};
    if (rc == 0 &&
        epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, gpiod_line_request_get_fd(group->request), &wanted) < 0)
        rc = error_set_errno(err, E_SYSTEM, errno, "no descriptor for edges");
    if (request)
        gpiod_request_config_free(request);
    if (config)
        gpiod_line_config_free(config);
    return rc;
}

static int place_line(struct chips *c, const struct gpio_line *line, unsigned number, struct error *err)
{
    unsigned offset = 0;
    struct group *group = group_of(c, line->chip, err);
    int rc = group ? find_line(group, line, &offset, err) : err->code;
    if (rc < 0)
        return rc;
    group->offsets[group->count] = offset;
    group->numbers[group->count++] = number;
    if (line->direction == GPIO_OUTPUT) {
        c->gpio.outputs |= UINT32_C(1) << number;
        c->shown |= line->initial ? UINT32_C(1) << number : 0;
    }
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
    c->gpio = (struct gpio){.ops = &v2_ops, .count = count};
    c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int rc = c->epoll_fd < 0 ? error_set_errno(err, E_SYSTEM, errno, "no descriptor for edges") : 0;
    c->buffer = gpiod_edge_event_buffer_new(1);
    if (rc == 0 && !c->buffer)
        rc = error_set(err, E_MEMORY, "no memory for edges");
    for (unsigned i = 0; i < count && rc == 0; i++)
        rc = place_line(c, &lines[i], i, err);
    for (unsigned g = 0; g < c->group_count && rc == 0; g++)
        rc = hold(c, g, lines, consumer, err);
    if (rc < 0) {
        v2_destroy(&c->gpio);
        return NULL;
    }
    return &c->gpio;
}
