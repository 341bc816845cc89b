/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/base/error.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/plan/input.h"
#include "controller/plan/policy.h"
#include "controller/store/store.h"
#include "tools/sachet/cli.h"

int site_rules_open(struct cli *cli, struct site_rules *ret_rules, struct error *err)
{
    char law[4096];
    *ret_rules = (struct site_rules){0};
    int status = cli_open_store(cli, err);
    if (status == 0)
        status = conf_load(&conf_timing, conf_text(cli->site, "rules.timing"), &ret_rules->timing, err);
    if (status == 0)
        status = conf_load(&conf_packing, conf_text(cli->site, "rules.packing"), &ret_rules->packing, err);
    if (status == 0)
        status = paths_rules(cli->site, "jurisdiction", law, sizeof law, err);
    if (status == 0)
        status = conf_load(&conf_jurisdiction, law, &ret_rules->jurisdiction, err);
    if (status == 0)
        status = policy_create(cli->site, ret_rules->timing, ret_rules->packing, ret_rules->jurisdiction,
                               &ret_rules->policy, err);
    return status;
}

void site_rules_close(struct site_rules *rules)
{
    policy_destroy(rules->policy);
    conf_destroy(rules->jurisdiction);
    conf_destroy(rules->packing);
    conf_destroy(rules->timing);
    *rules = (struct site_rules){0};
}

static int all_patients(struct cli *cli, int64_t **ret_patients, size_t *ret_count, struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t count = 0;
    int status = store_get_int(cli->store, &count, err, "SELECT count(*) FROM patient", "");
    if (status < 0)
        return status;
    int64_t *patients = calloc((size_t)count + 1, sizeof *patients);
    if (!patients)
        return error_set(err, E_MEMORY, "no memory for %lld patients", (long long)count);
    size_t found = 0;
    status = store_query(cli->store, &rows, err, "SELECT id FROM patient ORDER BY source_id", "");
    while (status == 0 && found < (size_t)count) {
        int more = store_next(rows, err);
        if (more <= 0) {
            status = more;
            break;
        }
        patients[found++] = store_int(rows, 0);
    }
    store_done(rows);
    if (status < 0) {
        free(patients);
        return status;
    }
    *ret_patients = patients;
    *ret_count = found;
    return 0;
}

int cli_patients(struct cli *cli, int64_t **ret_patients, size_t *ret_count, struct error *err)
{
    if (cli_flag(cli, "all") && cli->argc > 0)
        return error_set(err, E_ARG, "name patients or give --all, not both");
    if (cli_flag(cli, "all"))
        return all_patients(cli, ret_patients, ret_count, err);
    if (cli->argc == 0)
        return error_set(err, E_ARG, "whose? name patients by their id, or give --all");
    int64_t *patients = calloc((size_t)cli->argc, sizeof *patients);
    if (!patients)
        return error_set(err, E_MEMORY, "no memory for %d patients", cli->argc);
    for (int i = 0; i < cli->argc; i++) {
        int status = input_find_patient(cli->store, cli->argv[i], &patients[i], err);
        if (status < 0) {
            free(patients);
            return status;
        }
    }
    *ret_patients = patients;
    *ret_count = (size_t)cli->argc;
    return 0;
}

int cli_patient_get(struct cli *cli, int64_t patient, struct cli_patient *ret, struct error *err)
{
    struct store_rows *rows = NULL;
    int status =
        store_query(cli->store, &rows, err, "SELECT source_id, name FROM patient WHERE id = ?", "i", patient);
    int found = status < 0 ? status : store_next(rows, err);
    if (found > 0) { /* a cut name still tells */
        (void)snprintf(ret->id, sizeof ret->id, "%s", store_text(rows, 0));
        (void)snprintf(ret->name, sizeof ret->name, "%s", store_text(rows, 1));
        (void)snprintf(ret->shown, sizeof ret->shown, "%s (%s)", ret->id, ret->name);
    }
    store_done(rows);
    if (found == 0)
        return error_set(err, E_NOT_FOUND, "patient row %" PRId64 " is not in the store", patient);
    return found < 0 ? found : 0;
}
