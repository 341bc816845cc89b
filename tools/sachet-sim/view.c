/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet-sim/view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "hw/machine_codes.h"
#include "hw/packml.h"
#include "hw/sim/world.h"

/* The world's number of the phase of the pouch that is being filled. */
static const char *phase_name(unsigned phase)
{
    static const char *const names[] = {"none", "intent", "print", "drop", "full", "seal", "record"};
    return phase < sizeof names / sizeof names[0] ? names[phase] : "?";
}

static void add_alarms(const struct machine_status *status, struct buf *out)
{
    int count = 0;
    for (unsigned n = 0; n < MACHINE_ALARM_WORDS * 16; n++) {
        if (machine_alarm_is_up(status, n))
            buf_printf(out, "%s\"%s\"", count++ ? "," : "", machine_alarm_name(n));
    }
}

static void add_troubles(const struct world *world, unsigned bays, struct buf *out)
{
    int count = 0;
    for (unsigned t = 0; t < WORLD_TROUBLES; t++) {
        bool of_bay = world_trouble_is_of_bay(t);
        for (unsigned b = 0; b < (of_bay ? bays : 1); b++) {
            int32_t value = world_troubled(world, t, b);
            if (value == 0)
                continue;
            buf_printf(out, "%s{\"word\":\"%s\",", count++ ? "," : "", world_trouble_word(t));
            if (of_bay)
                buf_printf(out, "\"bay\":%u}", b);
            else
                buf_printf(out, "\"value\":%" PRId32 "}", value);
        }
    }
}

void view_json(struct world *world, unsigned number, struct buf *out)
{
    struct machine_status s;
    struct machine_identity identity;
    world_status(world, &s);
    world_identity(world, &identity);
    buf_printf(out,
               "{\"machine\":%u,\"serial\":\"%s\",\"t_us\":%" PRId64 ",\"speed\":%" PRIu32
               ",\"power\":%s,\"answers\":%s,\"state\":\"%s\",\"boot\":%" PRIu32,
               number, identity.serial, world_now_us(world), world_speed(world),
               world_has_power(world) ? "true" : "false", world_answers(world) ? "true" : "false",
               machine_state_name(s.state), s.boot);
    buf_printf(out,
               ",\"A\":%" PRIu32 ",\"S\":%" PRIu32 ",\"D\":%" PRIu32 ",\"W\":%" PRIu32 ",\"phase\":\"%s\"",
               s.accepted, s.started, s.done, s.retired, phase_name(s.phase));
    buf_printf(out,
               ",\"film_mm\":%" PRIu32 ",\"ribbon_mm\":%" PRIu32
               ",\"seal_dc\":%d,\"seal_set_dc\":%d,\"door_closed\":%s,\"estop_healthy\":%s,\"alarms\":[",
               s.film_mm, s.ribbon_mm, s.seal_actual_dc, s.seal_set_dc, s.door_closed ? "true" : "false",
               s.estop_healthy ? "true" : "false");
    add_alarms(&s, out);
    buf_text(out, "],\"troubles\":[");
    add_troubles(world, identity.bays, out);
    buf_text(out, "],\"lines\":{");
    for (unsigned i = 0; i < WORLD_SWITCHES; i++)
        buf_printf(out, "%s\"%s\":%s", i ? "," : "", world_switch_word(i),
                   world_switch(world, i) ? "true" : "false");
    buf_text(out, "},\"bays\":[");
    for (unsigned b = 0; b < identity.bays; b++) {
        struct machine_bay bay;
        world_bay(world, b, &bay);
        buf_printf(out, "%s{\"bay\":%u,\"canister\":%" PRIu32 ",\"level\":%u,\"empty\":%s}", b ? "," : "", b,
                   bay.canister, bay.level, bay.empty ? "true" : "false");
    }
    buf_text(out, "]}");
}

/* Adds a piece to the line under way, or to a new one when it does not fit: two blanks between pieces, two
 * before a line. */
struct flow {
    struct buf *out;
    size_t width;
    size_t column; /* 0: nothing on this line yet */
};

__attribute__((format(printf, 2, 3))) static void add_piece(struct flow *flow, const char *format, ...)
{
    char piece[VIEW_PIECE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(piece, sizeof piece, format, args); /* cut: for people */
    va_end(args);
    size_t len = strlen(piece);
    if (flow->column > 0 && flow->column + 2 + len > flow->width) {
        buf_char(flow->out, '\n');
        flow->column = 0;
    }
    buf_printf(flow->out, "  %s", piece);
    flow->column += 2 + len;
}

static void end_line(struct flow *flow)
{
    if (flow->column > 0)
        buf_char(flow->out, '\n');
    flow->column = 0;
}

static void flow_counters(struct flow *flow, const struct machine_status *s)
{
    add_piece(flow, "accepted %" PRIu32, s->accepted);
    add_piece(flow, "started %" PRIu32, s->started);
    add_piece(flow, "done %" PRIu32, s->done);
    add_piece(flow, "retired %" PRIu32, s->retired);
    if (s->phase)
        add_piece(flow, "pouch %" PRIu32 ": %s", s->started, phase_name(s->phase));
    end_line(flow);
    add_piece(flow, "film %" PRIu32 ".%" PRIu32 " m", s->film_mm / 1000, s->film_mm / 100 % 10);
    add_piece(flow, "ribbon %" PRIu32 ".%" PRIu32 " m", s->ribbon_mm / 1000, s->ribbon_mm / 100 % 10);
    add_piece(flow, "seal %d.%d C of %d.%d C", s->seal_actual_dc / 10, abs(s->seal_actual_dc % 10),
              s->seal_set_dc / 10, s->seal_set_dc % 10);
    add_piece(flow, "door %s", s->door_closed ? "closed" : "OPEN");
    add_piece(flow, "emergency stop %s", s->estop_healthy ? "released" : "PRESSED");
    end_line(flow);
}

static void flow_troubles(struct flow *flow, const struct world *world, unsigned bays)
{
    bool any = false;
    for (unsigned t = 0; t < WORLD_TROUBLES; t++) {
        bool of_bay = world_trouble_is_of_bay(t);
        for (unsigned b = 0; b < (of_bay ? bays : 1); b++) {
            int32_t value = world_troubled(world, t, b);
            if (value == 0)
                continue;
            if (!any)
                add_piece(flow, "broken:");
            any = true;
            if (of_bay)
                add_piece(flow, "%s bay %u", world_trouble_word(t), b);
            else
                add_piece(flow, "%s %" PRId32, world_trouble_word(t), value);
        }
    }
    end_line(flow);
}

static void view_machine(struct world *world, unsigned number, size_t width, struct buf *out)
{
    struct flow flow = {.out = out, .width = width};
    struct machine_status s;
    struct machine_identity identity;
    world_status(world, &s);
    world_identity(world, &identity);
    buf_printf(out, "machine %u  %s  SIMULATED  %s  t %" PRId64 ".%" PRId64 " s\n", number, identity.serial,
               !world_has_power(world) ? "no power"
               : !world_answers(world) ? "booting"
                                       : machine_state_name(s.state),
               world_now_us(world) / 1000000, world_now_us(world) / 100000 % 10);
    flow_counters(&flow, &s);
    if (s.first_alarm != MACHINE_ALARM_NONE)
        add_piece(&flow, "ALARMS");
    for (unsigned n = 0; n < MACHINE_ALARM_WORDS * 16; n++) {
        if (machine_alarm_is_up(&s, n))
            add_piece(&flow, "%s", machine_alarm_name(n));
    }
    end_line(&flow);
    flow_troubles(&flow, world, identity.bays);
    add_piece(&flow, "bays");
    for (unsigned b = 0; b < identity.bays && b < VIEW_BAYS_MAX; b++) {
        struct machine_bay bay;
        world_bay(world, b, &bay);
        add_piece(&flow, "%3u:%-5u%c", b, bay.level, bay.empty ? '!' : ' ');
    }
    if (identity.bays > VIEW_BAYS_MAX)
        add_piece(&flow, "and %u more", identity.bays - VIEW_BAYS_MAX);
    end_line(&flow);
    buf_char(out, '\n');
}

void view_text(struct world *const *worlds, unsigned count, size_t width, struct buf *out)
{
    for (unsigned i = 0; i < count && i < VIEW_MACHINES_MAX; i++)
        view_machine(worlds[i], i + 1, width, out);
    if (count > VIEW_MACHINES_MAX)
        buf_printf(out, "and %u machines more\n", count - VIEW_MACHINES_MAX);
}

void view_screen(const char *text, unsigned rows, struct buf *out)
{
    buf_text(out, "\033[H"); /* over the old one: a cleared screen would flicker */
    for (unsigned row = 1; *text; row++) {
        size_t len = strcspn(text, "\n");
        if (row >= rows && text[len] && text[len + 1]) {
            buf_text(out, "...\033[K");
            break;
        }
        buf_printf(out, "%.*s\033[K\n", (int)len, text);
        text += len + (text[len] == '\n');
    }
    buf_text(out, "\033[J");
}
