/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/modbus/wire.h"

#include <errno.h>
#include <modbus.h>
#include <stdio.h>

#include "config/base/error.h"

static void set_wait(modbus_t *context, uint32_t ms)
{
    if (ms == 0)
        ms = 1;                                                              /* libmodbus refuses 0 */
    (void)modbus_set_response_timeout(context, ms / 1000, ms % 1000 * 1000); /* only 0 can fail */
}

void wire_close(struct wire *wire)
{
    if (!wire->context)
        return;
    modbus_close(wire->context);
    modbus_free(wire->context);
    wire->context = NULL;
}

bool wire_is_open(const struct wire *wire)
{
    return wire->context != NULL;
}

int wire_open(struct wire *wire, struct error *err)
{
    wire_close(wire);
    char service[8];
    (void)snprintf(service, sizeof service, "%u", wire->port);
    modbus_t *context = modbus_new_tcp_pi(wire->host, service);
    if (!context)
        return error_set(err, E_MEMORY, "no memory for a Modbus connection");
    (void)modbus_set_slave(context, wire->unit); /* any uint8_t is allowed with TCP */
    (void)modbus_set_error_recovery(context, MODBUS_ERROR_RECOVERY_NONE);
    (void)modbus_set_byte_timeout(context, wire->byte_ms / 1000, wire->byte_ms % 1000 * 1000);
    set_wait(context, wire->connect_ms);
    errno = 0;
    if (modbus_connect(context) < 0) {
        int cause =
            errno ? errno : ETIMEDOUT; /* a connect that timed out may leave it unset or in progress */
        modbus_free(context);
        return error_set_errno(err, E_LINK, cause == EINPROGRESS ? ETIMEDOUT : cause, "machine at %s:%u",
                               wire->host, wire->port);
    }
    wire->context = context;
    return 0;
}

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

static enum wire_outcome finish(struct wire *wire, int done, int wanted, struct error *err)
{
    if (done == wanted)
        return WIRE_DONE;
    int cause = done < 0 ? errno : EMBBADDATA;
    enum wire_outcome outcome = outcome_of(cause);
    if (outcome == WIRE_LOST || outcome == WIRE_TIMEOUT || outcome == WIRE_DAMAGED)
        wire_close(wire);
    /* modbus_strerror's texts are constants for its own numbers; the system's come through error_set_errno.
     */
    if (cause >= MODBUS_ENOBASE)
        (void)error_set(err, E_DEVICE, "machine at %s:%u: %s", wire->host, wire->port,
                        modbus_strerror(cause));
    else
        (void)error_set_errno(err, E_LINK, cause, "machine at %s:%u", wire->host, wire->port);
    return outcome;
}

enum wire_outcome wire_read(struct wire *wire, enum profile_table table, uint32_t address, uint16_t count,
                            uint16_t *ret_registers, uint32_t wait_ms, struct error *err)
{
    if (!wire->context)
        return WIRE_LOST;
    set_wait(wire->context, wait_ms);
    int done = table == PROFILE_INPUT
                   ? modbus_read_input_registers(wire->context, (int)address, count, ret_registers)
                   : modbus_read_registers(wire->context, (int)address, count, ret_registers);
    return finish(wire, done, count, err);
}

enum wire_outcome wire_write(struct wire *wire, uint32_t address, uint16_t count, const uint16_t *registers,
                             uint32_t wait_ms, struct error *err)
{
    if (!wire->context)
        return WIRE_LOST;
    set_wait(wire->context, wait_ms);
    return finish(wire, modbus_write_registers(wire->context, (int)address, count, registers), count, err);
}
