/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person decides about a machine that the store cannot explain (C7): counters that are ahead, or
 * another machine where pouches of a batch were begun. Nothing here is found out by the program: what is not
 * known to be good becomes void and is made again under a new number.
 */
#include <inttypes.h>
#include <stdio.h>

#include "config/base/error.h"
#include "config/base/log.h"
#include "controller/pack/alarm.h"
#include "controller/pack/fills_private.h"
#include "controller/stock/doubt.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

_Static_assert((int)DOUBT_ENTRY_PIECES == (int)MACHINE_COUNT_MAX, "what one entry can ask for");

static const char adopted[] = "the machine was adopted, its result is not known";
const char fills_replaced[] = "the machine was replaced, its result is not known";

/* Jobs that were sent and whose fill is no longer open. */
static int free_jobs(struct store *store, struct error *err)
{
    return store_exec(store, err,
                      "UPDATE job AS j SET state = CASE (SELECT " UNWANTED_SQL
                      " FROM batch b WHERE b.id = j.batch_id) WHEN 1 THEN 'cancelled' ELSE 'waiting' END"
                      " WHERE state = 'sent' AND NOT EXISTS"
                      " (SELECT 1 FROM fill f WHERE f.job_id = j.id AND f.state = 'intended')",
                      "");
}

int fills_adopt(struct store *store, const struct fills_line *line, const struct machine_status *mirror,
                const char *person, int64_t wall_ms, struct error *err)
{
    int64_t next = 0;
    int rc =
        store_get_int(store, &next, err, "SELECT next_seq FROM machine WHERE serial = ?", "t", line->serial);
    if (rc == 0)
        rc = store_exec(store, err,
                        "UPDATE fill SET state = 'void', result_ms = ?, reason = ?"
                        " WHERE serial = ? AND state = 'intended' AND seq <= ?",
                        "itti", wall_ms, adopted, line->serial, (int64_t)mirror->done);
    if (rc == 0)
        rc = doubt_open_unknown(store, adopted, wall_ms, err);
    if (rc == 0)
        rc = doubt_open_machine(store, line->machine, (int64_t)mirror->accepted + 1 - next, wall_ms, err);
    if (rc == 0)
        rc = free_jobs(store, err);
    if (rc == 0)
        rc = store_exec(store, err,
                        "UPDATE machine SET next_seq = max(next_seq, ?), retired = max(retired, ?)"
                        " WHERE serial = ?",
                        "iit", (int64_t)mirror->accepted + 1, (int64_t)mirror->done, line->serial);
    char detail[96];
    (void)snprintf(detail, sizeof detail, "{\"accepted\":%" PRIu32 ",\"done\":%" PRIu32 "}", mirror->accepted,
                   mirror->done); /* two numbers always fit */
    if (rc == 0)
        rc = audit_add(store, wall_ms, person, "machine.adopt", line->serial, detail, err);
    return rc;
}

/* ---- another machine ---- */

int fills_place(struct store *store, const struct fills_line *line, char ret_serial[MACHINE_SERIAL_BYTES],
                struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err, "SELECT serial FROM machine_place WHERE machine = ?", "t",
                         line->machine);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc >= 0)
        (void)snprintf(ret_serial, MACHINE_SERIAL_BYTES, "%s",
                       rc == 1 ? store_text(rows, 0) : ""); /* was one before */
    store_done(rows);
    return rc < 0 ? rc : 0;
}

int fills_place_take(struct store *store, const struct fills_line *line, const char *person, int64_t wall_ms,
                     struct error *err)
{
    char before[MACHINE_SERIAL_BYTES], detail[64];
    int rc = fills_place(store, line, before, err);
    if (rc == 0)
        rc = store_exec(store, err,
                        "INSERT INTO machine_place (machine, serial, actor, since_ms) VALUES (?, ?, ?, ?)"
                        " ON CONFLICT (machine) DO UPDATE SET serial = excluded.serial,"
                        " actor = excluded.actor, since_ms = excluded.since_ms",
                        "ttti", line->machine, line->serial, person, wall_ms);
    /* A serial may hold any printable character, so it is no part of JSON written by hand. */
    (void)snprintf(detail, sizeof detail, "{\"first\":%s}", before[0] ? "false" : "true"); /* fits */
    return rc == 0 ? audit_add(store, wall_ms, person, "machine.place", line->serial, detail, err) : rc;
}

#define OPEN_ELSEWHERE                                                             \
    " FROM fill f JOIN job j ON j.id = f.job_id JOIN batch b ON b.id = j.batch_id" \
    " WHERE b.machine = ? AND f.serial <> ? AND f.state = 'intended'"

int fills_elsewhere(struct store *store, const struct fills_line *line, int64_t *ret_count,
                    char ret_serial[MACHINE_SERIAL_BYTES], struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err, "SELECT count(*), coalesce(max(f.serial), '')" OPEN_ELSEWHERE,
                         "tt", line->machine, line->serial);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        *ret_count = store_int(rows, 0);
        (void)snprintf(ret_serial, MACHINE_SERIAL_BYTES, "%s", store_text(rows, 1)); /* was one before */
    }
    store_done(rows);
    return rc < 0 ? rc : 0;
}

/* The pouches that a person must look for, by their printed numbers. */
static int raise_alarm(struct store *store, const struct fills_line *line, const char *serial,
                       int64_t wall_ms, struct error *err)
{
    char text[128];
    (void)snprintf(text, sizeof text, "pouches begun in machine %s are void",
                   serial); /* cut, never overrun */
    log_warning("line", "machine=%s alarm=%d text=\"%s\"", line->machine, ALARM_REPLACED, text);
    return store_exec(store, err,
                      "INSERT INTO alarm (machine, number, text, next_step, evidence, raised_ms)"
                      " SELECT b.machine, ?, ?, ?, json_object('old', ?, 'new', ?, 'pouches',"
                      " json_group_array(f.token)), ?" OPEN_ELSEWHERE " GROUP BY b.machine",
                      "itttti"
                      "tt",
                      (int64_t)ALARM_REPLACED, text, alarm_row(ALARM_REPLACED)->next, serial, line->serial,
                      wall_ms, line->machine, line->serial);
}

int fills_replace(struct store *store, const struct fills_line *line, const char *person, int64_t wall_ms,
                  struct error *err)
{
    char serial[MACHINE_SERIAL_BYTES] = "", detail[160];
    int64_t count = 0;
    int rc = fills_elsewhere(store, line, &count, serial, err);
    if (rc < 0 || count == 0)
        return rc;
    rc = raise_alarm(store, line, serial, wall_ms, err);
    if (rc == 0)
        rc = store_exec(store, err,
                        "UPDATE fill SET state = 'void', result_ms = ?, reason = ? WHERE id IN"
                        " (SELECT f.id" OPEN_ELSEWHERE ")",
                        "ittt", wall_ms, fills_replaced, line->machine, line->serial);
    if (rc == 0)
        rc = doubt_open_unknown(store, fills_replaced, wall_ms, err);
    if (rc == 0)
        rc = free_jobs(store, err);
    (void)snprintf(detail, sizeof detail, "{\"old\":\"%s\",\"pouches\":%" PRId64 "}", serial,
                   count); /* fits */
    if (rc == 0)
        rc = audit_add(store, wall_ms, person, "machine.replace", line->serial, detail, err);
    return rc;
}
