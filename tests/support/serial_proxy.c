/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/serial_proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/loop.h"
#include "config/base/rng.h"

enum {
    FRAME_MAX = 256,
    FRAME_GAP_MS = 2, /* both ends write a frame at once, so that any silence ends one */
    CHUNKS_MAX = 64,
    SPLIT_MS = 4, /* longer than the silence that ends a frame */
    NOISE_MAX = 8,
    BABBLE_MAX = 24,
    DEVICE_BYTES = 64,
};

/* Bytes that are due for the other side. */
struct chunk {
    int64_t due_ms;
    size_t len; /* 0: free */
    uint8_t bytes[FRAME_MAX];
};

/* One direction. */
struct way {
    size_t len; /* of the frame that is under way */
    uint8_t in[FRAME_MAX];
    int64_t heard_ms;
    struct chunk chunks[CHUNKS_MAX];
};

struct serial_proxy {
    struct serial_proxy_params params;
    struct rng rng;
    char device[DEVICE_BYTES];
    int fds[2]; /* controller, machines */
    int near_fd;
    struct loop_io *io[2];
    struct loop_timer *timer;
    struct way ways[2]; /* from fds[i] */
    unsigned counts[SERIAL_FAULTS];
    unsigned faults;
};

const char *serial_fault_text(enum serial_fault fault)
{
    static const char *const texts[] = {
#define SERIAL_FAULT_TEXT(name, text) text,
        SERIAL_FAULT_TABLE(SERIAL_FAULT_TEXT)
#undef SERIAL_FAULT_TEXT
    };
    return fault < SERIAL_FAULTS ? texts[fault] : "?";
}

/* A line that is full loses it. */
static void put(struct way *way, const uint8_t *bytes, size_t len, int64_t due_ms)
{
    for (int i = 0; i < CHUNKS_MAX && len > 0; i++) {
        struct chunk *chunk = &way->chunks[i];
        if (chunk->len > 0)
            continue;
        chunk->due_ms = due_ms;
        chunk->len = len;
        memcpy(chunk->bytes, bytes, len);
        return;
    }
}

static void put_noise(struct serial_proxy *proxy, int to, unsigned most, int64_t due_ms)
{
    uint8_t noise[BABBLE_MAX];
    size_t len = 1 + rng_below(&proxy->rng, most);
    for (size_t i = 0; i < len; i++)
        noise[i] = (uint8_t)rng_below(&proxy->rng, 256);
    put(&proxy->ways[1 - to], noise, len, due_ms);
}

static bool draw_fault(struct serial_proxy *proxy, enum serial_fault *ret_fault)
{
    uint32_t at = rng_below(&proxy->rng, 1000), kind = rng_below(&proxy->rng, SERIAL_FAULTS);
    if (proxy->faults >= proxy->params.budget || at >= proxy->params.permille)
        return false;
    proxy->faults++;
    proxy->counts[kind]++;
    *ret_fault = (enum serial_fault)kind;
    return true;
}

static void cut(struct serial_proxy *proxy, struct way *way, uint8_t *frame, size_t len, int64_t now_ms)
{
    size_t gone = 1 + rng_below(&proxy->rng, 4), at = rng_below(&proxy->rng, (uint32_t)len);
    if (gone > len - at)
        gone = len - at;
    memmove(frame + at, frame + at + gone, len - at - gone);
    put(way, frame, len - gone, now_ms);
}

static void pass_frame(struct serial_proxy *proxy, int from, uint8_t *frame, size_t len, int64_t now_ms)
{
    struct way *way = &proxy->ways[from];
    enum serial_fault fault = SERIAL_FAULT_LOSE;
    if (from == 0 && proxy->params.deaf && frame[0] == proxy->params.deaf)
        return;
    if (proxy->params.babbler && frame[0] == proxy->params.babbler)
        put_noise(proxy, 0, BABBLE_MAX, now_ms + 1 + rng_below(&proxy->rng, SPLIT_MS));
    if (!draw_fault(proxy, &fault)) {
        put(way, frame, len, now_ms);
        return;
    }
    switch (fault) {
    case SERIAL_FAULT_LOSE:
        break;
    case SERIAL_FAULT_CUT:
        cut(proxy, way, frame, len, now_ms);
        break;
    case SERIAL_FAULT_CORRUPT:
        for (unsigned i = 1 + rng_below(&proxy->rng, 3); i > 0; i--)
            frame[rng_below(&proxy->rng, (uint32_t)len)] ^= (uint8_t)(1u << rng_below(&proxy->rng, 8));
        put(way, frame, len, now_ms);
        break;
    case SERIAL_FAULT_DELAY:
        put(way, frame, len, now_ms + 1 + rng_below(&proxy->rng, proxy->params.delay_ms));
        break;
    case SERIAL_FAULT_REPEAT:
        put(way, frame, len, now_ms);
        put(way, frame, len, now_ms + SPLIT_MS + rng_below(&proxy->rng, proxy->params.delay_ms));
        break;
    case SERIAL_FAULT_SPLIT: {
        size_t first = 1 + rng_below(&proxy->rng, (uint32_t)len - 1);
        put(way, frame, first, now_ms);
        put(way, frame + first, len - first, now_ms + SPLIT_MS + rng_below(&proxy->rng, SPLIT_MS));
        break;
    }
    case SERIAL_FAULT_ECHO:
        put(way, frame, len, now_ms);
        put(&proxy->ways[1 - from], frame, len, now_ms);
        break;
    case SERIAL_FAULT_NOISE:
        put_noise(proxy, 1 - from, NOISE_MAX, now_ms + rng_below(&proxy->rng, 2));
        put(way, frame, len, now_ms + rng_below(&proxy->rng, 2) * SPLIT_MS);
        break;
    case SERIAL_FAULTS:
        break;
    }
}

/* What is due leaves, oldest first; the next moment at which something is. */
static int64_t send_due(struct serial_proxy *proxy, int from, int64_t now_ms)
{
    struct way *way = &proxy->ways[from];
    for (;;) {
        struct chunk *next = NULL;
        for (int i = 0; i < CHUNKS_MAX; i++) {
            struct chunk *chunk = &way->chunks[i];
            if (chunk->len > 0 && (!next || chunk->due_ms < next->due_ms))
                next = chunk;
        }
        if (!next || next->due_ms > now_ms)
            return next ? next->due_ms : INT64_MAX;
        (void)!write(proxy->fds[1 - from], next->bytes, next->len); /* what nobody reads is lost */
        next->len = 0;
    }
}

static int64_t tick(void *data, int64_t now_ms)
{
    struct serial_proxy *proxy = data;
    int64_t due_ms = INT64_MAX;
    for (int from = 0; from < 2; from++) {
        struct way *way = &proxy->ways[from];
        if (way->len > 0 && now_ms - way->heard_ms >= FRAME_GAP_MS) {
            size_t len = way->len;
            way->len = 0;
            pass_frame(proxy, from, way->in, len, now_ms);
        }
        if (way->len > 0 && way->heard_ms + FRAME_GAP_MS < due_ms)
            due_ms = way->heard_ms + FRAME_GAP_MS;
    }
    for (int from = 0; from < 2; from++) { /* an echo goes the other way */
        int64_t next_ms = send_due(proxy, from, now_ms);
        due_ms = next_ms < due_ms ? next_ms : due_ms;
    }
    return due_ms;
}

static void hear(struct serial_proxy *proxy, int from)
{
    struct way *way = &proxy->ways[from];
    ssize_t got = read(proxy->fds[from], way->in + way->len, sizeof way->in - way->len);
    if (got <= 0)
        return;
    way->len += (size_t)got;
    way->heard_ms = clock_mono_ms(proxy->params.clock);
    if (way->len == sizeof way->in)
        way->heard_ms -= FRAME_GAP_MS; /* no frame is longer */
    loop_set_timer(proxy->timer, way->heard_ms + FRAME_GAP_MS);
}

static void controller_ready(void *data, short revents)
{
    (void)revents; /* POLLIN is all we asked for */
    hear(data, 0);
}

static void machines_ready(void *data, short revents)
{
    (void)revents; /* POLLIN is all we asked for */
    hear(data, 1);
}

static int make_raw(int fd)
{
    struct termios raw;
    if (tcgetattr(fd, &raw) < 0)
        return -1;
    cfmakeraw(&raw);
    return tcsetattr(fd, TCSANOW, &raw);
}

struct serial_proxy *serial_proxy_create(const struct serial_proxy_params *params, struct error *err)
{
    struct serial_proxy *proxy = calloc(1, sizeof *proxy);
    if (!proxy) {
        error_set(err, E_MEMORY, "no memory for a proxy");
        return NULL;
    }
    proxy->params = *params;
    proxy->near_fd = -1;
    rng_init(&proxy->rng, params->seed, 37);
    proxy->fds[0] = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    proxy->fds[1] = open(params->machines, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (proxy->fds[0] < 0 || proxy->fds[1] < 0 || grantpt(proxy->fds[0]) < 0 || unlockpt(proxy->fds[0]) < 0 ||
        ptsname_r(proxy->fds[0], proxy->device, sizeof proxy->device) != 0)
        goto fail;
    proxy->near_fd = open(proxy->device, O_RDWR | O_NOCTTY | O_CLOEXEC); /* the line outlives its users */
    if (proxy->near_fd < 0 || make_raw(proxy->near_fd) < 0 || make_raw(proxy->fds[1]) < 0)
        goto fail;
    proxy->io[0] = loop_add_io(params->loop, proxy->fds[0], POLLIN, controller_ready, proxy);
    proxy->io[1] = loop_add_io(params->loop, proxy->fds[1], POLLIN, machines_ready, proxy);
    proxy->timer = loop_add_timer(params->loop, INT64_MAX, tick, proxy);
    if (!proxy->io[0] || !proxy->io[1] || !proxy->timer)
        goto fail;
    return proxy;
fail:
    error_set_errno(err, E_SYSTEM, errno, "no line for a proxy");
    serial_proxy_destroy(proxy);
    return NULL;
}

void serial_proxy_destroy(struct serial_proxy *proxy)
{
    if (!proxy)
        return;
    for (int i = 0; i < 2; i++) {
        loop_remove_io(proxy->io[i]);
        if (proxy->fds[i] >= 0)
            close(proxy->fds[i]);
    }
    loop_remove_timer(proxy->timer);
    if (proxy->near_fd >= 0)
        close(proxy->near_fd);
    free(proxy);
}

const char *serial_proxy_device(const struct serial_proxy *proxy)
{
    return proxy->device;
}

unsigned serial_proxy_count(const struct serial_proxy *proxy, enum serial_fault fault)
{
    return proxy->counts[fault];
}
