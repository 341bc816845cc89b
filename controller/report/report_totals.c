/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the batch add up? What is expected comes from the signed texts, not from what the packing wrote down
 * itself: each job that is called good must have exactly one good pouch, and that pouch the pieces of its
 * signed line, counted one by one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/plan/plan_text.h"
#include "controller/report/report_private.h"
#include "controller/store/store.h"

enum { DRUGS_MAX = 2048, FINDING_BYTES = 192 };

struct totals {
    struct store *store;
    struct report *report;
    struct arena *arena; /* of the report */
    struct arena texts;  /* of one plan's text */
    const struct plan_text *plan;
    int64_t plan_id;
    struct report_drug *drugs;
};

static int out_of_drugs(struct error *err)
{
    return error_set(err, E_LIMIT, "more than %d drugs in one batch", DRUGS_MAX);
}

static struct report_drug *find_drug(struct totals *t, const char *code, const char *name, const char *piece)
{
    struct report_drug *drugs = t->drugs;
    size_t at = 0, *count = &t->report->drug_count;
    for (; at < *count; at++) {
        int order = strcmp(drugs[at].code, code);
        if (order == 0)
            order = -strcmp(drugs[at].piece, piece); /* whole before half */
        if (order == 0)
            return &drugs[at];
        if (order > 0)
            break;
    }
    if (*count == DRUGS_MAX)
        return NULL;
    memmove(&drugs[at + 1], &drugs[at], (*count - at) * sizeof drugs[0]);
    drugs[at] = (struct report_drug){.code = code, .name = name, .piece = piece};
    (*count)++;
    return &drugs[at];
}

/* The first one is kept. */
static void find(struct totals *t, const struct report_pouch *pouch, const char *what)
{
    char text[FINDING_BYTES];
    t->report->conserved = false;
    if (t->report->finding[0])
        return;
    int len = snprintf(text, sizeof text, "pouch %" PRId64 ": %s", pouch->position, what); /* may be cut */
    size_t kept = len < (int)sizeof text ? (size_t)len : sizeof text - 1;
    const char *copy = arena_text(t->arena, text, kept);
    t->report->finding = copy ? copy : "no memory to say what";
}

/* The plan that is signed for this pouch; a text that cannot be read is no plan. */
static int load_plan(struct totals *t, int64_t plan, struct error *err)
{
    struct store_rows *rows = NULL;
    struct plan_text *text = NULL;
    if (t->plan_id == plan)
        return 0;
    arena_reset(&t->texts);
    t->plan_id = plan;
    t->plan = NULL;
    int rc = store_query(t->store, &rows, err, "SELECT text FROM plan WHERE id = ?", "i", plan);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        size_t len = 0;
        const void *bytes = store_blob(rows, 0, &len);
        rc = plan_text_parse(bytes, len, &t->texts, &text, err);
        t->plan = rc == 0 ? text : NULL;
        if (rc < 0 && error_class_of(rc) == ERROR_CLASS_INPUT)
            rc = 0;
    }
    store_done(rows);
    return rc < 0 ? rc : 0;
}

static const struct plan_pouch *find_pouch(const struct totals *t, int64_t number)
{
    for (size_t i = 0; t->plan && i < t->plan->pouch_count; i++) {
        if (t->plan->pouches[i].number == number)
            return &t->plan->pouches[i];
    }
    return NULL;
}

static const struct report_fill *find_good(struct totals *t, const struct report_pouch *pouch)
{
    const struct report_fill *good = NULL;
    for (size_t i = 0; i < pouch->fill_count; i++) {
        if (strcmp(pouch->fills[i].state, "good") != 0)
            continue;
        if (good)
            find(t, pouch, "two good pouches for one");
        good = &pouch->fills[i];
    }
    return good;
}

static const struct report_item *find_item(const struct report_fill *fill, const struct plan_item *wanted)
{
    for (size_t i = 0; fill && i < fill->item_count; i++) {
        if (strcmp(fill->items[i].code, wanted->code) == 0 &&
            strcmp(fill->items[i].piece, roll_piece_text(wanted->piece)) == 0)
            return &fill->items[i];
    }
    return NULL;
}

/* What the signed line asks for, against what was counted. */
static int compare(struct totals *t, const struct report_pouch *pouch, const struct plan_pouch *signed_pouch,
                   const struct report_fill *good, struct error *err)
{
    for (size_t i = 0; i < signed_pouch->item_count; i++) {
        const struct plan_item *wanted = &signed_pouch->items[i];
        const struct report_item *item = find_item(good, wanted);
        const char *code = item ? item->code : arena_text(t->arena, wanted->code, strlen(wanted->code));
        struct report_drug *drug =
            code ? find_drug(t, code, item ? item->name : "", roll_piece_text(wanted->piece)) : NULL;
        if (!drug)
            return code ? out_of_drugs(err) : error_set(err, E_MEMORY, "no memory for the record of a batch");
        drug->expected += wanted->count;
        if (good && (!item || item->counted != wanted->count || item->expected != wanted->count))
            find(t, pouch, "what was counted is not what was signed");
    }
    if (good && good->item_count != signed_pouch->item_count)
        find(t, pouch, "its items are not those that were signed");
    return 0;
}

static int add_counts(struct totals *t, const struct report_pouch *pouch, struct error *err)
{
    for (size_t f = 0; f < pouch->fill_count; f++) {
        const struct report_fill *fill = &pouch->fills[f];
        bool good = strcmp(fill->state, "good") == 0;
        for (size_t i = 0; i < fill->item_count; i++) {
            const struct report_item *item = &fill->items[i];
            struct report_drug *drug = find_drug(t, item->code, item->name, item->piece);
            if (!drug)
                return out_of_drugs(err);
            *(good ? &drug->counted : &drug->voided) += item->counted > 0 ? item->counted : 0;
        }
    }
    return 0;
}

static int check_pouch(struct totals *t, const struct report_pouch *pouch, struct error *err)
{
    const struct report_fill *good = find_good(t, pouch);
    int rc = add_counts(t, pouch, err);
    if (rc < 0)
        return rc;
    if (strcmp(pouch->state, "good") != 0) {
        if (good)
            find(t, pouch, "a good pouch was made, and the job is not called good");
        return 0;
    }
    if (!good)
        find(t, pouch, "called good, and no good pouch was made");
    rc = load_plan(t, pouch->plan, err);
    if (rc < 0)
        return rc;
    const struct plan_pouch *signed_pouch = find_pouch(t, pouch->pouch);
    if (!signed_pouch) {
        find(t, pouch, "no such pouch in the signed text");
        return 0;
    }
    return compare(t, pouch, signed_pouch, good, err);
}

int report_totals(struct store *store, struct report *report, struct arena *arena, struct error *err)
{
    struct totals t = {.store = store, .report = report, .arena = arena};
    t.drugs = arena_array(arena, DRUGS_MAX + 1, sizeof *t.drugs);
    if (!t.drugs)
        return error_set(err, E_MEMORY, "no memory for the record of a batch");
    report->conserved = true;
    report->finding = "";
    report->drugs = t.drugs;
    arena_init(&t.texts, 0);
    int rc = 0;
    for (size_t i = 0; i < report->pouch_count && rc == 0; i++)
        rc = check_pouch(&t, &report->pouches[i], err);
    arena_finish(&t.texts);
    for (size_t i = 0; i < report->drug_count; i++) {
        report->expected += t.drugs[i].expected;
        report->counted += t.drugs[i].counted;
    }
    return rc;
}
