/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/floor_notes.h"

#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/build.h"
#include "controller/plan/documents/apart_text.h"

enum { POSSIBLE_SHOWN = 3 };

static void clock_text(const struct regimen *regimen, int minute, struct buf *out)
{
    char clock[TOD_TEXT_BYTES];
    tod_format((regimen->patient.day_start + minute) % MINUTES_PER_DAY, clock);
    buf_text(out, clock);
}

/* The first and last minutes of a drug's doses that its own order and gaps leave, by going to and fro until
 * nothing moves. */
static void spans_of(const struct regimen_drug *drug, int from[REGIMEN_DOSES_MAX], int to[REGIMEN_DOSES_MAX])
{
    int gap = drug->gap_min > 0 ? drug->gap_min : 1;
    for (size_t i = 0; i < drug->dose_count; i++) {
        const struct regimen_intervals *allowed = &drug->doses[i].allowed;
        from[i] = allowed->item[0].from;
        to[i] = allowed->item[allowed->count - 1].to;
    }
    for (size_t round = 0; round < drug->dose_count; round++) {
        for (size_t i = 1; i < drug->dose_count; i++) {
            from[i] = from[i - 1] + gap > from[i] ? from[i - 1] + gap : from[i];
            if (drug->gap_max != REGIMEN_NONE && to[i - 1] + drug->gap_max < to[i])
                to[i] = to[i - 1] + drug->gap_max;
        }
        for (size_t i = drug->dose_count; i-- > 1;) {
            to[i - 1] = to[i] - gap < to[i - 1] ? to[i] - gap : to[i - 1];
            if (drug->gap_max != REGIMEN_NONE && from[i] - drug->gap_max > from[i - 1])
                from[i - 1] = from[i] - drug->gap_max;
        }
    }
}

bool possible_text(const struct regimen *regimen, size_t drug, size_t dose, struct buf *out)
{
    int from[REGIMEN_DOSES_MAX], to[REGIMEN_DOSES_MAX], shown = 0;
    const struct regimen_intervals *allowed = &regimen->drugs[drug].doses[dose].allowed;
    bool narrow = false;
    spans_of(&regimen->drugs[drug], from, to);
    for (size_t i = 0; i < allowed->count; i++) {
        int first = allowed->item[i].from > from[dose] ? allowed->item[i].from : from[dose];
        int last = allowed->item[i].to < to[dose] ? allowed->item[i].to : to[dose];
        if (first > last)
            continue;
        narrow |= shown > 0 || first > regimen->patient.wake || last < regimen->patient.bed;
        if (shown == POSSIBLE_SHOWN)
            buf_text(out, ", ...");
        if (shown++ >= POSSIBLE_SHOWN)
            continue;
        buf_text(out, shown > 1 ? ", " : "");
        clock_text(regimen, first, out);
        if (last > first) {
            buf_char(out, '-');
            clock_text(regimen, last, out);
        }
    }
    return narrow && shown > 0;
}

static int note(const struct build *b, struct arena *arena, const struct buf *text)
{
    if (text->failed)
        return E_MEMORY;
    return proposal_note(b->proposal, b->input, arena, PLAN_FLOOR, SIZE_MAX, "%s", buf_string(text));
}

/* A line for each dose of which no two can ever share a time. */
static int dose_lines(const struct build *b, struct arena *arena, struct buf *text)
{
    const struct regimen *regimen = b->proposal->regimen;
    const struct slots_result *r = b->result;
    int status = 0;
    for (size_t i = 0; status == 0 && i < r->clique_count; i++) {
        size_t dose, drug = slots_drug_of(regimen, r->clique[i], &dose);
        buf_reset(text);
        buf_text(text, "at ");
        clock_text(regimen, r->times[r->clique[i]], text);
        buf_text(text, ": ");
        dose_text(regimen, r->clique[i], text);
        buf_text(text, ", possible ");
        (void)possible_text(regimen, drug, dose, text); /* what it says is shown either way */
        status = note(b, arena, text);
    }
    return status;
}

/* The id of the timing rule behind a pair that keeps a distance: what stands before the colon. */
static size_t rule_length(const struct regimen *regimen, const struct slots_apart *pair)
{
    return strcspn(regimen->separations[pair->why.place].id, ":");
}

static bool same_rule(const struct regimen *regimen, const struct slots_apart *a, const struct slots_apart *b)
{
    /* Only then is the place one of a separation. */
    if (a->why.kind != SLOTS_RULE_SEP || b->why.kind != SLOTS_RULE_SEP)
        return false;
    size_t len = rule_length(regimen, a);
    return rule_length(regimen, b) == len &&
           strncmp(regimen->separations[a->why.place].id, regimen->separations[b->why.place].id, len) == 0;
}

/* The first pair of those that the first pair's rule keeps apart and that have its own drug. */
static bool is_told(const struct build *b, size_t pair, bool same_owner)
{
    const struct regimen *regimen = b->proposal->regimen;
    const struct slots_apart *apart = b->result->apart;
    for (size_t i = 0; i < pair; i++) {
        if (!same_rule(regimen, &apart[i], &apart[pair]))
            continue;
        const struct regimen_separation *x = &regimen->separations[apart[i].why.place];
        const struct regimen_separation *y = &regimen->separations[apart[pair].why.place];
        if (!same_owner || (x->a == y->a && x->b == y->b))
            return true;
    }
    return false;
}

/* "Alendronate from Sertraline, Trazodone", all pairs of the rule of apart[first]. */
static void pairs_text(const struct build *b, size_t first, struct buf *text)
{
    const struct regimen *regimen = b->proposal->regimen;
    const struct slots_apart *apart = b->result->apart;
    size_t owner = SIZE_MAX;
    for (size_t i = first; i < b->result->apart_count; i++) {
        const struct regimen_separation *sep = &regimen->separations[apart[i].why.place];
        if (!same_rule(regimen, &apart[first], &apart[i]) || is_told(b, i, true))
            continue;
        if (sep->a != owner)
            buf_printf(text, "%s%s from ", owner == SIZE_MAX ? "" : "; ", regimen->drugs[sep->a].name);
        buf_printf(text, "%s%s", sep->a == owner ? ", " : "", regimen->drugs[sep->b].name);
        owner = sep->a;
    }
}

/* A line for each rule that keeps two of the doses apart; that other times do not meet is seen above. */
static int rule_lines(const struct build *b, struct arena *arena, struct buf *text)
{
    const struct regimen *regimen = b->proposal->regimen;
    int status = 0;
    for (size_t i = 0; status == 0 && i < b->result->apart_count; i++) {
        const struct slots_apart *pair = &b->result->apart[i];
        buf_reset(text);
        if (pair->why.kind == SLOTS_RULE_SEP && !is_told(b, i, false)) {
            buf_text(text, "kept apart: ");
            pairs_text(b, i, text);
            buf_printf(text, " (rule %.*s)", (int)rule_length(regimen, pair),
                       regimen->separations[pair->why.place].id);
        } else if (pair->why.kind == SLOTS_RULE_NOTSAME) {
            buf_text(text, "kept apart: ");
            conflict_text(b->policy, regimen, pair->why, text);
        } else {
            continue;
        }
        status = note(b, arena, text);
    }
    return status;
}

/* What one rule costs: without it there would be fewer times a day. */
static int price_line(const struct build *b, struct arena *arena, struct buf *text)
{
    size_t told = 0;
    buf_reset(text);
    for (size_t i = 0; i < b->result->price_count; i++) {
        const struct slots_price *price = &b->result->prices[i];
        if (price->status != SLOTS_OPTIMAL || price->slots >= b->result->slot_count)
            continue;
        buf_text(text, told++ ? "; or " : "to save a time, one of these would have to give way: ");
        conflict_text(b->policy, b->proposal->regimen, price->rule, text);
        buf_printf(text, " (then %zu)", price->slots);
    }
    return told ? note(b, arena, text) : 0;
}

int floor_notes(const struct build *b, struct arena *arena)
{
    const struct slots_result *r = b->result;
    struct buf text;
    if (r->status != SLOTS_OPTIMAL)
        return proposal_note(b->proposal, b->input, arena, PLAN_WARNING, SIZE_MAX,
                             "The search was cut short: %zu times a day may not be the fewest (at least %zu)",
                             r->slot_count, r->lower_bound);
    if (r->slot_count <= 1)
        return 0;
    buf_init(&text);
    if (r->clique_count == r->slot_count)
        buf_printf(&text, "Not fewer than %zu times a day, proved: no two of these doses can share a time",
                   r->slot_count);
    else
        buf_printf(
            &text,
            "Not fewer than %zu times a day, proved: no two of these %zu doses can share a time, and no "
            "way to place the others at %zu times keeps every rule",
            r->slot_count, r->clique_count, r->slot_count - 1);
    int status = note(b, arena, &text);
    if (status == 0)
        status = dose_lines(b, arena, &text);
    if (status == 0)
        status = rule_lines(b, arena, &text);
    if (status == 0)
        status = price_line(b, arena, &text);
    buf_finish(&text);
    return status;
}
