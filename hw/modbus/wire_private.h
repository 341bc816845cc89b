/* SPDX-License-Identifier: Apache-2.0 */
/* The serial half of a wire (wire_serial.c). Private to hw/modbus. */
#ifndef HW_MODBUS_WIRE_PRIVATE_H
#define HW_MODBUS_WIRE_PRIVATE_H

#include "hw/modbus/wire.h"

/* Microseconds that so many characters take: 11 bits each, whatever the parity. */
int64_t wire_chars_us(const struct wire *wire, uint32_t chars);
/* A new context with an open device in wire->context, or E_LINK. */
int wire_serial_open(struct wire *wire, struct error *err);
/* Throws away what comes until the line was silent for quiet_ms and 3.5 characters; false: it never is. */
bool wire_serial_drain(struct wire *wire, uint32_t quiet_ms);
/* Before a request: the gap between two frames, and a drain when something lies on the line already. */
bool wire_serial_settle(struct wire *wire, const struct wire_peer *peer);

#endif
