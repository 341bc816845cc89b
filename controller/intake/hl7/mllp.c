/* SPDX-License-Identifier: Apache-2.0 */
/*
 *            0x0B               0x1C               0x0D
 *  BETWEEN ---------> INSIDE ---------> CLOSING ---------> TOLD (a message) -> BETWEEN
 *                      | 0x0B: begins anew | anything else: the message counts, the byte stands between
 * frames
 */
#include "controller/intake/hl7/mllp.h"

void mllp_init(struct mllp *mllp)
{
    *mllp = (struct mllp){.state = MLLP_BETWEEN};
    buf_init(&mllp->message);
}

void mllp_finish(struct mllp *mllp)
{
    buf_finish(&mllp->message);
}

int mllp_in_frame(const struct mllp *mllp)
{
    return mllp->state == MLLP_INSIDE || mllp->state == MLLP_CLOSING;
}

static void begin(struct mllp *mllp)
{
    buf_reset(&mllp->message);
    mllp->state = MLLP_INSIDE;
    mllp->garbage = 0;
}

/* A byte outside of any frame. */
static enum mllp_event between(struct mllp *mllp, char c)
{
    if (c == MLLP_START) {
        begin(mllp);
        return MLLP_MORE;
    }
    if (c == '\r' || c == '\n' || c == ' ')
        return MLLP_MORE;
    mllp->skipped++;
    return ++mllp->garbage > MLLP_GARBAGE_MAX ? MLLP_GARBAGE : MLLP_MORE;
}

static enum mllp_event inside(struct mllp *mllp, char c)
{
    if (c == MLLP_START) {
        mllp->restarts++;
        begin(mllp);
    } else if (c == MLLP_END) {
        mllp->state = MLLP_CLOSING;
    } else if (mllp->message.len == HL7_MESSAGE_MAX) {
        return MLLP_TOO_LONG;
    } else {
        buf_char(&mllp->message, c);
    }
    return mllp->message.failed ? MLLP_MEMORY : MLLP_MORE;
}

size_t mllp_feed(struct mllp *mllp, const char *bytes, size_t len, enum mllp_event *ret_event)
{
    *ret_event = MLLP_MORE;
    if (mllp->state == MLLP_TOLD) {
        mllp->state = MLLP_BETWEEN;
        buf_reset(&mllp->message);
    }
    for (size_t at = 0; at < len; at++) {
        if (mllp->state == MLLP_CLOSING) {
            mllp->state = MLLP_TOLD;
            *ret_event = MLLP_MESSAGE;
            return at + (bytes[at] == MLLP_RETURN);
        }
        *ret_event = mllp->state == MLLP_INSIDE ? inside(mllp, bytes[at]) : between(mllp, bytes[at]);
        if (*ret_event != MLLP_MORE)
            return at + 1;
    }
    return len;
}

void mllp_write(const char *message, size_t len, struct buf *out)
{
    buf_char(out, MLLP_START);
    buf_add(out, message, len);
    buf_char(out, MLLP_END);
    buf_char(out, MLLP_RETURN);
}
