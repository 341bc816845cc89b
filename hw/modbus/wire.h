/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: one Modbus connection and what went over it; the only file of ours that knows libmodbus.
 *
 * Blocking, and for the one thread that owns it. A read or write ends as one of: done; refused by the device
 * (an exception: the connection is fine); failed (time-out, damaged frame, broken connection). After a
 * failure the connection is closed at once, because a late answer would be taken for that of the next
 * request.
 */
#ifndef HW_MODBUS_WIRE_H
#define HW_MODBUS_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/base/profile.h"

struct error;

enum { WIRE_HOST_BYTES = 256 };

enum wire_outcome {
    WIRE_DONE,
    WIRE_REFUSED, /* exception 01, 02, 03: the device did not do it */
    WIRE_BUSY,    /* exception 06: not done, another session owns the machine or it is busy */
    WIRE_UNSURE,  /* exception 04, 05 and others: it may have been done */
    WIRE_LOST,    /* no connection, or it broke */
    WIRE_TIMEOUT,
    WIRE_DAMAGED, /* an answer that is not one */
};

struct wire {
    char host[WIRE_HOST_BYTES];
    uint16_t port;
    uint8_t unit;
    uint32_t connect_ms;
    uint32_t byte_ms;
    void *context; /* libmodbus'; NULL while there is no connection */
};

/* An open connection is closed first. 0, or E_LINK with the cause. */
int wire_open(struct wire *wire, struct error *err);
void wire_close(struct wire *wire);
bool wire_is_open(const struct wire *wire);

/* FC03 or FC04, FC16. wait_ms: longest wait for the first byte of the answer. Exception and cause stand in
 * err. */
enum wire_outcome wire_read(struct wire *wire, enum profile_table table, uint32_t address, uint16_t count,
                            uint16_t *ret_registers, uint32_t wait_ms, struct error *err);
enum wire_outcome wire_write(struct wire *wire, uint32_t address, uint16_t count, const uint16_t *registers,
                             uint32_t wait_ms, struct error *err);

#endif
