/* SPDX-License-Identifier: Apache-2.0 */
/* exceptions: the orders that wait, and what a pharmacist says to them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/intake/reading.h"
#include "controller/intake/sig/sigtext.h"
#include "controller/orders/exceptions.h"
#include "controller/orders/intake_hits.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/sig_table.h"
#include "tools/sachet/verbs.h"

static json_t *reasons_json(const char *text)
{
    json_t *all = json_loads(text, 0, NULL), *kept = json_array();
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *row = json_array_get(all, i);
        const char *name = json_string_value(json_object_get(row, "code"));
        enum reason_code code;
        if (name != NULL && reason_parse(name, &code) && reason_class_of(code) != REASON_NOTE)
            (void)json_array_append(kept, row);
    }
    json_decref(all);
    return kept;
}

static void print_reasons(struct cli *cli, const json_t *reasons)
{
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const json_t *row = json_array_get(reasons, i);
        const char *name = json_string_value(json_object_get(row, "code"));
        const char *text = json_string_value(json_object_get(row, "text"));
        enum reason_code code;
        if (name == NULL || !reason_parse(name, &code))
            continue;
        fprintf(cli->out, "    %-20s %s%s%s\n", name, reason_text(code),
                text != NULL && text[0] != '\0' && strcmp(text, reason_text(code)) != 0 ? ": " : "",
                text != NULL && strcmp(text, reason_text(code)) != 0 ? text : "");
    }
}

struct listing {
    struct cli *cli;
    int64_t count;
};

static int print_row(void *data, const struct exception_row *row, struct error *err)
{
    struct listing *listing = data;
    struct cli *cli = listing->cli;
    char since[INSTANT_TEXT_BYTES];
    json_t *reasons = reasons_json(row->reasons);
    int rc = 0;
    listing->count++;
    instant_format(row->since_ms, since);
    if (cli->json) {
        rc = out_json(cli,
                      json_pack("{s:s, s:I, s:s, s:s, s:s, s:O}", "order", row->order, "version",
                                (json_int_t)row->version, "patient", row->patient, "drug", row->drug, "since",
                                since, "reasons", reasons),
                      err);
    } else {
        fprintf(cli->out, "%s  patient %s  since %.10s  %s\n", row->order, row->patient, since, row->drug);
        print_reasons(cli, reasons);
    }
    json_decref(reasons);
    return rc;
}

static int run_list(struct cli *cli, struct error *err)
{
    struct listing listing = {cli, 0};
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = exception_list(cli->store, cli_option(cli, "patient"), cli_option(cli, "reason"), print_row,
                            &listing, err);
    if (rc == 0 && !cli->json)
        fprintf(cli->out, "%" PRId64 " order%s wait%s for a pharmacist\n", listing.count,
                listing.count == 1 ? "" : "s", listing.count == 1 ? "s" : "");
    return rc;
}

/* One order. */

static int print_hit(void *data, const struct intake_hit *hit, struct error *err)
{
    json_t *list = data;
    json_t *row =
        json_pack("{s:I, s:s, s:I, s:s, s:I, s:I, s:I, s:I}", "plan", (json_int_t)hit->plan, "state",
                  hit->state, "batch", (json_int_t)hit->batch, "batch_state", hit->batch_state, "waiting",
                  (json_int_t)hit->waiting, "in_machine", (json_int_t)hit->in_machine, "packed",
                  (json_int_t)hit->packed, "cancelled", (json_int_t)hit->cancelled);
    return row != NULL && json_array_append_new(list, row) == 0 ? 0
                                                                : error_set(err, E_MEMORY, "out of memory");
}

static json_int_t number_of(const json_t *row, const char *key)
{
    return json_integer_value(json_object_get(row, key));
}

static void print_hits(struct cli *cli, const json_t *hits)
{
    fputs(json_array_size(hits) > 0 ? "plans made with it:\n" : "no plan was made with it\n", cli->out);
    for (size_t i = 0; i < json_array_size(hits); i++) {
        const json_t *row = json_array_get(hits, i);
        fprintf(cli->out, "    plan %" JSON_INTEGER_FORMAT " (%s)", number_of(row, "plan"),
                json_string_value(json_object_get(row, "state")));
        if (number_of(row, "batch") > 0)
            fprintf(cli->out,
                    ", batch %" JSON_INTEGER_FORMAT " (%s): pouches %" JSON_INTEGER_FORMAT
                    " not packed, %" JSON_INTEGER_FORMAT " in the machine, %" JSON_INTEGER_FORMAT
                    " packed, %" JSON_INTEGER_FORMAT " cancelled",
                    number_of(row, "batch"), json_string_value(json_object_get(row, "batch_state")),
                    number_of(row, "waiting"), number_of(row, "in_machine"), number_of(row, "packed"),
                    number_of(row, "cancelled"));
        fputc('\n', cli->out);
    }
}

static int load_order(struct cli *cli, const char *order, json_t **ret, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(cli->store, &rows, err,
                         "SELECT o.version, p.source_id, o.status, o.outcome, o.drug_name, "
                         "coalesce(o.product_code, ''), o.reasons, "
                         "coalesce(o.reading, ''), o.original, o.file, o.imported_ms FROM order_version AS o "
                         "JOIN patient AS p ON p.id "
                         "= o.patient_id WHERE o.source_id = ? AND o.current = 1",
                         "t", order);
    if (rc != 0)
        return rc;
    rc = store_next(rows, err);
    if (rc > 0) {
        char since[INSTANT_TEXT_BYTES];
        json_t *reading = json_loads(store_text(rows, 7), 0, NULL);
        instant_format(store_int(rows, 10), since);
        *ret = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:o?, s:o?, s:s, s:s}", "order", order,
                         "version", (json_int_t)store_int(rows, 0), "patient", store_text(rows, 1), "status",
                         store_text(rows, 2), "outcome", store_text(rows, 3), "drug", store_text(rows, 4),
                         "product", store_text(rows, 5), "reasons", reasons_json(store_text(rows, 6)),
                         "reading", reading, "original", json_loads(store_text(rows, 8), 0, NULL), "place",
                         store_text(rows, 9), "imported", since);
        rc = *ret != NULL ? 0 : error_set(err, E_MEMORY, "out of memory");
    } else if (rc == 0) {
        rc = error_set(err, E_NOT_FOUND, "there is no order %s", order);
    }
    store_done(rows);
    return rc;
}

static void print_reading(struct cli *cli, const json_t *order)
{
    struct reading reading;
    char *text = json_dumps(json_object_get(order, "reading"), JSON_COMPACT);
    if (text != NULL && reading_parse(text, &reading, NULL) == 0) {
        struct buf words;
        buf_init(&words);
        reading_describe(&reading, "piece", &words);
        fprintf(cli->out, "read as   %s\n", buf_string(&words));
        buf_finish(&words);
    }
    free(text);
}

static void print_order(struct cli *cli, const json_t *order, const char *changes, const json_t *hits)
{
    char *original = json_dumps(json_object_get(order, "original"), JSON_INDENT(2));
    static const char *const keys[] = {"order", "patient", "drug", "product", "status", "outcome", "place"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        fprintf(cli->out, "%-9s %s\n", keys[i], json_string_value(json_object_get(order, keys[i])));
    print_reasons(cli, json_object_get(order, "reasons"));
    print_reading(cli, order);
    fprintf(cli->out, "as it came:\n%s\n", original != NULL ? original : "");
    if (changes[0] != '\0')
        fprintf(cli->out, "changed since the version before:\n%s", changes);
    print_hits(cli, hits);
    free(original);
}

static int run_show(struct cli *cli, struct error *err)
{
    struct buf changes;
    json_t *order = NULL, *hits = json_array();
    buf_init(&changes);
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = load_order(cli, cli->argv[0], &order, err);
    if (rc == 0)
        rc = exception_changes(cli->store, cli->argv[0], &changes, err);
    if (rc == 0)
        rc = intake_hits(cli->store, cli->argv[0], print_hit, hits, err);
    if (rc == 0 && cli->json) {
        (void)json_object_set_new(order, "changes", json_string(buf_string(&changes)));
        (void)json_object_set(order, "hits", hits);
        rc = out_json(cli, json_incref(order), err);
    } else if (rc == 0) {
        print_order(cli, order, buf_string(&changes), hits);
    }
    json_decref(order);
    json_decref(hits);
    buf_finish(&changes);
    return rc;
}

/* What a pharmacist says. */

/* The words of --sig as FHIR R4 Dosage. */
static int read_sig(const struct cli *cli, const char *text, json_t **ret, struct error *err)
{
    struct sigtext_table *table = NULL;
    enum sigtext_language language;
    struct sigtext *sig = malloc(sizeof *sig);
    struct buf out;
    buf_init(&out);
    int rc =
        sig != NULL ? sig_table_open(cli, &table, &language, err) : error_set(err, E_MEMORY, "out of memory");
    if (rc == 0) {
        sigtext_read(table, language, text, strlen(text), sig);
        if (sig->refusal != SIGTEXT_NONE)
            rc = error_set(err, E_INPUT, "--sig: %s%s%s", sig->reason, sig->left_over[0] ? ": " : "",
                           sig->left_over);
    }
    if (rc == 0) {
        sigtext_write_dosage(sig, text, strlen(text), &out);
        *ret = json_loads(buf_string(&out), 0, NULL);
        if (*ret == NULL)
            rc = error_set(err, E_MEMORY, "out of memory");
    }
    sigtext_table_destroy(table);
    free(sig);
    buf_finish(&out);
    return rc;
}

static bool has_key(const json_t *value, const char *name)
{
    const char *key;
    json_t *child;
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (has_key(json_array_get(value, i), name))
                return true;
        }
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, child)
    {
        if (strcmp(key, name) == 0 || has_key(child, name))
            return true;
    }
    return false;
}

static bool has_bounds(const json_t *value)
{
    static const char *const keys[] = {"boundsPeriod", "boundsDuration", "boundsRange", "count"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (has_key(value, keys[i]))
            return true;
    }
    return false;
}

/* --from and --until into every dosage; a dosage that has bounds of its own keeps them. */
static int set_bounds(const struct cli *cli, const json_t *order, json_t *dosages, struct error *err)
{
    int32_t from = CIVIL_DAY_NONE, until = CIVIL_DAY_NONE;
    int rc = cli_option_day(cli, "from", CIVIL_DAY_NONE, &from, err);
    if (rc == 0)
        rc = cli_option_day(cli, "until", CIVIL_DAY_NONE, &until, err);
    if (rc != 0)
        return rc;
    const json_t *original = json_object_get(json_object_get(order, "original"), "dosageInstruction");
    if (from == CIVIL_DAY_NONE && until == CIVIL_DAY_NONE) {
        if (has_bounds(original) && !has_bounds(dosages) && !cli_flag(cli, "open"))
            return error_set(
                err, E_INPUT,
                "order %s states a beginning, an end or a number of doses: say it too (--from, --until, or "
                "in the words), or --open for none",
                cli->argv[0]);
        return 0;
    }
    for (size_t i = 0; i < json_array_size(dosages); i++) {
        json_t *timing = json_object_get(json_array_get(dosages, i), "timing");
        json_t *repeat = json_object_get(timing, "repeat");
        char text[CIVIL_TEXT_BYTES];
        if (repeat == NULL || has_bounds(repeat))
            return error_set(err, E_INPUT,
                             "--from and --until go with dosages that have times and no end of their own");
        json_t *period = json_object();
        if (from != CIVIL_DAY_NONE) {
            civil_format(from, text);
            (void)json_object_set_new(period, "start", json_string(text));
        }
        if (until != CIVIL_DAY_NONE) {
            civil_format(until, text);
            (void)json_object_set_new(period, "end", json_string(text));
        }
        (void)json_object_set_new(repeat, "boundsPeriod", period);
    }
    return 0;
}

/* The dosage in words or as a file, as JSON; NULL when none is said. */
static int read_dosage(const struct cli *cli, const json_t *order, char **ret, struct error *err)
{
    const char *words = cli_option(cli, "sig"), *file = cli_option(cli, "dosage");
    json_t *dosages = NULL;
    json_error_t where;
    int rc = 0;
    *ret = NULL;
    if (words != NULL && file != NULL)
        return error_set(err, E_ARG, "--sig and --dosage say the same thing: give one of them");
    if (words == NULL && file == NULL)
        return 0;
    if (words != NULL) {
        rc = read_sig(cli, words, &dosages, err);
    } else if ((dosages = json_load_file(file, JSON_REJECT_DUPLICATES, &where)) == NULL) {
        rc = error_set(err, E_SYNTAX, "%s:%d:%d: %s", file, where.line, where.column, where.text);
    } else if (!json_is_array(dosages)) {
        rc = error_set(err, E_SYNTAX, "%s: a JSON list of FHIR R4 Dosage is needed", file);
    }
    if (rc == 0)
        rc = set_bounds(cli, order, dosages, err);
    if (rc == 0) {
        *ret = json_dumps(dosages, JSON_COMPACT);
        if (*ret == NULL)
            rc = error_set(err, E_MEMORY, "out of memory");
    }
    json_decref(dosages);
    return rc;
}

static int print_done(struct cli *cli, const char *done, struct error *err)
{
    json_t *order = NULL;
    int rc = load_order(cli, cli->argv[0], &order, err);
    if (rc == 0 && cli->json)
        return out_json(cli, order, err);
    if (rc == 0) {
        fprintf(cli->out, "order %s %s: it is %s now\n", cli->argv[0], done,
                json_string_value(json_object_get(order, "outcome")));
        print_reading(cli, order);
    }
    json_decref(order);
    return rc;
}

enum word { WORD_COMPLETE, WORD_REFUSE, WORD_REOPEN };

static int say(struct cli *cli, enum word what, const char *done, struct error *err)
{
    struct user by = {0};
    struct conf *packing = NULL;
    struct sigtext_table *words = NULL;
    json_t *order = NULL;
    char *dosage = NULL;
    const char *because = cli_option(cli, "because");
    int rc = cli_login(cli, "pharmacist", &by, err);
    if (rc == 0 && because == NULL)
        rc = error_set(err, E_ARG, "say why: --because TEXT");
    if (rc == 0)
        rc = load_order(cli, cli->argv[0], &order, err);
    if (rc == 0 && what == WORD_COMPLETE)
        rc = read_dosage(cli, order, &dosage, err);
    if (rc == 0)
        rc = conf_load(&conf_packing, conf_text(cli->site, "rules.packing"), &packing, err);
    if (rc == 0)
        rc = sigtext_table_load(NULL, &words, err);
    if (rc == 0) {
        struct intake_import import = {
            .store = cli->store,
            .policy = {.today = cli->today,
                       .max_order_age_days = (int)conf_int(cli->site, "intake.max_order_age_days"),
                       .packing = packing,
                       .words = words,
                       .language = (int)conf_int(cli->site, "intake.language")},
            .actor = by.login,
            .wall_ms = clock_wall_ms(cli->clock),
        };
        const struct exception_word word = {.order = cli->argv[0],
                                            .refuse = what == WORD_REFUSE,
                                            .product =
                                                what == WORD_COMPLETE ? cli_option(cli, "product") : NULL,
                                            .dosage = dosage,
                                            .because = because};
        rc = what == WORD_REOPEN ? exception_reopen(&import, cli->argv[0], because, err)
                                 : exception_resolve(&import, &word, err);
    }
    json_decref(order);
    free(dosage);
    sigtext_table_destroy(words);
    conf_destroy(packing);
    return rc == 0 ? print_done(cli, done, err) : rc;
}

static int run_complete(struct cli *cli, struct error *err)
{
    return say(cli, WORD_COMPLETE, "completed", err);
}

static int run_refuse(struct cli *cli, struct error *err)
{
    return say(cli, WORD_REFUSE, "refused", err);
}

static int run_reopen(struct cli *cli, struct error *err)
{
    return say(cli, WORD_REOPEN, "opened again", err);
}

static const struct cli_option_row list_options[] = {
    {.name = "patient", .arg = "PATIENT", .doc = "only this patient's"},
    {.name = "reason",
     .arg = "CODE",
     .doc = "only those that wait for this reason, for example NOT_IN_FORMULARY"},
    {.name = NULL},
};

static const struct cli_option_row complete_options[] = {
    {.name = "sig", .arg = "TEXT", .doc = "amount and times in words, as 'sachet sig' reads them"},
    {.name = "language", .arg = "LANGUAGE", .doc = "of --sig: en (default) or de"},
    {.name = "dosage", .arg = "FILE", .doc = "amount and times as a JSON list of FHIR R4 Dosage"},
    {.name = "product", .arg = "CODE", .doc = "the product of the formulary that shall be packed"},
    {.name = "from", .arg = "DATE", .doc = "first day of what --sig or --dosage says"},
    {.name = "until", .arg = "DATE", .doc = "last day"},
    {.name = "open", .doc = "there is no end, although the order states one"},
    {.name = "because", .arg = "TEXT", .doc = "why; kept in the record"},
    {.name = NULL},
};

static const struct cli_option_row word_options[] = {
    {.name = "because", .arg = "TEXT", .doc = "why; kept in the record"},
    {.name = NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "exceptions",
        .args = "",
        .summary = "List the orders that wait for a pharmacist, and why",
        .details = "One entry an order, oldest first: its id, its patient's id, since when it waits, and "
                   "every reason. "
                   "Nothing that waits can be planned. 'exceptions complete' or 'exceptions refuse' ends the "
                   "waiting.",
        .options = list_options,
        .run = run_list,
    },
    {
        .name = "exceptions show",
        .args = "ORDER",
        .args_min = 1,
        .args_max = 1,
        .summary =
            "Show an order as it came, how it is read, what its last change changed and what that hits",
        .run = run_show,
    },
    {
        .name = "exceptions complete",
        .args = "ORDER",
        .args_min = 1,
        .args_max = 1,
        .summary = "Say what an order that waits leaves open",
        .details =
            "The pharmacist's word settles the reasons that the order waits for now, and may give amount and "
            "times "
            "(--sig or --dosage) and product instead of the order's. The order is read again at once; what "
            "is "
            "still open is said, and then nothing is stored. The word dies when the order's content changes. "
            "What is refused (as needed, not to be swallowed) can't be completed.",
        .options = complete_options,
        .run = run_complete,
    },
    {
        .name = "exceptions refuse",
        .args = "ORDER",
        .args_min = 1,
        .args_max = 1,
        .summary = "Refuse an order that waits, with a reason",
        .options = word_options,
        .run = run_refuse,
    },
    {
        .name = "exceptions reopen",
        .args = "ORDER",
        .args_min = 1,
        .args_max = 1,
        .summary = "Take back what was said to an order",
        .options = word_options,
        .run = run_reopen,
    },
};

const struct cli_group verbs_exceptions = {
    .title = "Orders that wait",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};
