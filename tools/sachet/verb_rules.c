/* SPDX-License-Identifier: Apache-2.0 */
/* rules list and rules show: which timing and packing rules speak of a drug, why, and which nearly do. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "config/base/error.h"
#include "config/conf.h"
#include "config/rules.h"
#include "controller/plan/policy.h"
#include "controller/seal/seal.h"
#include "controller/stock/product.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/rules.h"
#include "tools/sachet/verbs.h"

/* What is asked about; the product owns the texts. */
struct asked {
    struct product product; /* code "": a drug by name */
    struct rules_product look;
};

/* Keys of a rule that carry figures, as in the file. */
static const char *const figures[] = {"after",   "before",        "or_with_food",  "gap_min",
                                      "gap_max", "overnight_min", "overnight_max", "uneven",
                                      "within",  "every_days",    "cost",          NULL};
static const char *const window_figures[] = {"before", "after", "min", "max", "within", "from", "to", NULL};

static json_t *texts_json(const struct conf *conf, int rule, const char *list)
{
    json_t *texts = json_array();
    for (int i = 0; i < conf_count(conf, "rules[%d].%s", rule, list); i++)
        json_array_append_new(texts, json_string(conf_text(conf, "rules[%d].%s[%d]", rule, list, i)));
    return texts;
}

static json_t *match_json(const struct conf *conf, int rule, const char *group)
{
    static const char *const lists[] = {"ingredients", "classes", "forms", "releases"};
    json_t *match = json_object();
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s.%s", group, lists[i]); /* fits */
        if (conf_count(conf, "rules[%d].%s", rule, path) > 0)
            json_object_set_new(match, lists[i], texts_json(conf, rule, path));
    }
    return match;
}

static json_t *windows_json(const struct conf *conf, int rule)
{
    json_t *windows = json_array();
    for (int i = 0; i < conf_count(conf, "rules[%d].windows", rule); i++) {
        json_t *window = json_object();
        char path[64];
        json_object_set_new(window, "kind",
                            json_string(conf_text(conf, "rules[%d].windows[%d].kind", rule, i)));
        (void)snprintf(path, sizeof path, "windows[%d].meals", i); /* fits */
        if (conf_count(conf, "rules[%d].%s", rule, path) > 0)
            json_object_set_new(window, "meals", texts_json(conf, rule, path));
        for (size_t k = 0; window_figures[k]; k++) {
            if (conf_has(conf, "rules[%d].windows[%d].%s", rule, i, window_figures[k]))
                json_object_set_new(
                    window, window_figures[k],
                    json_integer(conf_int(conf, "rules[%d].windows[%d].%s", rule, i, window_figures[k])));
        }
        json_array_append_new(windows, window);
    }
    return windows;
}

/* A timing rule as JSON; minutes for all durations. */
static json_t *timing_json(const struct conf *conf, int rule)
{
    json_t *object = json_object();
    static const char *const texts[] = {"id", "kind", "severity", "cite", "state", "text"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_object_set_new(object, texts[i], json_string(conf_text(conf, "rules[%d].%s", rule, texts[i])));
    json_object_set_new(object, "match", match_json(conf, rule, "match"));
    if (conf_has(conf, "rules[%d].match.times", rule))
        json_object_set_new(object, "times", json_integer(conf_int(conf, "rules[%d].match.times", rule)));
    if (conf_has(conf, "rules[%d].other", rule))
        json_object_set_new(object, "other",
                            conf_bool(conf, "rules[%d].other.any", rule) ? json_string("any")
                                                                         : match_json(conf, rule, "other"));
    if (conf_count(conf, "rules[%d].windows", rule) > 0)
        json_object_set_new(object, "windows", windows_json(conf, rule));
    for (size_t i = 0; figures[i]; i++) {
        if (!conf_has(conf, "rules[%d].%s", rule, figures[i]))
            continue;
        bool flag = strcmp(figures[i], "or_with_food") == 0 || strcmp(figures[i], "uneven") == 0;
        json_object_set_new(object, figures[i],
                            flag ? json_boolean(conf_bool(conf, "rules[%d].%s", rule, figures[i]))
                                 : json_integer(conf_int(conf, "rules[%d].%s", rule, figures[i])));
    }
    return object;
}

static json_t *packing_json(const struct conf *conf, int rule)
{
    json_t *object = json_object();
    static const char *const texts[] = {"id", "policy", "reason", "source", "state"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_object_set_new(object, texts[i], json_string(conf_text(conf, "rules[%d].%s", rule, texts[i])));
    json_object_set_new(object, "match", match_json(conf, rule, "match"));
    return object;
}

/* "ingredients: a, b; releases: IR" */
static void print_match(FILE *out, json_t *match)
{
    const char *key;
    json_t *list;
    const char *between = "";
    json_object_foreach(match, key, list)
    {
        fprintf(out, "%s%s", between, key);
        for (size_t i = 0; i < json_array_size(list); i++)
            fprintf(out, "%s%s", i ? ", " : " ", json_string_value(json_array_get(list, i)));
        between = "; ";
    }
}

static void print_figures(FILE *out, const json_t *object, const char *const *names)
{
    for (size_t i = 0; names[i]; i++) {
        const json_t *value = json_object_get(object, names[i]);
        if (json_is_integer(value))
            fprintf(out, " %s %lld%s", names[i], (long long)json_integer_value(value),
                    strcmp(names[i], "cost") == 0 || strcmp(names[i], "every_days") == 0 ? "" : " min");
        else if (json_is_true(value))
            fprintf(out, " %s", names[i]);
    }
}

static const char *text_of(const json_t *rule, const char *key)
{
    const char *text = json_string_value(json_object_get(rule, key));
    return text ? text : "";
}

static void print_timing(FILE *out, const json_t *rule)
{
    json_t *other = json_object_get(rule, "other"), *windows = json_object_get(rule, "windows");
    fprintf(out, "  %s (%s, %s)", text_of(rule, "id"), text_of(rule, "kind"), text_of(rule, "severity"));
    print_figures(out, rule, figures);
    for (size_t i = 0; i < json_array_size(windows); i++) {
        const json_t *window = json_array_get(windows, i);
        fprintf(out, "%s %s", i ? " or" : "", text_of(window, "kind"));
        print_figures(out, window, window_figures);
    }
    fprintf(out, "\n      matched by %s", text_of(rule, "as"));
    if (json_object_get(rule, "as"))
        fputs(": ", out);
    print_match(out, json_object_get(rule, "match"));
    if (json_object_get(rule, "times"))
        fprintf(out, "; only %lld doses a day",
                (long long)json_integer_value(json_object_get(rule, "times")));
    if (other) {
        fputs("\n      with ", out);
        if (json_is_string(other))
            fputs("any other drug", out);
        else
            print_match(out, other);
    }
    fprintf(out, "\n      \"%s\"\n      %s [%s]\n", text_of(rule, "text"), text_of(rule, "cite"),
            text_of(rule, "state"));
    if (json_object_get(rule, "differs"))
        fprintf(out, "      NOT used: %s\n", text_of(rule, "differs"));
}

static void print_packing(FILE *out, const json_t *rule)
{
    fprintf(out, "  %s (%s)\n      matched by ", text_of(rule, "id"), text_of(rule, "policy"));
    print_match(out, json_object_get(rule, "match"));
    fprintf(out, "\n      %s\n      %s [%s]\n", text_of(rule, "reason"), text_of(rule, "source"),
            text_of(rule, "state"));
    if (json_object_get(rule, "differs"))
        fprintf(out, "      NOT used: %s\n", text_of(rule, "differs"));
}

/* Form or release that a rule asks for and the product does not have. */
static json_t *differs_json(unsigned difference, const struct rules_product *look)
{
    char text[256];
    (void)snprintf(
        text, sizeof text, "%s%s%s%s%s", difference & RULES_FORM ? "the form is " : "", /* may be cut */
        difference & RULES_FORM ? (look->form && look->form[0] ? look->form : "not known") : "",
        difference == (RULES_FORM | RULES_RELEASE) ? ", " : "",
        difference & RULES_RELEASE ? "the release is " : "",
        difference & RULES_RELEASE ? (look->release && look->release[0] ? look->release : "not known") : "");
    return json_string(text);
}

static json_t *file_json(const struct conf *conf)
{
    size_t len;
    uint8_t hash[SEAL_HASH_BYTES];
    char text[SEAL_HASH_TEXT_BYTES];
    const void *bytes = conf_bytes(conf, &len);
    seal_hash(bytes, len, hash);
    seal_hash_text(hash, text);
    return json_pack("{s:s,s:s,s:s,s:i}", "file", conf_file(conf), "version", conf_text(conf, "version"),
                     "hash", text, "rules", conf_count(conf, "rules"));
}

static void print_file(FILE *out, const char *what, const json_t *file)
{
    fprintf(out, "%s rules %s, version %s, %lld rules\n    hash %s\n", what, text_of(file, "file"),
            text_of(file, "version"), (long long)json_integer_value(json_object_get(file, "rules")),
            text_of(file, "hash"));
}

/* A rule by form alone says nothing of a drug. */
static bool names_drug(const struct conf *conf, int rule, const char *group)
{
    return conf_count(conf, "rules[%d].%s.ingredients", rule, group) +
               conf_count(conf, "rules[%d].%s.classes", rule, group) >
           0;
}

struct sorted {
    json_t *used;  /* rules that name the product */
    json_t *near;  /* of which only form or release differ */
    json_t *every; /* ids of those whose partner is every drug */
};

static struct sorted sort_rules(const struct conf *conf, bool timing, const struct rules_product *look)
{
    struct sorted sorted = {json_array(), json_array(), json_array()};
    for (int i = 0; i < conf_count(conf, "rules"); i++) {
        if (timing && conf_bool(conf, "rules[%d].other.any", i) && rules_difference(conf, i, false, look))
            json_array_append_new(sorted.every, json_string(conf_text(conf, "rules[%d].id", i)));
        for (int other = 0; other <= (timing ? 1 : 0); other++) {
            unsigned difference = rules_difference(conf, i, other != 0, look);
            bool any = other && conf_bool(conf, "rules[%d].other.any", i);
            if (any || difference & RULES_DRUG ||
                (difference && !names_drug(conf, i, other ? "other" : "match")))
                continue;
            json_t *rule = timing ? timing_json(conf, i) : packing_json(conf, i);
            if (timing)
                json_object_set_new(rule, "as", json_string(other ? "its partner" : "the drug itself"));
            if (difference)
                json_object_set_new(rule, "differs", differs_json(difference, look));
            json_array_append_new(difference ? sorted.near : sorted.used, rule);
        }
    }
    return sorted;
}

static void print_every(FILE *out, const json_t *ids)
{
    if (json_array_size(ids) > 0)
        fputs("\nHELD TO EVERY DRUG, where one of theirs is taken, too\n ", out);
    for (size_t i = 0; i < json_array_size(ids); i++)
        fprintf(out, " %s", json_string_value(json_array_get(ids, i)));
    if (json_array_size(ids) > 0)
        fputc('\n', out);
}

static void print_rules(FILE *out, const char *title, const json_t *rules, bool timing)
{
    if (json_array_size(rules) > 0)
        fprintf(out, "\n%s\n", title);
    for (size_t i = 0; i < json_array_size(rules); i++)
        (timing ? print_timing : print_packing)(out, json_array_get(rules, i));
}

/* A code of the formulary, else an ingredient. */
static int asked_find(struct cli *cli, struct asked *asked, struct error *err)
{
    const char *form = cli_option(cli, "form"), *release = cli_option(cli, "release");
    int status = product_code_ok(cli->argv[0]) ? product_get(cli->store, cli->argv[0], &asked->product, err)
                                               : E_NOT_FOUND;
    if (status < 0 && status != E_NOT_FOUND)
        return status;
    if (status < 0)
        asked->look = (struct rules_product){cli->argv[0], form, release};
    else
        asked->look = (struct rules_product){asked->product.ingredient, form ? form : asked->product.form,
                                             release ? release : asked->product.release};
    return 0;
}

static int run_show(struct cli *cli, struct error *err)
{
    struct site_rules rules;
    struct asked asked = {0};
    int status = site_rules_open(cli, &rules, err);
    if (status == 0)
        status = asked_find(cli, &asked, err);
    if (status < 0) {
        site_rules_close(&rules);
        return status;
    }
    struct sorted timing = sort_rules(rules.timing, true, &asked.look);
    struct sorted packing = sort_rules(rules.packing, false, &asked.look);
    json_decref(packing.every);
    json_t *object = json_pack(
        "{s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "product", asked.product.code, "ingredient",
        asked.look.ingredient, "form", asked.look.form ? asked.look.form : "", "release",
        asked.look.release ? asked.look.release : "", "timing_file", file_json(rules.timing), "packing_file",
        file_json(rules.packing), "timing", timing.used, "timing_near", timing.near, "packing", packing.used,
        "packing_near", packing.near, "held_to_every_drug", timing.every);
    site_rules_close(&rules);
    if (!object)
        return error_set(err, E_MEMORY, "no memory for the rules");
    if (cli->json)
        return out_json(cli, object, err);
    fprintf(cli->out, "%s%s%s; form %s, release %s\n", asked.product.code, asked.product.code[0] ? ": " : "",
            text_of(object, "ingredient"), text_of(object, "form")[0] ? text_of(object, "form") : "not known",
            text_of(object, "release")[0] ? text_of(object, "release") : "not known");
    print_file(cli->out, "timing", json_object_get(object, "timing_file"));
    print_file(cli->out, "packing", json_object_get(object, "packing_file"));
    print_rules(cli->out, "TIMING", timing.used, true);
    print_rules(cli->out, "PACKING (the strictest counts)", packing.used, false);
    print_rules(cli->out, "NEARLY, timing", timing.near, true);
    print_rules(cli->out, "NEARLY, packing", packing.near, false);
    print_every(cli->out, timing.every);
    if (json_array_size(timing.used) + json_array_size(packing.used) == 0)
        fprintf(cli->out, "\nno rule names it: check the spelling of the ingredient\n");
    json_decref(object);
    return 0;
}

static int run_list(struct cli *cli, struct error *err)
{
    struct site_rules rules;
    int status = site_rules_open(cli, &rules, err);
    if (status < 0) {
        site_rules_close(&rules);
        return status;
    }
    json_t *timing = json_array(), *packing = json_array();
    for (int i = 0; i < conf_count(rules.timing, "rules"); i++)
        json_array_append_new(timing, timing_json(rules.timing, i));
    for (int i = 0; i < conf_count(rules.packing, "rules"); i++)
        json_array_append_new(packing, packing_json(rules.packing, i));
    json_t *object = json_pack("{s:o,s:o,s:o,s:o}", "timing_file", file_json(rules.timing), "packing_file",
                               file_json(rules.packing), "timing", timing, "packing", packing);
    site_rules_close(&rules);
    if (!object)
        return error_set(err, E_MEMORY, "no memory for the rules");
    if (cli->json)
        return out_json(cli, object, err);
    print_file(cli->out, "timing", json_object_get(object, "timing_file"));
    for (size_t i = 0; i < json_array_size(timing); i++) {
        const json_t *rule = json_array_get(timing, i);
        fprintf(cli->out, "  %-36s %-10s %-5s %-9s %s\n", text_of(rule, "id"), text_of(rule, "kind"),
                text_of(rule, "severity"), text_of(rule, "state"), text_of(rule, "text"));
    }
    print_file(cli->out, "packing", json_object_get(object, "packing_file"));
    for (size_t i = 0; i < json_array_size(packing); i++) {
        const json_t *rule = json_array_get(packing, i);
        fprintf(cli->out, "  %-36s %-10s %-9s %s\n", text_of(rule, "id"), text_of(rule, "policy"),
                text_of(rule, "state"), text_of(rule, "reason"));
    }
    json_decref(object);
    return 0;
}

static const struct cli_option_row show_options[] = {
    {"form", "FORM", "dose form as in the formulary (else the product's)"},
    {"release", "IR|ER|DR", "release (else the product's)"},
    {NULL, NULL, NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "rules show",
        .args = "DRUG|PRODUCT-CODE",
        .args_min = 1,
        .args_max = 1,
        .summary = "Show which timing and packing rules speak of a drug, and why",
        .details =
            "A product of the formulary by its code, or an ingredient (\"a+b\" for a combination) with\n"
            "--form and --release. Each rule comes with its figures, its source and state, and what\n"
            "matched. Rules that fit the drug but not its form or release are listed behind.",
        .options = show_options,
        .run = run_show,
    },
    {
        .name = "rules list",
        .args = "",
        .summary = "List the site's timing and packing rules with version and hash of their files",
        .run = run_list,
    },
};
const struct cli_group verbs_rules = {.title = "Rules", .rows = rows, .count = sizeof rows / sizeof rows[0]};
