/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: one TCP connection or one serial line, and what went over it; with wire_serial.c the only files of
 * ours that know libmodbus.
 *
 * Blocking, and for the one thread that owns it. A read or write ends as one of: done; refused by the device
 * (an exception: the line is fine); failed (time-out, damaged frame, broken connection).
 *
 * After a failure a late answer could be taken for that of the next request. A TCP connection is therefore
 * closed at once. A serial line has other machines on it and no transaction id: it is listened to until it
 * was silent for 3.5 characters and for as long as the peer may be late; what arrives is thrown away and
 * counted. The same happens before a request when bytes lie on the line that nobody asked for. Whether a
 * machine behind the line is still believed is its station's business (station_private.h).
 */
#ifndef HW_MODBUS_WIRE_H
#define HW_MODBUS_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/base/profile.h"

struct error;

enum {
    WIRE_PLACE_BYTES = 256,
    WIRE_BABBLE_MS = 2000 /* a line that is never silent for so long is broken */
};

enum wire_kind { WIRE_TCP, WIRE_SERIAL };

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
    enum wire_kind kind;
    char place[WIRE_PLACE_BYTES]; /* host or device */
    uint16_t port;                /* TCP */
    uint32_t baud;                /* serial, and so is parity: 'N', 'E' or 'O' */
    char parity;
    void *context;       /* libmodbus'; NULL while there is no connection */
    uint32_t generation; /* counts connections that ended */
    uint64_t strays;     /* bytes thrown away because nobody had asked for them */
};

/* Who is spoken to: the unit, and how patiently. */
struct wire_peer {
    uint8_t unit;
    uint32_t connect_ms;
    uint32_t byte_ms; /* between two bytes of an answer */
    uint32_t late_ms; /* an answer may come so long after its time-out */
};

/* Whether libmodbus can set this speed. */
bool wire_baud_known(uint32_t baud);

/* TCP: an open connection is closed first. Serial: opened unless it is. 0, or E_LINK with the cause. */
int wire_open(struct wire *wire, const struct wire_peer *peer, struct error *err);
void wire_close(struct wire *wire);
bool wire_is_open(const struct wire *wire);
/* The peer cannot be believed any more: what a failure does, for those who find one in the registers. */
void wire_distrust(struct wire *wire, const struct wire_peer *peer);

/* FC03 or FC04, FC16, FC15. wait_ms: longest wait for the first byte of the answer, beyond the time that the
 * bytes take. Exception and cause stand in err. */
enum wire_outcome wire_read(struct wire *wire, const struct wire_peer *peer, enum profile_table table,
                            uint32_t address, uint16_t count, uint16_t *ret_registers, uint32_t wait_ms,
                            struct error *err);
enum wire_outcome wire_write(struct wire *wire, const struct wire_peer *peer, uint32_t address,
                             uint16_t count, const uint16_t *registers, uint32_t wait_ms, struct error *err);
/* One coil a byte, 0 or 1. */
enum wire_outcome wire_write_coils(struct wire *wire, const struct wire_peer *peer, uint32_t address,
                                   uint16_t count, const uint8_t *coils, uint32_t wait_ms, struct error *err);

#endif
