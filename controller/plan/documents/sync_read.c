/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/documents/sync_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/conf.h"

enum { PLACE_BYTES = 256 };

enum field_kind {
    FIELD_INT,  /* int32_t, SYNC_NONE when it is null or absent */
    FIELD_DAY,  /* int32_t, CIVIL_DAY_NONE when it is null or absent */
    FIELD_BOOL, /* bool */
    FIELD_WORD, /* int32_t, written as one of some words that are numbers */
};

struct field {
    const char *name;
    size_t offset;
    enum field_kind kind;
    bool required; /* in the case or under defaults: there is no value that could be assumed */
};

#define CASE_FIELD(name, kind, required)                        \
    {                                                           \
#name, offsetof(struct sync_case, name), kind, required \
    }
static const struct field case_fields[] = {
    CASE_FIELD(cycle_days, FIELD_INT, true),         CASE_FIELD(horizon_days, FIELD_INT, false),
    CASE_FIELD(current_anchor, FIELD_DAY, false),    CASE_FIELD(max_carry_days, FIELD_INT, false),
    CASE_FIELD(renewal_lead_days, FIELD_INT, false), CASE_FIELD(pa_lead_days, FIELD_INT, false),
};

#define RX_FIELD(name, kind, required)                        \
    {                                                         \
#name, offsetof(struct sync_rx, name), kind, required \
    }
static const struct field rx_fields[] = {
    RX_FIELD(last_fill, FIELD_DAY, false),
    RX_FIELD(days_supply, FIELD_INT, false),
    RX_FIELD(on_hand_units, FIELD_INT, true),
    RX_FIELD(units_per_day, FIELD_INT, true),
    RX_FIELD(start, FIELD_DAY, false),
    RX_FIELD(usual_days, FIELD_INT, true),
    RX_FIELD(min_days, FIELD_INT, false),
    RX_FIELD(pack_days, FIELD_INT, false),
    RX_FIELD(pack_units, FIELD_INT, false),
    RX_FIELD(threshold_pct, FIELD_INT, true),
    RX_FIELD(override_granted, FIELD_BOOL, false),
    RX_FIELD(copay_cents, FIELD_INT, false),
    RX_FIELD(prorated, FIELD_BOOL, false),
    RX_FIELD(qty_left, FIELD_INT, false),
    RX_FIELD(fills_left, FIELD_INT, false),
    RX_FIELD(expires, FIELD_DAY, false),
    RX_FIELD(pa_expires, FIELD_DAY, false),
    RX_FIELD(schedule, FIELD_WORD, false),
    RX_FIELD(prn, FIELD_BOOL, false),
    RX_FIELD(stopped, FIELD_BOOL, false),
};
enum {
    CASE_FIELDS = sizeof case_fields / sizeof case_fields[0],
    RX_FIELDS = sizeof rx_fields / sizeof rx_fields[0]
};

/* Where a group's values come from. */
struct source {
    const struct conf *conf;
    const char *group;    /* "cases[3].rx[0]" */
    const char *defaults; /* "defaults.rx" */
};

static void store(const struct source *source, const struct field *field, const char *group, void *base)
{
    void *at = (char *)base + field->offset;
    int32_t value = field->kind == FIELD_DAY ? CIVIL_DAY_NONE : SYNC_NONE;
    if (field->kind == FIELD_BOOL) {
        bool flag = conf_bool(source->conf, "%s.%s", group, field->name);
        memcpy(at, &flag, sizeof flag);
        return;
    }
    int64_t given = conf_int(source->conf, "%s.%s", group, field->name);
    if (given != CONF_NONE && field->kind == FIELD_WORD)
        given =
            strtol(conf_text(source->conf, "%s.%s", group, field->name), NULL, 10); /* the schema's words */
    if (given != CONF_NONE)
        value = (int32_t)given; /* the schema keeps the ranges */
    memcpy(at, &value, sizeof value);
}

static int read_fields(const struct source *source, const struct field *fields, size_t count, void *base,
                       struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        bool own = conf_has(source->conf, "%s.%s", source->group, field->name);
        if (!own && field->required &&
            conf_int(source->conf, "%s.%s", source->defaults, field->name) == CONF_NONE) {
            char place[PLACE_BYTES];
            conf_place(source->conf, place, sizeof place, "%s", source->group);
            return error_set(err, E_INPUT, "%s: `%s.%s` is missing: write it here or under `%s`", place,
                             source->group, field->name, source->defaults);
        }
        store(source, field, own ? source->group : source->defaults, base);
    }
    return 0;
}

/* Puts the place of the finding and the case before the message of sync_check. */
static int locate(int code, const struct conf *conf, int i, const struct sync_case *c, size_t rx,
                  const char *field, struct error *err)
{
    char place[PLACE_BYTES];
    if (rx != SIZE_MAX && conf_has(conf, "cases[%d].rx[%zu].%s", i, rx, field))
        conf_place(conf, place, sizeof place, "cases[%d].rx[%zu].%s", i, rx, field);
    else if (rx != SIZE_MAX)
        conf_place(conf, place, sizeof place, "cases[%d].rx[%zu]", i, rx);
    else
        conf_place(conf, place, sizeof place, "cases[%d]", i);
    return error_prefix(err, code, "%s: case %s", place, c->id);
}

static int read_case(const struct conf *conf, int i, struct arena *arena, struct sync_case *c,
                     struct error *err)
{
    char group[64];
    (void)snprintf(group, sizeof group, "cases[%d]", i); /* fits: ten digits at most */
    int count = conf_count(conf, "cases[%d].rx", i);
    struct sync_rx *rx = arena_array(arena, (size_t)count, sizeof *rx);
    if (!rx)
        return error_set(err, E_MEMORY, "out of memory");
    *c = (struct sync_case){.rx = rx, .rx_count = (size_t)count};
    c->id = conf_text(conf, "cases[%d].id", i);
    c->today = (int32_t)conf_int(conf, "cases[%d].today", i);
    int rc = read_fields(&(struct source){conf, group, "defaults.case"}, case_fields, CASE_FIELDS, c, err);
    for (int k = 0; k < count && !rc; k++) {
        (void)snprintf(group, sizeof group, "cases[%d].rx[%d]", i, k); /* fits */
        rx[k].id = conf_text(conf, "%s.id", group);
        rc = read_fields(&(struct source){conf, group, "defaults.rx"}, rx_fields, RX_FIELDS, &rx[k], err);
    }
    if (rc)
        return rc;
    size_t place = SIZE_MAX;
    const char *field = "id";
    rc = sync_check(c, &place, &field, err);
    return rc ? locate(rc, conf, i, c, place, field, err) : 0;
}

int sync_read_cases(const struct conf *conf, struct arena *arena, struct sync_case **ret_cases,
                    size_t *ret_count, struct error *err)
{
    int count = conf_count(conf, "cases");
    struct sync_case *cases = arena_array(arena, (size_t)count, sizeof *cases);
    if (!cases)
        return error_set(err, E_MEMORY, "out of memory");
    for (int i = 0; i < count; i++) {
        int rc = read_case(conf, i, arena, &cases[i], err);
        if (rc)
            return rc;
    }
    *ret_cases = cases;
    *ret_count = (size_t)count;
    return 0;
}

static bool read_units(const char *text, int32_t *ret_units)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value > SYNC_COUNT_MAX)
        return false;
    *ret_units = (int32_t)value;
    return true;
}

int sync_read_lock(const char *text, struct arena *arena, struct sync_lock *ret_lock, struct error *err)
{
    struct sync_lock lock = {.date = CIVIL_DAY_NONE};
    const char *equals = strchr(text, '=');
    const char *colon = strrchr(text, ':');
    bool fill = strncmp(text, "fill=", 5) == 0;
    if (strncmp(text, "anchor=", 7) == 0) {
        if (!civil_parse(text + 7, &lock.date))
            return error_set(err, E_ARG, "--lock %s: `%s` is no date YYYY-MM-DD", text, text + 7);
        *ret_lock = lock;
        return 0;
    }
    if ((!fill && strncmp(text, "qty=", 4) != 0) || !colon || colon < equals + 2)
        return error_set(err, E_ARG, "--lock %s: allowed: anchor=DATE, fill=ID:DATE, qty=ID:UNITS", text);
    lock.kind = fill ? SYNC_LOCK_FILL : SYNC_LOCK_QTY;
    lock.id = arena_text(arena, equals + 1, (size_t)(colon - equals - 1));
    if (!lock.id)
        return error_set(err, E_MEMORY, "out of memory");
    if (fill && !civil_parse(colon + 1, &lock.date))
        return error_set(err, E_ARG, "--lock %s: `%s` is no date YYYY-MM-DD", text, colon + 1);
    if (!fill && !read_units(colon + 1, &lock.units))
        return error_set(err, E_ARG, "--lock %s: `%s` is no number of units", text, colon + 1);
    *ret_lock = lock;
    return 0;
}
