/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/refill/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "controller/plan/plan_row.h"
#include "controller/refill/calendar.h"
#include "controller/refill/hand.h"
#include "controller/refill/pouch.h"
#include "controller/refill/record.h"
#include "controller/review/sign.h"
#include "controller/stock/product.h"
#include "controller/store/store.h"

static struct error err;

static void ok(const struct life *life, int status)
{
    char day[CIVIL_TEXT_BYTES];
    civil_format(life->today, day);
    if (status < 0)
        fail_msg("%s: %s", day, err.message);
}

/* Each look at the clock is a later moment of the day. */
static int64_t now_ms(struct life *life)
{
    return INT64_C(86400000) * life->today + ++life->moment;
}

static struct record_by by(struct life *life, const char *reason)
{
    return (struct record_by){"pia", reason, life->today, now_ms(life)};
}

static void exec(struct life *life, const char *sql)
{
    clinic_exec(&life->clinic, sql);
}

static int64_t number(struct life *life, const char *sql)
{
    return clinic_int(&life->clinic, sql);
}

const char *life_breach_text(enum life_breach breach)
{
    static const char *const texts[LIFE_BREACHES] = {
        "gap", "gap that nobody told", "wrong dose", "double", "early", "unbilled", "unauthorised"};
    return texts[breach];
}

static void breach(struct life *life, enum life_breach what, const struct life_drug *drug, int64_t have,
                   int64_t want)
{
    char day[CIVIL_TEXT_BYTES], text[LIFE_TEXT_BYTES];
    civil_format(life->today, day);
    (void)snprintf(text, sizeof text, "%s: %s of %s: %" PRId64 ", right were %" PRId64, day,
                   life_breach_text(what), drug->order, have, want);
    if (life_breaches(life) == 0)
        memcpy(life->first_breach, text, sizeof text);
    if (life->verbose)
        print_message("%s\n", text);
    life->breaches[what]++;
}

int life_breaches(const struct life *life)
{
    int sum = 0;
    for (int i = 0; i < LIFE_BREACHES; i++)
        sum += life->breaches[i];
    return sum;
}

/* Passwords take their time: one pharmacist is made for all lives, and her row goes into each store. */
static struct clinic school;

static void hire(struct life *life)
{
    struct store_rows *rows = NULL;
    if (!school.store) {
        clinic_init(&school, "", NULL);
        clinic_people(&school);
    }
    size_t public_len, secret_len;
    ok(life, store_query(school.store, &rows, &err,
                         "SELECT password, public_key, secret_key FROM user WHERE login = 'pia'", ""));
    assert_int_equal(store_next(rows, &err), 1);
    const void *public = store_blob(rows, 1, &public_len), *secret = store_blob(rows, 2, &secret_len);
    ok(life, store_write_begin(life->clinic.store, &err));
    ok(life,
       store_exec(life->clinic.store, &err,
                  "INSERT INTO user (id, login, name, role, password, public_key, secret_key, "
                  "created_ms) VALUES (?, 'pia', 'Pia Pharmacist', 'pharmacist', ?, ?, ?, 1)",
                  "itbb", school.pharmacist.id, store_text(rows, 0), public, public_len, secret, secret_len));
    ok(life, store_write_commit(life->clinic.store, &err));
    store_done(rows);
    life->clinic.pharmacist = school.pharmacist;
    life->clinic.key = school.key;
}

void life_init(struct life *life, const char *first_day, int cycle_days)
{
    char site[200];
    memset(life, 0, sizeof *life);
    (void)snprintf(site, sizeof site,
                   "cycle: {days: %d, lead_days: 3}\nrefill: {count_simulated: true}\n"
                   "",
                   cycle_days);
    clinic_init(&life->clinic, site, NULL);
    hire(life);
    refill_site_load(life->clinic.site, &life->site);
    life->patient = clinic_patient(&life->clinic, "p1", "Patient One");
    assert_true(civil_parse(first_day, &life->first_day));
    life->today = life->first_day;
    life->hospital_from = INT32_MAX;
    exec(life,
         "INSERT INTO machine (serial, name, simulated, session, next_seq, retired, boot, seen_ms) VALUES "
         "('SIM', 'm1', 1, 1, 1, 0, 1, 1)");
}

void life_finish(struct life *life)
{
    life->clinic.key = NULL; /* the school's */
    clinic_finish(&life->clinic);
}

void life_end(void)
{
    if (school.store)
        clinic_finish(&school);
}

/* ---- orders ---- */

static void order_put(struct life *life, const struct life_drug *drug, const char *order, int fills)
{
    char original[400] = "{}";
    const struct reading reading = clinic_daily(1, drug->pieces * 1000);
    int64_t id = clinic_order(&life->clinic, life->patient, order, drug->product, &reading);
    if (fills > 0)
        (void)snprintf(
            original, sizeof original,
            "{\"resourceType\":\"MedicationRequest\",\"dispenseRequest\":{"
            "\"numberOfRepeatsAllowed\":%d,\"quantity\":{\"value\":%d},\"expectedSupplyDuration\":{"
            "\"value\":%d,\"code\":\"d\"}}}",
            fills - 1, drug->pieces * drug->fill_days, drug->fill_days); /* fits */
    ok(life, store_write_begin(life->clinic.store, &err));
    ok(life, store_exec(life->clinic.store, &err,
                        "UPDATE order_version SET imported_ms = ?, original = ? WHERE id = ?", "iti",
                        now_ms(life), original, id));
    ok(life, store_write_commit(life->clinic.store, &err));
}

static struct record_order order_of(struct life *life, const struct life_drug *drug)
{
    struct record_order order = {.id = 0};
    ok(life, record_order_find(life->clinic.store, life->patient, drug->order, &order, &err));
    return order;
}

static void change(struct life *life, enum change_kind kind, const struct life_drug *drug, int32_t day)
{
    struct record_order order;
    struct change_made made;
    struct arena arena;
    char source[64];
    const struct record_by who = by(life, "a test");
    arena_init(&arena, 0);
    if (life->verbose)
        print_message("%d event %s %s %d\n", life->today - life->first_day, change_rows[kind].word,
                      drug ? drug->order : "", day - life->first_day);
    if (drug)
        order = order_of(life, drug);
    (void)snprintf(source, sizeof source, "life:%d:%s:%d", (int)kind, drug ? drug->order : "", life->today);
    const struct change_request request = {.patient = life->patient,
                                           .kind = kind,
                                           .order = drug ? &order : NULL,
                                           .day = day,
                                           .source = source,
                                           .pharmacist = true};
    ok(life, change_make(life->clinic.store, &life->site, &request, &who, &arena, &made, &err));
    if (life->mutant == LIFE_FORGET_RECALL) {
        exec(life, "DELETE FROM withdrawn");
        exec(life, "DELETE FROM pouch_recall");
    }
    arena_finish(&arena);
    life->dirty = true;
}

/* What an import would do after its orders. */
static void imported(struct life *life)
{
    struct change_made made;
    struct arena arena;
    int changes;
    const struct record_by who = by(life, "an imported order");
    arena_init(&arena, 0);
    ok(life, change_notice(life->clinic.store, life->clinic.policy, &life->site, life->patient, &who, &arena,
                           &made, &changes, &err));
    arena_finish(&arena);
    life->dirty = true;
}

static void count_home(struct life *life, const struct life_drug *drug)
{
    const struct record_order order = order_of(life, drug);
    const struct record_by who = by(life, "");
    ok(life, store_write_begin(life->clinic.store, &err));
    int64_t counted = drug->loose * (life->mutant == LIFE_COUNT_TWICE ? 2 : 1);
    ok(life, record_onhand(life->clinic.store, life->patient, &order, counted, &who, &err));
    ok(life, store_write_commit(life->clinic.store, &err));
}

struct life_drug *life_prescribe(struct life *life, const char *name, int pieces, int32_t from, int fills,
                                 int fill_days, bool controlled, int loose)
{
    struct life_drug *drug = &life->drugs[life->drug_count++];
    *drug = (struct life_drug){.pieces = pieces,
                               .from = from,
                               .until = INT32_MAX,
                               .controlled = controlled,
                               .fills = fills,
                               .fill_days = fill_days,
                               .override_ms = INT64_MIN,
                               .asked_for = INT32_MIN,
                               .told_from = INT32_MAX,
                               .told_until = INT32_MAX,
                               .authorised = (int64_t)fills * fill_days * pieces * 1000};
    (void)snprintf(drug->order, sizeof drug->order, "rx-%.16s", name);
    (void)snprintf(drug->product, sizeof drug->product, "P-%.16s", name);
    clinic_product(&life->clinic, drug->product, name, name);
    ok(life, store_write_begin(life->clinic.store, &err));
    if (controlled)
        ok(life,
           store_exec(life->clinic.store, &err,
                      "INSERT INTO product_terms (product_code, schedule, copay_cents, prorated, changed_ms) "
                      "VALUES (?, 4, 0, 1, 1)",
                      "t", drug->product));
    ok(life,
       store_exec(life->clinic.store, &err,
                  "INSERT INTO canister (id, product_code, piece, lot, expiry_day, level, machine, bay, "
                  "changed_ms) VALUES (?, ?, 'whole', 'L', 99999, 1000000, 'm1', ?, 1)",
                  "iti", (int64_t)life->drug_count, drug->product, (int64_t)life->drug_count));
    ok(life, store_write_commit(life->clinic.store, &err));
    order_put(life, drug, drug->order, fills);
    if (life->today > life->first_day || from > life->today)
        change(life, CHANGE_NEW, drug, from);
    if (loose >= 0) {
        drug->loose = (int64_t)loose * 1000;
        count_home(life, drug);
    } else if (life->today == life->first_day && from <= life->today) {
        drug->loose = (int64_t)pieces * life->site.lead_days * 1000; /* what enrolment assumes is true */
    }
    life->dirty = true;
    return drug;
}

void life_stop(struct life *life, struct life_drug *drug, int32_t day)
{
    change(life, CHANGE_STOP, drug, day);
    drug->until = day;
}

void life_dose(struct life *life, struct life_drug *drug, int pieces)
{
    if (life->verbose)
        print_message("%d dose %s %d -> %d\n", life->today - life->first_day, drug->order, drug->pieces,
                      pieces);
    drug->pieces = pieces;
    order_put(life, drug, drug->order, drug->fills);
    drug->authorised = 0; /* the new version's authority counts what the old one gave: not followed here */
    imported(life);
}

void life_hospital(struct life *life)
{
    change(life, CHANGE_HOSPITAL, NULL, life->today);
    life->hospital_from = life->today;
    life->hospital_until = INT32_MAX;
}

void life_discharge(struct life *life)
{
    change(life, CHANGE_DISCHARGE, NULL, life->today);
    life->hospital_until = life->today;
}

void life_lose_pouches(struct life *life)
{
    change(life, CHANGE_LOST, NULL, life->today);
    for (int i = 0; i < life->drug_count; i++)
        life->drugs[i].asked_for = INT32_MIN; /* what was asked and granted before is used up */
}

void life_anchor(struct life *life, int32_t day)
{
    change(life, CHANGE_ANCHOR, NULL, day);
}

void life_reject(struct life *life, struct life_drug *drug, int32_t until)
{
    change(life, CHANGE_CLAIM_REJECTED, drug, until);
}

void life_override(struct life *life, struct life_drug *drug)
{
    change(life, CHANGE_OVERRIDE_GRANTED, drug, life->today);
    drug->override_ms = now_ms(life);
}

/* A new prescription for the same product; the old one is over. */
void life_renew(struct life *life, struct life_drug *drug, int fills)
{
    clinic_order_as(&life->clinic, life->patient, drug->order, drug->product, NULL, "refused",
                    "[{\"code\":\"ENDED\",\"text\":\"over\"}]");
    ok(life, store_write_begin(life->clinic.store, &err));
    ok(life, store_exec(life->clinic.store, &err,
                        "UPDATE order_version SET imported_ms = ? WHERE source_id = ? AND current = 1", "it",
                        now_ms(life), drug->order));
    ok(life, store_write_commit(life->clinic.store, &err));
    size_t len = strlen(drug->order);
    if (len > 2 && drug->order[len - 2] == '.')
        drug->order[len - 1]++;
    else
        (void)snprintf(drug->order + len, sizeof drug->order - len, ".b");
    order_put(life, drug, drug->order, fills);
    drug->fills += fills;
    drug->authorised += (int64_t)fills * drug->fill_days * drug->pieces * 1000;
    imported(life);
}

/* Therapy ends with what the prescriptions allow. */
void life_deny(struct life *life, struct life_drug *drug)
{
    change(life, CHANGE_RENEWAL_DENIED, drug, life->today);
    drug->denied = true;
}

/* ---- the pharmacy's day ---- */

static void pack(struct life *life, int64_t batch)
{
    ok(life, store_write_begin(life->clinic.store, &err));
    ok(life,
       store_exec(life->clinic.store, &err,
                  "INSERT INTO fill (serial, seq, job_id, job_hash, token, state, intended_ms) SELECT 'SIM', "
                  "id, id, 1, 'T' || id, 'good', ? FROM job WHERE batch_id = ? AND state = 'waiting'",
                  "ii", now_ms(life), batch));
    ok(life,
       store_exec(life->clinic.store, &err,
                  "UPDATE job SET state = 'good' WHERE batch_id = ? AND state = 'waiting'", "i", batch));
    ok(life, store_exec(life->clinic.store, &err,
                        "UPDATE batch SET state = 'done', simulated = 1 WHERE id = ?", "i", batch));
    ok(life, store_write_commit(life->clinic.store, &err));
}

static void sign_and_pack(struct life *life, int64_t plan)
{
    struct arena arena;
    struct batch_created created = {0};
    const struct record_by who = by(life, "");
    const char *const patients[] = {"p1"};
    int status = review_sign(life->clinic.store, plan, NULL, &life->clinic.pharmacist, life->clinic.key,
                             now_ms(life), &err);
    ok(life, status == E_STATE && strstr(err.message, "signed already") ? 0 : status);
    ok(life, change_settle(life->clinic.store, life->patient, &who, NULL, NULL, &err));
    const struct batch_request request = {
        .machine = "m1", .actor = "pia", .wall_ms = now_ms(life), .patients = patients, .patient_count = 1};
    arena_init(&arena, 0);
    status = batch_create(life->clinic.store, &request, &arena, &created, &err);
    if (status != E_EXISTS) { /* every pouch is kept */
        ok(life, status);
        pack(life, created.id);
        life->batches++;
    }
    arena_finish(&arena);
}

static void ship(struct life *life, int64_t plan)
{
    struct hand_over over;
    const struct record_by who = by(life, "");
    if (life->mutant == LIFE_FORGET_HANDOVER && life->handovers == 3)
        return;
    ok(life, store_write_begin(life->clinic.store, &err));
    ok(life, hand_over(life->clinic.store, plan, true, &who, &over, &err));
    ok(life, store_write_commit(life->clinic.store, &err));
    life->handovers += over.id != 0;
}

/* The fills and the first and last pouches of each drug in a plan. */
static void show_fills(struct life *life, int64_t plan)
{
    struct store_rows *rows = NULL;
    if (!life->verbose)
        return;
    ok(life, store_query(life->clinic.store, &rows, &err,
                         "SELECT order_source_id, day, days, pieces_milli / 1000 FROM plan_fill WHERE "
                         "plan_id = ?",
                         "i", plan));
    while (store_next(rows, &err) > 0)
        print_message("    bill %s day %d for %d days: %d\n", store_text(rows, 0),
                      (int)store_int(rows, 1) - life->first_day, (int)store_int(rows, 2),
                      (int)store_int(rows, 3));
    store_done(rows);
}

static void show_calendar(struct life *life)
{
    struct arena arena;
    struct refill *refill;
    struct sync_case c;
    struct sync_plan *calendar;
    struct sync_explanation *explanation;
    struct buf out;
    const char *from = getenv("LIFE_CALENDAR"); /* from that day of the year on */
    if (!from || life->today - life->first_day < atoi(from))
        return;
    arena_init(&arena, 0);
    buf_init(&out);
    ok(life, refill_load(life->clinic.store, life->clinic.policy, &life->site, life->patient, life->today,
                         NULL, 0, &arena, &refill, &err));
    ok(life, refill_solve(refill, &life->site, &arena, &c, &calendar, &err));
    ok(life, sync_explain(&c, calendar, &arena, &explanation, &err));
    ok(life, calendar_to_text(refill, &life->site, calendar, explanation, true, &arena, &out, &err));
    (void)fputs(buf_string(&out), stdout);
    buf_finish(&out);
    arena_finish(&arena);
}

/* Plans when something happened or a cycle is near; a roll is made when it is time for it. */
static void plan(struct life *life)
{
    struct cycle_made made;
    const struct cycle_request request = {.patient = life->patient,
                                          .today = life->today,
                                          .actor = "pia",
                                          .pharmacist = true,
                                          .reason = "a test",
                                          .wall_ms = now_ms(life)};
    for (int round = 0; round < 2; round++) { /* a disturbed cycle first, then perhaps the next one */
        show_calendar(life);
        ok(life, cycle_plan(life->clinic.store, life->clinic.policy, &life->site, &request, &made, &err));
        life->plans += made.plan.outcome == PLAN_MADE;
        if (life->verbose)
            print_message("%d plan outcome %d id %d start %d days %d pouches %d %s\n",
                          life->today - life->first_day, (int)made.plan.outcome, (int)made.plan.id,
                          made.start_day - life->first_day, made.days, made.plan.pouches, made.plan.why);
        if (made.plan.outcome == PLAN_EMPTY)
            return;
        assert_int_not_equal(made.plan.outcome, PLAN_CONFLICT);
        show_fills(life, made.plan.id);
        if (made.start_day > life->today + life->site.lead_days)
            return;
        if (life->mutant == LIFE_FORGET_BILL && life->handovers == 3)
            exec(life, "DELETE FROM plan_fill");
        sign_and_pack(life, made.plan.id);
        ship(life, made.plan.id);
    }
}

static struct life_drug *drug_of(struct life *life, const char *order, const char *product)
{
    for (int i = 0; i < life->drug_count; i++) {
        if ((order && strcmp(life->drugs[i].order, order) == 0) ||
            (product && strcmp(life->drugs[i].product, product) == 0))
            return &life->drugs[i];
    }
    return NULL;
}

/* What the product says that it cannot cover, for each day from today on. */
static void hear_gaps(struct life *life, const struct refill *refill, const struct sync_plan *calendar,
                      struct arena *arena)
{
    struct refill_gap *gaps;
    size_t count;
    ok(life, refill_gaps(refill, &life->site, calendar, arena, &gaps, &count, &err));
    for (int i = 0; i < life->drug_count; i++) {
        struct life_drug *drug = &life->drugs[i];
        int32_t before = drug->told_from;
        drug->told_from = drug->told_until = INT32_MAX;
        for (size_t k = 0; k < count && drug->told_from == INT32_MAX; k++) { /* the first one */
            if (strcmp(gaps[k].drug->order->source_id, drug->order) != 0)
                continue;
            drug->told_from = gaps[k].from;
            drug->told_until = gaps[k].until == CIVIL_DAY_NONE ? INT32_MAX : gaps[k].until;
        }
        if (life->verbose && drug->told_from != before && drug->told_from != INT32_MAX)
            print_message("    told: nothing of %s from %d\n", drug->order,
                          drug->told_from - life->first_day);
        if (before == INT32_MAX)
            drug->told_on = life->today;
    }
}

/* Overrides that the calendar wants soon are asked of the payer. Some say no: the gap must be told before. */
static bool ask_payer(struct life *life, const struct sync_plan *calendar)
{
    bool granted = false;
    for (size_t i = 0; i < calendar->override_count; i++) {
        struct life_drug *drug = drug_of(life, calendar->overrides[i].id, NULL);
        if (!drug || calendar->overrides[i].needed_by > life->today + life->site.lead_days ||
            drug->asked_for == calendar->overrides[i].needed_by)
            continue;
        drug->asked_for = calendar->overrides[i].needed_by;
        if (drug->payer_is_hard)
            continue;
        life_override(life, drug);
        granted = true;
    }
    return granted;
}

/* What the calendar wants handed out apart today. */
static bool bridges(struct life *life)
{
    bool again;
    struct arena arena;
    struct refill *refill;
    struct sync_plan *calendar;
    const struct record_by who = by(life, "");
    arena_init(&arena, 0);
    ok(life, refill_load(life->clinic.store, life->clinic.policy, &life->site, life->patient, life->today,
                         NULL, 0, &arena, &refill, &err));
    ok(life, refill_solve(refill, &life->site, &arena, NULL, &calendar, &err));
    life->wanted_from = refill_open_day(refill, calendar);
    hear_gaps(life, refill, calendar, &arena);
    again = ask_payer(life, calendar);
    for (size_t i = 0; !again && i < calendar->fill_count; i++) {
        const struct sync_fill *fill = &calendar->fills[i];
        const struct refill_drug *known = refill_drug_of(refill, fill->id);
        struct life_drug *drug = drug_of(life, fill->id, NULL);
        if (fill->date != life->today || fill->conditional || !drug ||
            !refill_is_apart(refill, &life->site, calendar, fill))
            continue;
        life->bridges++;
        if (life->mutant == LIFE_FORGET_BRIDGE)
            continue;
        const struct record_order order = order_of(life, drug);
        int64_t milli = refill_fill_milli(refill, known, fill);
        ok(life, store_write_begin(life->clinic.store, &err));
        ok(life, record_dispensed(life->clinic.store, life->patient, &order, life->today, fill->days, milli,
                                  &who, &err));
        ok(life, store_write_commit(life->clinic.store, &err));
        drug->loose += milli;
        if (life->verbose)
            print_message("%d bridge %s %d days\n", life->today - life->first_day, drug->order, fill->days);
    }
    arena_finish(&arena);
    return again;
}

/* ---- the ledger ---- */

static bool at_home(const struct life *life)
{
    return life->today < life->hospital_from || life->today >= life->hospital_until;
}

/* Pieces of today's pouches in the house, by drug. */
static void pouches_of_today(struct life *life, int64_t have[LIFE_DRUGS_MAX])
{
    struct store_rows *rows = NULL;
    bool recalled = life->mutant == LIFE_TAKE_RECALLED;
    int days_on_the_way = life->mutant == LIFE_SHIP_LATE ? life->site.lead_days + 1 : 0;
    memset(have, 0, sizeof(int64_t) * LIFE_DRUGS_MAX);
    char date[CIVIL_TEXT_BYTES];
    civil_format(life->today, date);
    ok(life,
       store_query(life->clinic.store, &rows, &err,
                   "SELECT j.pouch_line, j.id FROM handover_pouch h JOIN job j ON j.id = h.job_id LEFT JOIN "
                   "pouch_recall r ON r.job_id = j.id WHERE instr(substr(j.pouch_line, 1, 40), ?) > 0 AND "
                   "(? OR NOT " POUCH_DEAD_SQL
                   ") AND (SELECT day FROM handover o WHERE o.id = h.handover_id) + ? <= ?",
                   "tiii", date, (int64_t)recalled, (int64_t)days_on_the_way, (int64_t)life->today));
    int more = 0, seen = 0;
    while ((more = store_next(rows, &err)) > 0) {
        struct pouch_content content;
        ok(life, pouch_content_read(store_text(rows, 0), 0, &content, &err));
        if (content.label_day != life->today)
            continue;
        if (life->mutant == LIFE_LOSE_A_POUCH && life->today == life->first_day + 40 && seen++ == 0)
            continue;
        int times = life->mutant == LIFE_PACK_TWICE && life->today == life->first_day + 40 ? 2 : 1;
        for (int i = 0; i < content.count; i++) {
            struct life_drug *drug = drug_of(life, NULL, content.item[i].code);
            assert_non_null(drug);
            have[drug - life->drugs] += content.item[i].milli * times;
        }
    }
    store_done(rows);
    ok(life, more);
}

struct bill {
    int32_t day, days;
    int64_t milli, at_ms;
};

/* Bills of a drug: those of packed rolls and those handed out apart, in the order in which they were made. */
static int bills_load(struct life *life, const struct life_drug *drug, struct bill bills[LIFE_BILLS_MAX])
{
    struct store_rows *rows = NULL;
    int count = 0, more;
    ok(life,
       store_query(life->clinic.store, &rows, &err,
                   "SELECT f.day, f.days, f.pieces_milli, p.created_ms AS made FROM plan_fill f JOIN plan p "
                   "ON p.id = f.plan_id WHERE f.product_code = ?1 AND EXISTS (SELECT 1 FROM job j WHERE "
                   "j.plan_id = f.plan_id AND j.state = 'good') UNION ALL SELECT day, days_supply, "
                   "pieces_milli, recorded_ms FROM dispense WHERE product_code = ?1 AND current = 1 ORDER "
                   "BY made",
                   "t", drug->product));
    while ((more = store_next(rows, &err)) > 0) {
        assert_true(count < LIFE_BILLS_MAX);
        bills[count++] = (struct bill){(int32_t)store_int(rows, 0), (int32_t)store_int(rows, 1),
                                       store_int(rows, 2), store_int(rows, 3)};
    }
    store_done(rows);
    ok(life, more);
    return count;
}

/* The last one before it by date, of those that were there when it was made. */
static const struct bill *bill_before(const struct bill *bills, int at)
{
    const struct bill *before = NULL;
    for (int i = 0; i < at; i++) {
        if (bills[i].day <= bills[at].day && (!before || bills[i].day >= before->day))
            before = &bills[i];
    }
    return before;
}

/* Why there is nothing: no prescription, or no payer, that would allow a fill to have been there today. */
static bool has_reason(struct life *life, const struct life_drug *drug)
{
    struct bill bills[LIFE_BILLS_MAX];
    int count = bills_load(life, drug, bills);
    int64_t billed = 0;
    const struct bill *last = NULL;
    for (int i = 0; i < count; i++) {
        billed += bills[i].milli;
        if (!last || bills[i].day >= last->day)
            last = &bills[i];
    }
    if (drug->denied || (drug->authorised > 0 && billed + drug->pieces * 1000 > drug->authorised) ||
        (drug->fills > 0 && count >= drug->fills))
        return true;
    if (!last || drug->override_ms > last->at_ms)
        return false;
    int pct = drug->controlled ? life->site.controlled_pct : life->site.threshold_pct;
    return drug->payer_is_hard && last->day + (pct * last->days + 99) / 100 > life->today;
}

static void take(struct life *life, struct life_drug *drug, int64_t pouch)
{
    bool active = life->today >= drug->from && life->today < drug->until && at_home(life);
    int64_t need = active ? (int64_t)drug->pieces * 1000 : 0;
    if (pouch == need && need > 0) {
        /* Loose supply may come some days ahead of its first dose, but it must not lie there for good. */
        drug->idle_days = drug->loose >= need ? drug->idle_days + 1 : 0;
        if (drug->idle_days > life->site.max_carry_days)
            breach(life, LIFE_DOUBLE, drug, pouch + drug->loose, need);
    } else if (pouch != 0) {
        breach(life, pouch > need ? LIFE_DOUBLE : LIFE_WRONG, drug, pouch, need);
    } else if (need > drug->loose) {
        /* It must have been told before, or on the day on which it came about, and there must be a reason
         * that the ledger knows by itself. */
        bool told = drug->told_from <= life->today && life->today < drug->told_until;
        bool before = life->disturbed || drug->told_on < life->today;
        if (!told || !before)
            breach(life, LIFE_SILENT, drug, drug->loose, need);
        else if (!has_reason(life, drug))
            breach(life, LIFE_GAP, drug, drug->loose, need);
        drug->gap_days++;
        drug->loose = 0; /* what is there is taken, though it is less than a dose */
        return;
    } else {
        drug->loose -= need;
    }
}

static void live(struct life *life)
{
    int64_t have[LIFE_DRUGS_MAX];
    pouches_of_today(life, have);
    if (life->verbose)
        print_message("  day %d:", life->today - life->first_day);
    for (int i = 0; i < life->drug_count; i++) {
        const struct life_drug *drug = &life->drugs[i];
        if (life->verbose && life->today >= drug->from && life->today < drug->until)
            print_message(" %s %d=%" PRId64 "p%" PRId64 "l", drug->order, drug->pieces, have[i] / 1000,
                          drug->loose / 1000);
        take(life, &life->drugs[i], have[i]);
    }
    if (life->verbose)
        print_message("\n");
}

static void bills_of(struct life *life, struct life_drug *drug)
{
    struct bill bills[LIFE_BILLS_MAX];
    int count = bills_load(life, drug, bills);
    drug->billed = 0;
    for (int i = 0; i < count; i++) {
        const struct bill *before = bill_before(bills, i);
        drug->billed += bills[i].milli;
        if (!drug->controlled || !before)
            continue;
        int32_t wait = (life->site.controlled_pct * before->days + 99) / 100;
        int32_t after = bills[i].day - before->day;
        if (life->mutant == LIFE_BILL_EARLY && before->milli > 0)
            after = 5;
        if (after < wait && drug->override_ms < before->at_ms)
            breach(life, LIFE_EARLY, drug, after, wait);
    }
    if (drug->authorised > 0 && drug->billed > drug->authorised)
        breach(life, LIFE_UNAUTHORISED, drug, drug->billed, drug->authorised);
}

/* Nothing lies in live pouches that was not billed. */
static void packed_of(struct life *life)
{
    struct store_rows *rows = NULL;
    int64_t packed[LIFE_DRUGS_MAX] = {0};
    ok(life,
       store_query(life->clinic.store, &rows, &err,
                   "SELECT j.pouch_line FROM job j LEFT JOIN pouch_recall r ON r.job_id = j.id WHERE j.state "
                   "= 'good' AND (NOT " POUCH_DEAD_SQL " OR ifnull(r.kind, '') = 'lost')",
                   ""));
    int more;
    while ((more = store_next(rows, &err)) > 0) {
        struct pouch_content content;
        ok(life, pouch_content_read(store_text(rows, 0), 0, &content, &err));
        for (int i = 0; i < content.count; i++)
            packed[drug_of(life, NULL, content.item[i].code) - life->drugs] += content.item[i].milli;
    }
    store_done(rows);
    ok(life, more);
    for (int i = 0; i < life->drug_count; i++) {
        if (packed[i] > life->drugs[i].billed)
            breach(life, LIFE_UNBILLED, &life->drugs[i], packed[i], life->drugs[i].billed);
    }
}

void life_day(struct life *life)
{
    /* What the calendar wanted yesterday is in reach today; and a draft for days that come near is work. */
    bool near = life->wanted_from <= life->today + life->site.lead_days ||
                number(life, "SELECT ifnull(min(start_day), 1000000) FROM plan WHERE state = 'draft'") <=
                    life->today + life->site.lead_days;
    bool busy = life->dirty || near, again = true;
    for (int round = 0; again && round < 3; round++) {
        if (life->dirty || near)
            plan(life);
        again = bridges(life);
    }
    life->disturbed = life->dirty;
    life->dirty = false;
    live(life);
    if (busy) {
        for (int i = 0; i < life->drug_count; i++)
            bills_of(life, &life->drugs[i]);
        packed_of(life);
    }
    life->today++;
}
