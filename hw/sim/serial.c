/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/crc.h"
#include "config/base/error.h"
#include "config/base/loop.h"
#include "config/base/rng.h"
#include "hw/sim/image.h"
#include "hw/sim/world.h"

enum {
    ADU_MAX = 256, /* unit, PDU, CRC */
    ADU_MIN = 4,
    CHAR_BITS = 11,
    GAP_FIXED_US = 1750, /* above 19200 baud (Modbus over serial line V1.02, section 2.5.1.1) */
    GAP_FIXED_ABOVE = 19200,
    UNITS_MAX = 247,
    PATH_BYTES = 4096,
    DEVICE_BYTES = 64,
    NOISE_OF = 1000000,
};

struct pending {
    int64_t due_us; /* when its last character is on the line */
    size_t len;
    uint8_t bytes[ADU_MAX];
};

struct serial {
    struct serial_params params;
    char path[PATH_BYTES];
    char device[DEVICE_BYTES];
    bool linked;
    int fd;      /* our end */
    int near_fd; /* the other end, kept open so that the line outlives its users */
    struct loop_io *io;
    struct loop_timer *tick;
    struct loop_timer *timer; /* end of a frame, or of an answer */
    struct image *images;
    struct line_faults *faults; /* a machine */
    struct rng rng;

    uint8_t in[ADU_MAX];
    size_t in_len;       /* above 0: a frame is under way */
    bool too_long;       /* and cannot be one any more */
    int64_t in_begin_us; /* its first character */
    int64_t in_heard_us; /* its last bytes were read */

    struct pending pending[SERIAL_PENDING]; /* oldest first */
    unsigned pending_count;
    struct serial_counters counters;
};

static int64_t now_us(const struct serial *s)
{
    return clock_mono_ms(s->params.clock) * 1000;
}

static int64_t chars_us(const struct serial *s, size_t chars)
{
    return ((int64_t)chars * CHAR_BITS * 1000000 + s->params.baud - 1) / s->params.baud;
}

static int64_t gap_us(const struct serial *s)
{
    return s->params.baud > GAP_FIXED_ABOVE ? GAP_FIXED_US : (chars_us(s, 7) + 1) / 2;
}

/* ---- one frame ---- */

static void add_noise(struct serial *s, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len && s->params.noise_ppm > 0; i++) {
        if (rng_below(&s->rng, NOISE_OF) >= s->params.noise_ppm)
            continue;
        bytes[i] ^= (uint8_t)(1u << rng_below(&s->rng, 8));
        s->counters.noise++;
    }
}

static void put_answer(struct serial *s, uint8_t unit, size_t pdu_len, enum sim_fault fault)
{
    struct pending *out = &s->pending[s->pending_count];
    uint32_t turn_ms = SERIAL_TURN_MIN_MS + rng_below(&s->rng, SERIAL_TURN_MAX_MS - SERIAL_TURN_MIN_MS + 1);
    int64_t begin_us = now_us(s);
    if (s->pending_count > 0 && s->pending[s->pending_count - 1].due_us > begin_us)
        begin_us = s->pending[s->pending_count - 1].due_us;
    if (fault == SIM_LATE_ANSWER)
        turn_ms = SERIAL_LATE_MS;
    out->bytes[0] = (uint8_t)(unit + (fault == SIM_WRONG_ID));
    out->len = 1 + pdu_len;
    uint16_t crc = crc16(out->bytes, out->len);
    out->bytes[out->len++] = (uint8_t)(crc & 0xFF); /* low byte first on a serial line */
    out->bytes[out->len++] = (uint8_t)(crc >> 8);
    out->due_us = begin_us + (int64_t)turn_ms * 1000 + chars_us(s, out->len);
    add_noise(s, out->bytes, out->len);
    if (fault == SIM_TEAR_ANSWER)
        out->bytes[out->len - 1] ^= 0x55;
    s->pending_count++;
}

static void take_frame(struct serial *s)
{
    size_t len = s->in_len;
    bool whole = !s->too_long && len >= ADU_MIN;
    s->in_len = 0;
    s->too_long = false;
    s->counters.frames++;
    add_noise(s, s->in, len);
    if (!whole || crc16(s->in, len) != 0) { /* over a frame with its right CRC it leaves nothing */
        s->counters.damaged++;
        return;
    }
    unsigned unit = s->in[0];
    if (unit < 1 || unit > s->params.count || s->pending_count == SERIAL_PENDING) {
        s->counters.ignored++;
        return;
    }
    uint8_t *answer = s->pending[s->pending_count].bytes + 1;
    enum sim_fault fault = line_faults_next(&s->faults[unit - 1]);
    size_t pdu = image_answer_through(&s->images[unit - 1], fault, now_us(s), s->in + 1, len - 3, answer);
    if (s->params.flush)
        s->params.flush(s->params.flush_data);
    if (pdu > 0)
        put_answer(s, (uint8_t)unit, pdu, fault);
}

static void send_answer(struct serial *s)
{
    const struct pending *out = &s->pending[0];
    (void)!write(s->fd, out->bytes, out->len); /* what nobody reads is lost, as on a wire */
    s->counters.answers++;
    s->pending_count--;
    memmove(&s->pending[0], &s->pending[1], s->pending_count * sizeof s->pending[0]);
}

/* ---- time ---- */

/* The frame's last character is over and the gap behind it. */
static int64_t frame_due_us(const struct serial *s)
{
    int64_t end_us = s->in_begin_us + chars_us(s, s->in_len);
    return (end_us > s->in_heard_us ? end_us : s->in_heard_us) + gap_us(s);
}

static int64_t next_due_ms(const struct serial *s)
{
    int64_t due_us = INT64_MAX;
    if (s->in_len > 0)
        due_us = frame_due_us(s);
    if (s->pending_count > 0 && s->pending[0].due_us < due_us)
        due_us = s->pending[0].due_us;
    return due_us == INT64_MAX ? INT64_MAX : (due_us + 999) / 1000;
}

static int64_t timer_due(void *data, int64_t now_ms)
{
    struct serial *s = data;
    while (s->pending_count > 0 && s->pending[0].due_us <= now_ms * 1000)
        send_answer(s);
    if (s->in_len > 0 && frame_due_us(s) <= now_ms * 1000)
        take_frame(s);
    return next_due_ms(s);
}

static void line_ready(void *data, short revents)
{
    struct serial *s = data;
    uint8_t bytes[ADU_MAX];
    ssize_t got = revents & POLLIN ? read(s->fd, bytes, sizeof bytes) : 0;
    if (got <= 0)
        return;
    s->in_heard_us = now_us(s);
    if (s->in_len == 0)
        s->in_begin_us = s->in_heard_us;
    size_t room = sizeof s->in - s->in_len;
    size_t taken = (size_t)got < room ? (size_t)got : room;
    s->too_long = s->too_long || taken < (size_t)got;
    memcpy(s->in + s->in_len, bytes, taken);
    s->in_len += taken;
    loop_set_timer(s->timer, next_due_ms(s));
}

static int64_t tick(void *data, int64_t now_ms)
{
    struct serial *s = data;
    uint32_t scan_ms = s->params.scan_ms ? s->params.scan_ms : 1;
    for (unsigned i = 0; i < s->params.count; i++)
        world_advance(s->params.worlds[i], (now_ms - now_ms % scan_ms) * 1000);
    if (s->params.flush)
        s->params.flush(s->params.flush_data);
    return now_ms + SERIAL_TICK_MS;
}

/* ---- the line ---- */

static int open_line(struct serial *s, struct error *err)
{
    struct termios raw;
    s->fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (s->fd < 0 || grantpt(s->fd) < 0 || unlockpt(s->fd) < 0 ||
        ptsname_r(s->fd, s->device, sizeof s->device) != 0)
        return error_set_errno(err, E_SYSTEM, errno, "no pseudo-terminal for a serial line");
    s->near_fd = open(s->device, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (s->near_fd < 0 || tcgetattr(s->near_fd, &raw) < 0)
        return error_set_errno(err, E_SYSTEM, errno, "%s", s->device);
    cfmakeraw(&raw);
    if (tcsetattr(s->near_fd, TCSANOW, &raw) < 0)
        return error_set_errno(err, E_SYSTEM, errno, "%s", s->device);
    return 0;
}

/* Made aside and renamed, so that whoever waits for the name finds a line behind it. */
static int link_line(struct serial *s, struct error *err)
{
    char aside[PATH_BYTES + 8];
    struct stat st;
    size_t len = strlen(s->params.path);
    if (len == 0 || len >= PATH_BYTES)
        return error_set(err, E_ARG, "the path of a serial line must have 1 to %d bytes", PATH_BYTES - 1);
    memcpy(s->path, s->params.path, len + 1);
    if (lstat(s->path, &st) == 0 && !S_ISLNK(st.st_mode))
        return error_set(err, E_EXISTS, "%s: a file is there already; take another name", s->path);
    (void)snprintf(aside, sizeof aside, "%s.new", s->path); /* the path is bounded */
    (void)unlink(aside);                                    /* left over by one that was killed */
    if (symlink(s->device, aside) < 0 || rename(aside, s->path) < 0)
        return error_set_errno(err, E_SYSTEM, errno, "%s: cannot be linked", s->path);
    s->linked = true;
    return 0;
}

struct serial *serial_create(const struct serial_params *params, struct error *err)
{
    if (params->count < 1 || params->count > UNITS_MAX || params->baud < SERIAL_BAUD_MIN ||
        params->baud > SERIAL_BAUD_MAX) {
        error_set(err, E_ARG, "%u machines at %u baud: 1 to %d at %d to %d are possible", params->count,
                  params->baud, UNITS_MAX, SERIAL_BAUD_MIN, SERIAL_BAUD_MAX);
        return NULL;
    }
    struct serial *s = calloc(1, sizeof *s);
    if (!s) {
        error_set(err, E_MEMORY, "no memory for a serial line");
        return NULL;
    }
    s->params = *params;
    s->fd = s->near_fd = -1;
    rng_init(&s->rng, params->seed, 0x5E61A1);
    s->images = calloc(params->count, sizeof *s->images);
    s->faults = calloc(params->count, sizeof *s->faults);
    for (unsigned i = 0; s->images && i < params->count; i++)
        image_init(&s->images[i], params->profile, params->worlds[i], params->scan_ms * 1000);
    if (!s->images || !s->faults) {
        error_set(err, E_MEMORY, "no memory for a serial line");
        goto fail;
    }
    if (map_check_profile(params->profile, err) < 0 || open_line(s, err) < 0 || link_line(s, err) < 0)
        goto fail;
    s->io = loop_add_io(params->loop, s->fd, POLLIN, line_ready, s);
    s->tick = loop_add_timer(params->loop, clock_mono_ms(params->clock), tick, s);
    s->timer = loop_add_timer(params->loop, INT64_MAX, timer_due, s);
    if (!s->io || !s->tick || !s->timer) {
        error_set(err, E_MEMORY, "no memory for a serial line");
        goto fail;
    }
    return s;
fail:
    serial_destroy(s);
    return NULL;
}

void serial_destroy(struct serial *s)
{
    char target[DEVICE_BYTES + 1];
    if (!s)
        return;
    ssize_t len = s->linked ? readlink(s->path, target, sizeof target) : -1;
    if (len > 0 && (size_t)len == strlen(s->device) && memcmp(target, s->device, (size_t)len) == 0)
        (void)unlink(s->path); /* a link that stays does no harm */
    loop_remove_io(s->io);
    loop_remove_timer(s->tick);
    loop_remove_timer(s->timer);
    if (s->near_fd >= 0)
        close(s->near_fd);
    if (s->fd >= 0)
        close(s->fd);
    free(s->images);
    free(s->faults);
    free(s);
}

bool serial_fail(struct serial *s, unsigned machine, enum sim_fault fault, uint64_t nth)
{
    return line_faults_plan(&s->faults[machine], fault, nth);
}

const char *serial_device(const struct serial *s)
{
    return s->device;
}

void serial_counters(const struct serial *s, struct serial_counters *ret_counters)
{
    *ret_counters = s->counters;
}
