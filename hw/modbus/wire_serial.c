/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "config/base/error.h"
#include "hw/modbus/wire_private.h"

/* Above 19200 the standard fixes the gap, because a timer per character would be too fine. */
enum { CHAR_BITS = 11, GAP_FIXED_US = 1750, GAP_FIXED_ABOVE = 19200, READ_BYTES = 512 };

bool wire_baud_known(uint32_t baud)
{
    static const uint32_t known[] = {1200,  2400,   4800,   9600,   19200,  38400,
                                     57600, 115200, 230400, 460800, 500000, 921600};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i] == baud)
            return true;
    }
    return false;
}

int64_t wire_chars_us(const struct wire *wire, uint32_t chars)
{
    return ((int64_t)chars * CHAR_BITS * 1000000 + wire->baud - 1) / wire->baud;
}

/* 3.5 characters of silence end a frame (Modbus over serial line V1.02, section 2.5.1.1). */
static int64_t gap_us(const struct wire *wire)
{
    return wire->baud > GAP_FIXED_ABOVE ? GAP_FIXED_US : (wire_chars_us(wire, 7) + 1) / 2;
}

int wire_serial_open(struct wire *wire, struct error *err)
{
    int stop_bits = wire->parity == 'N' ? 2 : 1; /* a character has 11 bits in any case */
    modbus_t *context = modbus_new_rtu(wire->place, (int)wire->baud, wire->parity, 8, stop_bits);
    if (!context)
        return error_set(err, E_MEMORY, "no memory for a Modbus line");
    (void)modbus_set_error_recovery(context, MODBUS_ERROR_RECOVERY_NONE);
    errno = 0;
    if (modbus_connect(context) < 0) {
        int cause = errno ? errno : EIO;
        modbus_free(context);
        return error_set_errno(err, E_LINK, cause, "serial line %s", wire->place);
    }
    /* Two masters on one line would answer each other's questions. */
    if (flock(modbus_get_socket(context), LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        modbus_close(context);
        modbus_free(context);
        return error_set(err, E_LINK, "serial line %s: another program uses it", wire->place);
    }
    wire->context = context;
    return 0;
}

static int64_t mono_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Waits so long for a byte; the bytes read, 0 for silence, -1 for a broken line. */
static ssize_t hear(struct wire *wire, int64_t wait_us)
{
    uint8_t bytes[READ_BYTES];
    struct pollfd line = {.fd = modbus_get_socket(wire->context), .events = POLLIN};
    const struct timespec wait = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    int ready = ppoll(&line, 1, &wait, NULL);
    if (ready == 0)
        return 0;
    ssize_t got = ready < 0 ? -1 : read(line.fd, bytes, sizeof bytes);
    if (got > 0)
        wire->strays += (uint64_t)got;
    return got > 0 ? got : -1;
}

bool wire_serial_drain(struct wire *wire, uint32_t quiet_ms)
{
    int64_t quiet_us = (int64_t)quiet_ms * 1000;
    int64_t end_us = mono_us() + (int64_t)WIRE_BABBLE_MS * 1000 + quiet_us;
    if (quiet_us < gap_us(wire))
        quiet_us = gap_us(wire);
    for (;;) {
        ssize_t got = hear(wire, quiet_us);
        if (got <= 0)
            return got == 0;
        if (mono_us() > end_us)
            return false;
    }
}

bool wire_serial_settle(struct wire *wire, const struct wire_peer *peer)
{
    ssize_t got = hear(wire, gap_us(wire));
    if (got == 0)
        return true;
    return got > 0 && wire_serial_drain(wire, peer->late_ms);
}
