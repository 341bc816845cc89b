/* SPDX-License-Identifier: Apache-2.0 */
/* sachet import: orders in, each packable, waiting or refused. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/clinical/clinical.h"
#include "controller/intake/csv_orders.h"
#include "controller/intake/intake.h"
#include "controller/intake/sig/sigtext.h"
#include "controller/intake/source.h"
#include "controller/orders/hl7_feed.h"
#include "controller/orders/intake_store.h"
#include "controller/refill/change.h"
#include "controller/refill/record.h"
#include "controller/refill/refill.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/import.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/verbs.h"

enum {
    REFUSED_LISTED_MAX = 1000,
    PATH_BYTES = 4096,
    PROGRESS_BYTES = 16 * 1024 * 1024,
    PROGRESS_STEPS = 400
};

struct importing {
    struct cli *cli;
    struct conf *packing;
    struct sigtext_table *words;
    json_t *refused; /* for the JSON summary; NULL else */
    int64_t refused_count;
    int64_t bytes; /* of all files, in both passes */
    int64_t told;  /* bytes at the last progress line */
    bool each;     /* print every order as JSON */
    bool table;    /* print every order for people */
    bool second;   /* the walk over CSV that reads: rejects were told by the first */
    int64_t rejected;
    FILE *rejects; /* --rejects; NULL none */
    struct csv_orders *csv;
    struct conf *mapping;
    bool dry;
    bool derived;
    int64_t fills, fills_unknown; /* that others reported: noted now; of nobody who is known */
    int64_t allergies_new, allergies_ended;
    int64_t changes, pouches_hit; /* in signed plans */
};

static void on_refused(void *data, const char *place, const char *what)
{
    struct importing *importing = data;
    fprintf(stderr, "%s: %s\n", place, what);
    if (importing->refused != NULL && importing->refused_count < REFUSED_LISTED_MAX)
        (void)json_array_append_new(importing->refused,
                                    json_pack("{s:s, s:s}", "place", place, "what", what));
    importing->refused_count++;
}

static void on_progress(void *data, int64_t bytes)
{
    struct importing *importing = data;
    if (importing->cli->json || importing->bytes < PROGRESS_BYTES ||
        bytes - importing->told < importing->bytes / PROGRESS_STEPS)
        return;
    importing->told = bytes;
    cli_progress(importing->cli, "importing", bytes < importing->bytes ? bytes : importing->bytes,
                 importing->bytes);
}

static void print_order(struct importing *importing, const struct order *order)
{
    struct buf out;
    buf_init(&out);
    order_write(order, &out);
    buf_char(&out, '\n');
    fputs(buf_string(&out), importing->cli->out);
    buf_finish(&out);
}

/* A row of the table that a dry run of CSV shows. */
static void print_table_row(struct importing *importing, const struct order *order)
{
    FILE *out = importing->cli->out;
    fprintf(out, "%s: %s  patient %s  %s\n    %s: ", order->place, order->source_id,
            order->patient != NULL ? order->patient->id : order->patient_ref, order->drug_name,
            outcome_text(order->reasons.outcome));
    if (order->reasons.outcome == OUTCOME_PACKABLE) {
        struct buf words;
        buf_init(&words);
        reading_describe(&order->reading, order_unit(order), &words);
        fprintf(out, "%s\n", buf_string(&words));
        buf_finish(&words);
        return;
    }
    const char *comma = "";
    for (int i = 0; i < order->reasons.count; i++) {
        const struct reason *row = &order->reasons.rows[i];
        if (reason_class_of(row->code) == REASON_NOTE)
            continue;
        fprintf(out, "%s%s%s%s", comma, reason_text(row->code), row->text[0] != '\0' ? ": " : "", row->text);
        comma = "; ";
    }
    fputc('\n', out);
}

static int on_order(void *data, const struct order *order, struct error *err)
{
    struct importing *importing = data;
    (void)err;
    if (importing->each)
        print_order(importing, order);
    else if (importing->table)
        print_table_row(importing, order);
    return 0;
}

/* CSV. */

static void write_field(FILE *out, const char *text)
{
    if (strpbrk(text, ",\"\n\r") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"')
            fputc('"', out);
        fputc(*p, out);
    }
    fputc('"', out);
}

static int on_rejected(void *data, const char *place, int line, const char *reason, const char *const *fields,
                       int count, struct error *err)
{
    struct importing *importing = data;
    (void)err;
    if (importing->second) /* the first walk has told */
        return 0;
    on_refused(importing, place, reason);
    if (importing->rejects == NULL)
        return 0;
    fprintf(importing->rejects, "%d,", line);
    write_field(importing->rejects, reason);
    for (int i = 0; i < count; i++) {
        fputc(',', importing->rejects);
        write_field(importing->rejects, fields[i]);
    }
    fputc('\n', importing->rejects);
    return 0;
}

/* What the rows say goes to the intake, what is rejected to the person. */
struct relay {
    int (*text)(void *to, const char *place, const char *text, size_t len, struct error *err);
    void *to;
    struct importing *importing;
};

static int relay_text(void *data, const char *place, const char *text, size_t len, struct error *err)
{
    struct relay *relay = data;
    return relay->text(relay->to, place, text, len, err);
}

static int relay_rejected(void *data, const char *place, int line, const char *reason,
                          const char *const *fields, int count, struct error *err)
{
    struct relay *relay = data;
    return on_rejected(relay->importing, place, line, reason, fields, count, err);
}

struct walking {
    struct importing *importing;
    const struct csv_orders *orders;
};

static int walk_csv(void *data,
                    int (*text)(void *to, const char *place, const char *text, size_t len, struct error *err),
                    void *to, struct error *err)
{
    struct walking *walking = data;
    struct importing *importing = walking->importing;
    struct relay relay = {text, to, importing};
    int64_t rows = 0, rejected = 0;
    const struct csv_orders_sink sink = {.data = &relay, .text = relay_text, .rejected = relay_rejected};
    int rc = csv_orders_walk(walking->orders, &sink, &rows, &rejected, err);
    importing->second = true;
    importing->rejected = rejected;
    return rc;
}

/* The summary. */

static void print_reasons(FILE *out, const char *heading, const struct intake_totals *totals,
                          enum reason_class class)
{
    bool done[REASON_CODE_COUNT] = {false};
    for (bool first = true;; first = false) {
        int best = -1;
        for (int i = 0; i < REASON_CODE_COUNT; i++) {
            if (!done[i] && totals->reasons[i] > 0 && reason_class_of((enum reason_code)i) == class &&
                (best < 0 || totals->reasons[i] > totals->reasons[best]))
                best = i;
        }
        if (best < 0)
            return;
        if (first)
            fprintf(out, "%s\n", heading);
        done[best] = true;
        fprintf(out, "  %6" PRId64 "  %-18s  %s\n", totals->reasons[best],
                reason_name((enum reason_code)best), reason_text((enum reason_code)best));
    }
}

static void print_totals(const struct importing *importing, FILE *out, const struct intake_totals *totals)
{
    char day[CIVIL_TEXT_BYTES] = "none";
    fprintf(out,
            "files   %" PRId64 " read, %" PRId64 " refused, %" PRId64
            " left out (by their names neither FHIR nor HL7)\n",
            totals->files - totals->files_refused, totals->files_refused, totals->files_skipped);
    fprintf(out, "texts   %" PRId64 " read, %" PRId64 " refused\n", totals->texts - totals->texts_refused,
            totals->texts_refused);
    fprintf(out, "orders  %" PRId64 " = %" PRId64 " packable + %" PRId64 " waiting + %" PRId64 " refused",
            totals->requests, totals->outcomes[OUTCOME_PACKABLE], totals->outcomes[OUTCOME_WAITING],
            totals->outcomes[OUTCOME_REFUSED]);
    if (totals->repeated > 0)
        fprintf(out, "; %" PRId64 " more stand in the input twice", totals->repeated);
    fputc('\n', out);
    if (totals->allergies > 0 || totals->allergies_unkept > 0)
        fprintf(out, "allergies and intolerances  %" PRId64 " read, %" PRId64 " without an id or a patient\n",
                totals->allergies, totals->allergies_unkept);
    print_reasons(out, "not for pouches, by reason (an order may have several)", totals, REASON_REFUSED);
    print_reasons(out, "for a pharmacist, by reason", totals, REASON_WAITING);
    if (totals->newest_day != CIVIL_DAY_NONE)
        civil_format(totals->newest_day, day);
    fprintf(out, "newest date in the input: %s\n", day);
    if (importing->derived)
        fputs(
            "PROVISIONAL: products were derived from the orders' own names and codes; nobody checked them\n",
            out);
}

static json_t *totals_json(const struct importing *importing, const struct intake_totals *totals)
{
    json_t *reasons = json_object();
    char day[CIVIL_TEXT_BYTES] = "";
    for (int i = 0; i < REASON_CODE_COUNT; i++) {
        if (totals->reasons[i] > 0 && reason_class_of((enum reason_code)i) != REASON_NOTE)
            (void)json_object_set_new(reasons, reason_name((enum reason_code)i),
                                      json_integer(totals->reasons[i]));
    }
    if (totals->newest_day != CIVIL_DAY_NONE)
        civil_format(totals->newest_day, day);
    return json_pack(
        "{s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:s?, s:O?}",
        "dry_run", importing->dry, "provisional", importing->derived, "files", totals->files, "files_refused",
        totals->files_refused, "files_left_out", totals->files_skipped, "texts", totals->texts,
        "texts_refused", totals->texts_refused, "orders", totals->requests, "packable",
        totals->outcomes[OUTCOME_PACKABLE], "waiting", totals->outcomes[OUTCOME_WAITING], "refused",
        totals->outcomes[OUTCOME_REFUSED], "repeated", totals->repeated, "patients", totals->patients,
        "medications", totals->medications, "allergies", totals->allergies, "allergies_unkept",
        totals->allergies_unkept, "reasons", reasons, "newest", day[0] != '\0' ? day : NULL, "refused_texts",
        importing->refused);
}

/* Exit status 1 when something could not be read at all. */
static int result(const struct importing *importing, const struct intake_totals *totals)
{
    if (importing->rejects != NULL && importing->rejected > 0)
        fprintf(stderr, "%" PRId64 " rows rejected, in %s\n", importing->rejected,
                cli_option(importing->cli, "rejects"));
    return importing->rejected > 0 || totals->files_refused > 0 || totals->texts_refused > 0 ? CLI_FOUND : 0;
}

/* Where rules and formulary come from. */

static int load_packing(struct importing *importing, bool site, struct error *err)
{
    char path[PATH_BYTES];
    const char *file = path;
    if (site) {
        file = conf_text(importing->cli->site, "rules.packing");
    } else {
        int rc = paths_data("rules/packing.yaml", path, sizeof path, err);
        if (rc < 0)
            return rc;
    }
    int rc = conf_load(&conf_packing, file, &importing->packing, err);
    return rc == 0 ? sigtext_table_load(NULL, &importing->words, err) : rc;
}

static void fill_policy(const struct importing *importing, bool site, struct intake_policy *policy)
{
    *policy = (struct intake_policy){
        .today = importing->cli->today,
        /* Without a site nobody has said how old an order may be: its age is noted, not held against it. */
        .max_order_age_days = site ? (int)conf_int(importing->cli->site, "intake.max_order_age_days") : 0,
        .derive = importing->derived,
        .packing = importing->packing,
        .words = importing->words,
        .language = site ? (int)conf_int(importing->cli->site, "intake.language") : SIGTEXT_ENGLISH,
    };
}

static bool has_site(const struct cli *cli)
{
    const char *site = getenv("SACHET_SITE");
    return cli_option(cli, "site") != NULL || (site != NULL && *site != '\0') ||
           access("site.yaml", F_OK) == 0;
}

static int run_dry(struct importing *importing, struct error *err)
{
    struct cli *cli = importing->cli;
    struct intake_policy policy;
    struct catalogue *catalogue = NULL;
    const struct intake_sink sink = {
        .data = importing, .order = on_order, .refused = on_refused, .progress = on_progress};
    bool site = has_site(cli);
    int rc = site ? cli_open_store(cli, err) : 0;
    if (rc == 0)
        rc = load_packing(importing, site, err);
    if (rc == 0 && site)
        rc = catalogue_load(cli->store, &catalogue, err);
    else if (rc == 0 && (catalogue = catalogue_create()) == NULL)
        rc = error_set(err, E_MEMORY, "out of memory");
    if (rc != 0)
        return rc;
    importing->derived = !site || cli_flag(cli, "derive-formulary");
    fill_policy(importing, site, &policy);
    if (!site)
        fputs("no site: default rules, provisional products from the orders themselves, and the orders' age "
              "is noted "
              "only\n",
              stderr);
    struct intake *intake = intake_create(&policy, catalogue, &sink);
    struct walking walking = {importing, importing->csv};
    const struct intake_texts texts = {&walking, walk_csv};
    if (intake == NULL)
        rc = error_set(err, E_MEMORY, "out of memory");
    else
        rc = importing->csv != NULL ? intake_run_walk(intake, &texts, err)
                                    : intake_run(intake, cli->argv, cli->argc, err);
    struct intake_totals sum = {0};
    if (rc == 0) {
        intake_totals_add(&sum, intake_totals(intake));
        if (sum.hl7_files > 0)
            rc = hl7_dry_run(&policy, catalogue, &sink, site ? cli->store : NULL, cli->argv, cli->argc, &sum,
                             err);
    }
    if (rc == 0) {
        const struct intake_totals *totals = &sum;
        if (cli->json && !importing->each)
            rc = out_json(cli, totals_json(importing, totals), err);
        else
            print_totals(importing, cli->json ? stderr : cli->out, totals);
        rc = rc == 0 ? result(importing, totals) : rc;
    }
    intake_destroy(intake);
    catalogue_destroy(catalogue);
    return rc;
}

static int print_stored(struct importing *importing, const struct intake_import *import, struct error *err)
{
    const struct intake_stored *stored = &import->stored;
    struct cli *cli = importing->cli;
    if (cli->json) {
        json_t *object = totals_json(importing, &import->totals);
        (void)json_object_set_new(
            object, "stored",
            json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "allergies_new",
                      (json_int_t)importing->allergies_new, "allergies_ended",
                      (json_int_t)importing->allergies_ended, "plan_changes", (json_int_t)importing->changes,
                      "pouches_hit", (json_int_t)importing->pouches_hit, "fills_noted",
                      (json_int_t)importing->fills, "orders_new", stored->orders_new, "orders_changed",
                      stored->orders_changed, "orders_read_anew", stored->orders_read_anew, "orders_same",
                      stored->orders_same, "orders_unkept", stored->orders_unkept, "patients_new",
                      stored->patients_new, "patients_changed", stored->patients_changed, "products_new",
                      stored->products_new));
        return out_json(cli, object, err);
    }
    print_totals(importing, cli->out, &import->totals);
    fprintf(cli->out,
            "stored  orders: %" PRId64 " new, %" PRId64 " changed, %" PRId64 " read anew, %" PRId64
            " as before; patients: %" PRId64 " new, %" PRId64 " changed",
            stored->orders_new, stored->orders_changed, stored->orders_read_anew, stored->orders_same,
            stored->patients_new, stored->patients_changed);
    if (stored->products_new > 0)
        fprintf(cli->out, "; %" PRId64 " provisional products", stored->products_new);
    if (importing->changes > 0)
        fprintf(cli->out, "; %" PRId64 " changes in signed plans, %" PRId64 " pouches hit (sachet pull)",
                importing->changes, importing->pouches_hit);
    if (importing->fills > 0)
        fprintf(cli->out, "; %" PRId64 " fills noted", importing->fills);
    if (importing->allergies_new > 0 || importing->allergies_ended > 0)
        fprintf(cli->out, "; allergies: %" PRId64 " new or changed, %" PRId64 " ended",
                importing->allergies_new, importing->allergies_ended);
    if (importing->fills_unknown > 0)
        fprintf(cli->out, "; %" PRId64 " fills of patients without an order here left out",
                importing->fills_unknown);
    if (stored->orders_unkept > 0)
        fprintf(cli->out, "; %" PRId64 " orders without an id cannot be kept", stored->orders_unkept);
    fputc('\n', cli->out);
    return 0;
}

/* Fills that others report go into the patient's dispensing history. */
static int on_dispense(void *data, const struct intake_dispense *dispense, struct error *err)
{
    struct importing *importing = data;
    char source_id[INTAKE_ID_BYTES_MAX + 32];
    bool is_new = false;
    const struct record_by by = {"sachet import", "", importing->cli->today,
                                 clock_wall_ms(importing->cli->clock)};
    (void)snprintf(source_id, sizeof source_id, "MedicationDispense/%s", dispense->source_id); /* bounded */
    const struct record_dispense record = {.source_id = source_id,
                                           .patient_ref = dispense->patient_id,
                                           .order_ref = dispense->order_id,
                                           .product = dispense->product,
                                           .status = dispense->status,
                                           .day = dispense->day,
                                           .days_supply = dispense->days_supply,
                                           .pieces_milli = dispense->pieces_milli,
                                           .file = dispense->place};
    int rc = record_dispense(importing->cli->store, &record, &by, &is_new, err);
    if (rc == E_NOT_FOUND) { /* of a patient without an order here: nobody's supply */
        importing->fills_unknown++;
        return 0;
    }
    importing->fills += rc == 0 && is_new;
    return rc;
}

/* Allergies and intolerances go to what is known of the patient, where the clinical checks find them. */
static int on_allergy(void *data, int64_t patient, const struct intake_allergy *allergy, struct error *err)
{
    struct importing *importing = data;
    const struct clinical_allergy record = {allergy->source_id, allergy->substance, allergy->codes,
                                            allergy->criticality, allergy->ended_why};
    enum clinical_taken taken;
    int rc = clinical_allergy_take(importing->cli->store, patient, &record, "sachet import",
                                   clock_wall_ms(importing->cli->clock), &taken, err);
    if (rc == 0) {
        importing->allergies_new += taken == CLINICAL_TAKEN_NEW || taken == CLINICAL_TAKEN_CHANGED;
        importing->allergies_ended += taken == CLINICAL_TAKEN_ENDED;
    }
    return rc;
}

/* What the orders changed in signed plans: packing of it stops, made pouches are called back. */
static int notice_changes(struct importing *importing, const struct intake_import *import, struct error *err)
{
    struct cli *cli = importing->cli;
    struct site_rules rules;
    struct refill_site site;
    const struct record_by by = {import->actor, "an imported order", cli->today, import->wall_ms};
    int rc = site_rules_open(cli, &rules, err);
    if (rc == 0) {
        refill_site_load(cli->site, &site);
        rc = change_notice_since(cli->store, rules.policy, &site, import->wall_ms, &by, &importing->changes,
                                 &importing->pouches_hit, err);
    }
    site_rules_close(&rules);
    return rc;
}

static struct intake_import import_of(struct importing *importing, const char *actor)
{
    struct intake_import import = {
        .store = importing->cli->store,
        .actor = actor,
        .wall_ms = clock_wall_ms(importing->cli->clock),
        .data = importing,
        .refused = on_refused,
        .progress = on_progress,
        .dispense = on_dispense,
        .allergy = on_allergy,
    };
    fill_policy(importing, true, &import.policy);
    return import;
}

/* Patients of the store, for texts that are read without being kept. */
struct reading_only {
    struct cli *cli;
    struct arena arena;
    int (*order)(void *data, const struct order *order, struct error *err);
    void *data;
};

static int pass_order(void *data, const struct order *order, struct error *err)
{
    struct reading_only *only = data;
    return only->order(only->data, order, err);
}

static const struct intake_patient *known_patient(void *data, const char *id)
{
    struct reading_only *only = data;
    struct store_rows *rows = NULL;
    struct intake_patient *patient = NULL;
    int rc = store_query(only->cli->store, &rows, NULL,
                         "SELECT name, birth_day, deceased FROM patient WHERE source_id = ?", "t", id);
    if (rc == 0 && store_next(rows, NULL) == 1 &&
        (patient = arena_alloc(&only->arena, sizeof *patient)) != NULL)
        *patient = (struct intake_patient){
            .id = arena_text(&only->arena, id, strlen(id)),
            .name = arena_text(&only->arena, store_text(rows, 0), strlen(store_text(rows, 0))),
            .birth_day = store_is_null(rows, 1) ? CIVIL_DAY_NONE : (int32_t)store_int(rows, 1),
            .deceased = store_int(rows, 2) != 0,
        };
    store_done(rows);
    return patient;
}

static void finish(struct importing *importing)
{
    sigtext_table_destroy(importing->words);
    conf_destroy(importing->packing);
}

int import_read(struct cli *cli, const char *place, const char *text, size_t len,
                int (*order)(void *data, const struct order *order, struct error *err), void *data,
                struct error *err)
{
    struct importing importing = {.cli = cli};
    struct reading_only only = {.cli = cli, .order = order, .data = data};
    struct catalogue *catalogue = NULL;
    struct intake_policy policy;
    struct intake *intake = NULL;
    const struct intake_sink sink = {.data = &only, .order = pass_order, .patient = known_patient};
    arena_init(&only.arena, 0);
    int rc = load_packing(&importing, true, err);
    if (rc == 0)
        rc = catalogue_load(cli->store, &catalogue, err);
    if (rc == 0) {
        fill_policy(&importing, true, &policy);
        intake = intake_create(&policy, catalogue, &sink);
        rc = intake ? intake_run_texts(intake, &place, &text, &len, 1, err)
                    : error_set(err, E_MEMORY, "out of memory");
    }
    intake_destroy(intake);
    catalogue_destroy(catalogue);
    finish(&importing);
    arena_finish(&only.arena);
    return rc;
}

int import_text(struct cli *cli, const char *actor, const char *place, const char *text, size_t len,
                struct error *err)
{
    struct importing importing = {.cli = cli};
    int rc = load_packing(&importing, true, err);
    if (rc == 0) {
        struct intake_import import = import_of(&importing, actor);
        rc = intake_import_text(&import, place, text, len, err);
        if (rc == 0)
            rc = notice_changes(&importing, &import, err);
        if (rc == 0 && import.totals.requests == 0)
            rc = error_set(err, E_INPUT, "%s: no order in it could be read", place);
    }
    finish(&importing);
    return rc;
}

static int run_real(struct importing *importing, struct error *err)
{
    struct cli *cli = importing->cli;
    struct user by = {0};
    bool again = cli_flag(cli, "again");
    int rc = cli_option(cli, "user") != NULL ? cli_login(cli, NULL, &by, err) : cli_open_store(cli, err);
    if (rc == 0)
        rc = load_packing(importing, true, err);
    if (rc != 0)
        return rc;
    importing->derived = cli_flag(cli, "derive-formulary");
    struct intake_import import = import_of(importing, by.login[0] != '\0' ? by.login : "sachet import");
    struct walking walking = {importing, importing->csv};
    const struct intake_texts texts = {&walking, walk_csv};
    if (again)
        rc = intake_import_again(&import, err);
    else
        rc = importing->csv != NULL ? intake_import_texts(&import, &texts, err)
                                    : intake_import(&import, cli->argv, cli->argc, err);
    if (rc == 0 && import.totals.hl7_files > 0)
        rc = hl7_import(&import, cli->argv, cli->argc, err);
    if (rc == 0)
        rc = notice_changes(importing, &import, err);
    if (rc == 0)
        rc = print_stored(importing, &import, err);
    return rc == 0 ? result(importing, &import.totals) : rc;
}

static int open_csv(struct importing *importing, struct error *err)
{
    const struct cli *cli = importing->cli;
    const char *mapping = cli_option(cli, "csv"), *rejects = cli_option(cli, "rejects");
    if (mapping == NULL)
        return rejects == NULL ? 0 : error_set(err, E_ARG, "--rejects goes with --csv");
    if (cli->argc != 1)
        return error_set(err, E_ARG, "--csv reads one file at a time");
    int rc = conf_load(&conf_orders_csv, mapping, &importing->mapping, err);
    if (rc == 0)
        rc = csv_orders_open(cli->argv[0], importing->mapping, &importing->csv, err);
    if (rc == 0 && rejects != NULL) {
        importing->rejects = fopen(rejects, "wxe");
        if (importing->rejects == NULL)
            rc = error_set_errno(err, errno == EEXIST ? E_EXISTS : E_FILE, errno, "--rejects %s", rejects);
    }
    if (rc == 0 && importing->rejects != NULL) {
        int count;
        const char *const *titles = csv_orders_titles(importing->csv, &count);
        fputs("line,reason", importing->rejects);
        for (int i = 0; i < count; i++) {
            fputc(',', importing->rejects);
            write_field(importing->rejects, titles[i]);
        }
        fputc('\n', importing->rejects);
    }
    return rc;
}

static int run_import(struct cli *cli, struct error *err)
{
    struct importing importing = {.cli = cli, .dry = cli_flag(cli, "dry-run")};
    importing.each = importing.dry && cli->json && !cli_flag(cli, "summary");
    if (cli_flag(cli, "again") && (cli->argc > 0 || importing.dry))
        return error_set(err, E_ARG,
                         "--again reads what the store has: give no path and no --dry-run with it");
    if (cli->argc == 0 && !cli_flag(cli, "again"))
        return error_set(err, E_ARG, "give a file or folder with FHIR or HL7 v2 orders, or --again");
    if (cli->json && !importing.each)
        importing.refused = json_array();
    for (int i = 0; i < cli->argc; i++)
        importing.bytes += source_bytes(cli->argv[i]) * 2;
    int rc = open_csv(&importing, err);
    importing.table = importing.csv != NULL && importing.dry && !cli->json && !cli_flag(cli, "summary");
    if (rc == 0)
        rc = importing.dry ? run_dry(&importing, err) : run_real(&importing, err);
    if (importing.rejects != NULL && fclose(importing.rejects) != 0 && rc >= 0)
        rc = error_set_errno(err, E_FILE, errno, "--rejects %s", cli_option(cli, "rejects"));
    csv_orders_close(importing.csv);
    conf_destroy(importing.mapping);
    json_decref(importing.refused);
    sigtext_table_destroy(importing.words);
    conf_destroy(importing.packing);
    return rc;
}

static const struct cli_option_row import_options[] = {
    {.name = "dry-run",
     .doc = "read and say what would happen; works without a site, too. With --json: one object an "
            "order, one a line, the summary on stderr"},
    {.name = "derive-formulary",
     .doc = "make provisional products from the orders' names and codes for drugs that are "
            "not in the formulary"},
    {.name = "again", .doc = "read the stored orders again with today's formulary and rules"},
    {.name = "csv",
     .arg = "MAPPING",
     .doc = "the file is CSV, one order a row; MAPPING (sachet-csv/1) says which column is what. With "
            "--dry-run: a "
            "table of what would happen"},
    {.name = "rejects",
     .arg = "FILE",
     .doc = "with --csv: a new CSV file of the rows that were rejected, with line and reason"},
    {.name = "summary", .doc = "with --dry-run --json: only the summary, as one object"},
    {.name = NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "import",
        .args = "[PATH…]",
        .args_min = 0,
        .args_max = -1,
        .summary = "Read orders: FHIR R4 and STU3 (Bundles, NDJSON), HL7 v2, CSV; gzip, folders",
        .details = "Each order ends as packable, waiting (a pharmacist must complete or decide) or refused "
                   "(not for a "
                   "pouch), with its reasons; nothing is guessed. Importing again changes nothing; an order "
                   "that changed "
                   "gets a new version. A file or line that cannot be read is refused whole with its place, "
                   "the rest is "
                   "taken, and the exit status is 1.",
        .options = import_options,
        .run = run_import,
        .findings = true,
    },
};

const struct cli_group verbs_import = {
    .title = "Orders",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};
