/* SPDX-License-Identifier: Apache-2.0 */
/* What watchers see of a line: one JSON object, "sachet-line/1", written by hand because it has no texts from
 * outside but the note, which is ours. */
#include <inttypes.h>

#include "config/base/buf.h"
#include "controller/pack/packer_private.h"
#include "hw/machine.h"

/* Pouches an hour over the last good ones; 0 while there are too few. */
static int64_t rate_per_hour(const struct packer *p)
{
    unsigned count = p->rate_count < PACKER_RATE_SAMPLES ? p->rate_count : PACKER_RATE_SAMPLES;
    if (count < 2)
        return 0;
    int64_t newest = p->rate_at_ms[(p->rate_count - 1) % PACKER_RATE_SAMPLES];
    int64_t oldest = p->rate_at_ms[(p->rate_count - count) % PACKER_RATE_SAMPLES];
    return newest > oldest ? (int64_t)(count - 1) * 3600000 / (newest - oldest) : 0;
}

static void add_text(struct buf *out, const char *text)
{
    buf_char(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            buf_char(out, '\\');
        if (c >= 0x20)
            buf_char(out, *text);
    }
    buf_char(out, '"');
}

static void add_batch(const struct packer *p, struct buf *out)
{
    const struct packer_batch *b = &p->batch;
    int64_t rate = rate_per_hour(p), left = b->waiting + b->sent;
    buf_printf(out,
               ",\"batch\":{\"id\":%" PRId64 ",\"state\":\"%s\",\"pouches\":%" PRId64 ",\"good\":%" PRId64
               ",\"waiting\":%" PRId64 ",\"sent\":%" PRId64 ",\"blocked\":%" PRId64 ",\"void\":%" PRId64
               ",\"rate_per_hour\":%" PRId64,
               b->id, b->paused ? "paused" : "running", b->jobs, b->good, b->waiting, b->sent, b->blocked,
               b->voids, rate);
    if (rate > 0)
        buf_printf(out, ",\"finish_ms\":%" PRId64, p->wall_ms + left * 3600000 / rate);
    buf_char(out, '}');
}

static void add_alarms(const struct packer *p, struct buf *out)
{
    buf_text(out, ",\"alarms\":[");
    bool first = true;
    for (unsigned i = 0; i < MACHINE_ALARM_WORDS * 16; i++) {
        if (!machine_alarm_is_up(&p->view.mirror, i))
            continue;
        buf_printf(out, "%s{\"number\":%u,\"text\":", first ? "" : ",", i);
        add_text(out, machine_alarm_text(i));
        buf_text(out, ",\"next\":");
        add_text(out, machine_alarm_next_step(i));
        buf_char(out, '}');
        first = false;
    }
    buf_char(out, ']');
}

void packer_begun(const struct packer *p, struct buf *out)
{
    const struct machine_status *m = &p->view.mirror;
    bool first = true;
    buf_char(out, '[');
    for (uint32_t seq = m->done + 1; p->book_known && seq <= m->started && seq - m->done <= PACKER_RING_MAX;
         seq++) {
        struct machine_job job;
        if (fills_job(p->store, p->line.serial, seq, &job, NULL) < 0)
            continue; /* not one of ours: the counters say so elsewhere */
        buf_text(out, first ? "" : ",");
        add_text(out, job.token);
        first = false;
    }
    buf_char(out, ']');
}

/* What a stop left in the machine (M6). */
static void add_doubtful(const struct packer *p, struct buf *out)
{
    const struct machine_status *m = &p->view.mirror;
    buf_text(out, ",\"doubtful\":");
    if (m->state == MACHINE_STATE_ABORTED || m->state == MACHINE_STATE_ABORTING)
        packer_begun(p, out);
    else
        buf_text(out, "[]");
}

void packer_state_json(const struct packer *p, struct buf *out)
{
    const struct machine_status *m = &p->view.mirror;
    bool connected = p->book_known && p->state != LINE_DOWN && p->state != LINE_HALTED;
    buf_text(out, "{\"format\":\"sachet-line/1\",\"machine\":");
    add_text(out, p->name);
    buf_printf(out, ",\"line\":\"%s\",\"connected\":%s,\"note\":",
               p->state == LINE_HALTED ? "halted"
               : connected             ? "connected"
                                       : "down",
               connected ? "true" : "false");
    add_text(out, p->note);
    if (p->config.address) {
        buf_text(out, ",\"address\":");
        add_text(out, p->config.address);
    }
    if (p->view.tripped) {
        buf_text(out, ",\"panel\":");
        add_text(out, p->view.tripped);
    }
    if (p->config.attend)
        buf_text(out, ",\"attended_by_program\":true");
    if (connected) {
        buf_text(out, ",\"serial\":");
        add_text(out, p->line.serial);
        buf_printf(out,
                   ",\"simulated\":%s,\"state\":\"%s\",\"boot\":%" PRIu32 ",\"accepted\":%" PRIu32
                   ",\"started\":%" PRIu32 ",\"done\":%" PRIu32 ",\"retired\":%" PRIu32
                   ",\"film_mm\":%" PRIu32 ",\"seal_dc\":%d,\"door_closed\":%s,\"estop_healthy\":%s",
                   p->line.caps & MACHINE_CAP_SIMULATED ? "true" : "false", machine_state_name(m->state),
                   m->boot, m->accepted, m->started, m->done, m->retired, m->film_mm, m->seal_actual_dc,
                   m->door_closed ? "true" : "false", m->estop_healthy ? "true" : "false");
        add_alarms(p, out);
        add_doubtful(p, out);
    }
    if (p->batch.id)
        add_batch(p, out);
    struct machine_counters counters = {0};
    machine_counters(p->machine, &counters);
    buf_printf(out,
               ",\"counters\":{\"timeouts\":%" PRIu64 ",\"frame_errors\":%" PRIu64 ",\"exceptions\":%" PRIu64
               ",\"reconnects\":%" PRIu64 ",\"worst_ms\":%" PRIu32 "}}",
               counters.timeouts, counters.frame_errors, counters.exceptions, counters.reconnects,
               counters.worst_ms);
}
