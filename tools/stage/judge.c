/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/stage/judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "controller/plan/plan_text.h"
#include "controller/stock/stock.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "hw/sim/world.h"

struct judging {
    const struct judge_case *c;
    struct judgement *out;
    struct arena arena; /* of the plan in hand */
    int64_t plan;       /* 0 none */
    struct plan_text *text;
};

__attribute__((format(printf, 2, 3))) static void find(struct judging *j, const char *format, ...)
{
    char line[300];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args); /* cut: for people */
    va_end(args);
    j->out->findings++;
    buf_printf(&j->out->text, "%s\n", line);
}

static void slip(struct judging *j, uint32_t seq, const char *why)
{
    j->out->slips++;
    buf_printf(&j->out->text, "slip: pouch %" PRIu32 " is good in the store and in truth %s\n", seq, why);
}

/* ---- one pouch ---- */

struct fill_row {
    bool there;
    int64_t id;
    bool good;
    bool is_void;
    bool ended;
    uint32_t hash;
    char token[40];
    int64_t plan;
    int pouch;
    char state[16];
};

static int read_fill(struct judging *j, uint32_t seq, struct fill_row *ret_row, struct error *err)
{
    struct store_rows *rows = NULL;
    *ret_row = (struct fill_row){0};
    int rc = store_query(j->c->store, &rows, err,
                         "SELECT f.id, f.state, f.job_hash, f.token, b.plan_id, b.pouch FROM fill f"
                         " JOIN job b ON b.id = f.job_id WHERE f.serial = ? AND f.seq = ?",
                         "ti", j->c->serial, (int64_t)seq);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        const char *state = store_text(rows, 1);
        *ret_row = (struct fill_row){.there = true,
                                     .id = store_int(rows, 0),
                                     .good = strcmp(state, "good") == 0,
                                     .is_void = strcmp(state, "void") == 0,
                                     .ended = strcmp(state, "intended") != 0,
                                     .hash = (uint32_t)store_int(rows, 2),
                                     .plan = store_int(rows, 4),
                                     .pouch = (int)store_int(rows, 5)};
        (void)snprintf(ret_row->token, sizeof ret_row->token, "%s", store_text(rows, 3)); /* 32 and the NUL */
        (void)snprintf(ret_row->state, sizeof ret_row->state, "%s", state);
    }
    store_done(rows);
    return rc < 0 ? rc : 0;
}

/* The signed text of a plan, read once for pouches in a row. */
static int take_plan(struct judging *j, int64_t plan, struct error *err)
{
    struct store_rows *rows = NULL;
    if (j->plan == plan)
        return 0;
    j->plan = 0;
    j->text = NULL;
    arena_reset(&j->arena);
    int rc = store_query(j->c->store, &rows, err,
                         "SELECT p.text FROM plan p WHERE p.id = ? AND EXISTS"
                         " (SELECT 1 FROM signature s WHERE s.plan_id = p.id)",
                         "i", plan);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        size_t len = 0;
        const char *text = store_blob(rows, 0, &len);
        if (plan_text_parse(text, len, &j->arena, &j->text, NULL) < 0)
            j->text = NULL;
    }
    store_done(rows);
    j->plan = plan;
    return rc < 0 ? rc : 0;
}

/* Product and piece of a canister, from the books. */
static int read_canister(struct judging *j, uint32_t canister, char code[PLAN_CODE_BYTES_MAX + 1],
                         enum roll_piece *ret_piece, struct error *err)
{
    struct store_rows *rows = NULL;
    code[0] = '\0';
    int rc = store_query(j->c->store, &rows, err, "SELECT product_code, piece FROM canister WHERE id = ?",
                         "i", (int64_t)canister);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        (void)snprintf(code, PLAN_CODE_BYTES_MAX + 1, "%s", store_text(rows, 0)); /* the schema's length */
        *ret_piece = strcmp(store_text(rows, 1), "half") == 0 ? ROLL_HALF : ROLL_WHOLE;
    }
    store_done(rows);
    return rc < 0 ? rc : 0;
}

/* NULL when the pouch really holds what its signed line asks for; else what is wrong. */
static int compare_content(struct judging *j, const struct world_truth *truth, const struct plan_pouch *pouch,
                           const char **ret_wrong, struct error *err)
{
    int missing[MACHINE_ENTRIES_MAX] = {0};
    if (pouch->item_count > MACHINE_ENTRIES_MAX) {
        *ret_wrong = "asked for more products than a pouch can hold";
        return 0;
    }
    for (size_t i = 0; i < pouch->item_count; i++)
        missing[i] = pouch->items[i].count;
    for (unsigned k = 0; k < truth->part_count; k++) {
        char code[PLAN_CODE_BYTES_MAX + 1];
        enum roll_piece piece = ROLL_WHOLE;
        int rc = read_canister(j, truth->parts[k].canister, code, &piece, err);
        if (rc < 0)
            return rc;
        size_t i = 0;
        while (i < pouch->item_count &&
               (strcmp(pouch->items[i].code, code) != 0 || pouch->items[i].piece != piece))
            i++;
        if (i == pouch->item_count) {
            *ret_wrong = "holds a drug that was not signed for it";
            return 0;
        }
        missing[i] -= truth->parts[k].pieces;
    }
    for (size_t i = 0; i < pouch->item_count; i++) {
        if (missing[i] != 0)
            *ret_wrong = missing[i] > 0 ? "holds too few pieces" : "holds too many pieces";
    }
    return 0;
}

static int judge_good(struct judging *j, const struct world_truth *truth, const struct fill_row *fill,
                      struct error *err)
{
    const char *wrong = NULL;
    int rc = take_plan(j, fill->plan, err);
    if (rc < 0)
        return rc;
    if (!j->text || fill->pouch < 1 || (size_t)fill->pouch > j->text->pouch_count) {
        find(j, "pouch %" PRIu32 " was made from a plan that nobody signed", truth->seq);
        return 0;
    }
    const struct plan_pouch *pouch = &j->text->pouches[fill->pouch - 1];
    uint8_t hash[PLAN_HASH_BYTES];
    plan_pouch_hash(pouch->line, pouch->line_len, hash);
    uint32_t hash32 = (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
    if (hash32 != fill->hash || hash32 != truth->hash)
        find(j, "pouch %" PRIu32 " was made from another line than the signed one", truth->seq);
    rc = compare_content(j, truth, pouch, &wrong, err);
    if (truth->foreign)
        wrong = "holds a pill of another pouch";
    if (truth->broken)
        wrong = "holds a broken pill";
    if (truth->weak)
        wrong = "is not closed";
    if (truth->token[0] && strcmp(truth->token, fill->token) != 0)
        wrong = "bears another pouch's number";
    if (truth->fate != WORLD_FATE_GOOD)
        wrong = world_fate_name(truth->fate);
    if (rc == 0 && wrong)
        slip(j, truth->seq, wrong);
    return rc;
}

static int judge_pouch(struct judging *j, const struct world_truth *truth, struct error *err)
{
    struct fill_row fill;
    if (truth->fate == WORLD_FATE_CANCELLED && !truth->printed)
        return 0;
    for (unsigned k = 0; k < truth->part_count; k++)
        j->out->pieces += truth->parts[k].pieces;
    int rc = read_fill(j, truth->seq, &fill, err);
    if (rc < 0)
        return rc;
    if (!fill.there)
        find(j, "pouch %" PRIu32 " was made and the store does not know it", truth->seq);
    else if (!fill.ended && !j->c->open)
        find(j, "pouch %" PRIu32 " has no result in the store (fate %s)", truth->seq,
             world_fate_name(truth->fate));
    else if (fill.good)
        return judge_good(j, truth, &fill, err);
    else if (fill.ended && truth->fate == WORLD_FATE_GOOD)
        find(j, "pouch %" PRIu32 " left the machine as good and is %s in the store", truth->seq, fill.state);
    else if (fill.ended && truth->printed && !fill.is_void)
        find(j, "pouch %" PRIu32 " exists and is %s in the store, not void", truth->seq, fill.state);
    return 0;
}

static int judge_pouches(struct judging *j, struct error *err)
{
    size_t count = world_truth_count(j->c->world);
    uint32_t highest = 0;
    int rc = 0;
    for (size_t i = 0; i < count; i++) {
        const struct world_truth *truth = world_truth(j->c->world, i);
        highest = truth->seq > highest ? truth->seq : highest;
    }
    unsigned char *made = calloc((size_t)highest + 1, 1);
    if (!made)
        return error_set(err, E_MEMORY, "no memory to judge %zu pouches", count);
    for (size_t i = 0; i < count && rc == 0; i++) {
        const struct world_truth *truth = world_truth(j->c->world, i);
        if (truth->printed && made[truth->seq]++)
            find(j, "number %" PRIu32 " was made twice", truth->seq);
        rc = judge_pouch(j, truth, err);
    }
    /* The other way round: what the store calls good must exist. */
    struct store_rows *rows = NULL;
    if (rc == 0)
        rc = store_query(j->c->store, &rows, err,
                         "SELECT f.seq FROM fill f JOIN job b ON b.id = f.job_id"
                         " WHERE f.serial = ? AND b.batch_id = ? AND f.state = 'good'",
                         "ti", j->c->serial, j->c->batch);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        int64_t seq = store_int(rows, 0);
        rc = 0;
        if (seq > highest || !made[seq])
            find(j, "pouch %" PRId64 " is good in the store and was never made", seq);
    }
    store_done(rows);
    free(made);
    return rc < 0 ? rc : 0;
}

/* ---- the books ---- */

/* Queries whose number must be 0; the first one only when nothing may be open. */
static const struct {
    const char *sql;
    const char *text;
} zeros[] = {
    {"SELECT count(*) FROM fill WHERE state = 'intended'", "numbers without a result"},
    {"SELECT count(*) FROM job j WHERE (SELECT count(*) FROM fill f WHERE f.job_id = j.id AND f.state = "
     "'good')"
     " > 1",
     "jobs with more than one good pouch"},
    {"SELECT count(*) FROM job j WHERE (j.state = 'good') <> EXISTS (SELECT 1 FROM fill f WHERE f.job_id = "
     "j.id"
     " AND f.state = 'good')",
     "jobs whose state and pouches disagree"},
    {"SELECT count(*) FROM fill_item i JOIN fill f ON f.id = i.fill_id WHERE f.state = 'good' AND"
     " i.counted IS NOT i.requested",
     "items of good pouches with a wrong count"},
    {"SELECT coalesce(sum(counted), 0) + (SELECT coalesce(sum(pieces), 0) FROM stock_move WHERE kind IN"
     " ('packed', 'voided')) FROM fill_item",
     "pieces counted into pouches and not taken from the books"},
    {"SELECT count(*) FROM fill f JOIN job j ON j.id = f.job_id JOIN withdrawn w ON w.plan_id = j.plan_id AND"
     " w.pouch = j.pouch WHERE f.intended_ms > w.withdrawn_ms",
     "pouches begun after they were withdrawn"},
    {"SELECT count(*) FROM fill f JOIN job j ON j.id = f.job_id JOIN batch b ON b.id = j.batch_id"
     " WHERE b.simulated IS NOT 1",
     "pouches of a simulated machine that do not say so"},
};

static int judge_books(struct judging *j, struct error *err)
{
    struct batch_info info;
    int64_t value = 0, rows = 0;
    int rc = batch_get(j->c->store, j->c->batch, &info, err);
    if (rc < 0)
        return rc;
    j->out->jobs = info.pouches;
    j->out->good = info.good;
    j->out->voids = info.voids;
    /* In a batch that is done, only withdrawn pouches are cancelled. */
    if (j->c->complete && info.good + info.cancelled != info.pouches)
        find(j, "%" PRId64 " of %" PRId64 " pouches are good", info.good, info.pouches);
    for (size_t i = j->c->open ? 1 : 0; i < sizeof zeros / sizeof zeros[0] && rc == 0; i++) {
        rc = store_get_int(j->c->store, &value, err, zeros[i].sql, "");
        if (rc == 0 && value != 0)
            find(j, "%" PRId64 " %s", value, zeros[i].text);
    }
    if (rc == 0 && audit_verify(j->c->store, &rows, NULL) < 0)
        find(j, "the audit chain is broken");
    return rc;
}

/* What left each canister in truth, against what the books took, and against what they say that they cannot
 * know. */
static int judge_canister(struct judging *j, const struct canister *c, struct error *err)
{
    int64_t booked = 0;
    int rc =
        store_get_int(j->c->store, &booked, err,
                      "SELECT coalesce(sum(-pieces), 0) FROM stock_move WHERE canister_id = ? AND kind IN"
                      " ('packed', 'voided', 'corrected')",
                      "i", c->id);
    if (rc < 0)
        return rc;
    int64_t beyond = (int64_t)world_given(j->c->world, (uint32_t)c->id) - booked;
    int64_t out = beyond < c->doubt.least  ? c->doubt.least - beyond
                  : beyond > c->doubt.most ? beyond - c->doubt.most
                                           : 0;
    j->out->beyond += llabs(beyond);
    j->out->doubt += c->doubt.most - c->doubt.least;
    j->out->drift += out;
    if (out > 0)
        buf_printf(&j->out->text,
                   "canister %" PRId64 ": %" PRId64 " pieces beyond the books left it, possible are %" PRId64
                   " to %" PRId64 "\n",
                   c->id, beyond, c->doubt.least, c->doubt.most);
    return 0;
}

static int judge_drift(struct judging *j, struct error *err)
{
    struct canister *canisters = NULL;
    int count = 0;
    int rc = stock_list(j->c->store, NULL, &canisters, &count, err);
    for (int i = 0; i < count && rc == 0; i++)
        rc = judge_canister(j, &canisters[i], err);
    free(canisters);
    return rc;
}

int judge(const struct judge_case *c, struct judgement *ret_judgement, struct error *err)
{
    struct judging j = {.c = c, .out = ret_judgement};
    *ret_judgement = (struct judgement){0};
    buf_init(&ret_judgement->text);
    arena_init(&j.arena, 0);
    int rc = judge_books(&j, err);
    if (rc == 0)
        rc = judge_pouches(&j, err);
    if (rc == 0)
        rc = judge_drift(&j, err);
    arena_finish(&j.arena);
    return rc;
}

void judge_finish(struct judgement *judgement)
{
    buf_finish(&judgement->text);
}
