/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges and sense of a case, from two tables of fields. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "scheduler/sync_private.h"

/* The place of the first finding. */
struct finding {
    size_t *rx;
    const char **field;
    struct error *err;
};

struct field {
    const char *name;
    size_t offset; /* of an int32_t */
    int32_t min, max;
    bool optional; /* SYNC_NONE is allowed */
    const char *unit;
};

#define CASE_FIELD(name, min, max, unit)                               \
    {                                                                  \
#name, offsetof(struct sync_case, name), min, max, false, unit \
    }
static const struct field case_fields[] = {
    CASE_FIELD(cycle_days, 1, SYNC_CYCLE_MAX, "days"),
    CASE_FIELD(horizon_days, 0, SYNC_HORIZON_MAX, "days"),
    CASE_FIELD(max_carry_days, 0, SYNC_DAYS_MAX, "days"),
    CASE_FIELD(renewal_lead_days, 0, SYNC_DAYS_MAX, "days"),
    CASE_FIELD(pa_lead_days, 0, SYNC_DAYS_MAX, "days"),
};

#define RX_FIELD(name, min, max, optional, unit)                        \
    {                                                                   \
#name, offsetof(struct sync_rx, name), min, max, optional, unit \
    }
static const struct field rx_fields[] = {
    RX_FIELD(days_supply, 0, SYNC_DAYS_MAX, true, "days"),
    RX_FIELD(on_hand_units, 0, SYNC_COUNT_MAX, false, "units"),
    RX_FIELD(units_per_day, 1, SYNC_COUNT_MAX, false, "units"),
    RX_FIELD(usual_days, 0, SYNC_DAYS_MAX, false, "days"),
    RX_FIELD(min_days, 0, SYNC_DAYS_MAX, false, "days"),
    RX_FIELD(pack_days, 1, SYNC_DAYS_MAX, true, "days"),
    RX_FIELD(pack_units, 1, SYNC_COUNT_MAX, true, "units"),
    RX_FIELD(threshold_pct, 0, 100, false, "per cent"),
    RX_FIELD(payer_wait_days, 0, SYNC_DAYS_MAX, false, "days"),
    RX_FIELD(copay_cents, 0, SYNC_COPAY_MAX, false, "cents"),
    RX_FIELD(qty_left, 0, SYNC_COUNT_MAX, true, "units"),
    RX_FIELD(fills_left, 0, SYNC_COUNT_MAX, true, "fills"),
    RX_FIELD(schedule, 0, 5, false, ""),
};

static int fault(const struct finding *at, size_t rx, const char *field)
{
    if (at->rx)
        *at->rx = rx;
    if (at->field)
        *at->field = field;
    return E_INPUT;
}

static int check_fields(const struct finding *at, const void *base, const struct field *fields, size_t count,
                        size_t rx)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &fields[i];
        int32_t value;
        memcpy(&value, (const char *)base + f->offset, sizeof value);
        if ((f->optional && value == SYNC_NONE) || (value >= f->min && value <= f->max))
            continue;
        fault(at, rx, f->name);
        return error_set(at->err, E_INPUT, "%s: %d is outside %d..%d%s%s", f->name, value, f->min, f->max,
                         f->unit[0] ? " " : "", f->unit);
    }
    return 0;
}

static int check_id(const struct finding *at, const char *id, size_t rx)
{
    if (id && id[0] && strlen(id) <= SYNC_ID_BYTES_MAX)
        return 0;
    fault(at, rx, "id");
    return error_set(at->err, E_INPUT, "id: must have 1 to %d bytes", SYNC_ID_BYTES_MAX);
}

static bool near(const struct sync_case *c, int32_t day)
{
    return day >= c->today - SYNC_DAYS_MAX && day <= c->today + SYNC_DAYS_MAX;
}

static int check_sense(const struct finding *at, const struct sync_case *c, const struct sync_rx *rx,
                       size_t place)
{
    char day[CIVIL_TEXT_BYTES];
    if (rx->schedule == 1) {
        fault(at, place, "schedule");
        return error_set(at->err, E_INPUT, "schedule: 1 is never dispensed; 0 (none) or 2..5");
    }
    if (rx->last_fill != CIVIL_DAY_NONE && rx->days_supply == SYNC_NONE) {
        fault(at, place, "days_supply");
        return error_set(at->err, E_INPUT, "days_supply: is missing though last_fill is given");
    }
    if (rx->last_fill != CIVIL_DAY_NONE && rx->last_fill > c->today) {
        civil_format(rx->last_fill, day);
        fault(at, place, "last_fill");
        return error_set(at->err, E_INPUT, "last_fill: %s is later than today", day);
    }
    if ((rx->pack_days == SYNC_NONE) != (rx->pack_units == SYNC_NONE)) {
        fault(at, place, rx->pack_days == SYNC_NONE ? "pack_days" : "pack_units");
        return error_set(at->err, E_INPUT, "pack_days and pack_units: both or neither");
    }
    if (rx->start != CIVIL_DAY_NONE && !near(c, rx->start)) {
        fault(at, place, "start");
        return error_set(at->err, E_INPUT, "start: lies more than %d days from today", SYNC_DAYS_MAX);
    }
    if (rx->on_hand_units / rx->units_per_day > SYNC_SUPPLY_MAX) {
        fault(at, place, "on_hand_units");
        return error_set(at->err, E_INPUT, "on_hand_units: %d at %d a day would last more than %d days",
                         rx->on_hand_units, rx->units_per_day, SYNC_SUPPLY_MAX);
    }
    return 0;
}

struct named {
    const char *id;
    size_t place;
};

static int named_order(const void *a, const void *b)
{
    const struct named *left = a;
    const struct named *right = b;
    int order = strcmp(left->id, right->id);
    return order ? order : (left->place > right->place) - (left->place < right->place);
}

static int check_unique(const struct finding *at, const struct sync_case *c)
{
    struct named names[SYNC_DRUGS_MAX];
    for (size_t i = 0; i < c->rx_count; i++)
        names[i] = (struct named){c->rx[i].id, i};
    qsort(names, c->rx_count, sizeof names[0], named_order);
    for (size_t i = 1; i < c->rx_count; i++) {
        if (strcmp(names[i - 1].id, names[i].id) == 0) {
            fault(at, names[i].place, "id");
            return error_set(at->err, E_INPUT, "rx %s: this id stands twice", names[i].id);
        }
    }
    return 0;
}

static int check_locks(const struct finding *at, const struct sync_case *c)
{
    if (c->lock_count > SYNC_LOCKS_MAX)
        return error_set(at->err, E_LIMIT, "locks: more than %d", SYNC_LOCKS_MAX);
    for (size_t i = 0; i < c->lock_count; i++) {
        const struct sync_lock *lock = &c->locks[i];
        fault(at, SIZE_MAX, "locks");
        for (size_t k = 0; k < i; k++) {
            const struct sync_lock *other = &c->locks[k];
            if (other->kind == lock->kind && (!lock->id || strcmp(lock->id, other->id) == 0))
                return error_set(at->err, E_INPUT, "lock %s%s: given twice",
                                 lock->id ? "of the same kind on rx " : "anchor", lock->id ? lock->id : "");
        }
        if (lock->kind != SYNC_LOCK_QTY && !near(c, lock->date))
            return error_set(at->err, E_INPUT, "lock: its date lies more than %d days from today",
                             SYNC_DAYS_MAX);
        if (lock->kind == SYNC_LOCK_ANCHOR)
            continue;
        bool known = false;
        for (size_t k = 0; k < c->rx_count; k++)
            known = known || strcmp(c->rx[k].id, lock->id) == 0;
        if (!known)
            return error_set(at->err, E_INPUT, "lock: rx %s is not in case %s", lock->id, c->id);
    }
    return 0;
}

int sync_check(const struct sync_case *c, size_t *ret_rx, const char **ret_field, struct error *err)
{
    const struct finding at = {ret_rx, ret_field, err};
    int rc = check_id(&at, c->id, SIZE_MAX);
    if (!rc)
        rc = check_fields(&at, c, case_fields, sizeof case_fields / sizeof case_fields[0], SIZE_MAX);
    if (rc)
        return rc;
    if (c->rx_count > SYNC_DRUGS_MAX) {
        fault(&at, SIZE_MAX, "rx");
        return error_set(err, E_LIMIT, "rx: %zu drugs; at most %d", c->rx_count, SYNC_DRUGS_MAX);
    }
    for (size_t i = 0; i < c->rx_count && !rc; i++) {
        rc = check_id(&at, c->rx[i].id, i);
        if (rc)
            return rc;
        rc = check_fields(&at, &c->rx[i], rx_fields, sizeof rx_fields / sizeof rx_fields[0], i);
        if (!rc)
            rc = check_sense(&at, c, &c->rx[i], i);
        if (rc)
            (void)error_prefix(err, rc, "rx %s", c->rx[i].id);
    }
    if (!rc)
        rc = check_unique(&at, c);
    if (!rc)
        rc = check_locks(&at, c);
    return rc;
}
