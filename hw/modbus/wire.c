/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/modbus/wire.h"

#include <errno.h>
#include <modbus.h>
#include <stdio.h>

#include "config/base/error.h"
#include "hw/modbus/wire_private.h"

/* Bytes of frames around their data. */
enum { SERIAL_SHORT = 8, SERIAL_READ_FRAME = 5, SERIAL_WRITE_FRAME = 9 };

static void set_wait(modbus_t *context, uint32_t ms)
{
    if (ms == 0)
        ms = 1;                                                              /* libmodbus refuses 0 */
    (void)modbus_set_response_timeout(context, ms / 1000, ms % 1000 * 1000); /* only 0 can fail */
}

static void set_peer(modbus_t *context, const struct wire_peer *peer)
{
    (void)modbus_set_slave(context, peer->unit); /* callers have checked its range */
    (void)modbus_set_byte_timeout(context, peer->byte_ms / 1000, peer->byte_ms % 1000 * 1000);
}

void wire_close(struct wire *wire)
{
    if (!wire->context)
        return;
    modbus_close(wire->context);
    modbus_free(wire->context);
    wire->context = NULL;
    wire->generation++;
}

bool wire_is_open(const struct wire *wire)
{
    return wire->context != NULL;
}

static int tcp_open(struct wire *wire, const struct wire_peer *peer, struct error *err)
{
    char service[8];
    (void)snprintf(service, sizeof service, "%u", wire->port);
    modbus_t *context = modbus_new_tcp_pi(wire->place, service);
    if (!context)
        return error_set(err, E_MEMORY, "no memory for a Modbus connection");
    (void)modbus_set_error_recovery(context, MODBUS_ERROR_RECOVERY_NONE);
    set_wait(context, peer->connect_ms);
    errno = 0;
    if (modbus_connect(context) < 0) {
        int cause =
            errno ? errno : ETIMEDOUT; /* a connect that timed out may leave it unset or in progress */
        modbus_free(context);
        return error_set_errno(err, E_LINK, cause == EINPROGRESS ? ETIMEDOUT : cause, "machine at %s:%u",
                               wire->place, wire->port);
    }
    wire->context = context;
    return 0;
}

int wire_open(struct wire *wire, const struct wire_peer *peer, struct error *err)
{
    if (wire->kind == WIRE_SERIAL)
        return wire->context ? 0 : wire_serial_open(wire, err);
    wire_close(wire);
    return tcp_open(wire, peer, err);
}

void wire_distrust(struct wire *wire, const struct wire_peer *peer)
{
    if (!wire->context)
        return;
    if (wire->kind == WIRE_TCP || !wire_serial_drain(wire, peer->late_ms))
        wire_close(wire);
}

/* ---- requests ---- */

/* What errno says after libmodbus failed. */
static enum wire_outcome outcome_of(int cause)
{
    switch (cause) {
    case EMBXILFUN:
    case EMBXILADD:
    case EMBXILVAL:
        return WIRE_REFUSED;
    case EMBXSBUSY:
        return WIRE_BUSY;
    case EMBXSFAIL:
    case EMBXACK:
    case EMBXNACK:
    case EMBXMEMPAR:
        return WIRE_UNSURE;
    case EMBXGTAR: /* a gateway's "the machine did not answer" */
    case ETIMEDOUT:
        return WIRE_TIMEOUT;
    case EMBBADCRC:
    case EMBBADDATA:
    case EMBBADEXC:
    case EMBUNKEXC:
    case EMBMDATA:
    case EMBBADSLAVE:
        return WIRE_DAMAGED;
    default:
        return WIRE_LOST;
    }
}

static const char *describe(const struct wire *wire, const struct wire_peer *peer, char text[300])
{
    if (wire->kind == WIRE_TCP)
        (void)snprintf(text, 300, "machine at %s:%u", wire->place, wire->port); /* the place is bounded */
    else
        (void)snprintf(text, 300, "machine %u on %s", peer->unit, wire->place);
    return text;
}

/* False: there is no line. */
static bool prepare(struct wire *wire, const struct wire_peer *peer, uint32_t wait_ms, uint32_t chars,
                    struct error *err)
{
    if (wire->context && wire->kind == WIRE_SERIAL && !wire_serial_settle(wire, peer))
        wire_close(wire);
    if (!wire->context) {
        error_set(err, E_LINK, "%s: no connection", wire->place);
        return false;
    }
    set_peer(wire->context, peer);
    if (wire->kind == WIRE_SERIAL)
        wait_ms += (uint32_t)((wire_chars_us(wire, chars) + 999) / 1000);
    set_wait(wire->context, wait_ms);
    return true;
}

static enum wire_outcome finish(struct wire *wire, const struct wire_peer *peer, int done, int wanted,
                                struct error *err)
{
    char place[300];
    if (done == wanted)
        return WIRE_DONE;
    int cause = done < 0 ? errno : EMBBADDATA;
    enum wire_outcome outcome = outcome_of(cause);
    if (outcome == WIRE_LOST)
        wire_close(wire);
    else if (outcome == WIRE_TIMEOUT || outcome == WIRE_DAMAGED)
        wire_distrust(wire, peer);
    describe(wire, peer, place);
    /* modbus_strerror's texts are constants for its own numbers; the system's come through error_set_errno.
     */
    if (cause >= MODBUS_ENOBASE)
        (void)error_set(err, E_DEVICE, "%s: %s", place, modbus_strerror(cause));
    else
        (void)error_set_errno(err, E_LINK, cause, "%s", place);
    return outcome;
}

enum wire_outcome wire_read(struct wire *wire, const struct wire_peer *peer, enum profile_table table,
                            uint32_t address, uint16_t count, uint16_t *ret_registers, uint32_t wait_ms,
                            struct error *err)
{
    if (!prepare(wire, peer, wait_ms, SERIAL_SHORT + SERIAL_READ_FRAME + 2u * count, err))
        return WIRE_LOST;
    int done = table == PROFILE_INPUT
                   ? modbus_read_input_registers(wire->context, (int)address, count, ret_registers)
                   : modbus_read_registers(wire->context, (int)address, count, ret_registers);
    return finish(wire, peer, done, count, err);
}

enum wire_outcome wire_write(struct wire *wire, const struct wire_peer *peer, uint32_t address,
                             uint16_t count, const uint16_t *registers, uint32_t wait_ms, struct error *err)
{
    if (!prepare(wire, peer, wait_ms, SERIAL_SHORT + SERIAL_WRITE_FRAME + 2u * count, err))
        return WIRE_LOST;
    int done = modbus_write_registers(wire->context, (int)address, count, registers);
    return finish(wire, peer, done, count, err);
}

enum wire_outcome wire_write_coils(struct wire *wire, const struct wire_peer *peer, uint32_t address,
                                   uint16_t count, const uint8_t *coils, uint32_t wait_ms, struct error *err)
{
    if (!prepare(wire, peer, wait_ms, SERIAL_SHORT + SERIAL_WRITE_FRAME + count / 8u + 1, err))
        return WIRE_LOST;
    return finish(wire, peer, modbus_write_bits(wire->context, (int)address, count, coils), count, err);
}
