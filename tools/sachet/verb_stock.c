/* SPDX-License-Identifier: Apache-2.0 */
/* sachet stock: canisters, what is in them and where they sit. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/plan/needs.h"
#include "controller/stock/stock.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/verbs.h"

/* Simulated machines number their canisters by machine and bay in this way (hw/sim). */
enum { SIMULATED_CANISTERS = 1000, SIMULATED_PIECES = 400 };

static int number(const char *text, const char *what, int64_t min, int64_t max, int64_t *ret,
                  struct error *err)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < min || value > max)
        return error_set(err, E_ARG, "%s \"%.40s\": a number from %" PRId64 " to %" PRId64 " is wanted", what,
                         text, min, max);
    *ret = value;
    return 0;
}

static int canister_number(const char *text, int64_t *ret, struct error *err)
{
    return number(text, "canister", 1, STOCK_CANISTER_MAX, ret, err);
}

/* Logs in and opens the transaction of one act. */
static int act_begin(struct cli *cli, struct user *by, struct stock_act *act, struct error *err)
{
    int rc = cli_login(cli, NULL, by, err);
    if (rc)
        return rc;
    *act = (struct stock_act){.actor = by->login,
                              .wall_ms = clock_wall_ms(cli->clock),
                              .today = cli->today,
                              .simulated = cli_flag(cli, "simulated")};
    return store_write_begin(cli->store, err);
}

static json_t *canister_json(const struct canister *c)
{
    char day[CIVIL_TEXT_BYTES];
    civil_format(c->expiry_day, day);
    json_t *object = json_pack("{s:I, s:s, s:s, s:s, s:s, s:I}", "canister", (json_int_t)c->id, "product",
                               c->product_code, "piece", roll_piece_text(c->piece), "lot", c->lot, "expiry",
                               day, "level", (json_int_t)c->level);
    (void)json_object_set_new(object, "doubt",
                              json_pack("{s:I, s:I, s:b}", "fewer", (json_int_t)c->doubt.most, "more",
                                        (json_int_t)-c->doubt.least, "under_way", c->under_way));
    (void)json_object_set_new(object, "machine", c->machine[0] ? json_string(c->machine) : json_null());
    (void)json_object_set_new(object, "bay", c->machine[0] ? json_integer(c->bay) : json_null());
    return object;
}

static void canister_print(struct cli *cli, const struct canister *c)
{
    char day[CIVIL_TEXT_BYTES];
    char seat[STOCK_MACHINE_BYTES + 16] = "shelf";
    civil_format(c->expiry_day, day);
    if (c->machine[0])
        (void)snprintf(seat, sizeof seat, "%s/%d", c->machine, c->bay);
    fprintf(cli->out, "%8" PRId64 "  %-16s %-16s %-5s %6" PRId64 "  %s  %s%s%s", c->id, seat, c->product_code,
            roll_piece_text(c->piece), c->level, day, c->lot, c->expiry_day < cli->today ? "  EXPIRED" : "",
            c->level < 0 ? "  COUNT IT" : "");
    if (c->doubt.least != 0 || c->doubt.most != 0)
        fprintf(cli->out, "  in truth %" PRId64 " to %" PRId64 "%s", c->level - c->doubt.most,
                c->level - c->doubt.least, c->under_way ? " (pouches under way)" : "");
    fputc('\n', cli->out);
}

/* Commits what rc says was done, and shows the canister as it is now. unexplained: of a count, else NULL. */
static int act_show(struct cli *cli, int rc, int64_t canister, const int64_t *unexplained, struct error *err)
{
    struct canister c;
    json_t *object = NULL;
    if (rc == 0)
        rc = store_write_commit(cli->store, err);
    store_write_rollback(cli->store);
    if (rc == 0)
        rc = stock_get(cli->store, canister, &c, err);
    if (rc)
        return rc;
    if (cli->json) {
        object = canister_json(&c);
        if (unexplained)
            (void)json_object_set_new(object, "unexplained", json_integer(*unexplained));
        rc = out_json(cli, object, err);
    } else {
        canister_print(cli, &c);
    }
    if (rc || !unexplained || *unexplained == 0)
        return rc;
    if (!cli->json)
        fprintf(cli->out, "%" PRId64 " pieces %s than the books and their doubts explain: find out why\n",
                *unexplained < 0 ? -*unexplained : *unexplained, *unexplained < 0 ? "fewer" : "more");
    return CLI_FOUND;
}

static int act_end(struct cli *cli, int rc, int64_t canister, struct error *err)
{
    return act_show(cli, rc, canister, NULL, err);
}

static int run_load(struct cli *cli, struct error *err)
{
    struct user by;
    struct stock_act act;
    const char *lot = cli_option(cli, "lot");
    int32_t expiry = 0;
    int64_t canister = 0;
    int64_t pieces = 0;
    int rc = canister_number(cli->argv[0], &canister, err);
    if (rc == 0)
        rc = number(cli->argv[2], "pieces", 1, STOCK_PIECES_MAX, &pieces, err);
    if (rc == 0 && (!lot || !cli_option(cli, "expiry")))
        rc = error_set(err, E_ARG, "give --lot LOT and --expiry DATE as the bottle says");
    if (rc == 0)
        rc = cli_option_day(cli, "expiry", 0, &expiry, err);
    if (rc == 0)
        rc = act_begin(cli, &by, &act, err);
    if (rc)
        return rc;
    rc = stock_load(cli->store, &act, canister, cli->argv[1], cli_flag(cli, "half") ? ROLL_HALF : ROLL_WHOLE,
                    lot, expiry, pieces, err);
    return act_end(cli, rc, canister, err);
}

static int run_empty(struct cli *cli, struct error *err)
{
    struct user by;
    struct stock_act act;
    int64_t canister = 0;
    int rc = canister_number(cli->argv[0], &canister, err);
    if (rc == 0)
        rc = act_begin(cli, &by, &act, err);
    return rc ? rc : act_end(cli, stock_empty(cli->store, &act, canister, err), canister, err);
}

static int run_count(struct cli *cli, struct error *err)
{
    struct user by;
    struct stock_act act;
    int64_t canister = 0;
    int64_t counted = 0;
    int64_t unexplained = 0;
    int rc = canister_number(cli->argv[0], &canister, err);
    if (rc == 0)
        rc = number(cli->argv[1], "pieces", 0, STOCK_PIECES_MAX, &counted, err);
    if (rc == 0)
        rc = act_begin(cli, &by, &act, err);
    if (rc)
        return rc;
    rc = stock_correct(cli->store, &act, canister, counted, &unexplained, err);
    return act_show(cli, rc, canister, &unexplained, err);
}

static int run_unseat(struct cli *cli, struct error *err)
{
    struct user by;
    struct stock_act act;
    int64_t canister = 0;
    int rc = canister_number(cli->argv[0], &canister, err);
    if (rc == 0)
        rc = act_begin(cli, &by, &act, err);
    return rc ? rc : act_end(cli, stock_unseat(cli->store, &act, canister, err), canister, err);
}

/* The place of a machine in the site file. */
static int machine_index(struct cli *cli, const char *name, int *ret_index, struct error *err)
{
    int rc = cli_open_site(cli, err);
    if (rc)
        return rc;
    int count = conf_count(cli->site, "machines");
    for (int i = 0; i < count; i++) {
        if (strcmp(conf_text(cli->site, "machines[%d].name", i), name) == 0) {
            *ret_index = i;
            return 0;
        }
    }
    return error_set(err, E_NOT_FOUND, "%.64s: no machine of this name in %s", name, conf_file(cli->site));
}

/* How many bays its profile says that it has. */
static int machine_bays(struct cli *cli, int index, int64_t *ret_bays, struct error *err)
{
    struct conf *profile = NULL;
    int rc = conf_load(&conf_machine, conf_text(cli->site, "machines[%d].profile", index), &profile, err);
    if (rc)
        return rc;
    *ret_bays = conf_int(profile, "limits.bays");
    conf_destroy(profile);
    return 0;
}

static int run_seat(struct cli *cli, struct error *err)
{
    struct user by;
    struct stock_act act;
    int64_t canister = 0;
    int64_t bays = 0;
    int64_t bay = 0;
    int index = 0;
    int rc = canister_number(cli->argv[0], &canister, err);
    if (rc == 0)
        rc = machine_index(cli, cli->argv[1], &index, err);
    if (rc == 0)
        rc = machine_bays(cli, index, &bays, err);
    if (rc == 0)
        rc = number(cli->argv[2], "bay", 0, bays - 1, &bay, err);
    if (rc == 0)
        rc = act_begin(cli, &by, &act, err);
    return rc ? rc
              : act_end(cli, stock_seat(cli->store, &act, canister, cli->argv[1], (int)bay, err), canister,
                        err);
}

static int run_list(struct cli *cli, struct error *err)
{
    struct canister *canisters = NULL;
    int count = 0;
    int index = 0;
    int rc = cli->argc > 0 ? machine_index(cli, cli->argv[0], &index, err) : 0;
    if (rc == 0)
        rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = stock_list(cli->store, cli->argc > 0 ? cli->argv[0] : NULL, &canisters, &count, err);
    if (rc)
        return rc;
    json_t *list = cli->json ? json_array() : NULL;
    if (!cli->json && count > 0)
        fprintf(cli->out, "%8s  %-16s %-16s %-5s %6s  %-10s  %s\n", "canister", "seat", "product", "piece",
                "level", "expiry", "lot");
    else if (!cli->json)
        fputs("no canisters: `sachet stock load` makes them\n", cli->out);
    for (int i = 0; i < count; i++) {
        if (cli->json)
            (void)json_array_append_new(list, canister_json(&canisters[i]));
        else
            canister_print(cli, &canisters[i]);
    }
    free(canisters);
    return cli->json ? out_json(cli, json_pack("{s:o}", "canisters", list), err) : 0;
}

static json_t *assignment_json(const struct stock_assignment *row)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:I}", "step", stock_step_text(row->step), "product", row->product_code,
                  "piece", roll_piece_text(row->piece), "pieces", (json_int_t)row->pieces);
    (void)json_object_set_new(object, "canister", row->canister ? json_integer(row->canister) : json_null());
    (void)json_object_set_new(object, "bay", row->bay >= 0 ? json_integer(row->bay) : json_null());
    return object;
}

static void assignment_print(struct cli *cli, const struct stock_assignment *row)
{
    if (row->canister)
        fprintf(cli->out, "%-8s bay %3d  canister %8" PRId64 "  %-16s %-5s %6" PRId64 "\n",
                stock_step_text(row->step), row->bay, row->canister, row->product_code,
                roll_piece_text(row->piece), row->pieces);
    else
        fprintf(cli->out, "%-8s %27s  %-16s %-5s %6" PRId64 "\n", stock_step_text(row->step), "",
                row->product_code, roll_piece_text(row->piece), row->pieces);
}

static int assign_report(struct cli *cli, const struct stock_assign *assign, const struct plan_needs *needs,
                         const struct stock_assignment *rows, int count, struct error *err)
{
    int short_of = 0;
    json_t *list = cli->json ? json_array() : NULL;
    for (int i = 0; i < count; i++) {
        short_of += rows[i].canister == 0;
        if (cli->json)
            (void)json_array_append_new(list, assignment_json(&rows[i]));
        else if (rows[i].step != STOCK_STEP_SEATED)
            assignment_print(cli, &rows[i]);
    }
    if (cli->json) {
        int rc = out_json(cli,
                          json_pack("{s:s, s:b, s:I, s:i, s:o}", "machine", assign->machine, "applied",
                                    assign->apply, "pouches", (json_int_t)needs->pouches, "short", short_of,
                                    "steps", list),
                          err);
        return rc ? rc : short_of ? CLI_FOUND : 0;
    }
    fprintf(cli->out, "%d products and pieces for %" PRId64 " pouches: %s", needs->count, needs->pouches,
            short_of ? "" : "all there");
    if (short_of)
        fprintf(cli->out,
                "%d of them short (missing: load a canister; no bay: unseat one that is not needed)",
                short_of);
    fprintf(cli->out, "%s\n", assign->apply || count == 0 ? "" : "; --apply books it");
    return short_of ? CLI_FOUND : 0;
}

static int assign_options(struct cli *cli, struct stock_assign *assign, struct error *err)
{
    int index = 0;
    int64_t most = 0;
    int64_t bays = 0;
    int rc = machine_index(cli, assign->machine, &index, err);
    if (rc == 0)
        rc = machine_bays(cli, index, &most, err);
    if (rc == 0)
        rc = cli_option_int(cli, "bays", 1, most, most, &bays, err);
    if (rc == 0)
        rc = cli_option_int(cli, "pieces", 1, STOCK_PIECES_MAX, SIMULATED_PIECES, &assign->pieces, err);
    if (rc == 0)
        rc = cli_option_int(cli, "first-canister", 1, STOCK_CANISTER_MAX,
                            (int64_t)index * SIMULATED_CANISTERS + 1, &assign->first_canister, err);
    assign->bays = (int)bays;
    return rc;
}

static int run_assign(struct cli *cli, struct error *err)
{
    struct stock_assign assign = {.machine = cli->argv[0], .apply = cli_flag(cli, "apply")};
    struct plan_needs needs = {0};
    struct stock_assignment *rows = NULL;
    struct stock_act act = {.simulated = cli_flag(cli, "simulated"), .today = cli->today};
    struct user by;
    int count = 0;
    int rc = assign_options(cli, &assign, err);
    if (rc == 0)
        rc = assign.apply ? act_begin(cli, &by, &act, err) : cli_open_store(cli, err);
    if (rc == 0)
        rc = plan_needs_read(cli->store, &needs, err);
    if (rc == 0) {
        assign.last_day = needs.last_day > cli->today ? needs.last_day : cli->today;
        rc = stock_assign(cli->store, &act, &assign, needs.needs, needs.count, &rows, &count, err);
    }
    if (rc == 0 && assign.apply)
        rc = store_write_commit(cli->store, err);
    if (cli->store)
        store_write_rollback(cli->store);
    if (rc == 0)
        rc = assign_report(cli, &assign, &needs, rows, count, err);
    free(rows);
    plan_needs_finish(&needs);
    return rc;
}

static const struct cli_option_row load_options[] = {
    {.name = "lot", .arg = "LOT", .doc = "the lot on the bottle"},
    {.name = "expiry", .arg = "DATE", .doc = "last day of use"},
    {.name = "half", .doc = "half pieces, split beforehand"},
    {.name = "simulated", .doc = "for a simulated machine; the lot begins with SIM-"},
    {.name = NULL},
};
static const struct cli_option_row assign_rows[] = {
    {.name = "apply", .doc = "book it; without it only propose"},
    {.name = "simulated", .doc = "make and fill canisters of a simulated machine (lots SIM-...)"},
    {.name = "pieces", .arg = "N", .doc = "pieces of a full simulated canister (400)"},
    {.name = "first-canister",
     .arg = "N",
     .doc = "number of the simulated canister in bay 0 (1, 1001, 2001, ...)"},
    {.name = "bays", .arg = "N", .doc = "use only the first N bays"},
    {.name = NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "stock load",
        .args = "CANISTER PRODUCT PIECES",
        .args_min = 3,
        .args_max = 3,
        .summary = "Put pieces of one lot into a canister",
        .details =
            "A canister holds one product, one lot. Another lot needs a canister that ran dry, another "
            "product one that a person emptied (stock empty).",
        .options = load_options,
        .run = run_load,
    },
    {
        .name = "stock empty",
        .args = "CANISTER",
        .args_min = 1,
        .args_max = 1,
        .summary = "Take everything out of a canister",
        .run = run_empty,
    },
    {
        .name = "stock count",
        .args = "CANISTER PIECES",
        .args_min = 2,
        .args_max = 2,
        .summary = "Set the books to what a person counted",
        .details =
            "A count settles what was in doubt about the canister (pieces that fell while the power went, "
            "pouches "
            "that no instrument vouches for). Exit status 1 when the doubts do not explain the difference: "
            "then pieces are missing, or there are too many, and nobody knows why.",
        .run = run_count,
        .findings = true,
    },
    {
        .name = "stock seat",
        .args = "CANISTER MACHINE BAY",
        .args_min = 3,
        .args_max = 3,
        .summary = "Say that a canister sits in a bay (bays count from 0)",
        .run = run_seat,
    },
    {
        .name = "stock unseat",
        .args = "CANISTER",
        .args_min = 1,
        .args_max = 1,
        .summary = "Say that a canister is back on the shelf",
        .run = run_unseat,
    },
    {
        .name = "stock list",
        .args = "[MACHINE]",
        .args_max = 1,
        .summary = "List canisters, levels, lots, expiry and seats",
        .run = run_list,
    },
    {
        .name = "stock assign",
        .args = "MACHINE",
        .args_min = 1,
        .args_max = 1,
        .summary = "Propose or book the canisters that signed plans need in a machine",
        .details =
            "First what sits there, then what is on the shelf, shortest expiry first, into the lowest free "
            "bays. Exit status 1 when something is missing.",
        .options = assign_rows,
        .run = run_assign,
        .findings = true,
    },
};
const struct cli_group verbs_stock = {.title = "Stock", .rows = rows, .count = sizeof rows / sizeof rows[0]};
