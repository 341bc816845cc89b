/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pouch's way through the two stations.
 *
 *   filling: INTENT (S = s durable, rule M3) -> PRINT -> DROP (every pulse durable) -> FULL
 *   sealing: SEAL -> RECORD (result and D = s durable, rule M4) -> out, or into the reject bin
 *
 * While one pouch is sealed the next is filled, so up to two are begun and not recorded. The lanes
 * of one pouch (world_lane.c) work side by side.
 */
#include "hw/sim/world_private.h"

#include <assert.h>
#include <string.h>

enum { OUT_US = 200000 }; /* a pouch passes the sensor where they leave */

bool pouch_stations_empty(const struct world *world)
{
    return world->stations[STATION_FILL].phase == POUCH_NONE &&
           world->stations[STATION_SEAL].phase == POUCH_NONE;
}

/* ---- filling ---- */

/* Milligrams of one piece of a bay: every drug weighs something else. */
static int32_t piece_mg(unsigned bay)
{
    return 100 + (int32_t)(bay * 37 % 400);
}

/* The film comes forward by one pouch: a slip holds the machine, a splice only costs the pouch. */
static void thread_film(struct world *world, struct pouch *pouch)
{
    bool slip = lane_chance(world, world->params.rates.film_slip);
    if (trouble_take(world, WORLD_FAULT_FILM_SLIP) || world->troubles[WORLD_TROUBLE_FILM_SENSOR])
        slip = true;
    if (trouble_take(world, WORLD_FAULT_SPLICE)) {
        pouch_blame(pouch, MACHINE_REASON_FILM);
        world_event(world, pouch->job.seq, "splice", NULL, 0);
    }
    if (!slip)
        return;
    pouch_blame(pouch, MACHINE_REASON_FILM);
    pouch->alarm = MACHINE_ALARM_FILM_SLIP;
    world_event(world, pouch->job.seq, "film_slip", NULL, 0);
}

/* The number is printed and the empty pouch hangs open under the chute, where a late piece may lie already.
 */
static void open_pouch(struct world *world, struct pouch *pouch)
{
    struct world_truth *truth = truth_row(world, pouch->truth);
    if (truth)
        truth->printed = true;
    world->memory->film_um -= (int64_t)world->params.pouch_mm * 1000;
    world->memory->ribbon_um -= (int64_t)world->params.pouch_mm * 1000;
    if (truth && trouble_take(world, WORLD_FAULT_PRINT_SHIFT)) {
        pouch->shifted = true;
        memcpy(truth->token, world->last_token, sizeof truth->token);
    }
    memcpy(world->last_token, pouch->job.token, sizeof world->last_token);
    world_event(world, pouch->job.seq, "printed", truth ? truth->token : pouch->job.token, 0);
    for (unsigned i = 0; i < world->chute_count; i++) {
        pouch->foreign++;
        pouch->foreign_mg += piece_mg(world->chute[i].bay);
        truth_add_piece(world, pouch->truth, world->chute[i].bay, world->chute[i].canister, 1, true);
    }
    world->chute_count = 0;
    if (world->late_seen) {
        pouch_blame(pouch, MACHINE_REASON_LATE_DROP);
        pouch->checks |= MACHINE_CHECK_LATE_DROP;
        world->late_seen = false;
    }
    thread_film(world, pouch);
    if (world->troubles[WORLD_TROUBLE_PRINT_HEAD]) {
        pouch_blame(pouch, MACHINE_REASON_PRINT);
        pouch->alarm = MACHINE_ALARM_PRINTER;
    }
    pouch->phase = POUCH_DROP;
    pouch->due_us = WORLD_NEVER;
    pouch->drop_begun_us = world->now_us;
    for (unsigned i = 0; i < pouch->job.entry_count; i++)
        lane_drop(world, pouch, &pouch->lanes[i]);
}

/* Full when every lane is done: short or over is said here, once, for the first wrong count. */
static void close_filling(struct world *world, struct pouch *pouch)
{
    for (unsigned i = 0; i < pouch->job.entry_count; i++) {
        const struct lane *lane = &pouch->lanes[i];
        if (!lane->done)
            return;
        if (lane->counted != lane->want) {
            pouch_blame(pouch, MACHINE_REASON_COUNT);
            world->memory->bay[lane->bay].last_fault = (uint16_t)pouch->reason;
        }
    }
    pouch->phase = POUCH_FULL;
    pouch->drop_ms = (uint32_t)((world->now_us - pouch->drop_begun_us) / 1000);
}

/* Film and ribbon are there and no bay of the job is known to be empty; else the machine will hold. */
static bool may_begin(struct world *world, const struct queued *queued)
{
    const struct machine_job *job = &queued->job;
    int64_t pouch_um = (int64_t)world->params.pouch_mm * 1000;
    enum machine_alarm alarm = MACHINE_ALARM_NONE;
    if (world->memory->ribbon_um < pouch_um)
        alarm = MACHINE_ALARM_RIBBON_OUT;
    if (world->memory->film_um < pouch_um)
        alarm = MACHINE_ALARM_FILM_OUT;
    for (unsigned i = 0; i < job->entry_count; i++) {
        if (world->memory->bay[job->entries[i].bay].empty)
            alarm = MACHINE_ALARM_CANISTER_EMPTY;
        enum machine_alarm seat = lane_seat_alarm(world, job->entries[i].bay, queued->canisters[i]);
        if (seat != MACHINE_ALARM_NONE)
            alarm = seat;
    }
    world_raise(world, alarm);
    return alarm == MACHINE_ALARM_NONE;
}

static void begin_pouch(struct world *world, const struct queued *queued)
{
    const struct machine_job *job = &queued->job;
    struct pouch *pouch = &world->stations[STATION_FILL];
    *pouch = (struct pouch){
        .phase = POUCH_INTENT, .due_us = WORLD_NEVER, .job = *job, .alarm = MACHINE_ALARM_NONE};
    struct nv_fill *fill = pouch_fill(world, pouch);
    *fill = (struct nv_fill){.seq = job->seq, .hash = job->hash, .entry_count = job->entry_count};
    for (unsigned i = 0; i < job->entry_count; i++) {
        fill->requested[i] = job->entries[i].count;
        pouch->lanes[i] = (struct lane){.bay = job->entries[i].bay,
                                        .canister = queued->canisters[i],
                                        .want = job->entries[i].count,
                                        .due_us = WORLD_NEVER};
    }
    pouch->truth = truth_begin(world, job);
    world->head.started = job->seq;
    if (!world_store_head(world)) /* rule M3: before anything moves */
        return;
    world_event(world, job->seq, "started", NULL, 0);
    pouch->phase = POUCH_PRINT;
    pouch->due_us = world->now_us + world->params.advance_us;
    int64_t cycle_us = (int64_t)world->params.cycle_us * (1000 + world->troubles[WORLD_TROUBLE_SLOW]) / 1000;
    int64_t jitter_us = (int64_t)world->params.cycle_us * world->params.jitter_permille / 1000;
    int64_t early_us = jitter_us ? world_draw_below(world, (uint32_t)(2 * jitter_us + 1)) : 0;
    world->next_start_us = world->now_us + cycle_us - jitter_us + early_us;
}

/* ---- sealing ---- */

/* What the thermocouple says before and after the seal must lie in the band. */
static void watch_seal(struct world *world, struct pouch *pouch)
{
    if (world_seal_in_band(world))
        return;
    pouch_blame(pouch, MACHINE_REASON_SEAL);
    if (world->troubles[WORLD_TROUBLE_THERMOCOUPLE])
        pouch->alarm = MACHINE_ALARM_THERMOCOUPLE;
    else
        pouch->alarm =
            world_seal_dc(world) < world->seal_set_dc ? MACHINE_ALARM_SEAL_COLD : MACHINE_ALARM_SEAL_HOT;
}

static void begin_seal(struct world *world)
{
    struct pouch *pouch = &world->stations[STATION_SEAL];
    *pouch = world->stations[STATION_FILL];
    world->stations[STATION_FILL] = (struct pouch){0};
    pouch->phase = POUCH_SEAL;
    pouch->due_us = world->now_us + world->params.dwell_us;
    pouch->seal_min_dc = pouch->seal_max_dc = world_seal_dc(world);
    pouch->cold = !world_seal_warm(world);
    watch_seal(world, pouch);
    world_raise(world, pouch->alarm); /* now, so that the machine holds before the next pouch */
}

/* What the reader under the print head says. */
static void read_print(struct world *world, struct pouch *pouch)
{
    bool unread = lane_chance(world, world->params.rates.print_unread);
    if (trouble_take(world, WORLD_FAULT_PRINT_BLANK))
        unread = true;
    if (unread || pouch->shifted || world->troubles[WORLD_TROUBLE_PRINT_HEAD])
        pouch_blame(pouch, MACHINE_REASON_PRINT);
    else
        pouch->checks |= MACHINE_CHECK_PRINT_READ;
}

/* The camera looks at what really lies in the pouch, and now and then says something else. */
static void look(struct world *world, struct pouch *pouch, bool fits)
{
    if (world->troubles[WORLD_TROUBLE_CAMERA_DEAD]) {
        pouch_blame(pouch, MACHINE_REASON_VISION);
        world_raise(world, MACHINE_ALARM_VISION_FAULT);
        return;
    }
    bool wrong =
        lane_chance(world, fits ? world->params.rates.vision_alarm : world->params.rates.vision_miss);
    bool says = fits != wrong;
    if (trouble_take(world, WORLD_FAULT_CAMERA_ALARM))
        says = false;
    if (trouble_take(world, WORLD_FAULT_CAMERA_MISS) || world->troubles[WORLD_TROUBLE_CAMERA_BLIND])
        says = true;
    if (says)
        pouch->checks |= MACHINE_CHECK_VISION_OK;
    else
        pouch_blame(pouch, MACHINE_REASON_VISION);
}

/* Noise of a sum of four even draws, about normal: -128..127 quarter sigmas and a bit. */
static int32_t draw_noise(struct world *world)
{
    uint32_t r = world_draw(world);
    return (int32_t)((r & 255) + (r >> 8 & 255) + (r >> 16 & 255) + (r >> 24)) - 510;
}

/* The weight must lie within half of the lightest piece. A late piece weighs like one of its own bay. */
static void weigh(struct world *world, struct pouch *pouch)
{
    if (world->troubles[WORLD_TROUBLE_WEIGHER_DEAD]) {
        pouch_blame(pouch, MACHINE_REASON_WEIGHT);
        world_raise(world, MACHINE_ALARM_WEIGHER_FAULT);
        return;
    }
    int32_t off_mg = world->troubles[WORLD_TROUBLE_WEIGHER_DRIFT] + pouch->foreign_mg;
    int32_t least_mg = INT32_MAX, heaviest_mg = 0;
    for (unsigned i = 0; i < pouch->job.entry_count; i++) {
        const struct lane *lane = &pouch->lanes[i];
        int32_t mg = piece_mg(lane->bay);
        off_mg += ((int32_t)lane->fallen - (int32_t)lane->want) * mg;
        least_mg = mg < least_mg ? mg : least_mg;
        heaviest_mg = mg > heaviest_mg ? mg : heaviest_mg;
    }
    /* 148: standard deviation of the sum of four even bytes. */
    off_mg += draw_noise(world) * (int32_t)world->params.weight_sigma_permille * heaviest_mg / 148 / 1000;
    bool says = off_mg > -least_mg / 2 && off_mg < least_mg / 2 && pouch->broken == 0;
    if (trouble_take(world, WORLD_FAULT_WEIGHT_ALARM))
        says = false;
    if (says)
        pouch->checks |= MACHINE_CHECK_WEIGHT_OK;
    else
        pouch_blame(pouch, MACHINE_REASON_WEIGHT);
}

/* The pouch before had a pill outside its window: this one is void, too, whatever lies in it. */
static bool follows_late(const struct world *world, const struct pouch *pouch)
{
    uint32_t before = pouch->job.seq - 1;
    const struct machine_result *result = &world->memory->ring[before % world->params.ring_size].result;
    return result->seq == before && (result->checks & MACHINE_CHECK_LATE_DROP);
}

static void inspect(struct world *world, struct pouch *pouch)
{
    bool fits = pouch->foreign == 0 && pouch->broken == 0;
    for (unsigned i = 0; i < pouch->job.entry_count; i++)
        fits = fits && pouch->lanes[i].fallen == pouch->lanes[i].want;
    if (follows_late(world, pouch))
        pouch_blame(pouch, MACHINE_REASON_LATE_DROP);
    read_print(world, pouch);
    if (world->params.caps & MACHINE_CAP_VISION)
        look(world, pouch, fits);
    if (world->params.caps & MACHINE_CAP_WEIGHER)
        weigh(world, pouch);
}

static void record(struct world *world, const struct machine_result *result, size_t row)
{
    if (!world_store_result(world, result))
        return;
    struct world_truth *truth = truth_row(world, row);
    if (truth)
        truth->fate = result->outcome == MACHINE_GOOD ? WORLD_FATE_GOOD : WORLD_FATE_VOID;
    world->out_until_us = world->now_us + OUT_US;
    world_event(world, result->seq, "done", machine_outcome_name(result->outcome), 2, "outcome",
                (int64_t)result->outcome, "reason", (int64_t)result->reason);
}

static void finish_seal(struct world *world, struct pouch *pouch)
{
    int16_t dc = world_seal_dc(world);
    if (dc < pouch->seal_min_dc)
        pouch->seal_min_dc = dc;
    if (dc > pouch->seal_max_dc)
        pouch->seal_max_dc = dc;
    watch_seal(world, pouch);
    world_raise(world, pouch->alarm);
    struct world_truth *truth = truth_row(world, pouch->truth);
    if (truth)
        truth->sealed = true;
    bool weak = trouble_take(world, WORLD_FAULT_SEAL_WEAK) || world->troubles[WORLD_TROUBLE_SEAL_BAR];
    if (weak)
        pouch_blame(pouch, MACHINE_REASON_SEAL);
    else
        pouch->checks |= MACHINE_CHECK_SEALED;
    if (truth)
        truth->weak = weak || pouch->cold || !world_seal_warm(world);
    pouch->phase = POUCH_RECORD;
    pouch->due_us = WORLD_NEVER;
    world_event(world, pouch->job.seq, "sealed", NULL, 0);
    inspect(world, pouch);
    struct machine_result result = {
        .seq = pouch->job.seq,
        .hash = pouch->job.hash,
        .outcome = pouch->reason == MACHINE_REASON_NONE ? MACHINE_GOOD : MACHINE_VOID,
        .reason = pouch->reason,
        .entry_count = pouch->job.entry_count,
        .checks = pouch->checks,
        .seal_min_dc = pouch->seal_min_dc,
        .seal_max_dc = pouch->seal_max_dc,
        .drop_ms = pouch->drop_ms,
        .seal_ms = (uint32_t)((world->now_us - world->boot_begun_us) / 1000),
        .boot = world->head.boot,
    };
    for (unsigned i = 0; i < pouch->job.entry_count; i++) {
        result.entries[i].requested = pouch->lanes[i].want;
        result.entries[i].counted = pouch->lanes[i].counted;
    }
    record(world, &result, pouch->truth);
    if (world->powered)
        *pouch = (struct pouch){0};
}

/* ---- late pieces ---- */

static void land_late(struct world *world, const struct late_piece *piece)
{
    uint16_t bay = piece->bay;
    struct pouch *pouch = &world->stations[STATION_FILL];
    if (pouch->phase != POUCH_DROP && pouch->phase != POUCH_FULL) {
        world->chute[world->chute_count++] =
            *piece; /* at most WORLD_LATE_MAX hang at a time; see the caller */
        world->late_seen = true;
        world_event(world, 0, "late_between", NULL, 1, "bay", (int64_t)bay);
        return;
    }
    for (unsigned i = 0; i < pouch->job.entry_count; i++) {
        struct lane *lane = &pouch->lanes[i];
        if (lane->bay != bay || lane->done || pouch->phase != POUCH_DROP)
            continue;
        /* The sensor cannot tell it from the lane's own piece, which is still under way. */
        lane->counted++;
        lane->fallen++;
        pouch_fill(world, pouch)->counted[i] = lane->counted;
        truth_add_piece(world, pouch->truth, bay, piece->canister, 1, false);
        world_event(world, pouch->job.seq, "late_counted", NULL, 1, "bay", (int64_t)bay);
        return;
    }
    pouch->foreign++;
    pouch->foreign_mg += piece_mg(bay);
    truth_add_piece(world, pouch->truth, bay, piece->canister, 1, true);
    pouch_blame(pouch, MACHINE_REASON_LATE_DROP);
    pouch->checks |= MACHINE_CHECK_LATE_DROP;
    world_event(world, pouch->job.seq, "late_foreign", NULL, 1, "bay", (int64_t)bay);
}

static void fire_late(struct world *world)
{
    for (unsigned i = 0; i < world->late_count;) {
        if (world->late[i].due_us > world->now_us || world->chute_count >= WORLD_LATE_MAX) {
            i++;
            continue;
        }
        struct late_piece piece = world->late[i];
        world->late[i] = world->late[--world->late_count];
        land_late(world, &piece);
    }
}

void pouch_purge(struct world *world)
{
    if (world->chute_count + world->late_count > 0)
        world_event(world, 0, "purged", NULL, 1, "pieces", (int64_t)(world->chute_count + world->late_count));
    world->chute_count = 0;
    world->late_count = 0;
    world->late_seen = false;
}

/* ---- time ---- */

int64_t pouch_next_due_us(const struct world *world)
{
    int64_t due_us = WORLD_NEVER;
    for (int i = 0; i < STATIONS; i++) {
        const struct pouch *pouch = &world->stations[i];
        if (pouch->phase == POUCH_NONE)
            continue;
        if (pouch->due_us < due_us)
            due_us = pouch->due_us;
        if (pouch->phase != POUCH_DROP)
            continue;
        for (unsigned k = 0; k < pouch->job.entry_count; k++) {
            if (pouch->lanes[k].due_us < due_us)
                due_us = pouch->lanes[k].due_us;
        }
    }
    for (unsigned i = 0; i < world->late_count && world->chute_count < WORLD_LATE_MAX; i++) {
        if (world->late[i].due_us < due_us)
            due_us = world->late[i].due_us;
    }
    return due_us;
}

void pouch_fire(struct world *world)
{
    struct pouch *seal = &world->stations[STATION_SEAL];
    struct pouch *fill = &world->stations[STATION_FILL];
    if (seal->phase == POUCH_SEAL && seal->due_us <= world->now_us)
        finish_seal(world, seal);
    if (world->powered && fill->phase == POUCH_PRINT && fill->due_us <= world->now_us)
        open_pouch(world, fill);
    if (world->powered && fill->phase == POUCH_DROP) {
        for (unsigned i = 0; i < fill->job.entry_count && world->powered; i++) {
            if (fill->lanes[i].due_us <= world->now_us)
                lane_fire(world, fill, &fill->lanes[i]);
        }
        if (world->powered)
            close_filling(world, fill);
    }
    if (world->powered)
        fire_late(world);
}

bool pouch_settle(struct world *world)
{
    struct pouch *fill = &world->stations[STATION_FILL];
    if (fill->phase == POUCH_FULL && world->stations[STATION_SEAL].phase == POUCH_NONE) {
        begin_seal(world);
        return true;
    }
    const struct nv_head *head = &world->head;
    if (fill->phase != POUCH_NONE || !state_runs(world) || world->now_us < world->next_start_us ||
        head->started == world->accepted)
        return false;
    uint32_t seq = head->started + 1;
    const struct queued *queued = &world->queue[seq % WORLD_QUEUE_MAX];
    if (queued->cancelled || seq - head->retired > world->params.ring_size) /* rule M5 */
        return false;
    assert(queued->job.seq == seq);
    if (may_begin(world, queued))
        begin_pouch(world, queued);
    return true;
}

bool pouch_cancel_head(struct world *world)
{
    const struct nv_head *head = &world->head;
    if (world->nv_bad || head->started != head->done || head->started == world->accepted)
        return false;
    const struct queued *queued = &world->queue[(head->started + 1) % WORLD_QUEUE_MAX];
    if (!queued->cancelled)
        return false;
    const struct machine_job *job = &queued->job;
    struct machine_result result = {.seq = job->seq,
                                    .hash = job->hash,
                                    .outcome = MACHINE_CANCELLED,
                                    .reason = MACHINE_REASON_CANCELLED,
                                    .entry_count = job->entry_count,
                                    .boot = head->boot};
    for (unsigned i = 0; i < job->entry_count; i++)
        result.entries[i].requested = job->entries[i].count;
    record(world, &result, SIZE_MAX);
    return true;
}

/* ---- stops ---- */

void pouch_stop(struct world *world, bool counted)
{
    for (int s = 0; s < STATIONS; s++) {
        struct pouch *pouch = &world->stations[s];
        if (pouch->phase == POUCH_NONE)
            continue;
        for (unsigned i = 0; i < pouch->job.entry_count && pouch->phase == POUCH_DROP; i++) {
            if (pouch->lanes[i].pieces > 0)
                lane_land(world, pouch, &pouch->lanes[i], counted);
        }
        struct world_truth *truth = truth_row(world, pouch->truth);
        if (truth && truth->fate == WORLD_FATE_OPEN)
            truth->fate = WORLD_FATE_DOUBT;
        if (counted) {
            pouch_fill(world, pouch)->reason =
                (uint16_t)(pouch->reason != MACHINE_REASON_NONE ? pouch->reason : MACHINE_REASON_ABORTED);
            world_event(world, pouch->job.seq, "doubt", NULL, 0);
            world_raise(world, MACHINE_ALARM_DOUBTFUL_POUCH);
        }
        *pouch = (struct pouch){0};
    }
    if (counted)
        (void)world_store_head(
            world); /* a cut on the way leaves the counts of the last drop: still in doubt */
}

bool pouch_confirm_removed(struct world *world)
{
    const struct nv_head *head = &world->head;
    if (head->started == head->done)
        return false;
    uint32_t seq = head->done + 1;
    const struct nv_fill *fill = &head->fills[seq % MEMORY_PIPELINE];
    struct machine_result result = {
        .seq = seq, .outcome = MACHINE_VOID, .reason = MACHINE_REASON_POWER_LOSS, .boot = head->boot};
    if (fill->seq == seq) {
        result.hash = fill->hash;
        result.reason = (enum machine_reason)fill->reason;
        result.entry_count = fill->entry_count;
        for (unsigned i = 0; i < fill->entry_count; i++) {
            result.entries[i].requested = fill->requested[i];
            result.entries[i].counted = fill->counted[i];
        }
    }
    world_event(world, seq, "removed", NULL, 0);
    record(world, &result, truth_find(world, seq));
    if (world->powered && world->head.started == world->head.done)
        world_clear(world, MACHINE_ALARM_DOUBTFUL_POUCH);
    return world->powered;
}
