/* SPDX-License-Identifier: Apache-2.0 */
/*
 * station: one machine on a wire, as the thread that owns the wire sees it: one request at a time, as the
 * machine port wants it. Not shared with the owner's thread but for what modbus_machine.c copies under the
 * lock of the bus. Private to hw/modbus.
 *
 * Its link begins with a MACHINE_IDENTIFY that succeeds and ends with the first answer that cannot be
 * believed, when the connection under it ends, and when the machine's boot counter changes. On a serial line
 * the links of the other machines go on.
 *
 * Freshness. A serial answer says nothing of its question but unit, function and length, so a late one fits
 * the next question of the same shape. What proves each kind of answer:
 *   status    shows the nonce of the last control block that was written on this link, or another owner
 *   result    says its own number, and a number's record never changes
 *   identity  never changes within a link
 *   bays      neither: a mirror read behind each page must come back in its own shape with nothing on the
 *             line between, and no two pages of 120 bays have the same length, but where rows have holes
 *             between them and must be read one by one
 *   writes    their echo proves nothing and is not believed: the mirror decides (rule C3)
 */
#ifndef HW_MODBUS_STATION_PRIVATE_H
#define HW_MODBUS_STATION_PRIVATE_H

#include "hw/machine.h"
#include "hw/modbus/wire.h"

enum {
    STATION_STALE_MAX = 8,   /* mirrors with an old nonce in a row, until the link is given up */
    STATION_STALE_PAUSE = 5, /* ms between two of them: a scan of the machine may lie between */
};

struct station {
    struct profile profile;
    struct wire *wire; /* of the bus */
    struct wire_peer peer;
    bool linked;
    uint32_t generation;              /* of the wire, when the link was made */
    struct machine_identity identity; /* of the last MACHINE_IDENTIFY that succeeded */
    uint32_t session;                 /* last one written on this link, 0 none */
    uint16_t heartbeat;
    uint16_t nonce; /* last one that the machine took on this link */
    bool nonce_known;
    bool coils_known; /* which command coil is on, written on this link */
    enum machine_command coil;
    struct machine_control last; /* the last control block that was written on this link */
    bool last_known;
    uint32_t boot; /* of the last mirror of this link */
    bool boot_known;
    struct machine_counters counters; /* but worst_ms and p99_ms, which are the owner's */
};

void station_init(struct station *station, const struct profile *profile, struct wire *wire, uint8_t unit);
bool station_is_linked(const struct station *station);
/* Ends the link without a word; of a TCP connection nothing else is left, so it is closed. */
void station_unlink(struct station *station);
/* Fills answer->did, code and the value. wait_ms: most to wait for each answer on the wire. */
void station_perform(struct station *station, const struct machine_request *request, uint32_t wait_ms,
                     struct machine_answer *answer);
/* Writes the last control block once more with another heartbeat; false: there is none on this link. */
bool station_keep(struct station *station);
bool station_may_keep(const struct station *station);
/* Asks the machine to suspend, if it is there. */
void station_suspend(struct station *station);

#endif
