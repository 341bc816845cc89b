/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/wrap/faulty.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "hw/machine.h"

struct waiting {
    struct machine_request request;
    int64_t submitted_ms;
    bool called_off; /* by make_safe */
};

struct faulty {
    struct machine machine; /* first: the port's pointer is ours */
    struct machine *inner;
    struct clock *clock;
    uint32_t deadline_ms;
    struct waiting queue[MACHINE_QUEUE]; /* oldest first */
    unsigned queued;

    /* Of queue[0]. */
    bool begun;
    bool settled; /* answer and due_ms are decided */
    bool lose_answer, damage_answer;
    struct machine_answer answer;
    int64_t due_ms;

    uint32_t inner_id; /* of the request behind; another one is a repeated one's second answer */
    bool linked;
    uint64_t requests;
    struct machine_counters counters; /* of our own faults */
    struct {
        uint64_t at;
        enum fault fault;
    } faults[FAULTY_FAULTS_MAX];
    unsigned fault_count;
};

static struct faulty *faulty_of(struct machine *machine)
{
    return (struct faulty *)machine; /* it is the first member */
}

static bool take_fault(struct faulty *f, enum fault *ret_fault)
{
    for (unsigned i = 0; i < f->fault_count; i++) {
        if (f->faults[i].at != f->requests)
            continue;
        *ret_fault = f->faults[i].fault;
        f->faults[i] = f->faults[--f->fault_count];
        return true;
    }
    return false;
}

static int64_t deadline_of(const struct faulty *f)
{
    uint32_t ms = f->queue[0].request.deadline_ms ? f->queue[0].request.deadline_ms : f->deadline_ms;
    return f->queue[0].submitted_ms + ms;
}

static void settle(struct faulty *f, enum machine_did did, int code, int64_t due_ms)
{
    const struct machine_request *request = &f->queue[0].request;
    f->answer = (struct machine_answer){.kind = request->kind, .id = request->id, .did = did, .code = code};
    f->due_ms = due_ms;
    f->settled = true;
    if (error_class_of(code) == ERROR_CLASS_LINK)
        f->linked = false;
    f->counters.timeouts += code == E_TIMEOUT;
    f->counters.frame_errors += code == E_FRAME;
    f->counters.exceptions += code == E_DEVICE;
}

/* To the port behind, which has room: only its own repeated requests wait there. */
static void forward(struct faulty *f, unsigned times)
{
    struct machine_request request = f->queue[0].request;
    struct error err = {0};
    for (unsigned i = 0; i < times; i++) {
        request.id = i == 0 ? ++f->inner_id : 0; /* 0: a second answer that nobody waits for */
        if (machine_submit(f->inner, &request, &err) < 0 && i == 0)
            settle(f, MACHINE_NOT_DONE, err.code, clock_mono_ms(f->clock));
    }
}

/* Decides what becomes of queue[0]. */
static void begin(struct faulty *f)
{
    int64_t now_ms = clock_mono_ms(f->clock);
    bool connects = f->queue[0].request.kind == MACHINE_IDENTIFY;
    enum fault fault = FAULT_REFUSE;
    f->begun = true;
    f->settled = f->lose_answer = f->damage_answer = false;
    if (f->queue[0].called_off) {
        settle(f, MACHINE_NOT_DONE, E_STATE, now_ms);
        return;
    }
    if (!connects && !f->linked) {
        settle(f, MACHINE_NOT_DONE, E_LINK, now_ms);
        return;
    }
    f->requests++;
    if (!take_fault(f, &fault)) {
        forward(f, 1);
        return;
    }
    switch (fault) {
    case FAULT_LOSE_REQUEST:
        settle(f, connects ? MACHINE_NOT_DONE : MACHINE_UNKNOWN, E_TIMEOUT, deadline_of(f));
        break;
    case FAULT_RESET_LINK:
        settle(f, connects ? MACHINE_NOT_DONE : MACHINE_UNKNOWN, E_LINK, now_ms);
        break;
    case FAULT_REFUSE:
        settle(f, MACHINE_NOT_DONE, E_DEVICE, now_ms);
        break;
    case FAULT_LOSE_ANSWER:
    case FAULT_DAMAGE_ANSWER:
        f->lose_answer = fault == FAULT_LOSE_ANSWER;
        f->damage_answer = fault == FAULT_DAMAGE_ANSWER;
        forward(f, 1);
        break;
    case FAULT_REPEAT_REQUEST:
        forward(f, 2);
        break;
    }
}

/* The answer from behind, or what the fault makes of it. */
static void take_answer(struct faulty *f, const struct machine_answer *answer)
{
    const struct machine_request *request = &f->queue[0].request;
    int64_t now_ms = clock_mono_ms(f->clock);
    if (f->lose_answer) {
        settle(f, MACHINE_UNKNOWN, E_TIMEOUT, deadline_of(f) > now_ms ? deadline_of(f) : now_ms);
        return;
    }
    if (f->damage_answer) {
        settle(f, MACHINE_UNKNOWN, E_FRAME, now_ms);
        return;
    }
    f->answer = *answer;
    f->answer.id = request->id;
    f->due_ms = now_ms;
    f->settled = true;
    if (answer->code != 0 && error_class_of(answer->code) == ERROR_CLASS_LINK)
        f->linked = false;
    else if (request->kind == MACHINE_IDENTIFY && answer->code == 0)
        f->linked = true;
}

static int faulty_check(struct machine *machine, const struct machine_request *request, struct error *err)
{
    return machine_check(faulty_of(machine)->inner, request, err);
}

static int faulty_submit(struct machine *machine, const struct machine_request *request, struct error *err)
{
    struct faulty *f = faulty_of(machine);
    if (f->queued == MACHINE_QUEUE)
        return error_set(err, E_LIMIT, "the line has %d requests outstanding already", MACHINE_QUEUE);
    f->queue[f->queued++] = (struct waiting){.request = *request, .submitted_ms = clock_mono_ms(f->clock)};
    if (f->queued == 1)
        begin(f);
    return 0;
}

static bool faulty_poll(struct machine *machine, struct machine_answer *ret_answer)
{
    struct faulty *f = faulty_of(machine);
    struct machine_answer answer;
    if (machine_poll(f->inner, &answer) && f->queued > 0 && !f->settled && answer.id == f->inner_id)
        take_answer(f, &answer);
    if (f->queued == 0 || !f->settled || f->due_ms > clock_mono_ms(f->clock))
        return false;
    *ret_answer = f->answer;
    ret_answer->took_ms = (uint32_t)(clock_mono_ms(f->clock) - f->queue[0].submitted_ms);
    memmove(&f->queue[0], &f->queue[1], --f->queued * sizeof f->queue[0]);
    f->begun = f->settled = false;
    if (f->queued > 0)
        begin(f);
    return true;
}

static int faulty_fd(struct machine *machine)
{
    (void)machine; /* our own answers come by time */
    return -1;
}

static void faulty_make_safe(struct machine *machine)
{
    struct faulty *f = faulty_of(machine);
    for (unsigned i = f->begun ? 1 : 0; i < f->queued; i++)
        f->queue[i].called_off = true;
    machine_make_safe(f->inner);
}

static void faulty_counters(struct machine *machine, struct machine_counters *ret_counters)
{
    const struct faulty *f = faulty_of(machine);
    machine_counters(f->inner, ret_counters);
    ret_counters->timeouts += f->counters.timeouts;
    ret_counters->frame_errors += f->counters.frame_errors;
    ret_counters->exceptions += f->counters.exceptions;
}

static void faulty_destroy(struct machine *machine)
{
    machine_destroy(faulty_of(machine)->inner);
    free(machine);
}

static const struct machine_ops faulty_ops = {
    .name = "faulty",
    .check = faulty_check,
    .submit = faulty_submit,
    .poll = faulty_poll,
    .fd = faulty_fd,
    .make_safe = faulty_make_safe,
    .counters = faulty_counters,
    .destroy = faulty_destroy,
};

struct machine *faulty_create(struct machine *inner, struct clock *clock, uint32_t deadline_ms,
                              struct error *err)
{
    struct faulty *f = calloc(1, sizeof *f);
    if (!f) {
        error_set(err, E_MEMORY, "no memory for a faulty line");
        return NULL;
    }
    f->machine.ops = &faulty_ops;
    f->inner = inner;
    f->clock = clock;
    f->deadline_ms = deadline_ms;
    return &f->machine;
}

void faulty_fail(struct machine *machine, enum fault fault, uint64_t nth)
{
    struct faulty *f = faulty_of(machine);
    assert(f->fault_count < FAULTY_FAULTS_MAX && nth > 0);
    f->faults[f->fault_count].at = f->requests + nth;
    f->faults[f->fault_count++].fault = fault;
}

uint64_t faulty_requests(const struct machine *machine)
{
    return ((const struct faulty *)machine)->requests;
}
