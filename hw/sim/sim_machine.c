/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/sim_machine.h"

#include <assert.h>
#include <stdlib.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "hw/machine.h"
#include "hw/sim/world.h"

enum { DEADLINE_DEFAULT_MS = 500, MAP_VERSION = 1 };

struct waiting {
    struct machine_request request;
    int64_t submitted_ms;
    bool called_off; /* by make_safe */
};

struct sim_machine {
    struct machine machine; /* first: the port's pointer is ours */
    struct sim_machine_params params;
    struct waiting queue[MACHINE_QUEUE]; /* oldest first */
    unsigned queued;
    bool on_line; /* queue[0] has left: its fate is decided */
    int64_t answer_due_ms;
    struct machine_answer answer; /* of queue[0], once it is on the line */
    int64_t free_ms;              /* the line is free from then on */
    bool linked;
    uint32_t boots; /* of the world when the link was made */
    uint32_t session;
    uint16_t heartbeat; /* last one written: making safe must not feed the watchdog */
    bool dead;          /* half open: silent until the next connection */
    struct machine_counters counters;
    struct line_faults faults;
};

static struct sim_machine *sim_of(struct machine *machine)
{
    return (struct sim_machine *)machine; /* it is the first member */
}

static int sim_check(struct machine *machine, const struct machine_request *request, struct error *err)
{
    struct machine_identity identity;
    world_identity(sim_of(machine)->params.world, &identity);
    if (request->kind == MACHINE_READ_BAYS && request->bay >= identity.bays)
        return error_set(err, E_LIMIT, "bay %u: this machine has %u", request->bay, identity.bays);
    for (unsigned i = 0; request->kind == MACHINE_PUT_JOB && i < request->job.entry_count; i++) {
        if (request->job.entries[i].bay >= identity.bays)
            return error_set(err, E_LIMIT, "job %u: bay %u: this machine has %u", request->job.seq,
                             request->job.entries[i].bay, identity.bays);
    }
    return 0;
}

static int sim_submit(struct machine *machine, const struct machine_request *request, struct error *err)
{
    struct sim_machine *sim = sim_of(machine);
    if (sim->queued == MACHINE_QUEUE)
        return error_set(err, E_LIMIT, "the line has %d requests outstanding already", MACHINE_QUEUE);
    sim->queue[sim->queued++] =
        (struct waiting){.request = *request, .submitted_ms = clock_mono_ms(sim->params.clock)};
    return 0;
}

/* ---- one request at the machine ---- */

static int reply_code(struct sim_machine *sim, enum world_reply reply)
{
    struct machine_status status;
    switch (reply) {
    case WORLD_TAKEN:
        return 0;
    case WORLD_BAD_VALUE:
        return E_DEVICE;
    case WORLD_FENCED: /* a fence only if a newer session owns the machine, as over a wire */
        world_status(sim->params.world, &status);
        return status.session > sim->session ? E_FENCED : E_DEVICE;
    case WORLD_SILENT:
        return E_TIMEOUT;
    }
    return E_TIMEOUT;
}

static void read_bays(struct world *world, uint16_t first, struct machine_answer *answer)
{
    struct machine_identity identity;
    world_identity(world, &identity);
    answer->bays.first = first;
    answer->bays.count = 0;
    for (unsigned bay = first; bay < identity.bays && answer->bays.count < MACHINE_BAYS_PER_READ; bay++)
        world_bay(world, bay, &answer->bays.rows[answer->bays.count++]);
}

static void read_result(struct world *world, uint32_t seq, struct machine_answer *answer)
{
    struct machine_identity identity;
    world_identity(world, &identity);
    world_result(world, seq % identity.ring_size, &answer->result);
    if (answer->result.seq != seq)
        answer->code = E_NOT_FOUND;
}

/* What the machine does with the request; the code of an answer that got through. */
static void perform(struct sim_machine *sim, const struct machine_request *request,
                    struct machine_answer *answer)
{
    struct world *world = sim->params.world;
    switch (request->kind) {
    case MACHINE_IDENTIFY:
        world_identity(world, &answer->identity);
        if (answer->identity.map_version != (sim->params.map_version ? sim->params.map_version : MAP_VERSION))
            answer->code = E_MISMATCH;
        break;
    case MACHINE_READ_STATUS:
        world_status(world, &answer->status);
        break;
    case MACHINE_CONTROL:
        sim->session = request->control.session;
        sim->heartbeat = request->control.heartbeat;
        answer->code = reply_code(sim, world_control(world, &request->control));
        break;
    case MACHINE_PUT_JOB:
        answer->code = reply_code(sim, world_put(world, &request->job, sim->session));
        break;
    case MACHINE_READ_RESULT:
        read_result(world, request->seq, answer);
        break;
    case MACHINE_READ_BAYS:
        read_bays(world, request->bay, answer);
        break;
    }
}

/* ---- the line ---- */

static int64_t deadline_ms(const struct sim_machine *sim, const struct waiting *waiting)
{
    uint32_t ms = waiting->request.deadline_ms ? waiting->request.deadline_ms : sim->params.deadline_ms;
    return waiting->submitted_ms + ms;
}

static void settle_answer(struct sim_machine *sim, enum machine_did did, int code, int64_t due_ms)
{
    sim->answer.did = did;
    sim->answer.code = code;
    sim->answer_due_ms = due_ms;
    sim->on_line = true;
    if (code != 0 && error_class_of(code) == ERROR_CLASS_LINK) {
        sim->linked = false;
        if (code == E_TIMEOUT)
            sim->counters.timeouts++;
    } else if (code == E_DEVICE || code == E_FENCED) {
        sim->counters.exceptions++;
    }
}

/* Decides what becomes of queue[0], at the instant at which it reaches the machine. */
static void put_on_line(struct sim_machine *sim, int64_t at_ms)
{
    const struct waiting *waiting = &sim->queue[0];
    const struct machine_request *request = &waiting->request;
    struct world *world = sim->params.world;
    sim->answer = (struct machine_answer){.kind = request->kind, .id = request->id};
    if (waiting->called_off) {
        settle_answer(sim, MACHINE_NOT_DONE, E_STATE, at_ms);
        return;
    }
    bool connects = request->kind == MACHINE_IDENTIFY;
    if (!connects && !sim->linked) {
        settle_answer(sim, MACHINE_NOT_DONE, E_LINK, at_ms);
        return;
    }
    if (at_ms > deadline_ms(sim, waiting)) {
        settle_answer(sim, MACHINE_NOT_DONE, E_TIMEOUT, at_ms);
        return;
    }
    sim->counters.requests++;
    enum sim_fault fault = line_faults_next(&sim->faults);
    if (connects && (!world_answers(world) || fault == SIM_RESET_LINK)) {
        settle_answer(sim, MACHINE_NOT_DONE, E_LINK, at_ms);
        return;
    }
    if (connects) {
        sim->linked = true;
        sim->dead = false;
        sim->boots = world_boots(world);
        sim->session = 0;
        sim->counters.reconnects++;
    }
    if (fault == SIM_RESET_LINK || sim->boots != world_boots(world)) {
        settle_answer(sim, MACHINE_UNKNOWN, E_LINK, at_ms);
        return;
    }
    sim->dead = sim->dead || fault == SIM_HALF_OPEN;
    if (!world_answers(world) || sim->dead || fault == SIM_LOSE_REQUEST) {
        settle_answer(sim, MACHINE_UNKNOWN, E_TIMEOUT, deadline_ms(sim, waiting));
        return;
    }
    if (fault == SIM_BUSY || fault == SIM_GATEWAY) {
        settle_answer(sim, MACHINE_NOT_DONE, E_DEVICE, at_ms);
        return;
    }
    if (fault == SIM_TEAR_REQUEST) {
        if (request->kind == MACHINE_PUT_JOB)
            world_put_torn(world);
        bool ignored = request->kind == MACHINE_PUT_JOB;
        settle_answer(sim, ignored ? MACHINE_DONE : MACHINE_UNKNOWN, ignored ? 0 : E_FRAME, at_ms);
        return;
    }
    perform(sim, request, &sim->answer);
    if (fault == SIM_REPEAT_REQUEST && world_answers(world))
        perform(sim, request, &sim->answer);
    int code = sim->answer.code;
    if (fault == SIM_TEAR_ANSWER || fault == SIM_WRONG_ID)
        settle_answer(sim, MACHINE_UNKNOWN, E_FRAME, at_ms);
    else if (code == E_TIMEOUT || fault == SIM_LOSE_ANSWER || fault == SIM_LATE_ANSWER)
        settle_answer(sim, MACHINE_UNKNOWN, E_TIMEOUT, deadline_ms(sim, waiting));
    else
        settle_answer(sim, code == 0 || code == E_NOT_FOUND ? MACHINE_DONE : MACHINE_NOT_DONE, code, at_ms);
}

static void advance_world(struct sim_machine *sim, int64_t ms)
{
    world_advance(sim->params.world, ms * 1000);
}

static int64_t reach_ms(const struct sim_machine *sim)
{
    const struct waiting *waiting = &sim->queue[0];
    int64_t begin_ms = waiting->submitted_ms > sim->free_ms ? waiting->submitted_ms : sim->free_ms;
    return begin_ms + sim->params.answer_ms;
}

static bool sim_poll(struct machine *machine, struct machine_answer *ret_answer)
{
    struct sim_machine *sim = sim_of(machine);
    int64_t now_ms = clock_mono_ms(sim->params.clock);
    bool answered = false;
    if (sim->queued > 0 && !sim->on_line && reach_ms(sim) <= now_ms) {
        int64_t at_ms = reach_ms(sim);
        advance_world(sim, at_ms);
        put_on_line(sim, at_ms);
    }
    if (sim->queued > 0 && sim->on_line && sim->answer_due_ms <= now_ms) {
        struct waiting *waiting = &sim->queue[0];
        sim->answer.took_ms = (uint32_t)(sim->answer_due_ms - waiting->submitted_ms);
        if (sim->answer.took_ms > sim->counters.worst_ms)
            sim->counters.worst_ms = sim->answer.took_ms;
        *ret_answer = sim->answer;
        sim->free_ms = sim->answer_due_ms;
        sim->on_line = false;
        sim->queued--;
        for (unsigned i = 0; i < sim->queued; i++)
            sim->queue[i] = sim->queue[i + 1];
        answered = true;
    }
    /* With an answer in hand the world waits, so that the next request still meets it at its own instant. */
    if (!answered)
        advance_world(sim, now_ms);
    return answered;
}

static int sim_fd(struct machine *machine)
{
    (void)machine; /* a virtual clock wakes nobody */
    return -1;
}

static void sim_make_safe(struct machine *machine)
{
    struct sim_machine *sim = sim_of(machine);
    for (unsigned i = sim->on_line ? 1 : 0; i < sim->queued; i++)
        sim->queue[i].called_off = true;
    struct world *world = sim->params.world;
    if (!sim->linked || sim->session == 0 || !world_answers(world) || sim->boots != world_boots(world))
        return;
    struct machine_status status;
    world_status(world, &status);
    const struct machine_control control = {.nonce = status.nonce,
                                            .session = sim->session,
                                            .heartbeat = sim->heartbeat,
                                            .command = MACHINE_COMMAND_SUSPEND,
                                            .command_seq = (uint16_t)(status.command_seq + 1),
                                            .retire = status.retired};
    (void)world_control(world, &control); /* refused where nothing runs: as safe as it can be */
}

static void sim_counters(struct machine *machine, struct machine_counters *ret_counters)
{
    *ret_counters = sim_of(machine)->counters;
}

static void sim_destroy(struct machine *machine)
{
    free(sim_of(machine));
}

static const struct machine_ops sim_ops = {
    .name = "simulator",
    .check = sim_check,
    .submit = sim_submit,
    .poll = sim_poll,
    .fd = sim_fd,
    .make_safe = sim_make_safe,
    .counters = sim_counters,
    .destroy = sim_destroy,
};

struct machine *sim_machine_create(const struct sim_machine_params *params, struct error *err)
{
    struct sim_machine *sim = calloc(1, sizeof *sim);
    if (!sim) {
        error_set(err, E_MEMORY, "no memory for a simulated line");
        return NULL;
    }
    sim->machine.ops = &sim_ops;
    sim->params = *params;
    if (sim->params.deadline_ms == 0)
        sim->params.deadline_ms = DEADLINE_DEFAULT_MS;
    return &sim->machine;
}

void sim_machine_fail(struct machine *machine, enum sim_fault fault, uint64_t nth)
{
    (void)line_faults_plan(&sim_of(machine)->faults, fault, nth); /* beyond the bound it does not happen */
}

void sim_machine_plug(struct machine *machine, struct world *world)
{
    struct sim_machine *sim = sim_of(machine);
    sim->params.world = world;
    sim->linked = false;
}

uint64_t sim_machine_requests(const struct machine *machine)
{
    return ((const struct sim_machine *)machine)->faults.requests;
}

int64_t sim_machine_next_due_ms(const struct machine *machine)
{
    const struct sim_machine *sim = (const struct sim_machine *)machine;
    int64_t due_us = world_next_due_us(sim->params.world);
    int64_t due_ms = due_us == INT64_MAX ? INT64_MAX : (due_us + 999) / 1000;
    if (sim->queued > 0) {
        int64_t answer_ms = sim->on_line ? sim->answer_due_ms : reach_ms(sim);
        due_ms = answer_ms < due_ms ? answer_ms : due_ms;
    }
    return due_ms;
}
