/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/loop.h"
#include "config/base/rng.h"

enum {
    FRAME_MAX = 7 + 253,
    CHUNKS_MAX = 64,
    IN_MAX = 8 * FRAME_MAX,
    JOIN_MS = 8,
    SPLIT_MS = 3,
    PIECES_MAX = 5,
    LINKS_MAX = 256
};

/* Bytes that are due for the other side. */
struct chunk {
    int64_t due_ms;
    bool joins; /* the next frame travels with it */
    size_t len;
    uint8_t bytes[2 * FRAME_MAX];
};

/* One way of a connection: from one socket into the other. */
struct way {
    size_t in_len;
    uint8_t in[IN_MAX];
    unsigned first, count; /* of chunks, a ring */
    struct chunk chunks[CHUNKS_MAX];
    bool ended; /* its source has hung up */
};

struct link {
    struct proxy *proxy;
    int fds[2]; /* controller, machine */
    struct loop_io *io[2];
    struct way ways[2]; /* from fds[i] */
    bool reset;
};

struct proxy {
    struct proxy_params params;
    struct rng rng;
    int fd;
    uint16_t port;
    struct loop_io *io;
    struct loop_timer *timer;
    struct link *links[LINKS_MAX];
    unsigned counts[PROXY_FAULTS];
    unsigned faults;
};

const char *proxy_fault_text(enum proxy_fault fault)
{
    static const char *const texts[] = {
#define PROXY_FAULT_TEXT(name, text) text,
        PROXY_FAULT_TABLE(PROXY_FAULT_TEXT)
#undef PROXY_FAULT_TEXT
    };
    return fault < PROXY_FAULTS ? texts[fault] : "?";
}

/* ---- chunks ---- */

static struct chunk *add_chunk(struct way *way, const uint8_t *bytes, size_t len, int64_t due_ms)
{
    if (way->count > 0) {
        struct chunk *last = &way->chunks[(way->first + way->count - 1) % CHUNKS_MAX];
        if (due_ms < last->due_ms)
            due_ms = last->due_ms; /* TCP keeps the order */
        if (last->joins && last->len + len <= sizeof last->bytes) {
            memcpy(last->bytes + last->len, bytes, len);
            last->len += len;
            last->joins = false;
            return last;
        }
    }
    if (way->count == CHUNKS_MAX)
        return NULL; /* a full pipe: lost */
    struct chunk *chunk = &way->chunks[(way->first + way->count++) % CHUNKS_MAX];
    chunk->due_ms = due_ms;
    chunk->joins = false;
    chunk->len = len;
    memcpy(chunk->bytes, bytes, len);
    return chunk;
}

static void reset_link(struct link *link)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 2; i++) {
        loop_remove_io(link->io[i]);
        link->io[i] = NULL;
        if (link->fds[i] < 0)
            continue;
        if (link->reset)
            (void)setsockopt(link->fds[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(link->fds[i]);
        link->fds[i] = -1;
    }
}

/* Sends what is due. The sockets' own buffers hold more than a line ever has under way. */
static void send_due(struct link *link, int from, int64_t now_ms)
{
    struct way *way = &link->ways[from];
    int to = link->fds[1 - from];
    while (way->count > 0 && way->chunks[way->first].due_ms <= now_ms) {
        const struct chunk *chunk = &way->chunks[way->first];
        if (to >= 0)
            (void)send(to, chunk->bytes, chunk->len, MSG_NOSIGNAL | MSG_DONTWAIT); /* a lost end loses it */
        way->first = (way->first + 1) % CHUNKS_MAX;
        way->count--;
    }
}

/* ---- fates ---- */

static bool draw_fault(struct proxy *proxy, enum proxy_fault *ret_fault)
{
    uint32_t at = rng_below(&proxy->rng, 1000), kind = rng_below(&proxy->rng, PROXY_FAULTS);
    if (proxy->faults >= proxy->params.budget || at >= proxy->params.permille ||
        !(proxy->params.kinds >> kind & 1))
        return false;
    proxy->faults++;
    proxy->counts[kind]++;
    *ret_fault = (enum proxy_fault)kind;
    return true;
}

static void corrupt(struct proxy *proxy, uint8_t *frame, size_t len)
{
    unsigned flips = 1 + rng_below(&proxy->rng, 3);
    for (unsigned i = 0; i < flips; i++)
        frame[rng_below(&proxy->rng, (uint32_t)len)] ^= (uint8_t)(1u << rng_below(&proxy->rng, 8));
}

static void split(struct proxy *proxy, struct way *way, const uint8_t *frame, size_t len, int64_t now_ms)
{
    size_t at = 0;
    for (int i = 0; i < PIECES_MAX && at < len; i++) {
        size_t piece = i == PIECES_MAX - 1 ? len - at : 1 + rng_below(&proxy->rng, (uint32_t)(len - at));
        now_ms += rng_below(&proxy->rng, SPLIT_MS);
        (void)add_chunk(way, frame + at, piece, now_ms); /* a full pipe loses it */
        at += piece;
    }
}

/* One frame of link->fds[from] meets its fate. */
static void pass_frame(struct link *link, int from, uint8_t *frame, size_t len, int64_t now_ms)
{
    struct proxy *proxy = link->proxy;
    struct way *way = &link->ways[from];
    enum proxy_fault fault = PROXY_LOSE;
    if (!draw_fault(proxy, &fault)) {
        (void)add_chunk(way, frame, len, now_ms);
        return;
    }
    switch (fault) {
    case PROXY_LOSE:
        break;
    case PROXY_DELAY:
        (void)add_chunk(way, frame, len, now_ms + 1 + rng_below(&proxy->rng, proxy->params.delay_ms));
        break;
    case PROXY_REPEAT:
        (void)add_chunk(way, frame, len, now_ms);
        (void)add_chunk(way, frame, len, now_ms + rng_below(&proxy->rng, proxy->params.delay_ms));
        break;
    case PROXY_SPLIT:
        split(proxy, way, frame, len, now_ms);
        break;
    case PROXY_JOIN: {
        struct chunk *chunk = add_chunk(way, frame, len, now_ms + JOIN_MS);
        if (chunk)
            chunk->joins = true;
        break;
    }
    case PROXY_RESET:
        if (rng_below(&proxy->rng, 2)) {
            (void)add_chunk(way, frame, len, now_ms);
            send_due(link, from, now_ms);
        }
        link->reset = true;
        break;
    case PROXY_TRUNCATE:
        (void)add_chunk(way, frame, 1 + rng_below(&proxy->rng, (uint32_t)len - 1), now_ms);
        break;
    case PROXY_CORRUPT:
        corrupt(proxy, frame, len);
        (void)add_chunk(way, frame, len, now_ms);
        break;
    case PROXY_FAULTS:
        break;
    }
}

/* Whole frames out of what came; bytes that can be no frame go on as they are. */
static void cut_frames(struct link *link, int from, int64_t now_ms)
{
    struct way *way = &link->ways[from];
    size_t at = 0;
    while (way->in_len - at >= 6 && !link->reset) {
        size_t len = 6 + ((size_t)way->in[at + 4] << 8 | way->in[at + 5]);
        if (len > FRAME_MAX || len < 8)
            len = way->in_len - at < FRAME_MAX ? way->in_len - at : FRAME_MAX;
        if (way->in_len - at < len)
            break;
        pass_frame(link, from, way->in + at, len, now_ms);
        at += len;
    }
    memmove(way->in, way->in + at, way->in_len - at);
    way->in_len -= at;
}

/* ---- sockets ---- */

static void receive(struct link *link, int from)
{
    struct way *way = &link->ways[from];
    int64_t now_ms = clock_mono_ms(link->proxy->params.clock);
    ssize_t got = recv(link->fds[from], way->in + way->in_len, IN_MAX - way->in_len, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        way->ended = true; /* what it has sent still arrives */
        loop_remove_io(link->io[from]);
        link->io[from] = NULL;
    } else {
        way->in_len += (size_t)got;
        cut_frames(link, from, now_ms);
    }
    send_due(link, 0, now_ms);
    send_due(link, 1, now_ms);
    loop_set_timer(link->proxy->timer, now_ms);
}

static void controller_ready(void *data, short revents)
{
    (void)revents; /* POLLIN is all we asked for */
    receive(data, 0);
}

static void machine_ready(void *data, short revents)
{
    (void)revents; /* POLLIN is all we asked for */
    receive(data, 1);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void accept_ready(void *data, short revents)
{
    (void)revents; /* POLLIN is all we asked for */
    struct proxy *proxy = data;
    struct sockaddr_in address = loopback(proxy->params.machine_port);
    int on = 1, place = 0;
    int fd = accept4(proxy->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (place < LINKS_MAX && proxy->links[place])
        place++;
    struct link *link = fd >= 0 && place < LINKS_MAX ? calloc(1, sizeof *link) : NULL;
    int machine = link ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (machine < 0 || connect(machine, (struct sockaddr *)&address, sizeof address) < 0) {
        if (machine >= 0)
            close(machine);
        if (fd >= 0)
            close(fd);
        free(link);
        return; /* for the controller, a machine that is off */
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* else pieces are joined by the kernel */
    (void)setsockopt(machine, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* the same */
    link->proxy = proxy;
    link->fds[0] = fd;
    link->fds[1] = machine;
    link->io[0] = loop_add_io(proxy->params.loop, fd, POLLIN, controller_ready, link);
    link->io[1] = loop_add_io(proxy->params.loop, machine, POLLIN, machine_ready, link);
    proxy->links[place] = link;
}

/* Both ends are gone, or the one that is left has nothing more to hear. */
static bool is_over(const struct link *link)
{
    if (link->reset)
        return true;
    for (int from = 0; from < 2; from++) {
        if (link->ways[from].ended && link->ways[from].count == 0)
            return true;
    }
    return false;
}

static int64_t tick(void *data, int64_t now_ms)
{
    struct proxy *proxy = data;
    int64_t due_ms = now_ms + 1000;
    for (int i = 0; i < LINKS_MAX; i++) {
        struct link *link = proxy->links[i];
        if (!link)
            continue;
        for (int from = 0; from < 2 && !link->reset; from++) {
            struct way *way = &link->ways[from];
            send_due(link, from, now_ms);
            if (way->count > 0 && way->chunks[way->first].due_ms < due_ms)
                due_ms = way->chunks[way->first].due_ms;
        }
        if (is_over(link)) {
            reset_link(link);
            free(link);
            proxy->links[i] = NULL;
        }
    }
    return due_ms;
}

/* ---- life ---- */

struct proxy *proxy_create(const struct proxy_params *params, struct error *err)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof address;
    struct proxy *proxy = calloc(1, sizeof *proxy);
    if (!proxy) {
        error_set(err, E_MEMORY, "no memory for a proxy");
        return NULL;
    }
    proxy->params = *params;
    rng_init(&proxy->rng, params->seed, 31);
    proxy->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (proxy->fd < 0 || bind(proxy->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(proxy->fd, 16) < 0 || getsockname(proxy->fd, (struct sockaddr *)&address, &len) < 0) {
        error_set_errno(err, E_SYSTEM, errno, "the proxy cannot listen");
        goto fail;
    }
    proxy->port = ntohs(address.sin_port);
    proxy->io = loop_add_io(params->loop, proxy->fd, POLLIN, accept_ready, proxy);
    proxy->timer = loop_add_timer(params->loop, clock_mono_ms(params->clock), tick, proxy);
    if (!proxy->io || !proxy->timer) {
        error_set(err, E_MEMORY, "no memory for a proxy");
        goto fail;
    }
    return proxy;
fail:
    proxy_destroy(proxy);
    return NULL;
}

void proxy_destroy(struct proxy *proxy)
{
    if (!proxy)
        return;
    for (int i = 0; i < LINKS_MAX; i++) {
        if (!proxy->links[i])
            continue;
        reset_link(proxy->links[i]);
        free(proxy->links[i]);
    }
    loop_remove_io(proxy->io);
    loop_remove_timer(proxy->timer);
    if (proxy->fd >= 0)
        close(proxy->fd);
    free(proxy);
}

uint16_t proxy_port(const struct proxy *proxy)
{
    return proxy->port;
}

unsigned proxy_count(const struct proxy *proxy, enum proxy_fault fault)
{
    return proxy->counts[fault];
}
