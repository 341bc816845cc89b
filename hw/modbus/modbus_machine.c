/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner's side of a Modbus machine: two bounded queues under the lock of its line (bus.c), whose thread
 * empties the one and fills the other.
 */
#include "hw/modbus/modbus_machine.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "hw/modbus/bus_private.h"
#include "hw/modbus/map.h"

static struct modbus_machine *modbus_of(struct machine *machine)
{
    return (struct modbus_machine *)machine; /* it is the first member */
}

static int modbus_check(struct machine *machine, const struct machine_request *request, struct error *err)
{
    struct modbus_machine *m = modbus_of(machine);
    if (request->kind != MACHINE_PUT_JOB && request->kind != MACHINE_READ_BAYS)
        return 0;
    pthread_mutex_lock(&m->bus->lock);
    uint16_t bays = m->bays ? m->bays : MACHINE_BAYS_MAX;
    pthread_mutex_unlock(&m->bus->lock);
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
    return map_encode_mailbox(&m->station.profile, job, 1, registers,
                              err); /* the profile never changes: no lock */
}

static int modbus_submit(struct machine *machine, const struct machine_request *request, struct error *err)
{
    struct modbus_machine *m = modbus_of(machine);
    pthread_mutex_lock(&m->bus->lock);
    bool full = m->outstanding == MACHINE_QUEUE;
    if (!full) {
        m->outstanding++;
        m->requests[(m->request_first + m->request_count++) % MACHINE_QUEUE] =
            (struct waiting){.request = *request, .submitted_ms = clock_mono_ms(m->clock)};
        pthread_cond_signal(&m->bus->work);
    }
    pthread_mutex_unlock(&m->bus->lock);
    if (full)
        return error_set(err, E_LIMIT, "the line has %d requests outstanding already", MACHINE_QUEUE);
    return 0;
}

static bool modbus_poll(struct machine *machine, struct machine_answer *ret_answer)
{
    struct modbus_machine *m = modbus_of(machine);
    pthread_mutex_lock(&m->bus->lock);
    m->polled_ms = clock_mono_ms(m->clock);
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
    pthread_mutex_unlock(&m->bus->lock);
    return answered;
}

static int modbus_fd(struct machine *machine)
{
    return modbus_of(machine)->answer_fd;
}

static void modbus_make_safe(struct machine *machine)
{
    struct modbus_machine *m = modbus_of(machine);
    pthread_mutex_lock(&m->bus->lock);
    for (unsigned i = 0; i < m->request_count; i++)
        m->requests[(m->request_first + i) % MACHINE_QUEUE].called_off = true;
    m->make_safe = true;
    pthread_cond_signal(&m->bus->work);
    pthread_mutex_unlock(&m->bus->lock);
}

static void modbus_counters(struct machine *machine, struct machine_counters *ret_counters)
{
    struct modbus_machine *m = modbus_of(machine);
    pthread_mutex_lock(&m->bus->lock);
    *ret_counters = m->counters;
    ret_counters->p99_ms = latency_percentile(&m->latency, 990);
    pthread_mutex_unlock(&m->bus->lock);
}

static void modbus_destroy(struct machine *machine)
{
    struct modbus_machine *m = modbus_of(machine);
    if (m->bus)
        bus_detach(m->bus, m);
    if (m->owns_bus)
        bus_destroy(m->bus);
    if (m->answer_fd >= 0)
        close(m->answer_fd);
    free(m);
}

static const struct machine_ops modbus_ops = {
    .name = "modbus",
    .check = modbus_check,
    .submit = modbus_submit,
    .poll = modbus_poll,
    .fd = modbus_fd,
    .make_safe = modbus_make_safe,
    .counters = modbus_counters,
    .destroy = modbus_destroy,
};

static int join_bus(struct modbus_machine *m, const struct modbus_machine_params *params, struct error *err)
{
    struct bus *bus = params->bus;
    if (!bus) {
        const struct bus_params own = {
            .clock = params->clock, .host = params->host ? params->host : "", .port = params->port};
        bus = bus_create(&own, err);
        if (!bus)
            return err->code;
    }
    m->bus = bus;
    m->owns_bus = bus != params->bus;
    station_init(&m->station, params->profile, &bus->wire, params->unit);
    return bus_attach(bus, m, err);
}

struct machine *modbus_machine_create(const struct modbus_machine_params *params, struct error *err)
{
    if (map_check_profile(params->profile, err) < 0)
        return NULL;
    if (params->bus && (params->unit < 1 || params->unit > BUS_MACHINES_MAX)) {
        error_set(err, E_ARG, "unit %u: units of a serial line are 1 to %d", params->unit, BUS_MACHINES_MAX);
        return NULL;
    }
    struct modbus_machine *m = calloc(1, sizeof *m);
    if (!m) {
        error_set(err, E_MEMORY, "no memory for a machine on a Modbus line");
        return NULL;
    }
    m->machine.ops = &modbus_ops;
    m->clock = params->clock;
    m->deadline_ms = params->deadline_ms;
    m->answer_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (m->answer_fd < 0) {
        error_set_errno(err, E_SYSTEM, errno, "no eventfd for a machine on a Modbus line");
        goto fail;
    }
    if (join_bus(m, params, err) < 0)
        goto fail;
    return &m->machine;
fail:
    modbus_destroy(&m->machine);
    return NULL;
}
