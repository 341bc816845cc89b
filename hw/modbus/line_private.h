/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread's side of a Modbus line: one request at a time over a wire, as the machine port wants it. Not
 * shared with the owner's thread but for what modbus_machine.c copies under its lock. Private to hw/modbus.
 */
#ifndef HW_MODBUS_LINE_PRIVATE_H
#define HW_MODBUS_LINE_PRIVATE_H

#include "hw/machine.h"
#include "hw/modbus/wire.h"

struct line {
    struct profile profile;
    struct wire wire;
    struct machine_identity identity; /* of the last MACHINE_IDENTIFY that succeeded */
    uint32_t session;                 /* last one written on this connection, 0 none */
    uint16_t heartbeat;
    struct machine_counters counters; /* worst_ms is the owner's */
};

/* Fills answer->did, code and the value. wait_ms: most to wait for each answer on the wire. */
void line_perform(struct line *line, const struct machine_request *request, uint32_t wait_ms,
                  struct machine_answer *answer);
/* Asks the machine to suspend, if it is there. */
void line_suspend(struct line *line);

#endif
