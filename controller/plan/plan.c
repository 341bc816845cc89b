/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/plan.h"

#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/build.h"
#include "controller/plan/compose.h"
#include "controller/plan/conserve.h"
#include "controller/plan/controlled.h"
#include "controller/plan/documents/schedule_json.h"
#include "controller/plan/edit.h"
#include "controller/plan/input.h"
#include "controller/plan/jurisdiction.h"
#include "controller/plan/placing.h"
#include "controller/plan/regimen_write.h"
#include "controller/plan/transition_notes.h"
#include "controller/seal/seal.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "scheduler/legality.h"
#include "scheduler/slots.h"

/* Everything of one plan_make, so that there is one place to give it back. */
struct making {
    struct store *store;
    struct policy *policy;
    const struct plan_request *request;
    struct error *err;
    struct arena arena;
    struct input input;
    struct proposal *proposal;
    struct slots_result *result;
    struct plan_text plan;
    struct buf text, regimen, schedule;
    uint8_t hash[PLAN_HASH_BYTES];
    struct plan_made made;
};

static void count_members(struct making *m)
{
    for (size_t i = 0; i < m->input.order_count; i++) {
        enum plan_state state = m->proposal->members[i].state;
        m->made.drugs += state == PLAN_INCLUDED;
        m->made.waiting += state == PLAN_WAITING;
        m->made.apart += state == PLAN_APART;
        if (state == PLAN_INCLUDED)
            m->made.provisional |= m->input.orders[i].product->provisional;
    }
    m->made.times_written = m->proposal->times_written;
}

/* An edit that is being tried must be about a dose in the pouches, before and after it. */
static int check_tried(struct making *m)
{
    const struct plan_edit *edit = m->request->edit;
    if (!edit || edit->source_id[0] == '\0')
        return 0;
    for (size_t i = 0; i < m->input.order_count; i++) {
        if (strcmp(m->input.orders[i].source_id, edit->source_id) != 0)
            continue;
        if (m->proposal->members[i].state == PLAN_INCLUDED)
            return 0;
        return error_set(m->err, E_INPUT, "order %s would not be in the pouches: %s", edit->source_id,
                         m->proposal->members[i].reason);
    }
    return error_set(m->err, E_NOT_FOUND, "the patient has no current order %s", edit->source_id);
}

/* Orders that came after the signature. */
static int count_newer(struct making *m)
{
    struct buf names;
    if (!m->input.signed_plan)
        return 0;
    buf_init(&names);
    int status = input_unlisted(m->store, m->request->patient, m->input.signed_plan, &names,
                                &m->made.newer_orders, m->err);
    buf_finish(&names);
    return status;
}

static void say_why(struct making *m, enum plan_outcome outcome, const char *text)
{
    m->made.outcome = outcome;
    (void)snprintf(m->made.why, sizeof m->made.why, "%s", text); /* for people: a cut end is no harm */
}

static void say_conflict(struct making *m)
{
    struct buf text;
    buf_init(&text);
    buf_text(&text, "these cannot all be kept: ");
    for (size_t i = 0; i < m->result->conflict_count; i++) {
        buf_text(&text, i == 0 ? "" : i + 1 == m->result->conflict_count ? "; and " : "; ");
        conflict_text(m->policy, m->proposal->regimen, m->result->conflict[i], &text);
    }
    say_why(m, PLAN_CONFLICT, buf_string(&text));
    buf_finish(&text);
}

/* Where an order's days come from elsewhere: loose supply at home, or nothing that a prescription covers. */
static void spans_apply(struct making *m)
{
    struct input_order *orders = (struct input_order *)(uintptr_t)m->input.orders; /* ours, in the arena */
    for (size_t i = 0; i < m->input.order_count; i++) {
        for (size_t k = 0; k < m->request->span_count; k++) {
            if (strcmp(orders[i].source_id, m->request->spans[k].source_id) == 0)
                orders[i].span = &m->request->spans[k];
        }
    }
}

/* Reads, composes, solves. made.outcome says when that is all. *ret_go: a schedule is there. */
static int think(struct making *m, bool *ret_go)
{
    const struct plan_request *r = m->request;
    const struct slots_options options = {.node_budget = SLOTS_BUDGET_DEFAULT, .explain = true};
    *ret_go = false;
    int status = input_load_edited(m->store, m->policy, r->patient, r->edit, r->end_edit, &m->arena,
                                   &m->input, m->err);
    if (status < 0)
        return status;
    spans_apply(m);
    m->input.today = instant_day(r->wall_ms);
    if (m->input.deceased) {
        say_why(m, PLAN_EMPTY, "the patient has died");
        return 0;
    }
    status = count_newer(m);
    if (status < 0)
        return status;
    status = compose(m->policy, &m->input, r->start_day, r->days, &m->arena, &m->proposal, m->err);
    if (status == 0)
        status = check_tried(m);
    if (status < 0)
        return status;
    count_members(m);
    if (m->proposal->included == 0) {
        say_why(m, PLAN_EMPTY, "no order can go into pouches");
        return 0;
    }
    status = slots_solve(m->proposal->regimen, &options, &m->arena, &m->result, m->err);
    if (status < 0)
        return status;
    if (!m->result->has_schedule) {
        if (m->result->status == SLOTS_INFEASIBLE)
            say_conflict(m);
        else
            say_why(m, PLAN_CONFLICT, "no schedule was found within the search's limit");
        return 0;
    }
    m->made.times_planned = (int)m->result->slot_count;
    m->made.proved = m->result->status == SLOTS_OPTIMAL;
    *ret_go = true;
    return legality_check(m->proposal->regimen, m->result->times, m->result->dose_count, m->err);
}

static int write_text(struct making *m, int version)
{
    m->plan.version = version;
    buf_reset(&m->text);
    int status = plan_text_write(&m->plan, &m->text, m->err);
    if (status == 0)
        seal_hash(m->text.data, m->text.len, m->hash);
    return status;
}

static int lay_out(struct making *m)
{
    const struct build build = {.policy = m->policy,
                                .input = &m->input,
                                .proposal = m->proposal,
                                .result = m->result,
                                .start_day = m->request->start_day,
                                .days = m->request->days,
                                .version = 1};
    int status = build_plan(&build, &m->arena, &m->plan, m->err);
    if (status == 0)
        status = conserve_check(&m->plan, &m->input, m->err);
    return status < 0 ? status : placing_check(&m->plan, &m->input, m->proposal, m->result, m->err);
}

/* What the night of the change asks for is seen when there is a plan; then it is laid out with the notes. */
static int compare_with_before(struct making *m)
{
    size_t notes = m->proposal->note_count;
    const struct transition_notes request = {.store = m->store,
                                             .policy = m->policy,
                                             .input = &m->input,
                                             .proposal = m->proposal,
                                             .plan = &m->plan};
    int status = transition_notes(&request, &m->arena, m->err);
    return status == 0 && m->proposal->note_count > notes ? lay_out(m) : status;
}

static int first_layout(struct making *m)
{
    const struct build build = {
        .policy = m->policy, .input = &m->input, .proposal = m->proposal, .result = m->result};
    if (build_notes(&build, &m->arena) < 0)
        return error_set(m->err, E_MEMORY, "no memory for the plan");
    int status = lay_out(m);
    if (status == 0)
        status = compare_with_before(m);
    for (size_t i = 0; status == 0 && i < m->plan.total_count; i++)
        m->made.pieces += m->plan.totals[i].whole + m->plan.totals[i].half;
    m->made.pouches = (int)m->plan.pouch_count;
    return status;
}

/*
 * Pouches of earlier plans for the same days that are made already: handed out together with the new ones
 * they would double the doses (hazard: overlap of two rolls).
 */
static int warn_of_packed(struct making *m, bool *ret_warned)
{
    int64_t packed = 0;
    int status =
        store_get_int(m->store, &packed, m->err,
                      "SELECT count(*) FROM job j, plan p WHERE j.plan_id = p.id AND p.patient_id = ? AND "
                      "j.state IN ('sent', 'good') AND p.start_day < ? AND p.start_day + p.days > ?",
                      "iii", m->request->patient, (int64_t)m->request->start_day + m->request->days,
                      (int64_t)m->request->start_day);
    *ret_warned = status == 0 && packed > 0;
    if (!*ret_warned)
        return status;
    /* Without their number: it grows while a batch runs, and the plan would never stay the same. */
    status =
        proposal_note(m->proposal, &m->input, &m->arena, PLAN_WARNING, SIZE_MAX,
                      "Pouches of an earlier plan for some of these days are packed already: take them back "
                      "before these are handed out");
    return status < 0 ? error_set(m->err, status, "no memory for the plan") : lay_out(m);
}

static int insert_plan(struct making *m)
{
    int64_t id;
    int status = store_insert(m->store, m->err, &id,
                              "INSERT INTO plan (patient_id, version, state, start_day, days, text, hash, "
                              "regimen, schedule, drugs, "
                              "times_written, times_planned, pouches, provisional, created_ms) VALUES (?, ?, "
                              "'draft', ?, ?, ?, ?, ?, ?, ?, "
                              "?, ?, ?, ?, ?)",
                              "iiiibbttiiiiii", m->request->patient, (int64_t)m->plan.version,
                              (int64_t)m->plan.start_day, (int64_t)m->plan.days, (const void *)m->text.data,
                              m->text.len, (const void *)m->hash, sizeof m->hash, buf_string(&m->regimen),
                              buf_string(&m->schedule), (int64_t)m->made.drugs,
                              (int64_t)m->made.times_written, (int64_t)m->made.times_planned,
                              (int64_t)m->made.pouches, (int64_t)m->made.provisional, m->request->wall_ms);
    for (size_t i = 0; status == 0 && i < m->plan.order_count; i++)
        status = store_exec(
            m->store, m->err, "INSERT INTO plan_order (plan_id, order_version_id, included) VALUES (?, ?, ?)",
            "iii", id, m->plan.orders[i].id, (int64_t)(m->plan.orders[i].state == PLAN_INCLUDED));
    m->made.id = id;
    return status;
}

static int store_plan(struct making *m)
{
    char subject[32], detail[160], hash[SEAL_HASH_TEXT_BYTES];
    int status = store_write_begin(m->store, m->err);
    if (status < 0)
        return status;
    status = store_exec(m->store, m->err,
                        "UPDATE plan SET state = 'superseded' WHERE patient_id = ? AND state = 'draft'", "i",
                        m->request->patient);
    if (status == 0 && m->request->edit)
        status = edit_add(m->store, m->request->patient, m->request->edit, m->request->wall_ms, m->err);
    if (status == 0 && m->request->end_edit)
        status = edit_end(m->store, m->request->patient, m->request->end_edit, m->request->actor,
                          m->request->wall_ms, m->err);
    if (status == 0)
        status = insert_plan(m);
    if (status == 0) {
        seal_hash_text(m->hash, hash);
        (void)snprintf(subject, sizeof subject, "plan:%lld", (long long)m->made.id); /* fits */
        (void)snprintf(detail, sizeof detail, "{\"patient\":%lld,\"version\":%d,\"hash\":\"%s\"}",
                       (long long)m->request->patient, m->plan.version, hash); /* fits */
        status =
            audit_add(m->store, m->request->wall_ms, m->request->actor, "plan.make", subject, detail, m->err);
    }
    if (status < 0) {
        store_write_rollback(m->store);
        return status;
    }
    return store_write_commit(m->store, m->err);
}

/* The newest plan is this one already, to the byte. */
static bool is_same(struct making *m, int *ret_status)
{
    const struct input *input = &m->input;
    if (input->newest_id == 0 || m->request->fresh || m->request->edit || m->request->end_edit)
        return false; /* what is asked for is stored with a plan of its own */
    *ret_status = write_text(m, input->newest_version);
    return *ret_status == 0 && memcmp(m->hash, input->newest_hash, sizeof m->hash) == 0;
}

static int made_same(struct making *m)
{
    m->made.outcome = PLAN_SAME;
    m->made.id = m->input.newest_id;
    m->made.version = m->input.newest_version;
    m->made.is_signed = m->input.newest_signed;
    return 0;
}

/* What the law of the place asks, as if it were packed today or, for a cycle further ahead, as early as the
 * site does. *ret_kept false: m->made says why there is no plan. */
static int keep_law(struct making *m, bool *ret_kept)
{
    const int *schedules = NULL;
    struct error why;
    int32_t packed_on = m->request->start_day - m->policy->lead_days;
    if (packed_on < m->input.today)
        packed_on = m->input.today;
    int status = controlled_schedules(m->store, &m->plan, &m->arena, &schedules, m->err);
    if (status < 0)
        return status;
    status = jurisdiction_check(m->policy->jurisdiction, &m->plan, schedules, packed_on, &why);
    *ret_kept = status == 0;
    if (status < 0 && status != E_STATE)
        return error_set(m->err, status, "%s", why.message);
    if (status < 0)
        say_why(m, PLAN_CONFLICT, why.message);
    return 0;
}

static int finish(struct making *m)
{
    bool warned = false, kept = false;
    int status = first_layout(m);
    if (status == 0)
        status = keep_law(m, &kept);
    if (status < 0 || !kept)
        return status;
    if (is_same(m, &status))
        return made_same(m);
    if (status == 0)
        status = warn_of_packed(m, &warned);
    if (status == 0 && warned && is_same(m, &status))
        return made_same(m);
    if (status == 0)
        status = write_text(m, m->input.newest_version + 1);
    if (status == 0)
        status = regimen_to_json(m->proposal->regimen, &m->regimen, m->err);
    if (status == 0)
        status = schedule_to_json(m->proposal->regimen, m->result, &m->schedule, m->err);
    if (status == 0 && !m->request->dry_run)
        status = store_plan(m);
    m->made.outcome = PLAN_MADE;
    m->made.version = m->plan.version;
    return status;
}

int plan_make(struct store *store, struct policy *policy, const struct plan_request *request,
              struct plan_made *ret_made, struct error *err)
{
    struct error own;
    struct making m = {.store = store, .policy = policy, .request = request, .err = err ? err : &own};
    if (request->days < 1 || request->days > PLAN_DAYS_MAX)
        return error_set(err, E_ARG, "a cycle has 1 to %d days", PLAN_DAYS_MAX);
    bool go = false;
    arena_init(&m.arena, 0);
    buf_init(&m.text);
    buf_init(&m.regimen);
    buf_init(&m.schedule);
    int status = think(&m, &go);
    if (status == 0 && go)
        status = finish(&m);
    buf_finish(&m.schedule);
    buf_finish(&m.regimen);
    buf_finish(&m.text);
    arena_finish(&m.arena);
    if (status == 0)
        *ret_made = m.made;
    return status;
}
