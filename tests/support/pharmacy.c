/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/pharmacy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/paths.h"
#include "controller/pack/batch.h"
#include "controller/plan/order_row.h"
#include "controller/plan/plan_text.h"
#include "controller/review/sign.h"
#include "controller/review/user.h"
#include "controller/seal/seal.h"
#include "controller/stock/product.h"
#include "controller/store/store.h"

enum { START_DAY = 20780 /* 2026-11-23 */, EXPIRY_DAY = 22000, DRUGS = 3, TEMPLATES_MAX = 8 };

#define PASSWORD "a password for tests"

static const char *const products[DRUGS] = {"A", "B", "C"};

/* Signing takes a tenth of a second on purpose, so each size of pharmacy is made once a process and copied.
 */
static struct template
{
    int patients;
    int days;
    struct scratch scratch;
}
templates[TEMPLATES_MAX];
static int template_count;

/* What a plan of the pharmacy is made of. */
struct draft {
    struct store *store;
    char timing[SEAL_HASH_TEXT_BYTES];
    char packing[SEAL_HASH_TEXT_BYTES];
    char rows[DRUGS][SEAL_HASH_TEXT_BYTES];   /* of the products */
    int64_t orders[DRUGS];                    /* of the patient */
    char hashes[DRUGS][SEAL_HASH_TEXT_BYTES]; /* of the orders */
    struct user pharmacist;
    struct seal_key *key;
};

static void pouch_lines(struct buf *out, int days)
{
    char date[CIVIL_TEXT_BYTES];
    for (int d = 0; d < days; d++) {
        civil_format(START_DAY + d, date);
        buf_printf(
            out,
            "pouch %d %s 08:00 MORNING 1/1 label=\"P\\nA 1\\nB 1 1/2\" items=A:whole:1,B:whole:1,B:half:1\n",
            2 * d + 1, date);
        buf_printf(out, "pouch %d %s 22:00 BEDTIME 1/1 label=\"P\\nC 2\" items=C:whole:2\n", 2 * d + 2, date);
    }
}

static void plan_lines(struct buf *out, const struct draft *d, int patient, int days)
{
    static const char *const slots[] = {"1", "1", "2"};
    static const char *const amounts[] = {"1", "1.5", "2"};
    char first[CIVIL_TEXT_BYTES], last[CIVIL_TEXT_BYTES];
    civil_format(START_DAY, first);
    civil_format(START_DAY + days - 1, last);
    buf_printf(out, "sachet-plan/1\npatient \"pat-%d\" \"Patient %d\" born=-\n", patient, patient);
    buf_printf(out, "plan version=1 start=%s days=%d day-start=04:00 limits=8/6/9\n", first, days);
    buf_printf(out, "rules timing=\"1\" %s packing=\"1\" %s regimen=%s\n", d->timing, d->packing, d->packing);
    for (int i = 0; i < DRUGS; i++)
        buf_printf(
            out,
            "product %s \"Drug %s\" strength=\"5 mg\" form=\"tablet\" look=\"\" alone=no provisional=no"
            " row=%s\n",
            products[i], products[i], d->rows[i]);
    for (int i = 0; i < DRUGS; i++)
        buf_printf(out,
                   "order %d \"o-%d-%d\" version=1 hash=%s product=%s state=included begins=%s \"Drug %s\""
                   " reason=\"\"\n",
                   (int)d->orders[i], patient, i, d->hashes[i], products[i], first, products[i]);
    buf_text(out, "slot 1 08:00 +0 MORNING\nslot 2 22:00 +0 BEDTIME\n");
    for (int i = 0; i < DRUGS; i++)
        buf_printf(out, "take %d slot=%s amount=%s first=%s last=%s every=1 anchor=%s weekdays=- days=%d\n",
                   (int)d->orders[i], slots[i], amounts[i], first, last, first, days);
    pouch_lines(out, days);
    buf_printf(out, "total A amount=%d whole=%d half=0\n", days, days);
    buf_printf(out, "total B amount=%d%s whole=%d half=%d\n", days * 3 / 2, days % 2 ? ".5" : "", days, days);
    buf_printf(out, "total C amount=%d whole=%d half=0\n", 2 * days, 2 * days);
    buf_printf(out, "end pouches=%d pieces=%d\n", 2 * days, 5 * days);
}

static int add_orders(struct draft *d, int64_t patient_id, int patient, struct error *err)
{
    int rc = 0;
    for (int i = 0; i < DRUGS && rc == 0; i++) {
        uint8_t hash[SEAL_HASH_BYTES];
        bool current = false;
        char source[32];
        (void)snprintf(source, sizeof source, "o-%d-%d", patient, i); /* fits */
        rc = store_insert(
            d->store, err, &d->orders[i],
            "INSERT INTO order_version (source_id, version, current, patient_id, status, outcome,"
            " reasons, drug_name, drug_codes, product_code, original, content_hash, file, imported_ms)"
            " VALUES (?, 1, 1, ?, 'active', 'packable', '[]', ?, '[]', ?, '{}', x'00', 'test', 0)",
            "titt", source, patient_id, products[i], products[i]);
        if (rc == 0)
            rc = order_row_hash(d->store, d->orders[i], hash, &current, err);
        if (rc == 0)
            seal_hash_text(hash, d->hashes[i]);
    }
    return rc;
}

static int insert_plan(struct draft *d, int64_t patient_id, const struct buf *text, int days,
                       int64_t *ret_plan, struct error *err)
{
    uint8_t hash[SEAL_HASH_BYTES];
    seal_hash(text->data, text->len, hash);
    int rc =
        store_insert(d->store, err, ret_plan,
                     "INSERT INTO plan (patient_id, version, state, start_day, days, text, hash, regimen,"
                     " schedule, drugs, times_written, times_planned, pouches, provisional, created_ms)"
                     " VALUES (?, 1, 'draft', ?, ?, ?, ?, '{}', '{}', 3, 4, 2, ?, 0, 0)",
                     "iiibbi", patient_id, (int64_t)START_DAY, (int64_t)days, text->data, text->len, hash,
                     sizeof hash, (int64_t)2 * days);
    for (int i = 0; i < DRUGS && rc == 0; i++)
        rc = store_exec(d->store, err,
                        "INSERT INTO plan_order (plan_id, order_version_id, included) VALUES (?, ?, 1)", "ii",
                        *ret_plan, d->orders[i]);
    return rc;
}

static int add_patient(struct draft *d, int patient, int days, struct error *err)
{
    struct buf text;
    char source[32], name[32];
    int64_t id = 0, plan = 0;
    (void)snprintf(source, sizeof source, "pat-%d", patient); /* both fit */
    (void)snprintf(name, sizeof name, "Patient %d", patient);
    buf_init(&text);
    int rc = store_write_begin(d->store, err);
    if (rc == 0)
        rc = store_insert(
            d->store, err, &id,
            "INSERT INTO patient (source_id, name, content_hash, changed_ms) VALUES (?, ?, x'00', 0)", "tt",
            source, name);
    if (rc == 0)
        rc = add_orders(d, id, patient, err);
    if (rc == 0) {
        plan_lines(&text, d, patient, days);
        rc = insert_plan(d, id, &text, days, &plan, err);
    }
    if (rc == 0)
        rc = store_write_commit(d->store, err);
    if (rc == 0)
        rc = review_sign(d->store, plan, NULL, &d->pharmacist, d->key, 1, err);
    buf_finish(&text);
    return rc;
}

static int add_products(struct draft *d, struct error *err)
{
    int rc = 0;
    for (int i = 0; i < DRUGS && rc == 0; i++) {
        static const char *const columns[][2] = {{"ingredient", "x"}, {"strength", "5 mg"},
                                                 {"form", "tablet"},  {"release", "IR"},
                                                 {"packable", "yes"}, {"halves", "yes"}};
        struct product product = {0};
        enum product_put put = PRODUCT_SAME;
        rc = product_set(&product, "code", products[i], err);
        if (rc == 0)
            rc = product_set(&product, "name", products[i], err);
        for (size_t k = 0; k < sizeof columns / sizeof columns[0] && rc == 0; k++)
            rc = product_set(&product, columns[k][0], columns[k][1], err);
        if (rc == 0)
            rc = product_put(d->store, &product, 0, &put, err);
        if (rc == 0)
            seal_hash_text(product.row_hash, d->rows[i]);
    }
    return rc;
}

static int add_canisters(struct store *store, struct error *err)
{
    static const struct {
        const char *product;
        const char *piece;
    } bays[PHARMACY_BAYS] = {{"A", "whole"}, {"B", "whole"}, {"B", "half"}, {"C", "whole"}, {"A", "whole"}};
    int rc = 0;
    for (int b = 0; b < PHARMACY_BAYS && rc == 0; b++)
        rc = store_exec(store, err,
                        "INSERT INTO canister (id, product_code, piece, lot, expiry_day, level, machine, bay,"
                        " changed_ms) VALUES (?, ?, ?, 'SIM-1', ?, ?, 'm1', ?, 0)",
                        "ittiii", (int64_t)PHARMACY_FIRST_CANISTER + b, bays[b].product, bays[b].piece,
                        (int64_t)EXPIRY_DAY + b, (int64_t)PHARMACY_PIECES, (int64_t)b);
    return rc;
}

/* The rules that come with the program: what sachetd compares the plans with. */
static void hash_rules(const char *name, char ret_hash[SEAL_HASH_TEXT_BYTES])
{
    char path[4096];
    static char bytes[1 << 20];
    struct error err = {0};
    uint8_t hash[SEAL_HASH_BYTES];
    if (paths_data(name, path, sizeof path, &err) < 0)
        fail_msg("%s", err.message);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    seal_hash(bytes, len, hash);
    seal_hash_text(hash, ret_hash);
}

static void build(const char *path, int patients, int days)
{
    struct error err = {0};
    struct draft d = {0};
    hash_rules("rules/timing.yaml", d.timing);
    hash_rules("rules/packing.yaml", d.packing);
    int rc = store_create(path, &err);
    d.store = rc == 0 ? store_open(path, false, &err) : NULL;
    if (!d.store)
        fail_msg("%s", err.message);
    rc = user_add(d.store, NULL, "pharm", "Test Pharmacist", USER_PHARMACIST, PASSWORD, 1, &d.pharmacist.id,
                  &err);
    if (rc == 0)
        rc = user_by_login(d.store, "pharm", &d.pharmacist, &err);
    if (rc == 0)
        rc = user_key_open(&d.pharmacist, PASSWORD, &d.key, &err);
    if (rc == 0)
        rc = store_write_begin(d.store, &err);
    if (rc == 0)
        rc = add_products(&d, &err);
    if (rc == 0)
        rc = add_canisters(d.store, &err);
    if (rc == 0)
        rc = store_write_commit(d.store, &err);
    for (int i = 1; i <= patients && rc == 0; i++)
        rc = add_patient(&d, i, days, &err);
    if (rc < 0)
        fail_msg("the pharmacy cannot be set up: %s", err.message);
    seal_key_close(d.key);
    store_close(d.store);
}

static void remove_templates(void)
{
    while (template_count > 0)
        scratch_finish(&templates[--template_count].scratch);
}

static const struct template *template_of(int patients, int days)
{
    char path[SCRATCH_PATH_BYTES];
    for (int i = 0; i < template_count; i++) {
        if (templates[i].patients == patients && templates[i].days == days)
            return &templates[i];
    }
    if (template_count == TEMPLATES_MAX)
        fail_msg("more than %d sizes of pharmacy in one test", TEMPLATES_MAX);
    if (template_count == 0)
        (void)atexit(remove_templates); /* else a folder is left over */
    struct template *template = &templates[template_count++];
    template->patients = patients;
    template->days = days;
    scratch_init(&template->scratch);
    build(scratch_path(&template->scratch, "sachet.db", path), patients, days);
    return template;
}

void pharmacy_init(struct pharmacy *pharmacy, int patients, int days)
{
    struct error err = {0};
    char path[SCRATCH_PATH_BYTES];
    if (seal_init(&err) < 0)
        fail_msg("%s", err.message);
    scratch_path(&template_of(patients, days)->scratch, "sachet.db", path);
    scratch_init(&pharmacy->scratch);
    scratch_path(&pharmacy->scratch, "sachet.db", pharmacy->path);
    pharmacy->store = store_open(path, false, &err);
    if (!pharmacy->store || store_backup(pharmacy->store, pharmacy->path, &err) < 0)
        fail_msg("%s", err.message);
    pharmacy_reopen(pharmacy);
}

void pharmacy_finish(struct pharmacy *pharmacy)
{
    store_close(pharmacy->store);
    scratch_finish(&pharmacy->scratch);
}

void pharmacy_reopen(struct pharmacy *pharmacy)
{
    struct error err = {0};
    store_close(pharmacy->store);
    pharmacy->store = store_open(pharmacy->path, false, &err);
    if (!pharmacy->store)
        fail_msg("%s", err.message);
}

void pharmacy_exec(struct pharmacy *pharmacy, const char *sql)
{
    struct error err = {0};
    if (store_write_begin(pharmacy->store, &err) < 0 || store_exec(pharmacy->store, &err, sql, "") < 0 ||
        store_write_commit(pharmacy->store, &err) < 0)
        fail_msg("%s: %s", sql, err.message);
}

int64_t pharmacy_int(struct pharmacy *pharmacy, const char *sql)
{
    struct error err = {0};
    int64_t value = 0;
    if (store_get_int(pharmacy->store, &value, &err, sql, "") < 0)
        fail_msg("%s: %s", sql, err.message);
    return value;
}

int64_t pharmacy_batch(struct pharmacy *pharmacy)
{
    struct arena arena;
    struct batch_created created = {0};
    struct error err = {0};
    int64_t command = 0;
    const struct batch_request request = {.machine = "m1", .actor = "tech", .wall_ms = 1};
    arena_init(&arena, 0);
    if (batch_create(pharmacy->store, &request, &arena, &created, &err) < 0 ||
        batch_ask(pharmacy->store, created.id, "start", "tech", 2, &command, &err) < 0)
        fail_msg("%s", err.message);
    arena_finish(&arena);
    return created.id;
}
