/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/stock/product.h"
#include "controller/store/store.h"
#include "tests/support/clinic.h"

enum { WALL_MS_DAY = 1795219 }; /* 2026-11-21, in seconds / 1000 */

static struct error err;

static void ok(int status)
{
    if (status < 0)
        fail_msg("%s", err.message);
}

static void conf_open(const struct conf_schema *schema, const char *file, struct conf **ret)
{
    char path[512];
    ok(paths_data(file, path, sizeof path, &err));
    ok(conf_load(schema, path, ret, &err));
}

void clinic_people(struct clinic *clinic)
{
    int64_t id;
    ok(user_add(clinic->store, NULL, "pia", "Pia Pharmacist", USER_PHARMACIST, CLINIC_PASSWORD, 1, &id,
                &err));
    ok(user_by_id(clinic->store, id, &clinic->pharmacist, &err));
    ok(user_add(clinic->store, &clinic->pharmacist, "tom", "Tom Technician", USER_TECHNICIAN, CLINIC_PASSWORD,
                1, &id, &err));
    ok(user_by_id(clinic->store, id, &clinic->technician, &err));
    ok(user_key_open(&clinic->pharmacist, CLINIC_PASSWORD, &clinic->key, &err));
}

void clinic_rules(struct clinic *clinic, const char *site_lines, const char *timing)
{
    struct buf site;
    buf_init(&site);
    buf_printf(&site, "format: sachet-site/1\npharmacy: {name: My Pharmacy, phone: 555 0100}\n%s",
               site_lines);
    ok(conf_parse(&conf_site, "site.yaml", site.data, site.len, &clinic->site, &err));
    buf_finish(&site);
    if (timing)
        ok(conf_parse(&conf_timing, "timing.yaml", timing, strlen(timing), &clinic->timing, &err));
    else
        conf_open(&conf_timing, "rules/timing.yaml", &clinic->timing);
    conf_open(&conf_packing, "rules/packing.yaml", &clinic->packing);
    conf_open(&conf_jurisdiction, "rules/jurisdiction.yaml", &clinic->jurisdiction);
    ok(policy_create(clinic->site, clinic->timing, clinic->packing, clinic->jurisdiction, &clinic->policy,
                     &err));
}

void clinic_init(struct clinic *clinic, const char *site_lines, const char *timing)
{
    memset(clinic, 0, sizeof *clinic);
    scratch_init(&clinic->scratch);
    (void)scratch_path(&clinic->scratch, "sachet.db", clinic->path);
    ok(seal_init(&err));
    ok(store_create(clinic->path, &err));
    clinic->store = store_open(clinic->path, false, &err);
    assert_non_null(clinic->store);
    clinic_rules(clinic, site_lines, timing);
}

void clinic_rules_finish(struct clinic *clinic)
{
    policy_destroy(clinic->policy);
    conf_destroy(clinic->jurisdiction);
    conf_destroy(clinic->packing);
    conf_destroy(clinic->timing);
    conf_destroy(clinic->site);
}

void clinic_finish(struct clinic *clinic)
{
    seal_key_close(clinic->key);
    clinic_rules_finish(clinic);
    store_close(clinic->store);
    scratch_finish(&clinic->scratch);
}

void clinic_exec(struct clinic *clinic, const char *sql)
{
    ok(store_write_begin(clinic->store, &err));
    ok(store_exec(clinic->store, &err, sql, ""));
    ok(store_write_commit(clinic->store, &err));
}

int64_t clinic_int(struct clinic *clinic, const char *sql)
{
    int64_t value;
    ok(store_get_int(clinic->store, &value, &err, sql, ""));
    return value;
}

int64_t clinic_patient(struct clinic *clinic, const char *source_id, const char *name)
{
    int64_t id;
    uint8_t hash[SEAL_HASH_BYTES] = {1};
    ok(store_write_begin(clinic->store, &err));
    ok(store_insert(
        clinic->store, &err, &id,
        "INSERT INTO patient (source_id, name, birth_day, deceased, content_hash, changed_ms) VALUES (?, ?, "
        "-7000, 0, ?, 1)",
        "ttb", source_id, name, (const void *)hash, sizeof hash));
    ok(store_write_commit(clinic->store, &err));
    return id;
}

void clinic_product(struct clinic *clinic, const char *code, const char *name, const char *ingredient)
{
    struct product product = {.packable = PRODUCT_PACKABLE_YES, .halves = true};
    enum product_put put;
    (void)snprintf(product.code, sizeof product.code, "%s", code);
    (void)snprintf(product.name, sizeof product.name, "%s", name);
    (void)snprintf(product.ingredient, sizeof product.ingredient, "%s", ingredient);
    (void)snprintf(product.strength, sizeof product.strength, "5 mg");
    (void)snprintf(product.form, sizeof product.form, "tablet");
    (void)snprintf(product.release, sizeof product.release, "IR");
    (void)snprintf(product.look, sizeof product.look, "white round");
    ok(store_write_begin(clinic->store, &err));
    ok(product_put(clinic->store, &product, 1, &put, &err));
    ok(store_write_commit(clinic->store, &err));
}

int64_t clinic_order_as(struct clinic *clinic, int64_t patient, const char *source_id, const char *product,
                        const struct reading *reading, const char *outcome, const char *reasons)
{
    int64_t id, version;
    struct buf json;
    uint8_t hash[SEAL_HASH_BYTES];
    buf_init(&json);
    if (reading)
        reading_write(reading, &json);
    seal_hash(json.data, json.len, hash);
    ok(store_get_int(clinic->store, &version, &err,
                     "SELECT coalesce(max(version), 0) + 1 FROM order_version WHERE source_id = ?", "t",
                     source_id));
    ok(store_write_begin(clinic->store, &err));
    ok(store_exec(clinic->store, &err, "UPDATE order_version SET current = 0 WHERE source_id = ?", "t",
                  source_id));
    ok(store_insert(
        clinic->store, &err, &id,
        "INSERT INTO order_version (source_id, version, current, patient_id, status, outcome, reasons, "
        "drug_name, drug_codes, product_code, reading, dosage, original, content_hash, file, imported_ms) "
        "VALUES (?, ?, 1, ?, 'active', ?, ?, ?, '[]', ?, ?, '[]', '{}', ?, 'test:1', 1)",
        "tiittt"
        "ttb",
        source_id, version, patient, outcome, reasons, product ? product : "some drug", product,
        reading ? buf_string(&json) : NULL, (const void *)hash, sizeof hash));
    ok(store_write_commit(clinic->store, &err));
    buf_finish(&json);
    return id;
}

int64_t clinic_order(struct clinic *clinic, int64_t patient, const char *source_id, const char *product,
                     const struct reading *reading)
{
    return clinic_order_as(clinic, patient, source_id, product, reading, "packable", "[]");
}

struct reading clinic_daily(int times, int64_t amount_milli)
{
    struct reading reading = {.phase_count = 1};
    struct reading_phase *phase = &reading.phases[0];
    *phase = (struct reading_phase){.group = 1,
                                    .every_days = 1,
                                    .start_day = CIVIL_DAY_NONE,
                                    .end_day = CIVIL_DAY_NONE,
                                    .dose_count = times};
    for (int i = 0; i < times; i++)
        phase->doses[i] = (struct reading_dose){.amount_milli = amount_milli};
    return reading;
}

struct plan_made clinic_plan(struct clinic *clinic, int64_t patient, int days)
{
    return clinic_plan_from(clinic, patient, "2026-11-23", days);
}

struct plan_made clinic_plan_from(struct clinic *clinic, int64_t patient, const char *start, int days)
{
    struct plan_made made;
    struct plan_request request = {
        .patient = patient, .days = days, .actor = "test", .wall_ms = INT64_C(1000) * 1000 * WALL_MS_DAY};
    assert_true(civil_parse(start, &request.start_day));
    ok(plan_make(clinic->store, clinic->policy, &request, &made, &err));
    return made;
}
