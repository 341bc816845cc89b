/* SPDX-License-Identifier: Apache-2.0 */
/* The record for people. */
#include <inttypes.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "controller/report/report.h"

static void add_instant(struct buf *out, const char *what, int64_t ms, const char *by)
{
    char text[INSTANT_TEXT_BYTES];
    if (ms == 0)
        return;
    instant_format(ms, text);
    buf_printf(out, "  %-10s %.19sZ%s%s\n", what, text, by[0] ? " by " : "", by);
}

static void add_head(const struct report *r, struct buf *out)
{
    const struct batch_info *b = &r->batch;
    if (b->simulated == 1)
        buf_text(out, "*** SIMULATED: packed on a simulated machine, not for dispensing ***\n\n");
    buf_printf(out, "BATCH RECORD %" PRId64 "\n", b->id);
    if (r->pharmacy)
        buf_printf(out, "  %-10s %s%s%s, %s%s%s\n", "pharmacy", r->pharmacy->name,
                   r->pharmacy->address[0] ? ", " : "", r->pharmacy->address, r->pharmacy->phone,
                   r->pharmacy->license[0] ? ", licence " : "", r->pharmacy->license);
    buf_printf(out, "  %-10s %s%s%s\n", "state", b->state, b->note[0] ? ": " : "", b->note);
    buf_printf(out, "  %-10s %s%s%s%s\n", "machine", b->machine, r->serials[0] ? ", serial " : "", r->serials,
               b->simulated == 1 ? " (SIMULATED)" : "");
    add_instant(out, "created", b->created_ms, b->created_by);
    add_instant(out, "started", b->started_ms, b->started_by);
    add_instant(out, "ended", b->ended_ms, "");
}

static void add_totals(const struct report *r, struct buf *out)
{
    const struct batch_info *b = &r->batch;
    buf_printf(out,
               "\nPOUCHES\n  good %" PRId64 " of %" PRId64 ", void %" PRId64 ", remade %" PRId64
               ", not made %" PRId64 ", cancelled %" PRId64 "\n",
               b->good, b->pouches, b->voids, b->remakes, b->blocked + b->waiting + b->sent, b->cancelled);
    buf_printf(out, "  pieces in good pouches: expected %" PRId64 ", counted %" PRId64 ": %s%s\n",
               r->expected, r->counted,
               r->conserved ? "equal, pouch by pouch" : "NOT EQUAL, quarantine this batch; ", r->finding);
    buf_text(out, "\nPIECES BY DRUG\n");
    for (size_t i = 0; i < r->drug_count; i++) {
        const struct report_drug *d = &r->drugs[i];
        buf_printf(out, "  %-24s %-5s %6" PRId64 " packed", d->code, d->piece, d->counted);
        if (d->voided)
            buf_printf(out, ", %" PRId64 " in void pouches", d->voided);
        buf_printf(out, "  %s\n", d->name);
    }
}

static void add_plans(const struct report *r, struct buf *out)
{
    buf_text(out, "\nSIGNED PLANS\n");
    for (size_t i = 0; i < r->plan_count; i++) {
        const struct report_plan *p = &r->plans[i];
        char text[INSTANT_TEXT_BYTES];
        instant_format(p->signed_ms, text);
        buf_printf(out, "  %s, %s, version %" PRId64 ", hash %.16s", p->patient_name, p->patient, p->version,
                   p->hash);
        if (p->signed_ms)
            buf_printf(out, ", signed by %s (%s) %.19sZ\n", p->signed_by, p->signed_login, text);
        else
            buf_text(out, ", NO SIGNATURE\n");
    }
}

static void add_fill(const struct report_fill *f, struct buf *out)
{
    buf_printf(out, "      %-18s %s", f->token, f->state);
    if (f->reason[0])
        buf_printf(out, " (%s)", f->reason);
    if (f->remake_of[0])
        buf_printf(out, ", replaces %s", f->remake_of);
    if (f->has_seal)
        buf_printf(out, ", seal %" PRId64 ".%" PRId64 "-%" PRId64 ".%" PRId64 " C", f->seal_min_dc / 10,
                   f->seal_min_dc % 10, f->seal_max_dc / 10, f->seal_max_dc % 10);
    if (f->result_ms) {
        char text[INSTANT_TEXT_BYTES];
        instant_format(f->result_ms, text);
        buf_printf(out, ", %.19sZ", text);
    }
    buf_char(out, '\n');
    for (size_t i = 0; i < f->item_count; i++) {
        const struct report_item *item = &f->items[i];
        buf_printf(out, "        %-22s %-5s expected %" PRId64 ", counted ", item->code, item->piece,
                   item->expected);
        if (item->counted < 0)
            buf_text(out, "?");
        else
            buf_printf(out, "%" PRId64, item->counted);
        buf_printf(out, ", lot %s, canister %" PRId64 "\n", item->lot, item->canister);
    }
}

void report_text(const struct report *r, struct buf *out)
{
    add_head(r, out);
    add_totals(r, out);
    add_plans(r, out);
    buf_text(out, "\nEVERY POUCH\n");
    for (size_t i = 0; i < r->pouch_count; i++) {
        const struct report_pouch *p = &r->pouches[i];
        buf_printf(out, "  %5" PRId64 "  %s  %s %s %s", p->position, p->patient_name, p->date, p->time,
                   p->slot);
        if (strcmp(p->part, "1/1") != 0)
            buf_printf(out, " %s", p->part);
        buf_printf(out, "  %s%s%s\n", p->state, p->note[0] ? ": " : "", p->note);
        for (size_t k = 0; k < p->fill_count; k++)
            add_fill(&p->fills[k], out);
    }
    if (r->batch.simulated == 1)
        buf_text(out, "\n*** SIMULATED ***\n");
}
