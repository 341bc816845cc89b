/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pack/packer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "config/base/log.h"
#include "controller/pack/packer_private.h"
#include "controller/pack/panel.h"
#include "controller/pack/trust_private.h"
#include "controller/store/store.h"
#include "hw/machine.h"

enum { STEPS_PER_RUN = 256 }; /* a bound for our own bugs: a packer that never waits */

struct packer *packer_create(const struct packer_config *config, struct machine *machine, struct store *store,
                             struct error *err)
{
    struct packer *p = calloc(1, sizeof *p);
    if (!p) {
        error_set(err, E_MEMORY, "no memory for machine %s", config->name);
        return NULL;
    }
    p->config = *config;
    (void)snprintf(p->name, sizeof p->name, "%s", config->name);       /* the site file bounds it */
    (void)snprintf(p->serial, sizeof p->serial, "%s", config->serial); /* longer can match no machine */
    p->config.name = p->name;
    p->config.serial = p->serial;
    p->config.rules = NULL; /* the trust has a copy */
    p->machine = machine;
    p->store = store;
    p->line =
        (struct fills_line){.machine = p->name,
                            .seated = p->seated,
                            .entries_max = config->entries_max ? config->entries_max : MACHINE_ENTRIES_MAX,
                            .band = config->band,
                            .bad_counts_max = config->bad_counts_max,
                            .attempts_max = config->attempts_max};
    p->back_off_until_ms = INT64_MIN;
    p->back_off_ms = PACKER_BACK_OFF_MIN_MS;
    p->orders_waiting = true;
    rng_init(&p->rng, config->seed, 1);
    p->trust = trust_create(config->rules, err);
    if (!p->trust || packer_batch_load(p, err) < 0 || packer_alarms_load(p, err) < 0) {
        packer_destroy(p);
        return NULL;
    }
    return p;
}

void packer_destroy(struct packer *p)
{
    if (!p)
        return;
    trust_destroy(p->trust);
    free(p);
}

void packer_note_set(struct packer *p, const char *note)
{
    if (strcmp(p->note, note) == 0)
        return;
    (void)snprintf(p->note, sizeof p->note, "%s", note); /* a long sentence is cut */
    if (note[0])
        log_info("line", "machine=%s note=\"%s\"", p->name, p->note);
}

/* ---- requests ---- */

static void submit(struct packer *p, struct machine_request *request)
{
    struct error why = {0};
    request->id = ++p->request_id;
    /* At most one is outstanding, so the queue cannot be full; a request that is refused here is our bug. */
    int rc = machine_submit(p->machine, request, &why);
    if (rc < 0)
        log_error("line", "machine=%s submit failed: %s", p->name, why.message);
    assert(rc == 0);
}

static void submit_plain(struct packer *p, enum machine_request_kind kind)
{
    struct machine_request request = {.kind = kind};
    submit(p, &request);
}

/* The first control block of a connection takes the session and changes nothing else: the same command
 * number as the mirror shows is a repeat, and W stays. */
static void submit_claim(struct packer *p)
{
    struct machine_request request = {.kind = MACHINE_CONTROL};
    request.control = (struct machine_control){.nonce = ++p->nonce,
                                               .session = p->view.session,
                                               .heartbeat = ++p->heartbeat,
                                               .command = MACHINE_COMMAND_NONE,
                                               .command_seq = p->view.mirror.command_seq,
                                               .retire = p->view.mirror.retired};
    submit(p, &request);
}

static void submit_control(struct packer *p)
{
    enum machine_command command = MACHINE_COMMAND_NONE;
    struct line_view *v = &p->view;
    if (!v->command_open)
        command = line_command(v);
    if (command != MACHINE_COMMAND_NONE) {
        p->command_seq++;
        p->last_command = command;
        p->command_at_ms = p->now_ms;
        v->command_open = true;
        p->attended++;
        log_info("line", "machine=%s state=%s command=%s", p->name, machine_state_name(v->mirror.state),
                 machine_command_name(command));
        packer_trace_command(p, command);
    }
    struct machine_request request = {.kind = MACHINE_CONTROL};
    request.control = (struct machine_control){.nonce = ++p->nonce,
                                               .session = v->session,
                                               .heartbeat = ++p->heartbeat,
                                               .command = command,
                                               .command_seq = p->command_seq,
                                               .retire = v->recorded};
    if (command == MACHINE_COMMAND_CANCEL_FROM) {
        request.control.argument =
            v->cancel_from > v->mirror.started ? v->cancel_from : v->mirror.started + 1;
        v->cancelled_from = v->cancel_from;
        v->cancelled_to = v->cancel_to;
        v->cancelled_accepted = v->mirror.accepted;
    }
    p->control_at_ms = p->now_ms;
    submit(p, &request);
}

/* C3: the payload of a number comes from the store each time, so a repeat is the same bytes. */
static int submit_job(struct packer *p, struct error *err)
{
    struct machine_request request = {.kind = MACHINE_PUT_JOB};
    int rc = fills_job(p->store, p->line.serial, p->view.mirror.accepted + 1, &request.job, err);
    if (rc < 0)
        return rc;
    if (p->put_seq != request.job.seq) {
        p->timed_seq = request.job.seq;
        p->timed_at_ms = p->now_ms;
    }
    p->put_seq = request.job.seq;
    p->put_at_ms = p->now_ms;
    submit(p, &request);
    return 0;
}

static void submit_bays(struct packer *p)
{
    struct machine_request request = {.kind = MACHINE_READ_BAYS, .bay = p->bays_read};
    submit(p, &request);
}

static void submit_fetch(struct packer *p)
{
    struct machine_request request = {.kind = MACHINE_READ_RESULT, .seq = p->view.kept + 1};
    submit(p, &request);
}

/* ---- answers ---- */

static void doubt(struct packer *p, const char *why)
{
    (void)snprintf(p->doubt, sizeof p->doubt, "%s", why); /* a long sentence is cut */
    p->view.doubt = p->doubt;
}

static void take_identity(struct packer *p, const struct machine_identity *identity)
{
    p->view.identity = *identity;
    p->line.caps = identity->caps;
    p->line.bays = identity->bays;
    (void)snprintf(p->line.serial, sizeof p->line.serial, "%s", identity->serial); /* same size */
    p->view.doubt = NULL;
    if (strcmp(p->adoptee, identity->serial) != 0)
        p->adopter[0] = '\0';
    if (p->serial[0] && strcmp(p->serial, identity->serial) != 0)
        doubt(p, "the machine has another serial number than the site file says");
    else if (identity->serial[0] == '\0')
        doubt(p, "the machine does not tell its serial number");
    else if (identity->bays > MACHINE_BAYS_MAX)
        doubt(p, "the machine has more bays than this program can serve");
    else if (identity->ring_size == 0 || identity->ring_size > PACKER_RING_MAX || identity->queue_depth == 0)
        doubt(p, "the machine's result ring or queue has a size that this program cannot serve");
    else if (p->config.attend && !(identity->caps & MACHINE_CAP_SIMULATED))
        doubt(p, "--attend stands in for the operator on SIMULATED machines only, and this one is real");
}

static int take_result(struct packer *p, const struct machine_result *result, struct error *err)
{
    struct outcome_expected expected;
    p->misses = 0;
    int rc = fills_expected(p->store, p->line.serial, p->view.kept + 1, &expected, err);
    if (rc == E_NOT_FOUND) {
        doubt(p, "the machine has a result for a number that this store does not know");
        return 0;
    }
    if (rc < 0)
        return rc;
    const char *why = outcome_doubt(result, &expected);
    if (why)
        doubt(p, why);
    else
        p->results[result->seq % PACKER_RING_MAX] = *result;
    return 0;
}

/* The last row says whether numbers in the machine count on a canister that someone has changed since, or
 * that ran empty or miscounted until its bay was locked: the next canister of the product takes over. */
static int take_bays(struct packer *p, const struct machine_answer *answer, struct error *err)
{
    if (answer->bays.first != p->bays_read)
        return 0; /* not what was asked: asked again */
    for (unsigned i = 0; i < answer->bays.count && p->bays_read < p->line.bays; i++)
        p->seated[p->bays_read++] = answer->bays.rows[i].canister;
    if (p->bays_read < p->line.bays)
        return 0;
    p->bays_at_ms = p->now_ms;
    int rc = fills_misplaced(p->store, &p->line, p->view.mirror.started, &p->misplaced_from, &p->misplaced_to,
                             err);
    if (rc == 0 && p->misplaced_to) {
        log_warning("line",
                    "machine=%s canisters were changed or locked under numbers %" PRIu32 " to %" PRIu32
                    ": cancelled, made anew",
                    p->name, p->misplaced_from, p->misplaced_to);
        packer_cancel_view(p, p->view.cancel_from, p->view.cancel_to);
    }
    return rc;
}

static void watch_accepted(struct packer *p)
{
    if (p->timed_seq == 0 || p->view.mirror.accepted < p->timed_seq)
        return;
    latency_add(&p->accepts, (uint32_t)(p->now_ms - p->timed_at_ms));
    p->timed_seq = 0;
}

/* A machine that packs undisturbed needs few looks: its queue is as long as seconds. */
static int64_t poll_after_ms(const struct packer *p)
{
    const struct line_view *v = &p->view;
    if (v->want != LINE_RUN && v->issued == v->recorded)
        return PACKER_IDLE_POLL_MS;
    bool calm = p->timed_seq == 0 && !v->command_open && v->mirror.state == MACHINE_STATE_EXECUTE &&
                v->mirror.accepted == v->issued && v->mirror.done == v->recorded;
    return (int64_t)p->config.poll_ms * (calm ? PACKER_CALM_POLLS : 1);
}

static enum line_event event_of_code(int code)
{
    switch (code) {
    case E_FENCED:
        return LINE_EVENT_FENCED;
    case E_MISMATCH:
        return LINE_EVENT_MISMATCHED;
    case E_LINK:
    case E_TIMEOUT:
    case E_FRAME:
        return LINE_EVENT_LOST;
    default:
        return LINE_EVENT_REFUSED;
    }
}

/* 1: an event came out of the port, 0: none, negative: store error. */
static int next_answer(struct packer *p, enum line_event *ret_event, struct error *err)
{
    struct machine_answer answer;
    for (;;) {
        if (!machine_poll(p->machine, &answer))
            return 0;
        if (answer.id == p->request_id)
            break;
        log_debug("line", "machine=%s late answer discarded id=%" PRIu32, p->name, answer.id);
    }
    int rc = 0;
    if (answer.code != 0) {
        *ret_event = event_of_code(answer.code);
        if (*ret_event == LINE_EVENT_MISMATCHED)
            doubt(p, "the machine is not of the kind that its profile describes");
        if (answer.kind == MACHINE_READ_RESULT && *ret_event == LINE_EVENT_REFUSED &&
            ++p->misses > PACKER_MISSES_MAX)
            doubt(p, "the machine's ring does not hold a result that its counters promise");
        return 1;
    }
    *ret_event = LINE_EVENT_ANSWERED;
    switch (answer.kind) {
    case MACHINE_IDENTIFY:
        take_identity(p, &answer.identity);
        break;
    case MACHINE_READ_STATUS:
        p->view.mirror = answer.status;
        watch_accepted(p);
        p->view.mirror_due = false;
        p->poll_at_ms = p->now_ms + poll_after_ms(p);
        break;
    case MACHINE_READ_RESULT:
        rc = take_result(p, &answer.result, err);
        break;
    case MACHINE_READ_BAYS:
        rc = take_bays(p, &answer, err);
        break;
    case MACHINE_CONTROL:
    case MACHINE_PUT_JOB:
        break;
    }
    return rc < 0 ? rc : 1;
}

/* ---- effects without a store part ---- */

static bool is_running_state(enum machine_state state)
{
    return state == MACHINE_STATE_STARTING || state == MACHINE_STATE_EXECUTE ||
           state == MACHINE_STATE_SUSPENDING || state == MACHINE_STATE_SUSPENDED ||
           state == MACHINE_STATE_UNSUSPENDING;
}

static bool has_fallen(enum machine_state state)
{
    return state == MACHINE_STATE_ABORTING || state == MACHINE_STATE_ABORTED ||
           state == MACHINE_STATE_STOPPING || state == MACHINE_STATE_STOPPED || state == MACHINE_STATE_IDLE ||
           state == MACHINE_STATE_HOLDING || state == MACHINE_STATE_HELD || state == MACHINE_STATE_COMPLETE;
}

/* A start is good until the machine leaves running by itself (I6): after that a person starts again. */
static void watch_permit(struct packer *p)
{
    enum machine_state state = p->view.mirror.state;
    if (is_running_state(state)) {
        p->ran = true;
        if (state != MACHINE_STATE_STARTING && p->view.want == LINE_RUN)
            p->view.permit = true; /* it runs already; nothing is restarted */
    } else if (p->ran && has_fallen(state)) {
        p->ran = false;
        if (p->last_command != MACHINE_COMMAND_STOP)
            p->view.permit = false;
    }
}

/* The mirror shows our command number: it was taken or refused. */
static void watch_command(struct packer *p)
{
    struct line_view *v = &p->view;
    if (p->made_safe && !v->command_open) {
        p->command_seq = v->mirror.command_seq;
        p->made_safe = false;
    }
    if (!v->command_open)
        return;
    if (v->mirror.command_seq != p->command_seq || v->mirror.command_result == 0)
        return;
    v->command_open = false;
    p->spent_state = v->mirror.state;
    p->spent_done = v->mirror.done;
    bool refused = v->mirror.command_result == 2;
    p->refusals = refused ? p->refusals + 1 : 0;
    if (v->person != MACHINE_COMMAND_NONE && p->last_command == v->person) {
        (void)snprintf(p->person.result, sizeof p->person.result, "%s: %s in state %s",
                       refused ? "refused" : "taken", machine_command_name(v->person),
                       machine_state_name(v->mirror.state));
        p->person.finished = true;
        v->person = MACHINE_COMMAND_NONE;
    } else if (p->refusals >= PACKER_REFUSALS_MAX) {
        p->refusals = 0;
        v->permit = false;
        p->ran = false;
    }
}

static bool alarms_differ(const struct packer *p)
{
    return !p->alarms_noted || memcmp(p->noted_alarms, p->view.mirror.alarms, sizeof p->noted_alarms) != 0 ||
           p->view.boot != p->view.mirror.boot || p->person.finished ||
           p->trip_noted != (p->view.tripped != NULL) || packer_frozen_differs(p);
}

/* Where the machine stands hands may be inside: what was read of its seats does not hold for long. When it
 * runs again they are shut, and read once more. */
static void watch_seats(struct packer *p)
{
    const struct machine_status *m = &p->view.mirror;
    bool old = p->bays_read >= p->line.bays && p->now_ms - p->bays_at_ms > PACKER_SEATS_FRESH_MS;
    bool stands = !is_running_state(m->state);
    if (p->seats_state != m->state && (stands || !is_running_state(p->seats_state)))
        p->bays_read = 0;
    else if (stands && (!m->door_closed || old))
        p->bays_read = 0;
    p->seats_state = m->state;
}

/* The other half of rule M7: a gateway may answer long after the machine behind it has hung. */
static void watch_heartbeat(struct packer *p)
{
    bool moved = p->beat != p->view.mirror.heartbeat;
    if (!p->beat_known || moved)
        p->beat_at_ms = p->now_ms;
    p->beats = p->beat_known && (p->beats || moved);
    p->beat = p->view.mirror.heartbeat;
    p->beat_known = true;
    p->view.frozen = p->now_ms - p->beat_at_ms >= PACKER_FROZEN_MS;
}

static void look(struct packer *p, enum line_state from)
{
    if (from != LINE_STATUS) {
        p->view.mirror_due = true; /* something was written: only the mirror says what came of it */
        return;
    }
    p->back_off_ms = PACKER_BACK_OFF_MIN_MS;
    packer_trace_status(p);
    watch_heartbeat(p);
    watch_command(p);
    watch_permit(p);
    watch_seats(p);
}

static void back_off(struct packer *p)
{
    int64_t wait_ms = p->back_off_ms / 2 + rng_below(&p->rng, (uint32_t)p->back_off_ms);
    p->back_off_until_ms = p->now_ms + wait_ms;
    p->back_off_ms =
        p->back_off_ms * 2 < PACKER_BACK_OFF_MAX_MS ? p->back_off_ms * 2 : PACKER_BACK_OFF_MAX_MS;
    p->view.kept = p->view.recorded; /* what is not in the store is read again */
    p->view.mirror_due = true;
    p->alarms_noted = false;
    p->book_known = false;
    p->beat_known = false;
    p->beats = false;
    p->view.frozen = false;
    packer_trace_lost(p);
    if (p->view.person != MACHINE_COMMAND_NONE) {
        /* A person's word does not wait for a machine that comes back when he has left. */
        p->view.person = MACHINE_COMMAND_NONE;
        p->person.finished = true;
        (void)snprintf(p->person.result, sizeof p->person.result, "%s",
                       "unknown: the connection was lost; look at the machine, ask again");
    }
}

static int carry_out(struct packer *p, const struct line_row *row, struct error *err)
{
    switch (row->effect) {
    case LINE_DO_CONNECT:
        submit_plain(p, MACHINE_IDENTIFY);
        return 0;
    case LINE_DO_ENROL:
    case LINE_DO_ASK_STATUS:
        submit_plain(p, MACHINE_READ_STATUS);
        return 0;
    case LINE_DO_CLAIM:
        submit_claim(p);
        return 0;
    case LINE_DO_LOOK:
        look(p, row->from);
        return 0;
    case LINE_DO_ASK_RESULT:
        submit_fetch(p);
        return 0;
    case LINE_DO_KEEP_RESULT:
        p->view.kept++;
        return 0;
    case LINE_DO_ASK_BAYS:
        submit_bays(p);
        return 0;
    case LINE_DO_PUT_JOB:
        return submit_job(p, err);
    case LINE_DO_WRITE_CONTROL:
        submit_control(p);
        return 0;
    case LINE_DO_BACK_OFF:
        log_info("line", "machine=%s connection lost in %s", p->name, line_state_name(row->from));
        back_off(p);
        return 0;
    case LINE_DO_MAKE_SAFE:
        machine_make_safe(p->machine);
        return 0;
    case LINE_DO_REJECT:
        log_debug("line", "machine=%s %s in %s rejected: %s", p->name, line_event_name(row->event),
                  line_state_name(row->from), row->why);
        return 0;
    case LINE_DO_NONE:
    case LINE_DO_WAIT:
    case LINE_DO_KEEP_BAYS:
    case LINE_DO_ADOPT:
    case LINE_DO_NOTE:
    case LINE_DO_RECORD:
    case LINE_DO_INTEND:
    case LINE_DO_TAKE_ORDERS:
    case LINE_DO_STOP_BATCH:
    case LINE_DO_END_BATCH:
    case LINE_DO_HALT:
    case LINE_EFFECTS:
        return 0;
    }
    return 0;
}

/* ---- steps ---- */

/* Time and wishes, as the line sees them now. */
static void refresh_view(struct packer *p)
{
    struct line_view *v = &p->view;
    if (v->command_open && p->now_ms - p->command_at_ms >= PACKER_COMMAND_WAIT_MS)
        v->command_open = false; /* decided anew from the mirror */
    bool rests = p->spent_state == v->mirror.state && p->spent_done == v->mirror.done &&
                 p->now_ms - p->command_at_ms < PACKER_COMMAND_REST_MS;
    v->spent = rests ? p->last_command : MACHINE_COMMAND_NONE;
    v->back_off_over = p->now_ms >= p->back_off_until_ms;
    v->control_due = p->now_ms - p->control_at_ms >= (int64_t)p->config.heartbeat_ms;
    v->poll_due = p->now_ms >= p->poll_at_ms;
    v->put_due = p->put_seq != v->mirror.accepted + 1 || p->now_ms - p->put_at_ms >= PACKER_PUT_WAIT_MS;
    v->orders = p->orders_waiting && v->person == MACHINE_COMMAND_NONE && !p->person.finished;
    v->attend = p->config.attend && (v->identity.caps & MACHINE_CAP_SIMULATED) != 0 &&
                p->attended < PACKER_ATTEND_MAX;
    v->news = p->state == LINE_READY && alarms_differ(p);
    v->bays_due = p->bays_read < p->line.bays;
    v->adopting = p->adopter[0] != '\0';
    packer_batch_view(p);
}

static int next_event(struct packer *p, enum line_event *ret_event, struct error *err)
{
    if (p->ending) {
        *ret_event = LINE_EVENT_END;
        return 0;
    }
    if (p->asked) {
        p->asked = false;
        p->back_off_until_ms = p->now_ms;
        *ret_event = LINE_EVENT_ASKED;
        return 0;
    }
    int rc = next_answer(p, ret_event, err);
    if (rc == 0)
        *ret_event = LINE_EVENT_TICK;
    return rc < 0 ? rc : 0;
}

int packer_run(struct packer *p, int64_t mono_ms, int64_t wall_ms, struct error *err)
{
    p->now_ms = mono_ms;
    p->wall_ms = wall_ms;
    packer_watch_panel(p);
    if (p->pending)
        return 1;
    for (int i = 0; i < STEPS_PER_RUN; i++) {
        enum line_event event = LINE_EVENT_TICK;
        int rc = next_event(p, &event, err);
        if (rc < 0)
            return rc;
        refresh_view(p);
        const struct line_row *row = line_step(p->state, event, &p->view);
        const char *violation = line_violation(row, &p->view);
        if (violation)
            log_error("line", "machine=%s %s + %s: %s", p->name, line_state_name(row->from),
                      line_event_name(event), violation);
        assert(!violation);
        p->state = row->to;
        if (line_effect_stores(row->effect)) {
            p->pending = row;
            return 1;
        }
        rc = carry_out(p, row, err);
        if (rc < 0)
            return rc;
        if (row->effect == LINE_DO_WAIT || row->to == LINE_CLOSED)
            return 0;
    }
    assert(false && "a packer that never waits");
    return 0;
}

int packer_write(struct packer *p, struct error *err)
{
    return p->pending ? packer_effect_write(p, p->pending->effect, err) : 0;
}

void packer_written(struct packer *p)
{
    const struct line_row *row = p->pending;
    p->pending = NULL;
    if (!row)
        return;
    /* Only submissions follow a store part, and they cannot fail on the store. */
    (void)carry_out(p, row, NULL);
}

static bool is_waiting_for_answer(enum line_state state)
{
    return state != LINE_DOWN && state != LINE_READY && state != LINE_HALTED && state != LINE_CLOSED;
}

static int64_t line_due_ms(const struct packer *p)
{
    if (p->pending || p->asked || p->ending)
        return p->now_ms;
    if (p->state == LINE_CLOSED || p->state == LINE_HALTED)
        return INT64_MAX;
    if (is_waiting_for_answer(p->state))
        return machine_fd(p->machine) < 0 ? p->now_ms + 1 : INT64_MAX;
    if (p->state == LINE_DOWN)
        return p->back_off_until_ms;
    int64_t due_ms = p->control_at_ms + (int64_t)p->config.heartbeat_ms;
    return p->poll_at_ms < due_ms ? p->poll_at_ms : due_ms;
}

int64_t packer_due_ms(const struct packer *p)
{
    int64_t due_ms = line_due_ms(p);
    int64_t panel_ms = p->config.panel ? panel_due_ms(p->config.panel) : INT64_MAX;
    return panel_ms < due_ms ? panel_ms : due_ms;
}

void packer_orders(struct packer *p)
{
    p->orders_waiting = true;
    trust_forget(p->trust); /* an order may have changed under a signature */
}

void packer_close(struct packer *p)
{
    p->view.closing = true;
}

void packer_end(struct packer *p)
{
    p->ending = true;
}

bool packer_closed(const struct packer *p)
{
    return p->state == LINE_CLOSED;
}

enum line_state packer_line_state(const struct packer *p)
{
    return p->state;
}

int64_t packer_batch(const struct packer *p)
{
    return p->batch.id;
}

int64_t packer_take_ended(struct packer *p)
{
    int64_t batch = p->ended_batch;
    p->ended_batch = 0;
    return batch;
}

void packer_accepts(const struct packer *p, struct packer_accepts *ret_accepts)
{
    *ret_accepts = (struct packer_accepts){.jobs = p->accepts.total,
                                           .p99_ms = latency_percentile(&p->accepts, 990),
                                           .worst_ms = p->accepts.worst_ms};
}

const char *packer_note(const struct packer *p)
{
    return p->note;
}
