/* SPDX-License-Identifier: Apache-2.0 */
/* sachet batch: signed rolls become jobs for a machine; start, pause, resume, cancel them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/pack/batch.h"
#include "controller/refill/change.h"
#include "controller/review/sign.h"
#include "controller/user/user.h"
#include "tools/sachet/ask.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rehearse.h"
#include "tools/sachet/verbs.h"
#include "tools/sachet/wait.h"

enum { BLOCKED_SHOWN = 50 };

/* ---- create ---- */

static json_t *created_json(const struct batch_created *created, const char *machine, bool missing)
{
    json_t *needs = json_array();
    for (size_t i = 0; i < created->need_count; i++) {
        const struct batch_need *n = &created->needs[i];
        (void)json_array_append_new(
            needs, json_pack("{s:s,s:s,s:I,s:I,s:I}", "product", n->code, "piece", roll_piece_text(n->piece),
                             "pieces", (json_int_t)n->pieces, "available", (json_int_t)n->available,
                             "canisters", (json_int_t)n->canisters));
    }
    json_t *object = json_pack("{s:s,s:I,s:I,s:I,s:b}", "machine", machine, "plans",
                               (json_int_t)created->plans, "pouches", (json_int_t)created->pouches, "pieces",
                               (json_int_t)created->pieces, "missing_canisters", (int)missing);
    (void)json_object_set_new(object, "batch", created->id ? json_integer(created->id) : json_null());
    (void)json_object_set_new(object, "needs", needs);
    return object;
}

static void print_needs(struct cli *cli, const struct batch_created *created)
{
    for (size_t i = 0; i < created->need_count; i++) {
        const struct batch_need *n = &created->needs[i];
        if (n->canisters == 0)
            fprintf(cli->out, "  no canister  %s (%s), %" PRId64 " pieces\n", n->code,
                    roll_piece_text(n->piece), n->pieces);
        else if (n->available < n->pieces)
            fprintf(cli->out, "  refill on the way  %s (%s): %" PRId64 " wanted, %" PRId64 " there\n",
                    n->code, roll_piece_text(n->piece), n->pieces, n->available);
    }
}

static int run_create(struct cli *cli, struct error *err)
{
    struct user user;
    struct arena arena;
    struct batch_created created = {0};
    struct review_rules rules = {0};
    int rc = cli_open_site(cli, err);
    const char *machine = rc == 0 ? ask_machine(cli, cli_option(cli, "machine"), err) : NULL;
    if (!machine)
        return rc < 0 ? rc : err->code;
    rc = review_rules_of(cli->site, cli->clock, &rules, err);
    rules.today = cli->today;
    if (rc == 0)
        rc = cli_login(cli, NULL, &user, err);
    if (rc < 0) {
        review_rules_finish(&rules);
        return rc;
    }
    const struct batch_request request = {.machine = machine,
                                          .actor = user.login,
                                          .wall_ms = clock_wall_ms(cli->clock),
                                          .patients = cli->argc ? cli->argv : NULL,
                                          .patient_count = (size_t)cli->argc,
                                          .rules = &rules,
                                          .dry_run = cli_flag(cli, "dry-run")};
    arena_init(&arena, 0);
    const struct record_by by = {user.login, "", cli->today, request.wall_ms};
    if (!request.dry_run) /* what an earlier plan made and this one has, too, is not made again */
        rc = change_settle_all(cli->store, &by, err);
    if (rc == 0)
        rc = batch_create(cli->store, &request, &arena, &created, err);
    bool missing = rc == E_NOT_FOUND && created.need_count > 0;
    if (cli->json && (rc == 0 || missing)) {
        int out = out_json(cli, created_json(&created, machine, missing), err);
        rc = out < 0 ? out : rc;
    } else if (missing) {
        print_needs(cli, &created);
    } else if (rc == 0) {
        if (created.id)
            fprintf(cli->out, "batch %" PRId64 ": ", created.id);
        else
            fputs("would be a batch: ", cli->out);
        fprintf(cli->out, "%" PRId64 " plans, %" PRId64 " pouches, %" PRId64 " pieces on machine %s\n",
                created.plans, created.pouches, created.pieces, machine);
        print_needs(cli, &created);
        if (created.id)
            fprintf(cli->out, "next: sachet batch start %" PRId64 " --user LOGIN\n", created.id);
    }
    arena_finish(&arena);
    review_rules_finish(&rules);
    return rc;
}

/* ---- list and show ---- */

static json_t *info_json(const struct batch_info *b)
{
    json_t *object =
        json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "batch", (json_int_t)b->id, "machine", b->machine, "state",
                  b->state, "note", b->note, "created_by", b->created_by, "started_by", b->started_by);
    json_t *counts =
        json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "plans", (json_int_t)b->plans, "pouches",
                  (json_int_t)b->pouches, "waiting", (json_int_t)b->waiting, "sent", (json_int_t)b->sent,
                  "good", (json_int_t)b->good, "blocked", (json_int_t)b->blocked, "cancelled",
                  (json_int_t)b->cancelled, "void", (json_int_t)b->voids, "remade", (json_int_t)b->remakes);
    (void)json_object_set_new(object, "simulated",
                              b->simulated < 0 ? json_null() : json_boolean(b->simulated));
    (void)json_object_set_new(object, "counts", counts);
    return object;
}

static void print_info(struct cli *cli, const struct batch_info *b)
{
    fprintf(cli->out, "%5" PRId64 "  %-12s %-10s %5" PRId64 " of %" PRId64 " good, %" PRId64 " void%s%s%s\n",
            b->id, b->machine, b->state, b->good, b->pouches, b->voids,
            b->simulated == 1 ? "  SIMULATED" : "", b->note[0] ? "  " : "", b->note);
}

static int run_list(struct cli *cli, struct error *err)
{
    struct batch_info *infos = NULL;
    size_t count = 0;
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = batch_list(cli->store, &infos, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (cli->json)
            rc = out_json(cli, info_json(&infos[i]), err);
        else
            print_info(cli, &infos[i]);
    }
    if (rc == 0 && count == 0 && !cli->json)
        fputs("no batches; 'sachet batch create' makes one of the signed plans\n", cli->out);
    free(infos);
    return rc;
}

static void print_instant(struct cli *cli, const char *what, int64_t ms, const char *who)
{
    char text[CLI_TIME_BYTES];
    if (ms == 0)
        return;
    cli_time(cli, ms, text);
    fprintf(cli->out, "  %-8s %s%s%s\n", what, text, who[0] ? " by " : "", who);
}

static int run_show(struct cli *cli, struct error *err)
{
    struct batch_info info;
    struct arena arena;
    const struct batch_blocked *blocked = NULL;
    size_t count = 0;
    int64_t batch = 0;
    int rc = ask_number(cli->argv[0], "batch", &batch, err);
    if (rc == 0)
        rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = batch_get(cli->store, batch, &info, err);
    if (rc < 0)
        return rc;
    arena_init(&arena, 0);
    rc = batch_blocked(cli->store, batch, BLOCKED_SHOWN, &arena, &blocked, &count, err);
    if (rc == 0 && cli->json) {
        json_t *object = info_json(&info), *rows = json_array();
        for (size_t i = 0; i < count; i++)
            (void)json_array_append_new(
                rows, json_pack("{s:I,s:s,s:I,s:s}", "position", (json_int_t)blocked[i].position, "patient",
                                blocked[i].patient, "pouch", (json_int_t)blocked[i].pouch, "note",
                                blocked[i].note));
        (void)json_object_set_new(object, "not_made", rows);
        rc = out_json(cli, object, err);
    } else if (rc == 0) {
        print_info(cli, &info);
        print_instant(cli, "created", info.created_ms, info.created_by);
        print_instant(cli, "started", info.started_ms, info.started_by);
        print_instant(cli, "ended", info.ended_ms, "");
        fprintf(cli->out,
                "  waiting %" PRId64 ", in the machine %" PRId64 ", not made %" PRId64 ", cancelled %" PRId64
                ", remade %" PRId64 "\n",
                info.waiting, info.sent, info.blocked, info.cancelled, info.remakes);
        for (size_t i = 0; i < count; i++)
            fprintf(cli->out, "  not made: pouch %" PRId64 " of %s: %s\n", blocked[i].pouch,
                    blocked[i].patient, blocked[i].note);
    }
    arena_finish(&arena);
    return rc;
}

/* ---- asking sachetd ---- */

static int run_ask(struct cli *cli, const char *verb, struct error *err)
{
    struct user user;
    int64_t batch = 0, command = 0;
    char what[64];
    int rc = ask_number(cli->argv[0], "batch", &batch, err);
    if (rc == 0)
        rc = cli_login(cli, NULL, &user, err);
    if (rc == 0)
        rc = batch_ask(cli->store, batch, verb, user.login, clock_wall_ms(cli->clock), &command, err);
    if (rc < 0)
        return rc;
    (void)snprintf(what, sizeof what, "batch %" PRId64 ": %s", batch, verb); /* a number and a word fit */
    return ask_tell(cli, command, what, err);
}

static int run_start(struct cli *cli, struct error *err)
{
    return run_ask(cli, "start", err);
}

static int run_pause(struct cli *cli, struct error *err)
{
    return run_ask(cli, "pause", err);
}

static int run_resume(struct cli *cli, struct error *err)
{
    return run_ask(cli, "resume", err);
}

static int run_cancel(struct cli *cli, struct error *err)
{
    return run_ask(cli, "cancel", err);
}

static const struct cli_option_row create_options[] = {
    {"machine", "NAME", "the machine to pack on; may be left out where the site has one"},
    {"dry-run", NULL, "check everything and show what would be made"},
    {NULL, NULL, NULL},
};
static const struct cli_option_row wait_options[] = {
    {"timeout", "SECONDS", "give up after so long; the batch goes on"},
    {NULL, NULL, NULL},
};

static const struct cli_verb rows[] = {
    {.name = "batch create",
     .args = "[PATIENT…]",
     .args_max = -1,
     .summary = "Make a batch of signed plans for a machine",
     .details =
         "Takes every signed plan with pouches that are neither made nor in a batch, or the signed plans\n"
         "of the patients named. Verifies each signature, and refuses when the machine has no canister\n"
         "of something that is needed. Asking twice makes nothing twice.",
     .options = create_options,
     .run = run_create},
    {.name = "batch list", .args = "", .summary = "List all batches, newest first", .run = run_list},
    {.name = "batch show",
     .args = "BATCH",
     .args_min = 1,
     .args_max = 1,
     .summary = "Show a batch, with what could not be made and why",
     .run = run_show},
    {.name = "batch rehearse",
     .args = "BATCH",
     .args_min = 1,
     .args_max = 1,
     .summary = "Pack a batch on a simulated machine first and show what will be needed",
     .details =
         "Runs the signed batch at full speed with the real controller on a copy of the store: finish time,\n"
         "film and ribbon, canisters that run out and at which pouch, lot changes, new reels, and pouches\n"
         "that cannot be made. Nothing is written, so it can be repeated, also while the batch runs; then "
         "it\n"
         "shows what is left. A canister that runs out is taken to be loaded there as it was last time.\n"
         "Status 1 when some pouches cannot be made.",
     .options = rehearse_options,
     .run = rehearse_batch,
     .findings = true},
    {.name = "batch start",
     .args = "BATCH",
     .args_min = 1,
     .args_max = 1,
     .summary = "Start a batch, or start it again after a stop",
     .details =
         "Your word lets the machine walk to Execute. After an abort the machine must be confirmed and\n"
         "cleared first: 'sachet machine confirm', 'sachet machine clear'.",
     .run = run_start},
    {.name = "batch pause",
     .args = "BATCH",
     .args_min = 1,
     .args_max = 1,
     .summary = "Finish the pouches that were begun, then wait",
     .run = run_pause},
    {.name = "batch resume",
     .args = "BATCH",
     .args_min = 1,
     .args_max = 1,
     .summary = "Go on with a paused batch",
     .run = run_resume},
    {.name = "batch cancel",
     .args = "BATCH",
     .args_min = 1,
     .args_max = 1,
     .summary = "Give up the pouches that were not begun",
     .details = "Good pouches stay good; the others can be put into another batch.",
     .run = run_cancel},
    {.name = "batch wait",
     .args = "BATCH",
     .args_min = 1,
     .args_max = 1,
     .summary = "Wait for the end of a batch, with progress",
     .details = "Status 0 when it is done, 1 when it stopped or was cancelled and a person must look.",
     .options = wait_options,
     .run = wait_batch,
     .findings = true},
};
const struct cli_group verbs_batch = {
    .title = "Packing", .rows = rows, .count = sizeof rows / sizeof rows[0]};
