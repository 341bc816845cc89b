/* SPDX-License-Identifier: Apache-2.0 */
/* The store part of each effect. Everything here runs inside the owner's write transaction. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "controller/pack/alarm.h"
#include "controller/pack/packer_private.h"
#include "controller/pack/trust_private.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

enum {
    RATE_GAP_MS = 60000, /* a longer pause begins the rate anew */
};

/* ---- batch ---- */

static int count_jobs(struct packer *p, struct packer_batch *batch, struct error *err)
{
    const struct {
        const char *state;
        int64_t *count;
    } counters[] = {
        {"waiting", &batch->waiting}, {"sent", &batch->sent},           {"good", &batch->good},
        {"blocked", &batch->blocked}, {"cancelled", &batch->cancelled},
    };
    batch->jobs = 0;
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        int rc = store_get_int(p->store, counters[i].count, err,
                               "SELECT count(*) FROM job WHERE batch_id = ? AND state = ?", "it", batch->id,
                               counters[i].state);
        if (rc < 0)
            return rc;
        batch->jobs += *counters[i].count;
    }
    return store_get_int(p->store, &batch->voids, err,
                         "SELECT count(*) FROM fill f JOIN job j ON j.id = f.job_id"
                         " WHERE j.batch_id = ? AND f.state = 'void'",
                         "i", batch->id);
}

int packer_batch_load(struct packer *p, struct error *err)
{
    struct packer_batch batch = {0};
    struct store_rows *rows = NULL;
    int rc = store_query(p->store, &rows, err,
                         "SELECT id, state = 'paused' FROM batch WHERE machine = ? AND state IN"
                         " ('running', 'paused') ORDER BY id LIMIT 1",
                         "t", p->name);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        batch.id = store_int(rows, 0);
        batch.paused = store_int(rows, 1) != 0;
    }
    store_done(rows);
    if (rc == 1)
        rc = count_jobs(p, &batch, err);
    if (rc < 0)
        return rc;
    if (batch.id == p->batch.id)
        batch.checked = p->batch.checked;
    p->batch = batch;
    packer_batch_view(p);
    return 0;
}

void packer_batch_view(struct packer *p)
{
    const struct packer_batch *batch = &p->batch;
    p->view.want = batch->id == 0 ? LINE_REST : batch->paused ? LINE_PAUSE : LINE_RUN;
    p->view.batch_new = batch->id != 0 && !batch->checked && p->state == LINE_READY;
    p->view.jobs = batch->id != 0 && batch->checked && batch->waiting > 0;
    p->view.over = batch->id != 0 && batch->checked && batch->waiting == 0 && batch->sent == 0;
}

void packer_cancel_view(struct packer *p, uint32_t from, uint32_t to)
{
    if (p->misplaced_to <= p->view.recorded)
        p->misplaced_from = p->misplaced_to = 0;
    if (p->misplaced_to && (from == 0 || p->misplaced_from < from))
        from = p->misplaced_from;
    p->view.cancel_from = from;
    p->view.cancel_to = to > p->misplaced_to ? to : p->misplaced_to;
}

int packer_book_refresh(struct packer *p, struct error *err)
{
    struct fills_book book;
    if (!p->book_known)
        return 0;
    int rc = fills_book_read(p->store, p->line.serial, &book, err);
    if (rc < 0)
        return rc;
    p->view.issued = book.issued;
    p->view.recorded = book.recorded;
    packer_cancel_view(p, book.cancel_from, book.cancel_to);
    if (p->view.kept < p->view.recorded)
        p->view.kept = p->view.recorded;
    return 0;
}

int packer_alarm_add(struct packer *p, int number, const char *text, const char *next_step, struct error *err)
{
    const struct machine_status *m = &p->view.mirror;
    struct buf evidence;
    int64_t fill = 0;
    /* The pouch that was begun first and has no result; the evidence names all of them. */
    if (p->book_known && m->started > m->done)
        (void)store_get_int(p->store, &fill, NULL, "SELECT id FROM fill WHERE serial = ? AND seq = ?", "ti",
                            p->line.serial, (int64_t)m->done + 1); /* not one of ours: none */
    buf_init(&evidence);
    packer_evidence(p, &evidence);
    const struct alarm_event event = {.machine = p->name,
                                      .number = number,
                                      .text = text,
                                      .next = next_step,
                                      .batch = p->batch.id,
                                      .fill = fill,
                                      .evidence = evidence.failed ? NULL : buf_string(&evidence),
                                      .wall_ms = p->wall_ms};
    int rc = alarm_raise(p->store, &event, err);
    buf_finish(&evidence);
    return rc;
}

int packer_batch_rest(struct packer *p, const char *state, const char *note, struct error *err)
{
    char subject[32], action[32];
    (void)snprintf(subject, sizeof subject, "batch:%" PRId64, p->batch.id); /* both always fit */
    (void)snprintf(action, sizeof action, "batch.%s", state);
    int rc = store_exec(p->store, err, "UPDATE batch SET state = ?, note = ?, ended_ms = ? WHERE id = ?",
                        "ttii", state, note, p->wall_ms, p->batch.id);
    if (rc == 0)
        rc = audit_add(p->store, p->wall_ms, "sachetd", action, subject, "{}", err);
    if (rc < 0)
        return rc;
    log_info("line", "machine=%s batch=%" PRId64 " state=%s note=\"%s\"", p->name, p->batch.id, state, note);
    packer_note_set(p, note);
    p->ended_batch = p->batch.id;
    p->batch = (struct packer_batch){0};
    p->view.permit = false;
    p->ran = false;
    packer_batch_view(p);
    return packer_batch_load(p, err);
}

static int stop_batch(struct packer *p, const char *why, struct error *err)
{
    char note[PACKER_NOTE_BYTES];
    unsigned first = p->view.mirror.first_alarm;
    if (first != MACHINE_ALARM_NONE)
        (void)snprintf(note, sizeof note, "%s: %s; next: %s", why, machine_alarm_text(first),
                       machine_alarm_next_step(first)); /* cut, never overrun */
    else
        (void)snprintf(note, sizeof note, "%s; look at it, then start the batch again", why);
    int rc = packer_alarm_add(p, ALARM_BATCH_STOPPED, note, NULL, err);
    return rc == 0 ? packer_batch_rest(p, "stopped", note, err) : rc;
}

static int end_batch(struct packer *p, struct error *err)
{
    char note[PACKER_NOTE_BYTES] = "";
    if (p->batch.cancelled > 0)
        (void)snprintf(note, sizeof note, "%" PRId64 " of %" PRId64 " pouches were withdrawn",
                       p->batch.cancelled, p->batch.jobs); /* numbers fit */
    if (p->batch.blocked == 0)
        return packer_batch_rest(p, "done", note, err);
    (void)snprintf(note, sizeof note,
                   "%" PRId64 " of %" PRId64 " pouches could not be made; see 'sachet batch show %" PRId64
                   "', load what is missing, start the batch again",
                   p->batch.blocked, p->batch.jobs, p->batch.id); /* numbers fit */
    return packer_batch_rest(p, "stopped", note, err);
}

/* Once a process and batch: the signatures, and simulated work stays apart from real work. */
static int check_batch(struct packer *p, struct error *err)
{
    struct error why = {0};
    int rc = trust_check_batch(p->trust, p->store, p->batch.id, &why);
    int64_t simulated = (p->view.identity.caps & MACHINE_CAP_SIMULATED) != 0, before = -1;
    if (rc == 0)
        rc = store_get_int(p->store, &before, &why, "SELECT coalesce(simulated, -1) FROM batch WHERE id = ?",
                           "i", p->batch.id);
    if (rc == 0 && before >= 0 && before != simulated)
        rc = error_set(&why, E_STATE, "the batch was begun on a %s machine and cannot go on on a %s one",
                       before ? "SIMULATED" : "real", simulated ? "SIMULATED" : "real");
    if (rc < 0 && error_class_of(rc) != ERROR_CLASS_INPUT)
        return error_set(err, rc, "%s", why.message);
    if (rc < 0) {
        rc = packer_alarm_add(p, ALARM_BATCH_STOPPED, why.message, "see the batch's plans and signatures",
                              err);
        return rc == 0 ? packer_batch_rest(p, "stopped", why.message, err) : rc;
    }
    p->batch.checked = true;
    packer_batch_view(p);
    return store_exec(p->store, err, "UPDATE batch SET simulated = ? WHERE id = ?", "ii", simulated,
                      p->batch.id);
}

/* ---- connection ---- */

/*
 * A serial that did not stand here before is another machine, or the same one with its memory cleared: the
 * operator decides. He has, when it is the first one, when the site file names it, or when he adopts it.
 */
static int look_who_stands_here(struct packer *p, struct error *err)
{
    int64_t elsewhere = 0;
    char other[MACHINE_SERIAL_BYTES] = "", before[MACHINE_SERIAL_BYTES] = "";
    int rc = fills_elsewhere(p->store, &p->line, &elsewhere, other, err);
    if (rc == 0)
        rc = fills_place(p->store, &p->line, before, err);
    if (rc < 0)
        return rc;
    bool here = strcmp(before, p->line.serial) == 0;
    if (!here && elsewhere == 0 && (before[0] == '\0' || p->serial[0] != '\0')) {
        p->swapped = false;
        return fills_place_take(p->store, &p->line, p->serial[0] ? "site file" : "sachetd", p->wall_ms, err);
    }
    p->swapped = !here || elsewhere > 0;
    if (!p->swapped || p->view.adopting)
        return 0;
    if (elsewhere > 0)
        (void)snprintf(p->doubt, sizeof p->doubt,
                       "this is machine %s, and %" PRId64 " pouches of the batch were begun in machine %s:"
                       " connect that one, or adopt this one and take those pouches out of use",
                       p->line.serial, elsewhere, other); /* cut, never overrun */
    else
        (void)snprintf(p->doubt, sizeof p->doubt,
                       "this is machine %s, and machine %s stood here before: connect that one, or adopt this"
                       " one",
                       p->line.serial, before); /* cut, never overrun */
    p->view.doubt = p->doubt;
    return 0;
}

static int enrol(struct packer *p, struct error *err)
{
    struct fills_book book;
    uint32_t beyond = p->state == LINE_SURVEY && p->view.adopting ? p->view.mirror.session : 0;
    int rc = fills_enrol(p->store, &p->line, beyond, p->wall_ms, &book, err);
    if (rc < 0)
        return rc;
    rc = look_who_stands_here(p, err);
    if (rc < 0)
        return rc;
    p->view.session = book.session;
    p->view.issued = book.issued;
    p->view.recorded = book.recorded;
    p->view.kept = book.recorded;
    p->view.boot = book.boot;
    p->misplaced_from = p->misplaced_to = 0; /* the seats are read anew */
    packer_cancel_view(p, book.cancel_from, book.cancel_to);
    p->book_known = true;
    return 0;
}

/* C7 held: the connection is good. */
static int adopt(struct packer *p, struct error *err)
{
    const struct machine_status *m = &p->view.mirror;
    int rc = 0;
    if (p->adopter[0]) {
        /* Another machine whose own numbers are explained: only the old one's pouches are in doubt. */
        p->view.adopting = false;
        if (!p->swapped || line_contradiction(&p->view))
            rc = fills_adopt(p->store, &p->line, m, p->adopter, p->wall_ms, err);
        if (rc == 0 && p->swapped)
            rc = fills_replace(p->store, &p->line, p->adopter, p->wall_ms, err);
        if (rc == 0 && p->swapped)
            rc = fills_place_take(p->store, &p->line, p->adopter, p->wall_ms, err);
        p->swapped = false;
        p->adopter[0] = '\0';
        if (rc == 0)
            rc = packer_book_refresh(p, err);
        if (rc == 0)
            rc = packer_batch_load(p, err);
        p->view.kept = p->view.recorded;
    }
    if (m->boot != p->view.boot && p->view.boot != 0)
        log_warning("line", "machine=%s lost power boot=%" PRIu32 " before=%" PRIu32, p->name, m->boot,
                    p->view.boot);
    if (rc == 0)
        rc = fills_seen(p->store, &p->line, m->boot, p->wall_ms, err);
    if (rc < 0)
        return rc;
    if (!p->view.command_open)
        p->command_seq = m->command_seq;
    else if (m->command_seq != p->command_seq)
        p->view.command_open = false; /* it never arrived: decided anew */
    p->view.boot = m->boot;
    p->view.mirror_due = true;
    p->bays_read = 0;
    p->control_at_ms = p->now_ms;
    packer_note_set(p, p->frozen_noted ? alarm_row(ALARM_FROZEN)->text : "");
    log_info("line",
             "machine=%s serial=%s connected session=%" PRIu32 " boot=%" PRIu32 " A=%" PRIu32 " S=%" PRIu32
             " D=%" PRIu32 " W=%" PRIu32 " issued=%" PRIu32 " recorded=%" PRIu32 " state=%s%s",
             p->name, p->line.serial, p->view.session, m->boot, m->accepted, m->started, m->done, m->retired,
             p->view.issued, p->view.recorded, machine_state_name(m->state),
             p->line.caps & MACHINE_CAP_SIMULATED ? " SIMULATED" : "");
    return 0;
}

static int halt(struct packer *p, struct error *err)
{
    const char *why = p->view.doubt;
    if (!why && p->book_known && p->pending->event == LINE_EVENT_TICK)
        why = line_contradiction(&p->view);
    if (!why && p->book_known && p->pending->from == LINE_COMPARE)
        why = line_contradiction(&p->view);
    if (!why)
        why = "another controller has taken the machine";
    char note[PACKER_NOTE_BYTES];
    (void)snprintf(note, sizeof note, "%s", why); /* a long sentence is cut */
    p->view.doubt = NULL;
    p->view.kept = p->view.recorded;
    p->alarms_noted = false;
    p->adopter[0] = '\0';
    int rc = packer_alarm_add(p, ALARM_HALTED, note, NULL, err);
    if (rc == 0 && p->batch.id)
        rc = packer_batch_rest(p, "stopped", note, err);
    packer_note_set(p, note);
    p->book_known = false;
    return rc;
}

/* ---- alarms ---- */

static bool alarm_bit(const uint16_t *words, unsigned number)
{
    return (words[number / 16] >> (number % 16) & 1) != 0;
}

/* The store's open alarms become those of the mirror. */
static int note_alarms(struct packer *p, struct error *err)
{
    const uint16_t *now = p->view.mirror.alarms;
    int rc = 0;
    if (!p->alarms_noted) {
        memset(p->noted_alarms, 0, sizeof p->noted_alarms);
        rc = store_exec(p->store, err,
                        "UPDATE alarm SET cleared_ms = ? WHERE machine = ? AND cleared_ms IS NULL"
                        " AND (number < ? OR number = ?)",
                        "itii", p->wall_ms, p->name, (int64_t)(MACHINE_ALARM_WORDS * 16),
                        (int64_t)ALARM_HALTED);
    }
    for (unsigned i = 0; i < MACHINE_ALARM_WORDS * 16 && rc == 0; i++) {
        bool up = alarm_bit(now, i), was = alarm_bit(p->noted_alarms, i);
        if (up && !was)
            rc = packer_alarm_add(p, (int)i, NULL, NULL, err);
        else if (!up && was)
            rc = alarm_clear(p->store, p->name, (int)i, p->wall_ms, err);
    }
    if (rc < 0)
        return rc;
    memcpy(p->noted_alarms, now, sizeof p->noted_alarms);
    p->alarms_noted = true;
    return 0;
}

/* The switches of the panel. */
static int note_trip(struct packer *p, struct error *err)
{
    bool tripped = p->view.tripped != NULL;
    if (tripped == p->trip_noted)
        return 0;
    p->trip_noted = tripped;
    return tripped ? packer_alarm_add(p, ALARM_SAFETY, p->view.tripped, NULL, err)
                   : alarm_clear(p->store, p->name, ALARM_SAFETY, p->wall_ms, err);
}

bool packer_frozen_differs(const struct packer *p)
{
    return p->frozen_noted ? p->beats && !p->view.frozen : p->view.frozen;
}

static int note_frozen(struct packer *p, struct error *err)
{
    if (!packer_frozen_differs(p))
        return 0;
    p->frozen_noted = p->view.frozen;
    packer_note_set(p, p->frozen_noted ? alarm_row(ALARM_FROZEN)->text : "");
    return p->frozen_noted ? packer_alarm_add(p, ALARM_FROZEN, NULL, NULL, err)
                           : alarm_clear(p->store, p->name, ALARM_FROZEN, p->wall_ms, err);
}

int packer_alarms_load(struct packer *p, struct error *err)
{
    const struct {
        int number;
        bool *noted;
    } ours[] = {{ALARM_SAFETY, &p->trip_noted}, {ALARM_FROZEN, &p->frozen_noted}};
    int rc = 0;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0] && rc == 0; i++) {
        int64_t open = 0;
        rc = store_get_int(
            p->store, &open, err,
            "SELECT count(*) FROM alarm WHERE machine = ? AND number = ? AND cleared_ms IS NULL", "ti",
            p->name, (int64_t)ours[i].number);
        *ours[i].noted = open > 0;
    }
    return rc;
}

static int note(struct packer *p, struct error *err)
{
    int rc = note_alarms(p, err);
    if (rc == 0)
        rc = note_trip(p, err);
    if (rc == 0)
        rc = note_frozen(p, err);
    if (rc == 0 && p->view.boot != p->view.mirror.boot) {
        log_warning("line", "machine=%s lost power boot=%" PRIu32, p->name, p->view.mirror.boot);
        p->view.boot = p->view.mirror.boot;
        rc = fills_seen(p->store, &p->line, p->view.boot, p->wall_ms, err);
    }
    if (rc == 0 && p->person.finished)
        rc = packer_person_settle(p, err);
    return rc;
}

/* ---- pouches ---- */

static void count_good(struct packer *p)
{
    unsigned newest = p->rate_count ? (p->rate_count - 1) % PACKER_RATE_SAMPLES : 0;
    if (p->rate_count && p->now_ms - p->rate_at_ms[newest] > RATE_GAP_MS)
        p->rate_count = 0;
    p->rate_at_ms[p->rate_count % PACKER_RATE_SAMPLES] = p->now_ms;
    p->rate_count++;
    if (p->rate_count == 2 * PACKER_RATE_SAMPLES)
        p->rate_count = PACKER_RATE_SAMPLES;
}

static void count_recorded(struct packer *p, const struct fills_recorded *recorded)
{
    struct packer_batch *batch = &p->batch;
    p->attended = 0;
    if (recorded->batch != batch->id)
        return; /* of a batch that was stopped or cancelled: not ours to count */
    batch->sent--;
    if (recorded->verdict == OUTCOME_GOOD)
        batch->good++;
    else if (recorded->blocked)
        batch->blocked++;
    else if (recorded->again)
        batch->waiting++;
    else
        batch->cancelled++;
    if (recorded->verdict == OUTCOME_GOOD)
        count_good(p);
    if (recorded->verdict == OUTCOME_VOID)
        batch->voids++;
}

/* Gives numbers to waiting jobs while the window has room. */
static int intend(struct packer *p, struct error *err)
{
    struct line_view *v = &p->view;
    uint32_t window =
        v->identity.queue_depth < v->identity.ring_size ? v->identity.queue_depth : v->identity.ring_size;
    if (v->want != LINE_RUN || v->closing || p->bays_read < p->line.bays || line_cancels(v))
        return 0;
    int rc = 0;
    while (rc == 0 && p->batch.checked && p->batch.waiting > 0 && v->issued - v->recorded < window) {
        enum fills_intended intended = FILLS_NO_JOB;
        rc = fills_intend(p->store, &p->line, p->trust, p->batch.id, p->wall_ms, &intended, err);
        if (rc == 0 && intended == FILLS_NO_JOB)
            return packer_batch_load(p, err); /* someone changed the batch: count again */
        if (rc == 0) {
            p->batch.waiting--;
            if (intended == FILLS_INTENDED) {
                p->batch.sent++;
                v->issued++;
            } else {
                p->batch.blocked++;
            }
        }
    }
    packer_batch_view(p);
    return rc;
}

static int record(struct packer *p, struct error *err)
{
    struct line_view *v = &p->view;
    bool cancelled = v->cancel_to != 0;
    int64_t cancelled_batch = 0;
    int rc = 0;
    while (rc == 0 && v->recorded < v->kept) {
        struct fills_recorded recorded;
        rc = fills_record(p->store, &p->line, &p->results[(v->recorded + 1) % PACKER_RING_MAX], p->wall_ms,
                          &recorded, err);
        if (rc < 0)
            return rc;
        count_recorded(p, &recorded);
        if (recorded.batch != p->batch.id && !recorded.replaced)
            cancelled_batch = recorded.batch;
        v->recorded++;
    }
    if (rc == 0 && cancelled)
        rc = packer_book_refresh(p, err);
    if (cancelled && v->cancel_to == 0 && cancelled_batch)
        p->ended_batch = cancelled_batch; /* its last pouch is accounted for: now its record is whole */
    packer_batch_view(p);
    /* The next intents ride on the same commit, so that the queue never runs dry for one. */
    if (rc == 0 && v->mirror.state == MACHINE_STATE_EXECUTE)
        rc = intend(p, err);
    return rc;
}

int packer_effect_write(struct packer *p, enum line_effect effect, struct error *err)
{
    switch (effect) {
    case LINE_DO_ENROL:
        return enrol(p, err);
    case LINE_DO_ADOPT:
        return adopt(p, err);
    case LINE_DO_NOTE:
        return note(p, err);
    case LINE_DO_RECORD:
        return record(p, err);
    case LINE_DO_INTEND:
        return intend(p, err);
    case LINE_DO_TAKE_ORDERS: {
        int rc = packer_take_orders(p, err);
        return rc == 0 && p->view.batch_new && p->batch.id ? check_batch(p, err) : rc;
    }
    case LINE_DO_STOP_BATCH:
        return stop_batch(p, line_standstill(&p->view), err);
    case LINE_DO_END_BATCH:
        return end_batch(p, err);
    case LINE_DO_HALT:
        return halt(p, err);
    case LINE_DO_NONE:
    case LINE_DO_REJECT:
    case LINE_DO_WAIT:
    case LINE_DO_CONNECT:
    case LINE_DO_CLAIM:
    case LINE_DO_ASK_STATUS:
    case LINE_DO_LOOK:
    case LINE_DO_ASK_RESULT:
    case LINE_DO_KEEP_RESULT:
    case LINE_DO_ASK_BAYS:
    case LINE_DO_KEEP_BAYS:
    case LINE_DO_PUT_JOB:
    case LINE_DO_WRITE_CONTROL:
    case LINE_DO_BACK_OFF:
    case LINE_DO_MAKE_SAFE:
    case LINE_EFFECTS:
        break;
    }
    return error_set(err, E_STATE, "machine %s: effect %s has no store part", p->name,
                     line_effect_name(effect));
}
