/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the line has seen in the last seconds, kept as evidence for alarms, and the panel beside the machine:
 * switches, buttons, lamps.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "controller/pack/packer_private.h"
#include "controller/pack/panel.h"
#include "controller/store/store.h"

/* ---- evidence ---- */

static struct packer_sample *add_sample(struct packer *p, enum packer_sample_kind kind)
{
    struct packer_sample *sample = &p->samples[p->sample_count++ % PACKER_SAMPLES];
    *sample = (struct packer_sample){.kind = kind, .at_ms = p->now_ms};
    return sample;
}

void packer_trace_status(struct packer *p)
{
    const struct machine_status *m = &p->view.mirror;
    struct packer_sample now = {.kind = PACKER_SAW,
                                .state = m->state,
                                .accepted = m->accepted,
                                .started = m->started,
                                .done = m->done,
                                .retired = m->retired,
                                .first_alarm = m->first_alarm,
                                .phase = m->phase,
                                .door_closed = m->door_closed,
                                .estop_healthy = m->estop_healthy,
                                .seal_dc = m->seal_actual_dc};
    const struct packer_sample *last = &p->last_status;
    bool same = last->state == now.state && last->accepted == now.accepted && last->started == now.started &&
                last->done == now.done && last->retired == now.retired &&
                last->first_alarm == now.first_alarm && last->phase == now.phase &&
                last->door_closed == now.door_closed && last->estop_healthy == now.estop_healthy;
    if (same)
        return;
    p->last_status = now;
    now.at_ms = p->now_ms;
    *add_sample(p, PACKER_SAW) = now;
}

void packer_trace_command(struct packer *p, enum machine_command command)
{
    add_sample(p, PACKER_COMMANDED)->command = command;
}

void packer_trace_lost(struct packer *p)
{
    (void)add_sample(p, PACKER_LOST);
    p->last_status = (struct packer_sample){0};
}

static void write_sample(const struct packer *p, const struct packer_sample *s, struct buf *out)
{
    buf_printf(out, "{\"ms\":%" PRId64, s->at_ms - p->now_ms);
    switch (s->kind) {
    case PACKER_SAW:
        buf_printf(out,
                   ",\"state\":\"%s\",\"A\":%" PRIu32 ",\"S\":%" PRIu32 ",\"D\":%" PRIu32 ",\"W\":%" PRIu32
                   ",\"phase\":%u,\"door_closed\":%d,\"estop_healthy\":%d,\"seal_dc\":%d",
                   machine_state_name(s->state), s->accepted, s->started, s->done, s->retired, s->phase,
                   s->door_closed, s->estop_healthy, s->seal_dc);
        if (s->first_alarm != MACHINE_ALARM_NONE)
            buf_printf(out, ",\"first_alarm\":%u", s->first_alarm);
        break;
    case PACKER_COMMANDED:
        buf_printf(out, ",\"command\":\"%s\"", machine_command_name(s->command));
        break;
    case PACKER_LOST:
        buf_text(out, ",\"connection\":\"lost\"");
        break;
    }
    buf_char(out, '}');
}

void packer_evidence(const struct packer *p, struct buf *out)
{
    const struct machine_status *m = &p->view.mirror;
    buf_printf(out,
               "{\"format\":\"sachet-evidence/1\",\"line\":\"%s\",\"state\":\"%s\",\"issued\":%" PRIu32
               ",\"recorded\":%" PRIu32 ",\"boot\":%" PRIu32 ",\"alarm_words\":[",
               line_state_name(p->state), machine_state_name(m->state), p->view.issued, p->view.recorded,
               m->boot);
    for (int i = 0; i < MACHINE_ALARM_WORDS; i++)
        buf_printf(out, "%s%u", i ? "," : "", m->alarms[i]);
    buf_text(out, "],\"pouches\":");
    packer_begun(p, out);
    buf_text(out, ",\"seen\":[");
    unsigned count = p->sample_count < PACKER_SAMPLES ? p->sample_count : PACKER_SAMPLES;
    for (unsigned i = 0; i < count; i++) {
        if (i)
            buf_char(out, ',');
        write_sample(p, &p->samples[(p->sample_count - count + i) % PACKER_SAMPLES], out);
    }
    buf_char(out, ']');
    if (p->config.panel) {
        buf_text(out, ",\"panel\":");
        panel_evidence(p->config.panel, out);
    }
    buf_char(out, '}');
}

/* ---- panel ---- */

static enum panel_mood mood_of(const struct packer *p)
{
    if (p->state == LINE_HALTED)
        return PANEL_MOOD_DOUBT;
    if (!p->book_known || p->state == LINE_DOWN)
        return PANEL_MOOD_NO_MACHINE;
    if (p->batch.id == 0)
        return p->note[0] ? PANEL_MOOD_CALLS : PANEL_MOOD_RESTS;
    if (p->batch.paused)
        return PANEL_MOOD_PAUSED;
    return p->view.mirror.state == MACHINE_STATE_EXECUTE && p->view.mirror.started > p->view.mirror.done
               ? PANEL_MOOD_RUNS
               : PANEL_MOOD_WAITS;
}

void packer_watch_panel(struct packer *p)
{
    struct panel *panel = p->config.panel;
    struct panel_word word;
    if (!panel)
        return;
    panel_poll(panel, p->now_ms, &word);
    if (word.stopped) {
        log_warning("line", "machine=%s stopped by its panel: %s", p->name, panel_why(panel));
        machine_make_safe(p->machine);
        p->view.permit = false;
        p->ran = false;
        p->view.mirror_due = true; /* the port has written by itself */
        p->view.command_open = false;
        p->made_safe = true;
    }
    p->view.tripped = panel_why(panel);
    p->pressed_start = p->pressed_start || word.start;
    p->pressed_stop = p->pressed_stop || word.stop;
    p->pressed_reset = p->pressed_reset || word.reset;
    if (word.start || word.stop || word.reset)
        p->orders_waiting = true;
    panel_show(panel, panel_mood(panel, mood_of(p)), p->now_ms);
}

/* A pressed button is a person's wish like any other: a row that is taken in order. */
static int ask(struct packer *p, bool *pressed, const char *verb, struct error *err)
{
    if (!*pressed)
        return 0;
    *pressed = false;
    return store_exec(p->store, err,
                      "INSERT INTO command (machine, verb, actor, asked_ms) VALUES (?, ?, 'panel', ?)", "tti",
                      p->name, verb, p->wall_ms);
}

int packer_take_buttons(struct packer *p, struct error *err)
{
    /* Reset at the panel has reset its switches; what is left to say is Clear, if the machine aborted. */
    if (p->view.mirror.state != MACHINE_STATE_ABORTED)
        p->pressed_reset = false;
    int rc = ask(p, &p->pressed_stop, "stop", err);
    if (rc == 0)
        rc = ask(p, &p->pressed_reset, "clear", err);
    return rc == 0 ? ask(p, &p->pressed_start, "start", err) : rc;
}
