/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner's side of a Modbus line: two bounded queues under one lock, and the thread that empties the one
 * and fills the other. What belongs to the thread alone is struct line.
 */
#include "hw/modbus/modbus_machine.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "hw/modbus/line_private.h"
#include "hw/modbus/map.h"

struct waiting {
    struct machine_request request;
    int64_t submitted_ms;
    bool called_off; /* by make_safe */
};

struct modbus_machine {
    struct machine machine; /* first: the port's pointer is ours */
    struct clock *clock;
    uint32_t deadline_ms; /* of requests that name none; 0: none */
    int answer_fd;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock; /* over everything from here to `line` */
    pthread_cond_t work;
    bool stop;
    bool make_safe;
    struct waiting requests[MACHINE_QUEUE]; /* rings */
    unsigned request_first, request_count;
    struct machine_answer answers[MACHINE_QUEUE];
    unsigned answer_first, answer_count;
    unsigned outstanding; /* submitted and not yet polled */
    uint16_t bays;        /* of the machine at the other end; 0: not known yet */
    struct machine_counters counters;

    struct line line; /* the thread's alone */
};

static struct modbus_machine *modbus_of(struct machine *machine)
{
    return (struct modbus_machine *)machine; /* it is the first member */
}

/* ---- the line's thread ---- */

static void push_answer(struct modbus_machine *m, const struct machine_answer *answer)
{
    assert(m->answer_count < MACHINE_QUEUE);
    m->answers[(m->answer_first + m->answer_count++) % MACHINE_QUEUE] = *answer;
    uint64_t one = 1;
    ssize_t written = write(m->answer_fd, &one, sizeof one);
    assert(written == sizeof one); /* an eventfd that is drained whenever the queue is empty cannot be full */
    (void)written;
}

/* The wait that the request's deadline leaves for the wire; negative: it is over. */
static int64_t wait_ms_of(const struct modbus_machine *m, const struct waiting *waiting)
{
    int64_t most_ms = m->line.profile.response_timeout_ms;
    int64_t deadline_ms = waiting->request.deadline_ms ? waiting->request.deadline_ms : m->deadline_ms;
    if (deadline_ms == 0)
        return most_ms;
    int64_t left_ms = waiting->submitted_ms + deadline_ms - clock_mono_ms(m->clock);
    return left_ms < most_ms ? left_ms : most_ms;
}

static void answer_request(struct modbus_machine *m, const struct waiting *waiting,
                           struct machine_answer *answer)
{
    *answer = (struct machine_answer){
        .kind = waiting->request.kind, .id = waiting->request.id, .did = MACHINE_NOT_DONE};
    int64_t wait_ms = wait_ms_of(m, waiting);
    if (waiting->called_off) {
        answer->code = E_STATE;
    } else if (wait_ms <= 0) {
        wire_close(&m->line.wire);
        answer->code = E_TIMEOUT;
        m->line.counters.timeouts++;
    } else {
        line_perform(&m->line, &waiting->request, (uint32_t)wait_ms, answer);
    }
    answer->took_ms = (uint32_t)(clock_mono_ms(m->clock) - waiting->submitted_ms);
}

static void *run_line(void *data)
{
    struct modbus_machine *m = data;
    pthread_mutex_lock(&m->lock);
    while (!m->stop) {
        if (m->make_safe) {
            m->make_safe = false;
            pthread_mutex_unlock(&m->lock);
            line_suspend(&m->line);
            pthread_mutex_lock(&m->lock);
            continue;
        }
        if (m->request_count == 0) {
            pthread_cond_wait(&m->work, &m->lock);
            continue;
        }
        struct waiting waiting = m->requests[m->request_first];
        m->request_first = (m->request_first + 1) % MACHINE_QUEUE;
        m->request_count--;
        pthread_mutex_unlock(&m->lock);
        struct machine_answer answer;
        answer_request(m, &waiting, &answer);
        pthread_mutex_lock(&m->lock);
        uint32_t worst_ms = m->counters.worst_ms;
        m->counters = m->line.counters;
        m->counters.worst_ms = answer.took_ms > worst_ms ? answer.took_ms : worst_ms;
        if (answer.kind == MACHINE_IDENTIFY && answer.code == 0)
            m->bays = answer.identity.bays;
        push_answer(m, &answer);
    }
    pthread_mutex_unlock(&m->lock);
    wire_close(&m->line.wire);
    return NULL;
}

/* ---- the owner's calls ---- */

static int modbus_check(struct machine *machine, const struct machine_request *request, struct error *err)
{
    struct modbus_machine *m = modbus_of(machine);
    if (request->kind != MACHINE_PUT_JOB && request->kind != MACHINE_READ_BAYS)
        return 0;
    pthread_mutex_lock(&m->lock);
    uint16_t bays = m->bays ? m->bays : MACHINE_BAYS_MAX;
    pthread_mutex_unlock(&m->lock);
    if (request->kind == MACHINE_READ_BAYS)
        return request->bay < bays
                   ? 0
                   : error_set(err, E_LIMIT, "bay %u: this machine has %u", request->bay, bays);
    const struct machine_job *job = &request->job;
    for (unsigned i = 0; i < job->entry_count; i++) {
        if (job->entries[i].bay >= bays)
            return error_set(err, E_LIMIT, "job %u: bay %u: this machine has %u", job->seq,
                             job->entries[i].bay, bays);
    }
    uint16_t registers[MAP_BLOCK_MAX];
    return map_encode_mailbox(&m->line.profile, job, 1, registers,
                              err); /* the profile never changes: no lock */
}

static int modbus_submit(struct machine *machine, const struct machine_request *request, struct error *err)
{
    struct modbus_machine *m = modbus_of(machine);
    pthread_mutex_lock(&m->lock);
    bool full = m->outstanding == MACHINE_QUEUE;
    if (!full) {
        m->outstanding++;
        m->requests[(m->request_first + m->request_count++) % MACHINE_QUEUE] =
            (struct waiting){.request = *request, .submitted_ms = clock_mono_ms(m->clock)};
        pthread_cond_signal(&m->work);
    }
    pthread_mutex_unlock(&m->lock);
    if (full)
        return error_set(err, E_LIMIT, "the line has %d requests outstanding already", MACHINE_QUEUE);
    return 0;
}

static bool modbus_poll(struct machine *machine, struct machine_answer *ret_answer)
{
    struct modbus_machine *m = modbus_of(machine);
    pthread_mutex_lock(&m->lock);
    bool answered = m->answer_count > 0;
    if (answered) {
        *ret_answer = m->answers[m->answer_first];
        m->answer_first = (m->answer_first + 1) % MACHINE_QUEUE;
        m->outstanding--;
        if (--m->answer_count == 0) {
            uint64_t drained;
            (void)!read(m->answer_fd, &drained, sizeof drained); /* it is not blocking and holds at least 1 */
        }
    }
    pthread_mutex_unlock(&m->lock);
    return answered;
}

static int modbus_fd(struct machine *machine)
{
    return modbus_of(machine)->answer_fd;
}

static void modbus_make_safe(struct machine *machine)
{
    struct modbus_machine *m = modbus_of(machine);
    pthread_mutex_lock(&m->lock);
    for (unsigned i = 0; i < m->request_count; i++)
        m->requests[(m->request_first + i) % MACHINE_QUEUE].called_off = true;
    m->make_safe = true;
    pthread_cond_signal(&m->work);
    pthread_mutex_unlock(&m->lock);
}

static void modbus_counters(struct machine *machine, struct machine_counters *ret_counters)
{
    struct modbus_machine *m = modbus_of(machine);
    pthread_mutex_lock(&m->lock);
    *ret_counters = m->counters;
    pthread_mutex_unlock(&m->lock);
}

static void modbus_destroy(struct machine *machine)
{
    struct modbus_machine *m = modbus_of(machine);
    if (m->has_thread) {
        pthread_mutex_lock(&m->lock);
        m->stop = true;
        pthread_cond_signal(&m->work);
        pthread_mutex_unlock(&m->lock);
        pthread_join(m->thread, NULL);
    }
    if (m->answer_fd >= 0)
        close(m->answer_fd);
    pthread_cond_destroy(&m->work);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static const struct machine_ops modbus_ops = {
    .name = "modbus-tcp",
    .check = modbus_check,
    .submit = modbus_submit,
    .poll = modbus_poll,
    .fd = modbus_fd,
    .make_safe = modbus_make_safe,
    .counters = modbus_counters,
    .destroy = modbus_destroy,
};

/* The thread takes no signals: they belong to the program's loop. */
static int start_thread(struct modbus_machine *m)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&m->thread, NULL, run_line, m);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    m->has_thread = rc == 0;
    return rc;
}

struct machine *modbus_machine_create(const struct modbus_machine_params *params, struct error *err)
{
    if (map_check_profile(params->profile, err) < 0)
        return NULL;
    if (params->host[0] == '\0' || strlen(params->host) >= WIRE_HOST_BYTES || params->port == 0) {
        error_set(err, E_ARG, "machine at \"%.40s\":%u: a host name and a port are needed", params->host,
                  params->port);
        return NULL;
    }
    int rc;
    struct modbus_machine *m = calloc(1, sizeof *m);
    if (!m) {
        error_set(err, E_MEMORY, "no memory for a Modbus line");
        return NULL;
    }
    m->machine.ops = &modbus_ops;
    m->clock = params->clock;
    m->deadline_ms = params->deadline_ms;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->work, NULL);
    m->line.profile = *params->profile;
    m->line.wire = (struct wire){.port = params->port,
                                 .unit = params->unit,
                                 .connect_ms = params->profile->connect_timeout_ms,
                                 .byte_ms = params->profile->byte_timeout_ms};
    memcpy(m->line.wire.host, params->host, strlen(params->host) + 1);
    m->answer_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (m->answer_fd < 0) {
        error_set_errno(err, E_SYSTEM, errno, "no eventfd for a Modbus line");
        goto fail;
    }
    rc = start_thread(m);
    if (rc != 0) {
        error_set_errno(err, E_SYSTEM, rc, "no thread for a Modbus line");
        goto fail;
    }
    return &m->machine;
fail:
    modbus_destroy(&m->machine);
    return NULL;
}
