/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The copy gives the canisters, locks and jobs of the batch to a machine that no site can have; the stage
 * then packs it. A job that the controller sets aside for want of pieces is where a canister runs out: it is
 * loaded there, in the copy and in the world, and the job waits again.
 */
#include "tools/stage/rehearse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "config/base/profile.h"
#include "controller/pack/batch.h"
#include "controller/plan/plan_text.h"
#include "controller/store/store.h"
#include "hw/sim/world.h"
#include "tools/stage/folder.h"
#include "tools/stage/stage.h"
#include "tools/stage/trays.h"

/* No name of a site file has brackets, no other machine this serial number. */
#define MACHINE "(rehearsal)"
#define SERIAL  "REHEARSE"
_Static_assert(sizeof SERIAL == MACHINE_SERIAL_BYTES, "a serial number has eight characters");

enum {
    SPEED = 10,     /* polls are rarer then; the mechanics' time is what counts */
    LIMIT_S = 3600, /* a run that takes longer than this and LIMIT_POUCH_S a pouch stands still */
    LIMIT_POUCH_S = 60,
    STEPS_A_LOOK = 8, /* of the clock, between two looks at the store */
};

struct rehearsing {
    const struct rehearse_request *request;
    struct rehearsal *out;
    struct stage stage;
    int64_t batch;         /* in the copy */
    int64_t begun_us;      /* mechanics' time of the start word */
    int64_t begun_wall_ms; /* the same on the stage's clock */
    int64_t last_done_us;  /* of the last result */
    uint32_t last_started;
    uint64_t printed;
    uint32_t pouch_mm;
    bool row_lost; /* no memory for a row of an event */
};

const char *rehearse_kind_text(enum rehearse_kind kind)
{
    static const char *const texts[REHEARSE_KINDS] = {"runs out", "lot change", "new film", "new ribbon",
                                                      "not made"};
    return kind < REHEARSE_KINDS ? texts[kind] : "?";
}

/* ---- rows ---- */

static struct rehearse_row *add_row(struct rehearsing *r, enum rehearse_kind kind, struct error *err)
{
    struct rehearsal *out = r->out;
    size_t cap = out->row_count;
    if (cap == REHEARSE_ROWS_MAX) {
        error_set(err, E_LIMIT, "more than %d things to tell of one batch", REHEARSE_ROWS_MAX);
        return NULL;
    }
    if ((cap & (cap - 1)) == 0) { /* full at each power of two */
        struct rehearse_row *rows = realloc(out->rows, (cap ? 2 * cap : 1) * sizeof *rows);
        if (!rows) {
            error_set(err, E_MEMORY, "no memory for the rehearsal");
            return NULL;
        }
        out->rows = rows;
    }
    struct rehearse_row *row = &out->rows[out->row_count++];
    *row = (struct rehearse_row){.kind = kind, .bay = STOCK_NO_BAY};
    return row;
}

static int64_t since_start_ms(const struct rehearsing *r)
{
    return (world_now_us(r->stage.world) - r->begun_us) / 1000;
}

static int by_position(const void *a, const void *b)
{
    const struct rehearse_row *x = a, *y = b;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    if (x->kind != y->kind)
        return (int)x->kind - (int)y->kind;
    int code = strcmp(x->product, y->product);
    return code ? code : (int)x->piece - (int)y->piece;
}

/* ---- the machine tells ---- */

static void note_event(void *data, const struct world_event *event)
{
    struct rehearsing *r = data;
    if (strcmp(event->name, "printed") == 0)
        r->printed++;
    if (strcmp(event->name, "started") == 0)
        r->last_started = event->seq;
    if (strcmp(event->name, "done") == 0)
        r->last_done_us = event->t_us;
    if (strcmp(event->name, "state") == 0 && event->text && strcmp(event->text, "Held") == 0)
        r->out->holds++;
    bool film = strcmp(event->name, "alarm") == 0 && event->value[0].value == MACHINE_ALARM_FILM_OUT;
    bool ribbon = strcmp(event->name, "alarm") == 0 && event->value[0].value == MACHINE_ALARM_RIBBON_OUT;
    if (!film && !ribbon)
        return;
    struct rehearse_row *row = add_row(r, film ? REHEARSE_NEW_FILM : REHEARSE_NEW_RIBBON, NULL);
    if (!row) {
        r->row_lost = true;
        return;
    }
    row->at_ms = (event->t_us - r->begun_us) / 1000;
    row->position = -(int64_t)r->last_started - 1; /* a number for now; see name_reels */
}

/* ---- the copy ---- */

/* What the batch has left goes to the machine of the rehearsal, on a batch of its own. */
static int cast(struct rehearsing *r, const struct batch_info *info, struct error *err)
{
    struct store *store = r->stage.store;
    int64_t batch = r->request->batch;
    int rc = store_write_begin(store, err);
    if (rc == 0)
        rc = store_exec(store, err, "UPDATE canister SET machine = '" MACHINE "' WHERE machine = ?", "t",
                        info->machine);
    if (rc == 0)
        rc = store_exec(store, err, "UPDATE bay SET machine = '" MACHINE "' WHERE machine = ?", "t",
                        info->machine);
    if (rc == 0)
        rc = store_insert(store, err, &r->batch,
                          "INSERT INTO batch (machine, state, created_by, created_ms)"
                          " SELECT '" MACHINE "', 'created', created_by, created_ms FROM batch WHERE id = ?",
                          "i", batch);
    if (rc == 0)
        rc = store_exec(store, err,
                        "INSERT INTO batch_plan (batch_id, position, plan_id)"
                        " SELECT ?, position, plan_id FROM batch_plan WHERE batch_id = ?",
                        "ii", r->batch, batch);
    if (rc == 0)
        rc = store_exec(store, err,
                        "UPDATE job SET batch_id = ?, state = 'waiting', note = '' WHERE batch_id = ?"
                        " AND state IN ('waiting', 'sent', 'blocked')",
                        "ii", r->batch, batch);
    r->out->pouches = rc == 0 ? store_changes(store) : 0;
    if (rc == 0) /* what is in the real machine now is made here, too */
        rc = store_exec(store, err,
                        "UPDATE fill SET state = 'cancelled' WHERE state = 'intended' AND job_id IN"
                        " (SELECT id FROM job WHERE batch_id = ?)",
                        "i", r->batch);
    return rc == 0 ? store_write_commit(store, err) : rc;
}

/* The canisters as the books have them, and what is left on the reel. */
static int set_stage(struct rehearsing *r, struct error *err)
{
    struct canister *canisters = NULL;
    int count = 0;
    int bays = r->request->profile->bays;
    int rc = stock_list(r->stage.store, MACHINE, &canisters, &count, err);
    for (int b = 0; rc == 0 && b < bays; b++)
        world_seat(r->stage.world, (unsigned)b, 0, 0);
    for (int i = 0; rc == 0 && i < count; i++) {
        const struct canister *c = &canisters[i];
        int64_t pieces = c->level < 0 ? 0 : c->level > WORLD_FILL_MAX ? WORLD_FILL_MAX : c->level;
        if (c->bay >= 0 && c->bay < bays)
            world_seat(r->stage.world, (unsigned)c->bay, (uint32_t)c->id, (uint16_t)pieces);
    }
    free(canisters);
    if (rc == 0 && r->request->film_left_mm >= 0 && r->request->film_left_mm <= UINT32_MAX) {
        struct machine_status status;
        world_status(r->stage.world, &status);
        world_set_film(r->stage.world, (uint32_t)r->request->film_left_mm, status.ribbon_mm);
    }
    return rc;
}

/* ---- a canister runs out ---- */

struct wanting {
    int64_t job;
    int64_t position;
    int64_t pouch;
    int64_t plan;
    char patient[128];
};

static int64_t usual_load(struct store *store, int64_t canister)
{
    int64_t pieces = 0;
    if (store_get_int(store, &pieces, NULL,
                      "SELECT pieces FROM stock_move WHERE canister_id = ? AND kind = 'load'"
                      " AND actor <> 'rehearsal' ORDER BY id DESC LIMIT 1",
                      "i", canister) < 0)
        return REHEARSE_LOAD;
    return pieces;
}

static int load_canister(struct rehearsing *r, const struct wanting *w, const struct plan_item *item,
                         int64_t canister, int64_t left, struct error *err)
{
    struct store *store = r->stage.store;
    struct canister c;
    struct machine_bay bay;
    int rc = stock_get(store, canister, &c, err);
    if (rc < 0)
        return rc;
    struct rehearse_row *row = add_row(r, REHEARSE_RUNS_OUT, err);
    if (!row)
        return err->code;
    row->position = w->position;
    row->pouch = w->pouch;
    row->at_ms = since_start_ms(r);
    row->canister = canister;
    row->bay = c.bay;
    row->piece = item->piece;
    row->left = left;
    row->wanted = item->count;
    row->loaded = usual_load(store, canister);
    if (row->loaded < item->count)
        row->loaded = item->count;
    (void)snprintf(row->patient, sizeof row->patient, "%s", w->patient);
    (void)snprintf(row->product, sizeof row->product, "%s", c.product_code); /* both as long as in stock.h */
    (void)snprintf(row->lot, sizeof row->lot, "%s", c.lot);
    int64_t load = row->loaded, now_ms = r->stage.clock.wall_now_ms;
    world_bay(r->stage.world, (unsigned)c.bay, &bay);
    int64_t pieces = bay.level + load > WORLD_FILL_MAX ? WORLD_FILL_MAX : bay.level + load;
    world_seat(r->stage.world, (unsigned)c.bay, (uint32_t)canister, (uint16_t)pieces);
    rc = store_exec(store, err,
                    "INSERT INTO stock_move (canister_id, kind, pieces, actor, moved_ms)"
                    " VALUES (?, 'load', ?, 'rehearsal', ?)",
                    "iii", canister, load, now_ms + 1); /* after the lock that it may open */
    if (rc == 0)
        rc = store_exec(store, err, "UPDATE canister SET level = level + ? WHERE id = ?", "ii", load,
                        canister);
    return rc;
}

/* 1: there is enough now; 0: no canister could be loaded with it. */
static int serve_item(struct rehearsing *r, const struct wanting *w, const struct plan_item *item,
                      int32_t day, struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t canister = 0, left = 0;
    bool locked = false;
    int rc = store_query(
        r->stage.store, &rows, err,
        "SELECT c.id, c.level - (SELECT coalesce(sum(i.requested), 0) FROM fill f JOIN fill_item i"
        "   ON i.fill_id = f.id WHERE f.serial = '" SERIAL
        "' AND f.state = 'intended' AND i.canister_id = c.id) AS free,"
        " EXISTS (SELECT 1 FROM bay b WHERE b.machine = c.machine AND b.bay = c.bay AND b.locked = 1"
        "   AND b.canister_id = c.id AND NOT EXISTS (SELECT 1 FROM stock_move m WHERE m.canister_id = c.id"
        "   AND m.kind = 'load' AND m.moved_ms > b.changed_ms)) AS locked"
        " FROM canister c WHERE c.machine = '" MACHINE "' AND c.product_code = ? AND c.piece = ?"
        " AND c.expiry_day >= ? AND c.bay < ? ORDER BY locked, free DESC, c.expiry_day, c.id LIMIT 1",
        "ttii", item->code, roll_piece_text(item->piece), (int64_t)day, (int64_t)r->request->profile->bays);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        canister = store_int(rows, 0);
        left = store_int(rows, 1);
        locked = store_int(rows, 2) != 0;
    }
    store_done(rows);
    if (rc <= 0)
        return rc;
    if (left >= item->count && !locked)
        return 1;
    rc = load_canister(r, w, item, canister, left, err);
    return rc < 0 ? rc : 1;
}

/* 1: the job can be made now; 0: it cannot, whatever is loaded. */
static int serve_job(struct rehearsing *r, const struct wanting *w, struct error *err)
{
    struct arena arena;
    struct store_rows *rows = NULL;
    struct plan_text *text = NULL;
    arena_init(&arena, 0);
    int rc = store_query(r->stage.store, &rows, err, "SELECT text FROM plan WHERE id = ?", "i", w->plan);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        size_t len = 0;
        const char *bytes = store_blob(rows, 0, &len);
        if (plan_text_parse(bytes, len, &arena, &text, NULL) < 0)
            text = NULL; /* the controller says why */
    }
    store_done(rows);
    bool all = text && w->pouch >= 1 && (size_t)w->pouch <= text->pouch_count;
    for (size_t i = 0; rc >= 0 && all && i < text->pouches[w->pouch - 1].item_count; i++) {
        const struct plan_pouch *pouch = &text->pouches[w->pouch - 1];
        rc = serve_item(r, w, &pouch->items[i], pouch->day, err);
        all = rc == 1;
    }
    arena_finish(&arena);
    return rc < 0 ? rc : all;
}

/* The jobs that were set aside, in order. *ret_again: some wait again. */
static int serve(struct rehearsing *r, bool *ret_again, struct error *err)
{
    struct store *store = r->stage.store;
    int64_t after = -1;
    for (;;) {
        struct store_rows *rows = NULL;
        struct wanting w = {0};
        int rc = store_query(store, &rows, err,
                             "SELECT j.id, j.position, j.pouch, j.plan_id, t.source_id FROM job j"
                             " JOIN plan p ON p.id = j.plan_id JOIN patient t ON t.id = p.patient_id"
                             " WHERE j.batch_id = ? AND j.state = 'blocked' AND j.position > ?"
                             " AND j.note LIKE 'no canister of %' ORDER BY j.position LIMIT 1",
                             "ii", r->batch, after);
        if (rc == 0)
            rc = store_next(rows, err);
        if (rc == 1) {
            w = (struct wanting){.job = store_int(rows, 0),
                                 .position = store_int(rows, 1),
                                 .pouch = store_int(rows, 2),
                                 .plan = store_int(rows, 3)};
            (void)snprintf(w.patient, sizeof w.patient, "%s", store_text(rows, 4)); /* cut: for people */
        }
        store_done(rows);
        if (rc <= 0)
            return rc;
        after = w.position;
        rc = store_write_begin(store, err);
        if (rc == 0)
            rc = serve_job(r, &w, err);
        if (rc == 1) {
            *ret_again = true;
            rc = store_exec(store, err, "UPDATE job SET state = 'waiting', note = '' WHERE id = ?", "i",
                            w.job);
        }
        if (rc >= 0)
            rc = store_write_commit(store, err);
        if (rc < 0)
            return rc;
    }
}

/* ---- the run ---- */

static int start(struct rehearsing *r, struct error *err)
{
    int64_t command = 0;
    int rc =
        batch_ask(r->stage.store, r->batch, "start", "rehearsal", r->stage.clock.wall_now_ms, &command, err);
    packer_orders(r->stage.packer);
    return rc;
}

static int run(struct rehearsing *r, struct error *err)
{
    int64_t limit_ms = (LIMIT_S + r->out->pouches * LIMIT_POUCH_S) * 1000 / SPEED;
    int64_t end_ms = r->stage.clock.mono_now_ms + limit_ms, served_at = -1;
    int rc = stage_run_ms(&r->stage, 8000 / SPEED + 500, err); /* it boots and connects */
    r->begun_us = r->last_done_us = world_now_us(r->stage.world);
    r->begun_wall_ms = r->stage.clock.wall_now_ms;
    if (rc == 0)
        rc = start(r, err);
    while (rc == 0 && r->stage.clock.mono_now_ms < end_ms) {
        struct batch_info info;
        bool again = false;
        for (int i = 0; i < STEPS_A_LOOK && rc == 0; i++)
            rc = stage_step(&r->stage, err);
        if (rc == 0)
            rc = serve(r, &again, err);
        if (rc == 0 && again)
            packer_orders(r->stage.packer);
        if (rc == 0)
            rc = batch_get(r->stage.store, r->batch, &info, err);
        if (rc < 0)
            return rc;
        if (r->request->progress)
            r->request->progress(r->request->data, info.good, r->out->pouches);
        r->out->good = info.good;
        r->out->voids = info.voids;
        if (packer_line_state(r->stage.packer) == LINE_HALTED)
            return error_set(err, E_STATE, "batch %" PRId64 ": the rehearsal stands: %s", r->request->batch,
                             packer_note(r->stage.packer));
        if (!batch_is_resting(&info))
            continue;
        if (info.waiting == 0 || info.good + info.blocked == served_at)
            return 0;
        served_at = info.good + info.blocked; /* the last of the batch were set aside and are loaded now */
        rc = start(r, err);
    }
    return rc < 0 ? rc
                  : error_set(err, E_STATE, "batch %" PRId64 ": the rehearsal stands still: %s",
                              r->request->batch, packer_note(r->stage.packer));
}

/* ---- what came of it ---- */

/* Where a dose came from, in the order of the pouches. */
struct taker {
    char product[PRODUCT_CODE_BYTES];
    enum roll_piece piece;
    int64_t canister;
    int bay;
    char lot[STOCK_LOT_BYTES];
};

static const char walk_sql[] =
    "SELECT i.product_code, i.piece, i.canister_id, i.bay, i.lot, j.position, j.pouch, t.source_id,"
    " f.intended_ms, i.requested, f.seq FROM fill_item i JOIN fill f ON f.id = i.fill_id"
    " JOIN job j ON j.id = f.job_id JOIN plan p ON p.id = j.plan_id JOIN patient t ON t.id = p.patient_id"
    " WHERE f.serial = '" SERIAL "' ORDER BY i.product_code, i.piece, f.seq, i.entry";
enum { WALK_POSITION = 5, WALK_POUCH, WALK_PATIENT, WALK_AT, WALK_WANTED, WALK_SEQ };

/* Pieces in a canister when this number was given out: what is there now, what went since, less the loads
 * since. */
static int pieces_then(struct rehearsing *r, int64_t canister, int64_t seq, int64_t at_ms,
                       int64_t *ret_pieces, struct error *err)
{
    return store_get_int(
        r->stage.store, ret_pieces, err,
        "SELECT c.level + (SELECT coalesce(sum(i.counted), 0) FROM fill_item i JOIN fill f ON f.id ="
        " i.fill_id WHERE i.canister_id = c.id AND f.serial = '" SERIAL "' AND f.seq >= ?)"
        " - (SELECT coalesce(sum(m.pieces), 0) FROM stock_move m WHERE m.canister_id = c.id"
        " AND m.actor = 'rehearsal' AND m.moved_ms > ?) FROM canister c WHERE c.id = ?",
        "iii", seq, at_ms, canister);
}

static bool is_told(const struct rehearsal *out, enum rehearse_kind kind, int64_t canister)
{
    for (size_t i = 0; i < out->row_count; i++) {
        if (out->rows[i].kind == kind && out->rows[i].canister == canister && out->rows[i].next_canister)
            return true;
    }
    return false;
}

static int tell_change(struct rehearsing *r, enum rehearse_kind kind, const struct taker *from,
                       const struct taker *to, int64_t left, struct store_rows *rows, struct error *err)
{
    struct rehearse_row *row = add_row(r, kind, err);
    if (!row)
        return err->code;
    row->position = store_int(rows, WALK_POSITION);
    row->pouch = store_int(rows, WALK_POUCH);
    row->at_ms = (store_int(rows, WALK_AT) - r->begun_wall_ms) * SPEED;
    row->canister = from->canister;
    row->bay = from->bay;
    row->piece = from->piece;
    row->left = left;
    row->wanted = store_int(rows, WALK_WANTED);
    row->next_canister = to->canister;
    memcpy(row->product, from->product, sizeof row->product);
    memcpy(row->lot, from->lot, sizeof row->lot);
    memcpy(row->next_lot, to->lot, sizeof row->next_lot);
    (void)snprintf(row->patient, sizeof row->patient, "%s",
                   store_text(rows, WALK_PATIENT)); /* cut: for people */
    return 0;
}

/* Each time a dose comes from another canister than the one before: because that one is spent, or not. */
static int tell_changes(struct rehearsing *r, struct error *err)
{
    struct store_rows *rows = NULL;
    struct taker last = {0};
    int rc = store_query(r->stage.store, &rows, err, walk_sql, "");
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        struct taker now = {.piece = strcmp(store_text(rows, 1), "half") == 0 ? ROLL_HALF : ROLL_WHOLE,
                            .canister = store_int(rows, 2),
                            .bay = (int)store_int(rows, 3)};
        int64_t left = 0;
        (void)snprintf(now.product, sizeof now.product, "%s", store_text(rows, 0)); /* the schema's lengths */
        (void)snprintf(now.lot, sizeof now.lot, "%s", store_text(rows, 4));
        bool same = strcmp(now.product, last.product) == 0 && now.piece == last.piece;
        rc = 0;
        if (same && now.canister != last.canister) {
            rc = pieces_then(r, last.canister, store_int(rows, WALK_SEQ), store_int(rows, WALK_AT), &left,
                             err);
            if (rc == 0 && left < store_int(rows, WALK_WANTED) &&
                !is_told(r->out, REHEARSE_RUNS_OUT, last.canister))
                rc = tell_change(r, REHEARSE_RUNS_OUT, &last, &now, left, rows, err);
            if (rc == 0 && strcmp(now.lot, last.lot) != 0)
                rc = tell_change(r, REHEARSE_LOT_CHANGE, &last, &now, left, rows, err);
        }
        last = now;
    }
    store_done(rows);
    return rc;
}

/* The numbers in the rows of reels become positions. */
static int name_reels(struct rehearsing *r, struct error *err)
{
    for (size_t i = 0; i < r->out->row_count; i++) {
        struct rehearse_row *row = &r->out->rows[i];
        struct store_rows *rows = NULL;
        if (row->kind != REHEARSE_NEW_FILM && row->kind != REHEARSE_NEW_RIBBON)
            continue;
        int rc = store_query(r->stage.store, &rows, err,
                             "SELECT j.position, j.pouch, t.source_id FROM fill f JOIN job j ON j.id ="
                             " f.job_id JOIN plan p ON p.id = j.plan_id JOIN patient t ON t.id = p.patient_id"
                             " WHERE f.serial = '" SERIAL "' AND f.seq = ?",
                             "i", -row->position);
        if (rc == 0)
            rc = store_next(rows, err);
        if (rc == 1) {
            row->position = store_int(rows, 0);
            row->pouch = store_int(rows, 1);
            (void)snprintf(row->patient, sizeof row->patient, "%s",
                           store_text(rows, 2)); /* cut: for people */
        }
        store_done(rows);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int tell_not_made(struct rehearsing *r, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(r->stage.store, &rows, err,
                         "SELECT j.position, j.pouch, t.source_id, j.note FROM job j"
                         " JOIN plan p ON p.id = j.plan_id JOIN patient t ON t.id = p.patient_id"
                         " WHERE j.batch_id = ? AND j.state <> 'good' ORDER BY j.position",
                         "i", r->batch);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        struct rehearse_row *row = add_row(r, REHEARSE_NOT_MADE, err);
        if (!row) {
            rc = err->code;
            break;
        }
        row->position = store_int(rows, 0);
        row->pouch = store_int(rows, 1);
        (void)snprintf(row->patient, sizeof row->patient, "%s", store_text(rows, 2)); /* cut: for people */
        (void)snprintf(row->note, sizeof row->note, "%s", store_text(rows, 3));
        rc = 0;
    }
    store_done(rows);
    return rc;
}

static int sum_up(struct rehearsing *r, struct error *err)
{
    struct rehearsal *out = r->out;
    int rc = r->row_lost ? error_set(err, E_MEMORY, "no memory for the rehearsal") : 0;
    if (rc == 0)
        rc = tell_changes(r, err);
    if (rc == 0)
        rc = name_reels(r, err);
    if (rc == 0)
        rc = tell_not_made(r, err);
    if (rc == 0)
        rc = trays_read(r->stage.store, r->batch, MACHINE, r->request->profile->bays, &out->trays,
                        &out->tray_count, &out->tray_pouches, err);
    if (rc == 0)
        rc = store_get_int(r->stage.store, &out->pieces, err,
                           "SELECT coalesce(sum(i.counted), 0) FROM fill_item i JOIN fill f ON f.id ="
                           " i.fill_id WHERE f.serial = '" SERIAL "'",
                           "");
    if (rc < 0)
        return rc;
    out->duration_ms = (r->last_done_us - r->begun_us) / 1000;
    out->film_mm = (int64_t)r->printed * r->pouch_mm;
    out->ribbon_mm = out->film_mm; /* the ribbon moves with the film */
    for (size_t i = 0; i < out->row_count; i++)
        out->count[out->rows[i].kind]++;
    if (out->row_count > 0)
        qsort(out->rows, out->row_count, sizeof *out->rows, by_position);
    return 0;
}

static int perform(struct rehearsing *r, const char *path, const struct batch_info *info, struct error *err)
{
    const struct rehearse_request *q = r->request;
    struct world_params world;
    world_params_default(&world, 0);
    memcpy(world.serial, SERIAL, MACHINE_SERIAL_BYTES);
    world.seed = q->seed;
    world.speed = SPEED;
    world.bays = q->profile->bays;
    world.queue_depth = q->profile->queue_depth;
    world.ring_size = q->profile->ring_size;
    world.cycle_us = 60000000 / q->pouches_a_minute;
    world.keep_truth = false;
    world.log = note_event;
    world.log_data = r;
    world_rates_scale(&world.rates, q->faults_percent);
    if (q->faults_percent == 0)
        world_rates_none(&world.rates);
    r->pouch_mm = world.pouch_mm;
    const struct stage_params params = {.store_path = path,
                                        .machine = MACHINE,
                                        .world = &world,
                                        .attend = true,
                                        .wall_ms = q->wall_ms,
                                        .entries_max = q->profile->entries_max,
                                        .rules = q->rules};
    int rc = stage_init(&r->stage, &params, err);
    if (rc < 0)
        return rc;
    rc = cast(r, info, err);
    if (rc == 0 && r->out->pouches == 0)
        rc = error_set(err, E_STATE, "batch %" PRId64 " is %s: nothing is left to make", q->batch,
                       info->state);
    if (rc == 0)
        rc = set_stage(r, err);
    if (rc == 0)
        rc = run(r, err);
    if (rc == 0)
        rc = sum_up(r, err);
    stage_finish(&r->stage);
    return rc;
}

int rehearse(const struct rehearse_request *request, struct rehearsal *ret_rehearsal, struct error *err)
{
    struct rehearsing r = {.request = request, .out = ret_rehearsal};
    struct batch_info info;
    struct folder folder = {{0}};
    char path[FOLDER_PATH_BYTES];
    *ret_rehearsal = (struct rehearsal){0};
    int rc = batch_get(request->store, request->batch, &info, err);
    if (rc == 0)
        rc = folder_make_in_memory(&folder, err);
    if (rc < 0)
        return rc;
    rc = store_backup(request->store, folder_path(&folder, "sachet.db", path), err);
    if (rc == 0)
        rc = perform(&r, path, &info, err);
    folder_remove(&folder);
    return rc;
}

void rehearsal_finish(struct rehearsal *rehearsal)
{
    free(rehearsal->rows);
    rehearsal->rows = NULL;
    free(rehearsal->trays);
    rehearsal->trays = NULL;
}
