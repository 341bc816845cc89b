/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mllp: the frames in which HL7 v2 travels: 0x0B, the message, 0x1C 0x0D. Bytes in, messages out; no socket,
 * no clock. Bytes between frames are skipped up to a limit; a frame that begins anew inside another one drops
 * what was begun (its sender has given it up). The caller owns the struct. One thread.
 */
#ifndef CONTROLLER_INTAKE_HL7_MLLP_H
#define CONTROLLER_INTAKE_HL7_MLLP_H

#include <stddef.h>
#include <stdint.h>

#include "config/base/buf.h"
#include "controller/intake/hl7/hl7.h"

enum {
    MLLP_START = 0x0b,
    MLLP_END = 0x1c,
    MLLP_RETURN = 0x0d,
    MLLP_GARBAGE_MAX = 1024, /* bytes between two frames; more is not MLLP */
};

enum mllp_event {
    MLLP_MORE,     /* all bytes were taken, no message yet */
    MLLP_MESSAGE,  /* mllp->message holds one, until the next call */
    MLLP_TOO_LONG, /* the frame is longer than HL7_MESSAGE_MAX: end the connection */
    MLLP_GARBAGE,  /* more than MLLP_GARBAGE_MAX bytes outside of frames: end the connection */
    MLLP_MEMORY,
};

enum mllp_state { MLLP_BETWEEN, MLLP_INSIDE, MLLP_CLOSING, MLLP_TOLD };

struct mllp {
    enum mllp_state state;
    struct buf message;
    size_t garbage;   /* bytes since the last frame */
    int64_t skipped;  /* bytes outside of frames in all, line ends left out */
    int64_t restarts; /* frames that began inside another one */
};

void mllp_init(struct mllp *mllp);
void mllp_finish(struct mllp *mllp);
/* Takes bytes up to the next event; returns how many. */
size_t mllp_feed(struct mllp *mllp, const char *bytes, size_t len, enum mllp_event *ret_event);
/* True between the first byte of a frame and its last. */
int mllp_in_frame(const struct mllp *mllp);
/* Adds the frame of a message. */
void mllp_write(const char *message, size_t len, struct buf *out);

#endif
