/* SPDX-License-Identifier: Apache-2.0 */
/* export: what was packed and where orders stand, for other systems. */
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/report/dispense.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/verbs.h"

static int print(struct cli *cli, int rc, struct buf *out)
{
    if (rc == 0)
        (void)fwrite(buf_string(out), 1, out->len, cli->out); /* the frame checks out at the end */
    buf_finish(out);
    return rc;
}

static int run_dispenses(struct cli *cli, struct error *err)
{
    struct buf out;
    char *end;
    const char *format = cli_option(cli, "format");
    const long long batch = strtoll(cli->argv[0], &end, 10);
    if (*end != '\0' || end == cli->argv[0] || batch < 1)
        return error_set(err, E_ARG, "%s: the number of a batch is needed", cli->argv[0]);
    if (format != NULL && strcmp(format, "fhir") != 0 && strcmp(format, "hl7") != 0)
        return error_set(err, E_ARG, "--format %s: there are fhir and hl7", format);
    int rc = cli_open_store(cli, err);
    buf_init(&out);
    if (rc == 0 && format != NULL && strcmp(format, "hl7") == 0 && !cli->json)
        rc = dispense_write_hl7(cli->store, batch, cli_flag(cli, "simulated"), clock_wall_ms(cli->clock),
                                &out, err);
    else if (rc == 0)
        rc = dispense_write_fhir(cli->store, batch, cli_flag(cli, "simulated"), &out, err);
    return print(cli, rc, &out);
}

static int run_orders(struct cli *cli, struct error *err)
{
    struct buf out;
    int rc = cli_open_store(cli, err);
    buf_init(&out);
    if (rc == 0)
        rc = dispense_write_orders(cli->store, cli_option(cli, "patient"), &out, err);
    return print(cli, rc, &out);
}

static const struct cli_option_row dispense_options[] = {
    {.name = "format", .arg = "fhir|hl7", .doc = "FHIR R4 MedicationDispense (default), or HL7 v2 RDS^O13"},
    {.name = "simulated", .doc = "write what a simulated machine packed, marked as a test"},
    {.name = NULL},
};

static const struct cli_option_row order_options[] = {
    {.name = "patient", .arg = "PATIENT", .doc = "only this patient's"},
    {.name = NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "export dispenses",
        .args = "BATCH",
        .args_min = 1,
        .args_max = 1,
        .summary = "Write what a batch packed as FHIR R4 or HL7 v2",
        .details = "By patient, product and lot, from what was counted into good pouches. Packed and not "
                   "handed over is "
                   "FHIR's in-progress. HL7 messages end with a line feed each; 'sachet-intake' and others "
                   "read them.",
        .options = dispense_options,
        .run = run_dispenses,
    },
    {
        .name = "export orders",
        .args = "",
        .summary = "Write every current order as FHIR R4 MedicationRequest, with what became of it",
        .details = "One resource a line: as it came, its status, the outcome here as a tag "
                   "(urn:sachet:outcome) and the "
                   "reasons as notes.",
        .options = order_options,
        .run = run_orders,
    },
};

const struct cli_group verbs_export = {
    .title = "Out to other systems",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
};
