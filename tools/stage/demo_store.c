/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/stage/demo_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/pack/batch.h"
#include "controller/plan/order_row.h"
#include "controller/plan/plan_text.h"
#include "controller/review/sign.h"
#include "controller/seal/seal.h"
#include "controller/stock/content.h"
#include "controller/stock/product.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "tools/stage/folder.h"

enum { START_DAY = 20780 /* 2026-11-23 */, EXPIRY_DAY = 22000, DRUGS = 3, KEPT_MAX = 64, PIECES_A_DAY = 3 };

#define PASSWORD "a password for demonstrations"

static const char *const products[DRUGS] = {"A", "B", "C"};

/* What the plans are made of. */
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

/* The books have enough of everything, void pouches included. */
static int add_canisters(struct store *store, int64_t pieces, struct error *err)
{
    static const struct {
        const char *product;
        const char *piece;
    } bays[DEMO_BAYS] = {{"A", "whole"}, {"B", "whole"}, {"B", "half"}, {"C", "whole"}, {"A", "whole"}};
    int rc = 0;
    for (int b = 0; b < DEMO_BAYS && rc == 0; b++)
        rc = store_exec(store, err,
                        "INSERT INTO canister (id, product_code, piece, lot, expiry_day, level, machine, bay,"
                        " changed_ms) VALUES (?, ?, ?, 'SIM-1', ?, ?, '" DEMO_MACHINE "', ?, 0)",
                        "ittiii", (int64_t)DEMO_FIRST_CANISTER + b, bays[b].product, bays[b].piece,
                        (int64_t)EXPIRY_DAY + b, pieces, (int64_t)b);
    for (int b = 0; b < DEMO_BAYS && rc == 0; b++)
        rc = content_seal(store, (int64_t)DEMO_FIRST_CANISTER + b, pieces, "demo", 1, err);
    return rc;
}

/* The rules that come with the program: what sachetd compares the plans with. */
static int hash_rules(const char *name, char ret_hash[SEAL_HASH_TEXT_BYTES], struct error *err)
{
    char path[4096];
    struct buf bytes;
    uint8_t hash[SEAL_HASH_BYTES];
    int rc = paths_data(name, path, sizeof path, err);
    if (rc < 0)
        return rc;
    buf_init(&bytes);
    rc = file_read(path, CONF_BYTES_MAX, &bytes, err);
    seal_hash(bytes.data, bytes.len, hash);
    seal_hash_text(hash, ret_hash);
    buf_finish(&bytes);
    return rc;
}

static int add_people(struct draft *d, struct error *err)
{
    int rc = user_add(d->store, NULL, "pharm", "Demo Pharmacist", USER_PHARMACIST, PASSWORD, 1,
                      &d->pharmacist.id, err);
    if (rc == 0)
        rc = user_by_login(d->store, "pharm", &d->pharmacist, err);
    if (rc == 0)
        rc = user_key_open(&d->pharmacist, PASSWORD, &d->key, err);
    return rc;
}

static int add_goods(struct draft *d, int64_t pieces, struct error *err)
{
    int rc = store_write_begin(d->store, err);
    if (rc == 0)
        rc = add_products(d, err);
    if (rc == 0)
        rc = add_canisters(d->store, pieces, err);
    if (rc == 0)
        rc = store_write_commit(d->store, err);
    return rc;
}

int demo_store_build(const char *path, int patients, int days, struct error *err)
{
    struct draft d = {0};
    int64_t pieces = (int64_t)patients * days * PIECES_A_DAY;
    int rc = seal_init(err);
    if (rc == 0)
        rc = hash_rules("rules/timing.yaml", d.timing, err);
    if (rc == 0)
        rc = hash_rules("rules/packing.yaml", d.packing, err);
    if (rc == 0)
        rc = store_create(path, err);
    if (rc < 0)
        return rc;
    d.store = store_open(path, false, err);
    if (!d.store)
        return err->code;
    rc = add_people(&d, err);
    if (rc == 0)
        rc = add_goods(&d, pieces > DEMO_PIECES ? pieces : DEMO_PIECES, err);
    for (int i = 1; i <= patients && rc == 0; i++)
        rc = add_patient(&d, i, days, err);
    seal_key_close(d.key);
    store_close(d.store);
    return rc;
}

/* ---- copies ---- */

/* Signing takes a tenth of a second on purpose, so each size is made once a process and copied. */
static struct kept_size {
    int patients;
    int days;
    struct folder folder;
} kept[KEPT_MAX];
static int kept_count;

static void remove_kept(void)
{
    while (kept_count > 0)
        folder_remove(&kept[--kept_count].folder);
}

static int find_kept(int patients, int days, const struct kept_size **ret_kept, struct error *err)
{
    char path[FOLDER_PATH_BYTES];
    for (int i = 0; i < kept_count; i++) {
        if (kept[i].patients == patients && kept[i].days == days) {
            *ret_kept = &kept[i];
            return 0;
        }
    }
    if (kept_count == KEPT_MAX)
        return error_set(err, E_LIMIT, "more than %d sizes of demonstration in one process", KEPT_MAX);
    struct kept_size *size = &kept[kept_count];
    int rc = folder_make(&size->folder, err);
    if (rc < 0)
        return rc;
    if (kept_count++ == 0)
        (void)atexit(remove_kept); /* else a folder is left over */
    size->patients = patients;
    size->days = days;
    *ret_kept = size;
    return demo_store_build(folder_path(&size->folder, "sachet.db", path), patients, days, err);
}

int demo_store_copy(const char *path, int patients, int days, struct error *err)
{
    char from[FOLDER_PATH_BYTES];
    const struct kept_size *size = NULL;
    int rc = find_kept(patients, days, &size, err);
    if (rc < 0)
        return rc;
    struct store *store = store_open(folder_path(&size->folder, "sachet.db", from), false, err);
    if (!store)
        return err->code;
    rc = store_backup(store, path, err);
    store_close(store);
    return rc;
}

int demo_store_batch(struct store *store, int64_t *ret_batch, struct error *err)
{
    struct arena arena;
    struct batch_created created = {0};
    int64_t command = 0;
    const struct batch_request request = {.machine = DEMO_MACHINE, .actor = "tech", .wall_ms = 1};
    arena_init(&arena, 0);
    int rc = batch_create(store, &request, &arena, &created, err);
    if (rc == 0)
        rc = batch_ask(store, created.id, "start", "tech", 2, &command, err);
    arena_finish(&arena);
    *ret_batch = created.id;
    return rc;
}
