/* SPDX-License-Identifier: Apache-2.0 */
/* What a roll is: the plan's pouches, what was made of each, and what was decided. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/plan_row.h"
#include "controller/plan/plan_text.h"
#include "controller/release/release_private.h"
#include "controller/store/store.h"

static const struct {
    const char *word, *text;
} flags[] = {
#define RELEASE_FLAG_ROW(name, word, text) {word, text},
    RELEASE_FLAG_TABLE(RELEASE_FLAG_ROW)
#undef RELEASE_FLAG_ROW
};

const char *release_flag_word(enum release_flag flag)
{
    return flags[flag].word;
}

const char *release_flag_text(enum release_flag flag)
{
    return flags[flag].text;
}

static int no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory for the release");
}

static const char *copy(struct arena *arena, const char *text)
{
    return arena_text(arena, text, strlen(text));
}

static const char *taken(struct buf *text, struct arena *arena)
{
    const char *kept = text->failed ? NULL : arena_text(arena, buf_string(text), text->len);
    buf_finish(text);
    return kept;
}

const char *release_holds(const struct plan_text *plan, const struct plan_item *items, size_t count,
                          struct arena *arena)
{
    struct buf text;
    buf_init(&text);
    for (size_t i = 0; i < count; i++) {
        const struct plan_product *product = plan_text_product(plan, items[i].code);
        buf_printf(&text, "%s%d x %s%s", i ? ", " : "", items[i].count,
                   items[i].piece == ROLL_HALF ? "half of " : "", product ? product->name : items[i].code);
    }
    return taken(&text, arena);
}

static bool is_provisional(const struct plan_text *plan, const struct plan_pouch *pouch)
{
    for (size_t i = 0; i < pouch->item_count; i++) {
        const struct plan_product *product = plan_text_product(plan, pouch->items[i].code);
        if (!product || product->provisional)
            return true;
    }
    return false;
}

static int pouches_begin(struct release_loaded *l, struct error *err)
{
    const struct plan_text *plan = l->text;
    l->pouches = arena_array(l->arena, plan->pouch_count + 1, sizeof *l->pouches);
    if (!l->pouches)
        return no_memory(err);
    for (size_t i = 0; i < plan->pouch_count; i++) {
        const struct plan_pouch *from = &plan->pouches[i];
        char day[CIVIL_TEXT_BYTES], time[TOD_TEXT_BYTES];
        civil_format(from->day, day);
        tod_format(from->minute, time);
        l->pouches[i] =
            (struct release_pouch){.number = from->number,
                                   .date = copy(l->arena, day),
                                   .time = copy(l->arena, time),
                                   .slot = from->slot,
                                   .holds = release_holds(plan, from->items, from->item_count, l->arena),
                                   .last_void = "",
                                   .reason = "",
                                   .login = ""};
        if (!l->pouches[i].date || !l->pouches[i].time || !l->pouches[i].holds)
            return no_memory(err);
    }
    return 0;
}

/* What became of each pouch. */
static int jobs_load(struct store *store, struct release_loaded *l, struct error *err)
{
    struct store_rows *rows = NULL;
    int more = 0;
    int status = store_query(
        store, &rows, err,
        "SELECT j.pouch, j.id, j.state = 'good' AND f.id IS NOT NULL, coalesce(f.token, ''), "
        "(SELECT count(*) FROM fill v WHERE v.job_id = j.id AND v.state = 'void'), "
        "coalesce((SELECT v.reason FROM fill v WHERE v.job_id = j.id AND v.state = 'void' ORDER BY v.id DESC "
        "LIMIT 1), ''), "
        "EXISTS (SELECT 1 FROM alarm a WHERE a.fill_id = f.id), "
        "EXISTS (SELECT 1 FROM withdrawn w WHERE w.plan_id = j.plan_id AND w.pouch = j.pouch), "
        "coalesce(m.simulated, 0) FROM job j LEFT JOIN fill f ON f.job_id = j.id AND f.state = 'good' "
        "LEFT JOIN machine m ON m.serial = f.serial WHERE j.plan_id = ? AND j.state <> 'cancelled' "
        "ORDER BY j.pouch",
        "i", l->row.id);
    while (status == 0 && (more = store_next(rows, err)) > 0) {
        int64_t number = store_int(rows, 0);
        if (number < 1 || (size_t)number > l->text->pouch_count) {
            status = error_set(err, E_TAMPERED, "plan %lld: a job for a pouch that it does not have",
                               (long long)l->row.id);
            break;
        }
        struct release_pouch *pouch = &l->pouches[number - 1];
        pouch->job = store_int(rows, 1);
        pouch->good = store_int(rows, 2) != 0;
        (void)snprintf(pouch->token, sizeof pouch->token, "%s",
                       store_text(rows, 3)); /* as token_format made it */
        pouch->voids = (int)store_int(rows, 4);
        pouch->last_void = copy(l->arena, store_text(rows, 5));
        if (!pouch->last_void)
            status = no_memory(err);
        l->alarmed[number - 1] = store_int(rows, 6) != 0;
        l->withdrawn[number - 1] = store_int(rows, 7) != 0;
        l->roll.simulated = l->roll.simulated || store_int(rows, 8) != 0;
    }
    store_done(rows);
    return status < 0 ? status : more;
}

static void flag_all(struct release_loaded *l)
{
    for (size_t i = 0; i < l->text->pouch_count; i++) {
        struct release_pouch *pouch = &l->pouches[i];
        pouch->can_accept = true;
        if (!pouch->good) {
            pouch->flag = RELEASE_NOT_MADE;
            pouch->can_accept = false;
        } else if (l->withdrawn[i]) {
            pouch->flag = RELEASE_WITHDRAWN;
            pouch->can_accept = false;
        } else if (pouch->voids > 0) {
            pouch->flag = RELEASE_REMADE;
        } else if (l->alarmed[i]) {
            pouch->flag = RELEASE_ALARM;
        } else if (is_provisional(l->text, &l->text->pouches[i])) {
            pouch->flag = RELEASE_PROVISIONAL;
        }
    }
}

/* The newest decision of a pouch counts, when it was about what is flagged now. */
static int decisions_load(struct store *store, struct release_loaded *l, struct error *err)
{
    struct store_rows *rows = NULL;
    int more = 0;
    int status =
        store_query(store, &rows, err,
                    "SELECT d.pouch, d.flag, d.decision, d.reason, u.login FROM release_decision d JOIN "
                    "user u ON u.id = d.user_id WHERE d.plan_id = ? ORDER BY d.id",
                    "i", l->row.id);
    while (status == 0 && (more = store_next(rows, err)) > 0) {
        int64_t number = store_int(rows, 0);
        if (number < 1 || (size_t)number > l->text->pouch_count)
            continue;
        struct release_pouch *pouch = &l->pouches[number - 1];
        if (strcmp(store_text(rows, 1), release_flag_word(pouch->flag)) != 0)
            continue;
        pouch->decided = true;
        pouch->accepted = strcmp(store_text(rows, 2), "accept") == 0;
        pouch->reason = copy(l->arena, store_text(rows, 3));
        pouch->login = copy(l->arena, store_text(rows, 4));
        if (!pouch->reason || !pouch->login)
            status = no_memory(err);
    }
    store_done(rows);
    return status < 0 ? status : more;
}

static int released_load(struct store *store, struct release_loaded *l, struct error *err)
{
    struct store_rows *rows = NULL;
    int status = store_query(store, &rows, err,
                             "SELECT r.signed_ms, u.login FROM release_signature r JOIN user u ON u.id = "
                             "r.user_id WHERE r.plan_id = ?",
                             "i", l->row.id);
    int more = status < 0 ? status : store_next(rows, err);
    l->roll.released_by = "";
    if (more > 0) {
        l->roll.released = true;
        l->roll.released_ms = store_int(rows, 0);
        l->roll.released_by = copy(l->arena, store_text(rows, 1));
    }
    store_done(rows);
    return more < 0 ? more : l->roll.released_by ? 0 : no_memory(err);
}

/* Sums, and the numbers that prove the strip whole: its ends and what follows each cut. */
static int settle(struct release_loaded *l, struct error *err)
{
    size_t count = l->text->pouch_count;
    const char **scans = arena_array(l->arena, count + 1, sizeof *scans);
    if (!scans)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        const struct release_pouch *pouch = &l->pouches[i];
        l->roll.good += pouch->good;
        l->roll.flagged += pouch->flag != RELEASE_NONE;
        l->roll.undecided += pouch->flag != RELEASE_NONE && !pouch->decided;
        l->roll.rejected += pouch->decided && !pouch->accepted;
        if (i == 0 || i == count - 1 || pouch->voids > 0)
            scans[l->roll.scan_count++] = pouch->token;
    }
    l->roll.scans = l->roll.good == count ? scans : NULL;
    if (!l->roll.scans)
        l->roll.scan_count = 0;
    l->roll.pouches = l->pouches;
    l->roll.pouch_count = count;
    return 0;
}

int release_loaded_load(struct store *store, int64_t plan, struct arena *arena, struct release_loaded *ret,
                        struct error *err)
{
    struct release_loaded l = {.arena = arena};
    int status = plan_row_load(store, plan, arena, &l.row, err);
    if (status == 0 && l.row.state != PLAN_ROW_SIGNED)
        status = error_set(err, E_STATE, "plan %lld is %s: only the roll of a signed plan is released",
                           (long long)plan, plan_row_state_text(&l.row));
    if (status == 0 && plan_text_parse(l.row.bytes, l.row.len, arena, &l.text, err) < 0)
        status = error_set(err, E_TAMPERED, "plan %lld: its text cannot be read", (long long)plan);
    if (status < 0)
        return status;
    l.roll.plan = plan;
    l.roll.version = l.text->version;
    l.roll.patient = l.text->patient_id;
    seal_hash(l.row.bytes, l.row.len, l.roll.plan_hash);
    l.alarmed = arena_array(arena, l.text->pouch_count + 1, sizeof *l.alarmed);
    l.withdrawn = arena_array(arena, l.text->pouch_count + 1, sizeof *l.withdrawn);
    status = l.alarmed && l.withdrawn ? pouches_begin(&l, err) : no_memory(err);
    if (status == 0)
        status = jobs_load(store, &l, err);
    if (status == 0) {
        flag_all(&l);
        status = decisions_load(store, &l, err);
    }
    if (status == 0)
        status = released_load(store, &l, err);
    if (status == 0)
        status = settle(&l, err);
    if (status == 0)
        *ret = l;
    return status;
}

int release_load(struct store *store, int64_t plan, struct arena *arena, struct release_roll *ret_roll,
                 struct error *err)
{
    struct release_loaded loaded;
    int status = release_loaded_load(store, plan, arena, &loaded, err);
    if (status == 0)
        *ret_roll = loaded.roll;
    return status;
}
