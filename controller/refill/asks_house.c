/* SPDX-License-Identifier: Apache-2.0 */
/* What patients and the house must hear: rolls begin, a roll is near, pouches must be taken out, work is
 * left. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/parties/agenda.h"
#include "controller/refill/asks_private.h"
#include "controller/refill/change.h"
#include "controller/refill/pouch.h"
#include "controller/store/store.h"

/* Facts of a text and the cycle that it speaks of. Takes text over. */
static json_t *text_facts(struct buf *text, int32_t anchor)
{
    json_t *facts = json_object();
    asks_fact_text(facts, "text", buf_string(text));
    if (anchor != CIVIL_DAY_NONE)
        asks_fact_day(facts, "anchor", anchor);
    buf_finish(text);
    return facts;
}

/* ---- patients ---- */

/* Drugs of the rolls, or those that stay beside them; false: none. */
static bool drugs_list(const struct asks *a, bool in_roll, struct buf *out)
{
    const char *comma = "";
    for (size_t i = 0; i < a->calendar->drug_count; i++) {
        const struct sync_drug *planned = &a->calendar->drugs[i];
        const struct refill_drug *drug = refill_drug_of(a->refill, planned->rx->id);
        if (!drug || (planned->excluded == 0) != in_roll)
            continue;
        buf_printf(out, "%s%s", comma, drug->order->product->name);
        comma = ", ";
    }
    return comma[0] != '\0';
}

/* How long what is at home lasts, where it is counted on. */
static void old_supply(const struct asks *a, int32_t start, struct buf *out)
{
    const char *before = " Old supply: ";
    for (size_t i = 0; i < a->refill->c.rx_count; i++) {
        const struct refill_drug *drug = &a->refill->drugs[i];
        char until[AGENDA_DATE_BYTES];
        if (a->refill->c.rx[i].prn || drug->loose_milli <= 0 || drug->loose_until <= start)
            continue;
        agenda_date(drug->loose_until - 1, until);
        buf_printf(out, "%s%s from home until %s", before, drug->order->product->name, until);
        before = "; ";
    }
    buf_printf(out, before[0] == ';'
                        ? ", from the pouches after that. Please keep the rest apart and ask us what to "
                          "do with it."
                        : " From that day on take only what is in the pouches; please keep what is left "
                          "of the old supply apart and ask us what to do with it.");
}

/* Rolls begin, or begin on other days: until the first of them is over. */
static int transition(struct asks *a)
{
    char date[AGENDA_DATE_BYTES], day[CIVIL_TEXT_BYTES];
    int32_t cycle = a->refill->c.cycle_days;
    struct buf text;
    if (a->anchor == CIVIL_DAY_NONE || a->by->today >= a->anchor + cycle)
        return 0;
    buf_init(&text);
    agenda_date(a->anchor, date);
    civil_format(a->anchor, day);
    if (a->begun)
        buf_printf(&text, "Your rolls of pouches begin on another day from now on: %s, then every %d days.",
                   date, cycle);
    else
        buf_printf(&text,
                   "From %s on your medicines come in pouches, each with what you take at one time, in a "
                   "roll for %d "
                   "days.",
                   date, cycle);
    struct buf drugs;
    buf_init(&drugs);
    if (!a->begun && drugs_list(a, true, &drugs))
        buf_printf(&text, " In the pouches: %s.", buf_string(&drugs));
    buf_finish(&drugs);
    buf_init(&drugs);
    if (!a->begun && drugs_list(a, false, &drugs))
        buf_printf(&text, " Not in the pouches, to be taken as before: %s.", buf_string(&drugs));
    buf_finish(&drugs);
    old_supply(a, a->anchor, &text);
    return want_add(a, TASK_NOTICE, a->anchor, text_facts(&text, a->anchor), "rolls from %s", day);
}

static int check(struct asks *a, int32_t start)
{
    char date[AGENDA_DATE_BYTES], day[CIVIL_TEXT_BYTES];
    struct buf text, drugs;
    if (a->by->today >= start || a->by->today < start - a->site->check_lead_days)
        return 0;
    buf_init(&text);
    buf_init(&drugs);
    agenda_date(start, date);
    civil_format(start, day);
    buf_printf(&text, "Your next roll of pouches begins on %s.", date);
    if (drugs_list(a, true, &drugs))
        buf_printf(&text, " It will hold: %s.", buf_string(&drugs));
    buf_text(
        &text,
        " Before we pack it: is any medicine new, stopped or changed? Is a stay in hospital or a journey "
        "planned? Is anything left over or lost?");
    buf_finish(&drugs);
    return want_add(a, TASK_PRESHIP, start - a->site->freeze_days, text_facts(&text, start), "cycle of %s",
                    day);
}

/* Pouches that the patient has and must not take. */
static int take_out(struct asks *a)
{
    const struct change_pouch *pouches;
    size_t count = 0;
    int64_t any = 0;
    int status = store_get_int(
        a->store, &any, a->err,
        "SELECT EXISTS (SELECT 1 FROM pouch_recall AS r JOIN handover_pouch AS h ON h.job_id = r.job_id JOIN "
        "handover "
        "AS o ON o.id = h.handover_id WHERE r.done_ms IS NULL AND r.kind <> 'lost' AND o.patient_id = ?)",
        "i", a->refill->input.patient);
    if (status == 0 && any)
        status = pull_list(a->store, a->refill->input.patient, &a->arena, &pouches, &count, a->err);
    for (size_t i = 0; status == 0 && i < count;) {
        int64_t plan = pouches[i].plan;
        size_t at_home = 0;
        struct buf text;
        buf_init(&text);
        buf_text(&text,
                 "Please do not take these pouches; take them out of the roll and give them back to us: ");
        for (; i < count && pouches[i].plan == plan; i++) {
            char date[AGENDA_DATE_BYTES];
            if (pouches[i].place != CHANGE_PLACE_SHIPPED || pouches[i].day < a->by->today)
                continue;
            agenda_date(pouches[i].day, date);
            buf_printf(&text, "%s%s %02d:%02d (%s)", at_home++ ? ", " : "", date, pouches[i].minute / 60,
                       pouches[i].minute % 60, pouches[i].token);
        }
        buf_text(&text, ".");
        json_t *facts = text_facts(&text, CIVIL_DAY_NONE);
        (void)json_object_set_new(facts, "plan", json_integer(plan));
        if (at_home > 0)
            status =
                want_add(a, TASK_NOTICE, a->by->today, facts, "take pouches of plan %" PRId64 " out", plan);
        else
            json_decref(facts);
    }
    return status;
}

/* ---- the house ---- */

/* Where the roll that covers a day stands. */
struct roll_state {
    int64_t plan; /* 0: none */
    bool is_signed;
    int64_t pouches, made, handed;
};

static int roll_read(struct asks *a, int32_t day, struct roll_state *ret)
{
    struct store_rows *rows = NULL;
    int status = store_query(
        a->store, &rows, a->err,
        "SELECT p.id, p.state = 'signed', p.pouches - (SELECT count(*) FROM withdrawn AS w WHERE w.plan_id = "
        "p.id), "
        "(SELECT count(*) FROM job AS j WHERE j.plan_id = p.id AND j.state = 'good') + (SELECT count(*) FROM "
        "pouch_kept AS k WHERE k.plan_id = p.id), (SELECT count(*) FROM handover_pouch AS h JOIN job AS j ON "
        "j.id = "
        "h.job_id WHERE j.plan_id = p.id OR j.id IN (SELECT job_id FROM pouch_kept WHERE plan_id = p.id)) "
        "FROM plan AS "
        "p WHERE p.patient_id = ?1 AND p.state <> 'superseded' AND p.start_day <= ?2 AND p.start_day + "
        "p.days > ?2 "
        "ORDER BY p.version DESC LIMIT 1",
        "ii", a->refill->input.patient, (int64_t)day);
    int found = status < 0 ? status : store_next(rows, a->err);
    *ret = (struct roll_state){0};
    if (found > 0)
        *ret = (struct roll_state){store_int(rows, 0), store_int(rows, 1) != 0, store_int(rows, 2),
                                   store_int(rows, 3), store_int(rows, 4)};
    store_done(rows);
    return found < 0 ? found : 0;
}

/* What is left to do for the roll of a cycle, one step at a time. */
static int roll_work(struct asks *a, int32_t start, bool running)
{
    struct roll_state roll;
    char day[CIVIL_TEXT_BYTES];
    const char *step = NULL;
    int32_t due = start - 1;
    int status = roll_read(a, start, &roll);
    if (status < 0 || (running && roll.plan == 0))
        return status;
    if (roll.plan == 0) {
        step = "Plan the roll, and sign it.";
        due = start - a->site->freeze_days;
    } else if (!roll.is_signed) {
        step = "Sign the plan of the roll.";
        due = start - a->site->freeze_days;
    } else if (roll.made < roll.pouches) {
        step = "Pack the roll.";
    } else if (roll.handed < roll.pouches) {
        step = "Release the roll and hand it over.";
    }
    civil_format(start, day);
    json_t *facts = json_object();
    asks_fact_day(facts, "anchor", start);
    if (step)
        asks_fact_text(facts, "text", step);
    if (roll.plan)
        (void)json_object_set_new(facts, "plan", json_integer(roll.plan));
    status = want_add(a, TASK_WORK, due, facts, "roll of %s", day);
    if (status == 0)
        want_last(a)->done = step == NULL;
    return status;
}

int wants_of_house(struct asks *a)
{
    int32_t cycle = a->refill->c.cycle_days, today = a->by->today;
    int status = take_out(a);
    if (status < 0 || a->anchor == CIVIL_DAY_NONE || a->refill->c.rx_count == 0)
        return status;
    status = transition(a);
    int32_t running = refill_cycle_of(a->anchor, cycle, today), next = running + cycle;
    if (!a->begun && running < a->anchor) { /* before the first one */
        next = a->anchor;
        running = CIVIL_DAY_NONE;
    }
    int32_t lead = a->site->lead_days > a->site->freeze_days ? a->site->lead_days : a->site->freeze_days;
    if (status == 0)
        status = check(a, next);
    if (status == 0 && running != CIVIL_DAY_NONE)
        status = roll_work(a, running, true);
    if (status == 0 && today >= next - lead)
        status = roll_work(a, next, false);
    return status;
}
