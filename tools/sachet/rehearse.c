/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/rehearse.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "config/base/profile.h"
#include "config/conf.h"
#include "config/machine.h"
#include "controller/pack/batch.h"
#include "controller/review/sign.h"
#include "controller/store/store.h"
#include "tools/sachet/ask.h"
#include "tools/sachet/out.h"
#include "tools/stage/rehearse.h"
#include "tools/stage/trays.h"

enum { RATE_MIN = 10, RATE_MAX = 120, RATE_USUAL = 100, FAULTS_MAX = 100000, ROWS_SHOWN = 50 };

const struct cli_option_row rehearse_options[] = {
    {"rate", "N", "pouches a minute of this machine, 10 to 120 (100)"},
    {"faults", "PERCENT", "of the usual faults of a machine; 0: nothing goes wrong (0)"},
    {"seed", "N", "of what goes wrong: another number, another day (1)"},
    {NULL, NULL, NULL},
};

/* ---- asking ---- */

static int load_profile(struct cli *cli, const char *machine, struct profile *ret_profile, struct error *err)
{
    if (!ask_machine(cli, machine, err))
        return err->code;
    int i = 0;
    while (strcmp(conf_text(cli->site, "machines[%d].name", i), machine) != 0)
        i++;
    return profile_load(conf_text(cli->site, "machines[%d].profile", i), ret_profile, err);
}

/* What the machine said last; -1 when it never did. */
static int64_t film_left(struct store *store, const char *machine)
{
    struct store_rows *rows = NULL;
    int64_t film_mm = -1;
    if (store_query(store, &rows, NULL, "SELECT state FROM machine_state WHERE machine = ?", "t", machine) ==
            0 &&
        store_next(rows, NULL) == 1) {
        json_t *state = json_loads(store_text(rows, 0), 0, NULL);
        const json_t *film = json_object_get(state, "film_mm");
        if (json_is_integer(film))
            film_mm = json_integer_value(film);
        json_decref(state);
    }
    store_done(rows);
    return film_mm;
}

static void progress(void *data, int64_t done, int64_t total)
{
    cli_progress(data, "rehearsing", done, total);
}

/* What the line says of alarms of a machine that is not there would only alarm people. */
static void keep_quiet(void *data, enum log_level level, const char *line)
{
    (void)data;
    (void)level;
    (void)line;
}

/* ---- telling ---- */

static json_t *rows_json(const struct rehearsal *r, enum rehearse_kind kind)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < r->row_count; i++) {
        const struct rehearse_row *row = &r->rows[i];
        if (row->kind != kind)
            continue;
        json_t *object = json_pack("{s:I,s:s,s:I}", "position", (json_int_t)row->position, "patient",
                                   row->patient, "pouch", (json_int_t)row->pouch);
        if (kind != REHEARSE_NOT_MADE)
            (void)json_object_set_new(object, "at_s", json_integer(row->at_ms / 1000));
        else
            (void)json_object_set_new(object, "note", json_string(row->note));
        if (row->canister)
            (void)json_object_update_new(
                object,
                json_pack("{s:I,s:i,s:s,s:s,s:s,s:I,s:I,s:I}", "canister", (json_int_t)row->canister, "bay",
                          row->bay, "product", row->product, "piece", roll_piece_text(row->piece), "lot",
                          row->lot, "left", (json_int_t)row->left, "wanted", (json_int_t)row->wanted,
                          "next_canister", (json_int_t)row->next_canister));
        if (row->next_canister)
            (void)json_object_set_new(object, "next_lot", json_string(row->next_lot));
        if (row->loaded)
            (void)json_object_set_new(object, "load", json_integer(row->loaded));
        (void)json_array_append_new(rows, object);
    }
    return rows;
}

static json_t *trays_json(const struct rehearsal *r)
{
    json_t *loads = json_array();
    for (int i = 0; i < r->tray_count; i++)
        (void)json_array_append_new(loads, json_pack("{s:s,s:s,s:I,s:I}", "product", r->trays[i].product,
                                                     "piece", roll_piece_text(r->trays[i].piece), "pouches",
                                                     (json_int_t)r->trays[i].pouches, "pieces",
                                                     (json_int_t)r->trays[i].pieces));
    return loads;
}

static json_t *rehearsal_json(const struct rehearsal *r, const struct batch_info *info, const char *ends)
{
    static const char *const keys[REHEARSE_KINDS] = {"runs_out", "lot_changes", "new_film", "new_ribbon",
                                                     "not_made"};
    json_t *object = json_pack(
        "{s:s,s:I,s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:s,s:I,s:I,s:I,s:I,s:o}", "format", "sachet-rehearsal/1",
        "batch", (json_int_t)info->id, "machine", info->machine, "simulated", 1, "pouches",
        (json_int_t)r->pouches, "good", (json_int_t)r->good, "void", (json_int_t)r->voids, "pieces",
        (json_int_t)r->pieces, "duration_s", (json_int_t)((r->duration_ms + 999) / 1000), "ends", ends,
        "film_mm", (json_int_t)r->film_mm, "ribbon_mm", (json_int_t)r->ribbon_mm, "holds",
        (json_int_t)r->holds, "tray_pouches", (json_int_t)r->tray_pouches, "tray_loads", trays_json(r));
    for (int k = 0; k < REHEARSE_KINDS; k++)
        (void)json_object_set_new(object, keys[k], rows_json(r, (enum rehearse_kind)k));
    return object;
}

static void print_row(FILE *out, const struct rehearse_row *row)
{
    fprintf(out, "    pouch %" PRId64 " (%" PRId64 " of %s)", row->position, row->pouch, row->patient);
    if (row->kind != REHEARSE_NOT_MADE)
        fprintf(out, " after %" PRId64 " min", row->at_ms / 60000);
    switch (row->kind) {
    case REHEARSE_RUNS_OUT:
        fprintf(out, ": bay %d, canister %" PRId64 ", %s (%s): %" PRId64 " left, %" PRId64 " wanted; ",
                row->bay, row->canister, row->product, roll_piece_text(row->piece), row->left, row->wanted);
        if (row->next_canister)
            fprintf(out, "canister %" PRId64 " follows\n", row->next_canister);
        else
            fputs("load it before\n", out);
        break;
    case REHEARSE_LOT_CHANGE:
        fprintf(out, ": %s (%s) from lot %s to lot %s (canister %" PRId64 " to %" PRId64 ")\n", row->product,
                roll_piece_text(row->piece), row->lot, row->next_lot, row->canister, row->next_canister);
        break;
    case REHEARSE_NOT_MADE:
        fprintf(out, ": %s\n", row->note[0] ? row->note : "no reason was noted");
        break;
    case REHEARSE_NEW_FILM:
    case REHEARSE_NEW_RIBBON:
    case REHEARSE_KINDS:
        fputc('\n', out);
    }
}

static void print_kind(FILE *out, const struct rehearsal *r, enum rehearse_kind kind, const char *title,
                       const char *none)
{
    size_t shown = 0;
    if (r->count[kind] == 0) {
        if (none)
            fprintf(out, "  %s: %s\n", title, none);
        return;
    }
    fprintf(out, "  %s: %zu\n", title, r->count[kind]);
    for (size_t i = 0; i < r->row_count && shown < ROWS_SHOWN; i++) {
        if (r->rows[i].kind != kind)
            continue;
        print_row(out, &r->rows[i]);
        shown++;
    }
    if (r->count[kind] > shown)
        fprintf(out, "    and %zu more; --json lists all\n", r->count[kind] - shown);
}

static void print_metres(FILE *out, const char *what, int64_t mm)
{
    fprintf(out, "%s %" PRId64 ".%02" PRId64 " m", what, mm / 1000, mm / 10 % 100);
}

/* This machine has no tray: the sheet says what a tray would have to hold. */
static void print_trays(FILE *out, const struct rehearsal *r)
{
    if (r->tray_count == 0) {
        fputs("  tray loads: none, every piece comes from a canister\n", out);
        return;
    }
    fprintf(out,
            "  tray loads: %" PRId64
            " pouches want what no canister of this machine holds; it has no tray, so they are"
            " not made: load canisters, or dispense these beside the pouches\n",
            r->tray_pouches);
    for (int i = 0; i < r->tray_count; i++)
        fprintf(out, "    %s (%s): %" PRId64 " pieces for %" PRId64 " pouches\n", r->trays[i].product,
                roll_piece_text(r->trays[i].piece), r->trays[i].pieces, r->trays[i].pouches);
}

static void print_rehearsal(FILE *out, const struct rehearsal *r, const struct batch_info *info,
                            const char *ends)
{
    int64_t seconds = (r->duration_ms + 999) / 1000;
    fprintf(out, "rehearsal of batch %" PRId64 " on machine %s  SIMULATED, nothing was packed or written\n",
            info->id, info->machine);
    fprintf(out,
            "  %" PRId64 " pouches to make: %" PRId64 " good, %" PRId64 " void on the way, %" PRId64
            " pieces\n",
            r->pouches, r->good, r->voids, r->pieces);
    fprintf(out, "  takes %" PRId64 " h %02" PRId64 " min %02" PRId64 " s; started now it ends at %.19sZ\n",
            seconds / 3600, seconds / 60 % 60, seconds % 60, ends);
    print_metres(out, "  film", r->film_mm);
    print_metres(out, ", ribbon", r->ribbon_mm);
    fputc('\n', out);
    print_trays(out, r);
    if (r->holds)
        fprintf(out, "  the machine held %" PRId64 " times for a person\n", r->holds);
    print_kind(out, r, REHEARSE_RUNS_OUT, "canisters that run out", "none");
    print_kind(out, r, REHEARSE_LOT_CHANGE, "lot changes", "none but those of what is loaded");
    print_kind(out, r, REHEARSE_NEW_FILM, "new reels of film", NULL);
    print_kind(out, r, REHEARSE_NEW_RIBBON, "new ribbons", NULL);
    print_kind(out, r, REHEARSE_NOT_MADE, "pouches that cannot be made", NULL);
}

int rehearse_batch(struct cli *cli, struct error *err)
{
    struct rehearse_request request = {.progress = cli->json ? NULL : progress, .data = cli};
    struct review_rules rules;
    struct profile profile;
    struct batch_info info;
    struct rehearsal result = {0};
    char ends[INSTANT_TEXT_BYTES];
    int64_t rate = 0, faults = 0, seed = 0;
    int rc = ask_number(cli->argv[0], "batch", &request.batch, err);
    if (rc == 0)
        rc = cli_option_int(cli, "rate", RATE_MIN, RATE_MAX, RATE_USUAL, &rate, err);
    if (rc == 0)
        rc = cli_option_int(cli, "faults", 0, FAULTS_MAX, 0, &faults, err);
    if (rc == 0)
        rc = cli_option_int(cli, "seed", 0, INT64_MAX, 1, &seed, err);
    if (rc == 0)
        rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = batch_get(cli->store, request.batch, &info, err);
    if (rc == 0)
        rc = load_profile(cli, info.machine, &profile, err);
    if (rc == 0)
        rc = review_rules_of(cli->site, cli->clock, &rules, err);
    if (rc < 0)
        return rc;
    request.store = cli->store;
    request.profile = &profile;
    request.rules = &rules;
    request.pouches_a_minute = (uint32_t)rate;
    request.faults_percent = (uint32_t)faults;
    request.seed = (uint64_t)seed;
    request.film_left_mm = film_left(cli->store, info.machine);
    request.wall_ms = clock_wall_ms(cli->clock);
    log_set_sink(keep_quiet, NULL);
    rc = rehearse(&request, &result, err);
    log_set_sink(NULL, NULL);
    if (rc == 0) {
        instant_format(request.wall_ms + result.duration_ms, ends);
        if (cli->json)
            rc = out_json(cli, rehearsal_json(&result, &info, ends), err);
        else
            print_rehearsal(cli->out, &result, &info, ends);
    }
    bool lacking = result.count[REHEARSE_NOT_MADE] > 0;
    rehearsal_finish(&result);
    return rc < 0 ? rc : lacking ? CLI_FOUND : 0;
}
