/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/quantity.h"
#include "controller/refill/calendar.h"

struct date {
    char text[CIVIL_TEXT_BYTES];
};

static struct date date_of(int32_t day)
{
    struct date date = {"-"};
    if (day != CIVIL_DAY_NONE)
        civil_format(day, date.text);
    return date;
}

static const char *drug_name(const struct refill *refill, const char *id)
{
    const struct refill_drug *drug = refill_drug_of(refill, id);
    return drug ? drug->order->product->name : id;
}

static void head(const struct refill *refill, const struct sync_plan *plan, struct buf *out)
{
    buf_printf(out, "%s: cycle of %d days, ", refill->input.source_id, refill->c.cycle_days);
    if (refill->c.rx_count == 0) {
        buf_text(out, "nothing to refill\n");
        return;
    }
    if (!plan->feasible) {
        buf_printf(out,
                   "NO ANCHOR suits all drugs: %s cannot join; try --lock, or another form or quantity\n",
                   drug_name(refill, plan->blocked_by));
        return;
    }
    buf_printf(out, "anchor %s (%s%s), all in step from %s\n", date_of(plan->anchor).text,
               refill->anchor == CIVIL_DAY_NONE ? "proposed, `sachet plan` locks it" : "locked: ",
               refill->anchor_reason, date_of(plan->sync_date).text);
    if (refill->anchor != CIVIL_DAY_NONE && (plan->anchor - refill->anchor) % refill->c.cycle_days != 0)
        buf_printf(out, "  TRIED: another anchor than the locked one, %s\n", date_of(refill->anchor).text);
}

static void fills(const struct refill *refill, const struct refill_site *site, const struct sync_plan *plan,
                  struct buf *out)
{
    static const char *const kinds[SYNC_KINDS] = {"with the roll", "full bridge", "short bridge"};
    if (plan->fill_count > 0)
        buf_text(out, "fills\n");
    for (size_t i = 0; i < plan->fill_count; i++) {
        const struct sync_fill *fill = &plan->fills[i];
        const struct refill_drug *drug = refill_drug_of(refill, fill->id);
        char pieces[QUANTITY_TEXT_BYTES];
        quantity_format(drug ? refill_fill_milli(refill, drug, fill) : 0, pieces);
        bool apart = refill_is_apart(refill, site, plan, fill);
        buf_printf(out, "  %s  %-40s %3" PRId32 " days %6s pieces  until %s  %s%s%s\n",
                   date_of(fill->date).text, drug_name(refill, fill->id), fill->days, pieces,
                   date_of(fill->lasts_until).text, kinds[fill->kind],
                   apart                       ? ", apart"
                   : fill->kind != SYNC_ANCHOR ? ", in a strip of its own"
                                               : "",
                   fill->conditional ? ", ON A NEW PRESCRIPTION" : "");
    }
}

static void requests(const struct refill *refill, const char *title, const struct sync_request *list,
                     size_t count, struct buf *out)
{
    if (count > 0)
        buf_printf(out, "%s\n", title);
    for (size_t i = 0; i < count; i++) {
        const struct refill_drug *drug = refill_drug_of(refill, list[i].id);
        buf_printf(out, "  %s  %-40s %s", date_of(list[i].needed_by).text, drug_name(refill, list[i].id),
                   sync_ask_text(list[i].reason));
        if (list[i].request_on != CIVIL_DAY_NONE)
            buf_printf(out, ", ask on %s", date_of(list[i].request_on).text);
        buf_text(out, drug && drug->denied ? ", DENIED: it ends with its supply\n" : "\n");
    }
}

static void gaps(const struct refill_gap *list, size_t count, struct buf *out)
{
    if (count > 0)
        buf_text(out, "GAPS: doses are due and nothing will be there\n");
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "  %s", date_of(list[i].from).text);
        if (list[i].until != CIVIL_DAY_NONE)
            buf_printf(out, " until %s", date_of(list[i].until).text);
        else
            buf_text(out, " and from then on");
        buf_printf(out, "  %s: %s\n", list[i].drug->order->product->name, refill_gap_text(list[i].why));
    }
}

static void left_out(const struct refill *refill, const struct sync_plan *plan, struct buf *out)
{
    bool any = refill->apart_count > 0;
    for (size_t i = 0; i < plan->drug_count; i++)
        any = any || plan->drugs[i].excluded;
    if (any)
        buf_text(out, "not in the calendar\n");
    for (size_t i = 0; i < plan->drug_count; i++) {
        if (plan->drugs[i].excluded)
            buf_printf(out, "  %-40s %s\n", drug_name(refill, plan->drugs[i].rx->id),
                       sync_exclusion_text(plan->drugs[i].excluded));
    }
    for (size_t i = 0; i < refill->apart_count; i++)
        buf_printf(out, "  %-40s %s\n", refill->aparts[i].drug, refill->aparts[i].reason);
}

static void supply(const struct refill *refill, const struct refill_drug *drug, struct buf *out)
{
    char loose[QUANTITY_TEXT_BYTES], held[QUANTITY_TEXT_BYTES];
    quantity_format(drug->loose_milli, loose);
    quantity_format(drug->held_milli, held);
    buf_printf(out, "    supply until %s: %s pieces at home (%s", date_of(drug->run_out).text, loose,
               refill_basis_text(drug->basis));
    if (drug->basis_day != CIVIL_DAY_NONE)
        buf_printf(out, " on %s", date_of(drug->basis_day).text);
    buf_printf(out, "), %s held for rolls, pouches until %s\n", held, date_of(drug->pouches_until).text);
    if (drug->basis == REFILL_ASSUMED || drug->basis == REFILL_UNKNOWN)
        buf_printf(out, "    COUNT IT: sachet patient onhand %s %s=PIECES\n", refill->input.source_id,
                   drug->order->source_id);
}

static void drug_why(const struct refill *refill, const struct sync_drug *drug,
                     const struct sync_drug_reason *reason, struct buf *out)
{
    const struct refill_drug *known = refill_drug_of(refill, drug->rx->id);
    buf_printf(out, "  %s (order %s)\n", drug_name(refill, drug->rx->id), drug->rx->id);
    supply(refill, known, out);
    if (drug->excluded)
        return;
    buf_printf(out, "    payer pays from %s", date_of(drug->earliest).text);
    if (known->last_fill != CIVIL_DAY_NONE)
        buf_printf(out, " (%" PRId32 " %% of the %" PRId32 " days filled on %s)", drug->rx->threshold_pct,
                   known->last_days, date_of(known->last_fill).text);
    buf_printf(out, "; may be filled %s .. %s\n", date_of(drug->window_from).text,
               date_of(drug->window_to).text);
    for (size_t k = 0; k < drug->fill_count; k++)
        buf_printf(out, "    %s: %" PRId32 " days, date by %s, days by %s\n",
                   date_of(drug->fills[k].date).text, drug->fills[k].days,
                   sync_bound_text(reason->fills[k].date_by), sync_bound_text(reason->fills[k].days_by));
    for (size_t k = 0; k < reason->other_count; k++) {
        const struct sync_other *other = &reason->others[k];
        buf_printf(out, "    not %s%s%s: ", sync_other_text(other->kind),
                   other->kind == SYNC_OTHER_FULL ? "" : " on ",
                   other->kind == SYNC_OTHER_FULL ? "" : date_of(other->date).text);
        if (!other->result.feasible)
            buf_text(out, "impossible\n");
        else if (other->result.equal)
            buf_text(out, "no better\n");
        else
            buf_printf(out, "%s %+" PRId64 "\n", sync_term_text(other->result.term),
                       other->result.difference);
    }
    if (drug->fills_left != SYNC_NONE || drug->qty_left != SYNC_NONE || drug->rx->expires != CIVIL_DAY_NONE)
        buf_printf(out,
                   "    prescription: %" PRId32 " fills, %" PRId32 " %ss left afterwards (-1: not said), "
                   "until %s\n",
                   drug->fills_left, drug->qty_left, refill_unit_text(known->unit),
                   date_of(drug->rx->expires).text);
}

static void objective(const struct sync_objective *o, struct buf *out)
{
    for (enum sync_term t = SYNC_GAP_DAYS; t < SYNC_TERMS; t++)
        buf_printf(out, "%s%s %" PRId64, t == SYNC_GAP_DAYS ? "" : ", ", sync_term_text(t), o->term[t]);
    buf_char(out, '\n');
}

static void costs(const struct sync_explanation *explanation, struct buf *out)
{
    for (size_t i = 0; i < explanation->lock_count; i++) {
        const struct sync_lock_cost *cost = &explanation->locks[i];
        const char *id = cost->lock.kind == SYNC_LOCK_ANCHOR ? "anchor" : cost->lock.id;
        buf_printf(out, "lock on %s: ", id);
        if (!cost->without.feasible)
            buf_text(out, "without it no anchor suits all drugs\n");
        else if (cost->without.equal)
            buf_text(out, "costs nothing\n");
        else
            buf_printf(out, "costs %s %+" PRId64 "\n", sync_term_text(cost->without.term),
                       -cost->without.difference);
    }
}

static void what_if(const struct sync_plan *plan, const struct sync_explanation *explanation, struct buf *out)
{
    buf_text(out, "what if the anchor were\n");
    for (size_t i = 0; i < explanation->phase_count; i++) {
        const struct sync_phase *phase = &explanation->phases[i];
        buf_printf(out, "%c %s  ", phase->anchor == plan->anchor ? '*' : ' ', date_of(phase->anchor).text);
        if (phase->feasible)
            objective(&phase->objective, out);
        else
            buf_printf(out, "impossible, %s cannot join\n", phase->blocked_by);
    }
}

int calendar_to_text(const struct refill *refill, const struct refill_site *site,
                     const struct sync_plan *plan, const struct sync_explanation *explanation, bool why,
                     struct arena *arena, struct buf *out, struct error *err)
{
    struct refill_gap *list = NULL;
    size_t count = 0;
    int status = refill_gaps(refill, site, plan, arena, &list, &count, err);
    if (status < 0)
        return status;
    head(refill, plan, out);
    int32_t open = refill_open_day(refill, plan);
    if (open < refill->today + REFILL_DAYS_AHEAD)
        buf_printf(out, "pouches wanted from %s on: `sachet plan %s`\n", date_of(open).text,
                   refill->input.source_id);
    fills(refill, site, plan, out);
    gaps(list, count, out);
    requests(refill, "prescriptions to renew", plan->renewals, plan->renewal_count, out);
    requests(refill, "overrides to ask of the payer", plan->overrides, plan->override_count, out);
    requests(refill, "prior authorisations to ask for", plan->pa_requests, plan->pa_request_count, out);
    left_out(refill, plan, out);
    costs(explanation, out);
    if (!why)
        return 0;
    buf_text(out, "why\n");
    for (size_t i = 0; i < plan->drug_count; i++)
        drug_why(refill, &plan->drugs[i], &explanation->drugs[i], out);
    if (plan->feasible) {
        buf_text(out, "costs in order: ");
        objective(&plan->objective, out);
    }
    buf_printf(out, "shipments up to the horizon: %d, each drug by itself: %d\n",
               explanation->shipments_after, explanation->shipments_before);
    what_if(plan, explanation, out);
    return 0;
}
