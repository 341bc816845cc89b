/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pouch's way through the two stations.
 *
 *   filling: INTENT (S = s durable, rule M3) -> PRINT -> DROP (every pulse durable) -> FULL
 *   sealing: SEAL -> RECORD (result and D = s durable, rule M4) -> out, or into the reject bin
 *
 * While one pouch is sealed the next is filled, so up to two are begun and not recorded. Every bay of a pouch
 * is a lane: it lets one piece fall after the other and waits for the sensor's pulse; the lanes of one pouch
 * work side by side. Nothing is tried twice: a drop without a pulse ends the lane, and the pouch is void.
 */
#include "hw/sim/world_private.h"

#include <assert.h>
#include <string.h>

enum { JAM_REVERSALS = 2, MISSES_MEAN_EMPTY = 2, LATE_SPREAD_US = 1500000 };

/* Quantiles of a log-normal distribution with sigma 0.6 at 0.2 %, then every 1/32, then 99.8 %; 1000 is the
 * median. Integers, so that a draw is the same on every machine. */
static const uint16_t fall_permille[] = {178,  327,  398,  453,  501,  546,  587,  628,  667,  706,  746,
                                         786,  826,  867,  910,  954,  1000, 1048, 1099, 1153, 1211, 1273,
                                         1341, 1415, 1499, 1593, 1703, 1833, 1994, 2205, 2510, 3058, 5623};
_Static_assert(sizeof fall_permille / sizeof fall_permille[0] == 33, "32 steps");

static int64_t draw_fall_us(struct world *world)
{
    uint32_t r = rng_u32(&world->rng);
    uint32_t step = r >> 27;
    int64_t low = fall_permille[step];
    int64_t high = fall_permille[step + 1];
    int64_t permille = low + ((high - low) * (int64_t)(r & 0x7FFFFFF) >> 27);
    return world->params.drop_floor_us + (int64_t)world->params.drop_median_us * permille / 1000;
}

/* True with a chance of `ppb` in a thousand million. */
static bool draw_chance(struct world *world, uint32_t ppb)
{
    return (uint64_t)rng_u32(&world->rng) * 1000000000 >> 32 < ppb;
}

static enum world_fault draw_fault(struct world *world, uint16_t bay)
{
    enum world_fault planted = world->planted[bay];
    uint64_t at =
        (uint64_t)rng_u32(&world->rng) * 1000000000 >> 32; /* drawn in any case: plants move nobody */
    if (planted != WORLD_FAULT_NONE) {
        world->planted[bay] = WORLD_FAULT_NONE;
        return planted;
    }
    const struct world_rates *rates = &world->params.rates;
    const struct {
        uint32_t ppb;
        enum world_fault fault;
    } rows[] = {
        {rates->missed, WORLD_FAULT_MISSED},
        {rates->twins, WORLD_FAULT_TWINS},
        {rates->twins_unseen, WORLD_FAULT_TWINS_UNSEEN},
        {rates->broken, WORLD_FAULT_BROKEN},
        {rates->late, WORLD_FAULT_LATE},
        {rates->jam, WORLD_FAULT_JAM},
    };
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sum += rows[i].ppb;
        if (at < sum)
            return rows[i].fault;
    }
    return WORLD_FAULT_NONE;
}

/* The first cause against a pouch stays. */
static void blame(struct pouch *pouch, enum machine_reason reason)
{
    if (pouch->reason == MACHINE_REASON_NONE)
        pouch->reason = reason;
}

static struct nv_fill *fill_of(struct world *world, const struct pouch *pouch)
{
    return &world->head.fills[pouch->job.seq % MEMORY_PIPELINE];
}

bool pouch_stations_empty(const struct world *world)
{
    return world->stations[STATION_FILL].phase == POUCH_NONE &&
           world->stations[STATION_SEAL].phase == POUCH_NONE;
}

/* ---- filling ---- */

/* Takes `pieces` out of the canister; fewer when it has fewer. */
static uint16_t take_pieces(struct world *world, uint16_t bay, uint16_t pieces)
{
    struct memory_bay *kept = &world->memory->bay[bay];
    if (pieces > kept->pieces)
        pieces = kept->pieces;
    kept->pieces = (uint16_t)(kept->pieces - pieces);
    return pieces;
}

static void hang_late(struct world *world, uint16_t bay)
{
    if (world->late_count == WORLD_LATE_MAX)
        return; /* it hangs for good: a piece less in the world's air, none in a pouch */
    int64_t spread_us = 50000 + rng_below(&world->rng, LATE_SPREAD_US);
    world->late[world->late_count++] =
        (struct late_piece){.bay = bay, .due_us = world->now_us + world->params.no_pulse_us + spread_us};
}

/* Starts the lane's next piece on its way. */
static void lane_drop(struct world *world, struct lane *lane)
{
    uint16_t bay = lane->bay;
    lane->fault = draw_fault(world, bay);
    int64_t fall_us = draw_fall_us(world);
    lane->pieces = lane->pulses = 0;
    lane->reversals = 0;
    lane->due_us = world->now_us + world->params.no_pulse_us;
    switch (lane->fault) {
    case WORLD_FAULT_MISSED:
        return;
    case WORLD_FAULT_LATE:
        if (take_pieces(world, bay, 1))
            hang_late(world, bay);
        return;
    case WORLD_FAULT_JAM:
        lane->due_us = world->now_us + world->params.reversal_us;
        return;
    case WORLD_FAULT_TWINS:
    case WORLD_FAULT_TWINS_UNSEEN:
        lane->pieces = take_pieces(world, bay, 2);
        break;
    case WORLD_FAULT_NONE:
    case WORLD_FAULT_BROKEN:
        lane->pieces = take_pieces(world, bay, 1);
        break;
    }
    if (lane->pieces == 0)
        return; /* empty: nothing will pulse */
    lane->pulses = lane->fault == WORLD_FAULT_TWINS_UNSEEN ? 1 : lane->pieces;
    lane->due_us = world->now_us + fall_us;
}

static void lane_end(struct lane *lane)
{
    lane->done = true;
    lane->due_us = WORLD_NEVER;
}

static void lane_fail(struct world *world, struct pouch *pouch, struct lane *lane, enum machine_reason reason,
                      enum machine_alarm alarm)
{
    blame(pouch, reason);
    world->memory->bay[lane->bay].last_fault = (uint16_t)reason;
    if (alarm != MACHINE_ALARM_NONE)
        pouch->alarm = alarm;
    lane_end(lane);
}

/* A drop without a pulse: one is a miss, two in a row or a spent estimate mean an empty canister. */
static void lane_no_pulse(struct world *world, struct pouch *pouch, struct lane *lane)
{
    struct memory_bay *bay = &world->memory->bay[lane->bay];
    world->misses[lane->bay]++;
    bool empty = bay->level == 0 || world->misses[lane->bay] >= MISSES_MEAN_EMPTY;
    world_event(world, pouch->job.seq, empty ? "empty" : "missed", NULL, 1, "bay", (int64_t)lane->bay);
    if (empty)
        bay->empty = true;
    lane_fail(world, pouch, lane, empty ? MACHINE_REASON_EMPTY : MACHINE_REASON_COUNT,
              empty ? MACHINE_ALARM_CANISTER_EMPTY : MACHINE_ALARM_NONE);
}

static void lane_reversed(struct world *world, struct pouch *pouch, struct lane *lane)
{
    lane->reversals++;
    bool clear = draw_chance(world, world->params.rates.jam_clears);
    int64_t fall_us = draw_fall_us(world);
    world_event(world, pouch->job.seq, clear ? "jam_cleared" : "jam", NULL, 1, "bay", (int64_t)lane->bay);
    if (clear) {
        lane->fault = WORLD_FAULT_NONE;
        lane->pieces = lane->pulses = take_pieces(world, lane->bay, 1);
        lane->due_us = world->now_us + (lane->pieces ? fall_us : (int64_t)world->params.no_pulse_us);
    } else if (lane->reversals < JAM_REVERSALS) {
        lane->due_us = world->now_us + world->params.reversal_us;
    } else {
        lane_fail(world, pouch, lane, MACHINE_REASON_JAM, MACHINE_ALARM_JAM);
    }
}

/* Pieces land in the pouch; the sensor's pulses are counted where the board lives. */
static void lane_land(struct world *world, struct pouch *pouch, struct lane *lane, bool counted)
{
    lane->fallen = (uint16_t)(lane->fallen + lane->pieces);
    truth_add_piece(world, pouch->truth, lane->bay, lane->pieces, false);
    if (lane->fault == WORLD_FAULT_BROKEN) {
        pouch->broken++;
        struct world_truth *truth = truth_row(world, pouch->truth);
        if (truth)
            truth->broken++;
        if (counted)
            blame(pouch, MACHINE_REASON_BROKEN_PILL);
    }
    if (counted) {
        struct memory_bay *bay = &world->memory->bay[lane->bay];
        lane->counted = (uint16_t)(lane->counted + lane->pulses);
        bay->level = (uint16_t)(bay->level > lane->pulses ? bay->level - lane->pulses : 0);
        world->misses[lane->bay] = 0;
        fill_of(world, pouch)->counted[lane - pouch->lanes] = lane->counted;
        world_event(world, pouch->job.seq, "drop", NULL, 3, "bay", (int64_t)lane->bay, "pieces",
                    (int64_t)lane->pieces, "counted", (int64_t)lane->counted);
    }
    lane->pieces = lane->pulses = 0;
    lane->due_us = WORLD_NEVER;
}

static void lane_fire(struct world *world, struct pouch *pouch, struct lane *lane)
{
    if (lane->fault == WORLD_FAULT_JAM) {
        lane_reversed(world, pouch, lane);
        return;
    }
    if (lane->pieces == 0) {
        lane_no_pulse(world, pouch, lane);
        return;
    }
    lane_land(world, pouch, lane, true);
    if (!world_store_head(world))
        return;
    if (lane->counted >= lane->want)
        lane_end(lane);
    else
        lane_drop(world, lane);
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
    world_event(world, pouch->job.seq, "printed", pouch->job.token, 0);
    for (unsigned i = 0; i < world->chute_count; i++) {
        pouch->foreign++;
        truth_add_piece(world, pouch->truth, world->chute[i], 1, true);
    }
    world->chute_count = 0;
    if (world->late_seen) {
        blame(pouch, MACHINE_REASON_LATE_DROP);
        pouch->checks |= MACHINE_CHECK_LATE_DROP;
        world->late_seen = false;
    }
    if (draw_chance(world, world->params.rates.film_slip)) {
        blame(pouch, MACHINE_REASON_FILM);
        pouch->alarm = MACHINE_ALARM_FILM_SLIP;
    }
    pouch->phase = POUCH_DROP;
    pouch->due_us = WORLD_NEVER;
    pouch->drop_begun_us = world->now_us;
    for (unsigned i = 0; i < pouch->job.entry_count; i++)
        lane_drop(world, &pouch->lanes[i]);
}

/* Full when every lane is done: short or over is said here, once, for the first wrong count. */
static void close_filling(struct world *world, struct pouch *pouch)
{
    for (unsigned i = 0; i < pouch->job.entry_count; i++) {
        const struct lane *lane = &pouch->lanes[i];
        if (!lane->done)
            return;
        if (lane->counted != lane->want) {
            blame(pouch, MACHINE_REASON_COUNT);
            world->memory->bay[lane->bay].last_fault = (uint16_t)pouch->reason;
        }
    }
    pouch->phase = POUCH_FULL;
    pouch->drop_ms = (uint32_t)((world->now_us - pouch->drop_begun_us) / 1000);
}

/* Film and ribbon are there and no bay of the job is known to be empty; else the machine will hold. */
static bool may_begin(struct world *world, const struct machine_job *job)
{
    int64_t pouch_um = (int64_t)world->params.pouch_mm * 1000;
    enum machine_alarm alarm = MACHINE_ALARM_NONE;
    if (world->memory->ribbon_um < pouch_um)
        alarm = MACHINE_ALARM_RIBBON_OUT;
    if (world->memory->film_um < pouch_um)
        alarm = MACHINE_ALARM_FILM_OUT;
    for (unsigned i = 0; i < job->entry_count; i++) {
        if (world->memory->bay[job->entries[i].bay].empty)
            alarm = MACHINE_ALARM_CANISTER_EMPTY;
    }
    world_raise(world, alarm);
    return alarm == MACHINE_ALARM_NONE;
}

static void begin_pouch(struct world *world, const struct machine_job *job)
{
    struct pouch *pouch = &world->stations[STATION_FILL];
    *pouch = (struct pouch){
        .phase = POUCH_INTENT, .due_us = WORLD_NEVER, .job = *job, .alarm = MACHINE_ALARM_NONE};
    struct nv_fill *fill = fill_of(world, pouch);
    *fill = (struct nv_fill){.seq = job->seq, .hash = job->hash, .entry_count = job->entry_count};
    for (unsigned i = 0; i < job->entry_count; i++) {
        fill->requested[i] = job->entries[i].count;
        pouch->lanes[i] =
            (struct lane){.bay = job->entries[i].bay, .want = job->entries[i].count, .due_us = WORLD_NEVER};
    }
    pouch->truth = truth_begin(world, job);
    world->head.started = job->seq;
    if (!world_store_head(world)) /* rule M3: before anything moves */
        return;
    world_event(world, job->seq, "started", NULL, 0);
    pouch->phase = POUCH_PRINT;
    pouch->due_us = world->now_us + world->params.advance_us;
    int64_t jitter_us = (int64_t)world->params.cycle_us * world->params.jitter_permille / 1000;
    int64_t early_us = jitter_us ? rng_below(&world->rng, (uint32_t)(2 * jitter_us + 1)) : 0;
    world->next_start_us = world->now_us + world->params.cycle_us - jitter_us + early_us;
}

/* ---- sealing ---- */

static int16_t seal_dc(struct world *world)
{
    return (int16_t)(world_seal_tick(world) / 100);
}

static void begin_seal(struct world *world)
{
    struct pouch *pouch = &world->stations[STATION_SEAL];
    *pouch = world->stations[STATION_FILL];
    world->stations[STATION_FILL] = (struct pouch){0};
    pouch->phase = POUCH_SEAL;
    pouch->due_us = world->now_us + world->params.dwell_us;
    pouch->seal_min_dc = pouch->seal_max_dc = seal_dc(world);
    if (!world_seal_in_band(world)) {
        blame(pouch, MACHINE_REASON_SEAL);
        pouch->alarm =
            pouch->seal_min_dc < world->seal_set_dc ? MACHINE_ALARM_SEAL_COLD : MACHINE_ALARM_SEAL_HOT;
    }
    world_raise(world, pouch->alarm); /* now, so that the machine holds before the next pouch */
}

/* Camera and weigher look at what really lies in the pouch. */
static void inspect(struct world *world, struct pouch *pouch)
{
    bool fits = pouch->foreign == 0 && pouch->broken == 0;
    for (unsigned i = 0; i < pouch->job.entry_count; i++)
        fits = fits && pouch->lanes[i].fallen == pouch->lanes[i].want;
    if (draw_chance(world, world->params.rates.print_unread))
        blame(pouch, MACHINE_REASON_PRINT);
    else
        pouch->checks |= MACHINE_CHECK_PRINT_READ;
    if (world->params.caps & MACHINE_CAP_VISION) {
        if (fits)
            pouch->checks |= MACHINE_CHECK_VISION_OK;
        else
            blame(pouch, MACHINE_REASON_VISION);
    }
    if (world->params.caps & MACHINE_CAP_WEIGHER) {
        if (fits)
            pouch->checks |= MACHINE_CHECK_WEIGHT_OK;
        else
            blame(pouch, MACHINE_REASON_WEIGHT);
    }
}

static void record(struct world *world, const struct machine_result *result, size_t row)
{
    if (!world_store_result(world, result))
        return;
    struct world_truth *truth = truth_row(world, row);
    if (truth)
        truth->fate = result->outcome == MACHINE_GOOD ? WORLD_FATE_GOOD : WORLD_FATE_VOID;
    world_event(world, result->seq, "done", machine_outcome_name(result->outcome), 2, "outcome",
                (int64_t)result->outcome, "reason", (int64_t)result->reason);
}

static void finish_seal(struct world *world, struct pouch *pouch)
{
    int16_t dc = seal_dc(world);
    if (dc < pouch->seal_min_dc)
        pouch->seal_min_dc = dc;
    if (dc > pouch->seal_max_dc)
        pouch->seal_max_dc = dc;
    struct world_truth *truth = truth_row(world, pouch->truth);
    if (truth)
        truth->sealed = true;
    pouch->checks |= MACHINE_CHECK_SEALED;
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

static void land_late(struct world *world, uint16_t bay)
{
    struct pouch *pouch = &world->stations[STATION_FILL];
    if (pouch->phase != POUCH_DROP && pouch->phase != POUCH_FULL) {
        world->chute[world->chute_count++] = bay; /* at most WORLD_LATE_MAX hang at a time; see the caller */
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
        fill_of(world, pouch)->counted[i] = lane->counted;
        truth_add_piece(world, pouch->truth, bay, 1, false);
        world_event(world, pouch->job.seq, "late_counted", NULL, 1, "bay", (int64_t)bay);
        return;
    }
    pouch->foreign++;
    truth_add_piece(world, pouch->truth, bay, 1, true);
    blame(pouch, MACHINE_REASON_LATE_DROP);
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
        uint16_t bay = world->late[i].bay;
        world->late[i] = world->late[--world->late_count];
        land_late(world, bay);
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
    if (may_begin(world, &queued->job))
        begin_pouch(world, &queued->job);
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
            fill_of(world, pouch)->reason =
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
