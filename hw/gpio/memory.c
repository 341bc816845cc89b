/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/gpio/memory.h"

#include <assert.h>
#include <stdlib.h>

#include "config/base/clock.h"
#include "config/base/error.h"

enum { NS_PER_MS = 1000000 };

struct edges {
    struct gpio_event rows[GPIO_MEMORY_EDGES];
    unsigned first;
    unsigned count;
    bool gap; /* an edge was lost since the last one that was read */
};

struct memory {
    struct gpio gpio;
    struct clock *clock;
    uint32_t active;
    bool broken;
    struct edges edges[GPIO_LINES_MAX];
};

static struct memory *memory_of(struct gpio *gpio)
{
    return (struct memory *)gpio; /* its first member */
}

static int check_broken(const struct memory *m, struct error *err)
{
    return m->broken ? error_set(err, E_DEVICE, "the lines cannot be read: the chip is gone") : 0;
}

static int memory_levels(struct gpio *gpio, uint32_t *ret_active, struct error *err)
{
    struct memory *m = memory_of(gpio);
    int rc = check_broken(m, err);
    if (rc == 0)
        *ret_active = m->active;
    return rc;
}

static int memory_set(struct gpio *gpio, uint32_t mask, uint32_t active, struct error *err)
{
    struct memory *m = memory_of(gpio);
    int rc = check_broken(m, err);
    if (rc == 0)
        m->active = (m->active & ~mask) | active;
    return rc;
}

/* The oldest edge of all lines. */
static int memory_event(struct gpio *gpio, struct gpio_event *ret_event, struct error *err)
{
    struct memory *m = memory_of(gpio);
    struct edges *oldest = NULL;
    int rc = check_broken(m, err);
    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < gpio->count; i++) {
        struct edges *edges = &m->edges[i];
        if (edges->count && (!oldest || edges->rows[edges->first].at_ns < oldest->rows[oldest->first].at_ns))
            oldest = edges;
    }
    if (!oldest)
        return 0;
    *ret_event = oldest->rows[oldest->first];
    oldest->first = (oldest->first + 1) % GPIO_MEMORY_EDGES;
    oldest->count--;
    return 1;
}

static int memory_fd(struct gpio *gpio)
{
    (void)gpio;
    return -1;
}

static void memory_destroy(struct gpio *gpio)
{
    free(memory_of(gpio));
}

static const struct gpio_ops memory_ops = {
    .name = "memory",
    .debounces = false,
    .levels = memory_levels,
    .set = memory_set,
    .event = memory_event,
    .fd = memory_fd,
    .destroy = memory_destroy,
};

struct gpio *gpio_memory_create(const struct gpio_line *lines, unsigned count, struct clock *clock,
                                struct error *err)
{
    if (gpio_check(lines, count, err) < 0)
        return NULL;
    struct memory *m = calloc(1, sizeof *m);
    if (!m) {
        error_set(err, E_MEMORY, "no memory for lines");
        return NULL;
    }
    m->gpio = (struct gpio){.ops = &memory_ops, .count = count};
    m->clock = clock;
    for (unsigned i = 0; i < count; i++) {
        if (lines[i].direction != GPIO_OUTPUT)
            continue;
        m->gpio.outputs |= UINT32_C(1) << i;
        if (lines[i].initial)
            m->active |= UINT32_C(1) << i;
    }
    return &m->gpio;
}

void gpio_memory_pull(struct gpio *gpio, unsigned line, bool active)
{
    struct memory *m = memory_of(gpio);
    uint32_t bit = UINT32_C(1) << line;
    assert(line < gpio->count && !(gpio->outputs & bit));
    if (((m->active & bit) != 0) == active)
        return;
    m->active ^= bit;
    struct edges *edges = &m->edges[line];
    if (edges->count == GPIO_MEMORY_EDGES) {
        edges->gap = true;
        return;
    }
    edges->rows[(edges->first + edges->count) % GPIO_MEMORY_EDGES] = (struct gpio_event){
        .line = line, .active = active, .at_ns = clock_mono_ms(m->clock) * NS_PER_MS, .gap = edges->gap};
    edges->gap = false;
    edges->count++;
}

bool gpio_memory_shows(const struct gpio *gpio, unsigned line)
{
    const struct memory *m = (const struct memory *)gpio; /* its first member */
    return (m->active >> line & 1) != 0;
}

void gpio_memory_break(struct gpio *gpio, bool broken)
{
    memory_of(gpio)->broken = broken;
}
