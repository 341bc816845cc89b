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
#include "hw/sim/image.h"
#include "hw/sim/world.h"

/* Modbus TCP header: transaction id, protocol 0, length of what follows, unit id. */
enum { HEADER_BYTES = 7, ADU_MAX = HEADER_BYTES + IMAGE_PDU_MAX, GATEWAY_NO_ANSWER = 0x0B };

struct connection {
    struct server *server;
    struct connection *next;
    int fd;
    struct loop_io *io;
    bool closed;           /* swept on the next tick */
    int64_t half_since_ms; /* a frame is incomplete since then; -1 */
    size_t in_len;
    size_t out_first, out_len;
    uint8_t in[SERVER_IN_BYTES];
    uint8_t out[SERVER_OUT_BYTES];
};

struct server {
    struct server_params params;
    int fd;
    uint16_t port;
    struct loop_io *io;
    struct loop_timer *tick;
    struct image *images;
    struct connection *connections;
    unsigned open_count;
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

/* Appends the answer to what is to be sent; false: the machine is silent. */
static bool answer_frame(struct connection *c, const uint8_t *frame, size_t len)
{
    struct server *server = c->server;
    uint8_t *out = c->out + c->out_first + c->out_len;
    unsigned unit = frame[6];
    size_t pdu = 2;
    server->counters.requests++;
    if (unit >= 1 && unit <= server->params.count) {
        pdu = image_answer(&server->images[unit - 1], now_us(server), frame + HEADER_BYTES,
                           len - HEADER_BYTES, out + HEADER_BYTES);
    } else {
        out[HEADER_BYTES] = (uint8_t)(frame[HEADER_BYTES] | 0x80);
        out[HEADER_BYTES + 1] = GATEWAY_NO_ANSWER;
    }
    if (server->params.flush)
        server->params.flush(server->params.flush_data);
    if (pdu == 0)
        return false;
    server->counters.exceptions += out[HEADER_BYTES] >> 7;
    memcpy(out, frame, 4);
    out[4] = (uint8_t)((pdu + 1) >> 8);
    out[5] = (uint8_t)((pdu + 1) & 0xFF);
    out[6] = frame[6];
    c->out_len += HEADER_BYTES + pdu;
    return true;
}

/* ---- one connection ---- */

static void send_answers(struct connection *c)
{
    while (c->out_len > 0) {
        ssize_t sent = send(c->fd, c->out + c->out_first, c->out_len, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (sent < 0) {
            close_connection(c);
            return;
        }
        c->out_first += (size_t)sent;
        c->out_len -= (size_t)sent;
    }
    if (c->out_first > 0) {
        memmove(c->out, c->out + c->out_first, c->out_len);
        c->out_first = 0;
    }
}

/* Handles whole frames while their answers have room. True: there was one. */
static bool handle_frames(struct connection *c)
{
    size_t at = 0;
    bool silent = false;
    while (!silent && c->out_len + ADU_MAX <= SERVER_OUT_BYTES) {
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
        silent = !answer_frame(c, c->in + at, len);
        at += len;
    }
    memmove(c->in, c->in + at, c->in_len - at);
    c->in_len -= at;
    send_answers(c);
    if (silent)
        close_connection(c);
    return at > 0;
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
    /* Who does not take answers is not listened to; what is left over in `in` is then a half frame. */
    bool stuffed = c->out_len + ADU_MAX > SERVER_OUT_BYTES;
    loop_set_events(c->io, (short)((stuffed ? 0 : POLLIN) | (c->out_len > 0 ? POLLOUT : 0)));
    if (c->in_len == 0 || stuffed)
        c->half_since_ms = -1;
    else if (c->half_since_ms < 0 || handled)
        c->half_since_ms = clock_mono_ms(c->server->params.clock);
}

static void accept_ready(void *data, short revents)
{
    (void)revents; /* POLLIN is all we asked for */
    struct server *server = data;
    int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return; /* gone again, or out of descriptors: the next round tries anew */
    struct connection *c = NULL;
    if (server->open_count < SERVER_CONNECTIONS_MAX)
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
    server->fd = -1;
    server->images = calloc(params->count, sizeof *server->images);
    if (!server->images) {
        error_set(err, E_MEMORY, "no memory for a Modbus server");
        goto fail;
    }
    for (unsigned i = 0; i < params->count; i++)
        image_init(&server->images[i], params->profile, params->worlds[i], params->scan_ms * 1000);
    if (map_check_profile(params->profile, err) < 0 || listen_on(server, err) < 0)
        goto fail;
    server->io = loop_add_io(params->loop, server->fd, POLLIN, accept_ready, server);
    server->tick = loop_add_timer(params->loop, clock_mono_ms(params->clock), tick, server);
    if (!server->io || !server->tick) {
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
    if (server->fd >= 0)
        close(server->fd);
    free(server->images);
    free(server);
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

void server_counters(const struct server *server, struct server_counters *ret_counters)
{
    *ret_counters = server->counters;
}
