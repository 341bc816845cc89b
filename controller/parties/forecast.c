/* SPDX-License-Identifier: Apache-2.0 */
/* Needs, patient by patient. */
#include "controller/parties/forecast.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/intake/fhir_json.h"
#include "controller/intake/reading.h"
#include "controller/parties/forecast_private.h"
#include "controller/parties/task.h"
#include "controller/plan/course.h"
#include "controller/plan/plan_row.h"
#include "controller/store/store.h"

enum { SIGNED_PLANS_MAX = 64, RENEWALS_MAX = 128 };

/* Days that a signed plan has. */
struct span {
    int32_t from, to; /* to: the day after the last */
};

/* An order's renewal, as the newest task has it. */
struct renewal {
    const char *order;
    int32_t needed_by;
    bool denied, granted;
};

/* One patient while he is counted. */
struct counting {
    struct store *store;
    const struct forecast_options *options;
    struct forecast *forecast;
    struct arena *arena;
    int64_t patient;
    struct span spans[SIGNED_PLANS_MAX];
    int span_count;
    int32_t planned_to; /* the day after the last planned one; CIVIL_DAY_NONE: no plan */
    const struct plan_text *newest;
    struct renewal renewals[RENEWALS_MAX];
    int renewal_count;
};

const char *forecast_need_text(enum forecast_need need)
{
    static const char *const words[FORECAST_NEEDS] = {"firm", "draft", "ahead", "renewal"};
    return words[need];
}

void forecast_week_text(int32_t monday, char ret_text[FORECAST_WEEK_BYTES])
{
    int year, month, mday;
    int32_t first;
    /* ISO 8601: a week belongs to the year of its Thursday, and week 1 has the year's first Thursday. */
    civil_to_ymd(monday + 3, &year, &month, &mday);
    (void)civil_from_ymd(year, 1, 1, &first); /* the first day of a year exists */
    (void)snprintf(ret_text, FORECAST_WEEK_BYTES, "%04d-W%02d", year, (monday + 3 - first) / 7 + 1);
}

struct forecast_product *forecast_product_of(struct forecast *forecast, const char *code)
{
    size_t low = 0, high = forecast->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(code, forecast->products[middle].code);
        if (order == 0)
            return &forecast->products[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    if (forecast->count == forecast->cap) {
        size_t cap = forecast->cap ? forecast->cap * 2 : 64;
        struct forecast_product *grown = realloc(forecast->products, cap * sizeof *grown);
        if (!grown)
            return NULL;
        forecast->products = grown;
        forecast->cap = cap;
    }
    struct forecast_week *weeks = calloc((size_t)forecast->weeks, sizeof *weeks);
    if (!weeks)
        return NULL;
    struct forecast_product *place = &forecast->products[low];
    memmove(place + 1, place, (forecast->count - low) * sizeof *place);
    forecast->count++;
    *place = (struct forecast_product){.weeks = weeks};
    (void)snprintf(place->code, sizeof place->code, "%s", code); /* one limit for all codes */
    return place;
}

/* The week in which a roll that begins on start is packed; options.weeks or more: beyond the forecast. */
static int week_of(const struct counting *c, int32_t start)
{
    int32_t day = start - c->options->lead_days;
    if (day < c->options->today)
        day = c->options->today;
    return (day - c->forecast->monday) / 7;
}

static int need_add(struct counting *c, const char *code, int week, enum forecast_need need, int64_t milli,
                    struct error *err)
{
    struct forecast_product *product = forecast_product_of(c->forecast, code);
    if (!product)
        return error_set(err, E_MEMORY, "out of memory adding up needs");
    product->weeks[week].need[need] += milli;
    return 0;
}

static bool signed_on(const struct counting *c, int32_t day)
{
    for (int i = 0; i < c->span_count; i++) {
        if (day >= c->spans[i].from && day < c->spans[i].to)
            return true;
    }
    return false;
}

/* done[n]: pouch n was packed, an earlier one serves in its place, or it shall not be packed any more. */
static int done_read(struct counting *c, int64_t plan, bool *done, size_t count, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(c->store, &rows, err,
                         "SELECT pouch FROM job WHERE plan_id = ?1 AND state = 'good' UNION "
                         "SELECT pouch FROM withdrawn WHERE plan_id = ?1 UNION "
                         "SELECT pouch FROM pouch_kept WHERE plan_id = ?1",
                         "i", plan);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        int64_t pouch = store_int(rows, 0);
        if (pouch >= 0 && (size_t)pouch <= count)
            done[pouch] = true;
        rc = 0;
    }
    store_done(rows);
    return rc;
}

static int plan_add(struct counting *c, int64_t id, const struct plan_text *plan, enum forecast_need need,
                    struct error *err)
{
    int week = week_of(c, plan->start_day);
    bool *done = arena_array(c->arena, plan->pouch_count + 1, sizeof *done);
    int rc = done ? done_read(c, id, done, plan->pouch_count, err)
                  : error_set(err, E_MEMORY, "out of memory adding up needs");
    if (c->planned_to == CIVIL_DAY_NONE || plan->start_day + plan->days > c->planned_to)
        c->planned_to = plan->start_day + plan->days;
    for (size_t i = 0; rc == 0 && week < c->options->weeks && i < plan->pouch_count; i++) {
        const struct plan_pouch *pouch = &plan->pouches[i];
        if (done[pouch->number] || pouch->day < c->options->today ||
            (need == FORECAST_DRAFT && signed_on(c, pouch->day)))
            continue;
        for (size_t k = 0; rc == 0 && k < pouch->item_count; k++)
            rc = need_add(c, pouch->items[k].code, week, need,
                          (int64_t)pouch->items[k].count * (pouch->items[k].piece == ROLL_HALF ? 500 : 1000),
                          err);
    }
    return rc;
}

static int plan_read(struct counting *c, int64_t id, struct plan_row *row, struct plan_text **ret_plan,
                     struct error *err)
{
    int rc = plan_row_load(c->store, id, c->arena, row, err);
    if (rc == 0)
        rc = plan_text_parse(row->bytes, row->len, c->arena, ret_plan, err);
    return rc < 0 ? error_prefix(err, rc, "plan %" PRId64, id) : 0;
}

/* Signed plans that are not over, then the newest plan where it is a draft. */
static int plans_add(struct counting *c, struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t ids[SIGNED_PLANS_MAX + 1];
    int count = 0;
    int rc = store_query(
        c->store, &rows, err,
        "SELECT id FROM plan WHERE patient_id = ?1 AND state = 'signed' AND start_day + days > ?2 "
        "UNION SELECT id FROM plan WHERE patient_id = ?1 AND version = (SELECT max(version) FROM "
        "plan WHERE patient_id = ?1) ORDER BY id",
        "ii", c->patient, c->options->today);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        if (count > SIGNED_PLANS_MAX)
            rc = error_set(err, E_LIMIT, "patient %" PRId64 " has more than %d signed plans ahead",
                           c->patient, SIGNED_PLANS_MAX);
        else
            ids[count++] = store_int(rows, 0);
        rc = rc < 0 ? rc : 0;
    }
    store_done(rows);
    for (int i = 0; rc == 0 && i < count; i++) {
        struct plan_row row;
        struct plan_text *plan = NULL;
        rc = plan_read(c, ids[i], &row, &plan, err);
        if (rc < 0)
            return rc;
        c->newest = plan;
        if (row.state == PLAN_ROW_SIGNED && c->span_count < SIGNED_PLANS_MAX)
            c->spans[c->span_count++] = (struct span){plan->start_day, plan->start_day + plan->days};
        if (row.state == PLAN_ROW_SUPERSEDED)
            continue;
        rc = plan_add(c, ids[i], plan, row.state == PLAN_ROW_SIGNED ? FORECAST_FIRM : FORECAST_DRAFT, err);
    }
    return rc;
}

static int renewals_read(struct counting *c, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc =
        store_query(c->store, &rows, err,
                    "SELECT t.facts, t.due_day, a.result FROM task AS t LEFT JOIN task_answer AS a ON "
                    "a.task_id = t.id AND a.stands = 1 WHERE t.patient_id = ? AND t.kind = 'renewal' AND "
                    "t.state NOT IN ('cancelled', 'failed') ORDER BY t.id DESC LIMIT ?",
                    "ii", c->patient, RENEWALS_MAX);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        char order[TASK_FACT_TEXT_MAX + 1];
        struct renewal *r = &c->renewals[c->renewal_count];
        const char *result = store_text(rows, 2);
        rc = 0;
        if (!task_fact_text(store_text(rows, 0), "order", order, sizeof order))
            continue;
        *r = (struct renewal){.order = arena_text(c->arena, order, strlen(order)),
                              .denied = strcmp(result, "denied") == 0,
                              .granted = strcmp(result, "approved") == 0 || strcmp(result, "changed") == 0};
        if (!task_fact_day(store_text(rows, 0), "needed_by", &r->needed_by))
            r->needed_by = (int32_t)store_int(rows, 1);
        if (!r->order)
            rc = error_set(err, E_MEMORY, "out of memory adding up needs");
        c->renewal_count++;
    }
    store_done(rows);
    return rc;
}

/* The last day of the prescription's validity; CIVIL_DAY_NONE where it does not say. */
static int32_t valid_to(const char *original)
{
    int32_t first, last = CIVIL_DAY_NONE;
    json_t *request = json_loads(original, JSON_DECODE_ANY, NULL);
    const char *end =
        fhir_text(json_object_get(json_object_get(request, "dispenseRequest"), "validityPeriod"), "end");
    if (!end[0] || !fhir_date_read(end, &first, &last))
        last = CIVIL_DAY_NONE;
    json_decref(request);
    return last;
}

/* What a cycle that begins on start depends on; FORECAST_NEEDS: nothing will be needed. */
static enum forecast_need depends_on(const struct counting *c, const char *order, int32_t valid,
                                     int32_t start)
{
    for (int i = 0; i < c->renewal_count; i++) {
        if (strcmp(c->renewals[i].order, order) != 0)
            continue;
        if (start < c->renewals[i].needed_by || c->renewals[i].granted)
            return FORECAST_AHEAD;
        return c->renewals[i].denied ? FORECAST_NEEDS : FORECAST_RENEWAL;
    }
    return valid != CIVIL_DAY_NONE && start > valid ? FORECAST_RENEWAL : FORECAST_AHEAD;
}

/* Pieces of an order in the cycle that begins on start. */
static int order_milli(const struct counting *c, const struct reading *reading, int32_t begins, int32_t start,
                       int64_t *ret_milli, struct error *err)
{
    struct course courses[COURSES_MAX];
    int64_t milli = 0;
    int count =
        courses_of(reading, begins, start, c->options->cycle_days, c->newest->day_start, courses, err);
    for (int i = 0; i < count; i++) {
        int64_t a_day = 0;
        for (int k = 0; k < courses[i].dose_count; k++)
            a_day += courses[i].doses[k].amount_milli;
        milli += a_day * roll_pattern_count(&courses[i].pattern, start, c->options->cycle_days);
    }
    *ret_milli = milli;
    return count < 0 ? count : 0;
}

/* The cycles ahead of one order. */
static int order_add(struct counting *c, const char *source_id, const char *code,
                     const struct reading *reading, int32_t valid, int32_t begins, struct error *err)
{
    for (int32_t start = c->planned_to; week_of(c, start) < c->options->weeks;
         start += c->options->cycle_days) {
        int64_t milli = 0;
        enum forecast_need need = depends_on(c, source_id, valid, start);
        if (need == FORECAST_NEEDS)
            return 0;
        int rc = order_milli(c, reading, begins, start, &milli, err);
        if (rc < 0 && error_class_of(rc) == ERROR_CLASS_INPUT) {
            c->forecast->unread++;
            return 0;
        }
        if (rc == 0 && milli > 0)
            rc = need_add(c, code, week_of(c, start), need, milli, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* How the newest plan had an order; NULL: it is new. */
static const struct plan_order *planned_order(const struct counting *c, const char *source_id)
{
    for (size_t i = 0; i < c->newest->order_count; i++) {
        if (strcmp(c->newest->orders[i].source_id, source_id) == 0)
            return &c->newest->orders[i];
    }
    return NULL;
}

static int order_row_add(struct counting *c, struct store_rows *rows, struct error *err)
{
    struct reading reading;
    const struct plan_order *planned = planned_order(c, store_text(rows, 0));
    if (planned && planned->state != PLAN_INCLUDED)
        return 0;
    int rc = reading_parse(store_text(rows, 2), &reading, err);
    if (rc < 0 && error_class_of(rc) == ERROR_CLASS_INPUT) {
        c->forecast->unread++;
        return 0;
    }
    if (rc < 0 || reading.as_needed)
        return rc;
    int32_t begins = planned && planned->begins != CIVIL_DAY_NONE ? planned->begins
                                                                  : course_begin(&reading, c->planned_to);
    return order_add(c, store_text(rows, 0), store_text(rows, 1), &reading, valid_to(store_text(rows, 3)),
                     begins, err);
}

static int ahead_add(struct counting *c, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = renewals_read(c, err);
    if (c->planned_to == CIVIL_DAY_NONE || c->planned_to < c->options->today)
        c->planned_to = c->options->today;
    if (rc == 0)
        rc = store_query(
            c->store, &rows, err,
            "SELECT source_id, product_code, reading, original FROM order_version WHERE patient_id = ? "
            "AND current = 1 AND outcome = 'packable' AND product_code IS NOT NULL AND reading IS NOT "
            "NULL ORDER BY source_id",
            "i", c->patient);
    while (rc == 0 && (rc = store_next(rows, err)) == 1)
        rc = order_row_add(c, rows, err);
    store_done(rows);
    return rc;
}

static int patient_add(struct counting *c, struct error *err)
{
    int64_t orders = 0;
    int rc = plans_add(c, err);
    if (rc == 0 && c->newest) {
        c->forecast->patients++;
        return ahead_add(c, err);
    }
    if (rc == 0)
        rc = store_get_int(
            c->store, &orders, err,
            "SELECT count(*) FROM order_version WHERE patient_id = ? AND current = 1 AND outcome = "
            "'packable'",
            "i", c->patient);
    c->forecast->unplanned += orders > 0;
    return rc;
}

static int patients_add(struct store *store, const struct forecast_options *options,
                        struct forecast *forecast, struct error *err)
{
    struct arena arena;
    int64_t patient = 0;
    int rc = 0;
    arena_init(&arena, 0);
    while (rc == 0) {
        rc = store_get_int(store, &patient, err,
                           "SELECT id FROM patient WHERE id > ? AND deceased = 0 ORDER BY id LIMIT 1", "i",
                           patient);
        if (rc < 0)
            break;
        struct counting *c = arena_alloc(&arena, sizeof *c);
        if (!c) {
            rc = error_set(err, E_MEMORY, "out of memory adding up needs");
            break;
        }
        *c = (struct counting){.store = store,
                               .options = options,
                               .forecast = forecast,
                               .arena = &arena,
                               .patient = patient,
                               .planned_to = CIVIL_DAY_NONE};
        rc = patient_add(c, err);
        arena_reset(&arena);
    }
    arena_finish(&arena);
    return rc == E_NOT_FOUND ? 0 : rc;
}

int forecast_make(struct store *store, const struct forecast_options *options, struct forecast *ret_forecast,
                  struct error *err)
{
    if (options->weeks < 1 || options->weeks > FORECAST_WEEKS_MAX || options->cycle_days < 1)
        return error_set(err, E_ARG, "a forecast has 1 to %d weeks", FORECAST_WEEKS_MAX);
    *ret_forecast =
        (struct forecast){.monday = options->today - civil_weekday(options->today), .weeks = options->weeks};
    int rc = store_read_begin(store, err);
    if (rc)
        return rc;
    rc = patients_add(store, options, ret_forecast, err);
    if (rc == 0)
        rc = forecast_cover(store, options, ret_forecast, err);
    store_read_end(store);
    if (rc < 0)
        forecast_finish(ret_forecast);
    return rc;
}

void forecast_finish(struct forecast *forecast)
{
    for (size_t i = 0; i < forecast->count; i++)
        free(forecast->products[i].weeks);
    free(forecast->products);
    *forecast = (struct forecast){0};
}
