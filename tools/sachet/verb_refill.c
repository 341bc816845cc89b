/* SPDX-License-Identifier: Apache-2.0 */
/* patient onhand, refill: the facts and locks behind a patient's calendar, as people give them. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "config/base/quantity.h"
#include "controller/plan/documents/sync_read.h"
#include "controller/plan/input.h"
#include "controller/refill/record.h"
#include "controller/refill/refill.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/verbs.h"

enum { TERMS_BYTES_MAX = 4 * 1024 * 1024 };

/* Logs in and opens a write transaction over the patient that the first argument names. */
static int begin(struct cli *cli, const char *role, struct user *user, struct record_by *by,
                 int64_t *ret_patient, struct error *err)
{
    const char *reason = cli_option(cli, "reason");
    int status = cli_login(cli, role, user, err);
    if (status == 0 && ret_patient)
        status = input_find_patient(cli->store, cli->argv[0], ret_patient, err);
    if (status == 0)
        status = store_write_begin(cli->store, err);
    *by = (struct record_by){user->login, reason ? reason : "", cli->today, clock_wall_ms(cli->clock)};
    return status;
}

static int end(struct cli *cli, int status, struct error *err)
{
    if (status == 0)
        status = store_write_commit(cli->store, err);
    store_write_rollback(cli->store); /* nothing after a commit */
    return status;
}

/* "ORDER=PIECES"; the last sign of equality counts, an id may hold others. */
static int split(const char *text, char name[RECORD_ORDER_BYTES], int64_t *ret_milli, struct error *err)
{
    const char *sign = strrchr(text, '=');
    size_t len = sign ? (size_t)(sign - text) : 0;
    if (!sign || len == 0 || len >= RECORD_ORDER_BYTES || !quantity_parse(sign + 1, ret_milli))
        return error_set(err, E_ARG, "'%s': give ORDER=PIECES, for example s01-r02=17 or s01-r02=4.5", text);
    memcpy(name, text, len);
    name[len] = '\0';
    return 0;
}

static int run_onhand(struct cli *cli, struct error *err)
{
    struct user user = {0};
    struct record_by by;
    int64_t patient = 0;
    int status = begin(cli, NULL, &user, &by, &patient, err);
    for (int i = 1; status == 0 && i < cli->argc; i++) {
        struct record_order order;
        char name[RECORD_ORDER_BYTES];
        int64_t milli = 0;
        status = split(cli->argv[i], name, &milli, err);
        if (status == 0)
            status = record_order_find(cli->store, patient, name, &order, err);
        if (status == 0)
            status = record_onhand(cli->store, patient, &order, milli, &by, err);
    }
    status = end(cli, status, err);
    if (status == 0 && cli->json)
        return out_json(cli, json_pack("{s:s, s:i}", "patient", cli->argv[0], "counted", cli->argc - 1), err);
    if (status == 0)
        fprintf(cli->out, "%d count%s noted; `sachet sync %s` shows what follows\n", cli->argc - 1,
                cli->argc == 2 ? "" : "s", cli->argv[0]);
    return status;
}

static int run_dispensed(struct cli *cli, struct error *err)
{
    struct user user = {0};
    struct record_by by;
    struct record_order order;
    int64_t patient = 0, days = 0, milli = 0;
    int32_t day = cli->today;
    const char *pieces = cli_option(cli, "pieces");
    int status = cli_option_int(cli, "for-days", 1, SYNC_DAYS_MAX, 0, &days, err);
    if (status == 0 && (days == 0 || !pieces || !quantity_parse(pieces, &milli)))
        status = error_set(err, E_ARG, "how much? give --pieces N and --for-days N");
    if (status == 0)
        status = cli_option_day(cli, "day", cli->today, &day, err);
    if (status == 0)
        status = begin(cli, NULL, &user, &by, &patient, err);
    if (status == 0)
        status = record_order_find(cli->store, patient, cli->argv[1], &order, err);
    if (status == 0)
        status = record_dispensed(cli->store, patient, &order, day, (int32_t)days, milli, &by, err);
    status = end(cli, status, err);
    if (status == 0 && cli->json)
        return out_json(cli, json_pack("{s:s, s:s}", "patient", cli->argv[0], "order", order.source_id), err);
    if (status == 0)
        fprintf(cli->out, "noted: %s pieces of order %s handed out apart, for %d days\n", pieces,
                order.source_id, (int)days);
    return status;
}

static int show_terms(struct cli *cli, struct error *err)
{
    struct store_rows *rows = NULL;
    static const char *const names[] = {"schedule",    "usual_days",    "min_days",    "pack_days",
                                        "pack_pieces", "threshold_pct", "copay_cents", "prorated"};
    json_t *list = json_array();
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = store_query(cli->store, &rows, err,
                             "SELECT product_code, schedule, usual_days, min_days, pack_days, pack_pieces, "
                             "threshold_pct, copay_cents, prorated FROM product_terms ORDER BY product_code",
                             "");
    int more = 0;
    while (status == 0 && (more = store_next(rows, err)) > 0) {
        json_t *row = json_pack("{s:s}", "product", store_text(rows, 0));
        if (!cli->json)
            fprintf(cli->out, "%-24s", store_text(rows, 0));
        for (int i = 0; i < 8; i++) {
            bool none = store_is_null(rows, i + 1);
            json_object_set_new(row, names[i], none ? json_null() : json_integer(store_int(rows, i + 1)));
            if (!cli->json && !none)
                fprintf(cli->out, "  %s %" PRId64, names[i], store_int(rows, i + 1));
        }
        if (!cli->json)
            fputc('\n', cli->out);
        json_array_append_new(list, row);
    }
    store_done(rows);
    if (status == 0 && more == 0 && cli->json)
        return out_json(cli, json_pack("{s:o}", "terms", list), err);
    if (status == 0 && more == 0 && json_array_size(list) == 0)
        fputs("no terms: the site file's `refill` keys hold for all products\n", cli->out);
    json_decref(list);
    return status < 0 ? status : more;
}

static int run_terms(struct cli *cli, struct error *err)
{
    struct user user = {0};
    struct record_by by;
    struct buf text;
    int64_t rows = 0;
    if (cli->argc == 0)
        return show_terms(cli, err);
    buf_init(&text);
    int status = file_read(cli->argv[0], TERMS_BYTES_MAX, &text, err);
    if (status == 0)
        status = begin(cli, USER_PHARMACIST, &user, &by, NULL, err);
    if (status == 0)
        status = record_terms_import(cli->store, cli->argv[0], buf_string(&text), text.len, &by, &rows, err);
    status = end(cli, status, err);
    buf_finish(&text);
    if (status == 0 && cli->json)
        return out_json(cli, json_pack("{s:I}", "rows", (json_int_t)rows), err);
    if (status == 0)
        fprintf(cli->out, "terms of %" PRId64 " product%s\n", rows, rows == 1 ? "" : "s");
    return status;
}

/* "fill=ORDER:DATE" or "qty=ORDER:UNITS". */
static int lock_one(struct cli *cli, int64_t patient, const char *text, const struct record_by *by,
                    struct error *err)
{
    struct arena arena;
    struct sync_lock lock;
    struct record_order order;
    arena_init(&arena, 0);
    int status = sync_read_lock(text, &arena, &lock, err);
    if (status == 0 && lock.kind == SYNC_LOCK_ANCHOR)
        status = error_set(err, E_ARG, "another anchor is a change: sachet change %s anchor --day DATE",
                           cli->argv[0]);
    if (status == 0)
        status = record_order_find(cli->store, patient, lock.id, &order, err);
    if (status == 0)
        status = record_lock(cli->store, patient, lock.kind == SYNC_LOCK_FILL ? "fill" : "qty", &order,
                             lock.kind == SYNC_LOCK_FILL ? lock.date : lock.units, by, err);
    arena_finish(&arena);
    return status;
}

static int run_lock(struct cli *cli, struct error *err)
{
    struct user user = {0};
    struct record_by by;
    int64_t patient = 0;
    if (!cli_option(cli, "reason"))
        return error_set(err, E_ARG, "why? give --reason TEXT");
    int status = begin(cli, USER_PHARMACIST, &user, &by, &patient, err);
    for (int i = 1; status == 0 && i < cli->argc; i++)
        status = lock_one(cli, patient, cli->argv[i], &by, err);
    status = end(cli, status, err);
    if (status == 0 && cli->json)
        return out_json(cli, json_pack("{s:s, s:i}", "patient", cli->argv[0], "locks", cli->argc - 1), err);
    if (status == 0)
        fprintf(cli->out, "locked; `sachet sync %s` shows what it costs\n", cli->argv[0]);
    return status;
}

static int run_unlock(struct cli *cli, struct error *err)
{
    struct user user = {0};
    struct record_by by;
    struct record_order order;
    int64_t patient = 0, count = 0;
    int status = begin(cli, USER_PHARMACIST, &user, &by, &patient, err);
    if (status == 0 && cli->argc > 1)
        status = record_order_find(cli->store, patient, cli->argv[1], &order, err);
    if (status == 0)
        status = record_unlock(cli->store, patient, cli->argc > 1 ? &order : NULL, &by, &count, err);
    status = end(cli, status, err);
    if (status == 0 && cli->json)
        return out_json(cli, json_pack("{s:s, s:I}", "patient", cli->argv[0], "lifted", (json_int_t)count),
                        err);
    if (status == 0)
        fprintf(cli->out, "%" PRId64 " lock%s lifted\n", count, count == 1 ? "" : "s");
    return status;
}

static const struct cli_option_row reason_option[] = {
    {"reason", "TEXT", "why, for whoever looks at it later"},
    {NULL, NULL, NULL},
};
static const struct cli_option_row dispensed_options[] = {
    {"pieces", "N", "so many pieces, halves as 4.5"},
    {"for-days", "N", "so many days of supply"},
    {"day", "DATE", "the day on which it was handed out (else today)"},
    {NULL, NULL, NULL},
};
static const struct cli_option_row no_options[] = {{NULL, NULL, NULL}};

static const struct cli_verb rows[] = {
    {
        .name = "patient onhand",
        .args = "PATIENT ORDER=PIECES…",
        .args_min = 2,
        .args_max = -1,
        .summary = "Note what a patient has at home, beside the pouches",
        .details = "Counted at the start of today, before today's doses. ORDER is the order's id or its\n"
                   "product's code. The newest count holds; what is handed out later comes on top.",
        .options = reason_option,
        .run = run_onhand,
    },
    {
        .name = "refill dispensed",
        .args = "PATIENT ORDER",
        .args_min = 2,
        .args_max = 2,
        .summary = "Note a fill that was handed out apart from the roll",
        .details = "A bridge fill, for example. Fills that another system reports come in with\n"
                   "`sachet import` as MedicationDispense; those of a roll are known from its pouches.",
        .options = dispensed_options,
        .run = run_dispensed,
    },
    {
        .name = "refill terms",
        .args = "[FILE]",
        .args_min = 0,
        .args_max = 1,
        .summary = "Show or read the site's table of dispensing terms by product",
        .details = "A CSV file with a header; columns product, schedule, usual_days, min_days, pack_days,\n"
                   "pack_pieces, threshold_pct, copay_cents, prorated. An empty field says nothing, and the\n"
                   "site file's `refill` keys hold. A product that is named again is replaced.",
        .options = no_options,
        .run = run_terms,
    },
    {
        .name = "refill lock",
        .args = "PATIENT LOCK…",
        .args_min = 2,
        .args_max = -1,
        .summary = "Fix the date or the quantity of a drug's next fill",
        .details = "LOCK is fill=ORDER:DATE or qty=ORDER:UNITS as in `sachet sync --lock`, which shows the\n"
                   "cost before. It holds for the drug's next fill. A pharmacist's, with --reason.",
        .options = reason_option,
        .run = run_lock,
    },
    {
        .name = "refill unlock",
        .args = "PATIENT [ORDER]",
        .args_min = 1,
        .args_max = 2,
        .summary = "Lift the locks of a patient, or of one order",
        .details = NULL,
        .options = no_options,
        .run = run_unlock,
    },
};
const struct cli_group verbs_refill = {
    .title = "Refills in the house", .rows = rows, .count = sizeof rows / sizeof rows[0]};
