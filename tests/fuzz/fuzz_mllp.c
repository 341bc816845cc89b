/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes on an MLLP connection, in pieces of any size. Never a crash or a leak; however
 * the bytes are cut, the same messages come out; a message that is framed again comes out once, the same.
 *
 * The first byte chooses the size of the pieces. Build with -Dfuzz=true (clang); the unit suite replays
 * tests/fuzz/mllp.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "config/base/buf.h"
#include "controller/intake/hl7/mllp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All messages with a mark between, until the connection would end; the last event is added. */
static void run(const char *bytes, size_t len, size_t piece, struct buf *out)
{
    struct mllp mllp;
    enum mllp_event event = MLLP_MORE;
    mllp_init(&mllp);
    for (size_t at = 0; at < len && (event == MLLP_MORE || event == MLLP_MESSAGE);) {
        size_t part = len - at < piece ? len - at : piece;
        for (size_t done = 0; done < part;) {
            size_t took = mllp_feed(&mllp, bytes + at + done, part - done, &event);
            assert(took <= part - done && (took > 0 || event == MLLP_MESSAGE));
            assert(event != MLLP_MORE || took == part - done);
            done += took;
            if (event == MLLP_MESSAGE) {
                assert(mllp.message.len <= HL7_MESSAGE_MAX);
                buf_add(out, buf_string(&mllp.message), mllp.message.len);
                buf_char(out, MLLP_END);
            } else if (event != MLLP_MORE) {
                break;
            }
        }
        at += part;
    }
    buf_printf(out, "%d", event == MLLP_MESSAGE ? (int)MLLP_MORE : (int)event);
    mllp_finish(&mllp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole, pieces, framed;
    if (size == 0)
        return 0;
    const char *bytes = (const char *)data + 1;
    buf_init(&whole);
    buf_init(&pieces);
    buf_init(&framed);
    run(bytes, size - 1, size, &whole);
    run(bytes, size - 1, (size_t)data[0] % 7 + 1, &pieces);
    assert(whole.len == pieces.len && memcmp(whole.data, pieces.data, whole.len) == 0);
    if (memchr(bytes, MLLP_START, size - 1) == NULL && memchr(bytes, MLLP_END, size - 1) == NULL) {
        buf_reset(&whole);
        mllp_write(bytes, size - 1, &framed);
        run(framed.data, framed.len, size, &whole);
        assert(whole.len == size - 1 + 2 && memcmp(whole.data, bytes, size - 1) == 0);
    }
    buf_finish(&whole);
    buf_finish(&pieces);
    buf_finish(&framed);
    return 0;
}
