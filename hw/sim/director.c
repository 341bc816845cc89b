/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/director.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "config/base/rng.h"
#include "hw/sim/world.h"

_Static_assert((int)WORLD_FAULTS == (int)SCENARIO_TROUBLES, "both come from one table");
_Static_assert((int)WORLD_TROUBLES == (int)SCENARIO_HANDS - (int)SCENARIO_TROUBLES,
               "both come from one table");

enum { PLANNED_MAX = 256, STREAM = 0x10000 };

struct planned {
    int64_t due_us;
    int event;
    bool undo;
};

struct director {
    const struct scenario *scenario;
    struct world *world;
    director_outside *outside;
    void *data;
    struct rng rng;
    uint32_t seen[SCENARIO_EVENTS_MAX];     /* moments that fit so far */
    uint32_t done[SCENARIO_EVENTS_MAX];     /* deeds planned or done */
    uint32_t last_seq[SCENARIO_EVENTS_MAX]; /* pouch that it met last */
    struct planned planned[PLANNED_MAX];    /* in no order; equal times go by event, deeds before undoing */
    int planned_count;
};

/* ---- one deed ---- */

static bool is_of_machine(enum scenario_action action)
{
    return action > SCENARIO_FAULT_NONE && action < SCENARIO_LINE_FAULTS;
}

int deed_check(const struct world *world, const struct scenario_deed *deed, struct error *err)
{
    struct machine_identity identity;
    const char *word = scenario_action_words[deed->action];
    world_identity(world, &identity);
    if (!is_of_machine(deed->action))
        return error_set(err, E_ARG, "%s: not a thing that is done to a machine", word);
    if (scenario_action_of_bay(deed->action) && deed->bay >= identity.bays)
        return error_set(err, E_INPUT, "%s: bay %u: this machine has bays 0 to %u", word, deed->bay,
                         identity.bays - 1);
    bool of_count = deed->action == SCENARIO_HAND_SEAT || deed->action == SCENARIO_HAND_FILM_LEFT ||
                    deed->action == SCENARIO_HAND_RIBBON_LEFT || deed->action == SCENARIO_HAND_CUT_POWER;
    if ((of_count && deed->value < 0) || (deed->action == SCENARIO_HAND_SEAT && deed->value > WORLD_FILL_MAX))
        return error_set(err, E_INPUT, "%s: value %d: 0 or more are allowed, in a canister at most %d", word,
                         (int)deed->value, WORLD_FILL_MAX);
    return 0;
}

static void swap_canister(struct world *world, const struct scenario_deed *deed)
{
    struct machine_bay bay;
    world_bay(world, deed->bay, &bay);
    world_seat(world, deed->bay, deed->canister, bay.level);
}

static void set_film(struct world *world, const struct scenario_deed *deed)
{
    struct machine_status status;
    bool film = deed->action == SCENARIO_HAND_FILM_LEFT;
    world_status(world, &status);
    world_set_film(world, film ? (uint32_t)deed->value : status.film_mm,
                   film ? status.ribbon_mm : (uint32_t)deed->value);
}

static void do_by_hand(struct world *world, const struct scenario_deed *deed)
{
    switch ((int)deed->action) {
    case SCENARIO_HAND_POWER_OFF:
        world_power_off(world);
        break;
    case SCENARIO_HAND_POWER_ON:
        world_power_on(world);
        break;
    case SCENARIO_HAND_CUT_POWER:
        world_cut_power(world, (uint64_t)deed->value);
        break;
    case SCENARIO_HAND_DOOR_OPEN:
    case SCENARIO_HAND_DOOR_CLOSE:
        world_set_door(world, deed->action == SCENARIO_HAND_DOOR_CLOSE);
        break;
    case SCENARIO_HAND_ESTOP:
    case SCENARIO_HAND_ESTOP_RELEASE:
        world_set_estop(world, deed->action == SCENARIO_HAND_ESTOP_RELEASE);
        break;
    case SCENARIO_HAND_EMPTY:
        world_empty(world, deed->bay);
        break;
    case SCENARIO_HAND_SEAT:
        world_seat(world, deed->bay, deed->canister, (uint16_t)deed->value);
        break;
    case SCENARIO_HAND_SWAP:
        swap_canister(world, deed);
        break;
    case SCENARIO_HAND_FILM_LEFT:
    case SCENARIO_HAND_RIBBON_LEFT:
        set_film(world, deed);
        break;
    case SCENARIO_HAND_SPOIL_MEMORY:
        world_spoil_memory(world, (unsigned)deed->value);
        break;
    case SCENARIO_HAND_MEND_ALL:
        world_mend_all(world);
        break;
    default:
        assert(false && "a hand without a row here");
    }
}

int deed_do(struct world *world, const struct scenario_deed *deed, struct error *err)
{
    int rc = deed_check(world, deed, err);
    if (rc < 0)
        return rc;
    if (deed->action < SCENARIO_TROUBLES)
        world_plant(world, deed->bay, (enum world_fault)deed->action);
    else if (deed->action < SCENARIO_HANDS)
        world_trouble(world, (enum world_trouble)(deed->action - SCENARIO_TROUBLES), deed->bay, deed->value);
    else
        do_by_hand(world, deed);
    return 0;
}

/* ---- moments ---- */

static void plan(struct director *d, int64_t due_us, int event, bool undo)
{
    if (d->planned_count == PLANNED_MAX)
        return; /* a rate without end that lasts too long: what does not fit does not happen */
    d->planned[d->planned_count++] = (struct planned){.due_us = due_us, .event = event, .undo = undo};
}

static bool has_value(const struct world_event *event, const char *key, int64_t value)
{
    for (int i = 0; i < event->values; i++) {
        if (strcmp(event->value[i].key, key) == 0)
            return event->value[i].value == value;
    }
    return false;
}

static bool fits(struct director *d, int i, const struct world_event *event)
{
    const struct scenario_event *row = &d->scenario->events[i];
    switch (row->trigger) {
    case SCENARIO_AT:
        return false;
    case SCENARIO_POUCH:
        if (strcmp(event->name, row->word) != 0 || event->seq == d->last_seq[i] ||
            (row->pouch != SCENARIO_ALWAYS && event->seq != row->pouch))
            return false;
        d->last_seq[i] = event->seq;
        return true;
    case SCENARIO_STATE:
        return strcmp(event->name, "state") == 0 && strcmp(event->text, row->word) == 0 &&
               ++d->seen[i] >= row->nth;
    case SCENARIO_DROP:
        return strcmp(event->name, "drop") == 0 && has_value(event, "bay", row->drop_bay) &&
               ++d->seen[i] >= row->nth;
    case SCENARIO_RATE:
        return strcmp(event->name, "started") == 0 && rng_below(&d->rng, 1000000) < row->per_million;
    }
    return false;
}

static void notice(void *data, const struct world_event *event)
{
    struct director *d = data;
    for (int i = 0; i < d->scenario->event_count; i++) {
        const struct scenario_event *row = &d->scenario->events[i];
        if ((row->times != SCENARIO_ALWAYS && d->done[i] >= row->times) || !fits(d, i, event))
            continue;
        d->done[i]++;
        int64_t due_us = event->t_us + row->after_us;
        /* A cut counts its micro-steps from this very moment. */
        if (row->deed.action == SCENARIO_HAND_CUT_POWER && row->after_us == 0)
            world_cut_power(d->world, (uint64_t)row->deed.value);
        else
            plan(d, due_us, i, false);
        if (row->for_us)
            plan(d, due_us + row->for_us, i, true);
    }
}

/* ---- deeds ---- */

static const struct planned *find_next(const struct director *d)
{
    const struct planned *next = NULL;
    for (int i = 0; i < d->planned_count; i++) {
        const struct planned *p = &d->planned[i];
        if (!next || p->due_us < next->due_us ||
            (p->due_us == next->due_us && p->event * 2 + p->undo < next->event * 2 + next->undo))
            next = p;
    }
    return next;
}

static int64_t next_due_us(void *data)
{
    const struct planned *next = find_next(data);
    return next ? next->due_us : INT64_MAX;
}

static void act(void *data, int64_t now_us)
{
    struct director *d = data;
    const struct planned *next = find_next(d);
    if (!next || next->due_us > now_us)
        return;
    const struct scenario_event *row = &d->scenario->events[next->event];
    struct scenario_deed deed = row->deed;
    bool undo = next->undo;
    if (row->trigger == SCENARIO_AT)
        d->done[next->event]++;
    d->planned[next - d->planned] = d->planned[--d->planned_count];
    if (undo) {
        deed.action = scenario_action_undo(deed.action);
        deed.value = 0;
    }
    if (deed.action == SCENARIO_ACTIONS)
        return; /* what ends by itself, outside */
    if (!is_of_machine(deed.action)) {
        d->outside(d->data, &deed, row->for_us);
        return;
    }
    int rc = deed_do(d->world, &deed, NULL);
    assert(rc == 0); /* checked at creation */
}

/* ---- life ---- */

int director_needs_crew(const struct scenario *scenario)
{
    for (int i = 0; i < scenario->event_count; i++) {
        if (scenario->events[i].deed.action >= SCENARIO_CREW)
            return i;
    }
    return -1;
}

int director_needs_outside(const struct scenario *scenario)
{
    for (int i = 0; i < scenario->event_count; i++) {
        if (!is_of_machine(scenario->events[i].deed.action))
            return i;
    }
    return -1;
}

struct director *director_create(const struct scenario *scenario, uint64_t seed, struct world *world,
                                 director_outside *outside, void *data, struct error *err)
{
    for (int i = 0; i < scenario->event_count; i++) {
        const struct scenario_deed *deed = &scenario->events[i].deed;
        int rc = is_of_machine(deed->action) ? deed_check(world, deed, err) : 0;
        if (rc < 0) {
            (void)error_prefix(err, rc, "scenario %s, event %d", scenario->name, i + 1);
            return NULL;
        }
    }
    assert(outside || director_needs_outside(scenario) < 0);
    struct director *d = calloc(1, sizeof *d);
    if (!d) {
        error_set(err, E_MEMORY, "no memory for a scenario");
        return NULL;
    }
    d->scenario = scenario;
    d->world = world;
    d->outside = outside;
    d->data = data;
    rng_init(&d->rng, seed, STREAM);
    for (int i = 0; i < scenario->event_count; i++) {
        const struct scenario_event *row = &scenario->events[i];
        if (row->trigger != SCENARIO_AT)
            continue;
        plan(d, row->at_us + row->after_us, i, false);
        if (row->for_us)
            plan(d, row->at_us + row->after_us + row->for_us, i, true);
    }
    const struct world_director role = {.due_us = next_due_us, .act = act, .event = notice, .data = d};
    world_direct(world, &role);
    return d;
}

void director_destroy(struct director *director)
{
    if (!director)
        return;
    world_direct(director->world, NULL);
    free(director);
}

int director_first_unseen(const struct director *director)
{
    for (int i = 0; i < director->scenario->event_count; i++) {
        if (director->done[i] == 0)
            return i;
    }
    return -1;
}

bool director_is_busy(const struct director *director)
{
    return director->planned_count > 0;
}
