/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet-rig/sense.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "config/base/scenario.h"
#include "config/scenario.h"
#include "hw/sim/fit.h"
#include "hw/sim/world.h"

enum {
    BAYS = 3,
    BOOTED_US = 1000000,
    CHALLENGES = 1000,
    CHALLENGES_MAX = 300000,
    PACE = 8, /* a challenge, what it may leave behind, and a right pouch */
    WAIT_MS = 100,
    WAITS_MAX = 20000, /* one pouch takes no half hour */
    SPELL = 50,        /* pouches of a blind spell */
    SPELL_EVERY = 500,
};

/* Faults that make a pouch wrong; the others only trouble the machine. */
static const enum world_fault planted[] = {
    WORLD_FAULT_MISSED,      WORLD_FAULT_TWINS,     WORLD_FAULT_TWINS_UNSEEN, WORLD_FAULT_BROKEN,
    WORLD_FAULT_LATE,        WORLD_FAULT_FILM_SLIP, WORLD_FAULT_SPLICE,       WORLD_FAULT_PRINT_BLANK,
    WORLD_FAULT_PRINT_SHIFT, WORLD_FAULT_SEAL_WEAK,
};
enum { PLANTED = sizeof planted / sizeof planted[0] };

static const struct sensors {
    const char *name;
    uint16_t caps;
    enum world_trouble trouble;
    int32_t value;  /* of the trouble; 0: none */
    bool in_spells; /* it comes and goes */
} all_sensors[] = {
    {.name = "count sensors"},
    {.name = "and a camera", .caps = MACHINE_CAP_VISION},
    {.name = "and a camera with blind spells",
     .caps = MACHINE_CAP_VISION,
     .trouble = WORLD_TROUBLE_CAMERA_BLIND,
     .value = 1,
     .in_spells = true},
    {.name = "and a weigher", .caps = MACHINE_CAP_WEIGHER},
    {.name = "and a weigher 60 mg off",
     .caps = MACHINE_CAP_WEIGHER,
     .trouble = WORLD_TROUBLE_WEIGHER_DRIFT,
     .value = 60},
    {.name = "and camera and weigher", .caps = MACHINE_CAP_VISION | MACHINE_CAP_WEIGHER},
};

struct sensing {
    const struct scenario *scenario; /* NULL: the usual machine, every row of all_sensors */
    int64_t challenges;
    uint64_t seed;
    bool json;
};

struct tally {
    int64_t challenges, caught;
    int64_t right, refused; /* pouches without a fault */
};

/* ---- one machine ---- */

struct bench {
    struct world *world;
    int64_t now_us;
    uint32_t seq;
    uint16_t beat;
};

static void tell(struct bench *b, enum machine_command command, uint32_t argument)
{
    struct machine_control control = {.session = 1, .heartbeat = ++b->beat, .retire = b->seq - 1};
    control.command = command;
    control.command_seq = b->beat;
    control.argument = argument;
    (void)world_control(b->world, &control); /* a refusal shows in the state */
}

/* What a person does next to a machine that does not run. */
static void care(struct bench *b, const struct machine_status *status)
{
    switch ((int)status->state) {
    case MACHINE_STATE_STOPPED:
        tell(b, MACHINE_COMMAND_RESET, 0);
        break;
    case MACHINE_STATE_IDLE:
        tell(b, MACHINE_COMMAND_START, 0);
        break;
    case MACHINE_STATE_HELD:
        tell(b, MACHINE_COMMAND_UNHOLD, 0);
        break;
    default:
        break;
    }
}

/* One pouch; E_TIMEOUT when it never ends. */
static int make_pouch(struct bench *b, struct machine_job *ret_job, bool *ret_good, struct error *err)
{
    struct machine_job job = {.hash = ++b->seq, .entry_count = BAYS};
    struct machine_result result;
    struct machine_status status;
    struct machine_identity identity;
    job.seq = b->seq;
    (void)snprintf(job.token, sizeof job.token, "C%" PRIu32, job.seq); /* fits */
    for (uint16_t i = 0; i < BAYS; i++)
        job.entries[i] = (struct machine_entry){.bay = i, .count = (uint16_t)(1 + i % 2)};
    tell(b, MACHINE_COMMAND_NONE, 0);
    (void)world_put(b->world, &job, 1); /* one that is not taken never ends */
    world_identity(b->world, &identity);
    for (int i = 0; i < WAITS_MAX; i++) {
        b->now_us += WAIT_MS * 1000;
        world_advance(b->world, b->now_us);
        world_status(b->world, &status);
        if (status.done == job.seq) {
            world_result(b->world, job.seq % identity.ring_size, &result);
            *ret_good = result.outcome == MACHINE_GOOD;
            *ret_job = job;
            return 0;
        }
        care(b, &status);
    }
    return error_set(err, E_TIMEOUT, "challenge pouch %" PRIu32 " never ends: the machine is %s", job.seq,
                     scenario_states[status.state - 1]);
}

static int open_bench(struct bench *b, const struct sensing *s, const struct sensors *sensors,
                      struct error *err)
{
    struct world_params params;
    world_params_default(&params, 0);
    if (s->scenario) {
        fit_params(&params, &s->scenario->machine);
    } else { /* cameras err, the rest goes wrong only where it is planted */
        struct world_rates usual = params.rates;
        world_rates_none(&params.rates);
        params.rates.vision_alarm = usual.vision_alarm;
        params.rates.vision_miss = usual.vision_miss;
        params.caps = (uint16_t)(params.caps | sensors->caps);
    }
    params.seed = s->seed;
    params.bays = BAYS;
    params.fill = WORLD_FILL_MAX;
    params.keep_truth = true; /* without it no label can be shifted */
    params.starve_us = params.silence_us = UINT32_MAX;
    params.boot_us = params.starting_us = params.resetting_us = 1000;
    *b = (struct bench){.world = world_create(&params, err), .now_us = BOOTED_US};
    if (!b->world)
        return err->code;
    world_advance(b->world, b->now_us);
    return 0;
}

/* A planted fault may come to nothing: two pieces at once are right where two are wanted. */
static bool is_wrong(const struct bench *b, enum world_fault fault, const struct machine_job *job)
{
    const struct world_truth *truth = world_truth(b->world, world_truth_count(b->world) - 1);
    return fault >= WORLD_FAULT_OF_POUCH || !world_truth_fits(truth, job);
}

static int challenge(struct bench *b, const struct sensors *sensors, enum world_fault fault, int64_t count,
                     struct tally *tally, struct error *err)
{
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < count * PACE; i++) {
        bool good = false;
        struct machine_job job;
        if (sensors->value && sensors->in_spells && i % SPELL == 0)
            world_trouble(b->world, sensors->trouble, 0, i % SPELL_EVERY < SPELL ? sensors->value : 0);
        if (i % PACE == 0)
            world_plant(b->world, (unsigned)(i / PACE) % BAYS, fault);
        if (i % 1000 == 0) { /* nothing runs out here */
            for (unsigned bay = 0; bay < BAYS; bay++)
                world_seat(b->world, bay, bay + 1, WORLD_FILL_MAX);
            world_set_film(b->world, 1000000, 1000000);
        }
        rc = make_pouch(b, &job, &good, err);
        if (rc == 0 && i % PACE == 0 && is_wrong(b, fault, &job)) {
            tally->challenges++;
            tally->caught += !good;
        } else if (rc == 0 && i % PACE == PACE - 1) {
            tally->right++;
            tally->refused += !good;
        }
    }
    return rc;
}

/* ---- telling ---- */

static const char *fault_word(enum world_fault fault)
{
    return scenario_action_words[SCENARIO_FAULTS + fault];
}

static void say(const struct sensing *s, const char *what, const char *sensors, int64_t k, int64_t n,
                const char *unit)
{
    struct sense_interval i = sense_wilson(k, n);
    if (s->json)
        printf("{\"%s\":\"%s\",\"sensors\":\"%s\",\"of\":%" PRId64 ",\"%s\":%" PRId64
               ",\"permille\":%d,\"least\":%d,\"most\":%d}\n",
               what[0] ? "planted" : "right", what[0] ? what : "pouches", sensors, n, unit, k, i.rate,
               i.least, i.most);
    else
        printf("| %s | %s | %" PRId64 " | %" PRId64 " | %d | %d to %d |\n", sensors,
               what[0] ? what : "nothing", n, k, i.rate, i.least, i.most);
}

static int sense(const struct sensing *s, const struct sensors *sensors, struct error *err)
{
    struct tally all = {0};
    for (size_t f = 0; f < PLANTED; f++) {
        struct bench b = {0};
        struct tally tally = {0};
        int rc = open_bench(&b, s, sensors, err);
        if (rc == 0 && sensors->value && !sensors->in_spells)
            world_trouble(b.world, sensors->trouble, 0, sensors->value);
        if (rc == 0)
            rc = challenge(&b, sensors, planted[f], s->challenges, &tally, err);
        world_destroy(b.world);
        if (rc < 0)
            return error_prefix(err, rc, "%s, %s", sensors->name, fault_word(planted[f]));
        say(s, fault_word(planted[f]), sensors->name, tally.caught, tally.challenges, "caught");
        all.right += tally.right;
        all.refused += tally.refused;
    }
    say(s, "", sensors->name, all.refused, all.right, "refused");
    return 0;
}

static int parse(struct sensing *s, int argc, char **argv, const char **ret_file, struct error *err)
{
    for (int i = 0; i < argc; i++) {
        bool seed = strcmp(argv[i], "--seed") == 0;
        if (strcmp(argv[i], "--json") == 0) {
            s->json = true;
        } else if (seed || strcmp(argv[i], "--challenges") == 0) {
            char *end = NULL;
            uint64_t value = i + 1 < argc ? strtoull(argv[i + 1], &end, 10) : 0;
            if (!end || argv[i + 1][0] < '0' || argv[i + 1][0] > '9' || *end != '\0' ||
                (!seed && (value < 1 || value > CHALLENGES_MAX)))
                return error_set(err, E_ARG, "%s: a whole number is needed, of challenges 1 to %d", argv[i],
                                 CHALLENGES_MAX);
            if (seed)
                s->seed = value;
            else
                s->challenges = (int64_t)value;
            i++;
        } else if (argv[i][0] != '-' && !*ret_file) {
            *ret_file = argv[i];
        } else {
            return error_set(err, E_ARG, "%.40s: sense [--challenges N] [--seed N] [--json] [SCENARIO]",
                             argv[i]);
        }
    }
    return 0;
}

int sense_verb(int argc, char **argv, struct error *err)
{
    struct sensing s = {.challenges = CHALLENGES, .seed = 1};
    struct scenario_file *file = NULL;
    const char *path = NULL;
    int rc = parse(&s, argc, argv, &path, err);
    if (rc == 0 && path)
        rc = scenario_load(path, &file, err);
    if (rc < 0)
        return rc;
    s.scenario = file ? scenario_of(file) : NULL;
    if (!s.json)
        printf(
            "Challenge pouches on a simulated machine, seed %" PRIu64
            ": what it does not call good is caught; of right ones, what it does not call good is a false "
            "alarm. Per mille with the 95 %% interval.\n\n"
            "| sensors | planted | pouches | refused | per mille | interval |\n|---|---|---|---|---|---|\n",
            s.seed);
    if (s.scenario) {
        const struct sensors own = {.name = s.scenario->name};
        rc = sense(&s, &own, err);
    }
    for (size_t i = 0; rc == 0 && !s.scenario && i < sizeof all_sensors / sizeof all_sensors[0]; i++)
        rc = sense(&s, &all_sensors[i], err);
    scenario_close(file);
    return rc;
}
