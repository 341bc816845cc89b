/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/refill/change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/pack/withdraw.h"
#include "controller/refill/cycle.h"
#include "controller/refill/pouch.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

const struct change_row change_rows[CHANGE_KINDS] = {
#define CHANGE_ROW(name, word, of, hits, agree, doc) [CHANGE_##name] = {word, of, hits, agree, doc},
    CHANGE_TABLE(CHANGE_ROW)
#undef CHANGE_ROW
};

bool change_parse(const char *word, enum change_kind *ret_kind)
{
    for (int i = 0; i < CHANGE_KINDS; i++) {
        if (strcmp(change_rows[i].word, word) == 0) {
            *ret_kind = (enum change_kind)i;
            return true;
        }
    }
    return false;
}

const char *change_place_text(enum change_place place)
{
    static const char *const texts[] = {
#define CHANGE_PLACE_TEXT(name, text) [CHANGE_PLACE_##name] = text,
        CHANGE_PLACE_TABLE(CHANGE_PLACE_TEXT)
#undef CHANGE_PLACE_TEXT
    };
    return texts[place];
}

struct changing {
    struct store *store;
    const struct refill_site *site;
    const struct change_request *request;
    const struct record_by *by;
    struct arena *arena;
    struct error *err;
    struct change_pouch *pouches;
    size_t count, cap;
};

static int pouch_add(struct changing *g, struct change_pouch pouch)
{
    if (g->count == g->cap) {
        size_t cap = g->cap ? 2 * g->cap : 64;
        struct change_pouch *grown = arena_array(g->arena, cap, sizeof *grown);
        if (!grown)
            return error_set(g->err, E_MEMORY, "no memory for the pouches of a change");
        if (g->count > 0)
            memcpy(grown, g->pouches, g->count * sizeof *grown);
        g->pouches = grown;
        g->cap = cap;
    }
    g->pouches[g->count++] = pouch;
    return 0;
}

static int is_shipped(struct changing *g, int64_t job, bool *ret_shipped)
{
    int64_t count = 0;
    int status = store_get_int(g->store, &count, g->err,
                               "SELECT count(*) FROM handover_pouch WHERE job_id = ?", "i", job);
    *ret_shipped = count > 0;
    return status;
}

/* A made pouch is called back once; whoever asked first stands. */
static int recall(struct changing *g, int64_t job, const char *kind, const char *reason)
{
    return store_exec(
        g->store, g->err,
        "INSERT OR IGNORE INTO pouch_recall (job_id, kind, reason, asked_by, asked_ms) VALUES (?, ?, "
        "?, ?, ?)",
        "ittti", job, kind, reason, g->by->actor, g->by->wall_ms);
}

static int pouch_hit(struct changing *g, int64_t plan, const struct withdraw_pouch *hit, const char *reason)
{
    bool shipped = false;
    int status = 0;
    struct change_pouch pouch = {.plan = plan,
                                 .batch = hit->batch,
                                 .job = hit->job,
                                 .number = hit->number,
                                 .day = hit->day,
                                 .minute = hit->minute,
                                 .token = hit->token,
                                 .reason = reason};
    switch (hit->place) {
    case WITHDRAW_NOT_PACKED:
    case WITHDRAW_PLACES:
        pouch.place = CHANGE_PLACE_NOT_PACKED;
        break;
    case WITHDRAW_IN_MACHINE:
        pouch.place = CHANGE_PLACE_IN_MACHINE;
        break;
    case WITHDRAW_PACKED:
        status = is_shipped(g, hit->job, &shipped);
        pouch.place = shipped ? CHANGE_PLACE_SHIPPED : CHANGE_PLACE_ON_SHELF;
        if (status == 0)
            status = recall(g, hit->job, "recalled", reason);
        break;
    }
    return status < 0 ? status : pouch_add(g, pouch);
}

/* Plans of the patient that have pouches from the day on and were signed once. */
static int plans_of(struct changing *g, int32_t day, int64_t plans[], size_t max, size_t *ret_count)
{
    struct store_rows *rows = NULL;
    size_t count = 0;
    int status =
        store_query(g->store, &rows, g->err,
                    "SELECT p.id FROM plan p WHERE p.patient_id = ? AND p.start_day + p.days >= ? AND "
                    "EXISTS (SELECT 1 FROM signature s WHERE s.plan_id = p.id) ORDER BY p.id DESC",
                    "ii", g->request->patient, (int64_t)day);
    int more = 0;
    while (status == 0 && count < max && (more = store_next(rows, g->err)) > 0)
        plans[count++] = store_int(rows, 0);
    store_done(rows);
    *ret_count = count;
    return status < 0 ? status : more < 0 ? more : 0;
}

enum { PLANS_MAX = 256 };

/* Pouches from the day on, all of them or those of one order. */
static int withdraw_from(struct changing *g, const char *order, int32_t day)
{
    int64_t plans[PLANS_MAX];
    size_t count = 0;
    char reason[WITHDRAW_REASON_BYTES_MAX];
    const struct change_row *row = &change_rows[g->request->kind];
    (void)snprintf(reason, sizeof reason, "%s%s%.180s", row->word, g->by->reason[0] ? ": " : "",
                   g->by->reason);
    const char *kept = arena_text(g->arena, reason, strlen(reason));
    int status = kept ? plans_of(g, day, plans, PLANS_MAX, &count) : E_MEMORY;
    for (size_t i = 0; status == 0 && i < count; i++) {
        const struct withdraw_request request = {.plan = plans[i],
                                                 .order = order,
                                                 .from_day = day,
                                                 .reason = reason,
                                                 .actor = g->by->actor,
                                                 .wall_ms = g->by->wall_ms};
        struct withdraw_result result = {0};
        status = batch_withdraw(g->store, &request, g->arena, &result, g->err);
        if (status == E_NOT_FOUND) { /* the order is not in this plan */
            status = 0;
            continue;
        }
        for (size_t k = 0; status == 0 && k < result.count; k++)
            status = pouch_hit(g, plans[i], &result.pouches[k], kept);
    }
    return status;
}

/* Shipped pouches from the day on; their content counts as used. */
static int lose_from(struct changing *g, int32_t day)
{
    struct store_rows *rows = NULL;
    int status = store_query(g->store, &rows, g->err,
                             "SELECT j.id, j.plan_id, j.batch_id, j.pouch, j.pouch_line FROM handover_pouch "
                             "h JOIN job j ON j.id = "
                             "h.job_id JOIN plan p ON p.id = j.plan_id LEFT JOIN pouch_recall r ON r.job_id "
                             "= j.id WHERE p.patient_id "
                             "= ? AND p.start_day + p.days >= ? AND r.job_id IS NULL ORDER BY j.id",
                             "ii", g->request->patient, (int64_t)day);
    int more = 0;
    size_t first = g->count;
    while (status == 0 && (more = store_next(rows, g->err)) > 0) {
        struct pouch_content content;
        status = pouch_content_read(store_text(rows, 4), 0, &content, g->err);
        if (status == 0 && content.label_day >= day)
            status = pouch_add(g, (struct change_pouch){.plan = store_int(rows, 1),
                                                        .batch = store_int(rows, 2),
                                                        .job = store_int(rows, 0),
                                                        .number = (int)store_int(rows, 3),
                                                        .day = content.label_day,
                                                        .minute = content.minute,
                                                        .place = CHANGE_PLACE_SHIPPED,
                                                        .token = "",
                                                        .reason = "lost"});
    }
    store_done(rows);
    if (status == 0)
        status = more;
    for (size_t i = first; status == 0 && i < g->count; i++)
        status = recall(g, g->pouches[i].job, "lost", "lost");
    return status;
}

static int hit(struct changing *g)
{
    const struct change_request *r = g->request;
    switch (change_rows[r->kind].hits) {
    case CHANGE_HITS_NONE:
        return 0;
    case CHANGE_HITS_ORDER:
        return withdraw_from(g, r->order->source_id, r->day);
    case CHANGE_HITS_ALL:
        return withdraw_from(g, NULL, r->day);
    case CHANGE_HITS_LOST:
        if (!r->order)
            return lose_from(g, r->day);
        return record_onhand(g->store, r->patient, r->order, 0, g->by, g->err);
    }
    return 0;
}

/* The cycle of the day has begun, or will within the freeze days. */
static int agree_check(struct changing *g)
{
    const struct change_request *r = g->request;
    const struct change_row *row = &change_rows[r->kind];
    struct store_rows *rows = NULL;
    char date[CIVIL_TEXT_BYTES];
    if (!row->agree || r->imported)
        return 0;
    if (g->by->reason[0] == '\0')
        return error_set(g->err, E_INPUT, "why? a %s needs a reason (--reason TEXT)", row->word);
    if (r->pharmacist)
        return 0;
    int status =
        store_query(g->store, &rows, g->err,
                    "SELECT anchor_day, cycle_days FROM refill_anchor WHERE patient_id = ? ORDER BY id "
                    "DESC LIMIT 1",
                    "i", r->patient);
    int found = status < 0 ? status : store_next(rows, g->err);
    if (found > 0) {
        int32_t begins = refill_cycle_of((int32_t)store_int(rows, 0), (int)store_int(rows, 1), r->day);
        civil_format(begins, date);
        if (cycle_is_frozen(g->site, begins, g->by->today))
            found = error_set(
                g->err, E_DENIED,
                "the cycle of %s is frozen: a pharmacist must agree (--user LOGIN --reason TEXT)", date);
    }
    store_done(rows);
    return found < 0 ? found : 0;
}

static int request_check(struct changing *g)
{
    const struct change_request *r = g->request;
    const struct change_row *row = &change_rows[r->kind];
    if (row->of == CHANGE_ORDER && !r->order)
        return error_set(g->err, E_INPUT, "%s: of which order? name it", row->word);
    if (row->of == CHANGE_PATIENT && r->order)
        return error_set(g->err, E_INPUT, "%s: concerns the patient, not one order", row->word);
    if (r->day < g->by->today - REFILL_DAYS_AHEAD || r->day > g->by->today + REFILL_DAYS_AHEAD)
        return error_set(g->err, E_INPUT, "%s: the day lies more than %d days from today", row->word,
                         REFILL_DAYS_AHEAD);
    return agree_check(g);
}

static int change_write(struct changing *g, struct change_made *made)
{
    const struct change_request *r = g->request;
    int status = request_check(g);
    if (status == 0)
        status = record_event(g->store, r->patient, change_rows[r->kind].word, r->order, r->day, r->source,
                              g->by, &made->event, &made->is_new, g->err);
    if (status < 0 || !made->is_new)
        return status;
    if (r->kind == CHANGE_ANCHOR)
        return cycle_anchor_set(g->store, r->patient, r->day, g->site->cycle_days, g->by->actor,
                                g->by->reason, g->by->wall_ms, g->err);
    return hit(g);
}

static void made_fill(struct changing *g, struct change_made *made)
{
    made->pouches = g->pouches;
    made->count = g->count;
    for (size_t i = 0; i < g->count; i++)
        made->places[g->pouches[i].place]++;
}

int change_make(struct store *store, const struct refill_site *site, const struct change_request *request,
                const struct record_by *by, struct arena *arena, struct change_made *ret_made,
                struct error *err)
{
    struct error own;
    struct changing g = {
        .store = store, .site = site, .request = request, .by = by, .arena = arena, .err = err ? err : &own};
    struct change_made made = {0};
    int status = store_write_begin(store, g.err);
    if (status == 0)
        status = change_write(&g, &made);
    if (status == 0)
        status = store_write_commit(store, g.err);
    store_write_rollback(store); /* nothing after a commit */
    if (status == 0) {
        made_fill(&g, &made);
        *ret_made = made;
    }
    return status;
}

/* ---- imported orders ---- */

struct noticed {
    enum change_kind kind;
    struct record_order order;
    int32_t day;
    char source[RECORD_ORDER_BYTES + 64];
    struct noticed *next;
};

/* What of the signed plan an order has become; false: nothing changed. */
static bool notice_old(const struct input *input, const struct plan_order *planned,
                       enum change_kind *ret_kind)
{
    for (size_t i = 0; i < input->order_count; i++) {
        const struct input_order *order = &input->orders[i];
        if (strcmp(order->source_id, planned->source_id) != 0)
            continue;
        *ret_kind = order->outcome == INPUT_PACKABLE ? CHANGE_DOSE : CHANGE_STOP;
        bool product =
            order->product && planned->product && strcmp(order->product->code, planned->product) == 0;
        return order->outcome != INPUT_PACKABLE || !order->same_reading || !product;
    }
    *ret_kind = CHANGE_STOP;
    return true;
}

static bool is_planned(const struct plan_text *plan, const char *source_id)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        if (strcmp(plan->orders[i].source_id, source_id) == 0)
            return true;
    }
    return false;
}

static int notice_add(struct changing *g, struct noticed **list, enum change_kind kind, int64_t id,
                      const char *source_id, const char *product, int version)
{
    struct noticed *n = arena_alloc(g->arena, sizeof *n);
    if (!n)
        return error_set(g->err, E_MEMORY, "no memory for what changed");
    *n = (struct noticed){.kind = kind, .day = g->by->today, .next = *list};
    n->order.id = id;
    (void)snprintf(n->order.source_id, sizeof n->order.source_id, "%s", source_id); /* both bounded */
    (void)snprintf(n->order.product, sizeof n->order.product, "%s", product ? product : "");
    (void)snprintf(n->source, sizeof n->source, "order:%s:%d:%s", source_id, version, change_rows[kind].word);
    *list = n;
    return 0;
}

static int notice_all(struct changing *g, const struct input *input, struct noticed **list)
{
    const struct plan_text *plan = input->signed_plan;
    int status = 0;
    for (size_t i = 0; plan && status == 0 && i < plan->order_count; i++) {
        const struct plan_order *planned = &plan->orders[i];
        enum change_kind kind;
        if (planned->state != PLAN_INCLUDED || !notice_old(input, planned, &kind))
            continue;
        int64_t version = planned->version;
        status = store_get_int(g->store, &version, g->err,
                               "SELECT max(version) FROM order_version WHERE source_id = ?", "t",
                               planned->source_id);
        if (status == 0)
            status =
                notice_add(g, list, kind, planned->id, planned->source_id, planned->product, (int)version);
    }
    for (size_t i = 0; plan && status == 0 && i < input->order_count; i++) {
        const struct input_order *order = &input->orders[i];
        if (order->outcome == INPUT_PACKABLE && order->product && !is_planned(plan, order->source_id))
            status = notice_add(g, list, CHANGE_NEW, order->id, order->source_id, order->product->code,
                                order->version);
    }
    return status;
}

int change_notice(struct store *store, const struct policy *policy, const struct refill_site *site,
                  int64_t patient, const struct record_by *by, struct arena *arena,
                  struct change_made *ret_made, int *ret_changes, struct error *err)
{
    struct error own;
    struct changing g = {.store = store, .site = site, .by = by, .arena = arena, .err = err ? err : &own};
    struct input input;
    struct noticed *list = NULL;
    struct change_made made = {0};
    *ret_changes = 0;
    int status = input_load(store, policy, patient, arena, &input, g.err);
    if (status == 0)
        status = notice_all(&g, &input, &list);
    if (status == 0 && list)
        status = store_write_begin(store, g.err);
    for (; status == 0 && list; list = list->next) {
        const struct change_request request = {.patient = patient,
                                               .kind = list->kind,
                                               .order = &list->order,
                                               .day = list->day,
                                               .source = list->source,
                                               .imported = true};
        g.request = &request;
        status = change_write(&g, &made);
        *ret_changes += status == 0 && made.is_new;
    }
    if (status == 0 && store_in_write(store))
        status = store_write_commit(store, g.err);
    store_write_rollback(store); /* nothing after a commit */
    made_fill(&g, &made);
    if (status == 0)
        *ret_made = made;
    return status;
}
