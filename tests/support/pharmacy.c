/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/pharmacy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "controller/plan/plan_text.h"
#include "controller/seal/seal.h"
#include "controller/store/store.h"

#define HASH0 "0000000000000000000000000000000000000000000000000000000000000000"

enum { START_DAY = 20780 /* 2026-11-23 */, EXPIRY_DAY = 22000 };

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

static void plan_lines(struct buf *out, int patient, int days)
{
    static const char *const products[] = {"A", "B", "C"};
    static const char *const slots[] = {"1", "1", "2"};
    static const char *const amounts[] = {"1", "1.5", "2"};
    char first[CIVIL_TEXT_BYTES], last[CIVIL_TEXT_BYTES];
    civil_format(START_DAY, first);
    civil_format(START_DAY + days - 1, last);
    buf_printf(out, "sachet-plan/1\npatient \"pat-%d\" \"Patient %d\" born=1950-02-28\n", patient, patient);
    buf_printf(out, "plan version=1 start=%s days=%d day-start=04:00 limits=8/6/9\n", first, days);
    buf_text(out, "rules timing=\"1\" " HASH0 " packing=\"1\" " HASH0 " regimen=" HASH0 "\n");
    for (int i = 0; i < 3; i++)
        buf_printf(out,
                   "product %s \"Drug %s\" strength=\"5 mg\" form=\"tablet\" look=\"\" alone=no "
                   "provisional=no row=" HASH0 "\n",
                   products[i], products[i]);
    for (int i = 0; i < 3; i++)
        buf_printf(out,
                   "order %d \"o-%d-%d\" version=1 hash=" HASH0
                   " product=%s state=included begins=%s \"Drug %s\""
                   " reason=\"\"\n",
                   3 * patient + i, patient, i, products[i], first, products[i]);
    buf_text(out, "slot 1 08:00 +0 MORNING\nslot 2 22:00 +0 BEDTIME\n");
    for (int i = 0; i < 3; i++)
        buf_printf(out, "take %d slot=%s amount=%s first=%s last=%s every=1 anchor=%s weekdays=- days=%d\n",
                   3 * patient + i, slots[i], amounts[i], first, last, first, days);
    pouch_lines(out, days);
    buf_printf(out, "total A amount=%d whole=%d half=0\n", days, days);
    buf_printf(out, "total B amount=%d%s whole=%d half=%d\n", days * 3 / 2, days % 2 ? ".5" : "", days, days);
    buf_printf(out, "total C amount=%d whole=%d half=0\n", 2 * days, 2 * days);
    buf_printf(out, "end pouches=%d pieces=%d\n", 2 * days, 5 * days);
}

static void parse_or_fail(const struct buf *text)
{
    struct arena arena;
    struct plan_text *plan = NULL;
    struct error err = {0};
    arena_init(&arena, 0);
    if (plan_text_parse(text->data, text->len, &arena, &plan, &err) < 0)
        fail_msg("the pharmacy's plan is wrong: %s", err.message);
    arena_finish(&arena);
}

static int add_patient(struct store *store, int patient, int days, struct error *err)
{
    struct buf text;
    uint8_t hash[SEAL_HASH_BYTES];
    char source[32], name[32];
    int64_t id = 0, plan = 0;
    buf_init(&text);
    plan_lines(&text, patient, days);
    parse_or_fail(&text);
    seal_hash(text.data, text.len, hash);
    (void)snprintf(source, sizeof source, "pat-%d", patient); /* both fit */
    (void)snprintf(name, sizeof name, "Patient %04d", patient);
    int rc = store_insert(
        store, err, &id,
        "INSERT INTO patient (source_id, name, content_hash, changed_ms) VALUES (?, ?, x'00', 0)", "tt",
        source, name);
    if (rc == 0)
        rc =
            store_insert(store, err, &plan,
                         "INSERT INTO plan (patient_id, version, state, start_day, days, text, hash, regimen,"
                         " schedule, drugs, times_written, times_planned, pouches, provisional, created_ms)"
                         " VALUES (?, 1, 'signed', ?, ?, ?, ?, '{}', '{}', 3, 4, 2, ?, 0, 0)",
                         "iiibbi", id, (int64_t)START_DAY, (int64_t)days, text.data, text.len, hash,
                         sizeof hash, (int64_t)2 * days);
    buf_finish(&text);
    return rc;
}

static int add_stock(struct store *store, struct error *err)
{
    static const struct {
        const char *product;
        const char *piece;
    } bays[PHARMACY_BAYS] = {{"A", "whole"}, {"B", "whole"}, {"B", "half"}, {"C", "whole"}, {"A", "whole"}};
    static const char *const products[] = {"A", "B", "C"};
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = store_exec(store, err,
                        "INSERT INTO product (code, name, ingredient, strength, form, release, rxcui, ndc,"
                        " packable, halves, look, note, provisional, row_hash, changed_ms)"
                        " VALUES (?, ?, 'x', '5 mg', 'tablet', 'IR', '', '', 'yes', 1, '', '', 0, x'00', 0)",
                        "tt", products[i], products[i]);
    for (int b = 0; b < PHARMACY_BAYS && rc == 0; b++)
        rc = store_exec(store, err,
                        "INSERT INTO canister (id, product_code, piece, lot, expiry_day, level, machine, bay,"
                        " changed_ms) VALUES (?, ?, ?, 'SIM-1', ?, ?, 'm1', ?, 0)",
                        "ittiii", (int64_t)PHARMACY_FIRST_CANISTER + b, bays[b].product, bays[b].piece,
                        (int64_t)EXPIRY_DAY + b, (int64_t)PHARMACY_PIECES, (int64_t)b);
    return rc;
}

void pharmacy_init(struct pharmacy *pharmacy, int patients, int days)
{
    struct error err = {0};
    scratch_init(&pharmacy->scratch);
    scratch_path(&pharmacy->scratch, "sachet.db", pharmacy->path);
    if (seal_init(&err) < 0 || store_create(pharmacy->path, &err) < 0)
        fail_msg("%s", err.message);
    pharmacy->store = NULL;
    pharmacy_reopen(pharmacy);
    int rc = store_write_begin(pharmacy->store, &err);
    if (rc == 0)
        rc = add_stock(pharmacy->store, &err);
    for (int i = 1; i <= patients && rc == 0; i++)
        rc = add_patient(pharmacy->store, i, days, &err);
    if (rc == 0)
        rc = store_write_commit(pharmacy->store, &err);
    if (rc < 0)
        fail_msg("%s", err.message);
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
