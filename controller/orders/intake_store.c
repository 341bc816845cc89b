/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/orders/intake_store_private.h"

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/intake/dosage.h"
#include "controller/intake/index.h"
#include "controller/orders/intake_hits.h"
#include "controller/seal/seal.h"
#include "controller/stock/product.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A fill, until the orders are stored. */
struct kept_dispense {
    struct kept_dispense *next;
    struct intake_dispense dispense;
};

struct stored_patient {
    int64_t id; /* 0: not in the store */
    bool fresh; /* inserted by this run: the store has no orders of theirs but this run's */
    bool named; /* a Patient resource was seen, not only a reference */
    struct intake_patient patient;
};

/* Transactions. */

int run_begin(struct run *run, struct error *err)
{
    return store_in_write(run->store) ? 0 : store_write_begin(run->store, err);
}

int run_end(struct run *run, bool now, struct error *err)
{
    if (!store_in_write(run->store) || (!now && (run->hold || ++run->batch < INTAKE_BATCH_ORDERS)))
        return 0;
    run->batch = 0;
    run_forget(run);
    return store_write_commit(run->store, err);
}

/* Products. */

/* The provisional product of an order goes into the store before the order. *ret_code is NULL when the store
 * does not take it (a name that no label can carry). */
static int keep_product(struct run *run, const struct catalogue_row *row, const char **ret_code,
                        struct error *err)
{
    *ret_code = row->code;
    if (!row->fresh)
        return 0;
    void **place = keymap_put(&run->products, row->code, strlen(row->code));
    if (place == NULL)
        return error_set(err, E_MEMORY, "intake: out of memory");
    if (*place != NULL) {
        *ret_code = *place == row ? row->code : NULL;
        return 0;
    }
    *place = run; /* tried, and not taken so far */
    struct product product = {.provisional = true};
    const char *packable = row->packable == PACKABLE_YES          ? "yes"
                           : row->packable == PACKABLE_PHARMACIST ? "pharmacist"
                                                                  : "no";
    const char *const fields[][2] = {
        {"code", row->code},
        {"name", row->name},
        {"ingredient", row->ingredient[0] != '\0' ? row->ingredient : "unknown"},
        {"strength", row->strength},
        {"form", row->form[0] != '\0' ? row->form : "unknown"},
        {"release", row->release},
        {"rxcui", row->rxcui},
        {"ndc", row->ndc},
        {"packable", packable},
        {"halves", row->halves ? "yes" : "no"},
        {"look", ""},
        {"note", row->note},
    };
    int rc = 0;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0] && rc == 0; i++)
        rc = product_set(&product, fields[i][0], fields[i][1], err);
    if (rc == 0)
        rc = product_check(&product, err);
    if (rc != 0) {
        *ret_code = NULL;
        return 0; /* the order keeps its reasons; only the product row is missing */
    }
    enum product_put put = PRODUCT_SAME;
    rc = run_begin(run, err);
    if (rc == 0)
        rc = product_put(run->store, &product, run->import->wall_ms, &put, err);
    if (rc == 0) {
        *place = (void *)(uintptr_t)row;
        run->import->stored.products_new += put == PRODUCT_ADDED;
    }
    return rc;
}

/* Patients. */

static void hash_patient(const struct intake_patient *patient, uint8_t hash[SEAL_HASH_BYTES])
{
    char text[512];
    int len = snprintf(text, sizeof text, "%s\n%" PRId32 "\n%d", patient->name, patient->birth_day,
                       patient->deceased);
    seal_hash(text, len > 0 && (size_t)len < sizeof text ? (size_t)len : sizeof text - 1, hash);
}

void run_forget(struct run *run)
{
    if (run->patients.count < INTAKE_PATIENTS_KEPT)
        return;
    keymap_finish(&run->patients);
    arena_reset(&run->patient_arena);
    keymap_init(&run->patients, &run->patient_arena);
}

static int load_patient(struct run *run, struct stored_patient *row, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(run->store, &rows, err,
                         "SELECT id, name, birth_day, deceased FROM patient WHERE source_id = ?", "t",
                         row->patient.id);
    if (rc != 0)
        return rc;
    rc = store_next(rows, err);
    if (rc > 0) {
        const char *name = store_text(rows, 1);
        row->id = store_int(rows, 0);
        row->named = name[0] != '\0';
        row->patient.name = arena_text(&run->patient_arena, name, strlen(name));
        row->patient.birth_day = store_is_null(rows, 2) ? CIVIL_DAY_NONE : (int32_t)store_int(rows, 2);
        row->patient.deceased = store_int(rows, 3) != 0;
        if (row->patient.name == NULL)
            rc = error_set(err, E_MEMORY, "intake: out of memory");
    }
    store_done(rows);
    return rc < 0 ? rc : 0;
}

/* What the store has under this id; the struct lives until run_forget. */
static int find_patient(struct run *run, const char *id, struct stored_patient **ret, struct error *err)
{
    void **place = keymap_put(&run->patients, id, strlen(id));
    if (place == NULL)
        return error_set(err, E_MEMORY, "intake: out of memory");
    if (*place != NULL) {
        *ret = *place;
        return 0;
    }
    struct stored_patient *row = arena_alloc(&run->patient_arena, sizeof *row);
    if (row != NULL)
        row->patient.id = arena_text(&run->patient_arena, id, strlen(id));
    if (row == NULL || row->patient.id == NULL)
        return error_set(err, E_MEMORY, "intake: out of memory");
    int rc = load_patient(run, row, err);
    if (rc != 0)
        return rc;
    *place = row;
    *ret = row;
    return 0;
}

/* Inserts or updates the patient's row; known NULL: only a reference was seen. */
int run_keep_patient(struct run *run, const char *id, const struct intake_patient *known, bool insert,
                     int64_t *ret_id, struct error *err)
{
    static const struct intake_patient nobody = {.name = "", .birth_day = CIVIL_DAY_NONE};
    uint8_t hash[SEAL_HASH_BYTES];
    struct stored_patient *row = NULL;
    int64_t now = run->import->wall_ms;
    int rc = find_patient(run, id, &row, err);
    if (rc != 0)
        return rc;
    const struct intake_patient *patient = known != NULL ? known : &nobody;
    hash_patient(patient, hash);
    bool birth = patient->birth_day != CIVIL_DAY_NONE;
    if (row->id == 0 &&
        insert) { /* another import may have brought it since: looked at again under the lock */
        rc = run_begin(run, err);
        if (rc == 0)
            rc = load_patient(run, row, err);
        if (rc != 0)
            return rc;
    }
    if (row->id == 0 && insert) {
        rc = store_insert(run->store, err, &row->id,
                          "INSERT INTO patient (source_id, name, deceased, content_hash, changed_ms) "
                          "VALUES (?, ?, ?, ?, ?)",
                          "ttibi", id, patient->name, (int64_t)patient->deceased, hash, sizeof hash, now);
        if (rc == 0 && birth)
            rc = store_exec(run->store, err, "UPDATE patient SET birth_day = ? WHERE id = ?", "ii",
                            (int64_t)patient->birth_day, row->id);
        row->fresh = rc == 0;
        run->import->stored.patients_new += rc == 0;
    } else if (row->id != 0 && known != NULL && !known->clash &&
               (!row->named || strcmp(row->patient.name, known->name) != 0 ||
                row->patient.birth_day != known->birth_day || row->patient.deceased != known->deceased)) {
        rc = run_begin(run, err);
        if (rc == 0)
            rc = store_exec(run->store, err,
                            "UPDATE patient SET name = ?, birth_day = NULL, deceased = ?, content_hash = ?, "
                            "changed_ms = ? WHERE id = ?",
                            "tibii", known->name, (int64_t)known->deceased, hash, sizeof hash, now, row->id);
        if (rc == 0 && birth)
            rc = store_exec(run->store, err, "UPDATE patient SET birth_day = ? WHERE id = ?", "ii",
                            (int64_t)known->birth_day, row->id);
        run->import->stored.patients_changed += rc == 0;
    } else {
        *ret_id = row->id;
        return 0;
    }
    if (rc == 0 && known != NULL) {
        row->named = true;
        row->patient.name = arena_text(&run->patient_arena, known->name, strlen(known->name));
        row->patient.birth_day = known->birth_day;
        row->patient.deceased = known->deceased;
        if (row->patient.name == NULL)
            rc = error_set(err, E_MEMORY, "intake: out of memory");
    }
    *ret_id = row->id;
    return rc;
}

/* For the intake: a patient of the store that is not in the input. */
static const struct intake_patient *stored_patient(void *data, const char *id)
{
    struct run *run = data;
    struct stored_patient *row = NULL;
    if (id[0] == '\0' || find_patient(run, id, &row, NULL) != 0 || row->id == 0 || !row->named)
        return NULL;
    return &row->patient;
}

/* For the intake: what a pharmacist said to this order. The struct lives until the next call. */
static const struct intake_resolution *stored_resolution(void *data, const char *source_id,
                                                         const char *original)
{
    struct run *run = data;
    struct store_rows *rows = NULL;
    uint8_t hash[SEAL_HASH_BYTES];
    if (!run->any_resolution || source_id[0] == '\0')
        return NULL;
    seal_hash(original, strlen(original), hash);
    arena_reset(&run->said);
    bool found = store_query(run->store, &rows, NULL,
                             "SELECT kind, accepts, coalesce(product_code, ''), coalesce(dosage, ''), actor, "
                             "because FROM order_resolution WHERE source_id = ? AND content_hash = ? AND "
                             "ended_ms IS NULL",
                             "tb", source_id, hash, sizeof hash) == 0 &&
                 store_next(rows, NULL) > 0;
    if (found) {
        struct intake_resolution *row = &run->resolution;
        const char **texts[] = {&row->product, &row->dosage, &row->actor, &row->because};
        char accepts[4096], *save = NULL;
        *row = (struct intake_resolution){.refused = strcmp(store_text(rows, 0), "refused") == 0};
        (void)snprintf(accepts, sizeof accepts, "%s", store_text(rows, 1));
        for (char *name = strtok_r(accepts, " ", &save); name != NULL; name = strtok_r(NULL, " ", &save)) {
            enum reason_code code;
            if (reason_parse(name, &code))
                row->accepts[code] = true;
        }
        for (int i = 0; i < 4; i++) {
            const char *text = store_text(rows, 2 + i);
            *texts[i] = arena_text(&run->said, text, strlen(text));
            found = found && *texts[i] != NULL;
        }
    }
    store_done(rows);
    /* Without it the order waits as before: that is safe. */
    return found ? &run->resolution : NULL;
}

/* Orders. */

enum change { CHANGE_NEW, CHANGE_CONTENT, CHANGE_READING, CHANGE_REASONS, CHANGE_NONE };

struct current {
    int64_t row_id, version;
    enum change change;
    bool was_packable, same_reading;
};

static int compare(struct run *run, const struct order *order, const struct worked *worked,
                   const char *product, const uint8_t hash[SEAL_HASH_BYTES], struct current *ret,
                   struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(run->store, &rows, err,
                         "SELECT id, version, content_hash, outcome, product_code, reading, dosage, reasons "
                         "FROM order_version WHERE source_id = ? AND current = 1",
                         "t", order->source_id);
    if (rc != 0)
        return rc;
    rc = store_next(rows, err);
    ret->change = CHANGE_NEW;
    if (rc > 0) {
        size_t len = 0;
        const void *old = store_blob(rows, 2, &len);
        bool same_content = len == SEAL_HASH_BYTES && memcmp(old, hash, len) == 0;
        bool same_reading =
            strcmp(store_text(rows, 3), outcome_text(order->reasons.outcome)) == 0 &&
            strcmp(store_text(rows, 4), product != NULL ? product : "") == 0 &&
            strcmp(store_text(rows, 5), worked->reading != NULL ? worked->reading : "") == 0 &&
            strcmp(store_text(rows, 6), worked->dosage != NULL ? worked->dosage : "") == 0;
        bool same_reasons = strcmp(store_text(rows, 7), buf_string(&worked->reasons)) == 0;
        ret->row_id = store_int(rows, 0);
        ret->version = store_int(rows, 1);
        ret->was_packable = strcmp(store_text(rows, 3), outcome_text(OUTCOME_PACKABLE)) == 0;
        ret->same_reading = same_reading;
        ret->change = !same_content   ? CHANGE_CONTENT
                      : !same_reading ? CHANGE_READING
                      : !same_reasons ? CHANGE_REASONS
                                      : CHANGE_NONE;
    }
    store_done(rows);
    return rc < 0 ? rc : 0;
}

static int write_version(struct run *run, const struct order *order, const struct worked *worked,
                         const char *product, const uint8_t hash[SEAL_HASH_BYTES],
                         const struct current *current, struct error *err)
{
    int64_t patient_id = 0, ignored;
    const char *patient = order->patient != NULL && order->patient->id[0] != '\0'
                              ? order->patient->id
                              : index_reference_id(order->patient_ref);
    int rc = run_keep_patient(run, patient[0] != '\0' ? patient : "unknown", order->patient, true,
                              &patient_id, err);
    if (rc == 0)
        rc = run_begin(run, err);
    if (rc == 0 && current->change != CHANGE_NEW)
        rc = store_exec(run->store, err, "UPDATE order_version SET current = 0 WHERE id = ?", "i",
                        current->row_id);
    if (rc != 0)
        return rc;
    rc = store_insert(
        run->store, err, &ignored,
        "INSERT INTO order_version (source_id, version, current, patient_id, status, outcome, reasons, "
        "drug_name, drug_codes, product_code, reading, dosage, original, content_hash, file, "
        "imported_ms) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "tiitttttttttbti", order->source_id, current->version + 1, patient_id, order->status,
        outcome_text(order->reasons.outcome), buf_string(&worked->reasons), order->drug_name,
        buf_string(&worked->codes), product, worked->reading, worked->dosage, order->original, hash,
        (size_t)SEAL_HASH_BYTES, order->place, run->import->wall_ms);
    /* What is in pouches already, or about to be, was made for what the order said before. */
    if (rc == 0 && current->was_packable && !current->same_reading)
        rc = intake_withdraw(run->store, order->source_id, run->import->actor, run->import->wall_ms,
                             run->import->policy.today, &run->import->stored.pouches_withdrawn, err);
    return rc;
}

static int keep_order(struct run *run, const struct order *order, struct error *err)
{
    struct intake_stored *stored = &run->import->stored;
    struct current current = {0};
    struct worked *worked = &run->worked;
    uint8_t hash[SEAL_HASH_BYTES];
    const char *product = NULL;
    int rc = order->product != NULL ? keep_product(run, order->product, &product, err) : 0;
    if (rc != 0)
        return rc;
    seal_hash(order->original, strlen(order->original), hash);
    rc = worked_make(worked, order, err);
    const bool locked = store_in_write(run->store);
    if (rc == 0)
        rc = compare(run, order, worked, product, hash, &current, err);
    if (rc == 0 && !locked && current.change != CHANGE_NONE) { /* what another import did since counts */
        rc = run_begin(run, err);
        if (rc == 0)
            rc = compare(run, order, worked, product, hash, &current, err);
    }
    if (rc == 0 && current.change == CHANGE_REASONS) {
        rc = run_begin(run, err);
        if (rc == 0)
            rc = store_exec(run->store, err, "UPDATE order_version SET reasons = ? WHERE id = ?", "ti",
                            buf_string(&worked->reasons), current.row_id);
    } else if (rc == 0 && current.change != CHANGE_NONE) {
        rc = write_version(run, order, worked, product, hash, &current, err);
    }
    if (rc != 0)
        return rc;
    stored->orders_new += current.change == CHANGE_NEW;
    stored->orders_changed += current.change == CHANGE_CONTENT;
    stored->orders_read_anew += current.change == CHANGE_READING;
    stored->orders_same += current.change == CHANGE_NONE || current.change == CHANGE_REASONS;
    return run_end(run, false, err);
}

static int on_order(void *data, const struct order *order, struct error *err)
{
    struct run *run = data;
    if (run->import->order != NULL)
        run->import->order(run->import->data, order);
    if (order->source_id[0] == '\0' || order->original == NULL || order->original[0] == '\0') {
        run->import->stored.orders_unkept++;
        return 0;
    }
    /* Of two that clash under one id the first is kept, waiting; both are told. */
    if (!intake_keep_once(run->intake, order->source_id))
        return 0;
    return keep_order(run, order, err);
}

static const char *keep_text(struct run *run, const char *text)
{
    return arena_text(&run->arena, text, strlen(text));
}

static int on_dispense(void *data, const struct intake_dispense *dispense, struct error *err)
{
    struct run *run = data;
    struct kept_dispense *kept = arena_alloc(&run->arena, sizeof *kept);
    if (kept == NULL)
        return error_set(err, E_MEMORY, "intake: out of memory");
    *kept = (struct kept_dispense){.dispense = *dispense};
    kept->dispense.source_id = keep_text(run, dispense->source_id);
    kept->dispense.patient_id = keep_text(run, dispense->patient_id);
    kept->dispense.order_id = keep_text(run, dispense->order_id);
    kept->dispense.status = keep_text(run, dispense->status);
    kept->dispense.place = keep_text(run, dispense->place);
    if (dispense->product != NULL)
        kept->dispense.product = keep_text(run, dispense->product);
    if (!kept->dispense.source_id || !kept->dispense.patient_id || !kept->dispense.order_id ||
        !kept->dispense.status || !kept->dispense.place ||
        (dispense->product != NULL && !kept->dispense.product))
        return error_set(err, E_MEMORY, "intake: out of memory");
    *run->dispenses_end = kept;
    run->dispenses_end = &kept->next;
    return 0;
}

int run_keep_dispenses(struct run *run, struct error *err)
{
    int rc = 0;
    for (const struct kept_dispense *kept = run->dispenses; kept != NULL && rc == 0; kept = kept->next) {
        rc = run_begin(run, err);
        if (rc == 0)
            rc = run->import->dispense(run->import->data, &kept->dispense, err);
        if (rc == 0)
            rc = run_end(run, false, err);
    }
    return rc;
}

static void on_refused(void *data, const char *place, const char *what)
{
    struct run *run = data;
    if (run->import->refused != NULL)
        run->import->refused(run->import->data, place, what);
}

static void on_progress(void *data, int64_t bytes)
{
    struct run *run = data;
    if (run->import->progress != NULL)
        run->import->progress(run->import->data, bytes);
}

/* Runs. */

int run_open(struct run *run, struct intake_import *import, struct error *err)
{
    const struct intake_sink sink = {run,
                                     on_order,
                                     on_refused,
                                     on_progress,
                                     stored_patient,
                                     stored_resolution,
                                     import->dispense ? on_dispense : NULL,
                                     import->allergy ? run_take_allergy : NULL};
    *run = (struct run){.import = import, .store = import->store};
    run->dispenses_end = &run->dispenses;
    run->allergies_end = &run->allergies;
    store_cache(import->store, INTAKE_CACHE_KIB);
    int64_t resolutions = 0;
    arena_init(&run->arena, INTAKE_INDEX_BYTES_MAX);
    arena_init(&run->said, 0);
    arena_init(&run->patient_arena, 0);
    keymap_init(&run->patients, &run->patient_arena);
    keymap_init(&run->products, &run->arena);
    worked_init(&run->worked);
    int rc = catalogue_load(import->store, &run->catalogue, err);
    if (rc == 0)
        rc = store_get_int(import->store, &resolutions, err,
                           "SELECT count(*) FROM order_resolution WHERE ended_ms IS NULL", "");
    if (rc != 0)
        return rc;
    run->any_resolution = resolutions > 0;
    run->intake = intake_create(&import->policy, run->catalogue, &sink);
    return run->intake != NULL ? 0 : error_set(err, E_MEMORY, "intake: out of memory");
}

void run_close(struct run *run)
{
    if (!run->hold)
        store_write_rollback(run->store);
    store_cache(run->store, 0);
    intake_destroy(run->intake);
    catalogue_destroy(run->catalogue);
    keymap_finish(&run->patients);
    arena_finish(&run->patient_arena);
    keymap_finish(&run->products);
    worked_finish(&run->worked);
    arena_finish(&run->arena);
    arena_finish(&run->said);
}

/* Each current order of one patient that the input does not have: text(place, original). */
int run_each_known(struct run *run, const char *patient, bool read, struct error *err)
{
    struct store_rows *rows = NULL;
    struct arena arena;
    struct known {
        struct known *next;
        const char *place, *text;
    } *list = NULL;
    struct stored_patient *row = NULL;
    int rc = find_patient(run, patient, &row, err);
    if (rc != 0 || row->id == 0 || row->fresh)
        return rc;
    const struct intake_patient *stored = row->named ? &row->patient : NULL;
    arena_init(&arena, 0);
    rc = store_query(
        run->store, &rows, err,
        "SELECT o.source_id, o.file, o.original FROM order_version AS o JOIN patient AS p ON p.id = "
        "o.patient_id WHERE p.source_id = ? AND o.current = 1 ORDER BY o.source_id DESC",
        "t", patient);
    /* Collected first: reading may write, and a query must not stand open over a write. */
    while (rc == 0) {
        int more = store_next(rows, err);
        if (more <= 0) {
            rc = more;
            break;
        }
        const char *id = store_text(rows, 0);
        if (intake_is_kept(run->intake, id) || (!read && intake_has_order(run->intake, id)))
            continue;
        struct known *known = arena_alloc(&arena, sizeof *known);
        if (known == NULL) {
            rc = error_set(err, E_MEMORY, "intake: out of memory");
            break;
        }
        known->place = arena_text(&arena, store_text(rows, 1), strlen(store_text(rows, 1)));
        known->text = arena_text(&arena, store_text(rows, 2), strlen(store_text(rows, 2)));
        known->next = list;
        list = known;
    }
    store_done(rows);
    for (const struct known *known = list; known != NULL && rc == 0; known = known->next) {
        if (known->place == NULL || known->text == NULL)
            rc = error_set(err, E_MEMORY, "intake: out of memory");
        else if (read)
            rc = intake_read_text(run->intake, known->place, known->text, strlen(known->text), err);
        else if (stored != NULL)
            rc = intake_index_known(run->intake, stored, known->place, known->text, strlen(known->text), err);
        else
            rc = intake_index_text(run->intake, known->place, known->text, strlen(known->text), err);
    }
    arena_finish(&arena);
    return rc;
}
