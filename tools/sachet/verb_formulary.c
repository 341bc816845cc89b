/* SPDX-License-Identifier: Apache-2.0 */
/* sachet formulary: the product list. */
#include <string.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/stock/formulary.h"
#include "controller/stock/product.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/verbs.h"

static int run_import(struct cli *cli, struct error *err)
{
    struct user by;
    struct formulary_result result;
    int rc = cli_login(cli, USER_PHARMACIST, &by, err);
    if (rc)
        return rc;
    const char *file = cli->argc == 0 ? conf_text(cli->site, "formulary") : cli->argv[0];
    rc = formulary_import(cli->store, file, by.login, clock_wall_ms(cli->clock), &result, err);
    if (rc)
        return rc;
    if (cli->json)
        return out_json(cli,
                        json_pack("{s:i, s:i, s:i, s:i, s:i}", "rows", result.rows, "added", result.added,
                                  "changed", result.changed, "same", result.same, "not_named",
                                  result.not_named),
                        err);
    fprintf(cli->out, "%d products: %d added, %d changed, %d as before", result.rows, result.added,
            result.changed, result.same);
    if (result.not_named > 0)
        fprintf(cli->out, "; %d more in the store, which the file does not name", result.not_named);
    fputc('\n', cli->out);
    return 0;
}

static json_t *product_json(const struct product *product)
{
    char hash[SEAL_HASH_TEXT_BYTES];
    seal_hash_text(product->row_hash, hash);
    json_t *object = json_object();
    for (int i = 0; product_columns[i]; i++)
        (void)json_object_set_new(object, product_columns[i],
                                  json_string(product_field(product, product_columns[i])));
    (void)json_object_set_new(object, "provisional", json_boolean(product->provisional));
    (void)json_object_set_new(object, "row_hash", json_string(hash));
    return object;
}

struct showing {
    struct cli *cli;
    json_t *list;
    int count;
};

static int show_one(void *data, const struct product *product)
{
    struct showing *showing = data;
    FILE *out = showing->cli->out;
    if (cli_flag(showing->cli, "provisional") && !product->provisional)
        return 0;
    if (showing->list) {
        (void)json_array_append_new(showing->list, product_json(product));
        return 0;
    }
    if (showing->count++ == 0)
        fprintf(out, "%-16s %-10s %-6s %s\n", "code", "packable", "halves", "name");
    fprintf(out, "%-16s %-10s %-6s %s%s\n", product->code, product_packable_text(product->packable),
            product->halves ? "yes" : "no", product->name, product->provisional ? "  PROVISIONAL" : "");
    return 0;
}

static int show_whole(struct cli *cli, struct error *err)
{
    struct product product;
    int rc = product_get(cli->store, cli->argv[0], &product, err);
    if (rc)
        return rc;
    if (cli->json)
        return out_json(cli, product_json(&product), err);
    for (int i = 0; product_columns[i]; i++)
        fprintf(cli->out, "%-11s %s\n", product_columns[i], product_field(&product, product_columns[i]));
    fprintf(cli->out, "%-11s %s\n", "provisional",
            product.provisional ? "yes: derived from orders, nobody checked it" : "no");
    return 0;
}

static int run_show(struct cli *cli, struct error *err)
{
    struct showing showing = {.cli = cli};
    int rc = cli_open_store(cli, err);
    if (rc == 0 && cli->argc > 0)
        return show_whole(cli, err);
    if (rc)
        return rc;
    showing.list = cli->json ? json_array() : NULL;
    rc = product_each(cli->store, show_one, &showing, err);
    if (rc) {
        json_decref(showing.list);
        return rc;
    }
    if (cli->json)
        return out_json(cli, json_pack("{s:o}", "products", showing.list), err);
    if (showing.count == 0)
        fputs("no products: `sachet formulary import` brings them\n", cli->out);
    return 0;
}

/* The words KEY=VALUE behind the code. */
static int settings_apply(struct cli *cli, struct product *product, struct error *err)
{
    for (int i = 1; i < cli->argc; i++) {
        char column[32];
        const char *equals = strchr(cli->argv[i], '=');
        if (!equals || (size_t)(equals - cli->argv[i]) >= sizeof column)
            return error_set(err, E_ARG, "%.60s: give COLUMN=VALUE, for example packable=no", cli->argv[i]);
        (void)snprintf(column, sizeof column, "%.*s", (int)(equals - cli->argv[i]), cli->argv[i]);
        if (strcmp(column, "code") == 0)
            return error_set(err, E_ARG, "a product's code cannot be changed: add another product");
        int rc = product_set(product, column, equals + 1, err);
        if (rc)
            return rc;
    }
    return 0;
}

static int set_within(struct cli *cli, const struct user *by, enum product_put *ret_put, struct error *err)
{
    struct product product;
    char subject[PRODUCT_CODE_BYTES + 16];
    int64_t now = clock_wall_ms(cli->clock);
    int rc = product_get(cli->store, cli->argv[0], &product, err);
    if (rc == 0)
        rc = settings_apply(cli, &product, err);
    product.provisional = false; /* a pharmacist has looked at it now */
    if (rc == 0)
        rc = product_put(cli->store, &product, now, ret_put, err);
    if (rc || *ret_put == PRODUCT_SAME)
        return rc;
    json_t *detail = json_object();
    for (int i = 1; i < cli->argc; i++) {
        const char *equals = strchr(cli->argv[i], '=');
        (void)json_object_setn_new(detail, cli->argv[i], (size_t)(equals - cli->argv[i]),
                                   json_string(equals + 1));
    }
    char *text = json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(detail);
    (void)snprintf(subject, sizeof subject, "product:%s", product.code);
    rc = text ? audit_add(cli->store, now, by->login, "formulary.set", subject, text, err)
              : error_set(err, E_MEMORY, "out of memory writing JSON");
    free(text);
    return rc;
}

static int run_set(struct cli *cli, struct error *err)
{
    struct user by;
    enum product_put put = PRODUCT_SAME;
    int rc = cli_login(cli, USER_PHARMACIST, &by, err);
    if (rc == 0)
        rc = store_write_begin(cli->store, err);
    if (rc)
        return rc;
    rc = set_within(cli, &by, &put, err);
    if (rc == 0)
        rc = store_write_commit(cli->store, err);
    store_write_rollback(cli->store);
    if (rc)
        return rc;
    if (cli->json)
        return out_json(cli, json_pack("{s:s, s:b}", "code", cli->argv[0], "changed", put != PRODUCT_SAME),
                        err);
    if (put == PRODUCT_SAME)
        fprintf(cli->out, "%s is like that already\n", cli->argv[0]);
    else
        fprintf(cli->out, "%s changed: plans that use it want a new signature\n", cli->argv[0]);
    return 0;
}

static const struct cli_option_row show_options[] = {
    {.name = "provisional", .doc = "only products derived from orders, which nobody checked"},
    {.name = NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "formulary import",
        .args = "[FILE]",
        .args_max = 1,
        .summary = "Read the product list, a CSV file",
        .details =
            "Without FILE it is the site's own. A pharmacist does it (--user). The first line names the "
            "columns: code,name,ingredient,strength,form,release,rxcui,ndc,packable,halves,look,note. A "
            "file with a mistake is refused whole; importing a file again changes nothing.",
        .run = run_import,
    },
    {
        .name = "formulary show",
        .args = "[CODE]",
        .args_max = 1,
        .summary = "List the products, or show one with all that is known",
        .options = show_options,
        .run = run_show,
    },
    {
        .name = "formulary set",
        .args = "CODE COLUMN=VALUE…",
        .args_min = 2,
        .args_max = 16,
        .summary = "Change what is known of a product",
        .details =
            "A pharmacist does it (--user). A provisional product is checked from then on. Plans that use "
            "the product carry the hash of its row and want a new signature.",
        .run = run_set,
    },
};
const struct cli_group verbs_formulary = {
    .title = "Formulary", .rows = rows, .count = sizeof rows / sizeof rows[0]};
