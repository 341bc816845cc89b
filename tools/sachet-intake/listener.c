/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet-intake/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "config/base/loop.h"
#include "controller/intake/hl7/mllp.h"
#include "controller/orders/hl7_feed.h"
#include "controller/store/store.h"

enum { CHUNK_BYTES = 64 * 1024, BACKLOG = 16 };

struct connection {
    struct listener *listener;
    int fd; /* -1: free */
    struct loop_io *io;
    struct loop_timer *timer;
    struct mllp mllp;
    struct buf out;
    size_t sent;
    int64_t number; /* for the log */
    int64_t due_ms;
    /* Bytes that were read and not yet looked at: those behind a message whose answer is under way. */
    char *chunk;
    size_t at, end;
};

struct listener {
    struct listener_params params;
    int fd, port;
    struct loop_io *io;
    bool broken;
    int64_t answered, connections;
    struct connection list[LISTENER_CONNECTIONS_MAX];
};

static int64_t limit_or(int64_t given, int64_t preset)
{
    return given > 0 ? given : preset;
}

static void drop(struct connection *c, const char *why)
{
    if (why != NULL)
        log_warning("intake", "closed connection=%" PRId64 " why=\"%s\"", c->number, why);
    loop_remove_io(c->io);
    loop_remove_timer(c->timer);
    (void)close(c->fd); /* nothing can be done about a failure, and nothing is lost by it */
    mllp_finish(&c->mllp);
    buf_finish(&c->out);
    free(c->chunk);
    c->fd = -1;
    c->io = NULL;
    c->timer = NULL;
    c->chunk = NULL;
}

static bool answering(const struct connection *c)
{
    return c->out.len > c->sent;
}

/* What the connection waits for, and until when. */
static void set_due(struct connection *c)
{
    const struct listener_params *params = &c->listener->params;
    int64_t ms = answering(c)              ? limit_or(params->answer_ms, LISTENER_ANSWER_MS)
                 : mllp_in_frame(&c->mllp) ? limit_or(params->frame_ms, LISTENER_FRAME_MS)
                                           : limit_or(params->idle_ms, LISTENER_IDLE_MS);
    c->due_ms = clock_mono_ms(params->clock) + ms;
    loop_set_timer(c->timer, c->due_ms);
    loop_set_events(c->io, answering(c) ? POLLOUT : POLLIN);
}

static int64_t on_due(void *data, int64_t now_ms)
{
    struct connection *c = data;
    if (now_ms < c->due_ms)
        return c->due_ms;
    drop(c, answering(c)              ? "the answer was not taken in time"
            : mllp_in_frame(&c->mllp) ? "a message did not end in time"
                                      : "idle");
    return LOOP_TIMER_DONE;
}

/* False when the connection is gone. */
static bool send_out(struct connection *c)
{
    while (answering(c)) {
        ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n <= 0) {
            drop(c, "the sender went before its answer: it will ask again");
            return false;
        }
        c->sent += (size_t)n;
    }
    buf_reset(&c->out);
    c->sent = 0;
    return true;
}

/* Stores, reads and answers one message; false when the connection is gone. */
static bool take_message(struct connection *c)
{
    struct listener *listener = c->listener;
    struct intake_import *import = listener->params.import;
    struct error err = {0};
    struct buf answer;
    buf_init(&answer);
    import->wall_ms = clock_wall_ms(listener->params.clock);
    import->policy.today = listener->params.today();
    int rc = hl7_receive(import, listener->params.processing, buf_string(&c->mllp.message),
                         c->mllp.message.len, &answer, &err);
    if (rc == 0 && listener->params.stored)
        rc = listener->params.stored(listener->params.data, import, &err);
    if (rc == 0)
        mllp_write(answer.data, answer.len, &c->out);
    if (rc == 0 && c->out.failed)
        rc = error_set(&err, E_MEMORY, "out of memory");
    buf_finish(&answer);
    if (rc < 0) {
        log_error("intake", "message not taken connection=%" PRId64 " why=\"%s\"", c->number, err.message);
        listener->broken = store_broken(import->store);
        if (listener->broken)
            loop_stop(listener->params.loop);
        drop(c, "a message could not be stored");
        return false;
    }
    listener->answered++;
    log_info("intake", "answered connection=%" PRId64 " bytes=%zu", c->number, c->mllp.message.len);
    return send_out(c);
}

/* Goes through what was read, up to the end or an answer that is not taken yet. False: the connection is
 * gone.
 */
static bool work(struct connection *c)
{
    while (c->at < c->end && !answering(c)) {
        enum mllp_event event;
        c->at += mllp_feed(&c->mllp, c->chunk + c->at, c->end - c->at, &event);
        switch (event) {
        case MLLP_MORE:
            break;
        case MLLP_MESSAGE:
            if (!take_message(c))
                return false;
            break;
        case MLLP_TOO_LONG:
            drop(c, "a message over the limit of 1048576 bytes");
            return false;
        case MLLP_GARBAGE:
            drop(c, "more than 1024 bytes outside of MLLP frames");
            return false;
        case MLLP_MEMORY:
            drop(c, "out of memory");
            return false;
        }
    }
    return true;
}

static void on_ready(void *data, short revents)
{
    struct connection *c = data;
    (void)revents; /* recv and send tell */
    if (answering(c) && (!send_out(c) || answering(c)))
        return;
    if (c->at == c->end) {
        ssize_t n = recv(c->fd, c->chunk, CHUNK_BYTES, MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            return;
        if (n <= 0) {
            drop(c, mllp_in_frame(&c->mllp) ? "the sender went in the middle of a message" : NULL);
            return;
        }
        c->at = 0;
        c->end = (size_t)n;
    }
    const bool began = mllp_in_frame(&c->mllp);
    const int64_t answered = c->listener->answered;
    if (!work(c))
        return;
    /* The clock of a frame runs from its first byte, however slowly the rest drips in. */
    if (!(began && mllp_in_frame(&c->mllp) && answered == c->listener->answered && !answering(c)))
        set_due(c);
}

static void on_accept(void *data, short revents)
{
    struct listener *listener = data;
    struct connection *c = NULL;
    const int on = 1;
    (void)revents;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return; /* gone again, or the system is short of something: poll says when to try again */
    for (int i = 0; i < LISTENER_CONNECTIONS_MAX && c == NULL; i++) {
        if (listener->list[i].fd < 0)
            c = &listener->list[i];
    }
    listener->connections++;
    if (c == NULL) {
        log_warning("intake", "refused a connection: more than %d at once", LISTENER_CONNECTIONS_MAX);
        (void)close(fd);
        return;
    }
    *c = (struct connection){.listener = listener, .fd = fd, .number = listener->connections};
    mllp_init(&c->mllp);
    buf_init(&c->out);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* only faster */
    c->chunk = malloc(CHUNK_BYTES);
    c->io = loop_add_io(listener->params.loop, fd, POLLIN, on_ready, c);
    c->timer = loop_add_timer(listener->params.loop, INT64_MAX, on_due, c);
    if (c->chunk == NULL || c->io == NULL || c->timer == NULL) {
        drop(c, "out of memory");
        return;
    }
    set_due(c);
    log_info("intake", "connected connection=%" PRId64, c->number);
}

/* Loopback or nothing. */
static int read_address(const char *text, int port, struct sockaddr_storage *ret, socklen_t *ret_len,
                        struct error *err)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1 && ntohl(v4.sin_addr.s_addr) >> 24 == 127) {
        memcpy(ret, &v4, sizeof v4);
        *ret_len = sizeof v4;
        return 0;
    }
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr)) {
        memcpy(ret, &v6, sizeof v6);
        *ret_len = sizeof v6;
        return 0;
    }
    return error_set(err, E_ARG,
                     "%s is not a loopback address: MLLP has no encryption and no login; listen on 127.0.0.1 "
                     "and let a TLS tunnel (stunnel) stand in front",
                     text);
}

static int open_port(struct listener *listener, struct error *err)
{
    struct sockaddr_storage address;
    socklen_t len = 0;
    const int on = 1;
    const struct listener_params *params = &listener->params;
    int rc = read_address(params->address, params->port, &address, &len, err);
    if (rc < 0)
        return rc;
    listener->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0 || setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(listener->fd, (struct sockaddr *)&address, len) != 0 || listen(listener->fd, BACKLOG) != 0 ||
        getsockname(listener->fd, (struct sockaddr *)&address, &len) != 0)
        return error_set_errno(err, E_SYSTEM, errno, "%s port %d cannot be opened", params->address,
                               params->port);
    listener->port = address.ss_family == AF_INET
                         ? ntohs(((const struct sockaddr_in *)(const void *)&address)->sin_port)
                         : ntohs(((const struct sockaddr_in6 *)(const void *)&address)->sin6_port);
    listener->io = loop_add_io(params->loop, listener->fd, POLLIN, on_accept, listener);
    return listener->io != NULL ? 0 : error_set(err, E_MEMORY, "out of memory");
}

struct listener *listener_create(const struct listener_params *params, struct error *err)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL) {
        (void)error_set(err, E_MEMORY, "out of memory");
        return NULL;
    }
    listener->params = *params;
    listener->fd = -1;
    for (int i = 0; i < LISTENER_CONNECTIONS_MAX; i++)
        listener->list[i].fd = -1;
    if (open_port(listener, err) < 0) {
        listener_destroy(listener);
        return NULL;
    }
    return listener;
}

void listener_destroy(struct listener *listener)
{
    if (listener == NULL)
        return;
    for (int i = 0; i < LISTENER_CONNECTIONS_MAX; i++) {
        if (listener->list[i].fd >= 0)
            drop(&listener->list[i], NULL);
    }
    if (listener->io != NULL)
        loop_remove_io(listener->io);
    if (listener->fd >= 0)
        (void)close(listener->fd); /* nothing can be done about a failure */
    free(listener);
}

int listener_port(const struct listener *listener)
{
    return listener->port;
}

bool listener_broken(const struct listener *listener)
{
    return listener->broken;
}

int64_t listener_answered(const struct listener *listener)
{
    return listener->answered;
}
