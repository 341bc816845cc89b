/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image: a world as a Modbus slave: requests (PDUs) in, answers out. It knows registers, exceptions and the
 * scan, and nothing of sockets or serial lines. Pure but for the world; one thread.
 *
 * Reads see the machine as it was at the last scan: values are frozen for scan_us. A write is the end of a
 * scan: it happens at once, and the next read sees it. Control counts when the register of its CRC is
 * written, the mailbox when its commit register is; until then they are only bytes (a torn mailbox never
 * counts).
 *
 * Where the profile's commands are coils, the one that is on is taken with the control block.
 *
 * Functions: 03, 04, 06, 16, 01, 05 and 15 where there are coils, and 23 where the identity declares it.
 * Exceptions: 01 other functions; 02 registers that do not exist, cannot be written, or lie between blocks;
 * 03 a wrong quantity or length, a control block whose CRC or values are wrong, a job that the machine could
 * never fill; 06 another session owns the machine.
 */
#ifndef HW_SIM_IMAGE_H
#define HW_SIM_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "hw/modbus/map.h"
#include "hw/sim/line_fault.h"

struct world;

enum { IMAGE_PDU_MAX = 253, IMAGE_SCAN_US = 10000, IMAGE_NO_ANSWER = 0x0B /* exception of a gateway */ };

struct image {
    const struct profile *profile;
    struct world *world;
    uint32_t scan_us;
    uint32_t boots; /* of the world, when the written registers were last cleared */
    uint16_t mailbox[MAP_BLOCK_MAX];
    uint16_t control[MAP_BLOCK_MAX];
    uint8_t coils[PROFILE_COILS_MAX]; /* one a command, where the profile has them */
};

/* Profile and world are borrowed; the world has the profile's ring and queue. */
void image_init(struct image *image, const struct profile *profile, struct world *world, uint32_t scan_us);

/*
 * Answers one request at now_us, the outside's time. Returns the answer's length, 1..IMAGE_PDU_MAX, or 0: the
 * machine is silent (no power, or it went in the middle of the request).
 */
size_t image_answer(struct image *image, int64_t now_us, const uint8_t *request, size_t len,
                    uint8_t ret_answer[IMAGE_PDU_MAX]);
/*
 * The same for a request that meets a fault of the line: what of it concerns the machine. 0: there is no
 * answer. What becomes of the answer's bytes (late, cut, another id, ...) is the caller's.
 */
size_t image_answer_through(struct image *image, enum sim_fault fault, int64_t now_us, const uint8_t *request,
                            size_t len, uint8_t ret_answer[IMAGE_PDU_MAX]);

#endif
