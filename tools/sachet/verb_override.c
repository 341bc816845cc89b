/* SPDX-License-Identifier: Apache-2.0 */
/* override, consent: words of people without which a product or a patient's roll is not packed. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/plan/packing.h"
#include "controller/review/consent.h"
#include "controller/review/override_word.h"
#include "controller/review/sign.h"
#include "controller/seal/seal.h"
#include "controller/stock/product.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/signer.h"
#include "tools/sachet/verbs.h"

static int number_of(const char *text, const char *what, int64_t *ret_id, struct error *err)
{
    char *end;
    long long id = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || id < 1)
        return error_set(err, E_ARG, "%.40s: give the number of the %s", text, what);
    *ret_id = id;
    return 0;
}

/* What a list ends with: one object for machines, a word where there is nothing. Takes list. */
static int list_end(struct cli *cli, const char *what, json_t *list, size_t count, struct error *err)
{
    if (cli->json)
        return out_json(cli, json_pack("{s:o}", what, list), err);
    json_decref(list);
    if (count == 0)
        fprintf(cli->out, "no %s\n", what);
    return 0;
}

/* ---- overrides ---- */

struct signing {
    struct review_rules rules;
    struct user user;
    struct seal_key *key;
};

static int signing_begin(struct cli *cli, struct signing *s, struct error *err)
{
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = review_rules_of(cli->site, cli->clock, &s->rules, err);
    return status < 0 ? status : signer_open(cli, "to stand for it", &s->user, &s->key, err);
}

static void signing_end(struct signing *s)
{
    seal_key_close(s->key);
    review_rules_finish(&s->rules);
}

static int run_override_add(struct cli *cli, struct error *err)
{
    struct signing s = {0};
    struct override_asked asked = {.product = cli->argv[0], .reason = cli_option(cli, "reason")};
    int64_t id = 0;
    bool red = false;
    if (!asked.reason || !cli_option(cli, "until"))
        return error_set(err, E_ARG, "give --reason TEXT and --until DATE: an override says why and ends");
    int status = cli_option_day(cli, "until", cli->today, &asked.until_day, err);
    if (status == 0)
        status = cli_option_day(cli, "from", cli->today, &asked.from_day, err);
    if (status == 0)
        status = signing_begin(cli, &s, err);
    if (status == 0)
        status = override_add(cli->store, s.rules.products, &asked, cli->today, &s.user, s.key,
                              clock_wall_ms(cli->clock), &id, &red, err);
    signing_end(&s);
    if (status < 0)
        return status;
    if (cli->json)
        return out_json(cli,
                        json_pack("{s:I,s:s,s:b,s:b}", "override", (json_int_t)id, "product", asked.product,
                                  "red", (int)red, "holds", (int)!red),
                        err);
    if (red)
        fprintf(cli->out,
                "override %" PRId64
                " for %s: its rule is red, it counts when a second pharmacist stands for it: "
                "sachet override second %" PRId64 "\n",
                id, asked.product, id);
    else
        fprintf(cli->out, "override %" PRId64 " for %s stands; plan again where it waited\n", id,
                asked.product);
    return 0;
}

static int run_override_second(struct cli *cli, struct error *err)
{
    struct signing s = {0};
    int64_t id = 0;
    int status = number_of(cli->argv[0], "override", &id, err);
    if (status == 0)
        status = signing_begin(cli, &s, err);
    if (status == 0)
        status = override_second(cli->store, s.rules.products, id, cli->today, &s.user, s.key,
                                 clock_wall_ms(cli->clock), err);
    signing_end(&s);
    if (status < 0)
        return status;
    if (cli->json)
        return out_json(cli, json_pack("{s:I,s:b}", "override", (json_int_t)id, "holds", 1), err);
    fprintf(cli->out, "override %" PRId64 " stands with two persons; plan again where it waited\n", id);
    return 0;
}

static int run_override_revoke(struct cli *cli, struct error *err)
{
    struct user user;
    int64_t id = 0;
    const char *reason = cli_option(cli, "reason");
    if (!reason)
        return error_set(err, E_ARG, "why? give --reason TEXT");
    int status = number_of(cli->argv[0], "override", &id, err);
    if (status == 0)
        status = cli_open_store(cli, err);
    if (status == 0)
        status = cli_login(cli, USER_PHARMACIST, &user, err);
    if (status == 0)
        status = override_revoke(cli->store, id, reason, &user, clock_wall_ms(cli->clock), err);
    if (status < 0)
        return status;
    if (cli->json)
        return out_json(cli, json_pack("{s:I,s:b}", "override", (json_int_t)id, "holds", 0), err);
    fprintf(cli->out, "override %" PRId64 " has ended; plans that need it are not packed any more\n", id);
    return 0;
}

/* Why a row does not count today; NULL: it does. */
static const char *trouble_of(struct cli *cli, struct packing *packing, const struct override_row *row)
{
    struct product product;
    struct packing_verdict verdict;
    const char *why = NULL;
    if (row->ended)
        return "ended";
    if (override_verify(cli->store, row, NULL) < 0)
        return "is not what was signed";
    if (product_get(cli->store, row->said.product, &product, NULL) < 0 ||
        packing_of(packing, &product, &verdict, NULL) < 0)
        return "its product is not in the formulary";
    if (verdict.policy != RULES_PHARMACIST)
        return "no rule asks for it any more";
    return override_holds(&row->said, &verdict, cli->today, &why) ? NULL : why;
}

static void override_show(struct cli *cli, const struct override_row *row, const char *why, json_t *list)
{
    char from[CIVIL_TEXT_BYTES], until[CIVIL_TEXT_BYTES];
    const struct plan_override *said = &row->said;
    civil_format(said->from_day, from);
    civil_format(said->until_day, until);
    if (cli->json) {
        (void)json_array_append_new(
            list,
            json_pack("{s:I,s:s,s:s,s:b,s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:s}", "override", (json_int_t)said->id,
                      "product", said->product, "rule", said->rule, "red", (int)said->red, "reason",
                      said->reason, "from", from, "until", until, "by", said->login, "second", said->second,
                      "holds", (int)(why == NULL), "why", why ? why : "", "ended_by", row->ended_by));
        return;
    }
    fprintf(cli->out, "%4" PRId64 "  %-16s %-24s %s to %s  %s%s%s  %s%s%s\n      %s\n", said->id,
            said->product, said->rule, from, until, said->login, said->second[0] ? " and " : "", said->second,
            why ? "DOES NOT COUNT: " : "counts", why ? why : "", said->red ? "  (red)" : "", said->reason);
}

static int run_override_list(struct cli *cli, struct error *err)
{
    struct review_rules rules = {0};
    struct arena arena;
    struct override_row *rows = NULL;
    size_t count = 0;
    json_t *list = json_array();
    arena_init(&arena, 0);
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = review_rules_of(cli->site, cli->clock, &rules, err);
    if (status == 0)
        status = override_load(cli->store, NULL, cli_flag(cli, "all"), &arena, &rows, &count, err);
    for (size_t i = 0; status == 0 && i < count; i++)
        override_show(cli, &rows[i], trouble_of(cli, rules.products, &rows[i]), list);
    if (status == 0)
        status = list_end(cli, "overrides", list, count, err);
    else
        json_decref(list);
    review_rules_finish(&rules);
    arena_finish(&arena);
    return status;
}

/* ---- consents ---- */

static int kind_of(const char *word, enum consent_kind *ret_kind, struct error *err)
{
    for (int i = 0; word && i < CONSENT_KINDS; i++) {
        if (strcmp(word, consent_kinds[i]) == 0) {
            *ret_kind = (enum consent_kind)i;
            return 0;
        }
    }
    return error_set(err, E_ARG, "give --kind packing, outer or declined");
}

static int consent_read(struct cli *cli, struct consent *consent, struct error *err)
{
    const char *by = cli_option(cli, "by");
    int status = kind_of(cli_option(cli, "kind"), &consent->kind, err);
    consent->given_by = consent->kind == CONSENT_OUTER && !by ? "house" : by;
    consent->note = cli_option(cli, "note");
    if (status == 0 && (!consent->given_by || !consent->note))
        return error_set(err, E_ARG,
                         "give --by patient, carer or prescriber, and --note TEXT: how it was given");
    if (status == 0)
        status = cli_option_day(cli, "from", cli->today, &consent->from_day, err);
    return status < 0 ? status : cli_option_day(cli, "until", CIVIL_DAY_NONE, &consent->until_day, err);
}

static int run_consent_add(struct cli *cli, struct error *err)
{
    struct consent consent = {0};
    struct user user;
    int64_t *patients = NULL, id = 0;
    size_t count = 0;
    int status = consent_read(cli, &consent, err);
    if (status == 0)
        status = cli_open_store(cli, err);
    if (status == 0)
        status = cli_patients(cli, &patients, &count, err);
    if (status == 0)
        status = cli_login(cli, NULL, &user, err);
    for (size_t i = 0; status == 0 && i < count; i++) {
        consent.patient = patients[i];
        status = consent_add(cli->store, &consent, &user, clock_wall_ms(cli->clock), &id, err);
        if (status == 0 && cli->json)
            status = out_json(cli,
                              json_pack("{s:I,s:I,s:s}", "consent", (json_int_t)id, "patient",
                                        (json_int_t)consent.patient, "kind", consent_kinds[consent.kind]),
                              err);
    }
    free(patients);
    if (status == 0 && !cli->json)
        fprintf(cli->out, "%zu consent%s recorded: %s, given by %s\n", count, count == 1 ? "" : "s",
                consent_kinds[consent.kind], consent.given_by);
    return status;
}

static int run_consent_end(struct cli *cli, struct error *err)
{
    struct user user;
    int64_t id = 0;
    int status = number_of(cli->argv[0], "consent", &id, err);
    if (status == 0)
        status = cli_open_store(cli, err);
    if (status == 0)
        status = cli_login(cli, NULL, &user, err);
    if (status == 0)
        status = consent_end(cli->store, id, &user, clock_wall_ms(cli->clock), err);
    if (status < 0)
        return status;
    if (cli->json)
        return out_json(cli, json_pack("{s:I,s:b}", "consent", (json_int_t)id, "ended", 1), err);
    fprintf(cli->out, "consent %" PRId64 " has ended\n", id);
    return 0;
}

static void consent_show(struct cli *cli, const struct consent *c, json_t *list)
{
    char from[CIVIL_TEXT_BYTES], until[CIVIL_TEXT_BYTES] = "";
    civil_format(c->from_day, from);
    if (c->until_day != CIVIL_DAY_NONE)
        civil_format(c->until_day, until);
    if (cli->json) {
        (void)json_array_append_new(
            list, json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "consent", (json_int_t)c->id, "kind",
                            consent_kinds[c->kind], "given_by", c->given_by, "from", from, "until", until,
                            "note", c->note, "recorded_by", c->actor, "ended_by", c->ended_by));
        return;
    }
    fprintf(cli->out, "%4" PRId64 "  %-9s by %-10s from %s%s%s%s%s  %s\n", c->id, consent_kinds[c->kind],
            c->given_by, from, until[0] ? " to " : "", until, c->ended_by[0] ? "  ENDED by " : "",
            c->ended_by, c->note);
}

static int run_consent_list(struct cli *cli, struct error *err)
{
    struct arena arena;
    struct consent *consents = NULL;
    int64_t *patients = NULL;
    size_t patient_count = 0, count = 0;
    json_t *list = json_array();
    arena_init(&arena, 0);
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = cli_patients(cli, &patients, &patient_count, err);
    if (status == 0)
        status = consent_load(cli->store, patients[0], &arena, &consents, &count, err);
    for (size_t i = 0; status == 0 && i < count; i++)
        consent_show(cli, &consents[i], list);
    if (status == 0)
        status = list_end(cli, "consents", list, count, err);
    else
        json_decref(list);
    free(patients);
    arena_finish(&arena);
    return status;
}

static const struct cli_option_row add_options[] = {
    {"reason", "TEXT", "why this product may be packed all the same, 10 to 300 characters"},
    {"until", "DATE", "last day on which it may be packed, at most 366 days after the first"},
    {"from", "DATE", "first day (else today)"},
    {NULL, NULL, NULL}};
static const struct cli_option_row revoke_options[] = {{"reason", "TEXT", "why, 10 to 300 characters"},
                                                       {NULL, NULL, NULL}};
static const struct cli_option_row list_options[] = {{"all", NULL, "ended ones, too"}, {NULL, NULL, NULL}};
static const struct cli_option_row consent_options[] = {
    {"kind", "KIND", "packing (several drugs in a pouch), outer (child-resistant outer package), declined"},
    {"by", "WHO", "patient, carer or prescriber; outer is the house's own word"},
    {"note", "TEXT", "how it was given, 3 to 200 characters"},
    {"from", "DATE", "first day (else today)"},
    {"until", "DATE", "last day (else until it is ended)"},
    {"all", NULL, "every patient"},
    {NULL, NULL, NULL}};

static const struct cli_verb rows[] = {
    {
        .name = "override add",
        .args = "PRODUCT",
        .args_min = 1,
        .args_max = 1,
        .summary = "Let a product into pouches that a packing rule leaves to a pharmacist",
        .details =
            "Signed by the pharmacist (--user), with a reason and an end. Where the rule is red it counts\n"
            "only when a second pharmacist says `override second`. A rule that changes ends it, and so\n"
            "does `override revoke`: plans that need it are not packed any more.",
        .options = add_options,
        .run = run_override_add,
    },
    {
        .name = "override second",
        .args = "N",
        .args_min = 1,
        .args_max = 1,
        .summary = "Stand for an override of a red rule as the second pharmacist",
        .run = run_override_second,
    },
    {
        .name = "override revoke",
        .args = "N",
        .args_min = 1,
        .args_max = 1,
        .summary = "End an override, as a pharmacist",
        .options = revoke_options,
        .run = run_override_revoke,
    },
    {
        .name = "override list",
        .args = "",
        .summary = "List overrides, and whether each counts today",
        .options = list_options,
        .run = run_override_list,
    },
    {
        .name = "consent add",
        .args = "[PATIENT…]",
        .args_min = 0,
        .args_max = -1,
        .summary = "Record what patients agreed to, where the jurisdiction asks for it",
        .options = consent_options,
        .run = run_consent_add,
    },
    {
        .name = "consent end",
        .args = "N",
        .args_min = 1,
        .args_max = 1,
        .summary = "Record that a consent was taken back",
        .run = run_consent_end,
    },
    {
        .name = "consent list",
        .args = "PATIENT",
        .args_min = 1,
        .args_max = 1,
        .summary = "List a patient's consents",
        .run = run_consent_list,
    },
};
const struct cli_group verbs_override = {
    .title = "Overrides and consents", .rows = rows, .count = sizeof rows / sizeof rows[0]};
