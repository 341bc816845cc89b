/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/loop.h"
#include "config/base/rng.h"
#include "hw/sim/image.h"
#include "hw/sim/world.h"

/* Modbus TCP header: transaction id, protocol 0, length of what follows, unit id. */
enum { HEADER_BYTES = 7, ADU_MAX = HEADER_BYTES + IMAGE_PDU_MAX, STREAM = 0x7C9 };
#define HELD INT64_MAX

/* Bytes at the end of the queue that leave together, in the order of their answers. */
struct leaving {
    size_t len;
    int64_t due_ms; /* HELD: with the next one */
    bool drips;
};

struct connection {
    struct server *server;
    struct connection *next;
    int fd;
    struct loop_io *io;
    bool closed;           /* swept on the next tick */
    bool dead;             /* half open: heard and not answered */
    int64_t half_since_ms; /* a frame is incomplete since then; -1 */
    size_t in_len;
    size_t out_first, out_len;
    size_t out_ready; /* of out_len, may be sent now */
    struct leaving leaving[SERVER_ANSWERS_MAX];
    unsigned leaving_count;
    uint8_t in[SERVER_IN_BYTES];
    uint8_t out[SERVER_OUT_BYTES];
};

struct server {
    struct server_params params;
    int fd;
    uint16_t port;
    struct loop_io *io;
    struct loop_timer *tick;
    struct loop_timer *timer; /* of the next answer */
    struct rng rng;
    struct image *images;
    struct line_faults *faults; /* a machine */
    struct connection *connections;
    unsigned open_count;
    int64_t next_due_ms; /* of an answer; HELD: none */
    struct server_counters counters;
};

static int64_t now_us(const struct server *server)
{
    return clock_mono_ms(server->params.clock) * 1000;
}

static void close_connection(struct connection *c)
{
    if (c->closed)
        return;
    c->closed = true;
    loop_remove_io(c->io);
    close(c->fd);
    c->fd = -1;
    c->server->open_count--;
}

/* ---- one frame ---- */

/* True when in[0..] begins with a whole frame of *ret_len bytes; *ret_bad when it can never be one. */
static bool frame_is_whole(const uint8_t *in, size_t have, size_t *ret_len, bool *ret_bad)
{
    *ret_bad = false;
    if (have < HEADER_BYTES - 1)
        return false;
    size_t follows = (size_t)in[4] << 8 | in[5];
    if (in[2] != 0 || in[3] != 0 || follows < 2 || follows > 1 + IMAGE_PDU_MAX) {
        *ret_bad = true;
        return false;
    }
    *ret_len = HEADER_BYTES - 1 + follows;
    return have >= *ret_len;
}

static void schedule(struct server *server, int64_t due_ms)
{
    if (due_ms < server->next_due_ms) {
        server->next_due_ms = due_ms;
        loop_set_timer(server->timer, due_ms);
    }
}

/* An answer of len bytes stands behind out: when it leaves. */
static void queue_answer(struct connection *c, size_t len, enum sim_fault fault)
{
    struct server *server = c->server;
    const struct server_params *p = &server->params;
    int64_t now_ms = clock_mono_ms(p->clock), due_ms = now_ms + p->answer_least_ms;
    if (p->answer_most_ms > p->answer_least_ms)
        due_ms += rng_below(&server->rng, p->answer_most_ms - p->answer_least_ms + 1);
    if (fault == SIM_LATE_ANSWER)
        due_ms = now_ms + SERVER_LATE_MS;
    for (unsigned i = 0; i < c->leaving_count; i++) {
        struct leaving *before = &c->leaving[i];
        if (before->due_ms == HELD)
            before->due_ms = due_ms;
        else if (before->due_ms > due_ms)
            due_ms = before->due_ms; /* in their order */
    }
    c->leaving[c->leaving_count++] =
        (struct leaving){.len = len, .due_ms = fault == SIM_GLUE ? HELD : due_ms, .drips = fault == SIM_DRIP};
    c->out_len += len;
    if (due_ms > now_ms)
        schedule(server, due_ms);
}

/* What is due may be sent. */
static void release(struct connection *c)
{
    int64_t now_ms = clock_mono_ms(c->server->params.clock);
    while (c->leaving_count > 0 && c->leaving[0].due_ms <= now_ms) {
        struct leaving *first = &c->leaving[0];
        size_t len = first->drips ? 1 : first->len;
        c->out_ready += len;
        first->len -= len;
        first->due_ms = now_ms + SERVER_DRIP_MS;
        if (first->len == 0)
            memmove(first, first + 1, --c->leaving_count * sizeof *first);
    }
    if (c->leaving_count > 0 && c->leaving[0].due_ms != HELD)
        schedule(c->server, c->leaving[0].due_ms);
}

static bool has_room(const struct connection *c)
{
    return c->out_len + ADU_MAX <= SERVER_OUT_BYTES && c->leaving_count < SERVER_ANSWERS_MAX;
}

static void reset_connection(struct connection *c)
{
    const struct linger hard = {.l_onoff = 1};
    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard); /* else it only closes */
    close_connection(c);
}

/* Answers a request, or does not; false: the machine is silent, or the connection is gone. */
static bool answer_frame(struct connection *c, const uint8_t *frame, size_t len)
{
    struct server *server = c->server;
    uint8_t *out = c->out + c->out_first + c->out_len;
    unsigned unit = frame[6];
    size_t pdu = 2;
    enum sim_fault fault = SIM_NO_FAULT;
    server->counters.requests++;
    if (unit >= 1 && unit <= server->params.count) {
        fault = line_faults_next(&server->faults[unit - 1]);
        pdu = image_answer_through(&server->images[unit - 1], fault, now_us(server), frame + HEADER_BYTES,
                                   len - HEADER_BYTES, out + HEADER_BYTES);
    } else {
        out[HEADER_BYTES] = (uint8_t)(frame[HEADER_BYTES] | 0x80);
        out[HEADER_BYTES + 1] = IMAGE_NO_ANSWER;
    }
    if (server->params.flush)
        server->params.flush(server->params.flush_data);
    c->dead = fault == SIM_HALF_OPEN;
    if (fault == SIM_RESET_LINK)
        reset_connection(c);
    if (pdu == 0)
        return fault != SIM_NO_FAULT && !c->closed;
    server->counters.exceptions += out[HEADER_BYTES] >> 7;
    memcpy(out, frame, 4);
    out[4] = (uint8_t)((pdu + 1) >> 8);
    out[5] = (uint8_t)((pdu + 1) & 0xFF);
    out[6] = frame[6];
    if (fault == SIM_WRONG_ID)
        out[1]++;
    size_t whole = HEADER_BYTES + pdu;
    queue_answer(c, fault == SIM_TEAR_ANSWER ? whole / 2 : whole, fault);
    return true;
}

/* ---- one connection ---- */

static void send_answers(struct connection *c)
{
    release(c);
    while (c->out_ready > 0) {
        ssize_t sent = send(c->fd, c->out + c->out_first, c->out_ready, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (sent < 0) {
            close_connection(c);
            return;
        }
        c->out_first += (size_t)sent;
        c->out_len -= (size_t)sent;
        c->out_ready -= (size_t)sent;
    }
    if (c->out_first > 0) {
        memmove(c->out, c->out + c->out_first, c->out_len);
        c->out_first = 0;
    }
}

/* Who does not take answers is not listened to. */
static void set_events(struct connection *c)
{
    loop_set_events(c->io, (short)((has_room(c) ? POLLIN : 0) | (c->out_ready > 0 ? POLLOUT : 0)));
}

/* Handles whole frames while their answers have room. True: there was one. */
static bool handle_some(struct connection *c)
{
    size_t at = 0;
    bool silent = false;
    while (!silent && !c->closed && has_room(c)) {
        size_t len = 0;
        bool bad = false;
        if (!frame_is_whole(c->in + at, c->in_len - at, &len, &bad)) {
            if (bad) {
                c->server->counters.closed_bad++;
                close_connection(c);
                return false;
            }
            break;
        }
        silent = !c->dead && !answer_frame(c, c->in + at, len);
        at += len;
    }
    if (c->closed)
        return false;
    memmove(c->in, c->in + at, c->in_len - at);
    c->in_len -= at;
    send_answers(c);
    if (silent)
        close_connection(c);
    return at > 0;
}

/* Answers that have left make room for more. */
static bool handle_frames(struct connection *c)
{
    bool any = false;
    while (!c->closed && handle_some(c))
        any = true;
    return any;
}

static void connection_ready(void *data, short revents)
{
    struct connection *c = data;
    if (c->closed)
        return;
    if (revents & POLLOUT)
        send_answers(c);
    if (!c->closed && revents & (POLLIN | POLLHUP | POLLERR) && c->in_len < SERVER_IN_BYTES) {
        ssize_t got = recv(c->fd, c->in + c->in_len, SERVER_IN_BYTES - c->in_len, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
            close_connection(c);
            return;
        }
        c->in_len += got > 0 ? (size_t)got : 0;
    }
    bool handled = !c->closed && handle_frames(c);
    if (c->closed)
        return;
    set_events(c);
    if (c->in_len == 0 || !has_room(c)) /* else what is left over in `in` is a half frame */
        c->half_since_ms = -1;
    else if (c->half_since_ms < 0 || handled)
        c->half_since_ms = clock_mono_ms(c->server->params.clock);
}

/* Answers that were under way. */
static int64_t answers_due(void *data, int64_t loop_ms)
{
    struct server *server = data;
    (void)loop_ms; /* the worlds' clock may stand still */
    server->next_due_ms = HELD;
    for (struct connection *c = server->connections; c; c = c->next) {
        if (c->closed || c->leaving_count == 0)
            continue;
        bool had_room = has_room(c);
        send_answers(c);
        if (!c->closed && !had_room && has_room(c))
            (void)handle_frames(c); /* requests that waited for room */
        if (!c->closed)
            set_events(c);
    }
    return server->next_due_ms;
}

static void accept_ready(void *data, short revents)
{
    (void)revents; /* POLLIN is all we asked for */
    struct server *server = data;
    int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return; /* gone again, or out of descriptors: the next round tries anew */
    struct connection *c = NULL;
    if (server->open_count < server->params.connections_max)
        c = calloc(1, sizeof *c);
    if (!c) {
        server->counters.refused++;
        close(fd);
        return;
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* without it answers are only slower */
    c->server = server;
    c->fd = fd;
    c->half_since_ms = -1;
    c->io = loop_add_io(server->params.loop, fd, POLLIN, connection_ready, c);
    if (!c->io) {
        server->counters.refused++;
        close(fd);
        free(c);
        return;
    }
    c->next = server->connections;
    server->connections = c;
    server->open_count++;
    server->counters.connections++;
}

/* Frees what was closed, at a time when the loop does not walk over it. */
static void sweep(struct server *server)
{
    for (struct connection **at = &server->connections; *at;) {
        struct connection *c = *at;
        if (c->closed) {
            *at = c->next;
            free(c);
        } else {
            at = &c->next;
        }
    }
}

static int64_t tick(void *data, int64_t loop_ms)
{
    struct server *server = data;
    int64_t now_ms = clock_mono_ms(server->params.clock); /* may stand still; the loop's does not */
    uint32_t scan_ms = server->params.scan_ms ? server->params.scan_ms : 1;
    for (unsigned i = 0; i < server->params.count; i++)
        world_advance(server->params.worlds[i], (now_ms - now_ms % scan_ms) * 1000);
    if (server->params.flush)
        server->params.flush(server->params.flush_data);
    (void)answers_due(server, loop_ms); /* of a clock that was moved by hand */
    for (struct connection *c = server->connections; c; c = c->next) {
        if (c->closed || c->half_since_ms < 0 || now_ms - c->half_since_ms < SERVER_HALF_FRAME_MS)
            continue;
        server->counters.closed_bad++;
        close_connection(c);
    }
    sweep(server);
    return loop_ms + SERVER_TICK_MS;
}

/* ---- the port ---- */

static int listen_on(struct server *server, struct error *err)
{
    const struct server_params *p = &server->params;
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *address = NULL;
    char service[8];
    (void)snprintf(service, sizeof service, "%u", p->port);
    if (getaddrinfo(p->host, service, &hints, &address) != 0)
        return error_set(err, E_ARG, "\"%.60s\" is no address to listen on: give one like 127.0.0.1",
                         p->host);
    server->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    bool bound = server->fd >= 0 && setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                 bind(server->fd, address->ai_addr, address->ai_addrlen) == 0 &&
                 listen(server->fd, SERVER_CONNECTIONS_MAX) == 0;
    int cause = errno;
    freeaddrinfo(address);
    if (!bound)
        return error_set_errno(err, E_SYSTEM, cause,
                               "cannot listen on %s:%u (take another port, or 0 for any)", p->host, p->port);
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    if (getsockname(server->fd, (struct sockaddr *)&name, &len) < 0)
        return error_set_errno(err, E_SYSTEM, errno, "the port of %s is not known", p->host);
    server->port = ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                                                    : ((struct sockaddr_in *)&name)->sin_port);
    return 0;
}

struct server *server_create(const struct server_params *params, struct error *err)
{
    if (params->count < 1 || params->count > SERVER_MACHINES_MAX) {
        error_set(err, E_ARG, "%u machines, allowed are 1 to %d", params->count, SERVER_MACHINES_MAX);
        return NULL;
    }
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        error_set(err, E_MEMORY, "no memory for a Modbus server");
        return NULL;
    }
    server->params = *params;
    if (params->connections_max == 0 || params->connections_max > SERVER_CONNECTIONS_MAX)
        server->params.connections_max = SERVER_CONNECTIONS_MAX;
    server->fd = -1;
    server->next_due_ms = HELD;
    rng_init(&server->rng, params->seed, STREAM);
    server->images = calloc(params->count, sizeof *server->images);
    server->faults = calloc(params->count, sizeof *server->faults);
    if (!server->images || !server->faults) {
        error_set(err, E_MEMORY, "no memory for a Modbus server");
        goto fail;
    }
    for (unsigned i = 0; i < params->count; i++)
        image_init(&server->images[i], params->profile, params->worlds[i], params->scan_ms * 1000);
    if (map_check_profile(params->profile, err) < 0 || listen_on(server, err) < 0)
        goto fail;
    server->io = loop_add_io(params->loop, server->fd, POLLIN, accept_ready, server);
    server->tick = loop_add_timer(params->loop, clock_mono_ms(params->clock), tick, server);
    server->timer = loop_add_timer(params->loop, INT64_MAX, answers_due, server);
    if (!server->io || !server->tick || !server->timer) {
        error_set(err, E_MEMORY, "no memory for a Modbus server");
        goto fail;
    }
    return server;
fail:
    server_destroy(server);
    return NULL;
}

void server_destroy(struct server *server)
{
    if (!server)
        return;
    for (struct connection *c = server->connections; c; c = c->next)
        close_connection(c);
    sweep(server);
    loop_remove_io(server->io);
    loop_remove_timer(server->tick);
    loop_remove_timer(server->timer);
    if (server->fd >= 0)
        close(server->fd);
    free(server->images);
    free(server->faults);
    free(server);
}

bool server_fail(struct server *server, unsigned machine, enum sim_fault fault, uint64_t nth)
{
    return line_faults_plan(&server->faults[machine], fault, nth);
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

void server_counters(const struct server *server, struct server_counters *ret_counters)
{
    *ret_counters = server->counters;
}
