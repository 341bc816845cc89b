/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-intake: orders a second and megabytes a second through the import, beside plain jansson parsing of
 * the same file and `jq length`. The file is made here, the same for each size: patients with ten FHIR R4
 * orders each, one resource a line.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/intake/sig/sigtext.h"
#include "controller/orders/intake_store.h"
#include "controller/seal/seal.h"
#include "controller/store/store.h"

enum { TODAY = 20778, PATH_BYTES = 4096 };

static const char help[] =
    "usage: bench-intake [--mb MB] [--mixed] [--only jansson|jq|read|store] [--keep FILE]\n"
    "\n"
    "  --mb MB      size of the file, default 32\n"
    "  --mixed      six observations for each order, as in whole records\n"
    "  --only WHAT  one measurement in a process of its own, so that its memory is its own\n"
    "  --keep FILE  make the file there and leave it\n";

/* The file. */

static const char *const drugs[][2] = {{"314076", "Lisinopril 10 MG Oral Tablet"},
                                       {"860975", "Metformin hydrochloride 500 MG Oral Tablet"},
                                       {"197361", "Amlodipine 5 MG Oral Tablet"},
                                       {"312961", "Simvastatin 20 MG Oral Tablet"},
                                       {"855332", "Warfarin Sodium 5 MG Oral Tablet"},
                                       {"310798", "Hydrochlorothiazide 25 MG Oral Tablet"},
                                       {"866924", "Metoprolol Tartrate 25 MG Oral Tablet"},
                                       {"966221", "Levothyroxine Sodium 0.05 MG Oral Tablet"},
                                       {"198039", "Nitroglycerin 0.4 MG Sublingual Tablet"},
                                       {"745679", "albuterol 0.09 MG/ACTUAT Metered Dose Inhaler"}};

/* What stands between the orders of a whole record: most of it, and of no concern here. */
static int write_others(FILE *out, int64_t patient, int order)
{
    int written = 0;
    for (int i = 0; i < 6; i++)
        written += fprintf(out,
                           "{\"resourceType\":\"Observation\",\"id\":\"obs-%08" PRId64
                           "-%d-%d\",\"status\":\"final\",\"category\":[{\"coding\":[{\"system\":"
                           "\"http://terminology.hl7.org/CodeSystem/"
                           "observation-category\",\"code\":\"vital-signs\",\"display\":"
                           "\"vital-signs\"}]}],\"code\":{\"coding\":[{\"system\":\"http://"
                           "loinc.org\",\"code\":\"8302-2\",\"display\":"
                           "\"Body Height\"}],\"text\":\"Body "
                           "Height\"},\"subject\":{\"reference\":\"Patient/patient-%08" PRId64
                           "\"},\"effectiveDateTime\":\"2026-10-0%dT02:46:42-05:00\",\"issued\":\"2026-10-"
                           "01T02:46:42.911-05:00\","
                           "\"valueQuantity\":{\"value\":1%d.37,\"unit\":\"cm\",\"system\":\"http://"
                           "unitsofmeasure.org\",\"code\":"
                           "\"cm\"}}\n",
                           patient, order, i, patient, i + 1, i);
    return written;
}

static int64_t write_file(const char *path, int64_t bytes, bool mixed)
{
    FILE *out = fopen(path, "we");
    int64_t orders = 0, written = 0;
    if (out == NULL)
        return -1;
    for (int64_t patient = 1; written < bytes; patient++) {
        written +=
            fprintf(out,
                    "{\"resourceType\":\"Patient\",\"id\":\"patient-%08" PRId64
                    "\",\"name\":[{\"use\":\"official\",\"family\":\"Family%" PRId64
                    "\",\"given\":[\"Given\"]}],\"gender\":\"female\",\"birthDate\":\"19%02d-0%d-1%d\"}\n",
                    patient, patient, (int)(patient % 90 + 10), (int)(patient % 9 + 1), (int)(patient % 10));
        for (int i = 0; i < 10; i++, orders++) {
            written += mixed ? write_others(out, patient, i) : 0;
            written += fprintf(
                out,
                "{\"resourceType\":\"MedicationRequest\",\"id\":\"order-%08" PRId64
                "-%d\",\"meta\":{\"lastUpdated\":\"2026-11-01T10:00:00.000+00:00\"},\"status\":\"active\","
                "\"intent\":"
                "\"order\",\"medicationCodeableConcept\":{\"coding\":[{\"system\":\"http://www.nlm.nih.gov/"
                "research/"
                "umls/"
                "rxnorm\",\"code\":\"%s\",\"display\":\"%s\"}],\"text\":\"%s\"},\"subject\":{\"reference\":"
                "\"Patient/patient-%08" PRId64 "\"},\"encounter\":{\"reference\":\"Encounter/enc-%08" PRId64
                "\"},\"authoredOn\":\"2026-10-%02d\",\"requester\":{\"reference\":\"Practitioner/"
                "prac-17\",\"display\":"
                "\"A Prescriber\"},\"dosageInstruction\":[{\"sequence\":1,\"text\":\"Take %d tablet%s by "
                "mouth %s a "
                "day.\",\"timing\":{\"repeat\":{\"frequency\":%d,\"period\":1.0,\"periodUnit\":\"d\"}},"
                "\"asNeededBoolean\":false,\"doseAndRate\":[{\"type\":{\"coding\":[{\"system\":"
                "\"http://terminology.hl7.org/CodeSystem/"
                "dose-rate-type\",\"code\":\"ordered\"}]},\"doseQuantity\":{"
                "\"value\":%d.0}}]}]}\n",
                patient, i, drugs[i][0], drugs[i][1], drugs[i][1], patient, patient, (int)(patient % 28 + 1),
                i % 2 + 1, i % 2 ? "s" : "", i % 3 ? "2 times" : "once", i % 3 ? 2 : 1, i % 2 + 1);
        }
    }
    return fclose(out) == 0 ? orders : -1;
}

/* What is measured. */

/* Beside the time on the wall that of the processor: on a machine that others use, too, only it compares. */
struct watch {
    int64_t wall_ms, cpu_ms;
};

static struct watch watch_read(int who)
{
    struct rusage usage;
    (void)getrusage(who, &usage);
    return (struct watch){clock_mono_ms(clock_system()),
                          (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                              (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000};
}

static void say(const char *what, int who, const struct watch *start, int64_t bytes, int64_t orders)
{
    static int64_t plain_cpu_ms; /* of jansson, once it was measured */
    struct rusage usage;
    const struct watch end = watch_read(who);
    const int64_t ms = end.wall_ms > start->wall_ms ? end.wall_ms - start->wall_ms : 1;
    const int64_t cpu_ms = end.cpu_ms > start->cpu_ms ? end.cpu_ms - start->cpu_ms : 1;
    (void)getrusage(who, &usage);
    if (strcmp(what, "jansson") == 0)
        plain_cpu_ms = cpu_ms;
    printf("%-8s %7.2f s, %7.2f s of processor", what, (double)ms / 1000.0, (double)cpu_ms / 1000.0);
    if (plain_cpu_ms > 0)
        printf(", %.2f of jansson's speed", (double)plain_cpu_ms / (double)cpu_ms);
    printf(", %.1f MB/s", (double)bytes / 1000.0 / (double)ms);
    if (orders > 0)
        printf(", %.0f orders/s", (double)orders * 1000.0 / (double)ms);
    printf(", %ld MB at most\n", usage.ru_maxrss / 1024);
    (void)fflush(stdout);
}

static int run_jansson(const char *path, int64_t bytes, struct error *err)
{
    FILE *in = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    int rc = in != NULL ? 0 : error_set_errno(err, E_FILE, errno, "%s", path);
    const struct watch start = watch_read(RUSAGE_SELF);
    while (rc == 0 && (len = getline(&line, &size, in)) > 0) {
        json_t *root = json_loadb(line, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
        if (root == NULL)
            rc = error_set(err, E_SYNTAX, "%s: not JSON", path);
        json_decref(root);
    }
    if (rc == 0)
        say("jansson", RUSAGE_SELF, &start, bytes, 0);
    free(line);
    if (in != NULL)
        (void)fclose(in); /* read only */
    return rc;
}

static void run_jq(const char *path, int64_t bytes)
{
    char command[PATH_BYTES + 64];
    (void)snprintf(command, sizeof command, "jq length '%s' >/dev/null 2>&1", path);
    const struct watch start = watch_read(RUSAGE_CHILDREN);
    if (system(command) == 0) /* NOLINT: a bench, with a path of its own */
        say("jq", RUSAGE_CHILDREN, &start, bytes, 0);
    else
        puts("jq       left out: it is not installed, or it failed");
}

static int count_order(void *data, const struct order *order, struct error *err)
{
    int64_t *packable = data;
    (void)err;
    *packable += order->reasons.outcome == OUTCOME_PACKABLE;
    return 0;
}

static int load(struct intake_policy *policy, struct conf **ret_packing, struct sigtext_table **ret_words,
                struct error *err)
{
    char path[PATH_BYTES];
    int rc = paths_data("rules/packing.yaml", path, sizeof path, err);
    if (rc == 0)
        rc = conf_load(&conf_packing, path, ret_packing, err);
    if (rc == 0)
        rc = sigtext_table_load(NULL, ret_words, err);
    *policy = (struct intake_policy){.today = TODAY,
                                     .max_order_age_days = INTAKE_ORDER_AGE_DAYS,
                                     .derive = true,
                                     .packing = *ret_packing,
                                     .words = *ret_words};
    return rc;
}

static int run_read(const char *path, int64_t bytes, struct error *err)
{
    struct intake_policy policy;
    struct conf *packing = NULL;
    struct sigtext_table *words = NULL;
    int64_t packable = 0;
    const struct intake_sink sink = {.data = &packable, .order = count_order};
    struct catalogue *catalogue = catalogue_create();
    int rc = load(&policy, &packing, &words, err);
    struct intake *intake = rc == 0 ? intake_create(&policy, catalogue, &sink) : NULL;
    const struct watch start = watch_read(RUSAGE_SELF);
    if (intake != NULL)
        rc = intake_run(intake, &path, 1, err);
    if (intake != NULL && rc == 0) {
        say("read", RUSAGE_SELF, &start, bytes, intake_totals(intake)->requests);
        printf("         %" PRId64 " of %" PRId64 " orders packable\n", packable,
               intake_totals(intake)->requests);
    }
    intake_destroy(intake);
    catalogue_destroy(catalogue);
    sigtext_table_destroy(words);
    conf_destroy(packing);
    return rc;
}

static int run_store(const char *path, int64_t bytes, const char *folder, struct error *err)
{
    char file[PATH_BYTES];
    struct conf *packing = NULL;
    struct sigtext_table *words = NULL;
    struct intake_import import = {.actor = "bench", .wall_ms = clock_wall_ms(clock_system())};
    (void)snprintf(file, sizeof file, "%s/sachet.db", folder);
    int rc = load(&import.policy, &packing, &words, err);
    if (rc == 0)
        rc = store_create(file, err);
    if (rc == 0) {
        import.store = store_open(file, false, err);
        rc = import.store != NULL ? 0 : err->code;
    }
    const struct watch start = watch_read(RUSAGE_SELF);
    if (rc == 0)
        rc = intake_import(&import, &path, 1, err);
    if (rc == 0)
        say("store", RUSAGE_SELF, &start, bytes, import.totals.requests);
    store_close(import.store);
    sigtext_table_destroy(words);
    conf_destroy(packing);
    return rc;
}

static bool wanted(const char *only, const char *what)
{
    return only == NULL || strcmp(only, what) == 0;
}

static int measure(const char *path, const char *folder, const char *only, int64_t mb, bool mixed,
                   struct error *err)
{
    struct stat st;
    int64_t orders = write_file(path, mb * 1000000, mixed);
    if (orders < 0 || stat(path, &st) != 0)
        return error_set_errno(err, E_FILE, errno, "%s", path);
    const int64_t bytes = st.st_size;
    printf("%.1f MB, %" PRId64 " orders of %" PRId64 " patients, one resource a line\n", (double)bytes / 1e6,
           orders, orders / 10);
    int rc = wanted(only, "jansson") ? run_jansson(path, bytes, err) : 0;
    if (rc == 0 && wanted(only, "jq"))
        run_jq(path, bytes);
    if (rc == 0 && wanted(only, "read"))
        rc = run_read(path, bytes, err);
    if (rc == 0 && wanted(only, "store"))
        rc = run_store(path, bytes, folder, err);
    return rc;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/bench-intake.XXXXXX", made[PATH_BYTES];
    const char *only = NULL, *keep = NULL;
    int64_t mb = 32;
    bool mixed = false;
    struct error err = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--mb") == 0 && i + 1 < argc)
            mb = strtoll(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--mixed") == 0)
            mixed = true;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
        else if (strcmp(argv[i], "--keep") == 0 && i + 1 < argc)
            keep = argv[++i];
        else {
            fputs(help, strcmp(argv[i], "--help") == 0 ? stdout : stderr);
            return strcmp(argv[i], "--help") == 0 ? 0 : 2;
        }
    }
    if (mb < 1 || mb > 100000 || mkdtemp(folder) == NULL || seal_init(&err) != 0)
        return 2;
    (void)snprintf(made, sizeof made, "%s/orders.ndjson", folder);
    int rc = measure(keep != NULL ? keep : made, folder, only, mb, mixed, &err);
    if (rc != 0)
        fprintf(stderr, "bench-intake: %s\n", err.message);
    static const char *const files[] = {"orders.ndjson", "sachet.db",      "sachet.db-wal",
                                        "sachet.db-shm", "sachet.db.lock", "sachet.db.reserve"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char file[PATH_BYTES];
        (void)snprintf(file, sizeof file, "%s/%s", folder, files[i]);
        (void)unlink(file); /* not there: fine */
    }
    (void)rmdir(folder);
    return error_exit_status(rc);
}
