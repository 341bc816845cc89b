/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/review/sign.h"

#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/clinical/clinical.h"
#include "controller/plan/edit.h"
#include "controller/plan/input.h"
#include "controller/plan/order_row.h"
#include "controller/plan/patient_day.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/plan_text.h"
#include "controller/review/rules.h"
#include "controller/stock/product.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "controller/user/user_key.h"

/* A plan under examination. */
struct exam {
    struct store *store;
    struct error *err;
    struct arena arena;
    struct plan_row row;
    struct plan_text *plan;
    uint8_t hash[SEAL_HASH_BYTES]; /* of the text as it is */
    const struct clinical_rules *clinical;
    struct buf findings; /* what the signer sees, or saw: the canonical text; empty: nothing was looked for */
};

static int tampered(const struct exam *e, const char *what)
{
    return error_set(e->err, E_TAMPERED, "plan %lld: %s; it must not be packed, call the pharmacist",
                     (long long)e->row.id, what);
}

/* The row's own columns say what the text says. */
static int row_check(struct exam *e)
{
    int64_t same = 0;
    seal_hash(e->row.bytes, e->row.len, e->hash);
    if (memcmp(e->hash, e->row.hash, sizeof e->hash) != 0)
        return tampered(e, "its text does not match its hash");
    struct error why = {0};
    int status = plan_text_parse(e->row.bytes, e->row.len, &e->arena, &e->plan, &why);
    if (status == E_MEMORY)
        return error_set(e->err, status, "%s", why.message);
    if (status < 0)
        return tampered(e, why.message);
    status = store_get_int(
        e->store, &same, e->err,
        "SELECT count(*) FROM plan WHERE id = ? AND version = ? AND start_day = ? AND days = ? AND "
        "pouches = ? AND times_planned = ?",
        "iiiiii", e->row.id, (int64_t)e->plan->version, (int64_t)e->plan->start_day, (int64_t)e->plan->days,
        (int64_t)e->plan->pouch_count, (int64_t)e->plan->slot_count);
    if (status == 0 && same != 1)
        return tampered(e, "version, dates or counts in the store are not those of its text");
    return status;
}

static int patient_check(struct exam *e)
{
    const struct plan_text *plan = e->plan;
    struct store_rows *rows = NULL;
    int status = store_query(e->store, &rows, e->err,
                             "SELECT source_id, name, birth_day, deceased FROM patient WHERE id = ?", "i",
                             e->row.patient);
    int found = status < 0 ? status : store_next(rows, e->err);
    if (found == 0)
        found = tampered(e, "its patient is not in the store");
    if (found > 0) {
        int32_t born = store_is_null(rows, 2) ? CIVIL_DAY_NONE : (int32_t)store_int(rows, 2);
        bool died = store_int(rows, 3) != 0;
        found = 0;
        if (strcmp(store_text(rows, 0), plan->patient_id) != 0)
            found = tampered(e, "it belongs to another patient than its text says");
        else if (strcmp(store_text(rows, 1), plan->patient_name) != 0 || born != plan->birth_day)
            found = error_set(e->err, E_STATE,
                              "plan %lld: name or date of birth of the patient changed: plan again",
                              (long long)e->row.id);
        else if (died)
            found = error_set(e->err, E_STATE, "plan %lld: the patient has died", (long long)e->row.id);
    }
    store_done(rows);
    return found;
}

/* The times were planned for a day; on another day "before breakfast" is another time. A key that the
 * patient's own day leaves to the site is not compared. */
static int day_check(struct exam *e, const struct review_rules *rules)
{
    struct store_rows *rows = NULL;
    const struct plan_text *plan = e->plan;
    struct regimen_patient planned = patient_day_from_plan(&plan->day, plan->day_start), now = planned;
    struct patient_day own;
    int status = store_query(e->store, &rows, e->err, "SELECT day_template FROM patient WHERE id = ?", "i",
                             e->row.patient);
    int found = status < 0 ? status : store_next(rows, e->err);
    bool has_own = found > 0 && !store_is_null(rows, 0);
    bool same = true;
    if (found < 0 || plan->format == PLAN_FORMAT_FIRST) {
        same = !has_own; /* the first format knew no own day */
    } else if (has_own != plan->day.own) {
        same = false;
    } else if (has_own) {
        same = patient_day_parse(store_text(rows, 0), &own, NULL) == 0 &&
               patient_day_apply(&own, &planned, &now, NULL) == 0 && memcmp(&planned, &now, sizeof now) == 0;
    } else if (rules && rules->has_day) {
        same = memcmp(&planned, &rules->day, sizeof planned) == 0;
    }
    store_done(rows);
    if (found < 0)
        return found;
    return same ? 0
                : error_set(e->err, E_STATE, "plan %lld: the %s day changed since: plan again",
                            (long long)e->row.id,
                            has_own || plan->day.own ? "patient's own" : "site's ordinary");
}

static bool same_edit(const struct plan_edit *a, const struct plan_edit *b)
{
    return a->id == b->id && a->kind == b->kind && strcmp(a->source_id, b->source_id) == 0 &&
           strcmp(a->value, b->value) == 0 && strcmp(a->reason, b->reason) == 0 &&
           strcmp(a->login, b->login) == 0;
}

/* The edits that have a part in the plan are those that it was made with. */
static int edits_check(struct exam *e)
{
    struct plan_edit *edits = NULL;
    const struct plan_text *plan = e->plan;
    size_t count = 0, at = 0;
    bool same = true;
    int status = edit_load(e->store, e->row.patient, &e->arena, &edits, &count, e->err);
    for (size_t i = 0; status == 0 && i < count; i++) {
        if (!edit_applies(&edits[i], plan->orders, plan->order_count, plan->start_day))
            continue;
        same &= at < plan->edit_count && same_edit(&edits[i], &plan->edits[at]);
        at++;
    }
    if (status == 0 && (!same || at != plan->edit_count))
        status =
            error_set(e->err, E_STATE, "plan %lld: a pharmacist's edit was added or ended since: plan again",
                      (long long)e->row.id);
    return status;
}

static int unlisted_check(struct exam *e)
{
    struct buf names;
    int count = 0;
    buf_init(&names);
    int status = input_unlisted(e->store, e->row.patient, e->plan, &names, &count, e->err);
    if (status == 0 && count > 0)
        status = error_set(e->err, E_STATE, "plan %lld: order%s %s came after it was made: plan again",
                           (long long)e->row.id, count == 1 ? "" : "s", buf_string(&names));
    buf_finish(&names);
    return status;
}

static int order_check(struct exam *e, const struct plan_order *order)
{
    uint8_t hash[SEAL_HASH_BYTES];
    bool current = false;
    int64_t same = 0;
    int status = order_row_hash(e->store, order->id, hash, &current, e->err);
    if (status == E_NOT_FOUND)
        return tampered(e, "one of its orders is not in the store");
    if (status < 0)
        return status;
    if (memcmp(hash, order->hash, sizeof hash) != 0)
        return error_set(
            e->err, E_TAMPERED,
            "plan %lld: order %s is not what it was when the plan was made; it must not be packed",
            (long long)e->row.id, order->source_id);
    if (!current)
        return error_set(e->err, E_STATE, "plan %lld: order %s changed since: plan again",
                         (long long)e->row.id, order->source_id);
    status = store_get_int(
        e->store, &same, e->err,
        "SELECT count(*) FROM order_version v, plan_order p WHERE v.id = ? AND v.patient_id = ? AND "
        "v.source_id = ? AND v.version = ? AND p.plan_id = ? AND p.order_version_id = v.id AND "
        "p.included = ?",
        "iitiii", order->id, e->row.patient, order->source_id, (int64_t)order->version, e->row.id,
        (int64_t)(order->state == PLAN_INCLUDED));
    if (status == 0 && same != 1)
        return tampered(e, "the store's list of its orders is not that of its text");
    return status;
}

static int orders_check(struct exam *e)
{
    int64_t listed = 0;
    int status = store_get_int(e->store, &listed, e->err, "SELECT count(*) FROM plan_order WHERE plan_id = ?",
                               "i", e->row.id);
    if (status == 0 && (size_t)listed != e->plan->order_count)
        return tampered(e, "the store lists more or fewer orders than its text");
    for (size_t i = 0; status == 0 && i < e->plan->order_count; i++)
        status = order_check(e, &e->plan->orders[i]);
    return status;
}

static int products_check(struct exam *e)
{
    for (size_t i = 0; i < e->plan->product_count; i++) {
        const struct plan_product *product = &e->plan->products[i];
        struct product row;
        uint8_t hash[SEAL_HASH_BYTES];
        int status = product_get(e->store, product->code, &row, e->err);
        if (status == E_NOT_FOUND)
            return error_set(e->err, E_STATE,
                             "plan %lld: product %s is not in the formulary any more: plan again",
                             (long long)e->row.id, product->code);
        if (status < 0)
            return status;
        product_hash(&row, hash);
        if (memcmp(hash, row.row_hash, sizeof hash) != 0)
            return error_set(e->err, E_TAMPERED,
                             "product %s: the row does not match its hash; import the formulary again",
                             product->code);
        if (memcmp(hash, product->row_hash, sizeof hash) != 0)
            return error_set(e->err, E_STATE, "plan %lld: product %s changed since: plan again",
                             (long long)e->row.id, product->code);
    }
    return 0;
}

static int rules_check(struct exam *e, const struct review_rules *rules)
{
    if (!rules)
        return 0;
    const char *which = NULL;
    if (memcmp(rules->timing, e->plan->timing_hash, sizeof rules->timing) != 0)
        which = "timing";
    else if (memcmp(rules->packing, e->plan->packing_hash, sizeof rules->packing) != 0)
        which = "packing";
    if (which)
        return error_set(e->err, E_STATE, "plan %lld: the %s rules of the site changed since: plan again",
                         (long long)e->row.id, which);
    return 0;
}

/* Runs the clinical checks as of a day; leaves their text in e->findings when keep is true. */
static int findings_check(struct exam *e, int64_t wall_ms, bool keep)
{
    struct clinical_findings findings;
    if (!e->clinical)
        return 0;
    int status = clinical_check_plan(e->store, e->clinical, e->row.id, instant_day(wall_ms), &e->arena,
                                     &findings, e->err);
    if (status == 0)
        status = clinical_blocked(&findings, e->err);
    if (status < 0)
        return status == E_STATE ? error_prefix(e->err, status, "plan %lld", (long long)e->row.id) : status;
    if (keep)
        clinical_write(e->clinical, &findings, &e->findings);
    return e->findings.failed ? error_set(e->err, E_MEMORY, "no memory for the findings") : 0;
}

/* Every refusal says which plan it is about. */
static int named(struct exam *e, int status)
{
    char number[32];
    (void)snprintf(number, sizeof number, "plan %lld", (long long)e->row.id); /* fits */
    return strncmp(e->err->message, number, strlen(number)) == 0 ? status
                                                                 : error_prefix(e->err, status, "%s", number);
}

static int examine(struct exam *e, int64_t plan, const struct review_rules *rules)
{
    e->clinical = rules ? rules->clinical : NULL;
    int status = plan_row_load(e->store, plan, &e->arena, &e->row, e->err);
    if (status == 0)
        status = row_check(e);
    if (status == 0)
        status = patient_check(e);
    if (status == 0)
        status = day_check(e, rules);
    if (status == 0)
        status = orders_check(e);
    if (status == 0)
        status = edits_check(e);
    if (status == 0)
        status = unlisted_check(e);
    if (status == 0)
        status = products_check(e);
    if (status == 0)
        status = rules_check(e, rules);
    if (status == 0)
        status = rules_review(e->store, e->plan, e->row.patient, rules, &e->arena, e->err);
    return status == E_STATE || status == E_TAMPERED ? named(e, status) : status;
}

static void exam_begin(struct exam *e, struct store *store, struct error *err)
{
    *e = (struct exam){.store = store, .err = err};
    arena_init(&e->arena, 0);
    buf_init(&e->findings);
}

static void exam_finish(struct exam *e)
{
    buf_finish(&e->findings);
    arena_finish(&e->arena);
}

int review_check(struct store *store, int64_t plan, const struct review_rules *rules, struct error *err)
{
    struct error own;
    struct exam e;
    exam_begin(&e, store, err ? err : &own);
    int status = examine(&e, plan, rules);
    exam_finish(&e);
    return status;
}

/* The bytes that are signed. Names and ids are printable, so that each stands on its line. */
static void statement(const struct exam *e, const struct user *user, const char *meaning, int64_t wall_ms,
                      struct buf *out)
{
    char text[SEAL_HASH_TEXT_BYTES], key[SEAL_HASH_TEXT_BYTES], when[INSTANT_TEXT_BYTES];
    uint8_t seen[SEAL_HASH_BYTES];
    _Static_assert((int)SEAL_PUBLIC_BYTES == (int)SEAL_HASH_BYTES, "a key is written like a hash");
    seal_hash_text(e->hash, text);
    seal_hash_text(user->public_key, key);
    instant_format(wall_ms, when);
    buf_printf(out, "sachet-signature/%d\nmeaning %s\n", e->findings.len > 0 ? 2 : 1, meaning);
    buf_printf(out, "plan %lld version %d\npatient %s\ntext %s\n", (long long)e->row.id, e->plan->version,
               e->plan->patient_id, text);
    if (e->findings.len > 0) {
        seal_hash(e->findings.data, e->findings.len, seen);
        seal_hash_text(seen, text);
        buf_printf(out, "findings %s\n", text);
    }
    buf_printf(out, "signer %lld %s %s\nname %s\nkey %s\ntime %s\n", (long long)user->id, user->role,
               user->login, user->name, key, when);
}

static int insert_signature(struct exam *e, const struct user *user, const struct buf *bytes,
                            const uint8_t signature[SEAL_SIGNATURE_BYTES], int64_t wall_ms)
{
    char subject[32], detail[192], hash[SEAL_HASH_TEXT_BYTES];
    int64_t id;
    int status =
        store_insert(e->store, e->err, &id,
                     "INSERT INTO signature (plan_id, user_id, meaning, signed_ms, statement, signature) "
                     "VALUES (?, ?, ?, ?, ?, ?)",
                     "iitibb", e->row.id, user->id, REVIEW_MEANING, wall_ms, (const void *)bytes->data,
                     bytes->len, (const void *)signature, (size_t)SEAL_SIGNATURE_BYTES);
    if (status == 0 && e->findings.len > 0)
        status =
            store_exec(e->store, e->err, "INSERT INTO signature_findings (signature_id, text) VALUES (?, ?)",
                       "ib", id, (const void *)e->findings.data, e->findings.len);
    if (status == 0)
        status = store_exec(e->store, e->err,
                            "UPDATE plan SET state = 'superseded' WHERE patient_id = ?1 AND state = 'signed' "
                            "AND (start_day + days <= ?2 OR (start_day < ?4 AND start_day + days > ?3))",
                            "iiii", e->row.patient, (int64_t)instant_day(wall_ms),
                            (int64_t)e->plan->start_day, (int64_t)e->plan->start_day + e->plan->days);
    if (status == 0)
        status =
            store_exec(e->store, e->err, "UPDATE plan SET state = 'signed' WHERE id = ? AND state = 'draft'",
                       "i", e->row.id);
    if (status < 0)
        return status;
    seal_hash_text(e->hash, hash);
    (void)snprintf(subject, sizeof subject, "plan:%lld", (long long)e->row.id); /* fits */
    (void)snprintf(detail, sizeof detail, "{\"signature\":%lld,\"version\":%d,\"text\":\"%s\"}",
                   (long long)id, e->plan->version, hash); /* fits */
    return audit_add(e->store, wall_ms, user->login, "plan.sign", subject, detail, e->err);
}

/* The user as the store has it now: roles and states change while a program waits for a password. */
static int signer_check(struct exam *e, const struct user *user, const struct seal_key *key)
{
    struct user now;
    uint8_t public_key[SEAL_PUBLIC_BYTES];
    int status = user_by_id(e->store, user->id, &now, e->err);
    if (status < 0)
        return status;
    if (!user_is_pharmacist(&now) || now.disabled)
        return error_set(e->err, E_DENIED, "%s may not sign plans: only an enabled pharmacist may",
                         now.login);
    seal_key_public(key, public_key);
    if (memcmp(public_key, now.public_key, sizeof public_key) != 0 ||
        memcmp(user->public_key, now.public_key, sizeof public_key) != 0)
        return error_set(e->err, E_DENIED, "the key is not that of %s", now.login);
    return 0;
}

/* A change of plans that brings two doses too near needs an answer first. */
static int switch_check(struct exam *e)
{
    for (size_t i = 0; i < e->plan->note_count; i++) {
        if (e->plan->notes[i].kind == PLAN_SWITCH)
            return error_set(
                e->err, E_STATE,
                "plan %lld cannot be signed yet: %s; plan again with another --start, or accept "
                "it with a reason: sachet plan edit %s --accept-switch ORDER --reason TEXT --user LOGIN",
                (long long)e->row.id, e->plan->notes[i].text, e->plan->patient_id);
    }
    return 0;
}

/* Inside the transaction: what is examined is what is signed. */
static int sign_now(struct exam *e, int64_t plan, const struct review_rules *rules, const struct user *user,
                    const struct seal_key *key, int64_t wall_ms)
{
    uint8_t signature[SEAL_SIGNATURE_BYTES];
    int64_t newest = 0;
    int status = signer_check(e, user, key);
    if (status == 0)
        status = examine(e, plan, rules);
    if (status == 0)
        status = switch_check(e);
    if (status == 0 && e->row.state == PLAN_ROW_SIGNED)
        status = error_set(e->err, E_STATE, "plan %lld is signed already", (long long)plan);
    if (status == 0 && rules && rules->law && e->plan->format != PLAN_FORMAT_NOW)
        status = error_set(e->err, E_STATE, "plan %lld was made by an older version of sachet: plan again",
                           (long long)plan);
    if (status == 0)
        status = findings_check(e, wall_ms, true);
    if (status == 0)
        status = plan_newest(e->store, e->row.patient, false, &newest, e->err);
    if (status == 0 && (newest != plan || e->row.state != PLAN_ROW_DRAFT))
        status = error_set(e->err, E_STATE, "plan %lld is not the patient's newest draft: review plan %lld",
                           (long long)plan, (long long)newest);
    if (status < 0)
        return status;
    struct buf bytes;
    buf_init(&bytes);
    statement(e, user, REVIEW_MEANING, wall_ms, &bytes);
    if (bytes.failed) {
        status = error_set(e->err, E_MEMORY, "no memory for the signature");
    } else {
        seal_key_sign(key, bytes.data, bytes.len, signature);
        if (!seal_verify(user->public_key, bytes.data, bytes.len, signature))
            status = error_set(e->err, E_TAMPERED, "the key of %s makes no valid signature", user->login);
    }
    if (status == 0)
        status = insert_signature(e, user, &bytes, signature, wall_ms);
    buf_finish(&bytes);
    return status;
}

int review_sign(struct store *store, int64_t plan, const struct review_rules *rules, const struct user *user,
                struct seal_key *key, int64_t wall_ms, struct error *err)
{
    struct error own;
    struct exam e;
    exam_begin(&e, store, err ? err : &own);
    int status = store_write_begin(store, e.err);
    if (status == 0) {
        status = sign_now(&e, plan, rules, user, key, wall_ms);
        if (status < 0)
            store_write_rollback(store);
        else
            status = store_write_commit(store, e.err);
    }
    exam_finish(&e);
    return status;
}

/* What the row of a signature says. Blobs are copied into the arena. */
struct signature_row {
    int64_t id;
    int64_t user;
    const char *meaning;
    int64_t signed_ms;
    const char *statement;
    size_t statement_len;
    uint8_t signature[SEAL_SIGNATURE_BYTES];
};

static int signature_load(struct exam *e, int64_t plan, struct signature_row *ret)
{
    struct store_rows *rows = NULL;
    int status = store_query(
        e->store, &rows, e->err,
        "SELECT user_id, meaning, signed_ms, statement, signature, id FROM signature WHERE plan_id = ? "
        "ORDER BY id DESC LIMIT 1",
        "i", plan);
    int found = status < 0 ? status : store_next(rows, e->err);
    if (found == 0)
        found = error_set(e->err, E_NOT_FOUND, "nobody has signed plan %lld", (long long)plan);
    if (found > 0) {
        size_t len;
        ret->id = store_int(rows, 5);
        ret->user = store_int(rows, 0);
        ret->meaning = arena_text(&e->arena, store_text(rows, 1), strlen(store_text(rows, 1)));
        ret->signed_ms = store_int(rows, 2);
        const void *bytes = store_blob(rows, 3, &ret->statement_len);
        ret->statement = arena_text(&e->arena, bytes ? bytes : "", ret->statement_len);
        bytes = store_blob(rows, 4, &len);
        found = 0;
        if (!ret->meaning || !ret->statement)
            found = error_set(e->err, E_MEMORY, "no memory for the signature");
        else if (len != sizeof ret->signature)
            found = error_set(e->err, E_TAMPERED, "plan %lld: its signature is cut off", (long long)plan);
        else
            memcpy(ret->signature, bytes, len);
    }
    store_done(rows);
    return found;
}

/* What the signer saw, as it was stored. */
static int seen_load(struct exam *e, int64_t signature)
{
    struct store_rows *rows = NULL;
    size_t len;
    int status = store_query(e->store, &rows, e->err,
                             "SELECT text FROM signature_findings WHERE signature_id = ?", "i", signature);
    int found = status < 0 ? status : store_next(rows, e->err);
    if (found > 0) {
        const void *bytes = store_blob(rows, 0, &len);
        buf_add(&e->findings, bytes, len);
    }
    store_done(rows);
    return found < 0            ? found
           : e->findings.failed ? error_set(e->err, E_MEMORY, "no memory for the findings")
                                : 0;
}

static int signature_check(struct exam *e)
{
    struct signature_row row;
    struct user user;
    struct buf expected;
    int status = signature_load(e, e->row.id, &row);
    if (status == E_NOT_FOUND)
        return tampered(e, "it says that it is signed, but there is no signature");
    if (status == 0)
        status = user_by_id(e->store, row.user, &user, e->err);
    if (status == E_NOT_FOUND)
        return tampered(e, "whoever signed it is not among the users");
    if (status < 0)
        return status;
    if (!user_was_pharmacist(&user))
        return tampered(e, "it was signed by somebody who is no pharmacist");
    status = user_key_at(e->store, &user, row.signed_ms, e->err);
    if (status < 0)
        return status == E_STATE ? error_prefix(e->err, status, "plan %lld", (long long)e->row.id) : status;
    if (strcmp(row.meaning, REVIEW_MEANING) != 0)
        return tampered(e, "its signature has another meaning");
    status = seen_load(e, row.id);
    if (status < 0)
        return status;
    buf_init(&expected);
    statement(e, &user, row.meaning, row.signed_ms, &expected);
    if (expected.failed)
        status = error_set(e->err, E_MEMORY, "no memory for the signature");
    else if (expected.len != row.statement_len || memcmp(expected.data, row.statement, expected.len) != 0)
        status =
            tampered(e, "the signed statement is not about this plan, this person, this key and this time");
    else if (!seal_verify(user.public_key, row.statement, row.statement_len, row.signature))
        status = tampered(e, "its signature does not match");
    buf_finish(&expected);
    /* What has become known since, an allergy for one, stops the plan. Answers that held when it was signed
     * hold for it until it is packed. */
    return status == 0 ? findings_check(e, row.signed_ms, false) : status;
}

int review_verify(struct store *store, int64_t plan, const struct review_rules *rules, struct error *err)
{
    struct error own;
    struct exam e;
    exam_begin(&e, store, err ? err : &own);
    int status = plan_row_load(store, plan, &e.arena, &e.row, e.err);
    if (status == 0 && e.row.state != PLAN_ROW_SIGNED)
        status = error_set(e.err, E_STATE, "plan %lld is not signed, it is %s", (long long)plan,
                           e.row.state == PLAN_ROW_DRAFT ? "a draft" : "superseded by a newer one");
    if (status == 0)
        status = examine(&e, plan, rules);
    if (status == 0)
        status = signature_check(&e);
    exam_finish(&e);
    return status;
}

int review_signature_of(struct store *store, int64_t plan, struct review_signature *ret_signature,
                        struct error *err)
{
    struct error own;
    struct exam e;
    struct signature_row row;
    struct user user;
    exam_begin(&e, store, err ? err : &own);
    int status = signature_load(&e, plan, &row);
    if (status == 0)
        status = user_by_id(store, row.user, &user, e.err);
    if (status == 0) {
        *ret_signature = (struct review_signature){.user = row.user, .signed_ms = row.signed_ms};
        (void)snprintf(ret_signature->login, sizeof ret_signature->login, "%s", user.login);
        (void)snprintf(ret_signature->name, sizeof ret_signature->name, "%s", user.name);
        (void)snprintf(ret_signature->meaning, sizeof ret_signature->meaning, "%s", row.meaning);
    }
    exam_finish(&e);
    return status;
}
