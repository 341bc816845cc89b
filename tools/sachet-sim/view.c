/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet-sim/view.h"

#include <inttypes.h>

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

/* Calls add for each alarm that is up and each trouble, with its name; JSON texts or words. */
static void add_alarms(const struct machine_status *status, const char *before, const char *between,
                       const char *after, struct buf *out)
{
    int count = 0;
    for (unsigned n = 0; n < MACHINE_ALARM_WORDS * 16; n++) {
        if (machine_alarm_is_up(status, n))
            buf_printf(out, "%s%s%s%s", count++ ? between : "", before, machine_alarm_name(n), after);
    }
}

static void add_troubles(const struct world *world, unsigned bays, bool json, struct buf *out)
{
    int count = 0;
    for (unsigned t = 0; t < WORLD_TROUBLES; t++) {
        for (unsigned b = 0; b < (world_trouble_is_of_bay(t) ? bays : 1); b++) {
            int32_t value = world_troubled(world, t, b);
            if (value == 0)
                continue;
            const char *word = world_trouble_word(t);
            bool of_bay = world_trouble_is_of_bay(t);
            if (json && of_bay)
                buf_printf(out, "%s{\"word\":\"%s\",\"bay\":%u}", count ? "," : "", word, b);
            else if (json)
                buf_printf(out, "%s{\"word\":\"%s\",\"value\":%" PRId32 "}", count ? "," : "", word, value);
            else if (of_bay)
                buf_printf(out, "%s%s bay %u", count ? ", " : "", word, b);
            else
                buf_printf(out, "%s%s %" PRId32, count ? ", " : "", word, value);
            count++;
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
    add_alarms(&s, "\"", ",", "\"", out);
    buf_text(out, "],\"troubles\":[");
    add_troubles(world, identity.bays, true, out);
    buf_text(out, "],\"bays\":[");
    for (unsigned b = 0; b < identity.bays; b++) {
        struct machine_bay bay;
        world_bay(world, b, &bay);
        buf_printf(out, "%s{\"bay\":%u,\"canister\":%" PRIu32 ",\"level\":%u,\"empty\":%s}", b ? "," : "", b,
                   bay.canister, bay.level, bay.empty ? "true" : "false");
    }
    buf_text(out, "]}");
}

static void view_machine(struct world *world, unsigned number, struct buf *out)
{
    struct machine_status s;
    struct machine_identity identity;
    world_status(world, &s);
    world_identity(world, &identity);
    buf_printf(out, "machine %u  %s  SIMULATED  %s  t %" PRId64 ".%" PRId64 " s\n", number, identity.serial,
               !world_has_power(world) ? "no power" : machine_state_name(s.state),
               world_now_us(world) / 1000000, world_now_us(world) / 100000 % 10);
    buf_printf(out, "  accepted %" PRIu32 "  started %" PRIu32 "  done %" PRIu32 "  retired %" PRIu32,
               s.accepted, s.started, s.done, s.retired);
    if (s.phase)
        buf_printf(out, "   pouch %" PRIu32 ": %s", s.started, phase_name(s.phase));
    buf_printf(
        out, "\n  film %" PRIu32 ".%" PRIu32 " m  ribbon %" PRIu32 ".%" PRIu32 " m  seal %d.%d C of %d.%d C",
        s.film_mm / 1000, s.film_mm / 100 % 10, s.ribbon_mm / 1000, s.ribbon_mm / 100 % 10,
        s.seal_actual_dc / 10, s.seal_actual_dc % 10, s.seal_set_dc / 10, s.seal_set_dc % 10);
    buf_printf(out, "  door %s  emergency stop %s\n", s.door_closed ? "closed" : "OPEN",
               s.estop_healthy ? "released" : "PRESSED");
    if (s.first_alarm != MACHINE_ALARM_NONE) {
        buf_text(out, "  ALARMS ");
        add_alarms(&s, "", ", ", "", out);
        buf_char(out, '\n');
    }
    size_t mark = out->len;
    buf_text(out, "  broken: ");
    size_t begin = out->len;
    add_troubles(world, identity.bays, false, out);
    if (out->len == begin && !out->failed)
        out->len = mark; /* nothing is: no line */
    else
        buf_char(out, '\n');
    buf_text(out, "  bays ");
    for (unsigned b = 0; b < identity.bays && b < VIEW_BAYS_MAX; b++) {
        struct machine_bay bay;
        world_bay(world, b, &bay);
        if (b > 0 && b % 10 == 0)
            buf_text(out, "\n       ");
        buf_printf(out, " %3u:%-5u%c", b, bay.level, bay.empty ? '!' : ' ');
    }
    buf_text(out, "\n\n");
}

void view_text(struct world *const *worlds, unsigned count, struct buf *out)
{
    for (unsigned i = 0; i < count && i < VIEW_MACHINES_MAX; i++)
        view_machine(worlds[i], i + 1, out);
    if (count > VIEW_MACHINES_MAX)
        buf_printf(out, "and %u machines more\n", count - VIEW_MACHINES_MAX);
}
