/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/compose_private.h"
#include "controller/plan/edit.h"

static int rel(const struct composer *c, int clock)
{
    return (clock - c->input->day.day_start + MINUTES_PER_DAY) % MINUTES_PER_DAY;
}

/* The minutes that the edit leaves to dose i; false: it says nothing of it. */
static bool edit_times(const struct composer *c, const struct plan_edit *edit, const struct edit_value *value,
                       int i, struct times *out)
{
    *out = (struct times){{0}};
    if (edit->kind == PLAN_EDIT_PIN && value->dose == i) {
        out->at[rel(c, value->from)] = true;
        return true;
    }
    if (edit->kind != PLAN_EDIT_FORBID)
        return false;
    int from = rel(c, value->from), to = rel(c, value->to);
    for (int t = 0; t < MINUTES_PER_DAY; t++)
        out->at[t] = !(from <= to ? t >= from && t <= to : t >= from || t <= to);
    return true;
}

static int edit_apply(struct composer *c, struct draft *draft, const struct plan_edit *edit, int i)
{
    struct edit_value value;
    struct times left, both = draft->doses[i].times;
    int status = edit_parse(edit, &value, c->err);
    if (status < 0)
        return error_prefix(c->err, status, "edit %lld", (long long)edit->id);
    if (edit->id == c->input->tried_edit && edit->kind == PLAN_EDIT_PIN &&
        value.dose >= draft->course->dose_count)
        return error_set(c->err, E_INPUT, "order %s has %d dose%s a day, not %d", edit->source_id,
                         draft->course->dose_count, draft->course->dose_count == 1 ? "" : "s",
                         value.dose + 1);
    if (!edit_times(c, edit, &value, i, &left))
        return 0;
    times_keep(&both, &left);
    if (times_empty(&draft->doses[i].times, c->grid))
        return 0; /* impossible without the edit, too: that is told elsewhere */
    if (!times_empty(&both, c->grid)) {
        draft->doses[i].times = both;
        return 0;
    }
    char why[160], first[TOD_TEXT_BYTES], last[TOD_TEXT_BYTES];
    int start = c->input->day.day_start;
    bool off_grid = edit->kind == PLAN_EDIT_PIN && rel(c, value.from) % c->grid != 0;
    tod_format((start + times_first(&draft->doses[i].times, c->grid)) % MINUTES_PER_DAY, first);
    tod_format((start + times_last(&draft->doses[i].times, c->grid)) % MINUTES_PER_DAY, last);
    if (off_grid)
        (void)snprintf(why, sizeof why, "doses are planned at multiples of %d minutes",
                       c->grid); /* both fit */
    else
        (void)snprintf(why, sizeof why, "order, rules and other edits allow only times from %s to %s", first,
                       last);
    if (edit->id == c->input->tried_edit)
        return error_set(c->err, E_INPUT, "%s %s, dose %d of %s: %s", plan_edit_kind_text(edit->kind),
                         edit->value, i + 1, drug_of(c, draft->order), why);
    return leave_out(c, draft->order, PLAN_WAITING, "edit %lld by %s, %s %s: %s", (long long)edit->id,
                     edit->login, plan_edit_kind_text(edit->kind), edit->value, why);
}

int draft_edits(struct composer *c, struct draft *draft)
{
    const struct input_order *order = &c->input->orders[draft->order];
    int status = 0;
    for (size_t e = 0; status == 0 && e < c->input->edit_count; e++) {
        const struct plan_edit *edit = &c->input->edits[e];
        bool mine = edit->source_id[0] == '\0' || strcmp(edit->source_id, order->source_id) == 0;
        for (int i = 0; status == 0 && mine && i < draft->course->dose_count; i++)
            status = edit_apply(c, draft, edit, i);
    }
    return status;
}
