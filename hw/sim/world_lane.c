/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One bay at work on one pouch: it lets one piece fall after the other and waits for the sensor's pulse.
 * Nothing is tried twice: a drop without a pulse ends the lane, and the pouch is void. All chance about
 * pieces is drawn here: two numbers a piece, more only for a jam or a late one.
 */
#include "hw/sim/world_private.h"

enum { JAM_REVERSALS = 2, MISSES_MEAN_EMPTY = 2, LATE_SPREAD_US = 1500000, BOUNCE_US = 5000, EDGES_MAX = 6 };

/* Quantiles of a log-normal distribution with sigma 0.6 at 0.2 %, then every 1/32, then 99.8 %; 1000 is the
 * median. Integers, so that a draw is the same on every machine. */
static const uint16_t fall_permille[] = {178,  327,  398,  453,  501,  546,  587,  628,  667,  706,  746,
                                         786,  826,  867,  910,  954,  1000, 1048, 1099, 1153, 1211, 1273,
                                         1341, 1415, 1499, 1593, 1703, 1833, 1994, 2205, 2510, 3058, 5623};
_Static_assert(sizeof fall_permille / sizeof fall_permille[0] == 33, "32 steps");

static int64_t draw_fall_us(struct world *world)
{
    uint32_t r = world_draw(world);
    uint32_t step = r >> 27;
    int64_t low = fall_permille[step];
    int64_t high = fall_permille[step + 1];
    int64_t permille = low + ((high - low) * (int64_t)(r & 0x7FFFFFF) >> 27);
    return world->params.drop_floor_us + (int64_t)world->params.drop_median_us * permille / 1000;
}

/* True with a chance of `ppb` in a thousand million. */
bool lane_chance(struct world *world, uint32_t ppb)
{
    return (uint64_t)world_draw(world) * 1000000000 >> 32 < ppb;
}

static enum world_fault draw_fault(struct world *world, uint16_t bay)
{
    enum world_fault planted = world->planted[bay];
    uint64_t at = (uint64_t)world_draw(world) * 1000000000 >> 32; /* drawn in any case */
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
        {rates->bounce, WORLD_FAULT_BOUNCE},
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
void pouch_blame(struct pouch *pouch, enum machine_reason reason)
{
    if (pouch->reason == MACHINE_REASON_NONE)
        pouch->reason = reason;
}

struct nv_fill *pouch_fill(struct world *world, const struct pouch *pouch)
{
    return &world->head.fills[pouch->job.seq % MEMORY_PIPELINE];
}

/* Takes `pieces` out of the canister; fewer when it has fewer. */
static uint16_t take_pieces(struct world *world, uint16_t bay, uint16_t pieces)
{
    struct memory_bay *kept = &world->memory->bay[bay];
    if (pieces > kept->pieces)
        pieces = kept->pieces;
    kept->pieces = (uint16_t)(kept->pieces - pieces);
    truth_give(world, bay, pieces);
    return pieces;
}

static void hang_late(struct world *world, const struct lane *lane)
{
    if (world->late_count == WORLD_LATE_MAX)
        return; /* it hangs for good: a piece less in the world's air, none in a pouch */
    int64_t spread_us = 50000 + world_draw_below(world, LATE_SPREAD_US);
    world->late[world->late_count++] =
        (struct late_piece){.bay = lane->bay,
                            .canister = lane->canister,
                            .due_us = world->now_us + world->params.no_pulse_us + spread_us};
}

static void lane_end(struct lane *lane)
{
    lane->done = true;
    lane->due_us = WORLD_NEVER;
}

static void lane_fail(struct world *world, struct pouch *pouch, struct lane *lane, enum machine_reason reason,
                      enum machine_alarm alarm)
{
    pouch_blame(pouch, reason);
    world->memory->bay[lane->bay].last_fault = (uint16_t)reason;
    if (alarm != MACHINE_ALARM_NONE)
        pouch->alarm = alarm;
    lane_end(lane);
}

enum machine_alarm lane_seat_alarm(const struct world *world, unsigned bay, uint32_t canister)
{
    if (world->memory->bay[bay].canister != canister)
        return MACHINE_ALARM_CANISTER_WRONG;
    if (world->bay_troubles[bay] == 0)
        return MACHINE_ALARM_NONE;
    if (trouble_of_bay(world, WORLD_TROUBLE_LID_OPEN, bay))
        return MACHINE_ALARM_CANISTER_LID;
    if (trouble_of_bay(world, WORLD_TROUBLE_SENSOR_DUST, bay))
        return MACHINE_ALARM_SENSOR_FAULT;
    return MACHINE_ALARM_NONE;
}

/* The sensor is dark from begin to end. */
struct pulse {
    uint32_t begin_us;
    uint32_t end_us;
};

/* What the counter makes of the light: an edge counts when the sensor was lit before it, and when the last
 * one that counted is further back than the debounce. Pulses that overlap are one; pulses by begin. */
static uint16_t count_pulses(const struct world *world, const struct pulse *pulses, unsigned count)
{
    uint16_t counted = 1;
    uint32_t last_us = pulses[0].begin_us, lit_us = pulses[0].end_us;
    for (unsigned i = 1; i < count; i++) {
        if (pulses[i].begin_us >= lit_us && pulses[i].begin_us - last_us > world->params.debounce_us) {
            last_us = pulses[i].begin_us;
            counted++;
        }
        if (pulses[i].end_us > lit_us)
            lit_us = pulses[i].end_us;
    }
    return counted;
}

/* 2 to EDGES_MAX flickers within BOUNCE_US. */
static uint16_t bounced_pulses(struct world *world)
{
    struct pulse pulses[EDGES_MAX];
    uint32_t edges = 2 + world_draw_below(world, EDGES_MAX - 1);
    for (uint32_t i = 0; i < edges; i++) {
        uint32_t t = i == 0 ? 0 : world_draw_below(world, BOUNCE_US);
        uint32_t k = i;
        for (; k > 0 && pulses[k - 1].begin_us > t; k--)
            pulses[k] = pulses[k - 1];
        pulses[k] = (struct pulse){t, t};
    }
    return count_pulses(world, pulses, edges);
}

static uint32_t draw_between(struct world *world, uint32_t least, uint32_t most)
{
    return most > least ? least + world_draw_below(world, most - least + 1) : least;
}

/* Two pieces of one pocket, one behind the other: their pulses may run into each other. */
static uint16_t twin_pulses(struct world *world)
{
    const struct world_params *p = &world->params;
    uint32_t gap_us = draw_between(world, p->twin_gap_us, p->twin_gap_us + p->twin_spread_us);
    struct pulse pulses[2] = {{0, draw_between(world, p->pulse_least_us, p->pulse_most_us)},
                              {gap_us, gap_us + draw_between(world, p->pulse_least_us, p->pulse_most_us)}};
    return count_pulses(world, pulses, 2);
}

/* What the sensor will see of the pieces that fall. */
static uint16_t pulses_of(struct world *world, const struct lane *lane)
{
    if (lane->fault == WORLD_FAULT_BOUNCE || trouble_of_bay(world, WORLD_TROUBLE_SENSOR_BOUNCE, lane->bay))
        return bounced_pulses(world);
    if (lane->fault == WORLD_FAULT_TWINS && lane->pieces == 2)
        return twin_pulses(world);
    return lane->fault == WORLD_FAULT_TWINS_UNSEEN ? 1 : lane->pieces;
}

/* Starts the lane's next piece on its way. */
void lane_drop(struct world *world, struct pouch *pouch, struct lane *lane)
{
    uint16_t bay = lane->bay;
    enum machine_alarm seat = lane_seat_alarm(world, bay, lane->canister);
    if (seat != MACHINE_ALARM_NONE) { /* the seat's lock stops the rotor */
        lane->pieces = lane->pulses = 0;
        lane_fail(world, pouch, lane, MACHINE_REASON_BAY_LOCKED, seat);
        return;
    }
    lane->fault = draw_fault(world, bay);
    int64_t fall_us = draw_fall_us(world);
    lane->pieces = lane->pulses = 0;
    lane->reversals = 0;
    lane->due_us = world->now_us + world->params.no_pulse_us;
    if (lane->fault == WORLD_FAULT_MISSED)
        return;
    if (lane->fault == WORLD_FAULT_LATE) {
        if (take_pieces(world, bay, 1))
            hang_late(world, lane);
        return;
    }
    if (lane->fault == WORLD_FAULT_JAM) {
        lane->due_us = world->now_us + world->params.reversal_us;
        return;
    }
    bool twins = lane->fault == WORLD_FAULT_TWINS || lane->fault == WORLD_FAULT_TWINS_UNSEEN;
    lane->pieces = take_pieces(world, bay, twins ? 2 : 1);
    if (lane->pieces == 0)
        return; /* empty: nothing will pulse */
    lane->pulses = pulses_of(world, lane);
    lane->due_us = world->now_us + fall_us;
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
    bool clear = lane_chance(world, world->params.rates.jam_clears);
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
void lane_land(struct world *world, struct pouch *pouch, struct lane *lane, bool counted)
{
    struct memory_bay *bay = &world->memory->bay[lane->bay];
    struct world_truth *truth = truth_row(world, pouch->truth);
    lane->fallen = (uint16_t)(lane->fallen + lane->pieces);
    truth_add_piece(world, pouch->truth, lane->bay, lane->canister, lane->pieces, false);
    if (counted && !trouble_of_bay(world, WORLD_TROUBLE_SENSOR_DEAD, lane->bay)) {
        lane->counted = (uint16_t)(lane->counted + lane->pulses);
        bay->level = (uint16_t)(bay->level > lane->pulses ? bay->level - lane->pulses : 0);
        world->misses[lane->bay] = 0;
        pouch_fill(world, pouch)->counted[lane - pouch->lanes] = lane->counted;
    }
    world_event(world, pouch->job.seq, "drop", NULL, 4, "bay", (int64_t)lane->bay, "canister",
                (int64_t)lane->canister, "pieces", (int64_t)lane->pieces, "counted", (int64_t)lane->counted);
    if (lane->fault == WORLD_FAULT_BROKEN) {
        pouch->broken++;
        if (truth)
            truth->broken++;
        if (counted)
            pouch_blame(pouch, MACHINE_REASON_BROKEN_PILL);
        world_event(world, pouch->job.seq, "broken", NULL, 1, "bay", (int64_t)lane->bay);
    }
    lane->pieces = lane->pulses = 0;
    lane->due_us = WORLD_NEVER;
}

void lane_fire(struct world *world, struct pouch *pouch, struct lane *lane)
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
    if (trouble_of_bay(world, WORLD_TROUBLE_SENSOR_DEAD, lane->bay))
        lane->due_us = world->now_us + world->params.no_pulse_us; /* nothing was seen to fall */
    else if (lane->counted >= lane->want)
        lane_end(lane);
    else
        lane_drop(world, pouch, lane);
}
