/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/quantity.h"
#include "controller/plan/policy.h"
#include "controller/review/review.h"

enum { WRAP_COLUMNS = 100, INDENT = 12 };

/* A paragraph behind a label, wrapped between words and indented under its first line. */
static void paragraph(struct buf *out, const char *label, const char *text)
{
    int used = INDENT;
    buf_printf(out, "    %-*s", INDENT - 4, label);
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, " ");
        if (used > INDENT && used + 1 + (int)len > WRAP_COLUMNS) {
            buf_printf(out, "\n%*s", INDENT, "");
            used = INDENT;
        } else if (used > INDENT) {
            buf_char(out, ' ');
            used++;
        }
        buf_add(out, at, len);
        used += (int)len;
        at += len;
        at += strspn(at, " ");
    }
    buf_char(out, '\n');
}

static const char *mark(bool provisional)
{
    return provisional ? " [PROVISIONAL]" : "";
}

static void head(const struct review *r, struct buf *out)
{
    const struct plan_text *plan = r->plan;
    char start[CIVIL_TEXT_BYTES], when[INSTANT_TEXT_BYTES], born[CIVIL_TEXT_BYTES] = "unknown";
    long long pieces = 0;
    for (size_t i = 0; i < plan->total_count; i++)
        pieces += plan->totals[i].whole + plan->totals[i].half;
    civil_format(plan->start_day, start);
    if (plan->birth_day != CIVIL_DAY_NONE)
        civil_format(plan->birth_day, born);
    buf_printf(out, "%s (%s), born %s\n", plan->patient_name, plan->patient_id, born);
    buf_printf(out, "plan %lld, version %d, %s: %d days from %s, %zu pouches, %lld pieces\n",
               (long long)r->row.id, plan->version, plan_row_state_text(&r->row), plan->days, start,
               plan->pouch_count, pieces);
    if (r->is_signed) {
        instant_format(r->signature.signed_ms, when);
        buf_printf(out, "signed \"%s\" by %s (%s) at %s\n", r->signature.meaning, r->signature.name,
                   r->signature.login, when);
    }
    if (r->holds < 0)
        buf_printf(out, "%s: %s\n", r->is_signed ? "THE SIGNATURE DOES NOT HOLD" : "CANNOT BE SIGNED",
                   r->trouble);
    buf_printf(out, "times a day: %d as written -> %d as planned\n", r->row.times_written,
               r->row.times_planned);
}

static void notes(const struct review *r, enum plan_note_kind kind, int64_t order_id, const char *title,
                  const char *label, struct buf *out)
{
    bool first = true;
    for (size_t i = 0; i < r->plan->note_count; i++) {
        const struct plan_note *note = &r->plan->notes[i];
        if (note->kind != kind || (order_id >= 0 && note->order_id != order_id))
            continue;
        if (first && title)
            buf_printf(out, "\n%s\n", title);
        first = false;
        paragraph(out, label, note->text);
    }
}

/* What catches the patient's eye first: pills that look different, then pills at other times. */
static const enum review_change change_order[] = {REVIEW_PRODUCT, REVIEW_TIMES, REVIEW_DOSE, REVIEW_NEW,
                                                  REVIEW_GONE};

static void change(const struct review_drug *d, struct buf *out)
{
    buf_printf(out, "    %s: %s%s\n", review_change_text(d->change), d->drug, mark(d->provisional));
    if (d->look[0]) {
        struct buf look;
        buf_init(&look);
        buf_printf(&look, "%s, was %s", d->look, d->look_before);
        paragraph(out, "look", buf_string(&look));
        buf_finish(&look);
    }
    if (d->before[0])
        paragraph(out, "was", d->before);
    if (d->planned[0])
        paragraph(out, "is", d->planned);
}

static void clock_list(const int *minutes, size_t count, const char *what, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        char clock[TOD_TEXT_BYTES];
        tod_format(minutes[i], clock);
        buf_printf(out, "%s%s", i ? ", " : "    ", clock);
    }
    if (count > 0)
        buf_printf(out, ": %s\n", what);
}

/* Pouches that are as before are only counted; the others are told once for all that changed alike. */
static void pouches(const struct delta *d, struct buf *out)
{
    buf_printf(out, "    %d pouches with the same content as before\n", d->same);
    for (size_t i = 0; i < d->group_count; i++) {
        const struct delta_group *group = &d->groups[i];
        char clock[TOD_TEXT_BYTES], date[CIVIL_TEXT_BYTES];
        tod_format(group->minute, clock);
        civil_format(group->first_day, date);
        buf_printf(out, "    %d pouch%s at %s, the first on %s\n", group->count,
                   group->count == 1 ? "" : "es", clock, date);
        paragraph(out, "was", group->was[0] ? group->was : "no pouch");
        paragraph(out, "is", group->is[0] ? group->is : "no pouch");
    }
}

/* What pharmacists asked of this plan. */
static void edits(const struct review *r, struct buf *out)
{
    if (r->plan->edit_count > 0)
        buf_text(out, "\nEDITS\n");
    for (size_t i = 0; i < r->plan->edit_count; i++) {
        const struct plan_edit *e = &r->plan->edits[i];
        buf_printf(out, "    %lld %s %s%s%s: %s (%s)\n", (long long)e->id, plan_edit_kind_text(e->kind),
                   e->source_id, e->source_id[0] ? " " : "", e->value, e->reason, e->login);
    }
}

/* What stands in the pouches on a pharmacist's word alone. */
static void overrides(const struct review *r, struct buf *out)
{
    if (r->plan->override_count > 0)
        buf_text(out, "\nPACKED ON A PHARMACIST'S WORD\n");
    for (size_t i = 0; i < r->plan->override_count; i++) {
        const struct plan_override *said = &r->plan->overrides[i];
        char until[CIVIL_TEXT_BYTES];
        civil_format(said->until_day, until);
        buf_printf(out, "    %s, rule %s%s: %s (%s%s%s, until %s)\n", said->product, said->rule,
                   said->red ? ", red" : "", said->reason, said->login, said->second[0] ? " and " : "",
                   said->second, until);
    }
}

static void changes(const struct review *r, struct buf *out)
{
    if (!r->signed_before) {
        buf_text(out, "\nCHANGES\n    first plan of this patient: everything is new\n");
        return;
    }
    buf_printf(out, "\nCHANGES since plan %lld\n", (long long)r->signed_before_id);
    clock_list(r->delta.new_times, r->delta.new_count, "new time", out);
    clock_list(r->delta.gone_times, r->delta.gone_count, "no more", out);
    for (size_t k = 0; k < sizeof change_order / sizeof *change_order; k++) {
        for (size_t i = 0; i < r->drug_count; i++) {
            if (r->drugs[i].change == change_order[k])
                change(&r->drugs[i], out);
        }
    }
    buf_printf(out, "    %zu drugs unchanged\n", r->drug_count - (size_t)r->changes);
    pouches(&r->delta, out);
}

/* Each time with what is taken then, as on an ordinary day; days of their own stand behind. */
static void times(const struct review *r, struct buf *out)
{
    const struct plan_text *plan = r->plan;
    buf_text(out, "\nTIMES\n");
    for (size_t s = 0; s < plan->slot_count; s++) {
        char clock[TOD_TEXT_BYTES];
        tod_format(plan->slots[s].minute, clock);
        buf_printf(out, "  %s %s%s\n", clock, plan->slots[s].name,
                   plan->slots[s].offset ? " (next date)" : "");
        for (size_t t = 0; t < plan->take_count; t++) {
            const struct plan_take *take = &plan->takes[t];
            if (take->slot != plan->slots[s].number)
                continue;
            for (size_t d = 0; d < r->drug_count; d++) {
                char amount[QUANTITY_TEXT_BYTES];
                if (r->drugs[d].order_id != take->order_id || r->drugs[d].planned[0] == '\0')
                    continue;
                quantity_format(take->amount_milli, amount);
                buf_printf(out, "    %-5s %s%s", amount, r->drugs[d].drug, mark(r->drugs[d].provisional));
                if (take->days != plan->days)
                    buf_printf(out, "  (%d of %d days)", take->days, plan->days);
                buf_char(out, '\n');
            }
        }
    }
}

static void drugs(const struct review *r, struct buf *out)
{
    buf_text(out, "\nDRUGS\n");
    for (size_t i = 0; i < r->drug_count; i++) {
        const struct review_drug *d = &r->drugs[i];
        if (d->state != PLAN_INCLUDED)
            continue;
        buf_printf(out, "  %s%s (order %s)\n", d->drug, mark(d->provisional), d->source_id);
        paragraph(out, "order", d->words);
        paragraph(out, "planned", d->planned);
        notes(r, PLAN_WHY, d->order_id, NULL, "why", out);
    }
}

static void left_out(const struct review *r, enum plan_state state, const char *title, struct buf *out)
{
    bool first = true;
    for (size_t i = 0; i < r->drug_count; i++) {
        const struct review_drug *d = &r->drugs[i];
        if (d->state != state)
            continue;
        if (first)
            buf_printf(out, "\n%s\n", title);
        first = false;
        buf_printf(out, "  %s (order %s)\n", d->drug, d->source_id);
        if (d->words[0])
            paragraph(out, "order", d->words);
        paragraph(out, "reason", d->reason);
    }
}

static void totals(const struct review *r, struct buf *out)
{
    buf_text(out, "\nPIECES of this cycle\n");
    for (size_t i = 0; i < r->plan->total_count; i++) {
        const struct plan_total *total = &r->plan->totals[i];
        const struct plan_product *product = &r->plan->products[i];
        buf_printf(out, "  %5lld", (long long)total->whole);
        if (total->half > 0)
            buf_printf(out, " + %lld halves", (long long)total->half);
        buf_printf(out, "  %s%s%s\n", product->name, product->alone ? ", in pouches of its own" : "",
                   mark(product->provisional));
    }
}

/* Said once instead of with each rule. */
static void unchecked(const struct review *r, struct buf *out)
{
    int count = 0;
    for (size_t i = 0; i < r->plan->note_count; i++)
        count += strstr(r->plan->notes[i].text, POLICY_UNCHECKED) != NULL;
    if (count > 0)
        buf_printf(
            out,
            "\n%d of the reasons above come from rules marked unchecked: nobody has compared their figures\n"
            "with the current label yet\n",
            count);
}

void review_to_text(const struct review *r, struct buf *out)
{
    head(r, out);
    notes(r, PLAN_SWITCH, -1, "TO BE ANSWERED before this can be signed", "!!", out);
    if (r->has_findings && r->findings.count > 0) {
        buf_text(out, "\nCLINICAL CHECKS\n");
        clinical_to_text(&r->findings, false, out);
    }
    notes(r, PLAN_WARNING, -1, "WARNINGS", "!", out);
    left_out(r, PLAN_WAITING, "WAITING FOR A PHARMACIST, not in the pouches", out);
    changes(r, out);
    overrides(r, out);
    edits(r, out);
    times(r, out);
    notes(r, PLAN_FLOOR, -1, "WHY NOT FEWER TIMES", "", out);
    drugs(r, out);
    left_out(r, PLAN_APART, "OUTSIDE THE POUCHES", out);
    totals(r, out);
    unchecked(r, out);
}
