/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/stage/play.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/scenario.h"
#include "controller/pack/batch.h"
#include "controller/pack/withdraw.h"
#include "controller/store/store.h"
#include "hw/machine_codes.h"
#include "hw/packml.h"
#include "hw/sim/director.h"
#include "hw/sim/fit.h"
#include "tools/stage/demo_store.h"
#include "tools/stage/folder.h"
#include "tools/stage/judge.h"
#include "tools/stage/stage.h"
#include "tools/stage/stockroom.h"

_Static_assert((int)SIM_NO_FAULT == (int)SCENARIO_CREW - (int)SCENARIO_LINE_FAULTS, "both from one table");

enum {
    STEPS = 8, /* of the clock between two looks at the store */
    SOAK_STEPS = 1000,
    HOUR_MS = 3600000,
    POUCHES_A_MINUTE = 100,
    WALL_MS = 1000000000,
    LATER_MAX = 32,
    TAIL_MS = 3000,
    ALARMS = 32
};

struct later {
    struct scenario_deed deed;
    int64_t for_us;
};

struct playing {
    const struct scenario *scenario;
    const struct play_options *options;
    struct play_result *out;
    struct stage stage;
    struct director *director;
    struct stockroom stockroom;
    int64_t batch;
    struct later later[LATER_MAX]; /* deeds of line, controller and people that wait for the next round */
    int later_count;
    uint32_t alarms; /* bits of the alarm numbers that were raised */
    int64_t look_ms; /* mechanics' time of the next look at a long run */
    bool called_off; /* a long run is over */
    unsigned visits; /* of a person to a batch that stopped */
};

__attribute__((format(printf, 2, 3))) static void miss(struct playing *p, const char *format, ...)
{
    size_t used = strlen(p->out->why);
    va_list args;
    if (used + 4 >= sizeof p->out->why)
        return;
    if (used > 0) {
        memcpy(p->out->why + used, "; ", 3);
        used += 2;
    }
    va_start(args, format);
    (void)vsnprintf(p->out->why + used, sizeof p->out->why - used, format, args); /* cut: for people */
    va_end(args);
    p->out->passed = false;
}

/* ---- what happens ---- */

static void note_event(void *data, const struct world_event *event)
{
    struct playing *p = data;
    p->out->events++;
    if (p->options->keep_log)
        world_event_write(event, &p->out->log);
    if (strcmp(event->name, "alarm") == 0 && event->value[0].value < ALARMS)
        p->alarms |= 1u << event->value[0].value;
}

static void keep_for_later(void *data, const struct scenario_deed *deed, int64_t for_us)
{
    struct playing *p = data;
    if (p->later_count < LATER_MAX)
        p->later[p->later_count++] = (struct later){.deed = *deed, .for_us = for_us};
}

static int change_store(struct playing *p, const char *sql, struct error *err)
{
    int rc = store_write_begin(p->stage.store, err);
    if (rc == 0)
        rc = store_exec(p->stage.store, err, sql, "");
    if (rc < 0) {
        store_write_rollback(p->stage.store);
        return error_prefix(err, rc, "%s", sql);
    }
    rc = store_write_commit(p->stage.store, err);
    packer_orders(p->stage.packer); /* as sachetd does when the store has changed */
    return rc;
}

static int ask(struct playing *p, int64_t batch, const char *verb, struct error *err)
{
    int64_t command = 0;
    int rc = batch ? batch_ask(p->stage.store, batch, verb, "tech", 3, &command, err)
                   : machine_ask(p->stage.store, DEMO_MACHINE, verb, "tech", 3, &command, err);
    packer_orders(p->stage.packer);
    return rc;
}

/* As a change of the order or a void signature does. */
static int withdraw(struct playing *p, const struct scenario_deed *deed, struct error *err)
{
    struct arena arena;
    struct withdraw_result result;
    const struct withdraw_request request = {.plan = deed->value,
                                             .product = deed->text,
                                             .from_day = CIVIL_DAY_NONE,
                                             .reason = "stopped in a scenario",
                                             .actor = "pharm",
                                             .wall_ms = p->stage.clock.wall_now_ms};
    arena_init(&arena, 0);
    int rc = store_write_begin(p->stage.store, err);
    if (rc == 0)
        rc = batch_withdraw(p->stage.store, &request, &arena, &result, err);
    if (rc == 0)
        rc = store_write_commit(p->stage.store, err);
    else
        store_write_rollback(p->stage.store);
    arena_finish(&arena);
    packer_orders(p->stage.packer);
    return rc;
}

static void rival(struct playing *p)
{
    struct machine_status status;
    world_status(p->stage.world, &status);
    const struct machine_control other = {.nonce = 1, .session = status.session + 1000, .heartbeat = 1};
    (void)world_control(p->stage.world, &other); /* silent without power: then there is nothing to take */
}

/* A person who looks at a bay that is not locked finds nothing to do. */
static int unlock(struct playing *p, int bay, struct error *err)
{
    int rc = bay_unlock(p->stage.store, DEMO_MACHINE, bay, "tech", 3, err);
    return rc == E_NOT_FOUND ? 0 : rc;
}

static int do_later(struct playing *p, const struct later *later, struct error *err)
{
    const struct scenario_deed *deed = &later->deed;
    uint64_t nth = deed->value > 0 ? (uint64_t)deed->value : 1;
    switch ((int)deed->action) {
    case SCENARIO_CREW_KILL:
        return stage_crash(&p->stage, err);
    case SCENARIO_CREW_FREEZE:
        p->stage.frozen_ms = p->stage.clock.mono_now_ms + later->for_us / 1000;
        return 0;
    case SCENARIO_CREW_RIVAL:
        rival(p);
        return 0;
    case SCENARIO_CREW_CLOCK_BACK:
        p->stage.clock.wall_now_ms -= (int64_t)deed->value * 60000;
        return 0;
    case SCENARIO_CREW_ASK_BATCH:
        return ask(p, p->batch, deed->text, err);
    case SCENARIO_CREW_ASK_MACHINE:
        return ask(p, 0, deed->text, err);
    case SCENARIO_CREW_UNLOCK:
        return unlock(p, deed->bay, err);
    case SCENARIO_CREW_REFILL:
        return stockroom_refill(&p->stockroom, deed->bay, (uint16_t)deed->value, err);
    case SCENARIO_CREW_COUNT:
        return stockroom_want_count(&p->stockroom, err);
    case SCENARIO_CREW_WITHDRAW:
        return withdraw(p, deed, err);
    case SCENARIO_CREW_SQL:
        return change_store(p, deed->text, err);
    default:
        sim_machine_fail(p->stage.port, (enum sim_fault)(deed->action - SCENARIO_LINE_FAULTS), nth);
        return 0;
    }
}

static int run_later(struct playing *p, struct error *err)
{
    int rc = 0;
    for (int i = 0; i < p->later_count && rc == 0; i++) {
        struct later later = p->later[i]; /* doing it may add to the list */
        rc = do_later(p, &later, err);
    }
    p->later_count = 0;
    return rc;
}

/* ---- the run ---- */

static void fill_world(struct playing *p, struct world_params *world)
{
    const struct scenario_machine *machine = &p->scenario->machine;
    world_params_default(world, 0);
    world->seed = p->out->seed;
    world->speed = machine->speed;
    world->bays = DEMO_BAYS;
    fit_params(world, machine);
    world->keep_truth = true;
    world->log = note_event;
    world->log_data = p;
}

static void look(struct playing *p, const struct batch_info *info, struct play_look *ret_look)
{
    *ret_look = (struct play_look){.ran_ms = world_now_us(p->stage.world) / 1000,
                                   .good = info->good,
                                   .voids = info->voids,
                                   .crashes = p->stage.crashes,
                                   .boots = world_boots(p->stage.world),
                                   .visits = p->visits,
                                   .truth_bytes = world_truth_bytes(p->stage.world)};
}

/* A batch that stopped for want of an open bay: a person looks at each and starts it again. */
static int visit(struct playing *p, struct error *err)
{
    int rc = 0;
    for (int bay = 0; bay < DEMO_BAYS && rc == 0; bay++)
        rc = unlock(p, bay, err);
    p->visits++;
    return rc < 0 ? rc : ask(p, p->batch, "start", err);
}

/* After the batch was called off nothing is attended any more, but a person still takes out what is in doubt.
 */
static int tidy_up(struct playing *p, struct error *err)
{
    struct machine_status status;
    p->stockroom.wanted = false; /* all is counted at the end */
    world_status(p->stage.world, &status);
    if (status.state != MACHINE_STATE_ABORTED || !world_answers(p->stage.world))
        return 0;
    return ask(p, 0, status.started > status.done ? "confirm" : "clear", err);
}

/* Of a long run: a look each hour, and its end. */
static int watch_soak(struct playing *p, const struct batch_info *info, struct error *err)
{
    struct play_look now;
    look(p, info, &now);
    if (now.ran_ms >= p->look_ms && p->options->each_hour) {
        p->look_ms += HOUR_MS;
        p->options->each_hour(p->options->data, &now);
    }
    if (!p->called_off && strcmp(info->state, "stopped") == 0 && now.ran_ms < p->options->soak_ms)
        return visit(p, err);
    if (p->called_off)
        return tidy_up(p, err);
    if (now.ran_ms < p->options->soak_ms)
        return 0;
    p->called_off = true;
    return ask(p, p->batch, "cancel", err);
}

/* Until the batch rests and nothing is planned any more, and a little longer: nothing may start by itself. */
static int run_to_rest(struct playing *p, struct error *err)
{
    int64_t end_ms = p->stage.clock.mono_now_ms + p->scenario->limit_ms;
    int64_t quiet_ms = 0;
    int steps = p->options->soak_ms ? SOAK_STEPS : STEPS; /* counting a long batch takes its time */
    while (p->stage.clock.mono_now_ms < end_ms) {
        struct batch_info info;
        int rc = 0;
        for (int i = 0; i < steps && rc == 0; i++) {
            rc = run_later(p, err);
            if (rc == 0)
                rc = stage_step(&p->stage, err);
        }
        if (rc == 0)
            rc = stockroom_turn(&p->stockroom, err);
        if (rc == 0)
            rc = batch_get(p->stage.store, p->batch, &info, err);
        if (rc < 0)
            return rc;
        unsigned visits = p->visits;
        bool called_off = p->called_off;
        if (p->options->soak_ms && (rc = watch_soak(p, &info, err)) < 0)
            return rc;
        if (p->visits > visits ||
            p->called_off != called_off) { /* what was seen of the batch was before that */
            quiet_ms = p->stage.clock.mono_now_ms;
            continue;
        }
        bool rests = batch_is_resting(&info) || packer_line_state(p->stage.packer) == LINE_HALTED;
        if (!rests || director_is_busy(p->director) || p->later_count > 0 || p->stockroom.wanted)
            quiet_ms = p->stage.clock.mono_now_ms;
        else if (p->stage.clock.mono_now_ms - quiet_ms >= TAIL_MS)
            return 0;
    }
    miss(p, "not at rest within %" PRId64 " min: %s", p->scenario->limit_ms / 60000,
         packer_note(p->stage.packer));
    return 0;
}

/* ---- what had to come of it ---- */

static bool has_row(struct playing *p, const char *sql, const char *words)
{
    int64_t count = 0;
    char pattern[300];
    (void)snprintf(pattern, sizeof pattern, "%%%s%%", words); /* cut: then it does not match */
    return store_get_int(p->stage.store, &count, NULL, sql, "t", pattern) == 0 && count > 0;
}

static void expect_range(struct playing *p, const char *what, int64_t value, int64_t least, int64_t most)
{
    if (value < least || (most >= 0 && value > most))
        miss(p, "%s: %" PRId64 ", expected %" PRId64 "%s", what, value, value < least ? least : most,
             least == most   ? ""
             : value < least ? " or more"
                             : " or less");
}

static int64_t drift_most(const struct scenario_expect *expect)
{
    return expect->drift_most < 0 ? 0 : expect->drift_most;
}

static void expect_alarms(struct playing *p)
{
    const struct scenario_expect *e = &p->scenario->expect;
    for (int i = 0; i < e->alarm_count; i++) {
        unsigned n = 0;
        while (strcmp(scenario_alarms[n], e->alarms[i]) != 0) /* checked when it was read */
            n++;
        if (!(p->alarms >> n & 1))
            miss(p, "alarm %s was not raised", e->alarms[i]);
        else if (n != MACHINE_ALARM_CONTROLLER_SILENT && /* it is over before a controller can see it */
                 !has_row(p, "SELECT count(*) FROM alarm WHERE text LIKE ?", machine_alarm_text(n)))
            miss(p, "alarm %s is not in the store", e->alarms[i]);
    }
    for (int i = 0; i < e->reason_count; i++) {
        if (!has_row(p, "SELECT count(*) FROM fill WHERE state = 'void' AND reason LIKE ?", e->reasons[i]))
            miss(p, "no void pouch because of '%s'", e->reasons[i]);
    }
    if (e->blocked[0] &&
        !has_row(p, "SELECT count(*) FROM job WHERE state = 'blocked' AND note LIKE ?", e->blocked))
        miss(p, "no pouch is blocked because of '%s'", e->blocked);
}

static int expect_end(struct playing *p, struct error *err)
{
    const struct scenario_expect *e = &p->scenario->expect;
    struct batch_info info;
    struct machine_status status;
    int64_t fills = 0;
    int rc = batch_get(p->stage.store, p->batch, &info, err);
    if (rc == 0)
        rc = store_get_int(p->stage.store, &fills, err, "SELECT count(*) FROM fill", "");
    if (rc < 0)
        return rc;
    world_status(p->stage.world, &status);
    look(p, &info, &p->out->end);
    if (strcmp(info.state, e->batch) != 0)
        miss(p, "the batch is %s (%s), expected %s", info.state, info.note, e->batch);
    if (!strstr(info.note, e->note))
        miss(p, "the batch says '%s', expected '%s'", info.note, e->note);
    if (e->good >= 0)
        expect_range(p, "good", p->out->good, e->good, e->good);
    expect_range(p, "void", p->out->voids, e->voids_least, e->voids_most);
    expect_range(p, "numbers given out", fills, 0, e->fills_most);
    expect_range(p, "slips", p->out->slips, e->slips, e->slips);
    expect_range(p, "pieces of stock drift", p->out->drift, 0, drift_most(e));
    if (e->state[0] && strcmp(e->state, machine_state_name(status.state)) != 0)
        miss(p, "the machine is %s, expected %s", machine_state_name(status.state), e->state);
    bool halted = packer_line_state(p->stage.packer) == LINE_HALTED;
    if (halted != e->halted)
        miss(p, halted ? "the line has halted: %s" : "the line goes on%s",
             halted ? packer_note(p->stage.packer) : "");
    expect_alarms(p);
    int unseen =
        p->options->soak_ms ? -1 : director_first_unseen(p->director); /* by chance, not all happen */
    if (unseen >= 0)
        miss(p, "event %d of the scenario never happened", unseen + 1);
    return 0;
}

/* Where somebody counts, the books must have begun right. */
static bool books_begin_true(const struct scenario *scenario)
{
    for (int i = 0; i < scenario->event_count; i++) {
        if (scenario->events[i].deed.action == SCENARIO_CREW_COUNT)
            return true;
    }
    return false;
}

/* Somebody counts: the books were wrong by no more than they said, and are right now. */
static int judge_count(struct playing *p, const struct judge_case *c, struct error *err)
{
    struct judgement after;
    int64_t under_way = 0;
    int rc = store_get_int(p->stage.store, &under_way, err,
                           "SELECT count(*) FROM fill WHERE state = 'intended'", "");
    if (rc < 0 || under_way > 0 || !books_begin_true(p->scenario))
        return rc;
    rc = stockroom_count(&p->stockroom, err);
    if (rc == 0)
        rc = judge(c, &after, err);
    if (rc < 0)
        return rc;
    if (after.beyond > 0 || after.doubt > 0)
        miss(p,
             "after everything was counted, books and truth differ by %" PRId64
             " pieces within doubts of %" PRId64,
             after.beyond, after.doubt);
    judge_finish(&after);
    p->out->counts = p->stockroom.counts;
    p->out->corrected = p->stockroom.corrected;
    if (p->stockroom.unexplained > 0)
        miss(p,
             "%" PRId64
             " pieces were missing or too many when canisters were counted: no doubt explains them",
             p->stockroom.unexplained);
    return 0;
}

static int judge_end(struct playing *p, struct error *err)
{
    struct machine_identity identity;
    struct judgement judgement;
    world_identity(p->stage.world, &identity);
    if (p->options->falsify) {
        int rc = change_store(p, p->options->falsify, err);
        if (rc < 0)
            return rc;
    }
    const struct judge_case c = {.store = p->stage.store,
                                 .world = p->stage.world,
                                 .serial = identity.serial,
                                 .batch = p->batch,
                                 .complete = strcmp(p->scenario->expect.batch, "done") == 0,
                                 .open = strcmp(p->scenario->expect.batch, "stopped") == 0};
    int rc = judge(&c, &judgement, err);
    p->out->jobs = judgement.jobs;
    p->out->good = judgement.good;
    p->out->voids = judgement.voids;
    p->out->slips = judgement.slips;
    p->out->drift = judgement.drift;
    p->out->beyond = judgement.beyond;
    p->out->doubt = judgement.doubt;
    if (judgement.findings > 0 || judgement.slips != p->scenario->expect.slips ||
        judgement.drift > drift_most(&p->scenario->expect)) {
        char first[300];
        (void)snprintf(first, sizeof first, "%s", buf_string(&judgement.text)); /* cut: the first ones */
        for (char *at = strchr(first, '\n'); at; at = strchr(at, '\n'))
            *at = at[1] ? ';' : '\0';
        miss(p, "judge: %" PRId64 " findings, %" PRId64 " slips: %s", judgement.findings, judgement.slips,
             first);
    }
    judge_finish(&judgement);
    return rc == 0 ? judge_count(p, &c, err) : rc;
}

static int perform(struct playing *p, const char *store_path, struct error *err)
{
    struct world_params world;
    fill_world(p, &world);
    const struct stage_params params = {.store_path = store_path,
                                        .machine = DEMO_MACHINE,
                                        .world = &world,
                                        .attend = p->scenario->attend,
                                        .panel = p->scenario->machine.panel,
                                        .wall_ms = WALL_MS,
                                        .wrap = p->options->wrap,
                                        .wrap_data = p->options->wrap_data};
    int patients = p->scenario->patients, days = p->scenario->days;
    if (p->options->soak_ms)
        patients = (int)(p->options->soak_ms / 60000 * POUCHES_A_MINUTE / (days * DEMO_POUCHES_A_DAY)) + 1;
    p->look_ms = HOUR_MS;
    int rc = demo_store_copy(store_path, patients, days, err);
    if (rc == 0)
        rc = stage_init(&p->stage, &params, err);
    if (rc < 0)
        return rc;
    p->stockroom.stage = &p->stage;
    if (books_begin_true(p->scenario))
        rc = stockroom_begin(&p->stockroom, err);
    if (rc < 0) {
        stage_finish(&p->stage);
        return rc;
    }
    p->director = director_create(p->scenario, p->out->seed, p->stage.world, keep_for_later, p, err);
    rc = p->director ? demo_store_batch(p->stage.store, &p->batch, err) : err->code;
    p->stockroom.batch = p->batch;
    if (rc == 0) {
        packer_orders(p->stage.packer);
        rc = run_to_rest(p, err);
    }
    if (rc == 0)
        rc = judge_end(p, err);
    if (rc == 0)
        rc = expect_end(p, err);
    p->out->ran_ms = p->stage.clock.mono_now_ms - STAGE_START_MS;
    if (p->stage.port)
        p->out->requests = sim_machine_requests(p->stage.port);
    director_destroy(p->director);
    stage_finish(&p->stage);
    return rc;
}

int play(const struct scenario *scenario, const struct play_options *options, struct play_result *ret_result,
         struct error *err)
{
    static const struct play_options none;
    struct playing p = {.scenario = scenario, .options = options ? options : &none, .out = ret_result};
    struct folder folder;
    char path[FOLDER_PATH_BYTES];
    *ret_result = (struct play_result){.passed = true, .seed = scenario->seed};
    if (options && options->other_seed)
        ret_result->seed = options->seed;
    buf_init(&ret_result->log);
    int rc = folder_make(&folder, err);
    if (rc == 0)
        rc = perform(&p, folder_path(&folder, "sachet.db", path), err);
    folder_remove(&folder);
    return rc;
}

void play_finish(struct play_result *result)
{
    buf_finish(&result->log);
}
