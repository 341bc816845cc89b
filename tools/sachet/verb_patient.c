/* SPDX-License-Identifier: Apache-2.0 */
/* patient list, show, day: who is in the store, and the day that a patient lives. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/plan/input.h"
#include "controller/plan/patient_day.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/policy.h"
#include "controller/review/sign.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/verbs.h"

enum { SHIFT_HOURS_MAX = 23, DAY_WAKE_KEY = 1 };

static int run_list(struct cli *cli, struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t count = 0;
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = store_query(
            cli->store, &rows, err,
            "SELECT p.source_id, p.name, p.deceased, p.day_template IS NOT NULL, (SELECT count(*) FROM "
            "order_version o WHERE o.patient_id = p.id AND o.current = 1), coalesce((SELECT state FROM plan "
            "l "
            "WHERE l.patient_id = p.id ORDER BY version DESC LIMIT 1), '') FROM patient p ORDER BY source_id",
            "");
    int more = 0;
    while (status == 0 && (more = store_next(rows, err)) > 0) {
        const char *plan = store_text(rows, 5);
        count++;
        if (cli->json)
            status = out_json(cli,
                              json_pack("{s:s,s:s,s:b,s:b,s:I,s:s}", "patient", store_text(rows, 0), "name",
                                        store_text(rows, 1), "deceased", store_int(rows, 2) != 0, "own_day",
                                        store_int(rows, 3) != 0, "orders", (json_int_t)store_int(rows, 4),
                                        "plan", plan),
                              err);
        else
            fprintf(cli->out, "%-24s %-28s %4" PRId64 " orders  %s%s%s\n", store_text(rows, 0),
                    store_text(rows, 1), store_int(rows, 4), plan[0] ? "plan: " : "no plan", plan,
                    store_int(rows, 2)   ? "  died"
                    : store_int(rows, 3) ? "  own day"
                                         : "");
    }
    store_done(rows);
    if (status == 0 && more == 0 && count == 0 && !cli->json)
        fputs("no patients; 'sachet import' brings them\n", cli->out);
    return status < 0 ? status : more;
}

/* ---- show ---- */

static void clock_text(int clock, char text[TOD_TEXT_BYTES])
{
    if (clock == REGIMEN_NONE)
        memcpy(text, "-", sizeof "-");
    else
        tod_format(clock, text);
}

static json_t *day_json(const struct regimen_patient *day, bool own)
{
    struct buf text;
    buf_init(&text);
    patient_day_write(day, &text);
    json_t *object = text.failed ? NULL : json_loads(buf_string(&text), 0, NULL);
    buf_finish(&text);
    if (object)
        (void)json_object_set_new(object, "own", json_boolean(own));
    return object;
}

static void print_day(FILE *out, const struct regimen_patient *day, bool own)
{
    struct plan_day clocks = patient_day_of_plan(day, own);
    const int values[] = {clocks.wake, clocks.breakfast, clocks.lunch, clocks.dinner, clocks.bed};
    char text[TOD_TEXT_BYTES];
    for (int i = 0; i < (int)(sizeof values / sizeof *values); i++) {
        clock_text(values[i], text);
        fprintf(out, "%s%s %s", i ? ", " : "", patient_day_keys[i + DAY_WAKE_KEY], text);
    }
    tod_format(day->day_start, text);
    fprintf(out, " (%s; a day begins at %s)\n", own ? "the patient's own" : "the site's ordinary day", text);
}

static int print_orders(struct cli *cli, const struct input *input, json_t *list)
{
    static const char *const outcomes[] = {
        [INPUT_PACKABLE] = "packable", [INPUT_WAITING] = "waiting", [INPUT_REFUSED] = "refused"};
    for (size_t i = 0; i < input->order_count; i++) {
        const struct input_order *order = &input->orders[i];
        const char *drug = order->product ? order->product->name : order->drug;
        if (cli->json)
            (void)json_array_append_new(list, json_pack("{s:s,s:i,s:s,s:s,s:s}", "order", order->source_id,
                                                        "version", order->version, "drug", drug, "outcome",
                                                        outcomes[order->outcome], "reasons", order->reasons));
        else
            fprintf(cli->out, "  %-9s %s (order %s, version %d)%s%s\n", outcomes[order->outcome], drug,
                    order->source_id, order->version, order->reasons[0] ? ": " : "", order->reasons);
    }
    return 0;
}

/* The newest plan and the signed one, with whether the signature still holds. */
static int print_plans(struct cli *cli, const struct input *input, json_t *object, struct error *err)
{
    struct review_rules rules;
    struct error why = {0};
    int64_t signed_id = 0;
    int status = review_rules_of(cli->site, cli->clock, &rules, err);
    if (status < 0)
        return status;
    status = plan_newest(cli->store, input->patient, true, &signed_id, err);
    int holds = signed_id ? review_verify(cli->store, signed_id, &rules, &why) : 0;
    review_rules_finish(&rules);
    if (status < 0 && status != E_NOT_FOUND)
        return status;
    if (holds < 0 && error_class_of(holds) != ERROR_CLASS_INPUT)
        return error_set(err, holds, "%s", why.message);
    if (cli->json) {
        (void)json_object_set_new(object, "newest_plan",
                                  input->newest_id ? json_integer(input->newest_id) : json_null());
        (void)json_object_set_new(object, "signed_plan", signed_id ? json_integer(signed_id) : json_null());
        (void)json_object_set_new(object, "signature_holds", json_boolean(signed_id && holds == 0));
        (void)json_object_set_new(object, "trouble", json_string(why.message));
        return 0;
    }
    if (signed_id)
        fprintf(cli->out, "signed plan %" PRId64 ": %s\n", signed_id, holds == 0 ? "holds" : why.message);
    if (input->newest_id && input->newest_id != signed_id)
        fprintf(cli->out, "newest plan %" PRId64 ": to be reviewed and approved\n", input->newest_id);
    if (!input->newest_id)
        fputs("no plan yet: sachet plan makes one\n", cli->out);
    return 0;
}

static int show(struct cli *cli, const struct policy *policy, const struct input *input, struct error *err)
{
    (void)policy;
    char born[CIVIL_TEXT_BYTES] = "unknown";
    if (input->birth_day != CIVIL_DAY_NONE)
        civil_format(input->birth_day, born);
    json_t *orders = cli->json ? json_array() : NULL, *object = NULL;
    if (cli->json)
        object =
            json_pack("{s:s,s:s,s:s,s:b,s:o,s:o,s:i}", "patient", input->source_id, "name", input->name,
                      "born", born, "deceased", input->deceased, "day", day_json(&input->day, input->own_day),
                      "orders", orders, "past_orders", (int)input->past_count);
    else
        fprintf(cli->out, "%s (%s), born %s%s\nday: ", input->name, input->source_id, born,
                input->deceased ? ", died" : "");
    if (cli->json && !object)
        return error_set(err, E_MEMORY, "out of memory writing JSON");
    if (!cli->json) {
        print_day(cli->out, &input->day, input->own_day);
        fprintf(cli->out, "%zu current orders, %zu that are over:\n", input->order_count, input->past_count);
    }
    int status = print_orders(cli, input, orders);
    if (status == 0)
        status = print_plans(cli, input, object, err);
    if (status == 0 && cli->json)
        return out_json(cli, object, err);
    json_decref(object);
    return status;
}

/* Calls `work` with what is known of the patient that the first argument names. */
static int with_patient(struct cli *cli,
                        int (*work)(struct cli *, const struct policy *, const struct input *,
                                    struct error *),
                        struct error *err)
{
    struct site_rules rules;
    struct arena arena;
    struct input input;
    int64_t patient = 0;
    arena_init(&arena, 0);
    int status = site_rules_open(cli, &rules, err);
    if (status == 0)
        status = input_find_patient(cli->store, cli->argv[0], &patient, err);
    if (status == 0)
        status = input_load(cli->store, rules.policy, patient, &arena, &input, err);
    if (status == 0)
        status = work(cli, rules.policy, &input, err);
    site_rules_close(&rules);
    arena_finish(&arena);
    return status;
}

static int run_show(struct cli *cli, struct error *err)
{
    return with_patient(cli, show, err);
}

/* ---- day ---- */

static const struct cli_option_row day_options[] = {
    {"wake", "HH:MM", "getting up"},
    {"breakfast", "HH:MM", "morning meal, or none"},
    {"lunch", "HH:MM", "midday meal, or none"},
    {"dinner", "HH:MM", "evening meal, or none"},
    {"bed", "HH:MM", "going to bed, also after midnight"},
    {"start", "HH:MM", "where the logical day begins, before waking (else found by itself)"},
    {"shift", "HOURS", "turn the whole day by so many hours, for work at night: 8 makes 07:00 15:00"},
    {"clear", NULL, "the site's ordinary day again"},
    {NULL, NULL, NULL},
};

/* What the options say of the day; *ret_any false: nothing. */
static int day_given(struct cli *cli, struct patient_day *day, bool *ret_any, struct error *err)
{
    *ret_any = false;
    for (int key = 0; key < PATIENT_DAY_KEYS; key++) {
        const char *text = cli_option(cli, patient_day_keys[key]);
        bool meal = strcmp(patient_day_keys[key], "breakfast") == 0 ||
                    strcmp(patient_day_keys[key], "lunch") == 0 ||
                    strcmp(patient_day_keys[key], "dinner") == 0;
        day->clock[key] = PATIENT_DAY_AS_SITE;
        if (!text)
            continue;
        *ret_any = true;
        if (meal && strcmp(text, "none") == 0)
            day->clock[key] = REGIMEN_NONE;
        else if (!tod_parse(text, &day->clock[key]))
            return error_set(err, E_ARG, "--%s %s: a time HH:MM%s is wanted", patient_day_keys[key], text,
                             meal ? " or none" : "");
    }
    return 0;
}

static int day_make(struct cli *cli, const struct input *input, const struct patient_day *given,
                    struct regimen_patient *ret_day, struct error *err)
{
    struct regimen_patient base = input->day;
    int64_t hours = 0;
    int status = cli_option_int(cli, "shift", -SHIFT_HOURS_MAX, SHIFT_HOURS_MAX, 0, &hours, err);
    base.day_start = (base.day_start + (int)hours * 60 + 2 * MINUTES_PER_DAY) % MINUTES_PER_DAY;
    return status < 0 ? status : patient_day_apply(given, &base, ret_day, err);
}

static int day_change(struct cli *cli, const struct input *input, const struct policy *policy,
                      const struct patient_day *given, struct regimen_patient *ret_day, bool *ret_changed,
                      struct error *err)
{
    struct user user;
    bool clear = cli_flag(cli, "clear");
    *ret_day = policy->day;
    int status = clear ? 0 : day_make(cli, input, given, ret_day, err);
    if (status == 0)
        status = cli_login(cli, NULL, &user, err);
    if (status == 0)
        status = patient_day_set(cli->store, input->patient, clear ? NULL : ret_day, user.login,
                                 clock_wall_ms(cli->clock), ret_changed, err);
    return status;
}

static int day_run(struct cli *cli, const struct policy *policy, const struct input *input, struct error *err)
{
    struct patient_day given;
    struct regimen_patient day = input->day;
    bool any = false, changed = false, own = input->own_day, clear = cli_flag(cli, "clear");
    int status = day_given(cli, &given, &any, err);
    any |= cli_option(cli, "shift") != NULL;
    if (status == 0 && any && clear)
        status = error_set(err, E_ARG, "--clear goes with no other time");
    if (status == 0 && (any || clear)) {
        status = day_change(cli, input, policy, &given, &day, &changed, err);
        own = !clear;
    }
    if (status < 0)
        return status;
    if (cli->json) {
        json_t *object = day_json(&day, own);
        if (object) {
            (void)json_object_set_new(object, "patient", json_string(input->source_id));
            (void)json_object_set_new(object, "changed", json_boolean(changed));
        }
        return out_json(cli, object, err);
    }
    fprintf(cli->out, "%s: ", input->source_id);
    print_day(cli->out, &day, own);
    if (changed && input->newest_id)
        fprintf(cli->out,
                "plan %" PRId64 " was made for another day and does not hold any more: sachet plan %s\n",
                input->newest_id, input->source_id);
    return 0;
}

static int run_day(struct cli *cli, struct error *err)
{
    return with_patient(cli, day_run, err);
}

static const struct cli_option_row no_options[] = {{NULL, NULL, NULL}};

static const struct cli_verb rows[] = {
    {
        .name = "patient list",
        .args = "",
        .args_min = 0,
        .args_max = 0,
        .summary = "List the patients with their ids",
        .details = NULL,
        .options = no_options,
        .run = run_list,
    },
    {
        .name = "patient show",
        .args = "PATIENT",
        .args_min = 1,
        .args_max = 1,
        .summary = "Show a patient's day, current orders and plans",
        .details = "Says, too, whether the signed plan still holds, and why not.",
        .options = no_options,
        .run = run_show,
    },
    {
        .name = "patient day",
        .args = "PATIENT",
        .args_min = 1,
        .args_max = 1,
        .summary = "Show or set the day that a patient lives (--user)",
        .details = "Without options the day is shown. Times that are not named stay as they are. The order\n"
                   "of a day is wake, breakfast, lunch, dinner, bed, counted from where the logical day\n"
                   "begins, so that bedtime after midnight and night shifts are ordinary. A changed day is\n"
                   "audited and asks for another plan and signature, because times were planned for it.",
        .options = day_options,
        .run = run_day,
    },
};
const struct cli_group verbs_patient = {
    .title = "Patients", .rows = rows, .count = sizeof rows / sizeof rows[0]};
