/* SPDX-License-Identifier: Apache-2.0 */
/* sachet tasks: what was asked of prescribers, payers, patients and the house, and what they said. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/parties/task.h"
#include "controller/plan/documents/json_values.h"
#include "controller/plan/input.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/ask.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/tasks_round.h"
#include "tools/sachet/verbs.h"

/* The patient's id as the pharmacy has it; "" for none. */
static int patient_id(struct cli *cli, int64_t patient, struct cli_patient *ret, struct error *err)
{
    *ret = (struct cli_patient){0};
    return patient ? cli_patient_get(cli, patient, ret, err) : 0;
}

static json_t *task_json(const struct task *t, const struct cli_patient *patient)
{
    const struct task_kind_row *kind = &task_kinds[t->kind];
    json_t *object = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:i, s:b, s:s, s:s}", "task", (json_int_t)t->id, "kind",
        kind->word, "party", task_party_text(kind->party), "state", task_state_text(t->state), "level",
        task_level_text(t->level), "subject", t->subject, "opened", json_day(t->opened_day), "due",
        json_day(t->due_day), "revision", t->revision, "written", t->sent == t->revision, "note", t->note,
        "next", task_state_closed(t->state) ? "" : task_next_step(t->kind, t->level));
    if (object) {
        (void)json_object_set_new(object, "patient", patient->id[0] ? json_string(patient->id) : json_null());
        (void)json_object_set_new(object, "facts", json_loads(t->facts, 0, NULL));
    }
    return object;
}

static json_t *answer_json(const struct task_answer *a)
{
    return json_pack("{s:s, s:b, s:o, s:s, s:s, s:s, s:s, s:o, s:o}", "result", task_result_text(a->result),
                     "stands", a->stands, "until", json_day(a->until_day), "reference", a->reference, "note",
                     a->note, "source", a->source, "by", a->actor, "at", json_instant(a->answered_ms),
                     "facts", json_loads(a->facts, 0, NULL));
}

static void task_line(struct cli *cli, const struct task *t, const struct cli_patient *patient)
{
    const struct task_kind_row *kind = &task_kinds[t->kind];
    char due[CIVIL_TEXT_BYTES];
    civil_format(t->due_day, due);
    fprintf(cli->out, "%5" PRId64 "  %-8s  %s  %-19s  %-11s  %-10s  %s\n", t->id,
            t->level == TASK_CALM ? "" : task_level_text(t->level), due, kind->word,
            task_state_text(t->state), patient->id[0] ? patient->id : "-", t->subject);
}

/* The options of a list. */
static int filter_of(struct cli *cli, struct task_filter *filter, struct error *err)
{
    const char *kind = cli_option(cli, "kind"), *party = cli_option(cli, "party");
    const char *patient = cli_option(cli, "patient");
    enum task_kind kind_value;
    enum task_party party_value;
    *filter = TASK_FILTER_OPEN;
    filter->closed = cli_flag(cli, "all");
    if (kind && !task_kind_parse(kind, &kind_value))
        return error_set(err, E_ARG, "--kind %.40s: no such kind; 'sachet tasks --help' lists them", kind);
    if (party && !task_party_parse(party, &party_value))
        return error_set(err, E_ARG, "--party %.40s: prescriber, payer, patient or pharmacy is wanted",
                         party);
    filter->kind = kind ? (int)kind_value : -1;
    filter->party = party ? (int)party_value : -1;
    return patient ? input_find_patient(cli->store, patient, &filter->patient, err) : 0;
}

static int list_print(struct cli *cli, const struct task *tasks, size_t count, const char *none,
                      struct error *err)
{
    json_t *list = cli->json ? json_array() : NULL;
    int rc = 0;
    if (!cli->json && count == 0)
        fprintf(cli->out, "%s\n", none);
    else if (!cli->json)
        fprintf(cli->out, "%5s  %-8s  %-10s  %-19s  %-11s  %-10s  %s\n", "task", "", "due", "kind", "state",
                "patient", "about");
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct cli_patient patient;
        rc = patient_id(cli, tasks[i].patient, &patient, err);
        if (rc == 0 && cli->json)
            (void)json_array_append_new(list, task_json(&tasks[i], &patient));
        else if (rc == 0)
            task_line(cli, &tasks[i], &patient);
    }
    if (rc < 0 || !cli->json) {
        json_decref(list);
        return rc;
    }
    return out_json(cli, json_pack("{s:o}", "tasks", list), err);
}

static int run_list(struct cli *cli, struct error *err)
{
    struct task_filter filter;
    struct arena arena;
    struct task *tasks;
    size_t count;
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = filter_of(cli, &filter, err);
    if (rc)
        return rc;
    arena_init(&arena, 0);
    rc = task_list(cli->store, &filter, &arena, &tasks, &count, err);
    if (rc == 0)
        rc = list_print(cli, tasks, count, "no open tasks; --all shows closed ones, too", err);
    arena_finish(&arena);
    return rc;
}

/* Opens the store for a change by whoever --user says. */
static int act_begin(struct cli *cli, const char *role, struct user *user, struct task_act *act,
                     struct error *err)
{
    int rc = cli_login(cli, role, user, err);
    *act = (struct task_act){.actor = user->login, .wall_ms = clock_wall_ms(cli->clock), .today = cli->today};
    return rc ? rc : store_write_begin(cli->store, err);
}

static int act_end(struct cli *cli, int rc, struct error *err)
{
    if (rc == 0)
        rc = store_write_commit(cli->store, err);
    if (cli->store)
        store_write_rollback(cli->store);
    return rc;
}

static void facts_print(struct cli *cli, const char *facts, const char *before)
{
    const char *key;
    json_t *value, *object = json_loads(facts, 0, NULL);
    json_object_foreach(object, key, value)
    {
        if (json_is_integer(value))
            fprintf(cli->out, "%s%-14s %" JSON_INTEGER_FORMAT "\n", before, key, json_integer_value(value));
        else
            fprintf(cli->out, "%s%-14s %s\n", before, key, json_string_value(value));
    }
    json_decref(object);
}

/* All that a task's page shows. */
struct task_page {
    struct task task;
    struct cli_patient patient;
    struct task_answer *answers;
    size_t answer_count;
    struct task_change *changes;
    size_t change_count;
};

static int page_load(struct cli *cli, int64_t id, struct arena *arena, struct task_page *page,
                     struct error *err)
{
    int rc = task_get(cli->store, id, arena, &page->task, err);
    if (rc == 0)
        rc = patient_id(cli, page->task.patient, &page->patient, err);
    if (rc == 0)
        rc = task_answers(cli->store, id, arena, &page->answers, &page->answer_count, err);
    if (rc == 0)
        rc = task_history(cli->store, id, arena, &page->changes, &page->change_count, err);
    return rc;
}

static int page_json(struct cli *cli, const struct task_page *page, struct error *err)
{
    json_t *answers = json_array(), *changes = json_array();
    for (size_t i = 0; i < page->answer_count; i++)
        (void)json_array_append_new(answers, answer_json(&page->answers[i]));
    for (size_t i = 0; i < page->change_count; i++) {
        const struct task_change *c = &page->changes[i];
        (void)json_array_append_new(
            changes, json_pack("{s:o, s:s, s:s, s:s, s:i, s:s}", "at", json_instant(c->at_ms), "by", c->actor,
                               "state", c->state, "level", c->level, "revision", c->revision, "why", c->why));
    }
    json_t *object = task_json(&page->task, &page->patient);
    if (object) {
        (void)json_object_set_new(object, "answers", answers);
        (void)json_object_set_new(object, "history", changes);
    }
    return out_json(cli, object, err);
}

static void page_print(struct cli *cli, const struct task_page *page)
{
    const struct task *t = &page->task;
    const struct task_kind_row *kind = &task_kinds[t->kind];
    char day[CIVIL_TEXT_BYTES], opened[CIVIL_TEXT_BYTES], at[INSTANT_TEXT_BYTES];
    struct buf results;
    civil_format(t->due_day, day);
    civil_format(t->opened_day, opened);
    fprintf(cli->out, "task %" PRId64 ": %s to the %s, %s%s%s\n", t->id, kind->title,
            task_party_text(kind->party), task_state_text(t->state), t->level == TASK_CALM ? "" : ", ",
            t->level == TASK_CALM ? "" : task_level_text(t->level));
    fprintf(cli->out, "  about          %s\n", t->subject);
    if (page->patient.shown[0])
        fprintf(cli->out, "  patient        %s\n", page->patient.shown);
    fprintf(cli->out, "  opened         %s by %s, due %s\n", opened, t->opened_by, day);
    fprintf(cli->out, "  written out    %s\n",
            t->sent == t->revision ? "yes" : "not yet: 'sachet tasks exchange' does it");
    facts_print(cli, t->facts, "  ");
    if (!task_state_closed(t->state)) {
        buf_init(&results);
        task_results_list(t->kind, &results);
        fprintf(cli->out, "  next           %s\n  may be answered: %s\n", task_next_step(t->kind, t->level),
                buf_string(&results));
        buf_finish(&results);
    }
    for (size_t i = 0; i < page->answer_count; i++) {
        const struct task_answer *a = &page->answers[i];
        fprintf(cli->out, "answer: %s%s (%s, %s)\n", task_result_text(a->result),
                a->stands ? "" : ", DOES NOT STAND", a->source, a->actor);
        if (a->until_day != CIVIL_DAY_NONE) {
            civil_format(a->until_day, day);
            fprintf(cli->out, "  %-14s %s\n", a->result == TASK_TOO_SOON ? "not before" : "until", day);
        }
        if (a->reference[0])
            fprintf(cli->out, "  reference      %s\n", a->reference);
        if (a->note[0])
            fprintf(cli->out, "  their words    %s\n", a->note);
        facts_print(cli, a->facts, "  ");
    }
    fputs("history:\n", cli->out);
    for (size_t i = 0; i < page->change_count; i++) {
        const struct task_change *c = &page->changes[i];
        instant_format(c->at_ms, at);
        fprintf(cli->out, "  %.16s  %-11s  %-8s  %s (%s)\n", at, c->state, c->level, c->why, c->actor);
    }
}

static int show(struct cli *cli, int64_t id, struct error *err)
{
    struct arena arena;
    struct task_page page;
    arena_init(&arena, 0);
    int rc = page_load(cli, id, &arena, &page, err);
    if (rc == 0 && cli->json)
        rc = page_json(cli, &page, err);
    else if (rc == 0)
        page_print(cli, &page);
    arena_finish(&arena);
    return rc;
}

static int run_show(struct cli *cli, struct error *err)
{
    int64_t id;
    int rc = ask_number(cli->argv[0], "task", &id, err);
    if (rc == 0)
        rc = cli_open_store(cli, err);
    return rc ? rc : show(cli, id, err);
}

/* KEY=VALUE of --fact into a facts object. */
static int fact_add(json_t *facts, const char *text, struct error *err)
{
    char key[40];
    const char *equals = strchr(text, '=');
    if (!equals || (size_t)(equals - text) >= sizeof key)
        return error_set(err, E_ARG, "--fact %.60s: KEY=VALUE is wanted", text);
    memcpy(key, text, (size_t)(equals - text));
    key[equals - text] = '\0';
    for (size_t i = 0; i < task_fact_count; i++) {
        if (strcmp(task_facts[i].key, key) != 0)
            continue;
        int64_t number = 0;
        if (task_facts[i].type == FACT_COUNT) {
            char *end;
            number = strtoll(equals + 1, &end, 10);
            if (end == equals + 1 || *end)
                return error_set(err, E_ARG, "--fact %.60s: a whole number is wanted", text);
        }
        (void)json_object_set_new(
            facts, key, task_facts[i].type == FACT_COUNT ? json_integer(number) : json_string(equals + 1));
        return 0;
    }
    return error_set(err, E_ARG, "--fact %.40s: no such fact; 'sachet tasks open --help' lists them", key);
}

/* All --fact options as JSON, for the caller to free(). */
static int facts_given(struct cli *cli, char **ret_facts, struct error *err)
{
    json_t *facts = json_object();
    int rc = 0;
    for (int i = 0; rc == 0 && i < cli->given_count; i++) {
        if (strcmp(cli->given[i].name, "fact") == 0)
            rc = fact_add(facts, cli->given[i].value, err);
    }
    char *text = rc == 0 ? json_dumps(facts, JSON_COMPACT) : NULL;
    json_decref(facts);
    if (rc == 0 && !text)
        rc = error_set(err, E_MEMORY, "out of memory reading facts");
    *ret_facts = text;
    return rc;
}

static int run_answer(struct cli *cli, struct error *err)
{
    struct user user;
    struct task_act act;
    struct task_answer answer = {
        .source = "by hand", .reference = cli_option(cli, "reference"), .note = cli_option(cli, "note")};
    char *facts = NULL;
    bool stands = false, overrule = cli_flag(cli, "overrule");
    int rc = ask_number(cli->argv[0], "task", &answer.task, err);
    if (rc == 0 && !task_result_parse(cli->argv[1], &answer.result))
        rc = error_set(err, E_ARG, "%.40s: no answer; 'sachet tasks show %s' lists what can be answered",
                       cli->argv[1], cli->argv[0]);
    if (rc == 0)
        rc = cli_option_day(cli, "until", CIVIL_DAY_NONE, &answer.until_day, err);
    if (rc == 0)
        rc = facts_given(cli, &facts, err);
    /* To set aside what a payer or prescriber said is a pharmacist's word. */
    if (rc == 0)
        rc = act_begin(cli, overrule ? USER_PHARMACIST : NULL, &user, &act, err);
    answer.facts = facts;
    if (rc == 0)
        rc = task_answer_put(cli->store, &act, &answer, overrule, &stands, err);
    rc = act_end(cli, rc, err);
    free(facts);
    if (rc == 0 && !stands)
        fprintf(stderr,
                "sachet: another answer stands; this one is kept beside it. --overrule by a pharmacist "
                "makes it count\n");
    return rc ? rc : show(cli, answer.task, err);
}

static int run_cancel(struct cli *cli, struct error *err)
{
    struct user user;
    struct task_act act;
    int64_t id;
    const char *why = cli_option(cli, "why");
    int rc = ask_number(cli->argv[0], "task", &id, err);
    if (rc == 0 && !why)
        rc = error_set(err, E_ARG, "why is it not wanted any more? give --why TEXT");
    if (rc == 0)
        rc = act_begin(cli, NULL, &user, &act, err);
    if (rc == 0)
        rc = task_cancel(cli->store, &act, id, why, err);
    rc = act_end(cli, rc, err);
    return rc ? rc : show(cli, id, err);
}

static int run_open(struct cli *cli, struct error *err)
{
    struct user user;
    struct task_act act;
    struct task_request request = {.subject = cli->argv[1], .again = cli_flag(cli, "again")};
    enum task_opening opening = TASK_OPENED;
    char *facts = NULL;
    int64_t id = 0;
    int rc =
        task_kind_parse(cli->argv[0], &request.kind)
            ? 0
            : error_set(err, E_ARG, "%.40s: no such kind; 'sachet tasks --help' lists them", cli->argv[0]);
    if (rc == 0)
        rc = cli_option_day(cli, "due", CIVIL_DAY_NONE, &request.due_day, err);
    if (rc == 0)
        rc = facts_given(cli, &facts, err);
    if (rc == 0)
        rc = cli_open_store(cli, err);
    if (rc == 0 && cli_option(cli, "patient"))
        rc = input_find_patient(cli->store, cli_option(cli, "patient"), &request.patient, err);
    if (rc == 0)
        rc = act_begin(cli, NULL, &user, &act, err);
    request.facts = facts;
    if (rc == 0)
        rc = task_open(cli->store, &act, &request, &id, &opening, err);
    rc = act_end(cli, rc, err);
    free(facts);
    if (rc == 0 && opening != TASK_OPENED)
        fprintf(stderr, "sachet: %s\n",
                opening == TASK_STANDS ? "the same was asked already, and is open"
                                       : "the same was asked before, and answered; --again asks once more");
    return rc ? rc : show(cli, id, err);
}

static int run_due(struct cli *cli, struct error *err)
{
    struct arena arena;
    struct task *tasks;
    size_t count = 0, kept = 0;
    int rc = cli_open_store(cli, err);
    if (rc)
        return rc;
    arena_init(&arena, 0);
    rc = task_list(cli->store, &TASK_FILTER_OPEN, &arena, &tasks, &count, err);
    /* As the levels are today, whether a round of messages has stored them or not. */
    for (size_t i = 0; rc == 0 && i < count; i++) {
        enum task_level level =
            task_level_on(tasks[i].kind, tasks[i].opened_day, tasks[i].due_day, cli->today);
        if (level > tasks[i].level)
            tasks[i].level = level;
        if (tasks[i].level >= TASK_URGENT || tasks[i].state == TASK_ON_HOLD ||
            task_kinds[tasks[i].kind].party == PARTY_PHARMACY)
            tasks[kept++] = tasks[i];
    }
    if (rc == 0)
        rc = list_print(cli, tasks, kept, "nothing needs a person today", err);
    for (size_t i = 0; rc == 0 && !cli->json && i < kept; i++)
        fprintf(cli->out, "%s%5" PRId64 ": %s\n", i == 0 ? "next:\n" : "", tasks[i].id,
                task_next_step(tasks[i].kind, tasks[i].level));
    arena_finish(&arena);
    return rc ? rc : kept ? CLI_FOUND : 0;
}

static const struct cli_option_row list_options[] = {
    {"patient", "PATIENT", "only this patient's"},
    {"party", "PARTY", "only those asked of prescriber, payer, patient or pharmacy"},
    {"kind", "KIND", "only this kind"},
    {"all", NULL, "closed ones, too"},
    {NULL, NULL, NULL}};
static const struct cli_option_row answer_options[] = {
    {"until", "DATE", "too-soon: the first day that is not; else until when it holds"},
    {"reference", "TEXT", "their number for it"},
    {"note", "TEXT", "what they said"},
    {"fact", "KEY=VALUE",
     "what was granted: quantity, days, repeats, valid_from, valid_to, copay_cents, ..."},
    {"overrule", NULL, "count this one instead of the answer that stands (a pharmacist)"},
    {NULL, NULL, NULL}};
static const struct cli_option_row cancel_options[] = {{"why", "TEXT", "why it is not wanted any more"},
                                                       {NULL, NULL, NULL}};
static const struct cli_option_row open_options[] = {
    {"patient", "PATIENT", "whom it is about"},
    {"due", "DATE", "last day on which an answer is in time"},
    {"fact", "KEY=VALUE",
     "order, drug, product, reason, text, quantity, days, fill_date, needed_by, earliest, next_date, "
     "next_quantity, next_days, repeats, valid_from, valid_to, anchor, plan, task"},
    {"again", NULL, "ask once more although an answer is there"},
    {NULL, NULL, NULL}};

static const struct cli_verb rows[] = {
    {
        .name = "tasks",
        .args = "",
        .summary = "List what is asked of prescribers, payers, patients and the house",
        .details =
            "The most urgent first. Kinds: renewal, change (prescriber); eligibility, test-claim, override,\n"
            "prior-authorization (payer); notice, pre-shipment (patient); purchase, work (pharmacy). A task\n"
            "rises as its due day comes near and passes: reminded, urgent, overdue. Silence is no answer.",
        .options = list_options,
        .run = run_list,
    },
    {
        .name = "tasks due",
        .args = "",
        .summary = "List what a person must do today: urgent, overdue, asked back, and the house's own",
        .details = "Status 1 when there is something.",
        .run = run_due,
        .findings = true,
    },
    {
        .name = "tasks show",
        .args = "TASK",
        .args_min = 1,
        .args_max = 1,
        .summary = "Show a task, its answers and its history",
        .run = run_show,
    },
    {
        .name = "tasks open",
        .args = "KIND SUBJECT",
        .args_min = 2,
        .args_max = 2,
        .summary = "Ask something by hand",
        .details = "SUBJECT says what it is about and makes it one task: the same kind, patient and subject\n"
                   "is never asked twice at a time.",
        .options = open_options,
        .run = run_open,
    },
    {
        .name = "tasks answer",
        .args = "TASK ANSWER",
        .args_min = 2,
        .args_max = 2,
        .summary = "Enter an answer that came by phone or paper",
        .details = "ANSWER: approved, changed, denied, too-soon (with --until), needs-more, done.",
        .options = answer_options,
        .run = run_answer,
    },
    {
        .name = "tasks cancel",
        .args = "TASK",
        .args_min = 1,
        .args_max = 1,
        .summary = "Take a request back",
        .options = cancel_options,
        .run = run_cancel,
    },
    {
        .name = "tasks update",
        .args = "",
        .summary = "Open, revise and close tasks as the calendars and rolls of all patients call for today",
        .details = "Renewals, changes, eligibility, test claims, overrides, prior authorizations, notices, "
                   "pre-shipment\n"
                   "checks, purchases and the work of each roll: what is missing is opened, what nothing "
                   "calls for any\n"
                   "more is taken back; tasks that a person opened are left alone. `tasks exchange` does it, "
                   "too, and\n"
                   "`plan` for its patient. partners.asks of the site says which kinds. Status 1 when the "
                   "calendar of a\n"
                   "patient cannot be made.",
        .run = tasks_update,
        .findings = true,
    },
    {
        .name = "tasks exchange",
        .args = "",
        .summary = "Read answers from the inbox, write requests into the outbox",
        .details =
            "One round: answers first, then what calendars and rolls call for (as `tasks update`), then the "
            "tasks\n"
            "that rise, then what the others must hear, as FHIR R4\n"
            "files in partners.outbox. Run it by a timer; it may be cut off and begun again at any point.\n"
            "What cannot be read goes to INBOX/refused with its reason; status 1 then.",
        .run = tasks_exchange,
        .findings = true,
    },
};
const struct cli_group verbs_tasks = {
    .title = "Prescribers, payers, patients", .rows = rows, .count = sizeof rows / sizeof rows[0]};
