/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/modbus/bus.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "hw/modbus/bus_private.h"

enum { REST_AFTER = 2, REST_FACTOR = 10, REST_JITTER_PERCENT = 25 };

/* ---- turns ---- */

static bool has_work(const struct modbus_machine *m)
{
    return m->make_safe || m->request_count > 0;
}

/* The next machine in turn that wants something; NULL: none. */
static struct modbus_machine *next_turn(struct bus *bus)
{
    for (unsigned i = 0; i < bus->count; i++) {
        unsigned at = (bus->turn + i) % bus->count;
        if (!has_work(bus->machines[at]))
            continue;
        bus->turn = (at + 1) % bus->count;
        return bus->machines[at];
    }
    return NULL;
}

/* ---- one request ---- */

/* The wait that the request's deadline leaves for the wire; negative: it is over. */
static int64_t wait_ms_of(const struct modbus_machine *m, const struct waiting *waiting)
{
    int64_t most_ms = m->station.profile.response_timeout_ms;
    int64_t deadline_ms = waiting->request.deadline_ms ? waiting->request.deadline_ms : m->deadline_ms;
    if (deadline_ms == 0)
        return most_ms;
    int64_t left_ms = waiting->submitted_ms + deadline_ms - clock_mono_ms(m->clock);
    return left_ms < most_ms ? left_ms : most_ms;
}

/* After two silences a machine on a shared line rests for ten times what it cost, so that it takes at most a
 * tenth of the line. */
static void note_silence(struct bus *bus, struct modbus_machine *m, int64_t cost_ms, int64_t now_ms)
{
    if (++m->failures < REST_AFTER || bus->wire.kind != WIRE_SERIAL)
        return;
    int64_t rest_ms = cost_ms * REST_FACTOR;
    if (rest_ms < 1)
        rest_ms = 1;
    if (rest_ms > BUS_REST_MAX_MS)
        rest_ms = BUS_REST_MAX_MS;
    uint32_t jitter_ms = (uint32_t)(rest_ms * REST_JITTER_PERCENT / 100) + 1;
    m->rest_until_ms = now_ms + rest_ms + rng_below(&bus->rng, jitter_ms);
}

static void answer_request(struct bus *bus, struct modbus_machine *m, const struct waiting *waiting,
                           struct machine_answer *answer)
{
    *answer = (struct machine_answer){
        .kind = waiting->request.kind, .id = waiting->request.id, .did = MACHINE_NOT_DONE};
    int64_t begin_ms = clock_mono_ms(m->clock);
    int64_t wait_ms = wait_ms_of(m, waiting);
    if (waiting->called_off) {
        answer->code = E_STATE;
    } else if (wait_ms <= 0) {
        station_unlink(&m->station);
        answer->code = E_TIMEOUT;
        m->station.counters.timeouts++;
    } else if (begin_ms < m->rest_until_ms) {
        answer->code = E_LINK;
    } else {
        station_perform(&m->station, &waiting->request, (uint32_t)wait_ms, answer);
        int64_t now_ms = clock_mono_ms(m->clock);
        if (answer->code == E_TIMEOUT || answer->code == E_FRAME)
            note_silence(bus, m, now_ms - begin_ms, now_ms);
        else if (answer->code != E_LINK)
            m->failures = 0;
    }
    answer->took_ms = (uint32_t)(clock_mono_ms(m->clock) - waiting->submitted_ms);
}

static void push_answer(struct modbus_machine *m, const struct machine_answer *answer)
{
    assert(m->answer_count < MACHINE_QUEUE);
    m->answers[(m->answer_first + m->answer_count++) % MACHINE_QUEUE] = *answer;
    uint64_t one = 1;
    ssize_t written = write(m->answer_fd, &one, sizeof one);
    assert(written == sizeof one); /* an eventfd that is drained whenever the queue is empty cannot be full */
    (void)written;
}

static void copy_counters(struct modbus_machine *m)
{
    m->counters = m->station.counters;
    m->counters.worst_ms = m->latency.worst_ms;
}

/* Called and left with the lock; without it while the wire is in use. */
static void serve(struct bus *bus, struct modbus_machine *m)
{
    if (m->make_safe) {
        m->make_safe = false;
        pthread_mutex_unlock(&bus->lock);
        station_suspend(&m->station);
        pthread_mutex_lock(&bus->lock);
        return;
    }
    struct waiting waiting = m->requests[m->request_first];
    m->request_first = (m->request_first + 1) % MACHINE_QUEUE;
    m->request_count--;
    uint64_t asked = m->station.counters.requests;
    pthread_mutex_unlock(&bus->lock);
    struct machine_answer answer;
    answer_request(bus, m, &waiting, &answer);
    pthread_mutex_lock(&bus->lock);
    if (m->station.counters.requests != asked)
        latency_add(&m->latency, answer.took_ms);
    copy_counters(m);
    if (answer.kind == MACHINE_IDENTIFY && answer.code == 0)
        m->bays = answer.identity.bays;
    push_answer(m, &answer);
}

/* When the heartbeat of a machine whose owner stalls must be kept going; INT64_MAX: not. */
static int64_t keep_due_ms(const struct modbus_machine *m)
{
    int64_t since_ms = m->kept_ms > m->polled_ms ? m->kept_ms : m->polled_ms;
    int64_t due_ms = since_ms + BUS_KEEP_AFTER_MS;
    return due_ms <= m->polled_ms + BUS_KEEP_MOST_MS && station_may_keep(&m->station) ? due_ms : INT64_MAX;
}

static struct modbus_machine *next_kept(const struct bus *bus)
{
    struct modbus_machine *next = NULL;
    for (unsigned i = 0; i < bus->count; i++) {
        if (!next || keep_due_ms(bus->machines[i]) < keep_due_ms(next))
            next = bus->machines[i];
    }
    return next && keep_due_ms(next) < INT64_MAX ? next : NULL;
}

/* Called and left with the lock; without it while the wire is in use. */
static void keep(struct bus *bus, struct modbus_machine *m)
{
    m->kept_ms = clock_mono_ms(m->clock);
    pthread_mutex_unlock(&bus->lock);
    (void)station_keep(&m->station); /* what went wrong shows in the owner's next request */
    pthread_mutex_lock(&bus->lock);
    copy_counters(m);
}

static void wait_until(struct bus *bus, int64_t left_ms)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &end); /* cannot fail */
    end.tv_sec += left_ms / 1000;
    end.tv_nsec += (long)(left_ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_clockwait(&bus->work, &bus->lock, CLOCK_MONOTONIC,
                                 &end); /* woken early: looks again */
}

static void *run_line(void *data)
{
    struct bus *bus = data;
    pthread_mutex_lock(&bus->lock);
    while (!bus->stop) {
        struct modbus_machine *m = next_turn(bus), *kept = next_kept(bus);
        int64_t left_ms = kept ? keep_due_ms(kept) - clock_mono_ms(bus->clock) : 0;
        if (!m && (!kept || left_ms > 0)) {
            if (kept)
                wait_until(bus, left_ms);
            else
                pthread_cond_wait(&bus->work, &bus->lock);
            continue;
        }
        bus->serving = m ? m : kept;
        if (m)
            serve(bus, m);
        else
            keep(bus, kept);
        bus->serving = NULL;
        pthread_cond_broadcast(&bus->idle);
    }
    pthread_mutex_unlock(&bus->lock);
    wire_close(&bus->wire);
    return NULL;
}

/* ---- the owner's calls ---- */

int bus_attach(struct bus *bus, struct modbus_machine *machine, struct error *err)
{
    int rc = 0;
    uint8_t unit = machine->station.peer.unit;
    pthread_mutex_lock(&bus->lock);
    for (unsigned i = 0; i < bus->count && rc == 0; i++) {
        if (bus->machines[i]->station.peer.unit == unit) /* never changes */
            rc = error_set(err, E_EXISTS, "%s: unit %u is taken by another machine", bus->wire.place, unit);
    }
    if (rc == 0 && bus->count == BUS_MACHINES_MAX)
        rc = error_set(err, E_LIMIT, "%s: a line has at most %d machines", bus->wire.place, BUS_MACHINES_MAX);
    if (rc == 0)
        bus->machines[bus->count++] = machine;
    pthread_mutex_unlock(&bus->lock);
    return rc;
}

void bus_detach(struct bus *bus, struct modbus_machine *machine)
{
    pthread_mutex_lock(&bus->lock);
    while (bus->serving == machine)
        pthread_cond_wait(&bus->idle, &bus->lock);
    for (unsigned i = 0; i < bus->count; i++) {
        if (bus->machines[i] != machine)
            continue;
        memmove(&bus->machines[i], &bus->machines[i + 1],
                (bus->count - i - 1) * sizeof(struct modbus_machine *));
        bus->count--;
        if (bus->turn > i)
            bus->turn--;
        break;
    }
    pthread_mutex_unlock(&bus->lock);
}

static int set_place(struct bus *bus, const struct bus_params *params, struct error *err)
{
    const char *place = params->host ? params->host : params->device;
    if (!place || place[0] == '\0' || strlen(place) >= WIRE_PLACE_BYTES ||
        (params->host && params->port == 0))
        return error_set(err, E_ARG, "\"%.40s\": a host and a port, or a serial device are needed",
                         place ? place : "");
    if (!params->host && !wire_baud_known(params->baud))
        return error_set(err, E_ARG, "%s: %u baud is no usual speed; take for example 19200 or 115200", place,
                         params->baud);
    if (!params->host && (params->parity == '\0' || !strchr("NEO", params->parity)))
        return error_set(err, E_ARG, "%s: parity must be N, E or O", place);
    bus->wire = (struct wire){.kind = params->host ? WIRE_TCP : WIRE_SERIAL,
                              .port = params->port,
                              .baud = params->baud,
                              .parity = params->parity};
    memcpy(bus->wire.place, place, strlen(place) + 1);
    return 0;
}

/* The thread takes no signals: they belong to the program's loop. */
static int start_thread(struct bus *bus)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&bus->thread, NULL, run_line, bus);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    bus->has_thread = rc == 0;
    return rc;
}

struct bus *bus_create(const struct bus_params *params, struct error *err)
{
    struct bus *bus = calloc(1, sizeof *bus);
    if (!bus) {
        error_set(err, E_MEMORY, "no memory for a Modbus line");
        return NULL;
    }
    bus->clock = params->clock;
    pthread_mutex_init(&bus->lock, NULL);
    pthread_cond_init(&bus->work, NULL);
    pthread_cond_init(&bus->idle, NULL);
    rng_init(&bus->rng, params->seed, 2);
    int rc = set_place(bus, params, err);
    if (rc == 0) {
        rc = start_thread(bus);
        if (rc != 0)
            error_set_errno(err, E_SYSTEM, rc, "no thread for a Modbus line");
    }
    if (rc != 0) {
        bus_destroy(bus);
        return NULL;
    }
    return bus;
}

void bus_destroy(struct bus *bus)
{
    if (!bus)
        return;
    assert(bus->count == 0);
    if (bus->has_thread) {
        pthread_mutex_lock(&bus->lock);
        bus->stop = true;
        pthread_cond_signal(&bus->work);
        pthread_mutex_unlock(&bus->lock);
        pthread_join(bus->thread, NULL);
    }
    pthread_cond_destroy(&bus->idle);
    pthread_cond_destroy(&bus->work);
    pthread_mutex_destroy(&bus->lock);
    free(bus);
}
