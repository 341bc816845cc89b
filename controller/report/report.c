/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/report/report_private.h"
#include "controller/store/store.h"

enum { ATTEMPTS_MAX = 64, ITEMS_MAX = 24 };

static const char *keep(struct arena *arena, const char *text)
{
    const char *copy = arena_text(arena, text, strlen(text));
    return copy ? copy : ""; /* the arena's caller sees E_MEMORY at its next array */
}

static int no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory for the record of a batch");
}

/* ---- plans and signatures ---- */

static int read_plans(struct store *store, struct report *report, struct arena *arena, struct error *err)
{
    size_t max = (size_t)report->batch.plans, count = 0;
    struct report_plan *plans = arena_array(arena, max, sizeof *plans);
    struct store_rows *rows = NULL;
    if (!plans)
        return no_memory(err);
    int rc =
        store_query(store, &rows, err,
                    "SELECT p.id, p.version, a.source_id, a.name, lower(hex(p.hash)), coalesce(u.name, ''),"
                    " coalesce(u.login, ''), coalesce(s.meaning, ''), coalesce(s.signed_ms, 0)"
                    " FROM batch_plan b JOIN plan p ON p.id = b.plan_id JOIN patient a ON a.id = p.patient_id"
                    " LEFT JOIN signature s ON s.id = (SELECT max(id) FROM signature WHERE plan_id = p.id)"
                    " LEFT JOIN user u ON u.id = s.user_id WHERE b.batch_id = ? ORDER BY b.position",
                    "i", report->batch.id);
    while (rc == 0 && (rc = store_next(rows, err)) == 1 && count < max) {
        plans[count++] = (struct report_plan){.id = store_int(rows, 0),
                                              .version = store_int(rows, 1),
                                              .patient = keep(arena, store_text(rows, 2)),
                                              .patient_name = keep(arena, store_text(rows, 3)),
                                              .hash = keep(arena, store_text(rows, 4)),
                                              .signed_by = keep(arena, store_text(rows, 5)),
                                              .signed_login = keep(arena, store_text(rows, 6)),
                                              .meaning = keep(arena, store_text(rows, 7)),
                                              .signed_ms = store_int(rows, 8)};
        rc = 0;
    }
    store_done(rows);
    report->plans = plans;
    report->plan_count = count;
    return rc < 0 ? rc : 0;
}

/* ---- pouches ---- */

/* Field n of a pouch line ("pouch N DATE HH:MM NAME 1/2 label=…"), which a signed text has; "" beyond. */
static const char *field(struct arena *arena, const char *line, int n)
{
    for (; n > 0; n--) {
        line = strchr(line, ' ');
        if (!line)
            return "";
        line++;
    }
    const char *text = arena_text(arena, line, strcspn(line, " "));
    return text ? text : "";
}

static int read_items(struct store *store, int64_t fill, struct report_fill *ret_fill, struct arena *arena,
                      struct error *err)
{
    struct report_item items[ITEMS_MAX];
    size_t count = 0;
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT i.product_code, coalesce(p.name, ''), i.piece, i.lot, i.canister_id, i.bay,"
                         " i.requested, coalesce(i.counted, -1) FROM fill_item i LEFT JOIN product p ON"
                         " p.code = i.product_code WHERE i.fill_id = ? ORDER BY i.entry",
                         "i", fill);
    while (rc == 0 && (rc = store_next(rows, err)) == 1 && count < ITEMS_MAX) {
        items[count++] = (struct report_item){.code = keep(arena, store_text(rows, 0)),
                                              .name = keep(arena, store_text(rows, 1)),
                                              .piece = keep(arena, store_text(rows, 2)),
                                              .lot = keep(arena, store_text(rows, 3)),
                                              .canister = store_int(rows, 4),
                                              .bay = store_int(rows, 5),
                                              .expected = store_int(rows, 6),
                                              .counted = store_int(rows, 7)};
        rc = 0;
    }
    store_done(rows);
    if (rc < 0)
        return rc;
    struct report_item *kept = arena_array(arena, count, sizeof *kept);
    if (!kept)
        return no_memory(err);
    memcpy(kept, items, count * sizeof *kept);
    ret_fill->items = kept;
    ret_fill->item_count = count;
    return 0;
}

static int read_fills(struct store *store, int64_t job, struct report_pouch *pouch, struct arena *arena,
                      struct error *err)
{
    struct report_fill fills[ATTEMPTS_MAX];
    int64_t ids[ATTEMPTS_MAX];
    size_t count = 0;
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT f.id, f.token, f.serial, f.state, f.reason, coalesce(o.token, ''), f.seq,"
                         " f.intended_ms, coalesce(f.result_ms, 0), f.seal_min_dc, f.seal_max_dc FROM fill f"
                         " LEFT JOIN fill o ON o.id = f.remake_of WHERE f.job_id = ? ORDER BY f.id",
                         "i", job);
    while (rc == 0 && (rc = store_next(rows, err)) == 1 && count < ATTEMPTS_MAX) {
        ids[count] = store_int(rows, 0);
        fills[count++] = (struct report_fill){
            .token = keep(arena, store_text(rows, 1)),
            .serial = keep(arena, store_text(rows, 2)),
            .state = keep(arena, store_text(rows, 3)),
            .reason = keep(arena, store_text(rows, 4)),
            .remake_of = keep(arena, store_text(rows, 5)),
            .seq = store_int(rows, 6),
            .intended_ms = store_int(rows, 7),
            .result_ms = store_int(rows, 8),
            .seal_min_dc = store_int(rows, 9),
            .seal_max_dc = store_int(rows, 10),
            .has_seal = !store_is_null(rows, 9) && (store_int(rows, 9) != 0 || store_int(rows, 10) != 0),
        };
        rc = 0;
    }
    store_done(rows);
    for (size_t i = 0; i < count && rc >= 0; i++)
        rc = read_items(store, ids[i], &fills[i], arena, err);
    if (rc < 0)
        return rc;
    struct report_fill *kept = arena_array(arena, count, sizeof *kept);
    if (!kept)
        return no_memory(err);
    memcpy(kept, fills, count * sizeof *kept);
    pouch->fills = kept;
    pouch->fill_count = count;
    return 0;
}

static int read_pouches(struct store *store, struct report *report, struct arena *arena, struct error *err)
{
    size_t max = (size_t)report->batch.pouches, count = 0;
    struct report_pouch *pouches = arena_array(arena, max, sizeof *pouches);
    int64_t *jobs = arena_array(arena, max, sizeof *jobs);
    struct store_rows *rows = NULL;
    if (!pouches || !jobs)
        return no_memory(err);
    int rc =
        store_query(store, &rows, err,
                    "SELECT j.id, j.position, a.source_id, a.name, j.plan_id, j.pouch, j.pouch_line, j.state,"
                    " j.note FROM job j JOIN plan p ON p.id = j.plan_id JOIN patient a ON"
                    " a.id = p.patient_id WHERE j.batch_id = ? ORDER BY j.position",
                    "i", report->batch.id);
    while (rc == 0 && (rc = store_next(rows, err)) == 1 && count < max) {
        const char *line = store_text(rows, 6);
        jobs[count] = store_int(rows, 0);
        pouches[count++] = (struct report_pouch){.position = store_int(rows, 1),
                                                 .patient = keep(arena, store_text(rows, 2)),
                                                 .patient_name = keep(arena, store_text(rows, 3)),
                                                 .plan = store_int(rows, 4),
                                                 .pouch = store_int(rows, 5),
                                                 .date = field(arena, line, 2),
                                                 .time = field(arena, line, 3),
                                                 .slot = field(arena, line, 4),
                                                 .part = field(arena, line, 5),
                                                 .state = keep(arena, store_text(rows, 7)),
                                                 .note = keep(arena, store_text(rows, 8))};
        rc = 0;
    }
    store_done(rows);
    for (size_t i = 0; i < count && rc >= 0; i++)
        rc = read_fills(store, jobs[i], &pouches[i], arena, err);
    report->pouches = pouches;
    report->pouch_count = count;
    return rc < 0 ? rc : 0;
}

/* ---- the whole ---- */

static int read_serials(struct store *store, struct report *report, struct arena *arena, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(
        store, &rows, err,
        "SELECT coalesce(group_concat(serial, ', '), '') FROM (SELECT DISTINCT f.serial FROM fill f"
        " JOIN job j ON j.id = f.job_id WHERE j.batch_id = ? ORDER BY f.serial)",
        "i", report->batch.id);
    report->serials = "";
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1)
        report->serials = keep(arena, store_text(rows, 0));
    store_done(rows);
    return rc < 0 ? rc : 0;
}

struct report_pharmacy report_pharmacy_of(const struct conf *site)
{
    return (struct report_pharmacy){.name = conf_text(site, "pharmacy.name"),
                                    .address = conf_text(site, "pharmacy.address"),
                                    .phone = conf_text(site, "pharmacy.phone"),
                                    .license = conf_text(site, "pharmacy.license")};
}

int report_batch(struct store *store, int64_t batch, struct arena *arena, struct report *ret_report,
                 struct error *err)
{
    struct report report = {0};
    int rc = batch_get(store, batch, &report.batch, err);
    if (rc == 0)
        rc = read_serials(store, &report, arena, err);
    if (rc == 0)
        rc = read_plans(store, &report, arena, err);
    if (rc == 0)
        rc = read_pouches(store, &report, arena, err);
    if (rc == 0)
        rc = report_totals(store, &report, arena, err);
    if (rc == 0)
        *ret_report = report;
    return rc;
}
